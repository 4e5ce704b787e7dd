"""A small network whose past is written by the real engine, into the owners' tables and the ledger."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.audit.handlers import Appended, record_batch
from services.router.db.recording import forget_erased, remember_erased
from services.router.domain import (
    NEW,
    Answered,
    Ask,
    Decided,
    Due,
    Erased,
    LeadFeatures,
    LeadLedger,
    Ordered,
    Received,
    decide_batch,
)
from services.router.emission import decided_fact
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.contracts import (
    LEADS_ANSWERED,
    LEADS_DUE,
    LEADS_ORDERED,
    LEADS_RECEIVED,
    NETWORK_CHANGED,
    PEOPLE_ERASED,
    POLICIES_PUBLISHED,
    Answer,
    DeclineReason,
    LeadAnswered,
    LeadDue,
    LeadOrdered,
    LeadReceived,
    NetworkChanged,
    PersonErased,
    Place,
    PolicyPublished,
    Result,
    Topic,
    derived_id,
)
from shared.kafka import Record, partition_of
from shared.vocabulary import Accuracy, Channel, Datum, Intent
from tests.services.audit.places import POLICY, SITES, START, record_of


class World:
    """What intake, the router and Kafka did, without their processes."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._db = connection
        self._ends: dict[tuple[str, int], int] = defaultdict(int)
        self._loads: dict[str, int] = defaultdict(int)
        self._rows: dict[UUID, LeadLedger] = {}
        self._leads: dict[UUID, LeadReceived] = {}
        self._points: dict[UUID, tuple[float, float]] = {}
        self._number = 0
        self.snapshot = Snapshot.build(SITES, 1)
        self.policy = Policy.from_toml(POLICY, 1)

    # -- what operators did

    async def open_network(self) -> None:
        """Network revision 1 and policy version 1, written and announced."""
        rows = orjson.dumps([one.to_row() for one in self.snapshot.sites]).decode()
        await self._db.execute(
            "INSERT INTO router.network_revisions VALUES (1, $1, $2, $3)", self.snapshot.digest, rows, START
        )
        await self._db.execute("INSERT INTO router.policies VALUES (1, $1, $2, $3)", self.policy.digest, POLICY, START)
        await self.announce(self.snapshot.digest)
        published = PolicyPublished(version=1, digest=self.policy.digest, published_at=START)
        await self.publish(POLICIES_PUBLISHED, b"policy", published, "policy-1", START)

    async def publish_policy(self, toml: str) -> None:
        """Policy version 2, written and announced; what is decided from now on is decided by it."""
        self.policy = Policy.from_toml(toml, 2)
        await self._db.execute("INSERT INTO router.policies VALUES (2, $1, $2, $3)", self.policy.digest, toml, START)
        published = PolicyPublished(version=2, digest=self.policy.digest, published_at=START)
        await self.publish(POLICIES_PUBLISHED, b"policy", published, "policy-2", START)

    async def announce(self, digest: str) -> None:
        """Say on Kafka that revision 1 has this digest."""
        changed = NetworkChanged(revision=1, digest=digest, sites=3, added=3, changed=0, removed=0, changed_at=START)
        await self.publish(NETWORK_CHANGED, b"network", changed, f"network-{digest}", START)

    # -- what happened to leads

    async def accept(self, *, lat: float = 31.301, intent: Intent = Intent.PURCHASE, at: datetime = START) -> UUID:
        """Intake takes a lead; its fact is not published."""
        self._number += 1
        lead_id = derived_id("test-lead", id(self), self._number)
        lead = LeadReceived(
            lead_id=lead_id,
            person_id=derived_id("test-person", lead_id),
            intent=intent,
            place=Place(lat=lat, lon=120.6, accuracy=Accuracy.POINT, given_datum=Datum.WGS84),
            source="website",
            channel=Channel.FORM,
            consent_version="2026-01",
            consent_at=at,
            received_at=at,
        )
        self._leads[lead_id] = lead
        await self._db.execute(
            """INSERT INTO lead_intake.leads (lead_id, person_id, intent, source, channel, received_at)
               VALUES ($1, $2, $3, 'website', 'form', $4)""",
            lead_id,
            lead.person_id,
            intent.value,
            at,
        )
        return lead_id

    async def publish_received(self, lead_id: UUID) -> UUID:
        """Intake's relay publishes the lead; the fact's id."""
        lead = self._leads[lead_id]
        return await self.publish(LEADS_RECEIVED, str(lead_id).encode(), lead, f"received-{lead_id}", lead.received_at)

    async def receive(self, *, lat: float = 31.301, at: datetime = START, intent: Intent = Intent.PURCHASE) -> UUID:
        """A lead is accepted, published and decided."""
        lead_id = await self.accept(lat=lat, at=at, intent=intent)
        fact_id = await self.publish_received(lead_id)
        await self.decide(lead_id, Received(str(fact_id)), at + timedelta(milliseconds=9))
        return lead_id

    async def decline(self, lead_id: UUID, at: datetime) -> None:
        """The holder declines, and the router decides the next epoch."""
        await self._answer(lead_id, at, Answer.DECLINED, decline_reason=DeclineReason.NO_STAFF)

    async def accepted_by_holder(self, lead_id: UUID, at: datetime) -> None:
        """The holder accepts."""
        await self._answer(lead_id, at, Answer.ACCEPTED)

    async def report(self, lead_id: UUID, at: datetime, result: Result) -> None:
        """The site that accepted says what became of the lead."""
        await self._answer(lead_id, at, Answer.OUTCOME, result=result)

    async def erase(self, lead_id: UUID, at: datetime) -> UUID:
        """The lead's person is erased; of a lead that did not arrive yet the router only notes it. The fact's id."""
        person_id = self._leads[lead_id].person_id
        erased = PersonErased(person_id=person_id, lead_ids=(lead_id,), erased_at=at)
        fact_id = await self.publish(PEOPLE_ERASED, str(person_id).encode(), erased, f"erased-{person_id}", at)
        if lead_id in self._rows:
            await self.decide(lead_id, Erased(str(fact_id)), at + timedelta(milliseconds=20))
        else:
            async with self._as("router"):
                await remember_erased(self._db, [str(lead_id)], [str(person_id)], [str(fact_id)], at)
        return fact_id

    async def arrive_erased(self, lead_id: UUID, erased_by: UUID, now: datetime) -> Decided:
        """The lead that was erased before it arrived does arrive, and is closed at once."""
        await self.publish_received(lead_id)
        async with self._as("router"):
            await forget_erased(self._db, [str(lead_id)])
        return await self.decide(lead_id, Erased(str(erased_by)), now)

    async def stay_silent(self, lead_id: UUID) -> None:
        """The time to answer passes."""
        row = self._rows[lead_id]
        assert row.respond_by is not None
        due = LeadDue(lead_id=lead_id, epoch=row.epoch, due="respond_by", due_at=row.respond_by)
        at = row.respond_by + timedelta(milliseconds=500)
        fact_id = await self.publish(LEADS_DUE, str(lead_id).encode(), due, f"due-{lead_id}-{row.epoch}", at)
        await self.decide(lead_id, Due.of(str(fact_id), due), at)

    async def order(
        self,
        lead_id: UUID,
        at: datetime,
        site_id: str | None = None,
        lat: float | None = None,
        *,
        result: Result | None = None,
        hide: bool = False,
    ) -> Decided:
        """An operator names a site, a place or a result, or has the lead tried again; `hide`: nothing is published."""
        place = None if lat is None else Place(lat=lat, lon=120.6, accuracy=Accuracy.POINT, given_datum=Datum.BD09)
        epoch = self._rows[lead_id].epoch
        said = LeadOrdered(
            lead_id=lead_id, epoch=epoch, site_id=site_id, place=place, result=result, ordered_by="mei", ordered_at=at
        )
        cause = f"order-{lead_id}-{epoch}"
        fact_id = (
            derived_id(cause) if hide else await self.publish(LEADS_ORDERED, str(lead_id).encode(), said, cause, at)
        )
        return await self.decide(lead_id, Ordered.of(str(fact_id), said), at + timedelta(seconds=1))

    async def _answer(self, lead_id: UUID, at: datetime, answer: Answer, **said: Any) -> None:
        row = self._rows[lead_id]
        fact = LeadAnswered(
            lead_id=lead_id,
            epoch=row.assignment_epoch,
            site_id=row.site_id,
            answer=answer,
            answered_at=at,
            via="inbox",
            **said,
        )
        cause = f"answer-{lead_id}-{row.epoch}"
        fact_id = await self.publish(LEADS_ANSWERED, str(lead_id).encode(), fact, cause, at)
        await self.decide(lead_id, Answered.of(str(fact_id), fact), at + timedelta(milliseconds=20))

    # -- what the router did

    async def decide(self, lead_id: UUID, stimulus: Any, now: datetime, *, publish: bool = True) -> Decided:
        """The real engine decides; its row is written and its fact published."""
        lead = self._leads[lead_id]
        features = LeadFeatures.of(lead)
        features = features._replace(point=self._points.get(lead_id, features.point))
        ask = Ask(features, self._rows.get(lead_id, NEW), stimulus)
        [decided] = decide_batch([ask], self.snapshot, self.policy, self._loads, now)
        assert isinstance(decided, Decided)
        for site_id, change in decided.deltas:
            self._loads[site_id] += change
        self._rows[lead_id] = decided.after
        if decided.point is not None:
            self._points[lead_id] = decided.point
        await self._write(lead, decided, now)
        if publish:
            key, value = decided_fact(decided.decision_id, decided.lead_id, now, None, decided.record)
            await self.append("leads.decided", key, value)
        return decided

    async def _write(self, lead: LeadReceived, decided: Decided, now: datetime) -> None:
        said = orjson.loads(decided.record)
        await self._db.execute(
            """INSERT INTO router.decisions (lead_id, epoch, decision_id, outcome, site_id, decided_at,
                                             network_revision, policy_version, cause_id, record)
               VALUES ($1, $2, $3, $4, $5, $6, $9, $10, $7, $8)""",
            lead.lead_id,
            decided.epoch,
            UUID(decided.decision_id),
            decided.outcome,
            said.get("site_id"),
            now,
            UUID(said["cause_id"]),
            decided.record.decode(),
            self.snapshot.revision,
            self.policy.version,
        )
        await self._db.execute(
            """INSERT INTO router.leads (lead_id, person_id, epoch, state, live, network_revision, policy_version,
                                         received_at, changed_at)
               VALUES ($1, $2, $3, $4, false, 1, 1, $5, $6)
               ON CONFLICT (lead_id) DO UPDATE SET epoch = excluded.epoch, state = excluded.state""",
            lead.lead_id,
            lead.person_id,
            decided.epoch,
            decided.after.state,
            lead.received_at,
            now,
        )

    # -- what Kafka and audit did

    async def publish(self, topic: Topic[Any], key: bytes, data: Any, cause: str, at: datetime) -> UUID:
        """Publish a fact and have audit read it; the fact's id derives from `cause`."""
        fact_id = derived_id(cause)
        fact = topic.fact(data, id=fact_id, source="test", subject=key.decode(), time=at)
        await self.append(topic.name, key, fact.to_bytes())
        return fact_id

    async def append(self, topic: str, key: bytes, value: bytes) -> Record:
        """Give one record the next offset of its partition, and to audit."""
        partition = partition_of(key, 12) if topic.startswith("leads.") and not topic.endswith(".dead") else 0
        record = record_of(topic, key, value, partition=partition, offset=self._ends[topic, partition])
        self._ends[topic, partition] += 1
        await self.hand_over([record])
        return record

    async def hand_over(self, records: Sequence[Record]) -> Appended:
        """One batch through audit's own handler, as the role it runs under."""
        async with self._as("audit"):
            return await record_batch(self._db, records)

    @asynccontextmanager
    async def _as(self, service: str) -> AsyncIterator[None]:
        async with self._db.transaction():
            await self._db.execute(f"SET LOCAL ROLE waypost_{service}")
            await self._db.execute(f"SET LOCAL search_path TO {service}")
            yield

    async def tamper(self, statement: str, *arguments: object) -> str:
        """What somebody with the database's password could do; triggers do not stop them."""
        async with self._db.transaction():
            await self._db.execute("SET LOCAL session_replication_role = replica")
            return await self._db.execute(statement, *arguments)
