"""How many leads each partner with a contract was given in a city in one month."""

from collections.abc import Mapping
from datetime import date

from services.router.policy import Contracted
from shared.postgres import Connection


async def read(connection: Connection, month: date) -> dict[Contracted, int]:
    """Leads given in this month; absent: none.

    Not locked: the term is soft, so a lead that another router gives meanwhile may go uncounted in this decision. What
    was seen is in its record.
    """
    rows = await connection.fetch("SELECT city, partner, given FROM partner_months WHERE month = $1", month)
    return {Contracted(row["city"], row["partner"]): row["given"] for row in rows}


async def spend(connection: Connection, given: Mapping[Contracted, int], month: date) -> None:
    """Count leads that partners were given. Rows are locked in order of city and partner, after loads and days."""
    keys = sorted(given)
    await connection.execute(
        """INSERT INTO partner_months (city, month, partner, given)
           SELECT city, $1, partner, given
           FROM unnest($2::text[], $3::text[], $4::int[]) WITH ORDINALITY AS spent (city, partner, given, place)
           ORDER BY place
           ON CONFLICT (month, city, partner) DO UPDATE SET given = partner_months.given + excluded.given""",
        month,
        [key.city for key in keys],
        [key.partner for key in keys],
        [given[key] for key in keys],
    )
