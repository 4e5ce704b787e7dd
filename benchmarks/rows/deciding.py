"""decide() alone, the search for the nearest site beside its peers, and the snapshot that both need."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from benchmarks.contest import Figure
from benchmarks.decide import Traffic, make_traffic
from benchmarks.decide import measure as measure_decide
from benchmarks.ground import Grounds
from benchmarks.nearest import Search, Searched
from benchmarks.peers.knn_sql import CORE, POSTGIS, KnnPeer
from benchmarks.peers.postgis import MISSING, find_postgis, serving_postgis
from benchmarks.results import Row
from benchmarks.sizes import Sizes
from shared.errors import UserError

SMALL, LARGE = 500, 100_000


async def rows(grounds: Grounds, sizes: Sizes) -> list[Row]:
    """Both network sizes of each."""
    decide = {
        sites: Figure(tuple(measure_decide(sites, 41)["us_per_lead"] for _ in range(sizes.rounds)))
        for sites in (SMALL, LARGE)
    }
    small, large = decide[SMALL], decide[LARGE]
    work = "decide() with its record, us a lead, batches of 500"
    found = [
        Row(work, "Waypost, 500 sites", small.text(1), "", "<= 10"),
        Row(work, "Waypost, 100,000 sites", large.text(1), f"{large.median / small.median:.2f}x", "<= 1.15x"),
    ]
    for sites, figure in decide.items():
        found += await nearest_rows(grounds, sizes, sites, figure.median)
    return found


@dataclass
class Contestant:
    """One line of the search."""

    name: str
    rounds: list[Searched] = field(default_factory=list)
    missing: str = ""

    def row(self, work: str, decide_us: float) -> Row:
        """Its figures; the ratio is to the whole of decide() on this network."""
        if not self.rounds:
            return Row(work, self.name, self.missing)
        us = Figure(tuple(searched.us_per_lead for searched in self.rounds))
        figure = f"{us.text(1)}; a farther site for {self.rounds[0].farther:.2%}"
        return Row(work, self.name, figure, f"{us.median / decide_us:.2f}x of decide()")


async def nearest_rows(grounds: Grounds, sizes: Sizes, site_count: int, decide_us: float) -> list[Row]:
    """Our tree, two indexes of PostgreSQL, and two that look at all sites."""
    traffic = make_traffic(site_count, sizes.batches)
    search = Search(traffic)
    tree, core = Contestant("Waypost's tree alone"), Contestant("PostgreSQL GiST, `point <->`")
    postgis = Contestant("PostGIS, `geography <->`")
    numpy, loop = Contestant("numpy over all sites"), Contestant("Python loop over all sites")
    async with AsyncExitStack() as opened:
        ground = await grounds.fresh()
        connection = await opened.enter_async_context(ground.connected())
        core_peer = await KnnPeer.load(connection, CORE, traffic.policy, traffic.sites)
        postgis_peer = await _open_postgis(opened, ground.folder, traffic, postgis)
        for _ in range(sizes.rounds):
            tree.rounds.append(search.waypost())
            core.rounds.append(await search.knn(core_peer))
            if postgis_peer is not None:
                postgis.rounds.append(await search.knn(postgis_peer))
            numpy.rounds.append(search.brute_force())
            loop.rounds.append(search.loop())
    work = f"nearest capable of {site_count:,} sites, us a lead"
    return [contestant.row(work, decide_us) for contestant in (tree, postgis, core, numpy, loop)]


async def _open_postgis(
    opened: AsyncExitStack, folder: Path, traffic: Traffic, contestant: Contestant
) -> KnnPeer | None:
    """The peer, or None; then the contestant says why it is missing."""
    installation = find_postgis()
    if installation is None:
        contestant.missing = MISSING
        return None
    try:
        connection = await opened.enter_async_context(serving_postgis(installation, folder / "postgis"))
        peer = await KnnPeer.load(connection, POSTGIS, traffic.policy, traffic.sites)
    except (UserError, asyncpg.PostgresError) as error:
        contestant.missing = f"not measured: {str(error).splitlines()[0]}"
        return None
    contestant.name = f"PostGIS {await connection.fetchval('SELECT postgis_lib_version()')}, `geography <->`"
    return peer
