from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from services.router.trying import Arriving, Forward, Setting
from shared.contracts import WaitingReason
from shared.vocabulary import Intent
from tests.services.router.networks import NOW, lead, leads, policies, policy, site, sites


def arriving(number: int, minutes: float, person: int | None = None) -> Arriving:
    """A purchase lead, so many minutes after the beginning."""
    features = lead(number, person=person)._replace(received_at=NOW + timedelta(minutes=minutes))
    return Arriving(features, comes_again=person is not None)


@st.composite
def streams(draw: st.DrawFn) -> list[Arriving]:
    """Leads of a few persons, spread over minutes and days."""
    found = draw(leads())
    gaps = draw(st.lists(st.sampled_from([0, 0, 1, 40, 600, 5_000, 300_000]), min_size=len(found), max_size=len(found)))
    stream, seconds = [], 0
    for features, gap in zip(found, gaps, strict=True):
        seconds += gap
        stream.append(Arriving(features._replace(received_at=NOW + timedelta(seconds=seconds)), comes_again=True))
    return stream


@given(sites(), policies, streams(), st.sets(st.integers(0, 12)))
@settings(max_examples=60)
def test_how_a_stream_is_cut_changes_no_byte(
    network: list[Site], rules: Policy, stream: list[Arriving], cuts: set[int]
) -> None:
    setting = Setting(Snapshot.build(network, 1), rules)
    whole = Forward(setting).decide(stream)
    edges = [0, *sorted(cuts), len(stream)]
    in_parts = Forward(setting)
    parts = [one for first, end in pairwise(edges) for one in in_parts.decide(stream[first:end])]
    assert parts == whole


def test_a_site_keeps_a_lead_until_its_deadline_and_then_has_room_again() -> None:
    forward = Forward(Setting(Snapshot.build([site("a", limit=1)], 1), policy()))
    minutes = policy().intents[Intent.PURCHASE].respond_by_minutes
    first, full, again = forward.decide([arriving(1, 0), arriving(2, minutes - 1), arriving(3, minutes + 1)])
    assert (first.site_id, again.site_id) == ("a", "a")
    assert (full.site_id, full.waiting) == (None, WaitingReason.ALL_FULL)


def test_loads_start_from_zero_and_choose_among_equals() -> None:
    forward = Forward(Setting(Snapshot.build([site("a"), site("b", weight=3)], 1), policy()))
    chosen = [one.site_id for one in forward.decide([arriving(number, 0) for number in range(1, 5)])]
    assert sorted(filter(None, chosen)) == ["a", "b", "b", "b"]


def test_a_persons_second_lead_joins_the_first_wherever_it_is_kept() -> None:
    forward = Forward(Setting(Snapshot.build([site("a")], 1), policy()))
    [first] = forward.decide([arriving(1, 0, person=7)])
    [held] = forward.decide([arriving(2, 5, person=7)])
    [accepted] = forward.decide([arriving(3, 60, person=7)])
    assert (first.outcome, held.outcome, accepted.outcome) == ("assigned", "joined", "joined")
    assert {held.joins_lead_id, accepted.joins_lead_id} == {first.lead_id}
    assert (held.site_id, accepted.site_id) == ("a", "a")


def test_after_the_window_a_person_begins_anew() -> None:
    forward = Forward(Setting(Snapshot.build([site("a")], 1), policy()))
    hours = policy().join.window_hours
    first, later = forward.decide([arriving(1, 0, person=7), arriving(2, hours * 60 + 11, person=7)])
    assert (first.outcome, later.outcome) == ("assigned", "assigned")


def test_a_lead_joins_one_that_waits_and_waits_with_it() -> None:
    forward = Forward(Setting(Snapshot.build([], 1), policy()))
    forward.decide([arriving(1, 0, person=7)])
    [second] = forward.decide([arriving(2, 5, person=7)])
    assert (second.outcome, second.site_id) == ("joined", None)
