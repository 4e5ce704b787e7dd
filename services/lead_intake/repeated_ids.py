"""Sources that give one id to several people: their ids identify nothing, and their owners should hear of it."""

from datetime import UTC, datetime, timedelta

from services.lead_intake import db_sources
from services.lead_intake.db_sources import RepeatedIds
from services.lead_intake.settings import IntakeSettings
from shared.migrate import pending
from shared.postgres import acquire, open_pool
from shared.words import counted

RECENT = timedelta(days=7)


def told(repeated: RepeatedIds) -> str:
    """What is wrong with a source's ids, and what to do."""
    return (
        f"source {repeated.source} gave the id of one person's lead to {counted(repeated.leads, 'lead')} "
        "of other people: "
        "tell its owner to send an id of its own with each lead, or none"
    )


async def check_source_ids(settings: IntakeSettings) -> list[str]:
    """No source has lately given one id to several people."""
    if await pending(settings.require_postgres()):
        return []
    async with open_pool(settings, "lead_intake", max_size=1) as pool, acquire(pool) as connection:
        return [told(found) for found in await db_sources.repeated_ids(connection, datetime.now(UTC) - RECENT)]
