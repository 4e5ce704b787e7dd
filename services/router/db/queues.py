"""Who waits for a place at which site. Whoever has locked a lead writes its rows, so they have no rival."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.router.db.arrays import array_text
from services.router.domain import Waiter
from shared.postgres import Connection

# Held by the one router that finds queues again; any constant serves, but it must stay.
_REQUEUE_LOCK = 0x71756575


class Read(NamedTuple):
    """The beginnings of queues, and whether they can be relied on."""

    lines: dict[str, list[Waiter]]
    """By site, the first first; a site for which nobody waits is not in it."""
    are_outdated: bool
    """Whether a lead waits whose queues were found for an older network, policy or opening."""


async def first(
    connection: Connection, places: Mapping[str, int], queued_for: str | None, but: Sequence[str] = ()
) -> Read:
    """The first so many waiting leads of each of these sites, leads of `but` passed over.

    What was committed before this statement: ask when the places of the sites are locked. `queued_for` None: whether
    any lead is outdated is not asked.
    """
    rows = await connection.fetch(
        """SELECT asked.site_id, waiter.received_at, waiter.lead_id::text
           FROM unnest($1::text[], $2::int[]) AS asked (site_id, places) CROSS JOIN LATERAL (
               SELECT received_at, lead_id FROM site_queues
               WHERE site_queues.site_id = asked.site_id AND lead_id NOT IN (SELECT unnest($4::text::uuid[]))
               ORDER BY received_at, lead_id LIMIT asked.places) AS waiter
           UNION ALL
           SELECT NULL, NULL, NULL WHERE EXISTS (
               SELECT FROM leads
               WHERE state = 'waiting' AND waiting IS DISTINCT FROM 'needs_person' AND queued_for < $3)""",
        list(places),
        list(places.values()),
        queued_for,
        array_text(but),
    )
    lines: dict[str, list[Waiter]] = {}
    for site_id, received_at, lead_id in rows:
        if site_id is not None:
            lines.setdefault(site_id, []).append(Waiter(received_at, lead_id))
    return Read({site_id: sorted(line) for site_id, line in lines.items()}, any(row["site_id"] is None for row in rows))


async def sites_waited_for(connection: Connection) -> list[str]:
    """The sites for which anybody waits; one look at the index for each, however many wait."""
    rows = await connection.fetch(
        """WITH RECURSIVE waited AS (
               (SELECT site_id FROM site_queues ORDER BY site_id LIMIT 1)
               UNION ALL
               SELECT (SELECT later.site_id FROM site_queues AS later WHERE later.site_id > waited.site_id
                       ORDER BY later.site_id LIMIT 1)
               FROM waited WHERE waited.site_id IS NOT NULL)
           SELECT site_id FROM waited WHERE site_id IS NOT NULL"""
    )
    return [row["site_id"] for row in rows]


async def stand(connection: Connection, lead_ids: Sequence[str], site_ids: Sequence[str]) -> list[str]:
    """These (locked) leads stand in these queues and no others; returns the sites whose queues any of them left.

    `site_ids`: of each lead, separated by spaces; empty for a lead that waits no more.
    """
    rows = await connection.fetch(
        """WITH new AS MATERIALIZED (
               SELECT lead_id, string_to_array(site_ids, ' ') AS sites
               FROM unnest($1::text::uuid[], $2::text::text[]) AS new (lead_id, site_ids)),
           joined AS (
               INSERT INTO site_queues (site_id, received_at, lead_id)
               SELECT joins.site_id, received_at, lead_id
               FROM new JOIN leads USING (lead_id) CROSS JOIN LATERAL unnest(sites) AS joins (site_id)
               ON CONFLICT DO NOTHING),
           gone AS (
               DELETE FROM site_queues USING new
               WHERE site_queues.lead_id = new.lead_id AND NOT site_id = ANY(sites)
               RETURNING site_id)
           SELECT DISTINCT site_id FROM gone""",
        array_text(lead_ids),
        array_text(site_ids),
    )
    return [row["site_id"] for row in rows]


async def lock_requeue(connection: Connection) -> None:
    """Until the transaction ends nobody else finds queues again; waits for whoever does."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _REQUEUE_LOCK)


async def lock_outdated(connection: Connection, queued_for: str, limit: int) -> list[str]:
    """Waiting leads that stand in their queues by an older network, policy or opening, locked; the oldest first.

    Without those that somebody else has locked: they are being decided.
    """
    rows = await connection.fetch(
        """SELECT lead_id::text FROM leads
           WHERE state = 'waiting' AND waiting IS DISTINCT FROM 'needs_person' AND queued_for < $1
           ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED""",
        queued_for,
        limit,
    )
    return [row["lead_id"] for row in rows]


async def mark(connection: Connection, lead_ids: Sequence[str], queued_for: str) -> None:
    """These (locked) leads stand in the queues that they have now by this network, policy and opening."""
    await connection.execute(
        "UPDATE leads SET queued_for = $2 WHERE lead_id = ANY($1::text::uuid[])", array_text(lead_ids), queued_for
    )
