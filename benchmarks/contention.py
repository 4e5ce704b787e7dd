"""Catch-up where a few hot sites with limits take most leads: routers meet at the same rows and at the last places.

What a router reads of a load may be old when it commits. That no site got more than its limit is counted afterwards,
from the decisions alone; a run in which one did is no measurement but a failure.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from benchmarks.catch_up import count_rows
from benchmarks.contest import Drained, drain
from benchmarks.ground import Grounds
from benchmarks.routers import ROUTER, fill_for, running_routers
from benchmarks.workload import Lead
from services.router.sites import Site

GIVEN = """
SELECT site_id, (decided_at AT TIME ZONE 'Asia/Shanghai')::date AS day, count(*) AS leads
FROM router.decisions WHERE outcome = 'assigned' GROUP BY 1, 2
"""
RETRIED = "waypost_router_batches_retried_total"


class LimitPassed(Exception):  # noqa: N818 - it says what happened
    """A site was given more than its limit, or the loads are not what the decisions say."""


@dataclass(frozen=True)
class Contended:
    """One round."""

    drained: Drained
    retried: Mapping[str, int]
    """Transactions done again, by reason, over all processes."""
    shares: tuple[float, ...]
    """Of the decisions, by process: that both took part."""
    full: int
    """Limits that were reached, and none passed."""


async def waypost(
    grounds: Grounds, sites: list[Site], leads: list[Lead], processes: int, program: Sequence[str] = ROUTER
) -> Contended:
    """Our router, or another `program`, in so many processes. Raises LimitPassed."""
    ground = await grounds.fresh()
    await ground.install(sites)
    async with ground.connected() as connection:
        count = partial(count_rows, connection, "router.decisions")
        async with running_routers(ground, processes, program) as routers:
            await fill_for(routers, ground, leads)
            drained = await drain(count, len(leads), [router.pid for router in routers])
            async with asyncio.timeout(180):
                while await count() < len(leads):
                    await asyncio.sleep(0.1)
            # A batch is counted after its records are acknowledged, a moment after they can be read.
            await asyncio.sleep(0.5)
            counters = [await router.counters() for router in routers]
            decided = [await router.decided() for router in routers]
        given = {(row["site_id"], row["day"]): row["leads"] for row in await connection.fetch(GIVEN)}
        loads = await connection.fetch("SELECT site_id, held FROM router.site_loads")
        full = check_limits(sites, given, {row["site_id"]: row["held"] for row in loads})
    retried = sum((Counter(one.get(RETRIED, {})) for one in counters), Counter[str]())
    return Contended(drained, retried, tuple(leads_of / sum(decided) for leads_of in decided), full)


def check_limits(sites: Sequence[Site], given: Mapping[tuple[str, date], int], held: Mapping[str, int]) -> int:
    """How many limits were reached exactly; `given` counts assignments by site and day, none of which has ended.

    Raises LimitPassed.
    """
    days: dict[str, list[int]] = {}
    for (site_id, _), leads in given.items():
        days.setdefault(site_id, []).append(leads)
    total = {site_id: sum(counts) for site_id, counts in days.items()}
    if total != {site_id: leads for site_id, leads in held.items() if leads}:
        raise LimitPassed("the loads of the sites are not what the decisions gave them")
    full = 0
    for site in sites:
        open_leads, busiest_day = total.get(site.site_id, 0), max(days.get(site.site_id, [0]))
        for limit, leads in ((site.open_lead_limit, open_leads), (site.daily_lead_limit, busiest_day)):
            if limit is not None and leads > limit:
                raise LimitPassed(f"{site.site_id} was given {leads} leads and may have {limit}")
            full += leads == limit
    return full
