"""When site after site does not act: back to the delivery center, then to a person, and never round in a circle."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Ask, Decided, Due, LeadFeatures, LeadLedger, LeadState, StaleReason, decide_batch
from services.router.policy import Policy, PolicyError, check
from services.router.snapshot import Site, Snapshot
from shared.vocabulary import Capability, Intent, SiteKind
from tests.services.router.lives import Life
from tests.services.router.networks import DEFAULT_POLICY, NOW, SITE_IDS, leads, loads, policies, policy, site, sites
from tests.services.router.plain_router import Pick, plain_choice

SALES = [Capability.SALES]
STORES = [
    site(f"store-{number}", 31.3 + number / 100, kind=SiteKind.AGENT_STORE, capabilities=SALES) for number in range(5)
]
CENTER = site("center", 31.9)


@given(sites(), policies, loads, leads(), st.data())
def test_after_any_tries_it_chooses_what_a_look_at_every_site_chooses(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures], data: st.DataObject
) -> None:
    snapshot = Snapshot.build(network, 1)
    for number, features in enumerate(batch):
        excluded = tuple(data.draw(st.lists(st.sampled_from(SITE_IDS), unique=True, max_size=4)))
        waits = LeadLedger(1, LeadState.WAITING, excluded=excluded)
        retry = Due(f"00000000-0000-0000-0000-{number:012}", 1, "retry", NOW)

        [decided] = decide_batch([Ask(features, waits, retry)], snapshot, rules, held, NOW)

        assert isinstance(decided, Decided)
        assert Pick(decided.site_id, decided.waiting) == plain_choice(features, network, rules, held, excluded)


def test_after_its_tries_a_lead_comes_back_to_the_delivery_center_and_then_to_a_person() -> None:
    life = Life([*STORES, CENTER], policy(tries=(2, 0, 4)))

    life.arrives()
    life.declined()
    back = life.is_silent()
    assert (life.row.site_id, orjson.loads(back.record)["center_after"]) == ("center", 2)
    assert [row["site_id"] for row in orjson.loads(back.record)["candidates"]] == ["center"]

    left = life.declined()
    assert (left.waiting, life.row.waiting, life.row.excluded) == (
        "needs_person",
        "needs_person",
        ("store-0", "store-1", "center"),
    )
    assert not any(life.loads.values())
    assert life.is_tried_again() is StaleReason.NEEDS_PERSON


def test_without_a_policy_for_tries_the_next_store_is_asked_until_there_is_none() -> None:
    life = Life(STORES)
    life.arrives()

    outcomes = [life.declined().waiting for _ in STORES]

    assert outcomes == [None, None, None, None, "all_declined"]
    assert b"center_after" not in life.then(Due(str(NOW), 6, "retry", NOW)).record  # type: ignore[union-attr]


def test_a_center_that_the_intent_does_not_name_takes_what_the_stores_leave() -> None:
    stores_only = DEFAULT_POLICY.replace('kinds = ["delivery_center", "agent_store"]', 'kinds = ["agent_store"]')
    rules = Policy.from_toml(stores_only.replace("before_center = 0", "before_center = 1"), 1)
    life = Life([*STORES, CENTER], rules)

    life.arrives()
    life.declined()

    assert life.row.site_id == "center"


def test_the_center_may_be_farther_than_the_intent_allows_when_the_policy_says_so() -> None:
    far = site("center", 32.3)

    for within_km, site_id, waiting in ((0, None, "too_far"), (150, "center", None)):
        life = Life([*STORES, far], policy(tries=(1, within_km, 0)))
        life.arrives()
        decided = life.declined()
        assert (decided.site_id, decided.waiting) == (site_id, waiting)


def test_a_full_center_is_waited_for_and_a_missing_one_is_not() -> None:
    full = site("center", 31.9, limit=1)
    life = Life([*STORES, full], policy(tries=(1, 0, 3)), held={"center": 1})
    life.arrives()

    assert life.declined().waiting == "all_full"
    life.loads["center"] = 0
    assert isinstance(life.is_tried_again(), Decided)
    assert life.row.site_id == "center"

    without = Life(STORES, policy(tries=(1, 0, 3)))
    without.arrives()
    assert without.declined().waiting == "needs_person"


def test_after_the_last_try_nobody_is_asked_although_stores_are_left() -> None:
    life = Life(STORES, policy(tries=(0, 0, 2)))
    life.arrives()
    life.declined()

    decided = life.declined()

    assert (decided.waiting, life.row.excluded) == ("needs_person", ("store-0", "store-1"))


def test_tries_that_could_never_come_to_a_center_are_refused_by_name() -> None:
    with pytest.raises(PolicyError, match="tries: before_person \\(2\\) must be more than before_center \\(3\\)"):
        policy(tries=(3, 0, 2))
    with pytest.raises(PolicyError, match="did you mean before_center"):
        Policy.from_toml(DEFAULT_POLICY.replace("before_center = 0", "before_centre = 3"), 1)


def test_publishing_warns_of_intents_that_no_center_can_take_back() -> None:
    network = Snapshot.build([*STORES, site("center", capabilities=[Capability.MAINTENANCE])], 1)

    warned = [str(finding) for finding in check(policy(tries=(2, 0, 0)), network) if finding.key.startswith("tries")]

    assert warned == [
        "warning: tries.before_center: no open delivery center has sales for the purchase leads that come back"
    ]
    assert not [finding for finding in check(policy(), network) if finding.key.startswith("tries")]
    assert policy(tries=(2, 0, 0)).tree_keys() > policy().tree_keys()
    assert policy().intents[Intent.PURCHASE].key in policy().tree_keys()
