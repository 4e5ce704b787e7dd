"""The audit of a router that really ran: its facts, its rows, its revisions, and one row that somebody altered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr

from deploy.local import Stack
from services.audit.count import CountReport, count
from services.audit.db.reader import Window, open_reader
from services.audit.domain.comparison import Verdict
from services.audit.domain.moves import Standing
from services.audit.domain.report import ReplayReport
from services.audit.freshness import Patience
from services.audit.main import main as audit
from services.audit.replay import replay
from services.audit.settings import AuditSettings
from services.audit.verify import verify
from services.router import network, policies
from services.router.barriers import Point
from services.router.default_policy import default_policy_text
from services.router.main import main as router
from services.router.ordering.orders import Giver, Wish, give_order
from services.router.settings import RouterSettings
from shared.contracts import (
    LEADS_ANSWERED,
    LEADS_DECIDED,
    LEADS_RECEIVED,
    Answer,
    DeclineReason,
    LeadAnswered,
    LeadAssigned,
    LeadReceived,
    Measure,
    Place,
    derived_id,
)
from shared.kafka import Producer, apply_topics
from shared.postgres import Connection, open_pool
from shared.vocabulary import Accuracy, Channel, Datum, Intent
from tests.services.audit.places import SITES
from tests.services.router.travel.engine import fake_engine

LEADS = 200
IN_TIME_S = 60.0


def lead(number: int, at: datetime) -> LeadReceived:
    """Around the three sites; every tenth person asks twice, every twentieth lead is far from everything."""
    person = number - 1 if number % 10 == 1 else number
    lat = 25.0 if number % 20 == 7 else round(31.28 + (number % 50) / 400, 4)
    return LeadReceived(
        lead_id=derived_id("routed-lead", number),
        person_id=derived_id("routed-person", person),
        intent=Intent.PURCHASE,
        place=Place(lat=lat, lon=120.6, accuracy=Accuracy.POINT, given_datum=Datum.WGS84),
        source="website",
        channel=Channel.FORM,
        consent_version="2026-01",
        consent_at=at,
        received_at=at,
    )


@pytest.fixture
async def live(stack: Stack, migrated_dsn: str, topic_prefix: str, db: Connection) -> AsyncIterator[AuditSettings]:
    """A router and an audit at work on a network of three sites, with an engine that knows some of the roads."""
    kafka, postgres = stack.kafka_bootstrap, SecretStr(migrated_dsn)
    settings = AuditSettings(kafka=kafka, postgres=postgres, topic_prefix=topic_prefix, log_level="error")
    await apply_topics(settings)
    async with fake_engine(road) as engine:
        routing = RouterSettings(
            kafka=kafka, postgres=postgres, topic_prefix=topic_prefix, log_level="error", travel_url=engine.url,
            travel_timeout_ms=10_000,
        )  # fmt: skip
        async with open_pool(routing, "router") as pool:
            await policies.publish(pool, f"{default_policy_text()}\n[travel]\ncandidates = 3\n", datetime.now(UTC))
            await network.apply(pool, SITES, datetime.now(UTC))
        async with running(settings, routing):
            yield settings


def road(start: Point, end: Point) -> float | None:
    """The farther a site, the quicker; no road leads away from the north."""
    return None if start[0] > 31.38 else 3_600 - abs(start[0] - end[0]) * 6_000


@asynccontextmanager
async def running(settings: AuditSettings, routing: RouterSettings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    services = [asyncio.create_task(audit(settings, stop)), asyncio.create_task(router(routing, stop))]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*services)


async def accept(db: Connection, producer: Producer, leads: Sequence[LeadReceived]) -> None:
    """What intake does."""
    await db.executemany(
        """INSERT INTO lead_intake.leads (lead_id, person_id, intent, source, channel, received_at)
           VALUES ($1, $2, $3, 'website', 'form', $4)""",
        [(one.lead_id, one.person_id, one.intent.value, one.received_at) for one in leads],
    )
    facts = [
        LEADS_RECEIVED.fact(
            one, id=derived_id("received", one.lead_id), source="test", subject=str(one.lead_id), time=one.received_at
        )
        for one in leads
    ]
    await producer.publish(LEADS_RECEIVED.name, [(fact.subject.encode(), fact.to_bytes()) for fact in facts])


async def assignments(db: Connection, *, epoch: int, wanted: int) -> list[LeadAssigned]:
    """The assigned decisions of an epoch, once there are `wanted` decisions of it in the ledger."""
    async with asyncio.timeout(IN_TIME_S):
        while True:
            rows = await db.fetch(
                "SELECT value FROM audit.records WHERE topic = 'leads.decided' AND epoch = $1 ORDER BY lead_id", epoch
            )
            if len(rows) >= wanted:
                said = [LEADS_DECIDED.read(row["value"]).data for row in rows]
                return [one for one in said if isinstance(one, LeadAssigned)]
            await asyncio.sleep(0.1)


async def answer(producer: Producer, held: Sequence[LeadAssigned], said: Answer, at: datetime) -> None:
    """What the notifier publishes when stores answer."""
    facts = [
        LEADS_ANSWERED.fact(
            LeadAnswered(
                lead_id=one.lead_id,
                epoch=one.epoch,
                site_id=one.site_id,
                answer=said,
                decline_reason=DeclineReason.NO_STAFF if said is Answer.DECLINED else None,
                answered_at=at,
                via="webhook",
            ),
            id=derived_id("answer", one.lead_id, one.epoch),
            source="test",
            subject=str(one.lead_id),
            time=at,
        )
        for one in held
    ]
    await producer.publish(LEADS_ANSWERED.name, [(fact.subject.encode(), fact.to_bytes()) for fact in facts])


async def order_away(settings: AuditSettings, held: Sequence[LeadAssigned]) -> None:
    """What operators do who name another site."""
    async with open_pool(settings, "router", max_size=1) as pool:
        for one in held:
            site_id = "middle" if one.site_id == "far" else "far"
            giver, now = Giver("mei"), datetime.now(UTC)
            await give_order(pool, one.lead_id, giver, Wish(site_id), epoch=one.epoch, now=now)


async def judged(settings: AuditSettings, window: Window) -> tuple[CountReport, ReplayReport]:
    async with open_reader(settings) as connection:
        counted = await count(settings, connection, window, Patience(IN_TIME_S), lambda _: None)
        return counted, await replay(
            connection, window, topic=None, chunk=64, patience=Patience(IN_TIME_S), on_progress=lambda _: None
        )


async def test_what_the_router_did_adds_up_is_decided_again_to_the_byte_and_an_altered_row_is_named(
    live: AuditSettings, db: Connection
) -> None:
    began = datetime.now(UTC)
    window = Window(began - timedelta(minutes=1), began + timedelta(hours=1))
    leads = [lead(number, began) for number in range(LEADS)]

    # Leads arrive, some stores decline and some accept, and every answer is delivered twice; people move five.
    async with Producer(live, "test") as producer:
        await accept(db, producer, leads)
        held = await assignments(db, epoch=1, wanted=LEADS)
        assert {one.measure for one in held} == {Measure.TRAVEL_TIME, Measure.DISTANCE_FALLBACK}
        declined, accepted, ordered = held[0::3], held[1::3], held[2::3][:5]
        for _ in range(2):
            await answer(producer, declined, Answer.DECLINED, datetime.now(UTC))
            await answer(producer, accepted, Answer.ACCEPTED, datetime.now(UTC))
        await order_away(live, ordered)
        await assignments(db, epoch=2, wanted=len(declined) + len(accepted) + len(ordered))

    # Nobody is lost, and the engine decides every one of them again to the same bytes.
    counted, replayed = await judged(live, window)
    assert counted.equation.findings == {}
    assert counted.clean
    standing = {name: tally.count for name, tally in counted.equation.standing.items()}
    assert standing[Standing.JOINED] > 0
    assert standing[Standing.WAITING] > 0
    assert standing[Standing.CLOSED] == len(accepted)
    assert replayed.findings == []
    assert replayed.counts == Counter({Verdict.SAME: LEADS + len(declined) + len(accepted) + len(ordered)})

    # Somebody gives one lead to another site, in the database only.
    victim: UUID = declined[0].lead_id
    await tamper(db, "UPDATE router.decisions SET site_id = 'rival' WHERE lead_id = $1 AND epoch = 1", victim)
    _, replayed = await judged(live, window)
    [finding] = replayed.findings
    assert (finding.verdict, finding.lead_id, finding.epoch) == (Verdict.TAMPERED, victim, 1)
    assert finding.field == "router.decisions.site_id"

    # The ledger that says so has not been touched itself.
    async with open_reader(live) as connection:
        assert (await verify(connection, lambda _: None)).clean


async def tamper(db: Connection, statement: str, *arguments: object) -> None:
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(statement, *arguments)
