"""How many leads each site was given on a day of its own, where it has a daily limit. Locked by site, as loads."""

from collections.abc import Mapping
from datetime import date

from shared.postgres import Connection


async def read(connection: Connection, today: Mapping[str, date]) -> dict[str, int]:
    """Leads given to these sites on these days, as they are now; absent: none."""
    return await _read(connection, today, "")


async def spend(connection: Connection, given: Mapping[str, int], today: Mapping[str, date]) -> dict[str, int]:
    """Count leads that sites were given today (negative: they were not); returns the new counts."""
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


async def keep(connection: Connection, today: Mapping[str, date]) -> dict[str, int]:
    """The counts of these sites and days, locked until the transaction ends; also where nothing was given yet."""
    return await spend(connection, dict.fromkeys(today, 0), today)


async def keep_free(connection: Connection, today: Mapping[str, date]) -> dict[str, int]:
    """Those counts of which nobody has locked the row, locked; waits for nobody.

    A day on which nothing was given yet has no row and is not among them.
    """
    return await _read(connection, today, "FOR UPDATE OF site_days SKIP LOCKED")


async def _read(connection: Connection, today: Mapping[str, date], lock: str) -> dict[str, int]:
    rows = await connection.fetch(
        f"""SELECT site_days.site_id, taken
            FROM unnest($1::text[], $2::date[]) AS asked (site_id, day) JOIN site_days USING (site_id, day)
            ORDER BY site_days.site_id {lock}""",  # noqa: S608 - two fixed texts
        list(today),
        list(today.values()),
    )
    return {row["site_id"]: row["taken"] for row in rows}
