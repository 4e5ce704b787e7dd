"""The hand-written bytes are the contract's bytes."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.router.domain import Decided, LeadFeatures, decide_batch, decision_id
from services.router.domain.record import decision_ids, utc_text, utc_texts
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from shared.contracts import LeadAssigned, derived_id
from tests.services.router.journeys import Journey, journeys
from tests.services.router.networks import NOW, lead, leads, loads, policies, policy, received, site, sites
from tests.services.router.records import CONTRACT


@given(st.uuids(), st.integers(1, 10_000))
def test_a_decision_has_the_id_that_its_cause_derives(lead_id: UUID, epoch: int) -> None:
    assert decision_id(str(lead_id), epoch) == str(derived_id("decision", lead_id, epoch))


@given(st.lists(st.tuples(st.uuids().map(str), st.integers(1, 10_000)), max_size=5))
def test_many_decisions_have_the_ids_that_each_has_alone(decisions: list[tuple[str, int]]) -> None:
    assert decision_ids(decisions) == [decision_id(lead_id, epoch) for lead_id, epoch in decisions]


@given(sites(), policies, loads, leads())
def test_a_first_decision_is_written_as_its_contract_writes_it(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    for decided in decide_batch([received(f) for f in batch], Snapshot.build(network, 4), rules, held, NOW):
        assert isinstance(decided, Decided)
        model = CONTRACT.validate_json(decided.record)
        assert model.model_dump_json(exclude_none=True).encode() == decided.record
        assert (model.outcome, model.epoch, str(model.decision_id)) == (
            decided.outcome,
            decided.epoch,
            decided.decision_id,
        )


@given(journeys())
def test_every_decision_of_a_life_is_written_as_its_contract_writes_it(journey: Journey) -> None:
    for step in journey.steps:
        model = CONTRACT.validate_json(step.decided.record)
        assert model.model_dump_json(exclude_none=True).encode() == step.decided.record


@given(
    st.datetimes(
        NOW.replace(year=2000, tzinfo=None),
        NOW.replace(year=2100, tzinfo=None),
        timezones=st.integers(-14, 14).map(lambda h: timezone(timedelta(hours=h))),
    )
)
def test_times_are_written_as_pydantic_writes_utc(moment: datetime) -> None:
    utc = moment.astimezone(UTC)

    assert utc_text(moment) == TypeAdapter(datetime).dump_json(utc).decode().strip('"')


def test_many_times_are_written_as_each_is_alone() -> None:
    times = [NOW, NOW.replace(microsecond=0), NOW.astimezone(timezone(timedelta(hours=8)))]

    assert utc_texts(times) == [utc_text(time) for time in times]
    assert utc_texts([]) == []


def test_a_batch_in_which_nothing_is_asked_has_no_answers() -> None:
    assert decide_batch([], Snapshot.build([site("one")], 1), policy(), {}, NOW) == []


def test_a_sender_in_another_time_zone_changes_no_byte() -> None:
    snapshot = Snapshot.build([site("one")], 1)
    shanghai = lead()._replace(received_at=NOW.astimezone(timezone(timedelta(hours=8))))

    assert decide_batch([received(lead())], snapshot, policy(), {}, NOW) == decide_batch(
        [received(shanghai)], snapshot, policy(), {}, NOW
    )


def test_an_assignment_reads_as_people_expect() -> None:
    snapshot = Snapshot.build([site("one"), site("two", 31.4)], 12)

    [decided] = decide_batch([received(lead())], snapshot, policy(), {"two": 2}, NOW)

    assert isinstance(decided, Decided)
    assigned = CONTRACT.validate_json(decided.record)
    assert isinstance(assigned, LeadAssigned)
    assert (assigned.network_revision, assigned.policy_version, assigned.engine_version) == (12, 7, "1")
    assert assigned.respond_by == NOW + timedelta(minutes=10)
    assert [(c.site_id, c.distance_m, c.load, c.lost) for c in assigned.candidates] == [
        ("one", 0, 0, None),
        ("two", 11088, 2, "farther"),
    ]
