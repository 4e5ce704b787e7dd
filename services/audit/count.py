"""Counting a window: every lead that any side knows is looked at once, and the sums must agree exactly."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.audit.db import counting
from services.audit.db.reader import Window
from services.audit.domain.equation import Equation
from services.audit.domain.labels import data_bytes
from services.audit.domain.moves import Step
from services.audit.freshness import Patience, records_behind
from shared.postgres import Connection
from shared.settings import Settings

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class CountReport:
    """The equation of one window, and how far the ledger had read when it was added up."""

    window: Window
    equation: Equation
    behind: int | None
    """Records that the ledger had not read yet; None when Kafka could not be asked."""
    unreadable: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Exactly equal, nothing missing, no rule broken."""
        return self.equation.clean


async def count(
    settings: Settings, connection: Connection, window: Window, patience: Patience, on_progress: Callable[[int], None]
) -> CountReport:
    """Add the window up. While it does not agree and there is time, what is still under way is waited for."""
    while True:
        behind = await records_behind(settings, connection, patience)
        report = await _count_once(connection, window, behind, on_progress)
        if report.clean or not await patience.pause():
            return report


async def _count_once(
    connection: Connection, window: Window, behind: int | None, on_progress: Callable[[int], None]
) -> CountReport:
    began = time.monotonic()
    equation = Equation()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for leads in counting.leads_seen(connection, window, CHUNK):
            records = await counting.decided_records(connection, [lead.lead_id for lead in leads])
            for lead in leads:
                equation.add(lead, steps_of(records.get(lead.lead_id, ())))
            on_progress(len(leads))
        unreadable = await counting.count_unreadable(connection, window)
    return CountReport(window, equation, behind, unreadable, time.monotonic() - began)


def steps_of(records: Sequence[bytes]) -> list[Step]:
    """The decisions of one lead as distinct steps: a record with the same content as the one before is a redelivery."""
    steps, before = [], b""
    for record in records:
        data = data_bytes(record)
        if data != before:
            steps.append(Step.from_data(data))
        before = data
    return steps
