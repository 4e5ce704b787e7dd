"""Partners get their part of a city's leads, as far as equally near sites allow."""

from collections import Counter
from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Decided, LeadFeatures, Travel, decide_batch, month_of, redecide
from services.router.policy import Contracted, Policy, PolicyError, check
from services.router.snapshot import Site, Snapshot
from tests.services.router.networks import (
    DEFAULT_POLICY,
    NOW,
    as_fact,
    lead,
    leads,
    loads,
    policy,
    received,
    site,
    sites,
    travels,
)
from tests.services.router.plain_router import Pick, plain_choice
from tests.services.router.records import CONTRACT

GRAND, LUCKY, OWN = site("a-grand", partner="grand"), site("b-lucky", partner="lucky"), site("c-own")
FAR_LUCKY = site("far-lucky", lon=120.7, partner="lucky")
SHARED = {"grand": 60, "lucky": 40}

sharing = st.builds(
    policy,
    tie_band_m=st.sampled_from([50, 500]),
    candidates=st.integers(1, 6),
    max_km=st.sampled_from([2, 20_000]),
    travel=st.sampled_from([(0, 60), (8, 60)]),
    shares=st.sampled_from([SHARED, {"grand": 30}, {"lucky": 5, "grand": 95}]),
)
given_before = st.fixed_dictionaries({"grand": st.integers(0, 4), "lucky": st.integers(0, 4)})


def keyed(counts: dict[str, int], rules: Policy) -> dict[Contracted, int]:
    return {key: counts[key.partner] for key in rules.contracts}


def candidates(decided: object) -> list[tuple[str, int | None, str | None]]:
    assert isinstance(decided, Decided)
    rows = orjson.loads(decided.record)["candidates"]
    return [(row["site_id"], row.get("share_behind"), row.get("lost")) for row in rows]


@given(sites(), sharing, loads, given_before, leads(), travels)
def test_it_chooses_what_a_look_at_every_site_chooses_and_decides_it_again_to_the_byte(
    network: list[Site], rules: Policy, held: dict[str, int], before: dict[str, int], batch: list[LeadFeatures],
    travel: Travel | None,
) -> None:  # fmt: skip
    alone = [features._replace(person_id=str(UUID(int=900 + n))) for n, features in enumerate(batch)]
    snapshot = Snapshot.build(network, 1)
    asks = [received(features)._replace(travel=travel) for features in alone]

    decisions = decide_batch(asks, snapshot, rules, held, NOW, given=keyed(before, rules))

    partner_of = {one.site_id: one.offering.partner for one in network}
    seen, counted = Counter(held), Counter(before)
    for ask, decided in zip(asks, decisions, strict=True):
        assert isinstance(decided, Decided)
        expected = plain_choice(ask.lead, network, rules, seen, travel=ask.travel, given=counted)
        assert Pick(decided.site_id, decided.waiting) == expected
        if decided.site_id:
            seen[decided.site_id] += 1
            counted[partner_of[decided.site_id]] += 1
        fact = CONTRACT.validate_json(decided.record)
        assert fact.model_dump_json(exclude_none=True).encode() == decided.record
        assert redecide(fact, as_fact(ask.lead), [], None, snapshot, rules) == decided.record


def test_ten_leads_in_one_batch_are_given_as_the_contract_says() -> None:
    network = Snapshot.build([GRAND, LUCKY], 1)

    decided = decide_batch([received(lead(n), n) for n in range(1, 11)], network, policy(shares=SHARED), {}, NOW)

    assert Counter(one.site_id for one in decided if isinstance(one, Decided)) == {"a-grand": 6, "b-lucky": 4}


def test_the_record_shows_who_was_behind_and_who_lost_by_it() -> None:
    rules = policy(shares=SHARED)
    network = Snapshot.build([GRAND, LUCKY, OWN], 1)

    [decided] = decide_batch([received(lead())], network, rules, {}, NOW, given=keyed({"grand": 3, "lucky": 1}, rules))

    assert candidates(decided) == [("a-grand", 0, "tie_share"), ("b-lucky", 100, None), ("c-own", None, "tie_share")]


def test_a_share_reaches_nobody_beyond_the_tie() -> None:
    rules = policy(shares=SHARED)
    network = Snapshot.build([GRAND, FAR_LUCKY], 1)

    [decided] = decide_batch([received(lead())], network, rules, {}, NOW, given=keyed({"grand": 50, "lucky": 0}, rules))

    assert candidates(decided) == [("a-grand", None, None), ("far-lucky", None, "farther")]


def test_the_month_is_that_of_china() -> None:
    assert month_of(datetime(2026, 6, 30, 15, 59, tzinfo=UTC)) == date(2026, 6, 1)
    assert month_of(datetime(2026, 6, 30, 16, tzinfo=UTC)) == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ('[[shares]]\ncity = "City"\npartners = { grand = 60, lucky = 41 }', "101 percent"),
        ('[[shares]]\ncity = "City"\npartners = { grand = 6 }\n' * 2, "more than once"),
    ],
)
def test_a_contract_that_cannot_be_kept_is_refused(tables: str, fault: str) -> None:
    with pytest.raises(PolicyError, match=fault):
        Policy.from_toml(f"{DEFAULT_POLICY}\n{tables}", 1)


def test_a_city_or_partner_that_the_network_lacks_is_a_warning() -> None:
    tables = '[[shares]]\ncity = "Citty"\npartners = { grand = 6 }\n[[shares]]\ncity = "CITY"\npartners = { grnd = 6 }'
    rules = Policy.from_toml(f"{DEFAULT_POLICY}\n{tables}", 1)

    found = [str(one) for one in check(rules, Snapshot.build([GRAND, LUCKY], 1)) if one.key.startswith("shares")]

    assert [line.split(";")[0] for line in found] == [
        "warning: shares.0.city: no site is in 'Citty'",
        "warning: shares.1.partners: 'grnd' has no site in CITY",
    ]
