"""What was decided can be decided again, to the byte; what was altered cannot."""

from uuid import UUID

from hypothesis import example, given

from services.router.domain import Decided, Past, decide_batch, ledger_after, redecide, redecide_batch
from services.router.snapshot import Snapshot
from shared.contracts import Answer, LeadAnswered, LeadAssigned, LeadDecided, LeadWaiting
from tests.services.router.journeys import Journey, Step, journeys
from tests.services.router.networks import NOW, as_fact, lead, policy, received, site
from tests.services.router.records import CONTRACT


def full_at_the_edge_of_a_tie() -> Journey:
    """A mall of one point that a search does not exhaust; its last shop is full after the first lead."""
    shops = ["site-0", "site-1", "site-10", "site-11", "site-2", "site-3"]
    mall = [site("site-36", limit=1), *(site(shop) for shop in shops)]
    journey = Journey(Snapshot.build(mall, 3), policy(tie_band_m=0, candidates=1, max_km=0.2))
    for features in (lead(4, preferred="site-36"), lead(1)):
        held = {step.decided.site_id or "": 1 for step in journey.steps}
        [decided] = decide_batch([received(features)], journey.snapshot, journey.policy, held, NOW)
        assert isinstance(decided, Decided)
        journey.steps.append(Step(features, None, decided))
    return journey


@given(journeys())
@example(full_at_the_edge_of_a_tie())
def test_every_decision_is_decided_again_to_the_byte(journey: Journey) -> None:
    earlier: dict[str, list[LeadDecided]] = {}
    past = []
    for step in journey.steps:
        recorded = CONTRACT.validate_json(step.decided.record)
        previous = earlier.setdefault(step.lead.lead_id, [])

        again = redecide(recorded, as_fact(step.lead), previous, step.trigger, journey.snapshot, journey.policy)

        assert again == step.decided.record
        past.append(Past(recorded, as_fact(step.lead), tuple(previous), step.trigger))
        previous.append(recorded)
    assert redecide_batch(past, journey.snapshot, journey.policy) == [step.decided.record for step in journey.steps]


@given(journeys())
def test_the_row_of_a_lead_follows_from_its_decisions(journey: Journey) -> None:
    decisions: dict[str, list[LeadDecided]] = {}
    for step in journey.steps:
        decisions.setdefault(step.lead.lead_id, []).insert(0, CONTRACT.validate_json(step.decided.record))

        assert ledger_after(decisions[step.lead.lead_id]) == step.decided.after


def test_a_tie_and_a_full_site_are_decided_again_with_the_loads_of_that_day() -> None:
    snapshot = Snapshot.build([site("full", limit=2), site("busy"), site("idle", 31.3001), site("far", 31.5)], 1)
    rules = policy()
    [decided] = decide_batch([received(lead())], snapshot, rules, {"full": 2, "busy": 5, "idle": 4}, NOW)
    assert isinstance(decided, Decided)
    assert decided.site_id == "idle"

    recorded = CONTRACT.validate_json(decided.record)

    assert redecide(recorded, as_fact(lead()), [], None, snapshot, rules) == decided.record


def test_a_mall_larger_than_a_record_is_decided_again() -> None:
    mall = [site(f"mall-{number:04}", limit=3) for number in range(200)]
    snapshot, rules = Snapshot.build(mall, 1), policy()
    held = {s.site_id: 3 for s in mall if s.site_id not in ("mall-0090", "mall-0150")} | {"mall-0090": 1}

    for loads in (held, held | {"mall-0150": 3, "mall-0090": 3}):
        [decided] = decide_batch([received(lead())], snapshot, rules, loads, NOW)
        assert isinstance(decided, Decided)
        recorded = CONTRACT.validate_json(decided.record)
        assert isinstance(recorded, LeadAssigned | LeadWaiting)
        assert len(recorded.candidates) == (33 if decided.site_id else 32)
        assert redecide(recorded, as_fact(lead()), [], None, snapshot, rules) == decided.record


def test_a_record_that_names_another_site_is_found_out() -> None:
    snapshot, rules = Snapshot.build([site("near"), site("friend", 31.4)], 1), policy()
    [decided] = decide_batch([received(lead())], snapshot, rules, {}, NOW)
    assert isinstance(decided, Decided)
    altered = CONTRACT.validate_json(
        decided.record.replace(b'"outcome":"assigned","site_id":"near"', b'"outcome":"assigned","site_id":"friend"')
    )

    assert redecide(altered, as_fact(lead()), [], None, snapshot, rules) == decided.record


def test_a_record_that_hides_the_nearest_site_is_found_out() -> None:
    snapshot, rules = Snapshot.build([site("near"), site("friend", 31.4)], 1), policy()
    honest = Snapshot.build([site("friend", 31.4)], 1)
    [decided] = decide_batch([received(lead())], honest, rules, {}, NOW)
    assert isinstance(decided, Decided)

    again = redecide(CONTRACT.validate_json(decided.record), as_fact(lead()), [], None, snapshot, rules)

    assert again != decided.record
    assert b'"site_id":"near"' in again


def test_a_decision_that_should_not_have_been_taken_is_named_stale() -> None:
    snapshot, rules = Snapshot.build([site("near"), site("next", 31.4)], 1), policy()
    [first] = decide_batch([received(lead())], snapshot, rules, {}, NOW)
    assert isinstance(first, Decided)
    recorded = CONTRACT.validate_json(first.record)
    late = LeadAnswered(
        lead_id=UUID(first.lead_id), epoch=9, site_id="near", answer=Answer.DECLINED, answered_at=NOW, via="inbox"
    )

    assert redecide(recorded, as_fact(lead()), [recorded], late, snapshot, rules) == b'{"stale":"wrong_epoch"}'
    assert redecide(recorded, as_fact(lead()), [recorded], None, snapshot, rules) == b'{"stale":"already_received"}'
