"""The audit's word on the play, by the same code as `waypost audit count` and `waypost audit replay`."""

import time
from datetime import UTC, datetime

from rich.console import Console

from services.audit import printing
from services.audit.count import count
from services.audit.db.deciding import count_published
from services.audit.db.reader import Window, open_reader
from services.audit.freshness import Patience, records_behind
from services.audit.replay_jobs import replay_window
from services.audit.settings import AuditSettings
from shared.settings import Settings

WAIT_S = 30.0
"""How long the ledger may take to read what the play published."""


async def audit_verdict(settings: Settings, since: datetime, console: Console) -> bool:
    """Count and replay everything since `since`, print both reports, and say whether both are clean."""
    audit = AuditSettings(**settings.model_dump())
    window = Window(since, datetime.now(UTC))
    async with open_reader(audit) as connection:
        counted = await count(audit, connection, window, Patience(WAIT_S), _no_bar)
        behind = await records_behind(audit, connection, Patience(WAIT_S))
        total = await count_published(connection, window)
    began = time.monotonic()
    replayed = await replay_window(audit, window, topic=None, total=total, jobs=1, wait_s=WAIT_S, on_progress=_no_bar)
    replayed.seconds = time.monotonic() - began
    printing.print_count(console, counted)
    printing.print_replay(console, replayed, window, behind)
    return counted.clean and replayed.clean and not behind


def _no_bar(_: int) -> None:
    """A demo's hundred leads are counted before a bar could be drawn."""
