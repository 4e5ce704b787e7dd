"""What a site says of its assignment, from a signed request or from the inbox page: compare, set, and publish."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.store_notifier import facts
from services.store_notifier.db import answers, assignments, deliveries, inbox, outbox
from services.store_notifier.domain import Assignment, Earlier, Said, Verdict, holds, judge
from shared.clock import no_earlier
from shared.contracts import Answer
from shared.postgres import Connection, Pool, transact


class NotYours(Exception):  # noqa: N818 - it names a state
    """The site never had this assignment, or it was over for so long that it was forgotten. Whether somebody else has
    the lead is none of its business."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an answer, and the assignment's state after it (JSON-able)."""

    verdict: Verdict
    state: dict[str, object]


async def record(pool: Pool, said: Said, now: datetime) -> Answered:
    """Record an answer and the fact for the router in one transaction; the inbox pages see it at once.

    Raises NotYours, and PostgresUnavailable (nothing is recorded then).
    """

    async def work(connection: Connection) -> Answered:
        assignment = await assignments.lock(connection, said.lead_id)
        item = await inbox.item(connection, said.site_id, said.lead_id, said.epoch)
        if assignment is None or item is None:
            raise NotYours
        at = no_earlier(now, assignment.decided_at)
        earlier = await answers.earlier(connection, said.lead_id, said.epoch)
        verdict = judge(assignment, earlier.get("response"), earlier.get("outcome"), said)
        if verdict.kind == "recorded":
            await answers.add(connection, facts.answer_id_of(said), said, at)
            await outbox.put(connection, [facts.answered(said, at, assignment.traceparent)])
            if said.stage == "response":
                voided = await deliveries.void_reminders(connection, said.lead_id, said.epoch, now)
                await outbox.put(connection, facts.voided(voided, now))
            await inbox.change_items(connection, [(said.lead_id, said.epoch, said.answer.value, said.result)], now)
            earlier[said.stage] = Earlier(said.answer, said.decline_reason, said.result)
        return Answered(verdict, _describe(assignment, said.site_id, said.epoch, earlier))

    return await transact(pool, work)


async def state_of(pool: Pool, lead_id: UUID, epoch: int, site_id: str) -> dict[str, object]:
    """The current state of an assignment as its site may know it. Raises NotYours and PostgresUnavailable."""

    async def work(connection: Connection) -> dict[str, object]:
        assignment = await assignments.current(connection, lead_id)
        if assignment is None or await inbox.item(connection, site_id, lead_id, epoch) is None:
            raise NotYours
        return _describe(assignment, site_id, epoch, await answers.earlier(connection, lead_id, epoch))

    return await transact(pool, work)


def _describe(assignment: Assignment, site_id: str, epoch: int, said: dict[str, Earlier]) -> dict[str, object]:
    """Without the name of another site: where a lead went is not for the site that lost it."""
    holding = holds(assignment, site_id, epoch)
    response, outcome = said.get("response"), said.get("outcome")
    given_away = response is not None and response.answer in (Answer.DECLINED, Answer.UNDELIVERABLE)
    ended_here = assignment.site_id == site_id and assignment.assignment_epoch == epoch
    return {
        "lead_id": str(assignment.lead_id),
        "epoch": epoch,
        "state": assignment.state.value if holding or ended_here else "moved_on",
        "held_by_you": holding and not given_away,
        "respond_by": assignment.respond_by.isoformat() if holding and assignment.respond_by else None,
        "your_answer": response.answer.value if response else None,
        "your_result": outcome.result.value if outcome and outcome.result else None,
    }
