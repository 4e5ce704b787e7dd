"""What the journey of one lead reads."""

from collections.abc import Iterable
from uuid import UUID

from services.audit.domain.timeline import Kept, Reveal
from shared.postgres import Connection


async def records_of(connection: Connection, lead_id: UUID) -> list[Kept]:
    """Every record about the lead, as it was published, dead letters and poison included."""
    rows = await connection.fetch(
        """SELECT topic, kafka_time, value FROM records WHERE lead_id = $1
           ORDER BY kafka_time, topic, partition, record_offset""",
        lead_id,
    )
    return [Kept(row["topic"], row["kafka_time"], row["value"]) for row in rows]


async def reveals_of(connection: Connection, lead_id: UUID) -> list[Reveal]:
    """Who saw the contact, and when."""
    rows = await connection.fetch(
        """SELECT site_id, epoch, via, revealed_at FROM lead_intake.reveals WHERE lead_id = $1
           ORDER BY revealed_at, site_id, epoch""",
        lead_id,
    )
    return [Reveal(row["site_id"], row["epoch"], row["via"], row["revealed_at"]) for row in rows]


async def site_names(connection: Connection, site_ids: Iterable[str], revisions: Iterable[int]) -> dict[str, str]:
    """The latest name of each site in the current network and in `revisions`, which may have sites that left since."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (site ->> 'site_id') site ->> 'site_id' AS site_id, site ->> 'name' AS name
           FROM router.network_revisions, json_array_elements(sites) AS site
           WHERE (revision = ANY($2::int[]) OR revision = (SELECT max(revision) FROM router.network_revisions))
                 AND site ->> 'site_id' = ANY($1::text[])
           ORDER BY site ->> 'site_id', revision DESC""",
        sorted(site_ids),
        sorted(revisions),
    )
    return {row["site_id"]: row["name"] for row in rows}


async def site_row(connection: Connection, site_id: str, revision: int) -> str | None:
    """The site as this revision of the network has it, as JSON text."""
    found: str | None = await connection.fetchval(
        """SELECT site::text FROM router.network_revisions, json_array_elements(sites) AS site
           WHERE revision = $2 AND site ->> 'site_id' = $1""",
        site_id,
        revision,
    )
    return found


async def accepted(connection: Connection, lead_id: UUID) -> bool:
    """Whether intake ever accepted such a lead."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM lead_intake.leads WHERE lead_id = $1)", lead_id))
