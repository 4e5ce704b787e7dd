"""The journey of one lead: read from the ledger, told in plain words."""

from datetime import datetime
from uuid import UUID

import orjson

from services.audit.db import telling
from services.audit.domain.timeline import Journey, holding, mentions, tell
from services.router.snapshot import Site, Snapshot
from shared.contracts import LeadAssigned
from shared.errors import UserError
from shared.postgres import Connection


async def journey_of(connection: Connection, lead_id: UUID, now: datetime) -> Journey:
    """Everything on record about the lead. Raises UserError when nobody knows it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        records = await telling.records_of(connection, lead_id)
        if not records:
            if await telling.accepted(connection, lead_id):
                raise UserError(f"lead {lead_id} was accepted, but the ledger has not read it yet", "try in a moment")
            raise UserError(f"nobody knows a lead {lead_id}", "is the id complete? it has 36 characters")
        sites, revisions = mentions(records)
        reveals = await telling.reveals_of(connection, lead_id)
        names = await telling.site_names(connection, sites | {reveal.site_id for reveal in reveals}, revisions)
        never_opens = await _never_opens(connection, holding(records))
    return tell(str(lead_id), records, reveals, names, now, holder_never_opens=never_opens)


async def _never_opens(connection: Connection, decision: LeadAssigned | None) -> bool:
    """Whether the hours that the decision counted with never come: revisions of before imports asked may hold such."""
    if decision is None:
        return False
    row = await telling.site_row(connection, decision.site_id, decision.network_revision)
    if row is None:
        return False
    snapshot = Snapshot.build([Site.from_row(orjson.loads(row))], decision.network_revision)
    schedule = snapshot.schedules.get(decision.site_id)
    return schedule is not None and not schedule.opens_within_a_year(decision.decided_at.date())
