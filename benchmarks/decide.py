"""Times `decide_batch` alone: microseconds a lead with its whole record, at 500 and at 100,000 sites.

    python -m benchmarks.decide [--json] [--rounds 15]

Leads stand near sites, as people do; every fifth site shares its point with another (one mall, two stores). The goal is
at most 10 us a lead in batches of 500, and at most 1.15 times that with two hundred times the sites.
"""

import argparse
import gc
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from time import process_time
from uuid import UUID

from services.router.domain import NEW, Ask, Decided, LeadFeatures, Received, decide_batch
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from shared.vocabulary import Capability, Datum, Intent, SiteKind

BATCH = 500
NOW = datetime(2026, 6, 1, 9, 30, 0, 123456, tzinfo=UTC)
POLICY = Path(__file__).parent.parent / "services" / "router" / "default_policy.toml"

# Centres of the 17 recruitment cities to a tenth of a degree: Suzhou, Chongqing, Ningbo, Nanjing, Wenzhou, Wuxi, Xi'an,
# Foshan, Zhengzhou, Changsha, Dongguan, Tianjin, Hefei, Xiamen, Qingdao, Haikou, Shijiazhuang.
CITIES = (
    (31.3, 120.6), (29.6, 106.5), (29.9, 121.5), (32.1, 118.8), (28.0, 120.7), (31.5, 120.3), (34.3, 108.9),
    (23.0, 113.1), (34.7, 113.6), (28.2, 112.9), (23.0, 113.7), (39.1, 117.2), (31.8, 117.2), (24.5, 118.1),
    (36.1, 120.4), (20.0, 110.3), (38.0, 114.5),
)  # fmt: skip


def synthetic_towns(site_count: int, random: Random) -> list[tuple[float, float]]:
    """Where sites and leads are: the cities, and for a larger network more towns (a wider one, not a denser one)."""
    more = max(0, site_count // 30 - len(CITIES))
    return [*CITIES, *[(random.uniform(22, 45), random.uniform(80, 125)) for _ in range(more)]]


def synthetic_sites(count: int, towns: list[tuple[float, float]], random: Random) -> list[Site]:
    """Sites scattered round the towns (normal, 20 km): one delivery center in eight, the rest agents and service."""
    sites: list[Site] = []
    for number in range(count):
        lat, lon = _near(random.choice(towns), random)
        if number % 5 == 4:
            lat, lon = sites[-1].lat, sites[-1].lon
        kind = random.choices(list(SiteKind), (1, 5, 2))[0]
        sites.append(
            Site(
                f"site-{number:06d}", "Site", kind, "City", "District", lat, lon, Datum.WGS84,
                _capabilities(kind, random),
                weight=random.choice((1, 1, 2)), open_lead_limit=random.choice((None, 200)),
            )
        )  # fmt: skip
    return sites


def synthetic_leads(count: int, towns: list[tuple[float, float]], random: Random) -> list[LeadFeatures]:
    """Leads of every intent round the same towns, each of another person."""
    return [
        LeadFeatures(
            str(UUID(int=random.getrandbits(128))), str(UUID(int=random.getrandbits(128))), random.choice(list(Intent)),
            _near(random.choice(towns), random), None, NOW,
        )
        for _ in range(count)
    ]  # fmt: skip


@dataclass(frozen=True)
class Traffic:
    """A network, the policy and batches of leads: what every contestant of a size is given."""

    sites: list[Site]
    policy: Policy
    batches: list[list[LeadFeatures]]

    @property
    def leads(self) -> list[LeadFeatures]:
        """Those of all batches."""
        return [lead for batch in self.batches for lead in batch]


def make_traffic(site_count: int, rounds: int) -> Traffic:
    """`rounds` batches near `site_count` sites; the same numbers give the same traffic."""
    random = Random(17)
    towns = synthetic_towns(site_count, random)
    sites = synthetic_sites(site_count, towns, random)
    policy = Policy.from_toml(POLICY.read_text(encoding="utf-8"), 1)
    return Traffic(sites, policy, [synthetic_leads(BATCH, towns, random) for _ in range(rounds)])


def measure(site_count: int, rounds: int) -> dict[str, float]:
    """Microseconds a lead, median and best of `rounds` batches, and seconds to build the snapshot with its trees.

    Processor time, not the clock on the wall: one thread decides, and what else the machine does is no part of it.
    """
    traffic = make_traffic(site_count, rounds)
    sites, policy = traffic.sites, traffic.policy
    started = process_time()
    snapshot = Snapshot.build(sites, 1).warm(policy.tree_keys())
    build_s = process_time() - started
    # The same traffic on either network: a few hundred sites hold leads at this moment.
    random = Random(18)
    loads = {site.site_id: random.randrange(1, 4) for site in random.sample(sites, 300)}
    took_us = []
    for leads in traffic.batches:
        batch = [Ask(lead, NEW, Received(lead.person_id)) for lead in leads]
        started = process_time()
        decided = decide_batch(batch, snapshot, policy, loads, NOW)
        took_us.append((process_time() - started) / BATCH * 1e6)
        if not all(isinstance(answer, Decided) for answer in decided):
            raise AssertionError("a new lead was refused")
    return {"sites": site_count, "us_per_lead": median(took_us), "best_us": min(took_us), "build_s": build_s}


def main() -> None:
    """Print one line per network size, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    arguments = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    small, large = measure(500, arguments.rounds), measure(100_000, arguments.rounds)
    ratio = large["us_per_lead"] / small["us_per_lead"]
    if arguments.json:
        print(json.dumps({"small": small, "large": large, "ratio": ratio}))
        return
    for row in (small, large):
        print(
            f"{row['sites']:>7,.0f} sites: {row['us_per_lead']:6.2f} us a lead (best {row['best_us']:.2f}), "
            f"snapshot and trees in {row['build_s']:.3f} s"
        )
    print(f"ratio {ratio:.2f} (goal <= 1.15), goal <= 10 us a lead in batches of {BATCH}")


def _near(centre: tuple[float, float], random: Random) -> tuple[float, float]:
    return round(centre[0] + random.gauss(0, 0.18), 6), round(centre[1] + random.gauss(0, 0.2), 6)


def _capabilities(kind: SiteKind, random: Random) -> frozenset[Capability]:
    if kind is SiteKind.DELIVERY_CENTER:
        return frozenset(Capability)
    pool = (
        (Capability.MAINTENANCE, Capability.MECHANICAL_REPAIR, Capability.BODY_REPAIR, Capability.PAINT_REPAIR)
        if kind is SiteKind.SERVICE_POINT
        else (Capability.SALES, Capability.TEST_DRIVE, Capability.MAINTENANCE, Capability.MECHANICAL_REPAIR)
    )
    return frozenset([pool[0], *(capability for capability in pool[1:] if random.random() < 0.6)])


if __name__ == "__main__":
    main()
