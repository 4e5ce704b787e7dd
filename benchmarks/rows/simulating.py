"""A month of leads through the simulation that `waypost policy simulate` uses."""

import asyncio
import json
import sys

from benchmarks.month import Month
from benchmarks.results import Row
from benchmarks.sizes import Sizes


async def rows(sizes: Sizes) -> list[Row]:
    """Once: it takes a minute or two. Raises RuntimeError when the month is not what it must be."""
    arguments = ("--leads", str(sizes.month_leads), "--sites", str(sizes.sites))
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.month", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await running.communicate()
    if running.returncode != 0:
        raise RuntimeError(f"the simulated month failed: {errors.decode()[-1000:]}")
    month = Month(**json.loads(output))
    work = f"30 days simulated, {sizes.month_leads:,} leads, {sizes.sites} sites, leads/s"
    figure = (
        f"{month.leads / month.seconds:,.0f} (once); {month.seconds:.0f} s in all; "
        f"own CPU {month.cpu_us:.0f} us a lead; peak memory {month.peak_mb:,.0f} MB; {became(month)}"
    )
    return [Row(work, "Waypost", figure, "", "all assigned, joined or waiting with a reason; no limit passed")]


def became(month: Month) -> str:
    """What became of the leads, in one phrase."""
    counts = [f"{outcome} {leads:,}" for outcome, leads in sorted(month.outcomes.items())]
    reasons = [f"{reason} {leads:,}" for reason, leads in sorted(month.waiting.items())]
    return (
        f"{', '.join(counts)} for {', '.join(reasons) or 'nothing'}; sites that reached their "
        f"daily limit {month.full['day']}, their open limit {month.full['open']}, passed none"
    )
