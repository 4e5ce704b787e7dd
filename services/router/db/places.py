"""Where known leads are, read before the transaction that decides them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.router.db.arrays import array_text
from shared.postgres import Connection


class PlacedLead(NamedTuple):
    """What the ways from a lead depend on; the fields are those of the table."""

    lead_id: str
    person_id: str
    intent: str
    lat: float
    lon: float
    received_at: datetime
    vehicle: str | None


async def of_leads(connection: Connection, lead_ids: Sequence[str]) -> list[PlacedLead]:
    """Those of these leads that have a place."""
    rows = await connection.fetch(
        """SELECT lead_id::text, person_id::text, intent, lat, lon, received_at, vehicle
           FROM leads WHERE lead_id = ANY($1::text::uuid[]) AND intent IS NOT NULL AND lat IS NOT NULL""",
        array_text(lead_ids),
    )
    return [PlacedLead(*row) for row in rows]
