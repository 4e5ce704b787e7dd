"""`make bench`: every measurement beside its peers, in one run, into benchmarks/RESULTS.md.

`--quick` measures less of everything once, to see that it works; it prints and writes nothing.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.ground import Grounds
from benchmarks.results import Row, page
from benchmarks.rows import deciding, ends, rebuilding, routing, simulating
from benchmarks.sizes import FULL, QUICK, Sizes
from deploy.local import Stack
from shared.settings import Settings
from shared.telemetry import configure_logging

RESULTS = Path(__file__).with_name("RESULTS.md")


async def measure(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """All rows of the table, in order."""
    topics: dict[str, Callable[[], Awaitable[list[Row]]]] = {
        "decide() and the nearest site": lambda: deciding.rows(grounds, sizes),
        "snapshot": lambda: rebuilding.rows(grounds, sizes),
        "catch-up": lambda: routing.catch_up_rows(grounds, sizes),
        "hot sites": lambda: routing.contention_rows(grounds, sizes),
        "open loop": lambda: routing.open_loop_rows(grounds, sizes),
        "a month": lambda: simulating.rows(sizes),
        "intake": lambda: ends.intake_rows(grounds, sizes),
        "replay": lambda: ends.replay_rows(grounds, sizes),
    }
    rows: list[Row] = []
    for name, topic in topics.items():
        begun = time.perf_counter()
        rows += await topic()
        print(f"bench: {name} took {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return rows


async def main(sizes: Sizes, *, write: bool) -> None:
    """Measure, print, and write the page."""
    configure_logging(Settings(log_level="warning"), "bench")
    # As every service does: what is measured in this process costs what it costs there.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder:
        async with Stack(Path(folder) / "stack") as stack:
            rows = await measure(Grounds(stack, Path(folder) / "rounds"), sizes)
    text = page(
        rows,
        today=datetime.now(UTC).date(),
        rounds=sizes.rounds,
        sizes=f"{sizes.sites} sites, {sizes.leads:,} leads in the backlog, 12 partitions.",
    )
    print(text)
    if write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once, and less of everything; writes nothing")
    quick = parser.parse_args().quick
    asyncio.run(main(QUICK if quick else FULL, write=not quick))
