from datetime import UTC, datetime
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.equation import SHOWN, Equation, LeadSeen, Tally
from services.audit.domain.moves import Step

HELD = Step(1, "assigned", "received", datetime(2026, 3, 2, tzinfo=UTC), site_id="near")
IDS = st.lists(st.uuids(), unique=True, max_size=30)


def seen(
    lead_id: UUID, *, intake: bool = True, facts: int = 1, dead: bool = False, state: str | None = "held"
) -> LeadSeen:
    return LeadSeen(lead_id, intake, facts, dead, state, None if state is None else 1)


def tally(ids: list[UUID]) -> Tally:
    total = Tally()
    for lead_id in ids:
        total.add(lead_id)
    return total


@given(IDS, st.randoms())
def test_a_tally_does_not_depend_on_order_and_adds_up(ids: list[UUID], random: Random) -> None:
    shuffled = ids.copy()
    random.shuffle(shuffled)
    cut = len(ids) // 2

    assert tally(ids) == tally(shuffled) == tally(ids[:cut]) + tally(ids[cut:])


@given(st.uuids(), st.uuids())
def test_a_swap_of_two_leads_shows_although_the_counts_agree(one: UUID, two: UUID) -> None:
    assert (tally([one]) == tally([two])) is (one == two)


@given(IDS)
def test_leads_that_all_sides_know_are_clean(ids: list[UUID]) -> None:
    equation = Equation()
    for lead_id in ids:
        equation.add(seen(lead_id, facts=3), [HELD])

    assert equation.clean
    assert equation.repeated == 2 * len(ids)


def test_each_way_of_being_lost_is_named_with_the_id() -> None:
    ids = [UUID(int=n) for n in range(8)]
    equation = Equation()
    equation.add(seen(ids[0], facts=0, state=None), [])
    equation.add(seen(ids[1], intake=False), [HELD])
    equation.add(seen(ids[2], state=None), [])
    equation.add(seen(ids[3], facts=0), [HELD])
    equation.add(seen(ids[4], state=None), [HELD])
    equation.add(seen(ids[5]), [])
    equation.add(seen(ids[6], state="waiting"), [HELD])

    named = {kind: found.first for kind, found in equation.findings.items()}
    assert named["accepted, but not on leads.received"] == [str(ids[0]), str(ids[3])]
    assert named["on leads.received, but not in lead_intake.leads"] == [str(ids[1])]
    assert named["received, but not decided"] == [str(ids[2]), str(ids[5])]
    assert named["decided, but never received"] == [str(ids[3])]
    assert named["decided, but not in router.leads"] == [str(ids[4])]
    assert named["in router.leads, but no decision was published"] == [str(ids[5])]
    assert named["router.leads disagrees with the last decision"] == [f"{ids[6]}: waiting, decided held"]
    assert not equation.clean


def test_a_buried_lead_is_counted_as_dead_and_is_no_loss() -> None:
    equation = Equation()
    equation.add(seen(UUID(int=1), dead=True, state=None), [])

    assert equation.clean
    assert equation.dead.count == 1


def test_only_the_first_names_are_kept_and_all_are_counted() -> None:
    equation = Equation()
    for n in range(SHOWN + 5):
        equation.add(seen(UUID(int=n), facts=0, state=None), [])

    found = equation.findings["accepted, but not on leads.received"]
    assert (found.total, len(found.first)) == (SHOWN + 5, SHOWN)
