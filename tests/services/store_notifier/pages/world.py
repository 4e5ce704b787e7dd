"""A notifier's page that is really served: decisions enter as records of leads.decided, forms over HTTP."""

import asyncio
import itertools
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import aiohttp
import asyncpg
from prometheus_client import CollectorRegistry

from services.store_notifier import endpoints
from services.store_notifier.channels import inbox
from services.store_notifier.contacts import Contacts
from services.store_notifier.handlers import read, record_batch
from services.store_notifier.metrics import Metrics
from services.store_notifier.pages.live import LiveInboxes
from services.store_notifier.pages.routes import inbox_routes
from services.store_notifier.reminding import Reminders
from shared.contracts import (
    LEADS_ANSWERED,
    LEADS_DECIDED,
    LEADS_RECEIVED,
    Candidate,
    Cause,
    LeadAssigned,
    LeadDecided,
    LeadReceived,
    Vehicle,
    derived_id,
)
from shared.http_server import application, serve
from shared.kafka import Record
from shared.postgres import Pool, transact
from shared.settings import Settings
from shared.telemetry import get_logger
from shared.vocabulary import Channel, Intent
from tests.services.store_notifier.pages.intake import Intake

_sites = itertools.count(1)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Lead:
    """One assignment of a lead."""

    lead_id: UUID
    epoch: int
    site_id: str

    @property
    def anchor(self) -> str:
        return f"lead-{self.lead_id}-{self.epoch}"

    @property
    def path(self) -> str:
        return f"/inbox/{self.site_id}/leads/{self.lead_id}/{self.epoch}"


@dataclass(frozen=True)
class Site:
    """A site and the key of its inbox."""

    site_id: str
    key: str

    @property
    def path(self) -> str:
        return f"/inbox/{self.site_id}"


class World:
    """The database of a test module and the server that may be stopped and started again on its port."""

    def __init__(self, settings: Settings, pool: Pool, client: aiohttp.ClientSession, intake: Intake) -> None:
        self.settings = settings
        self.pool = pool
        self.client = client
        self.intake = intake
        self.live = LiveInboxes(settings, pool, get_logger())
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._stop = asyncio.Event()
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Serve the page, as the notifier's main does."""
        self._stop = asyncio.Event()
        self.live = LiveInboxes(self.settings, self.pool, get_logger())
        contacts = Contacts(self.client, self.intake.url, self.intake.secret, now)
        routes = inbox_routes(
            pool=self.pool,
            live=self.live,
            answer=inbox.answering(self.pool, Metrics(CollectorRegistry()), now),
            reveal=inbox.revealing(self.pool, contacts),
            now=now,
            random_bytes=secrets.token_bytes,
            zone=ZoneInfo("Asia/Shanghai"),
            secure_cookies=False,
            log=get_logger(),
        )
        self._running = [
            asyncio.create_task(self.live.run(self._stop)),
            asyncio.create_task(serve(application(routes), "127.0.0.1", self.port, self._stop, name="inbox")),
        ]
        await until_async(self._answers)

    async def stop(self) -> None:
        """Stop serving; raises TimeoutError when open pages hold it up."""
        self._stop.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*self._running)

    async def _answers(self) -> bool:
        try:
            async with self.client.get(f"{self.url}/inbox/any/login") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def open_site(self) -> Site:
        """A site of its own for the test, with an inbox key."""
        site_id = f"site-{next(_sites)}"
        return Site(site_id, await endpoints.add_inbox(self.pool, site_id, secrets.token_bytes, now()))

    async def assign(
        self,
        site: Site,
        *,
        intent: Intent = Intent.TEST_DRIVE,
        distance_m: int = 1240,
        minutes: float = 15,
        vehicle: Vehicle | None = None,
        reminded: bool = False,
    ) -> Lead:
        """The router gives a new lead to the site."""
        lead = Lead(uuid4(), 1, site.site_id)
        facts: list[Record] = []
        if vehicle is not None:
            facts.append(_received(lead, intent, vehicle))
        assigned = _assigned(lead, intent, distance_m, minutes, Cause.RECEIVED)
        facts.append(_decided(assigned.model_copy(update={"remind_at": now()} if reminded else {})))
        await self._read(facts)
        return lead

    async def remind(self) -> None:
        """The moment of every reminder that is due."""
        await Reminders(self.pool, Metrics(CollectorRegistry()), now).look(now())

    async def move_on(self, lead: Lead, cause: Cause = Cause.SILENT) -> Lead:
        """The router gives the lead to another site."""
        following = Lead(lead.lead_id, lead.epoch + 1, "another-site")
        await self._read([_decided(_assigned(following, Intent.TEST_DRIVE, 5000, 15, cause))])
        return following

    async def answered_facts(self, lead: Lead) -> list[str]:
        """What waits for Kafka (nothing takes it away here) as the site's answers to a lead."""
        rows = await self.pool.fetch(
            "SELECT value FROM outbox WHERE key = $1 AND topic = $2", str(lead.lead_id).encode(), LEADS_ANSWERED.name
        )
        return [LEADS_ANSWERED.read(row["value"]).data.answer for row in rows]

    async def as_superuser(self, statement: str) -> list[asyncpg.Record]:
        """Run what no service may."""
        connection = await asyncpg.connect(self.settings.require_postgres())
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    async def _read(self, records: list[Record]) -> None:
        batch = read(records)
        assert batch.dead == []
        await transact(self.pool, lambda connection: record_batch(connection, batch, now()))


def _assigned(lead: Lead, intent: Intent, distance_m: int, minutes: float, cause: Cause) -> LeadAssigned:
    return LeadAssigned(
        decision_id=derived_id("decision", lead.lead_id, lead.epoch),
        lead_id=lead.lead_id,
        epoch=lead.epoch,
        person_id=derived_id("person", lead.lead_id),
        intent=intent,
        cause=cause,
        cause_id=derived_id("cause", lead.lead_id, lead.epoch),
        received_at=now(),
        decided_at=now(),
        network_revision=1,
        policy_version=1,
        engine_version="1",
        site_id=lead.site_id,
        distance_m=distance_m,
        respond_by=now() + timedelta(minutes=minutes),
        candidates=(Candidate(site_id=lead.site_id, distance_m=distance_m, load=0),),
    )


def _decided(decision: LeadDecided) -> Record:
    fact = LEADS_DECIDED.fact(
        decision,
        id=decision.decision_id,
        source="router",
        subject=str(decision.lead_id),
        time=decision.decided_at,
    )
    return Record(LEADS_DECIDED.name, 0, 0, str(decision.lead_id).encode(), fact.to_bytes(), 0)


def _received(lead: Lead, intent: Intent, vehicle: Vehicle) -> Record:
    fact = LEADS_RECEIVED.fact(
        LeadReceived(
            lead_id=lead.lead_id,
            person_id=derived_id("person", lead.lead_id),
            intent=intent,
            vehicle=vehicle,
            source="website",
            channel=Channel.FORM,
            consent_version="1",
            consent_at=now(),
            received_at=now(),
        ),
        id=derived_id("received", lead.lead_id),
        source="lead_intake",
        subject=str(lead.lead_id),
        time=now(),
    )
    return Record(LEADS_RECEIVED.name, 0, 0, str(lead.lead_id).encode(), fact.to_bytes(), 0)


async def until_async(check: Any, seconds: float = 60) -> None:
    """Poll an async check; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)
