"""Builders of the notifier's tests: decisions as the router publishes them, and stores that really listen."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ssl import SSLContext
from typing import Any, Self
from uuid import UUID, uuid4

import orjson
from aiohttp import web

from shared.contracts import (
    LEADS_DECIDED,
    Candidate,
    Cause,
    ClosedReason,
    Fact,
    LeadAssigned,
    LeadClosed,
    LeadDecided,
    LeadJoined,
    LeadWaiting,
    Result,
    WaitingReason,
    derived_id,
)
from shared.kafka import Record
from shared.vocabulary import Intent

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def now() -> datetime:
    """The clock of the tests: the machine's."""
    return datetime.now(UTC)


@dataclass
class Lead:
    """A lead whose decisions are made one after the other."""

    lead_id: UUID = field(default_factory=uuid4)
    epoch: int = 0

    def _common(self, cause: Cause) -> dict[str, Any]:
        self.epoch += 1
        at = now()
        return {
            "decision_id": derived_id("decision", self.lead_id, self.epoch),
            "lead_id": self.lead_id,
            "epoch": self.epoch,
            "person_id": derived_id("test person of", self.lead_id),
            "intent": Intent.TEST_DRIVE,
            "cause": cause,
            "cause_id": derived_id("test cause", self.lead_id, self.epoch),
            "received_at": at,
            "decided_at": at,
            "network_revision": 1,
            "policy_version": 1,
            "engine_version": "1",
        }

    def assigned(
        self,
        site_id: str,
        *,
        within: timedelta = timedelta(hours=2),
        cause: Cause | None = None,
        remind_in: timedelta | None = None,
        escalate_in: timedelta | None = None,
        partner: str | None = None,
    ) -> LeadAssigned:
        """The next decision gives the lead to `site_id`, which `partner` runs."""
        cause = cause or (Cause.RECEIVED if self.epoch == 0 else Cause.DECLINED)
        return LeadAssigned(
            **self._common(cause),
            site_id=site_id,
            distance_m=1234,
            respond_by=now() + within,
            remind_at=None if remind_in is None else now() + remind_in,
            escalate_at=None if escalate_in is None else now() + escalate_in,
            partner=partner,
            candidates=(Candidate(site_id=site_id, distance_m=1234, load=0),),
        )

    def accepted(self, site_id: str, assignment_epoch: int) -> LeadClosed:
        """The next decision closes the hold: the site accepted."""
        return LeadClosed(
            **self._common(Cause.ACCEPTED),
            reason=ClosedReason.ACCEPTED,
            site_id=site_id,
            assignment_epoch=assignment_epoch,
        )

    def ended(self, site_id: str, assignment_epoch: int, result: Result, cause: Cause = Cause.OUTCOME) -> LeadClosed:
        """The next decision closes the lead with its outcome."""
        return LeadClosed(
            **self._common(cause),
            reason=ClosedReason.OUTCOME,
            site_id=site_id,
            assignment_epoch=assignment_epoch,
            result=result,
        )

    def joined(self, joins_lead_id: UUID) -> LeadJoined:
        """The next decision lets the lead join another one of the same person."""
        return LeadJoined(**self._common(Cause.RECEIVED), joins_lead_id=joins_lead_id)

    def erased(self) -> LeadClosed:
        """The next decision forgets the person."""
        return LeadClosed(**self._common(Cause.ERASED), reason=ClosedReason.ERASED)

    def waiting(self, cause: Cause = Cause.SILENT) -> LeadWaiting:
        """The next decision leaves the lead without a holder."""
        return LeadWaiting(**self._common(cause), reason=WaitingReason.ALL_DECLINED)


def fact_of(decision: LeadDecided) -> Fact[LeadDecided]:
    """The decision in its envelope, as the router sends it."""
    return LEADS_DECIDED.fact(
        decision,
        id=decision.decision_id,
        source="router",
        subject=str(decision.lead_id),
        time=decision.decided_at,
        traceparent=TRACEPARENT,
    )


def record_of(decision: LeadDecided, offset: int = 0) -> Record:
    """The decision as a Kafka record."""
    fact = fact_of(decision)
    return Record(LEADS_DECIDED.name, 0, offset, str(decision.lead_id).encode(), fact.to_bytes(), 0)


@dataclass(frozen=True)
class Received:
    """One request that a store got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The webhook-id."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def what(self) -> str:
        """What it tells of the assignment: `created`, `revoked`, ..."""
        return str(self.event["type"].split(".")[2])

    @property
    def lead_id(self) -> UUID:
        """The lead that it is about."""
        return UUID(self.event["data"]["assignment"]["lead_id"])


Behaviour = Callable[[web.Request, Received], Awaitable[web.StreamResponse]]


async def say_204(_: web.Request, __: Received) -> web.StreamResponse:
    """What a well-kept store says."""
    return web.Response(status=204)


class Store:
    """A store's system on loopback: keeps every request and behaves as told."""

    def __init__(self, behaviour: Behaviour = say_204, tls: SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self._tls = tls
        self.received: list[Received] = []
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        received = Received(request.path, {k.lower(): v for k, v in request.headers.items()}, body)
        self.received.append(received)
        self._arrived.set()
        return await self.behaviour(request, received)

    async def wait_for(self, count: int, within_s: float = 60) -> list[Received]:
        """The requests so far, once there are `count`."""
        async with asyncio.timeout(within_s):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return list(self.received)


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = 60, every_s: float = 0.05) -> Any:
    """What `condition` gives, once that is true; fails when it is not in time."""
    async with asyncio.timeout(within_s):
        while not (value := await condition()):
            await asyncio.sleep(every_s)
        return value
