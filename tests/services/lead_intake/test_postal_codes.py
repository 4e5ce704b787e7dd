"""Postal codes in leads: alone, beside names that agree or do not, and what is never guessed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.domain import Lead, accept_draft, received_fact
from services.lead_intake.faults import Refused
from services.lead_intake.nearness import Spot, distance_m, meet
from services.lead_intake.places import NOT_LISTED
from services.lead_intake.postal_codes import NO_LIST, NOT_SIX_DIGITS, UNKNOWN, UNKNOWN_BESIDE_NAMES, split_off_code
from services.lead_intake.postal_files import load_postal_codes, read_postal_file
from services.lead_intake.sources.json import read_json
from services.lead_intake.written_place import CODE_USED, FAR_FROM_NAMES
from shared.contracts import LEADS_RECEIVED
from shared.errors import UserError
from shared.vocabulary import Accuracy
from tests.services.lead_intake.builders import LEAD_ID, NOW, RULES, TRACE, accept, draft, lead_json

LIST = read_postal_file(
    """postal_code,lat,lon,datum,name
215021,31.32,120.72,wgs84,Suzhou Industrial Park
215000,31.30,120.58,wgs84,Suzhou Gusu
215000,31.33,120.62,wgs84,Suzhou Xiangcheng
404000,30.81,108.39,wgs84,Chongqing Wanzhou
850000,29.65,91.11,wgs84,Lhasa
999000,31.30,120.58,wgs84,One
999000,34.26,117.18,wgs84,Two
"""
).codes
WITH_LIST = replace(RULES, postal_codes=LIST)


def located(**location: Any) -> Lead:
    return accept_draft(
        draft(location=location), WITH_LIST, lead_id=LEAD_ID, source="web-form", received_at=NOW, traceparent=TRACE
    )


def remarks(lead: Lead) -> list[tuple[str, str]]:
    return [(remark.pointer.removeprefix("/location/"), remark.detail) for remark in lead.remarks]


@pytest.mark.parametrize(
    "location",
    [
        {"postal_code": "215021"},
        {"postal_code": " ２１５０２１ "},
        {"text": "215021"},
        {"text": "邮编：215021"},
        {"text": "苏州市 215021"},
        {"text": "苏州市215021"},
        {"text": "215021江苏省苏州市"},
        {"city": "Suzhou", "province": "Jiangsu", "postal_code": "215021"},
        {"text": "Suzhou 215021"},
        {"city": "Suzhou", "postal_code": "215021"},
    ],
)
def test_a_code_alone_or_beside_its_city_is_the_codes_district(location: dict[str, str]) -> None:
    lead = located(**location)

    assert lead.place is not None
    assert (lead.place.lat, lead.place.lon, lead.place.accuracy) == (31.32, 120.72, Accuracy.DISTRICT)
    assert lead.remarks == ()
    assert lead.contact.location == {name: text.strip() for name, text in location.items()}


def test_beside_its_city_the_units_code_is_kept() -> None:
    beside, alone = located(text="苏州市 215021").place, located(text="215021").place

    assert beside is not None
    assert alone is not None
    assert (beside.adcode, alone.adcode) == ("320500", None)


def test_several_places_of_a_code_near_each_other_are_their_middle() -> None:
    place = located(postal_code="215000").place

    assert place is not None
    assert (place.lat, place.lon, place.accuracy) == (31.315, 120.6, Accuracy.DISTRICT)


def test_several_places_of_a_code_far_apart_wait_with_the_candidates() -> None:
    lead = located(postal_code="999000")

    assert (lead.place, lead.place_candidates) == (None, ("@31.30,120.58 One", "@34.26,117.18 Two"))
    [remark] = lead.remarks
    assert "One (31.30, 120.58), Two (34.26, 117.18)" in remark.detail


def test_the_city_beside_a_code_of_several_places_says_which() -> None:
    place = located(text="苏州 999000").place

    assert place is not None
    assert (place.lat, place.lon, place.adcode) == (31.3, 120.58, "320500")


def test_a_code_of_a_wide_city_lies_in_it_and_one_of_another_city_contradicts() -> None:
    wide = located(text="重庆市 404000").place
    apart = located(text="苏州市 404000")

    assert wide is not None
    assert (wide.lat, wide.adcode) == (30.81, "500000")
    assert apart.place is None
    assert remarks(apart) == [("text", FAR_FROM_NAMES)]


def test_a_district_keeps_its_own_point() -> None:
    lead = located(district="吴江区", city="苏州", postal_code="215021")

    assert lead.place is not None
    assert (lead.place.adcode, lead.remarks) == ("320509", ())


def test_a_code_settles_names_that_the_list_does_not_know() -> None:
    lead = located(text="拉瓦市某路1号, 850000")

    assert lead.place is not None
    assert lead.place.lat == 29.65
    assert remarks(lead) == [("text", CODE_USED)]


def test_a_code_that_fits_none_of_several_meanings_settles_nothing() -> None:
    lead = located(text="Suzhou 850000")

    assert lead.place is None
    assert "320500" in lead.place_candidates


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ({"postal_code": "123456"}, [("postal_code", UNKNOWN)]),
        ({"postal_code": "SW1A 2DU"}, [("postal_code", NOT_SIX_DIGITS)]),
        ({"text": "123456"}, [("text", UNKNOWN)]),
        ({"city": "拉瓦市", "postal_code": "123456"}, [("city", NOT_LISTED), ("postal_code", UNKNOWN)]),
    ],
)
def test_an_unknown_code_is_taken_and_waits(location: dict[str, str], told: list[tuple[str, str]]) -> None:
    lead = located(**location)

    assert lead.place is None
    assert remarks(lead) == told


def test_an_unknown_code_beside_a_known_city_leaves_the_city() -> None:
    lead = located(city="苏州", postal_code="123456")

    assert lead.place is not None
    assert (lead.place.adcode, remarks(lead)) == ("320500", [("postal_code", UNKNOWN_BESIDE_NAMES)])


def test_without_a_list_a_code_says_nothing_and_waits() -> None:
    alone, beside = accept(draft(location={"text": "215021"})), accept(draft(location={"text": "苏州市 215021"}))

    assert remarks(alone) == [("text", NO_LIST)]
    assert beside.place is not None
    assert (beside.place.adcode, beside.remarks) == ("320500", ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("215000", "215000"),
        ("苏州市，２１５０００。", "215000"),
        ("215000 江苏 215000", "215000"),
        ("215000 215021", None),
        ("2150001", None),
        ("13800138000", None),
        ("幸福小区100123室", None),
    ],
)
def test_six_digits_are_a_code_and_house_or_phone_numbers_are_none(text: str, code: str | None) -> None:
    assert split_off_code(text)[1] == code


@given(st.lists(st.builds(Spot, st.floats(20, 40), st.floats(100, 120), st.sampled_from(Accuracy)), max_size=6))
def test_a_middle_never_claims_more_than_its_places_allow(spots: list[Spot]) -> None:
    met = meet(spots)

    if met is None:
        assert (
            not spots
            or max(distance_m(one.lat, one.lon, other.lat, other.lon) for one in spots for other in spots) > 30_000
        )
        return
    limits = {Accuracy.POINT: 300, Accuracy.DISTRICT: 10_000, Accuracy.CITY: 30_000}
    for spot in spots:
        assert distance_m(met.lat, met.lon, spot.lat, spot.lon) <= limits[met.accuracy]
        assert list(Accuracy).index(met.accuracy) >= list(Accuracy).index(spot.accuracy)


_WRITTEN = st.text("苏州市拉萨吴江区Suzhou 0123459,号", max_size=40) | st.sampled_from(["215021", "999000", "850000"])


@given(
    st.fixed_dictionaries(
        {}, optional={"city": _WRITTEN, "district": _WRITTEN, "text": _WRITTEN, "postal_code": _WRITTEN}
    )
)
def test_whatever_stands_beside_a_code_is_refused_or_a_place_or_waits_with_a_reason(location: dict[str, str]) -> None:
    item = read_json(orjson.dumps(lead_json(location=location)))
    if isinstance(item, Refused):
        return
    try:
        lead = accept_draft(item, WITH_LIST, lead_id=LEAD_ID, source="web-form", received_at=NOW, traceparent=TRACE)
    except Refused:
        return

    LEADS_RECEIVED.read(received_fact(lead, LEAD_ID).to_bytes())
    assert lead.place or lead.remarks
    assert not (lead.place and lead.place_candidates)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postal_code;lat;lon;datum\n215021;31.3;120.6;wgs84\n", "separated by semicolons"),
        ("postal_code\tlat\tlon\tdatum\n215021\t31.3\t120.6\twgs84\n", "separated by tabs"),
        ("215021,31.3,120.6,wgs84\n", "has no header"),
        ("postal_code,lat,lon,datum\n215021,3_1.3,120.6,wgs84\n", "did you mean 31.3?"),
        ("postal_code,lat,lon,datum\n215021,31.3,inf,wgs84\n", "'inf' is not a number"),
    ],
)
def test_a_file_in_another_form_is_one_fault_that_names_it(text: str, says: str) -> None:
    [bad] = read_postal_file(text).bad
    assert says in str(bad)


def test_columns_without_a_heading_are_passed_over() -> None:
    assert read_postal_file("Postal Code,LAT,lon,datum,,\n215021,31.3,120.6,wgs84,,\n").bad == ()


def test_many_faults_are_counted_by_field(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("postal_code,lat,lon,datum\n" + "215021,x,120.6,wgs84\n" * 5_000, encoding="utf-8-sig")
    with pytest.raises(UserError) as refused:
        load_postal_codes(file)
    assert refused.value.message.count("\n") == 21
    assert "and 4,980 more like these: 4,980 of lat" in refused.value.message


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("postal_code,lat,lon,datum\n", encoding="utf-16")
    with pytest.raises(UserError, match="is UTF-16"):
        load_postal_codes(file)
