"""What shares do to simulated leads, and what that costs, against the same leads decided without them."""

from collections import Counter
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.domain import Decided, LeadFeatures, decide_batch
from services.router.snapshot import Site, Snapshot
from services.router.trying import Arriving, Forward, Setting, simulate
from services.router.trying.share_effect import metres_for_share
from tests.services.router.networks import NOW, SITE_IDS, lead, loads, policy, received, site
from tests.services.router.trying.test_simulation import leads as leads_of_a_file

HERE = (31.3, 120.601)
SHARED = {"grand": 60, "lucky": 40}
GRAND, LUCKY = site("a-grand", 31.3, 120.600, partner="grand"), site("b-lucky", 31.3, 120.610, partner="lucky")
due = st.sampled_from([SHARED, {"grand": 30}, {"lucky": 5, "grand": 95}])
given_before = st.fixed_dictionaries({"grand": st.integers(0, 4), "lucky": st.integers(0, 4)})


# Of a few partners, on one another's doorstep: most decisions end in a tie.
malls = st.lists(
    st.tuples(
        st.sampled_from([120.6, 120.602, 120.604, 120.62]),
        st.sampled_from(["grand", "lucky", ""]),
        st.integers(1, 3),
        st.none() | st.integers(1, 3),
    ),
    min_size=2,
    max_size=12,
).map(
    lambda rows: [
        site(SITE_IDS[number], 31.3, lon, partner=partner, weight=weight, limit=limit)
        for number, (lon, partner, weight, limit) in enumerate(rows)
    ]
)


@given(malls, due, loads, given_before, st.builds(lead, st.integers(1, 99), st.just(HERE)))
@settings(max_examples=150)
def test_a_lead_goes_elsewhere_for_a_share_when_without_it_another_site_had_got_it(
    network: list[Site], percents: dict[str, int], held: dict[str, int], before: dict[str, int],
    found: LeadFeatures,
) -> None:  # fmt: skip
    with_shares, without = policy(tie_band_m=500, shares=percents), policy(tie_band_m=500)
    snapshot = Snapshot.build(network, 1)
    counted = {key: before[key.partner] for key in with_shares.contracts}

    [decided] = decide_batch([received(found)], snapshot, with_shares, held, NOW, given=counted)
    [other] = decide_batch([received(found)], snapshot, without, held, NOW)

    assert isinstance(decided, Decided)
    assert isinstance(other, Decided)
    if decided.outcome == "assigned":
        record, plain = orjson.loads(decided.record), orjson.loads(other.record)
        more = None if decided.site_id == other.site_id else record["distance_m"] - plain["distance_m"]
        assert metres_for_share(record, snapshot) == more


@given(malls, due, st.lists(st.sampled_from([0, 40, 20_000, 300_000]), min_size=1, max_size=15))
@settings(max_examples=60)
def test_each_decision_sees_what_those_before_it_in_its_month_were_given(
    network: list[Site], percents: dict[str, int], gaps: list[int]
) -> None:
    rules = policy(tie_band_m=500, shares=percents)
    stream, at = [], NOW
    for number, gap in enumerate(gaps):
        at += timedelta(minutes=gap)
        stream.append(Arriving(lead(number, HERE)._replace(received_at=at)))

    decided = Forward(Setting(Snapshot.build(network, 1), rules)).decide(stream)

    counted: Counter[str] = Counter()
    month = None
    partner_of = {one.site_id: one.offering.partner for one in network}
    for one, answer in zip(stream, decided, strict=True):
        local = (one.lead.received_at + timedelta(hours=8)).strftime("%Y-%m")
        if local != month:
            month, counted = local, Counter()
        for row in orjson.loads(answer.record).get("candidates", []):
            if "share_behind" in row:
                partner = partner_of[row["site_id"]]
                in_city = sum(counted[name] for name in percents)
                assert row["share_behind"] == percents[partner] * (in_city + 1) - 100 * counted[partner]
        if answer.outcome == "assigned":
            counted[partner_of[answer.site_id or ""]] += 1


@given(malls, due, st.integers(1, 30))
@settings(max_examples=30)
def test_the_leads_of_a_city_add_up_to_the_assigned_ones_and_the_shares_to_a_recount(
    network: list[Site], percents: dict[str, int], count: int
) -> None:
    setting = Setting(Snapshot.build(network, 1), policy(tie_band_m=500, shares=percents))
    columns = leads_of_a_file(count, HERE[1])

    found = simulate(setting, columns, NOW, lambda _: None)

    forward = Forward(setting)
    by_site = Counter(one.site_id for part in columns.arriving(NOW) for one in forward.decide(part) if one.site_id)
    assert sum(one.leads for one in found.sites) == found.assigned == by_site.total()
    by_partner: Counter[str] = Counter()
    for one in network:
        by_partner[one.offering.partner] += by_site[one.site_id]
    promised = sum(by_partner[partner] for partner in percents)
    assert found.shares is not None
    for share in found.shares.partners:
        assert share.leads == by_partner[share.partner]
        assert share.share == (share.leads / promised if promised else None)


def test_what_is_shown_is_what_was_decided() -> None:
    columns = leads_of_a_file(50, 120.601, minutes_apart=1)
    setting = Setting(Snapshot.build([GRAND, LUCKY], 1), policy(tie_band_m=2000, shares={"grand": 70, "lucky": 30}))
    done: list[int] = []

    found = simulate(setting, columns, NOW, done.append)

    forward = Forward(setting)
    decided = [one for part in columns.arriving(NOW) for one in forward.decide(part)]
    by_site = Counter(one.site_id for one in decided if one.site_id)
    assert found.shares is not None
    grand, lucky = found.shares.partners
    assert by_site == {"a-grand": grand.leads, "b-lucky": lucky.leads}
    assert (grand.leads, lucky.leads, grand.ahead) == (35, 15, 0)
    assert grand.leads + lucky.leads == found.assigned == 50
    assert found.shares.leads_without == (25, 25)
    assert sum(done) == 100
    decided_by_share = sum(b"tie_share" in one.record for one in decided)
    assert 0 < found.shares.moved <= decided_by_share


def test_a_share_of_the_farther_site_is_paid_in_distance() -> None:
    columns = leads_of_a_file(100, 120.601)
    network = Snapshot.build([GRAND, LUCKY], 1)

    even, uneven = (
        simulate(Setting(network, policy(tie_band_m=2000, shares=shares)), columns, NOW, lambda _: None)
        for shares in ({"grand": 50, "lucky": 50}, {"grand": 10, "lucky": 90})
    )

    assert even.shares is not None
    assert uneven.shares is not None
    assert uneven.shares.moved_km_more is not None
    assert [one.leads for one in uneven.shares.partners] == [10, 90]
    assert uneven.shares.mean_km_without == even.mean_km == pytest.approx((0.095 + 0.857) / 2, abs=0.001)
    assert uneven.mean_km == pytest.approx(0.1 * 0.095 + 0.9 * 0.857, abs=0.001)
    assert uneven.shares.gini_without == 0
    assert uneven.gini == pytest.approx(0.4)
    assert uneven.shares.moved >= 40


def test_who_has_no_contract_sees_nothing_of_shares() -> None:
    columns = leads_of_a_file(3, 120.601)
    assert simulate(Setting(Snapshot.build([GRAND], 1), policy()), columns, NOW, lambda _: None).shares is None


def test_a_new_month_begins_with_nobody_ahead() -> None:
    rules = policy(tie_band_m=2000, shares={"lucky": 1})
    first = lead(1, (31.3, 120.605))._replace(received_at=NOW)
    later = lead(2, (31.3, 120.605))._replace(received_at=NOW + timedelta(days=31))
    network = Snapshot.build([site("c", 31.3, 120.600), LUCKY], 1)

    behind = [
        [row.get("share_behind") for row in orjson.loads(one.record)["candidates"] if "share_behind" in row]
        for one in Forward(Setting(network, rules)).decide([Arriving(first), Arriving(later)])
    ]

    assert behind == [[1], [1]]
