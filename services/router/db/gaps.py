"""Unmet demand as the ledger has it: counts by rounded point, so that no lead's id leaves the database."""

from datetime import datetime

from services.router.gaps.demand import TRAVELLED_FAR, Unmet
from shared.postgres import Connection
from shared.vocabulary import Intent


async def waiting(connection: Connection) -> list[Unmet]:
    """Leads that wait now (the erased are closed), by intent, point and the reason of their latest decision."""
    rows = await connection.fetch(
        """SELECT leads.intent, lat, lon, coalesce(record ->> 'reason', 'unknown') AS reason,
                  count(*) AS leads, min(received_at) AS oldest
           FROM leads JOIN decisions ON decisions.lead_id = leads.lead_id AND decisions.epoch = leads.epoch
           WHERE leads.state = 'waiting' AND leads.intent IS NOT NULL
           GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
    )
    return [Unmet(Intent(row["intent"]), *list(row)[1:]) for row in rows]


async def travelled_far(connection: Connection, since: datetime, far_m: int) -> list[Unmet]:
    """Leads received since then whose latest site is farther than `far_m`, by intent, point and distance."""
    rows = await connection.fetch(
        """SELECT leads.intent, lat, lon, count(*) AS leads, min(received_at) AS oldest, distance_m
           FROM leads
           JOIN decisions ON decisions.lead_id = leads.lead_id AND decisions.epoch = leads.assignment_epoch
           CROSS JOIN LATERAL (SELECT (record ->> 'distance_m')::int AS distance_m) AS travelled
           WHERE received_at >= $1 AND state IN ('held', 'closed') AND closed IS DISTINCT FROM 'erased'
             AND decisions.outcome = 'assigned' AND lat IS NOT NULL AND distance_m > $2
           GROUP BY leads.intent, lat, lon, distance_m ORDER BY leads.intent, lat, lon, distance_m""",
        since,
        far_m,
    )
    return [
        Unmet(
            Intent(row["intent"]), row["lat"], row["lon"], TRAVELLED_FAR, row["leads"], row["oldest"], row["distance_m"]
        )
        for row in rows
    ]
