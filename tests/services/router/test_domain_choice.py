"""Who gets a lead: the fast router must agree with the plain one, and never break a rule."""

from collections import Counter
from collections.abc import Mapping
from random import Random
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Decided, LeadFeatures, decide_batch
from services.router.domain.rendezvous import rendezvous_score
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from shared.vocabulary import Capability, Intent, SiteKind, SiteStatus
from tests.services.router.networks import NOW, lead, leads, loads, policies, policy, received, site, sites
from tests.services.router.plain_router import Pick, plain_choice, plain_order
from tests.services.router.records import lost


def decide(
    features: LeadFeatures, network: list[Site], rules: Policy | None = None, held: Mapping[str, int] | None = None
) -> Decided:
    [decided] = decide_batch([received(features)], Snapshot.build(network, 1), rules or policy(), held or {}, NOW)
    assert isinstance(decided, Decided)
    return decided


@given(sites(), policies, loads, leads())
def test_it_chooses_what_a_look_at_every_site_chooses(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    alone = [features._replace(person_id=str(UUID(int=900 + n))) for n, features in enumerate(batch)]

    decisions = decide_batch(
        [received(features) for features in alone], Snapshot.build(network, 1), rules, dict(held), NOW
    )

    seen = Counter(held)
    for features, decided in zip(alone, decisions, strict=True):
        assert isinstance(decided, Decided)
        assert Pick(decided.site_id, decided.waiting) == plain_choice(features, network, rules, seen)
        seen.update([decided.site_id] if decided.site_id else [])


@given(sites(), policies, loads, leads(), st.randoms(use_true_random=False))
def test_the_order_of_the_network_file_changes_no_byte(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures], random: Random
) -> None:
    asks = [received(features) for features in batch]
    shuffled = random.sample(network, len(network))

    one = decide_batch(asks, Snapshot.build(network, 1), rules, held, NOW)
    two = decide_batch(asks, Snapshot.build(shuffled, 1), rules, held, NOW)

    assert one == two


@given(sites(), policies, loads, leads())
def test_a_batch_decides_what_its_leads_one_by_one_would_be_given(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    snapshot = Snapshot.build(network, 1)
    alone = [features._replace(person_id=str(UUID(int=900 + n))) for n, features in enumerate(batch)]
    before = dict(held)

    together = decide_batch([received(features) for features in alone], snapshot, rules, held, NOW)

    assert held == before
    one_by_one = []
    seen = Counter(held)
    for features in alone:
        [decided] = decide_batch([received(features)], snapshot, rules, seen, NOW)
        assert isinstance(decided, Decided)
        one_by_one.append(decided)
        for site_id, change in decided.deltas:
            seen[site_id] += change
    assert together == one_by_one


@given(sites(), policies, loads, leads())
def test_no_site_gets_a_lead_that_it_may_not_have(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    by_id = {s.site_id: s for s in network}
    load = Counter(held)

    for features, decided in zip(
        batch,
        decide_batch([received(f) for f in batch], Snapshot.build(network, 1), rules, held, NOW),
        strict=True,
    ):
        assert isinstance(decided, Decided)
        if decided.outcome != "assigned":
            continue
        assert decided.site_id is not None
        chosen, rule = by_id[decided.site_id], rules.intents[features.intent]
        load[chosen.site_id] += 1
        assert chosen.status is SiteStatus.OPEN
        assert chosen.kind in rule.kinds
        assert chosen.capabilities.issuperset(rule.requires)
        assert chosen.open_lead_limit is None or load[chosen.site_id] <= chosen.open_lead_limit
        assert orjson.loads(decided.record)["distance_m"] <= rule.max_distance_km * 1000 + 1


@given(sites(), policies, loads, leads(max_size=4))
def test_the_record_lists_the_nearest_in_order_with_the_reason_of_each_loser(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    for features in batch:
        decided = decide(features, network, rules, held)
        rows = orjson.loads(decided.record)["candidates"]
        winners = [row["site_id"] for row in rows if "lost" not in row]
        assert winners == ([decided.site_id] if decided.outcome == "assigned" else [])
        assert all(row["load"] == held.get(row["site_id"], 0) for row in rows)
        order = [site_id for _, site_id in plain_order(features, network, rules)]
        named = [row["site_id"] for row in rows if row["site_id"] in order]
        shown = len(named) if named == order[: len(named)] else len(named) - 1
        assert named[:shown] == order[:shown]
        # Only the winner or the preferred site may stand apart from the nearest.
        assert set(named[shown:]) <= {decided.site_id, features.preferred_site_id}
        assert shown >= min(len(order), rules.candidates)


def test_a_full_mall_sends_the_lead_down_the_road() -> None:
    mall = [site(f"mall-{number:04}", limit=1) for number in range(2000)]
    road = site("road", 31.31)

    decided = decide(lead(), [*mall, road], held={s.site_id: 1 for s in mall})

    assert decided.site_id == "road"
    assert lost(decided) == {f"mall-{number:04}": "full" for number in range(32)} | {"road": None}


def test_the_one_free_shop_of_two_thousand_at_one_point_is_found() -> None:
    mall = [site(f"mall-{number:04}", limit=1) for number in range(2000)]

    decided = decide(lead(), mall, held={s.site_id: 1 for s in mall if s.site_id != "mall-1717"})

    assert decided.site_id == "mall-1717"


def test_two_shops_in_one_mall_share_by_load() -> None:
    network = [site("left"), site("right", 31.3002), site("far", 31.4)]

    decided = decide(lead(), network, held={"left": 3, "right": 1})

    assert decided.site_id == "right"
    assert lost(decided) == {"left": "tie_load", "right": None, "far": "farther"}


def test_a_shop_of_double_weight_carries_double_the_load_before_it_is_passed_over() -> None:
    network = [site("large", weight=2), site("small")]

    assert decide(lead(), network, held={"large": 3, "small": 2}).site_id == "large"
    assert decide(lead(), network, held={"large": 3, "small": 1}).site_id == "small"


def test_taking_a_site_away_moves_only_the_leads_that_it_had() -> None:
    network = [site("a", weight=2), site("b"), site("c"), site("d")]
    people = [lead(number) for number in range(1, 401)]

    with_all = {person.lead_id: decide(person, network).site_id for person in people}
    without_c = {person.lead_id: decide(person, [s for s in network if s.site_id != "c"]).site_id for person in people}

    assert {with_all[moved] for moved in with_all if with_all[moved] != without_c[moved]} == {"c"}


def test_equals_share_by_weight() -> None:
    shares = Counter(
        max(("a", 4), ("b", 2), ("c", 1), key=lambda one: rendezvous_score(str(UUID(int=number)), *one))[0]
        for number in range(7_000)
    )

    assert abs(shares["a"] - 4_000) < 200
    assert abs(shares["b"] - 2_000) < 200


def test_the_wished_site_gets_the_lead_past_nearer_ones() -> None:
    network = [site("near"), site("wished", 31.4), site("farther", 31.5)]

    decided = decide(lead(preferred="wished"), network)

    record = orjson.loads(decided.record)
    assert (decided.site_id, record["preferred"]) == ("wished", "honoured")
    assert lost(decided) == {"near": "not_preferred", "wished": None, "farther": "farther"}


def test_a_wish_that_cannot_be_met_is_refused_with_its_reason() -> None:
    sales = [Capability.SALES]
    network = [
        site("near"),
        site("service", 31.4, capabilities=[Capability.MAINTENANCE]),
        site("point", 31.4, kind=SiteKind.SERVICE_POINT, capabilities=sales),
        site("closed", 31.4, status=SiteStatus.CLOSED),
        site("full", 31.4, limit=1),
        site("remote", 35.0),
    ]
    expected = {
        "nobody-knows": ("refused_unknown", None),
        "service": ("refused_incapable", None),
        "point": ("refused_incapable", "kind_not_allowed"),
        "closed": ("refused_unavailable", None),
        "full": ("refused_unavailable", "full"),
        "remote": ("refused_unavailable", "too_far"),
    }

    for wished, (verdict, why) in expected.items():
        decided = decide(lead(preferred=wished), network, policy(candidates=1), {"full": 1})
        assert decided.site_id == "near"
        assert orjson.loads(decided.record)["preferred"] == verdict
        assert lost(decided).get(wished) == why


def test_each_wait_has_its_name() -> None:
    one = site("one", limit=1)

    assert decide(lead(point=None), [one]).waiting == "location_unclear"
    assert decide(lead(), []).waiting == "no_capable_site"
    assert decide(lead(), [site("one", capabilities=[Capability.MAINTENANCE])]).waiting == "no_capable_site"
    assert decide(lead(point=(39.9, 116.4)), [one]).waiting == "too_far"
    assert decide(lead(), [one], held={"one": 1}).waiting == "all_full"
    assert lost(decide(lead(point=(39.9, 116.4)), [one])) == {"one": "too_far"}


def test_an_agent_store_never_delivers_vehicles() -> None:
    network = [
        site("agent", kind=SiteKind.AGENT_STORE, capabilities=[Capability.SALES]),
        site("center", 31.9),
    ]

    assert decide(lead(intent=Intent.VEHICLE_DELIVERY), network).site_id == "center"
