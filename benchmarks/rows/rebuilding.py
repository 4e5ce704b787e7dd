"""A snapshot of 100,000 sites, built while the router goes on."""

from benchmarks import rebuild
from benchmarks.contest import Figure
from benchmarks.ground import Grounds
from benchmarks.results import Row
from benchmarks.sizes import Sizes

SITES = 100_000


async def rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """Built from sites, and taken over from PostgreSQL as a router does."""
    rounds = [await rebuild.waypost(grounds, SITES) for _ in range(sizes.rounds)]
    work = f"snapshot of {SITES:,} sites off the loop, s"
    built = Figure(tuple(one.build_s for one in rounds)), Figure(tuple(one.build_stall_ms for one in rounds))
    read = Figure(tuple(one.reload_s for one in rounds)), Figure(tuple(one.reload_stall_ms for one in rounds))
    return [
        Row(work, "Waypost, built with all trees", _figure(*built), "", "<= 1"),
        Row(work, "Waypost, read from PostgreSQL, parsed and built", _figure(*read)),
    ]


def _figure(seconds: Figure, stall_ms: Figure) -> str:
    return f"{seconds.text(2)}; longest stall of the loop {stall_ms.text()} ms"
