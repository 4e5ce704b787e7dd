"""Deciding a window again: read it in chunks beside its inputs, judge every decision, count the verdicts.

Nothing here can write, publish or move an offset: replay has a read-only connection and no producer.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple
from uuid import UUID

import orjson

from services.audit.db import deciding
from services.audit.db.deciding import WHOLE, Published, Share
from services.audit.db.reader import Window
from services.audit.domain.comparison import Finding, Verdict, difference
from services.audit.domain.judgement import CAUSED_BY, Case, Question, Revisions, ask_again, examine, trusted
from services.audit.domain.labels import data_bytes
from services.audit.domain.report import ReplayReport
from services.audit.freshness import Patience
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from shared.contracts import LEADS_DECIDED, NETWORK_CHANGED, POLICIES_PUBLISHED, Cause, LeadDecided
from shared.postgres import Connection

OnProgress = Callable[[int], None]
"""Called with the number of decisions just judged."""


class Read(NamedTuple):
    """A published decision and what it says."""

    published: Published
    recorded: LeadDecided


async def replay(
    connection: Connection,
    window: Window,
    *,
    topic: str | None,
    chunk: int,
    patience: Patience,
    on_progress: OnProgress,
    share: Share = WHOLE,
) -> ReplayReport:
    """Judge every decision of the window (by `decided_at`), or only those that facts of `topic` caused.

    A router keeps a decision before it publishes it, and one that died in between publishes it when it is back. What
    is kept and not published yet is waited for with `patience`, and then judged like the rest.
    """
    report = ReplayReport()
    everything = topic is None and share.first
    async with _one_moment(connection):
        judge = await _Judge.at_work(connection, window, topic, report)
        async for rows in deciding.published(connection, window, chunk, share):
            await judge.look_at(rows)
            on_progress(len(rows))
        unpublished = await deciding.unpublished(connection, window) if everything else []
    while unpublished and await patience.pause():
        async with _one_moment(connection):
            still = await deciding.unpublished(connection, window)
            if arrived := sorted(set(unpublished).difference(still)):
                judge = await _Judge.at_work(connection, window, topic, report)
                await judge.look_at(await deciding.published_of(connection, arrived))
        on_progress(len(arrived))
        unpublished = still
    for lead_id, epoch in unpublished:
        report.add(Finding(Verdict.MISSING, lead_id, epoch, "leads.decided", "kept by the router, not published"))
    return report


def _one_moment(connection: Connection) -> AbstractAsyncContextManager[None]:
    """The router's rows and the ledger as both were at one time."""
    transaction: AbstractAsyncContextManager[None] = connection.transaction(isolation="repeatable_read", readonly=True)
    return transaction


class _Judge:
    """Judges what was published against its row, its cause and its past, as far as one transaction sees them."""

    def __init__(
        self,
        connection: Connection,
        topic: str | None,
        report: ReplayReport,
        library: "_Library",
        repeated: set[tuple[UUID, int]],
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._report = report
        self._library = library
        self._repeated = repeated
        self._first_seen: dict[tuple[UUID, int], bytes] = {}

    @classmethod
    async def at_work(cls, connection: Connection, window: Window, topic: str | None, report: ReplayReport) -> "_Judge":
        """With what it needs of the whole window."""
        library = _Library(connection, await _announced(connection))
        return cls(connection, topic, report, library, await deciding.repeated(connection, window))

    async def look_at(self, rows: Sequence[Published]) -> None:
        """Judge these decisions."""
        report = self._report
        read = [one for one in _readable(rows, report) if self._topic in (None, CAUSED_BY[one.recorded.cause])]
        once = list(_without_repeats(read, self._repeated, self._first_seen, report))
        questions = []
        for case, recorded in await _cases(self._connection, once):
            found = examine(case, recorded, await self._library.holding(recorded, report))
            if isinstance(found, Question):
                questions.append(found)
            else:
                report.add(found)
        for finding in ask_again(questions):
            if finding is None:
                report.same()
            else:
                report.add(finding)


def _readable(rows: Sequence[Published], report: ReplayReport) -> Iterator[Read]:
    for row in rows:
        try:
            yield Read(row, LEADS_DECIDED.read(row.value).data)
        except ValueError:
            report.add(Finding(Verdict.EXTRA, row.lead_id, row.epoch, "data", "the record is no decided fact"))


def _without_repeats(
    read: Iterable[Read],
    repeated: set[tuple[UUID, int]],
    first_seen: dict[tuple[UUID, int], bytes],
    report: ReplayReport,
) -> Iterator[Read]:
    """Each decision once. Published again with the same content it is a redelivery, with other content a second one."""
    for one in read:
        decision = (one.published.lead_id, one.published.epoch)
        if decision in repeated:
            data = data_bytes(one.published.value)
            before = first_seen.setdefault(decision, data)
            if before is not data:
                if before != data:
                    where, first, second = difference(before, data)
                    detail = f"published twice: first {first}, then {second}"
                    report.add(Finding(Verdict.EXTRA, *decision, where, detail))
                continue
        yield one


async def _cases(connection: Connection, read: Sequence[Read]) -> list[tuple[Case, LeadDecided]]:
    """Each decision beside its row, its lead, its cause and its past: five reads for the whole chunk."""
    leads = [one.published.lead_id for one in read]
    rows = await deciding.rows_of(connection, leads, [one.published.epoch for one in read])
    received = await deciding.received(connection, leads)
    later = [one for one in read if one.published.epoch > 1 or one.recorded.cause is not Cause.RECEIVED]
    causes = await deciding.causes(connection, [one.recorded.cause_id for one in later]) if later else {}
    history = await deciding.history(connection, [one.published.lead_id for one in later]) if later else {}
    cases = []
    for (lead_id, epoch, fact_id, value), recorded in read:
        past = history.get(lead_id, {}) if epoch > 1 else {}
        previous = [record for number, record in past.items() if number < epoch]
        row = rows.get((lead_id, epoch))
        cause = causes.get(recorded.cause_id)
        cases.append((Case(lead_id, epoch, fact_id, value, row, received.get(lead_id), cause, previous), recorded))
    return cases


class _Announced(NamedTuple):
    """Digests by number, as the published facts say."""

    networks: dict[int, str]
    policies: dict[int, str]


async def _announced(connection: Connection) -> _Announced:
    announced = _Announced({}, {})
    for topic, value in await deciding.revision_facts(connection):
        try:
            if topic == NETWORK_CHANGED.name:
                network = NETWORK_CHANGED.read(value).data
                announced.networks.setdefault(network.revision, network.digest)
            else:
                policy = POLICIES_PUBLISHED.read(value).data
                announced.policies.setdefault(policy.version, policy.digest)
        except ValueError:
            # Poison announces nothing; a revision that only it could have announced is reported as unannounced.
            continue
    return announced


class _Library:
    """Every network and policy that the window needs, opened once and checked against the fact that announced it."""

    def __init__(self, connection: Connection, announced: _Announced) -> None:
        self._connection = connection
        self._announced = announced
        self._revisions = Revisions()

    async def holding(self, recorded: LeadDecided, report: ReplayReport) -> Revisions:
        """Revisions with those in it that `recorded` names; one that is not as announced is reported once."""
        revision, version = recorded.network_revision, recorded.policy_version
        if revision not in self._revisions.networks:
            network = await self._network(revision)
            self._revisions.networks[revision] = network
            if isinstance(network, str):
                report.add(Finding(Verdict.TAMPERED, None, None, f"router.network_revisions {revision}", network))
        if version not in self._revisions.policies:
            policy = await self._policy(version)
            self._revisions.policies[version] = policy
            if isinstance(policy, str):
                report.add(Finding(Verdict.TAMPERED, None, None, f"router.policies {version}", policy))
        return self._revisions

    async def _network(self, revision: int) -> Snapshot | str:
        if revision == 0:  # before the first import there is a network without sites, which nobody announces
            return Snapshot.build((), 0)
        kept = await deciding.network_revision(self._connection, revision)
        if kept is None:
            return "there is no such row"
        try:
            snapshot = Snapshot.build([Site.from_row(row) for row in orjson.loads(kept)], revision)
        except (ValueError, LookupError, TypeError) as error:
            return f"its sites cannot be read ({type(error).__name__})"
        return trusted(self._announced.networks, revision, snapshot.digest) or snapshot

    async def _policy(self, version: int) -> Policy | str:
        toml = await deciding.policy_version(self._connection, version)
        if toml is None:
            return "there is no such row"
        problem = trusted(self._announced.policies, version, hashlib.sha256(toml.encode()).hexdigest())
        if problem:
            return problem
        try:
            return Policy.from_toml(toml, version)
        except (ValueError, LookupError, TypeError) as error:
            return f"it cannot be read ({type(error).__name__})"
