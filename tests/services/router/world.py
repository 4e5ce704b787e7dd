"""Routers on the real Kafka and PostgreSQL, driven record by record, with a clock that tests set."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from services.router import network, policies
from services.router.handlers import LeadHandler
from services.router.main import SESSION
from services.router.metrics import RouterMetrics
from services.router.reload import Reload
from services.router.settings import RouterSettings
from services.router.snapshot import Site
from services.router.timers import Timers
from services.router.travel.opening import open_travel_times
from services.router.vacancies import Vacancies
from shared.contracts import (
    LEADS_ANSWERED,
    LEADS_DECIDED,
    LEADS_ORDERED,
    LEADS_RECEIVED,
    PEOPLE_ERASED,
    Answer,
    Fact,
    LeadAnswered,
    LeadDecided,
    LeadOrdered,
    PersonErased,
    Place,
    Result,
    Topic,
    derived_id,
)
from shared.kafka import DeadLetters, Producer, Record
from shared.postgres import Pool, open_pool
from shared.tracing import Tracing
from shared.vocabulary import Intent
from tests.services.router.networks import DEFAULT_POLICY, NOW, as_fact, lead

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EMPTIED = (
    "router.decisions, router.leads, router.site_loads, router.site_days, router.network_revisions, router.policies, "
    "router.partner_months, router.site_queues, "
    "router.announcements, router.changes, router.operators"
)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@dataclass(frozen=True)
class Router:
    """The parts of one router process."""

    handler: LeadHandler
    reload: Reload
    timers: Timers
    vacancies: Vacancies
    pool: Pool
    registry: CollectorRegistry

    async def handle(self, *records: Record) -> None:
        """One poll."""
        await self.handler(list(records))

    def counted(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(name, labels) or 0.0


@dataclass
class World:
    """One installation: a network, a policy, and as many routers as a test opens."""

    settings: RouterSettings
    pool: Pool
    db: "asyncpg.Connection[asyncpg.Record]"
    clock: Clock = field(default_factory=Clock)

    async def set_up(self, *sites: Site, policy: str = DEFAULT_POLICY) -> None:
        """Nothing but this network and this policy."""
        await self.db.execute(f"TRUNCATE {EMPTIED}")
        await network.apply(self.pool, sites, NOW)
        await policies.publish(self.pool, policy, NOW)

    @asynccontextmanager
    async def router(self, clock: Clock | None = None) -> AsyncIterator[Router]:
        """A router with its own pool and producer, as a process has them; its clock is the world's, or its own."""
        clock = clock or self.clock
        registry = CollectorRegistry()
        metrics = RouterMetrics(registry)
        async with (
            open_pool(self.settings, "router", server_settings=SESSION) as pool,
            Producer(self.settings, "router") as producer,
            Tracing(self.settings, "router") as tracing,
            open_travel_times(self.settings, registry) as travel,
        ):
            reload, vacancies = Reload(pool, metrics), Vacancies()
            await reload.refresh()
            dead_letters = DeadLetters(producer, "router")
            handler = LeadHandler(
                pool, producer, dead_letters, reload, self.settings, metrics, clock, tracing, travel, vacancies
            )
            timers = Timers(pool, producer, reload, self.settings, metrics, clock, tracing, vacancies)
            yield Router(handler, reload, timers, vacancies, pool, registry)

    async def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """What PostgreSQL has, as tuples."""
        return [tuple(row) for row in await self.db.fetch(query, *arguments)]

    async def holders(self) -> dict[int, tuple[str, str | None, int]]:
        """State, site and epoch of every lead, by its number."""
        rows = await self.rows("SELECT lead_id, state, site_id, epoch FROM router.leads")
        return {lead_id.int: (state, site_id, epoch) for lead_id, state, site_id, epoch in rows}

    async def loads(self) -> dict[str, int]:
        """Leads held by each site that holds any."""
        return dict(await self.rows("SELECT site_id, held FROM router.site_loads WHERE held > 0"))

    async def published(self, topic: Topic[Any], *, of_lead: int | None = None) -> list[bytes]:
        """All values on a topic (of one lead, in their order)."""
        key = None if of_lead is None else str(UUID(int=of_lead)).encode()
        return [value for found, value in await read_all(self.settings, topic) if key in (None, found)]

    async def decided(self, number: int) -> list[LeadDecided]:
        """What Kafka says was decided about a lead, each decision once, in order of epochs."""
        found = {value: LEADS_DECIDED.read(value).data for value in await self.published(LEADS_DECIDED, of_lead=number)}
        return sorted(found.values(), key=lambda decision: decision.epoch)


async def read_all(settings: RouterSettings, topic: Topic[Any]) -> list[tuple[bytes, bytes]]:
    """Keys and values of everything that a topic holds now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        name = settings.topic_prefix + topic.name
        partitions = [TopicPartition(name, number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[tuple[bytes, bytes]] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(record.key, record.value) for record in records]
        return found
    finally:
        await consumer.stop()


def received_record(
    number: int,
    point: tuple[float, float] | None = (31.3, 120.6),
    *,
    intent: Intent = Intent.PURCHASE,
    person: int | None = None,
    preferred: str | None = None,
    vehicle: str = "",
    at: datetime = NOW,
) -> Record:
    """Lead `number` arrives."""
    features = lead(number, point, intent=intent, person=person, preferred=preferred, vehicle=vehicle)
    features = features._replace(received_at=at)
    data = as_fact(features)
    return _record(
        LEADS_RECEIVED.name,
        features.lead_id,
        LEADS_RECEIVED.fact(
            data,
            id=derived_id("received", number),
            source="lead_intake",
            subject=features.lead_id,
            time=at,
            traceparent=TRACE,
        ),
    )


def answered_record(
    number: int, epoch: int, site_id: str, answer: Answer, *, result: Result | None = None, at: datetime = NOW
) -> Record:
    """A site answers the assignment of an epoch."""
    lead_id = UUID(int=number)
    data = LeadAnswered(
        lead_id=lead_id, epoch=epoch, site_id=site_id, answer=answer, result=result, answered_at=at, via="inbox"
    )
    return _record(
        LEADS_ANSWERED.name,
        str(lead_id),
        LEADS_ANSWERED.fact(
            data,
            id=derived_id("answered", number, epoch, site_id, answer.value),
            source="store_notifier",
            subject=str(lead_id),
            time=at,
        ),
    )


def ordered_record(
    number: int,
    epoch: int,
    site_id: str | None = None,
    place: Place | None = None,
    *,
    result: Result | None = None,
    at: datetime = NOW,
) -> Record:
    """An operator's order for a lead at an epoch."""
    lead_id = UUID(int=number)
    data = LeadOrdered(
        lead_id=lead_id, epoch=epoch, site_id=site_id, place=place, result=result, ordered_by="mei", ordered_at=at
    )
    fact = LEADS_ORDERED.fact(
        data,
        id=derived_id("ordered", number, epoch, site_id, at),
        source="router",
        subject=str(lead_id),
        time=at,
        traceparent=TRACE,
    )
    return _record(LEADS_ORDERED.name, str(lead_id), fact)


def erased_record(person: int, *numbers: int) -> Record:
    """A person is erased, with these leads."""
    data = PersonErased(
        person_id=UUID(int=person), lead_ids=tuple(UUID(int=number) for number in numbers), erased_at=NOW
    )
    fact = PEOPLE_ERASED.fact(
        data, id=derived_id("erased", person), source="lead_intake", subject=str(data.person_id), time=NOW
    )
    return _record(PEOPLE_ERASED.name, str(data.person_id), fact)


def as_records(topic: Topic[Any], values: Iterable[bytes]) -> list[Record]:
    """What a consumer would be given of these values."""
    return [Record(topic.name, 0, offset, b"", value, 0) for offset, value in enumerate(values)]


def in_minutes(minutes: float) -> datetime:
    """So long after the tests' beginning of time."""
    return NOW + timedelta(minutes=minutes)


def _record(topic: str, key: str, fact: Fact[Any]) -> Record:
    return Record(topic, 0, 0, key.encode(), fact.to_bytes(), 0)


def numbers(decisions: Sequence[LeadDecided]) -> list[tuple[int, str, str | None]]:
    """Epoch, outcome and site of each decision, for a story's last line."""
    return [(one.epoch, one.outcome, getattr(one, "site_id", None)) for one in decisions]
