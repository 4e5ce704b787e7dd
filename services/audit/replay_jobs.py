"""Sharing a replay between processes: deciding fills a core, and leads of different partitions do not meet."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from typing import Any

from services.audit.db.deciding import WHOLE, Share
from services.audit.db.reader import Window, open_reader
from services.audit.domain.report import ReplayReport
from services.audit.freshness import Patience
from services.audit.replay import replay
from services.audit.settings import AuditSettings

WORTH_A_PROCESS = 20_000
"""Decisions below which starting another process costs more than it saves."""
LOOK_EVERY_S = 0.1

_done: list["Synchronized[int]"] = []
"""In a worker: the counter that it shares with its parent (processes get it at their start and in no other way)."""


async def replay_window(
    settings: AuditSettings,
    window: Window,
    *,
    topic: str | None,
    total: int,
    jobs: int,
    wait_s: float,
    on_progress: Callable[[int], None],
) -> ReplayReport:
    """Replay `total` decisions in this process, or in `jobs` others (0: as many as the machine and the work allow).

    After them, decisions that were kept and not published yet may take `wait_s` to be published.
    """
    workers = jobs or max(1, min(os.cpu_count() or 1, total // WORTH_A_PROCESS))
    if workers == 1:
        return await _replay(settings, window, topic, wait_s, WHOLE, on_progress)
    context = get_context("spawn")
    done = context.Value("q", 0)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_take_counter, initargs=(done,)) as pool:
        loop = asyncio.get_running_loop()
        shares = [
            loop.run_in_executor(pool, _replay_share, settings, window, topic, wait_s, Share(number, workers))
            for number in range(workers)
        ]
        gathered = asyncio.gather(*shares)
        shown = 0
        while not gathered.done():
            await asyncio.wait({gathered}, timeout=LOOK_EVERY_S)
            on_progress(done.value - shown)
            shown = done.value
        report = ReplayReport()
        for part in await gathered:
            report.merge(part)
        return report


def _take_counter(done: Any) -> None:
    _done.append(done)


def _replay_share(
    settings: AuditSettings, window: Window, topic: str | None, wait_s: float, share: Share
) -> ReplayReport:
    def advance(decisions: int) -> None:
        with _done[0].get_lock():
            _done[0].value += decisions

    return asyncio.run(_replay(settings, window, topic, wait_s, share, advance))


async def _replay(
    settings: AuditSettings,
    window: Window,
    topic: str | None,
    wait_s: float,
    share: Share,
    on_progress: Callable[[int], None],
) -> ReplayReport:
    async with open_reader(settings) as connection:
        return await replay(
            connection,
            window,
            topic=topic,
            chunk=settings.audit_replay_chunk,
            patience=Patience(wait_s),
            on_progress=on_progress,
            share=share,
        )
