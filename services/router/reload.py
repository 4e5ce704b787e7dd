"""The network and the policy in effect, kept up to date without ever changing under a batch.

A batch takes the `InEffect` of its beginning. A newer revision is read and built beside it, off the event loop, and
then one reference is swapped. Kafka's network.changed and policies.published make a router look at once; a poll of
PostgreSQL, which has the truth, makes up for a word that is late or lost.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from services.router.db import network as db
from services.router.db.network import PublishedPolicy, Revision
from services.router.metrics import RouterMetrics
from services.router.network import sites_of
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.pausing import sleep_or_stop
from shared.postgres import Pool, PostgresUnavailable, acquire
from shared.telemetry import get_logger


@dataclass(frozen=True)
class InEffect:
    """What one batch decides by."""

    snapshot: Snapshot
    policy: Policy

    def queued_for(self, now: datetime) -> str:
        """By what waiting leads stand in their queues: network, policy and opening, an older one a lesser text."""
        opening = self.snapshot.last_opening(now)
        opened = f"{opening.astimezone(UTC):%Y%m%dT%H%M}" if opening else ""
        return f"{self.snapshot.revision:010}.{self.policy.version:010}.{opened}"


class NoPolicy(Exception):  # noqa: N818 - it names a state
    """No policy was ever published: nothing can be decided, so nothing is read from Kafka."""


class Reload:
    """Holds the current `InEffect` of one router process."""

    def __init__(self, pool: Pool, metrics: RouterMetrics) -> None:
        self._pool = pool
        self._metrics = metrics
        self._in_effect: InEffect | None = None
        self._refreshing = asyncio.Lock()
        self.wake = asyncio.Event()
        """Set it to have `run` look at once."""

    def __call__(self) -> InEffect:
        """What is in effect now. Raises NoPolicy before the first successful `refresh`."""
        if self._in_effect is None:
            raise NoPolicy
        return self._in_effect

    @property
    def is_ready(self) -> bool:
        """Whether there is a policy to decide by."""
        return self._in_effect is not None

    async def refresh(self) -> bool:
        """Take over what is newest in PostgreSQL; returns whether anything changed.

        A network is not needed to start (leads wait then); a policy is.
        """
        async with self._refreshing:
            held = self._in_effect
            async with acquire(self._pool) as connection:
                newest = await db.current(connection)
                is_new_network = held is None or newest.revision != held.snapshot.revision
                is_new_policy = held is None or newest.version != held.policy.version
                # By their numbers: what takes effect between the statements would be paired with what it replaces.
                has_network, has_policy = newest.revision > 0, newest.version > 0
                revision = await db.revision(connection, newest.revision) if is_new_network and has_network else None
                policy = await db.policy(connection, newest.version) if is_new_policy and has_policy else None
            if (held is None and policy is None) or not (is_new_network or is_new_policy):
                return False
            built = await asyncio.to_thread(_build, held, revision, policy)
            self._in_effect = built
            self._metrics.network_revision.set(built.snapshot.revision)
            self._metrics.policy_version.set(built.policy.version)
            get_logger().info(
                "router.in_effect",
                network_revision=built.snapshot.revision,
                sites=len(built.snapshot.sites),
                policy_version=built.policy.version,
            )
            return True

    async def wait_until_ready(self, stop: asyncio.Event, every_s: float) -> None:
        """Return when there is a policy, or when `stop` is set."""
        log = get_logger()
        while not stop.is_set():
            try:
                await self.refresh()
            except (PostgresUnavailable, OSError, TimeoutError) as error:
                log.warning("router.waits_for_postgres", error=type(error).__name__)
            if self.is_ready:
                return
            log.warning("router.waits_for_policy", hint="publish one with `waypost policy publish FILE`")
            await sleep_or_stop(stop, min(every_s, 2.0))

    async def run(self, stop: asyncio.Event, every_s: float) -> None:
        """Look again every `every_s` seconds and whenever woken, until `stop`."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                waking = asyncio.create_task(self.wake.wait())
                await asyncio.wait({stopping, waking}, timeout=every_s, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                self.wake.clear()
                try:
                    await self.refresh()
                except (PostgresUnavailable, OSError, TimeoutError) as error:
                    get_logger().warning("router.reload_failed", error=type(error).__name__)
        finally:
            stopping.cancel()


def _build(held: InEffect | None, revision: Revision | None, published: PublishedPolicy | None) -> InEffect:
    if published is not None:
        policy = Policy.from_toml(published.toml, published.version)
    elif held is not None:
        policy = held.policy
    else:
        raise NoPolicy
    if revision is not None:
        snapshot = Snapshot.build(sites_of(revision), revision.revision)
    else:
        snapshot = held.snapshot if held else Snapshot.build((), 0)
    return InEffect(snapshot.warm(policy.tree_keys()), policy)
