"""What follows from attempts that ended: one transaction for a batch of them, whoever made them.

Delivery rows, the attempt log, the endpoints' breakers, deliveries.attempted and, when a site cannot be told at all,
leads.answered `undeliverable` change together or not at all.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

import asyncpg

from services.store_notifier import facts
from services.store_notifier.db import answers, assignments, deliveries, endpoints, outbox
from services.store_notifier.domain import (
    ENDS,
    Delivered,
    Event,
    GivenUp,
    Kind,
    Outcome,
    RetryAt,
    RetryPlan,
    Said,
    breaker_after,
    next_step,
)
from shared.contracts import Answer, AttemptResult
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that ended; `delivery` is its row as it was claimed."""

    delivery: asyncpg.Record
    outcome: Outcome
    at: datetime
    took_ms: int


@dataclass(frozen=True, slots=True)
class _Verdict:
    ended: Ended
    result: AttemptResult
    row: deliveries.Settled
    disable_endpoint: bool

    @property
    def tells_all(self) -> bool:
        """Whether it was the assignment itself: a site that was not told of that was not told."""
        return bool(self.ended.delivery["event"] == Event.CREATED)


async def settle(
    connection: Connection, ended: Sequence[Ended], now: datetime, rng: Random, plan: RetryPlan
) -> dict[AttemptResult, int]:
    """Record the batch and return how many attempts ended in each way. Attempts whose lease was lost are left out."""
    leads = sorted({e.delivery["lead_id"] for e in ended})
    live = await assignments.live_epochs(connection, leads)
    answered = await _answered(connection, ended)
    verdicts = [_judge(e, _is_wanted(e.delivery, live, answered), now, rng, plan) for e in ended]
    ours = await deliveries.settle(connection, [v.row for v in verdicts], now)
    verdicts = [v for v in verdicts if (v.row.delivery_id, v.row.lease) in ours]
    await _log(connection, verdicts)
    await _release_ends(connection, [v.ended.delivery for v in verdicts], live, now)
    await _update_endpoints(connection, verdicts, now)
    given_up = {v.ended.delivery["decision_id"] for v in verdicts if v.row.status == deliveries.FAILED and v.tells_all}
    await report_undeliverable(connection, sorted(given_up), now)
    counts: dict[AttemptResult, int] = defaultdict(int)
    for verdict in verdicts:
        counts[verdict.result] += 1
    return counts


async def _answered(connection: Connection, ended: Sequence[Ended]) -> set[tuple[UUID, int]]:
    """Assignments with an answer that the ledger may not know yet, of those whose site is reminded of them."""
    reminded = {
        (e.delivery["lead_id"], e.delivery["epoch"])
        for e in ended
        if e.delivery["event"] in (Event.REMINDER, Event.ESCALATED) and e.outcome.kind is not Kind.DELIVERED
    }
    return await answers.answered(connection, sorted(reminded)) if reminded else set()


def _is_wanted(delivery: asyncpg.Record, live: dict[UUID, int], answered: set[tuple[UUID, int]]) -> bool:
    """Whether it may be sent again: nobody may be told any more of an assignment that ended, but that it ended."""
    assignment = (delivery["lead_id"], delivery["epoch"])
    is_live = live.get(delivery["lead_id"]) == delivery["epoch"] and assignment not in answered
    return is_live or delivery["event"] in ENDS


def _judge(ended: Ended, is_wanted: bool, now: datetime, rng: Random, plan: RetryPlan) -> _Verdict:
    row, outcome = ended.delivery, ended.outcome
    step = next_step(
        row["attempt"],
        outcome,
        now,
        rng,
        expires_at=row["expires_at"],
        misconfigured_before=row["misconfigured"],
        plan=plan,
    )
    disable, next_at = False, None
    match step:
        case Delivered():
            status, result = deliveries.DELIVERED, AttemptResult.DELIVERED
        case RetryAt(at) if is_wanted:
            status, result, next_at = deliveries.DUE, AttemptResult.RETRY, at
        case RetryAt():
            # The assignment ended, or was answered, while the request was under way.
            status, result = deliveries.VOID, AttemptResult.FAILED
        case GivenUp(result, disable):
            status = deliveries.FAILED
    return _Verdict(
        ended,
        result,
        deliveries.Settled(row["delivery_id"], row["lease"], status, outcome.kind is Kind.MISCONFIGURED, next_at),
        disable,
    )


async def _log(connection: Connection, verdicts: Sequence[_Verdict]) -> None:
    await deliveries.log_attempts(
        connection,
        [
            deliveries.Attempt(
                v.row.delivery_id,
                v.ended.delivery["attempt"],
                v.result,
                v.ended.outcome.status_code,
                v.ended.took_ms,
                v.ended.at,
                v.ended.outcome.detail,
            )
            for v in verdicts
        ],
    )
    await outbox.put(
        connection,
        [
            facts.attempted_by_webhook(
                v.ended.delivery,
                v.ended.delivery["attempt"],
                v.result,
                v.ended.at,
                took_ms=v.ended.took_ms,
                status_code=v.ended.outcome.status_code,
                next_attempt_at=v.row.next_at,
            )
            for v in verdicts
        ],
    )


async def _release_ends(
    connection: Connection, rows: Sequence[asyncpg.Record], live: dict[UUID, int], now: datetime
) -> None:
    ended = {(row["decision_id"], row["endpoint_id"]) for row in rows if live.get(row["lead_id"]) != row["epoch"]}
    if ended:
        await deliveries.release_ends(connection, sorted(ended), now)


async def _update_endpoints(connection: Connection, verdicts: Sequence[_Verdict], now: datetime) -> None:
    by_endpoint: dict[UUID, list[_Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_endpoint[verdict.ended.delivery["endpoint_id"]].append(verdict)
    health = []
    for endpoint in await endpoints.lock(connection, sorted(by_endpoint)):
        failures, open_until, disabled = endpoint["failures"], endpoint["open_until"], None
        for verdict in by_endpoint[endpoint["endpoint_id"]]:
            delivered = verdict.result is AttemptResult.DELIVERED
            failures, open_until = breaker_after(failures, open_until, now, delivered=delivered)
            if verdict.disable_endpoint:
                disabled = "it answered 410 Gone"
        health.append((endpoint["endpoint_id"], failures, open_until, disabled))
    await endpoints.record_health(connection, health, now)
    await deliveries.wake_schedulers(connection)


async def fail_hopeless(connection: Connection, now: datetime, limit: int) -> int:
    """Give up waiting deliveries that shall not be sent (too late, endpoint disabled). Returns how many."""
    rows = await deliveries.hopeless(connection, now, limit)
    if not rows:
        return 0
    await assignments.live_epochs(connection, sorted({row["lead_id"] for row in rows}))
    ours = await deliveries.settle(
        connection, [deliveries.Settled(row["delivery_id"], None, deliveries.FAILED) for row in rows], now
    )
    rows = [row for row in rows if (row["delivery_id"], None) in ours]
    attempts = [
        deliveries.Attempt(
            row["delivery_id"],
            row["attempt"] + 1,
            AttemptResult.FAILED,
            None,
            0,
            now,
            "not sent: too late" if row["expires_at"] <= now else "not sent: the endpoint is disabled",
        )
        for row in rows
    ]
    await deliveries.log_attempts(connection, attempts)
    await outbox.put(
        connection,
        [facts.attempted_by_webhook(row, row["attempt"] + 1, AttemptResult.FAILED, now) for row in rows],
    )
    untold = {row["decision_id"] for row in rows if row["event"] == Event.CREATED}
    await report_undeliverable(connection, sorted(untold), now)
    return len(rows)


async def report_undeliverable(connection: Connection, decision_ids: Sequence[UUID], now: datetime) -> None:
    """Tell the router of those assignments whose site has no way left to learn of them."""
    if not decision_ids:
        return
    for row in await deliveries.out_of_channels(connection, decision_ids):
        said = Said(row["lead_id"], row["epoch"], row["site_id"], Answer.UNDELIVERABLE, "notifier")
        if await answers.add(connection, facts.answer_id_of(said), said, now):
            await outbox.put(connection, [facts.answered(said, now, row["traceparent"])])
