"""Leads that were received in a span of time, as they came: what another policy or network is tried on."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

from shared.postgres import Connection

PATIENT = {"statement_timeout": "30min", "idle_in_transaction_session_timeout": "30min"}
"""Session settings for a long window, which is sorted before its first row comes."""
_TIMEOUT_S = 30 * 60.0


class KnownLead(NamedTuple):
    """A lead's features as the ledger keeps them; one whose person is erased keeps them too.

    Where an operator said where the lead is, that is its point.
    """

    lead_id: str
    person_id: str
    intent: str
    lat: float | None
    lon: float | None
    preferred_site_id: str | None
    received_at: datetime
    vehicle: str | None
    comes_again: bool
    """Whether its person has other leads in the window."""


async def count_received(connection: Connection, since: datetime, until: datetime) -> int:
    """How many leads were received from `since` on and before `until`."""
    return int(
        await connection.fetchval(
            """SELECT count(*) FROM leads
               WHERE received_at >= $1 AND received_at < $2 AND intent IS NOT NULL""",
            since,
            until,
            timeout=_TIMEOUT_S,
        )
    )


async def received(
    connection: Connection, since: datetime, until: datetime, chunk: int
) -> AsyncIterator[list[KnownLead]]:
    """These leads in the order in which they were received, `chunk` at a time through a server-side cursor.

    Must run inside a transaction.
    """
    cursor = await connection.cursor(
        """SELECT lead_id::text, person_id::text, intent, lat, lon, preferred_site_id, received_at, vehicle,
                  count(*) OVER (PARTITION BY person_id) > 1 AS comes_again
           FROM leads
           WHERE received_at >= $1 AND received_at < $2 AND intent IS NOT NULL
           ORDER BY received_at, lead_id""",
        since,
        until,
        timeout=_TIMEOUT_S,
    )
    while rows := await cursor.fetch(chunk, timeout=_TIMEOUT_S):
        yield [KnownLead(*row) for row in rows]
