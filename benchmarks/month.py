"""A month simulated, as `waypost policy simulate` does it: leads of 30 days, a site's limits, its hours, its deadlines.

    python -m benchmarks.month [--leads 1000000] [--sites 500]

A process of its own, so that its memory is its own. What the simulation decided is counted again from the decisions
alone; a month in which a lead got no answer, or a site more than its limit, is no measurement but a failure.
"""

import argparse
import json
import re
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.decide import POLICY
from benchmarks.workload import CITY_SPREAD_DEG, INTENTS, city_centres, make_sites
from services.router.domain import Decided, LeadFeatures
from services.router.policy import Policy
from services.router.sites import Site, WorkingTime
from services.router.snapshot import Snapshot
from services.router.trying import Arriving, Forward, Setting
from shared.vocabulary import SiteKind

BEGINS = datetime(2026, 3, 1, tzinfo=UTC) - timedelta(hours=8)
"""Midnight in Shanghai."""
DAYS = 30
DAY_US, HOUR_US, MINUTE_US = 86_400_000_000, 3_600_000_000, 60_000_000
FIRST_HOUR = 8
HOURLY = (2, 4, 7, 8, 6, 5, 6, 7, 7, 6, 7, 9, 8, 4)
"""How many of a day's leads come in each hour from `FIRST_HOUR` on, in local time: some before the doors open."""
HOURS = ("Mo-Su 09:00-21:00", "Mo-Sa 09:00-18:00; Su 10:00-17:00", "")
COMES_AGAIN = 0.04
"""Of the leads; those of one person are taken from pairs."""
PART = 2_000


class MonthWrong(Exception):  # noqa: N818 - it says what happened
    """What was decided cannot be."""


@dataclass(frozen=True)
class Leads:
    """The month's leads in the order in which they come, as columns."""

    received_us: NDArray[np.int64]
    """Since `BEGINS`."""
    points: NDArray[np.float64]
    intents: NDArray[np.int8]
    persons: NDArray[np.int64]
    comes_again: NDArray[np.bool_]
    """Whether the person has another lead here."""

    def __len__(self) -> int:
        return len(self.received_us)

    def arriving(self) -> Iterator[list[Arriving]]:
        """The leads in parts, as the simulation wants them."""
        for first in range(0, len(self), PART):
            part = slice(first, first + PART)
            columns = (self.received_us, self.points, self.intents, self.persons, self.comes_again)
            rows = zip(*[column[part].tolist() for column in columns], strict=True)
            yield [
                Arriving(
                    LeadFeatures(
                        f"00000000-0000-4000-8000-{number:012}",
                        f"00000000-0000-4000-9000-{person:012}",
                        INTENTS[intent],
                        (lat, lon),
                        None,
                        BEGINS + timedelta(microseconds=us),
                    ),
                    again,
                )
                for number, (us, (lat, lon), intent, person, again) in enumerate(rows, start=first)
            ]


def month_network(site_count: int, leads_per_day: float) -> list[Site]:
    """Sites with hours, many with a limit of open leads, of a day's leads, or both, that busy ones reach."""
    usual = max(1, round(leads_per_day / site_count))
    sites = []
    for number, site in enumerate(make_sites(site_count)):
        # A delivery center takes what no other site may.
        size = 4 if site.kind is SiteKind.DELIVERY_CENTER else 1
        sites.append(
            replace(
                site,
                working_time=WorkingTime(hours=HOURS[number % len(HOURS)]),
                open_lead_limit=max(2, usual * size // 4) if number % 3 == 1 else None,
                daily_lead_limit=max(3, usual * size) if number % 4 == 1 else None,
            )
        )
    return sites


def month_leads(count: int, days: int = DAYS, seed: int = 5) -> Leads:
    """`count` leads of so many days, most of them in opening hours; the same seed gives the same leads."""
    rng = np.random.default_rng(seed)
    day = rng.integers(days, size=count)
    hours = FIRST_HOUR + rng.choice(len(HOURLY), size=count, p=np.array(HOURLY) / sum(HOURLY))
    received_us = np.sort(day * DAY_US + hours * HOUR_US + rng.integers(HOUR_US, size=count))
    centres = city_centres()
    points = centres[rng.integers(len(centres), size=count)] + rng.normal(0, CITY_SPREAD_DEG, (count, 2))
    persons = np.arange(count)
    # Each of these comes again, at any time of the month.
    pairs = rng.permutation(count)[: int(count * COMES_AGAIN / 2) * 2].reshape(-1, 2)
    persons[pairs[:, 1]] = persons[pairs[:, 0]]
    comes_again = np.zeros(count, dtype=np.bool_)
    comes_again[pairs] = True
    intents = rng.integers(len(INTENTS), size=count).astype(np.int8)
    return Leads(received_us, points.round(4), intents, persons, comes_again)


class Kept:
    """What is kept of each decision, to be counted again: 20 bytes a lead."""

    def __init__(self, sites: list[Site]) -> None:
        self._index = {site.site_id: place for place, site in enumerate(sites)}
        self.site = array("l")
        """Place in the network; -1 without one."""
        self.until_us = array("q")
        """Until when the site holds it, since `BEGINS`; only of assigned leads."""
        self.outcomes: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()

    def add(self, decided: Decided) -> None:
        """Keep one, in the order of the leads."""
        self.outcomes[decided.outcome] += 1
        if decided.outcome == "assigned" and decided.site_id is not None and decided.respond_by is not None:
            self.site.append(self._index[decided.site_id])
            self.until_us.append((decided.respond_by - BEGINS) // timedelta(microseconds=1))
            return
        self.site.append(-1)
        self.until_us.append(0)
        if decided.outcome == "waiting" and decided.waiting is not None:
            self.waiting[decided.waiting.value] += 1


def check_month(sites: list[Site], received_us: NDArray[np.int64], kept: Kept) -> dict[str, int]:
    """Sites that reached their limit of a day, or of open leads, at some time. Raises MonthWrong."""
    decided = len(kept.site)
    if decided != len(received_us) or sum(kept.outcomes.values()) != decided:
        raise MonthWrong(f"{len(received_us)} leads came and {decided} were decided")
    if unknown := kept.outcomes.keys() - {"assigned", "waiting", "joined"}:
        raise MonthWrong(f"a first decision cannot be {', '.join(sorted(unknown))}")
    if kept.waiting.total() != kept.outcomes["waiting"]:
        raise MonthWrong("a lead waits for no reason")
    site, until_us = np.array(kept.site, dtype=np.int64), np.array(kept.until_us, dtype=np.int64)
    full = {"day": 0, "open": 0}
    for place, one in enumerate(sites):
        given = site == place
        counts = {
            "day": (one.daily_lead_limit, most_on_a_day(received_us[given])),
            "open": (one.open_lead_limit, most_at_once(received_us[given], until_us[given])),
        }
        for name, (limit, most) in counts.items():
            if limit is not None and most > limit:
                raise MonthWrong(f"{one.site_id} had {most} leads ({name}) and may have {limit}")
            full[name] += most == limit
    return full


def most_on_a_day(received_us: NDArray[np.int64]) -> int:
    """Leads of the busiest local day."""
    return int(np.bincount(received_us // DAY_US).max(initial=0))


def most_at_once(received_us: NDArray[np.int64], until_us: NDArray[np.int64]) -> int:
    """Most leads held at one time. The simulation's clock goes by the minute, and lets go before it gives."""
    from_us = received_us // MINUTE_US * MINUTE_US
    # What ends within a minute is let go at the next.
    to_us = -(-until_us // MINUTE_US) * MINUTE_US
    moments = np.concatenate([to_us, from_us])
    steps = np.concatenate([np.full(len(to_us), -1), np.full(len(from_us), 1)])
    order = np.lexsort([steps, moments])
    return int(np.cumsum(steps[order]).max(initial=0))


@dataclass(frozen=True)
class Month:
    """What the simulation took, and what became of the leads."""

    leads: int
    seconds: float
    cpu_us: float
    """Per lead."""
    peak_mb: float
    """Of this process, from its start."""
    outcomes: dict[str, int]
    waiting: dict[str, int]
    """Of those that wait, by reason."""
    full: dict[str, int]
    """Sites that reached their limit of a `day`, and of `open` leads."""


def measure(site_count: int, lead_count: int, days: int = DAYS) -> Month:
    """Simulate and count again. Raises MonthWrong."""
    sites, leads = month_network(site_count, lead_count / days), month_leads(lead_count, days)
    policy = Policy.from_toml(POLICY.read_text(encoding="utf-8"), 1)
    kept = Kept(sites)
    started, started_cpu = time.perf_counter(), time.process_time()
    forward = Forward(Setting(Snapshot.build(sites, 1).warm(policy.tree_keys()), policy))
    for arriving in leads.arriving():
        for decided in forward.decide(arriving):
            kept.add(decided)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    peak_mb = peak_memory_mb()
    return Month(
        leads=lead_count,
        seconds=seconds,
        cpu_us=cpu_seconds / lead_count * 1e6,
        peak_mb=peak_mb,
        outcomes=dict(kept.outcomes),
        waiting=dict(kept.waiting),
        full=check_month(sites, leads.received_us, kept),
    )


def peak_memory_mb() -> float:
    """Most memory that this program had. Not `ru_maxrss`, which a program inherits from the one that started it."""
    [peak_kb] = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(peak_kb) / 1024


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--sites", type=int, default=500)
    arguments = parser.parse_args()
    print(json.dumps(asdict(measure(arguments.sites, arguments.leads))))


if __name__ == "__main__":
    main()
