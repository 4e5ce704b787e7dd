"""What every measurement shares: processes with their CPU time, rounds in turn, medians with their spread."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

Count = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Drained:
    """One contestant's round over a backlog."""

    per_s: float
    cpu_us: float
    """Per lead, of the contestant's own processes: without PostgreSQL and Kafka."""


@dataclass(frozen=True)
class Figure:
    """Median and spread of one measured thing over the rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.values)

    def text(self, decimals: int = 0) -> str:
        """`median (min-max)` for the table."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.{decimals}f} ({low:,.{decimals}f}-{high:,.{decimals}f})"


@contextmanager
def process(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A contestant as a process of its own; it is stopped, hard after 15 s, when the block ends."""
    with log.open("ab") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **environment},  # noqa: TID251 - handed down, not read
            stdout=output,
            stderr=output,
        )
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(15)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def drain(count: Count, total: int, pids: Sequence[int], timeout_s: float = 180.0) -> Drained:
    """Watch `count` grow from the first tenth to nine tenths of `total`, so that neither start nor tail counts.

    Raises TimeoutError when it does not get there.
    """
    begun: tuple[float, int, float] | None = None
    async with asyncio.timeout(timeout_s):
        while True:
            done = await count()
            now, used = time.perf_counter(), sum(map(cpu_seconds, pids))
            if begun is None and done >= total / 10:
                begun = (now, done, used)
            if done >= total * 9 / 10 and begun is not None and done > begun[1]:
                handled = done - begun[1]
                return Drained(handled / (now - begun[0]), (used - begun[2]) * 1e6 / handled)
            # Seldom enough that counting rows costs PostgreSQL little of what is measured.
            await asyncio.sleep(0.1)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; `share` in 0..1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
