"""The time of a batch: now, never before what is known of a lead, and never another lead's wrong one."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.decision_time import TOGETHER, decision_time
from shared.clock import BELIEVED
from tests.services.router.networks import NOW

ahead_s = st.one_of(
    st.integers(-100_000, 0), st.integers(0, 3), st.integers(3, 90_000), st.integers(86_400, 2_000_000_000)
)
known = st.dictionaries(st.sampled_from("abcdefgh"), ahead_s.map(lambda s: NOW + timedelta(seconds=s)), min_size=1)


@given(known)
def test_no_lead_is_decided_before_what_is_known_of_it(times: dict[str, datetime]) -> None:
    found = decision_time(NOW, times)

    assert found.now >= NOW
    for lead_id, at in times.items():
        if lead_id not in found.ahead and at <= NOW + BELIEVED:
            assert found.now >= at


@given(known)
def test_a_lead_that_is_far_ahead_does_not_take_the_others_along(times: dict[str, datetime]) -> None:
    found = decision_time(NOW, times)

    others = [at for lead_id, at in times.items() if lead_id not in found.ahead]
    if min(others) <= NOW + TOGETHER:
        assert found.now <= NOW + TOGETHER


@given(known)
def test_what_is_left_is_decided_in_one_more_go(times: dict[str, datetime]) -> None:
    left = decision_time(NOW, times).ahead

    assert left < times.keys()
    if left:
        assert not decision_time(NOW, {lead_id: times[lead_id] for lead_id in left}).ahead


def test_a_record_of_another_century_decides_nothing_about_time() -> None:
    found = decision_time(NOW, {"a": datetime(2126, 1, 1, tzinfo=UTC)})

    assert (found.now, found.ahead) == (NOW, frozenset())


def test_the_time_is_in_utc_whatever_the_record_was_in() -> None:
    local = (NOW + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=8)))

    found = decision_time(NOW, {"a": local})

    assert found.now.isoformat() == (NOW + timedelta(seconds=1)).isoformat()
