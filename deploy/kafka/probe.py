"""Questions to a Kafka cluster that the local stack must have answered before anybody uses it."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.errors import UserError

T = TypeVar("T")
REQUEST_TIMEOUT_MS = 5_000
BETWEEN_TRIES_S = 0.1


@dataclass(frozen=True)
class ClusterView:
    """What a broker says about its cluster."""

    cluster_id: str
    broker_ids: frozenset[int]


async def describe(bootstrap: str) -> ClusterView:
    """Ask the first broker that answers. Raises KafkaError or OSError when none does."""
    async with _admin(bootstrap) as admin:
        cluster = await admin.describe_cluster()
    return ClusterView(cluster["cluster_id"], frozenset(broker["node_id"] for broker in cluster["brokers"]))


async def wait_for_coordinator(bootstrap: str, timeout_s: float = 30.0) -> None:
    """Return once consumer groups work.

    The first group of a new cluster makes it create `__consumer_offsets`; until that has leaders, every consumer is
    told GroupCoordinatorNotAvailable. Raises UserError when it takes longer than the time.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        try:
            async with _admin(bootstrap) as admin:
                await admin.find_coordinator("waypost-probe")
                return
        except (KafkaError, OSError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise UserError(
                    f"Kafka at {bootstrap} has no group coordinator after {timeout_s:.0f} s: {error!r}",
                    "look at the broker's log; `waypost doctor` checks the rest",
                ) from error
        await asyncio.sleep(BETWEEN_TRIES_S)


def run_apart(question: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop and thread of its own, so that blocking code may ask whether or not a loop is running."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(asyncio.run(question))
        except BaseException as error:  # noqa: BLE001 - handed to the caller below
            errors.append(error)

    thread = threading.Thread(target=ask, name="waypost-probe")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


@contextlib.asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
