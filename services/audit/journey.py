"""The journey of one lead: read from the ledger, told in plain words."""

from datetime import datetime
from uuid import UUID

from services.audit.db import telling
from services.audit.domain.timeline import Journey, mentions, tell
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
    return tell(str(lead_id), records, reveals, names, now)
