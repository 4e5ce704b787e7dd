"""Water between a lead and the site that looks nearest."""

import orjson
import pytest

from services.router.domain import Decided, decide_batch
from services.router.policy import Policy, PolicyError
from services.router.snapshot import Site, Snapshot
from tests.services.router.networks import DEFAULT_POLICY, lead, policy, received, site

# The bay lies between 120.62 and the sites east of it; the lead of `lead()` is at 31.3, 120.6.
BAY = [(31.0, 120.62), (31.6, 120.62)]
ACROSS, ROUND = site("across", lon=120.63), site("round", lon=120.55)


def decide(*network: Site, rules: Policy, preferred: str | None = None) -> Decided:
    [decided] = decide_batch(
        [received(lead(preferred=preferred))], Snapshot.build(network, 1), rules, {}, lead().received_at
    )
    assert isinstance(decided, Decided)
    return decided


def candidates(decided: Decided) -> dict[str, dict[str, object]]:
    return {row.pop("site_id"): row for row in orjson.loads(decided.record)["candidates"]}


def test_without_a_barrier_the_site_across_the_bay_looks_nearest() -> None:
    assert decide(ACROSS, ROUND, rules=policy()).site_id == "across"


def test_a_bay_sends_the_lead_to_the_site_on_its_own_side_and_the_record_says_why() -> None:
    decided = decide(ACROSS, ROUND, rules=policy(barriers=[(BAY, 40)]))
    assert decided.site_id == "round"
    shown = candidates(decided)
    assert list(shown) == ["round", "across"]
    assert shown["across"]["detour_m"] == 40_000
    assert shown["across"]["distance_m"] < shown["round"]["distance_m"]  # type: ignore[operator]
    assert "detour_m" not in shown["round"]


def test_who_has_no_other_site_goes_round_the_bay_and_the_distance_stays_the_straight_one() -> None:
    decided = decide(ACROSS, rules=policy(barriers=[(BAY, 40)]))
    assert decided.site_id == "across"
    assert orjson.loads(decided.record)["distance_m"] == candidates(decided)["across"]["distance_m"]


def test_a_detour_counts_towards_the_greatest_distance() -> None:
    decided = decide(ACROSS, rules=policy(barriers=[(BAY, 40)], max_km=20))
    assert (decided.outcome, decided.waiting) == ("waiting", "too_far")


def test_a_site_asked_for_by_name_may_lie_across_the_bay_but_not_too_far() -> None:
    near, far = policy(barriers=[(BAY, 40)]), policy(barriers=[(BAY, 40)], max_km=20)
    assert decide(ACROSS, ROUND, rules=near, preferred="across").site_id == "across"
    refused = decide(ACROSS, ROUND, rules=far, preferred="across")
    assert (refused.site_id, orjson.loads(refused.record)["preferred"]) == ("round", "refused_unavailable")


@pytest.mark.parametrize(
    ("barrier", "fault"),
    [
        ('line = [[120.62, 31.0], [120.62, 31.6]]\ndatum = "wgs84"\ndetour_km = 40', "look swapped"),
        ('line = [[31.0, 179.5], [31.6, -179.5]]\ndatum = "wgs84"\ndetour_km = 40', "crosses the 180th meridian"),
        ("line = [[31.0, 120.62], [31.6, 120.62]]\ndetour_km = 40", "barriers.0.datum: is missing; add it"),
        ('line = [[31.0, 120.62]]\ndatum = "wgs84"\ndetour_km = 40', "barriers.0.line"),
        ('line = [[31.0, 120.62], [31.6, 120.62]]\ndatum = "gps"\ndetour_km = 40', "did you mean wgs84?"),
        ('line = [[31.0, 120.62], [31.6, 120.62]]\ndatum = "wgs84"\ndetour = 40', "did you mean detour_km?"),
    ],
)
def test_a_barrier_that_cannot_be_meant_is_refused_with_the_way_out(barrier: str, fault: str) -> None:
    with pytest.raises(PolicyError, match=fault.replace("?", r"\?")):
        Policy.from_toml(f'{DEFAULT_POLICY}\n[[barriers]]\nname = "bay"\n{barrier}\n', 1)
