"""How many leads each site was given on a day of its own; only of sites with a daily limit."""

from collections.abc import Mapping
from datetime import date

from shared.postgres import Connection


async def read(connection: Connection, today: Mapping[str, date], *, locked: bool) -> dict[str, int]:
    """Leads given to these sites on these days; absent: none. `locked` keeps the counts until the transaction ends.

    Locked after the loads, as `spend` writes after them: routers that wait for one another wait in one order.
    """
    lock = "FOR UPDATE OF site_days" if locked else ""
    rows = await connection.fetch(
        f"""SELECT site_days.site_id, taken
            FROM unnest($1::text[], $2::date[]) AS asked (site_id, day) JOIN site_days USING (site_id, day)
            ORDER BY site_days.site_id {lock}""",  # noqa: S608 - two fixed texts
        list(today),
        list(today.values()),
    )
    return {row["site_id"]: row["taken"] for row in rows}


async def spend(connection: Connection, given: Mapping[str, int], today: Mapping[str, date]) -> dict[str, int]:
    """Count leads that sites were given today; returns the new counts."""
    site_ids = sorted(given)
    rows = await connection.fetch(
        """INSERT INTO site_days (site_id, day, taken)
           SELECT site_id, day, given FROM unnest($1::text[], $2::date[], $3::int[]) AS spent (site_id, day, given)
           ORDER BY site_id
           ON CONFLICT (site_id, day) DO UPDATE SET taken = site_days.taken + excluded.taken
           RETURNING site_id, taken""",
        site_ids,
        [today[site_id] for site_id in site_ids],
        [given[site_id] for site_id in site_ids],
    )
    return {row["site_id"]: row["taken"] for row in rows}
