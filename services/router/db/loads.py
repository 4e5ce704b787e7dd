"""How many leads each site holds. Rows are always locked in the order of site ids, so that routers cannot deadlock."""

from collections.abc import Mapping

from shared.postgres import Connection


async def read(connection: Connection, *, locked: bool) -> dict[str, int]:
    """Loads of all sites that hold anything (the others have 0); `locked` keeps every load until the transaction ends.

    All of them, because a decision may have to look far: which sites it needs is known only while it is taken. A
    network of 500 sites is read in half a millisecond.
    """
    if locked:
        rows = await connection.fetch("SELECT site_id, held FROM site_loads ORDER BY site_id FOR UPDATE")
    else:
        rows = await connection.fetch("SELECT site_id, held FROM site_loads WHERE held > 0")
    return {row["site_id"]: row["held"] for row in rows}


async def spend(connection: Connection, changes: Mapping[str, int]) -> dict[str, int]:
    """Add to (or take from) the loads of sites; returns the new loads of those that changed.

    Raises ValueError when a site would hold less than nothing: then the ledger contradicts itself.

    The last statement of a transaction: the rows of busy sites are what routers wait for one another on.
    """
    site_ids = sorted(site_id for site_id, change in changes.items() if change)
    if not site_ids:
        return {}
    rows = await connection.fetch(
        """INSERT INTO site_loads (site_id, held)
           SELECT site_id, change FROM unnest($1::text[], $2::int[]) AS spent (site_id, change) ORDER BY site_id
           ON CONFLICT (site_id) DO UPDATE SET held = site_loads.held + excluded.held
           RETURNING site_id, held""",
        site_ids,
        [changes[site_id] for site_id in site_ids],
    )
    below = sorted(row["site_id"] for row in rows if row["held"] < 0)
    if below:
        raise ValueError(f"sites would let go of leads that they do not hold: {below}")
    return {row["site_id"]: row["held"] for row in rows}
