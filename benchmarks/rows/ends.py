"""Both ends of the router: the intake that a form waits for, and the audit that decides everything again."""

from collections.abc import Sequence

from benchmarks import intake, replay
from benchmarks.contest import Figure
from benchmarks.ground import Grounds
from benchmarks.results import Row
from benchmarks.sizes import Sizes
from benchmarks.workload import make_leads, make_sites


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


def _taken(rounds: Sequence[intake.Taken], rate: Figure) -> str:
    p50, p99 = Figure(tuple(r.p50_ms for r in rounds)), Figure(tuple(r.p99_ms for r in rounds))
    cpu = Figure(tuple(r.cpu_us for r in rounds))
    return f"{rate.text()}; p50 {p50.median:.1f} ms, p99 {p99.median:.1f} ms; own CPU {cpu.text()} us"
