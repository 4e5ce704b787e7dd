"""What became of a lead: learnt from leads.decided, only ever forward."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

from services.lead_intake import db_people
from services.lead_intake.db_people import LeadState
from shared.contracts import LEADS_DECIDED, LeadAssigned, LeadClosed, LeadDecided, LeadJoined, LeadWaiting
from shared.kafka import DeadLetters, Record
from shared.postgres import Connection, Pool, transact


def state_of(decided: LeadDecided) -> LeadState:
    """The state that a decision puts a lead in. `source` and the rest of the row are the lead's own."""
    reason: str | None = None
    site_id: str | None = None
    joins: UUID | None = None
    match decided:
        case LeadAssigned():
            site_id = decided.site_id
        case LeadWaiting():
            reason = decided.reason
        case LeadJoined():
            site_id, joins = decided.site_id, decided.joins_lead_id
        case LeadClosed():
            reason, site_id = decided.reason, decided.site_id
        case _:
            assert_never(decided)
    return LeadState(
        lead_id=decided.lead_id,
        source="",
        state=decided.outcome,
        epoch=decided.epoch,
        reason=reason,
        site_id=site_id,
        joins_lead_id=joins,
        received_at=decided.received_at,
        decided_at=decided.decided_at,
    )


def latest(states: Sequence[LeadState]) -> list[LeadState]:
    """The newest state of each lead."""
    newest: dict[UUID, LeadState] = {}
    for state in states:
        known = newest.get(state.lead_id)
        if known is None or known.epoch < state.epoch:
            newest[state.lead_id] = state
    return list(newest.values())


class StateKeeper:
    """Handler of leads.decided."""

    def __init__(self, pool: Pool, dead_letters: DeadLetters, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._dead_letters = dead_letters
        self._clock = clock

    async def handle(self, records: list[Record]) -> None:
        """Record the decisions of a batch; any order and any repetition of batches gives the same rows."""
        states: list[LeadState] = []
        dead: list[tuple[Record, str]] = []
        for record in records:
            try:
                states.append(state_of(LEADS_DECIDED.read(record.value).data))
            except ValueError as error:
                # The text of the error may quote the record.
                dead.append((record, f"no leads.decided fact: {type(error).__name__}"))
        await self._dead_letters.bury(dead, seen=len(records), now=self._clock())

        async def advance(connection: Connection) -> int:
            return await db_people.advance_states(connection, latest(states))

        if states:
            await transact(self._pool, advance)
