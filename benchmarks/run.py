"""`make bench`: every measurement beside its peers, in one run, into benchmarks/RESULTS.md.

`--quick` measures less of everything once, to see that it works; it prints and writes nothing.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import catch_up, intake, open_loop, replay
from benchmarks.contest import Drained, Figure
from benchmarks.decide import POLICY
from benchmarks.decide import measure as measure_decide
from benchmarks.ground import Grounds
from benchmarks.results import Row, page
from benchmarks.workload import make_leads, make_sites
from deploy.local import Stack
from services.router.policy import Policy

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int
    sites: int
    leads: int
    tutorial_leads: int
    open_loop_s: int
    requests: int


FULL = Sizes(rounds=3, sites=500, leads=60_000, tutorial_leads=4_000, open_loop_s=25, requests=12_000)
QUICK = Sizes(rounds=1, sites=500, leads=8_000, tutorial_leads=600, open_loop_s=8, requests=1_500)


async def measure(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """All rows of the table, in order."""
    return [
        *decide_rows(sizes),
        *await catch_up_rows(grounds, sizes),
        *await open_loop_rows(grounds, sizes),
        *await intake_rows(grounds, sizes),
        *await replay_rows(grounds, sizes),
    ]


def decide_rows(sizes: Sizes) -> list[Row]:
    """decide() alone, no IO; each round is itself the median of 41 batches."""
    small, large = (
        Figure(tuple(measure_decide(sites, 41)["us_per_lead"] for _ in range(sizes.rounds))) for sites in (500, 100_000)
    )
    work = "decide() with its record, us a lead, batches of 500"
    return [
        Row(work, "Waypost, 500 sites", small.text(1), "", "<= 10"),
        Row(work, "Waypost, 100,000 sites", large.text(1), f"{large.median / small.median:.2f}x", "<= 1.15x"),
    ]


async def catch_up_rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """A backlog drained by each router."""
    sites, leads = make_sites(sizes.sites), make_leads(sizes.leads)
    policy = Policy.from_toml(POLICY.read_text(encoding="utf-8"), 1)
    one, two, sql, tutorial = [], [], [], []
    for _ in range(sizes.rounds):
        one.append(await catch_up.waypost(grounds, sites, leads, processes=1))
        sql.append(await catch_up.set_based_sql(grounds, sites, leads, policy))
        tutorial.append(await catch_up.tutorial(grounds, sites, leads[: sizes.tutorial_leads]))
        two.append(await catch_up.waypost(grounds, sites, leads, processes=2))
    ours = _rate(one).median
    work = "router catch-up, leads/s"
    return [
        Row(work, "Waypost, 1 process", _drained(one), "", ">= 18,000"),
        Row(work, "Waypost, 2 processes", _drained(two), f"{_rate(two).median / ours:.2f}x of one", ">= 1.3x"),
        Row(work, "set-based SQL + KNN index", _drained(sql), f"{ours / _rate(sql).median:.2f}x", ">= 1.5x"),
        Row(work, "tutorial FastStream service", _drained(tutorial), f"{ours / _rate(tutorial).median:.0f}x", ">= 40x"),
    ]


async def open_loop_rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """Latency at 1,000 leads/s."""
    sites, leads = make_sites(sizes.sites), make_leads(1_000 * sizes.open_loop_s)
    rounds = [await open_loop.waypost(grounds, sites, leads, per_s=1_000) for _ in range(sizes.rounds)]
    p50, p99, p999 = (Figure(values) for values in zip(*rounds, strict=True))
    figure = f"p50 {p50.text(1)}, p99 {p99.text(1)}, p99.9 {p999.text(1)}"
    work = "1,000 leads/s open loop, produced to decision read, ms"
    return [Row(work, "Waypost, 1 process", figure, "", "p50 <= 10, p99 <= 40")]


async def intake_rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """202 after a commit."""
    ours, theirs = [], []
    for _ in range(sizes.rounds):
        ours.append(await intake.waypost(grounds, sizes.requests))
        theirs.append(await intake.tutorial(grounds, sizes.requests))
    fast, slow = Figure(tuple(r.per_s for r in ours)), Figure(tuple(r.per_s for r in theirs))
    work = "intake, 202 after commit, leads/s"
    return [
        Row(work, "Waypost", _taken(ours, fast), f"{fast.median / slow.median:.1f}x", ">= 4x"),
        Row(work, "FastAPI + one INSERT per request", _taken(theirs, slow)),
    ]


async def replay_rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """The audit's second look."""
    sites, leads = make_sites(sizes.sites), make_leads(sizes.leads)
    rounds = [await replay.waypost(grounds, sites, leads) for _ in range(sizes.rounds)]
    first, again = (Figure(values) for values in zip(*rounds, strict=True))
    ratio = f"{again.median / first.median:.2f}x of the first pass"
    return [Row("audit replay, leads/s", "Waypost", again.text(), ratio, ">= 1.5x")]


def _rate(rounds: Sequence[Drained]) -> Figure:
    return Figure(tuple(r.per_s for r in rounds))


def _drained(rounds: Sequence[Drained]) -> str:
    return f"{_rate(rounds).text()}; own CPU {Figure(tuple(r.cpu_us for r in rounds)).text()} us a lead"


def _taken(rounds: Sequence[intake.Taken], rate: Figure) -> str:
    p50, p99 = Figure(tuple(r.p50_ms for r in rounds)), Figure(tuple(r.p99_ms for r in rounds))
    cpu = Figure(tuple(r.cpu_us for r in rounds))
    return f"{rate.text()}; p50 {p50.median:.1f} ms, p99 {p99.median:.1f} ms; own CPU {cpu.text()} us"


async def main(sizes: Sizes, *, write: bool) -> None:
    """Measure, print, and write the page."""
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
