"""Which leads of a batch an engine is asked about: those that are about to be given a site."""

from uuid import UUID

import pytest

from services.router.domain import Answered, Due, Erased, Ordered, Received, Stimulus
from services.router.reading import Arrival
from services.router.travel.asking import concerned
from shared.contracts import Answer, Order, Place, Result
from shared.vocabulary import Accuracy, Datum
from tests.services.router.networks import NOW, lead

KNOWN = str(UUID(int=9))
HERE = Place(lat=31.3, lon=120.6, accuracy=Accuracy.POINT, given_datum=Datum.WGS84)


def happened(stimulus: Stimulus) -> Arrival:
    return Arrival("any", KNOWN, stimulus, None)


@pytest.mark.parametrize(
    ("stimulus", "is_asked"),
    [
        (Answered("f", 1, "near", Answer.DECLINED), True),
        (Answered("f", 1, "near", Answer.UNDELIVERABLE), True),
        (Answered("f", 1, "near", Answer.ACCEPTED), False),
        (Answered("f", 1, "near", Answer.OUTCOME), False),
        (Due("f", 1, "respond_by", NOW), True),
        (Due("f", 1, "retry", NOW), True),
        (Erased("f"), False),
        (Ordered("f", 1, Order(ordered_by="mei")), True),
        (Ordered("f", 1, Order(ordered_by="mei", site_id="far")), False),
        (Ordered("f", 1, Order(ordered_by="mei", place=HERE)), False),
        (Ordered("f", 1, Order(ordered_by="mei", result=Result.WON)), False),
    ],
)
def test_a_known_lead_is_asked_about_when_it_needs_a_site(stimulus: Stimulus, is_asked: bool) -> None:
    assert concerned([happened(stimulus)]) == ([], [KNOWN] if is_asked else [])


def test_a_lead_that_arrives_brings_its_own_place_even_when_more_happens_to_it_in_the_batch() -> None:
    features = lead(9)
    arrives = Arrival("any", KNOWN, Received("f"), None, features, features.person_id)

    assert concerned([arrives, happened(Due("f", 1, "respond_by", NOW)), arrives]) == ([features], [])
