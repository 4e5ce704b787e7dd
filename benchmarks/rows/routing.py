"""The router as a whole: a backlog, drained beside its peers and where all want the same sites, and a steady load."""

from collections.abc import Sequence

from benchmarks import catch_up, contention, open_loop
from benchmarks.contention import Contended
from benchmarks.contest import Drained, Figure
from benchmarks.decide import POLICY
from benchmarks.ground import Grounds
from benchmarks.hot_sites import HOT_SITES, hot_leads, hot_network
from benchmarks.results import Row
from benchmarks.routers import WITHOUT_QUEUES
from benchmarks.sizes import Sizes
from benchmarks.workload import make_leads, make_sites
from services.router.policy import Policy


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


async def contention_rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """The same where most leads want a few sites that fill."""
    sites = hot_network(sizes.sites, sizes.leads)
    leads = hot_leads(sites, sizes.leads)
    one, two, unfair = [], [], []
    for _ in range(sizes.rounds):
        one.append(await contention.waypost(grounds, sites, leads, processes=1))
        unfair.append(await contention.waypost(grounds, sites, leads, processes=1, program=WITHOUT_QUEUES))
        two.append(await contention.waypost(grounds, sites, leads, processes=2))
    first, second, third = ([round_.drained for round_ in rounds] for rounds in (one, two, unfair))
    share = f"{_rate(first).median / _rate(third).median:.2f}x with it"
    work = f"router catch-up with {HOT_SITES} hot sites that fill, leads/s"
    ratio = f"{_rate(second).median / _rate(first).median:.2f}x of one"
    return [
        Row(work, "Waypost, 1 process", f"{_drained(first)}; {_met(one)}", "", "no limit passed"),
        Row(work, "Waypost, 2 processes", f"{_drained(second)}; {_met(two)}", ratio, ">= 1.3x, no limit passed"),
        Row(work, "Waypost, 1 process, that does not look at who waits", _drained(third), share, ">= 0.95x with it"),
    ]


async def open_loop_rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """Latency at 1,000 leads/s."""
    sites, leads = make_sites(sizes.sites), make_leads(1_000 * sizes.open_loop_s)
    rounds = [await open_loop.waypost(grounds, sites, leads, per_s=1_000) for _ in range(sizes.rounds)]
    p50, p99, p999 = (Figure(values) for values in zip(*rounds, strict=True))
    figure = f"p50 {p50.text(1)}, p99 {p99.text(1)}, p99.9 {p999.text(1)}"
    work = "1,000 leads/s open loop, produced to decision read, ms"
    return [Row(work, "Waypost, 1 process", figure, "", "p50 <= 10, p99 <= 40")]


def _rate(rounds: Sequence[Drained]) -> Figure:
    return Figure(tuple(r.per_s for r in rounds))


def _drained(rounds: Sequence[Drained]) -> str:
    return f"{_rate(rounds).text()}; own CPU {Figure(tuple(r.cpu_us for r in rounds)).text()} us a lead"


def _met(rounds: Sequence[Contended]) -> str:
    """What happened at the limits, round by round."""
    full = ", ".join(str(one.full) for one in rounds)
    no_room, overtaken = (
        ", ".join(str(one.retried.get(reason, 0)) for one in rounds) for reason in ("no_room", "overtaken")
    )
    met = (
        f"{full} of {HOT_SITES} limits reached, none passed; batches repeated: no_room {no_room}, overtaken {overtaken}"
    )
    if len(rounds[0].shares) == 1:
        return met
    splits = ", ".join("/".join(f"{share:.0%}" for share in one.shares) for one in rounds)
    return f"{met}; shares of the work {splits}"
