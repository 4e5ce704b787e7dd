"""A day of leads, and replaying it."""

from datetime import timedelta
from uuid import UUID

from services.audit.db.reader import Window, open_reader
from services.audit.domain.comparison import Finding
from services.audit.domain.report import ReplayReport
from services.audit.freshness import Patience
from services.audit.replay import replay
from services.audit.settings import AuditSettings
from shared.contracts import Result
from tests.services.audit.places import DAY, START
from tests.services.audit.world import World

WINDOW = Window(START - DAY, START + DAY)


async def replayed(
    settings: AuditSettings, *, topic: str | None = None, chunk: int = 3, patience: Patience | None = None
) -> ReplayReport:
    async with open_reader(settings) as connection:
        return await replay(
            connection,
            WINDOW,
            topic=topic,
            chunk=chunk,
            patience=patience or Patience(0),
            on_progress=lambda _: None,
        )


async def lives_of_leads(world: World) -> list[UUID]:
    """Accepted and won, declined twice, silent, waiting, never answered."""
    leads = [await world.receive(at=START + timedelta(seconds=n)) for n in range(5)]
    nowhere = await world.receive(lat=35.0)
    minute = timedelta(minutes=1)
    await world.accepted_by_holder(leads[0], START + minute)
    await world.report(leads[0], START + 2 * minute, Result.WON)
    await world.decline(leads[1], START + minute)
    await world.decline(leads[1], START + 2 * minute)
    await world.decline(leads[1], START + 3 * minute)
    await world.stay_silent(leads[2])
    return [*leads, nowhere]


async def finding_of(settings: AuditSettings) -> Finding:
    [finding] = (await replayed(settings)).findings
    return finding
