"""While a site is silent: it is reminded, then its partner is told. What was answered by then reminds nobody.

The moments stand in the decision. They are looked for, not queued: so a reminder goes to the endpoints that there are
when it is due, and nothing has to be taken back for the many leads that are answered before.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.store_notifier import facts
from services.store_notifier.db import assignments, deliveries, endpoints, inbox
from services.store_notifier.domain import Event
from services.store_notifier.metrics import Metrics
from services.store_notifier.reach import NOTHING, by_site
from shared.pausing import sleep_or_stop
from shared.postgres import Connection, Pool, PostgresUnavailable, transact
from shared.telemetry import get_logger

EVERY_S = 1.0
ROWS = 500
"""Most assignments in one transaction."""


class Reminders:
    """Runs beside every scheduler; several of them share the work row by row."""

    def __init__(self, pool: Pool, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._metrics = metrics
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a second until `stop`, and again at once while there is more."""
        while not stop.is_set():
            try:
                if await self.look(self._clock()):
                    continue
            except PostgresUnavailable as error:
                get_logger().warning("reminders.postgres_unavailable", error=str(error))
            await sleep_or_stop(stop, EVERY_S)

    async def look(self, now: datetime) -> bool:
        """Remind and escalate what is due by `now`; says whether there may be more."""
        seen, reminded = await transact(self._pool, lambda connection: remind(connection, now, ROWS))
        looked, escalated = await transact(self._pool, lambda connection: escalate(connection, now, ROWS))
        self._metrics.reminders.inc(reminded)
        for result, count in escalated.items():
            self._metrics.escalations.labels(result=result).inc(count)
        if reminded or escalated:
            get_logger().info(
                "assignments.unanswered", reminded=reminded, **{f"escalation_{k}": n for k, n in escalated.items()}
            )
        return ROWS in (seen, looked)


async def remind(connection: Connection, now: datetime, limit: int) -> tuple[int, int]:
    """Remind the sites of what is due, at every active webhook and on their pages; (assignments seen, reminded)."""
    taken = await assignments.take_to_remind(connection, now, limit)
    silent = [row for row in taken if _is_silent(row, now)]
    if silent:
        channels = by_site(await endpoints.of_sites(connection, sorted({row["site_id"] for row in silent})))
        await inbox.remind_items(connection, [(row["lead_id"], row["epoch"]) for row in silent], now)
        await _send(
            connection,
            [
                _delivery(row, endpoint_id, Event.REMINDER, now)
                for row in silent
                for endpoint_id in channels.get(row["site_id"], NOTHING).webhooks
            ],
            now,
        )
    return len(taken), len(silent)


async def escalate(connection: Connection, now: datetime, limit: int) -> tuple[int, Counter[str]]:
    """Tell the partners of the silent sites; (assignments seen, what became of each that is still unanswered).

    Nobody to tell is an answer too: it is logged and counted, and the site's time runs on.
    """
    taken = await assignments.take_to_escalate(connection, now, limit)
    silent = [row for row in taken if _is_silent(row, now)]
    results: Counter[str] = Counter()
    if silent:
        of_partner: dict[str, list[UUID]] = {}
        partners = sorted({row["partner"] for row in silent if row["partner"] is not None})
        for endpoint in await endpoints.of_partners(connection, partners):
            of_partner.setdefault(endpoint["partner"], []).append(endpoint["endpoint_id"])
        for row in silent:
            result = _result(row["partner"], of_partner)
            results[result] += 1
            if result != "queued":
                get_logger().warning(
                    "escalation.nobody_to_tell",
                    why=result,
                    lead_id=str(row["lead_id"]),
                    epoch=row["epoch"],
                    site_id=row["site_id"],
                    partner=row["partner"],
                )
        await _send(
            connection,
            [
                _delivery(row, endpoint_id, Event.ESCALATED, now)
                for row in silent
                for endpoint_id in of_partner.get(row["partner"], ())
            ],
            now,
        )
    return len(taken), results


def _is_silent(row: asyncpg.Record, now: datetime) -> bool:
    # Once its time is over the ledger is about to move the lead: a reminder would come too late to be of use.
    return not row["answered"] and row["respond_by"] > now


def _result(partner: str | None, of_partner: dict[str, list[UUID]]) -> str:
    if partner is None:
        return "no_partner"
    return "queued" if partner in of_partner else "no_endpoint"


def _delivery(row: asyncpg.Record, endpoint_id: UUID, event: Event, now: datetime) -> deliveries.NewDelivery:
    return deliveries.NewDelivery(
        facts.delivery_id_of(row["decision_id"], endpoint_id, event),
        row["decision_id"],
        endpoint_id,
        row["lead_id"],
        row["epoch"],
        row["site_id"],
        row["intent"],
        row["distance_m"],
        row["traceparent"],
        deliveries.DUE,
        now,
        row["respond_by"],
        row["due_at"],
        event,
    )


async def _send(connection: Connection, rows: Sequence[deliveries.NewDelivery], now: datetime) -> None:
    if await deliveries.add(connection, rows):
        await endpoints.wake(connection, sorted({row.endpoint_id for row in rows}), now)
        await deliveries.wake_schedulers(connection)
