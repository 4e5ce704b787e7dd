"""From a draft to an accepted lead: what is refused, what is taken with a remark, what may be published."""

import re
import unicodedata
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.domain import received_fact, time_ordered_id
from services.lead_intake.faults import Refused
from services.lead_intake.sources.json import read_json
from shared.contracts import LEADS_RECEIVED
from shared.datum import from_wgs84
from shared.vocabulary import Accuracy, Datum
from tests.services.lead_intake.builders import LEAD_ID, NOW, TRACE, accept, draft, lead_json

PERSON = UUID(int=7)


def faults(**changes: Any) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        accept(draft(**changes))
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def test_a_lead_is_published_as_its_fact_without_its_person() -> None:
    lead = accept(draft(contact={"name": "Test Person", "phone": "13800138000", "email": "test@example.com"}))

    fact = received_fact(lead, PERSON)

    raw = fact.to_bytes()
    assert LEADS_RECEIVED.read(raw) == fact
    assert (fact.subject, fact.traceparent, fact.data.person_id) == (str(LEAD_ID), TRACE, PERSON)
    assert not re.search(rb"Test Person|13800138000|test@example|138 0013", raw)


def test_the_same_lead_gives_the_same_fact() -> None:
    assert received_fact(accept(draft()), PERSON).to_bytes() == received_fact(accept(draft()), PERSON).to_bytes()


@given(st.floats(21.6, 43.4), st.floats(80.6, 124.8), st.sampled_from(Datum))
def test_a_point_is_published_in_wgs84_rounded_and_sealed_exactly(lat: float, lon: float, datum: Datum) -> None:
    given_lat, given_lon = from_wgs84(lat, lon, datum)

    lead = accept(draft(location={"lat": given_lat, "lon": given_lon, "datum": datum}))

    assert lead.place is not None
    assert lead.place.accuracy is Accuracy.POINT
    assert abs(lead.place.lat - lat) <= 0.00006
    assert abs(lead.place.lon - lon) <= 0.00006
    assert (lead.place.lat, lead.place.lon) == (round(lead.place.lat, 4), round(lead.place.lon, 4))
    assert lead.contact.location == {"lat": given_lat, "lon": given_lon, "datum": datum.value}


@pytest.mark.parametrize(
    ("lat", "lon", "datum"),
    [
        (31.1774276, 121.5272106, "wgs84"),
        (31.1753040, 121.5315419, "gcj02"),
        (31.1813286, 121.5380157, "bd09"),
    ],
)
def test_a_published_point_is_one_place_in_every_datum(lat: float, lon: float, datum: str) -> None:
    place = accept(draft(location={"lat": lat, "lon": lon, "datum": datum})).place

    assert place is not None
    assert (place.lat, place.lon, place.given_datum) == (31.1774, 121.5272, datum)


@pytest.mark.parametrize("datum", Datum)
def test_a_point_abroad_is_published_unmoved(datum: Datum) -> None:
    place = accept(draft(location={"lat": 37.566, "lon": 126.978, "datum": datum})).place

    assert place is not None
    assert (place.lat, place.lon) == (37.566, 126.978)


def test_a_point_without_its_datum_is_refused() -> None:
    assert "gcj02" in faults(location={"lat": 31.3, "lon": 120.6})["/location/datum"]


@pytest.mark.parametrize(
    ("location", "pointer"),
    [
        ({"lat": 31.3, "datum": "wgs84"}, "/location/lon"),
        ({"lat": 91, "lon": 120.6, "datum": "wgs84"}, "/location/lat"),
        ({"lat": 31.3, "lon": 181, "datum": "wgs84"}, "/location/lon"),
        ({"lat": 89.9999, "lon": 120.6, "datum": "gcj02"}, "/location/datum"),
        ({"adcode": "3205"}, "/location/adcode"),
        ({"adcode": "３２０５０５"}, "/location/adcode"),
        ({}, "/location"),
        ({"plus_code": "8Q33"}, "/location/plus_code"),
        ({"plus_code": "8QC50000+"}, "/location/plus_code"),
        ({"plus_code": "8J22+22"}, "/location/plus_code"),
        ({"plus_code": "22+22 苏州"}, "/location/plus_code"),
        ({"plus_code": "8QC58J22+22", "datum": "gcj02"}, "/location/datum"),
    ],
)
def test_a_location_that_says_nothing_certain_is_refused_at_its_field(location: dict[str, Any], pointer: str) -> None:
    assert list(faults(location=location)) == [pointer]


@pytest.mark.parametrize("location", [{"district": "Changan"}, {"text": "长安区"}, {"plus_code": "8J22+22 Chang'an"}])
def test_an_ambiguous_place_is_taken_and_waits_with_its_candidates(location: dict[str, str]) -> None:
    lead = accept(draft(location=location))

    assert (lead.place, lead.place_candidates) == (None, ("130102", "610116"))
    [remark] = lead.remarks
    assert "石家庄市长安区 (130102), 西安市长安区 (610116)" in remark.detail
    assert received_fact(lead, PERSON).data.place is None


@pytest.mark.parametrize(
    ("location", "adcode"),
    [
        ({"province": "Jiangsu", "city": "Suzhou"}, "320500"),
        ({"province": "江苏", "city": "苏州", "district": "吴江"}, "320509"),
        ({"text": "江苏省苏州市吴江区"}, "320509"),
        ({"text": "Wujiang District, Suzhou", "postal_code": "215200"}, "320509"),
    ],
)
def test_a_written_place_is_published_by_its_code(location: dict[str, str], adcode: str) -> None:
    lead = accept(draft(location=location))

    assert lead.place is not None
    assert (lead.place.adcode, lead.remarks) == (adcode, ())
    assert lead.contact.location == location


def test_a_full_plus_code_is_a_point() -> None:
    place = accept(draft(location={"plus_code": "8Q328J22+22"})).place

    assert place is not None
    assert (place.lat, place.lon, place.accuracy, place.given_datum) == (31.3001, 120.6001, Accuracy.POINT, Datum.WGS84)


@pytest.mark.parametrize(
    "location",
    [
        {"plus_code": "8J22+22 苏州"},
        {"plus_code": "8J22+22, Suzhou, Jiangsu, China"},
        {"plus_code": "苏州市 ８Ｊ２２＋２２"},
        {"plus_code": "8J22+22", "city": "苏州"},
        {"plus_code": "8J22+22", "text": "江苏省苏州市"},
        {"plus_code": "328J22+22 苏州"},
    ],
)
def test_a_short_plus_code_is_a_point_near_its_town(location: dict[str, str]) -> None:
    lead = accept(draft(location=location))

    assert lead.place is not None
    assert (lead.place.lat, lead.place.lon, lead.remarks) == (31.3001, 120.6001, ())


@pytest.mark.parametrize(
    "plus_code",
    ["8J22+22 Atlantis", "8J22+22 吴中区", "8222+22 苏州", "8J22+22 Suzhou"],
    ids=["town unknown", "district without a point", "cell between two", "two towns of that name"],
)
def test_a_short_plus_code_with_an_uncertain_town_is_taken_and_waits(plus_code: str) -> None:
    lead = accept(draft(location={"plus_code": plus_code}))

    assert lead.place is None
    assert [remark.pointer for remark in lead.remarks] == ["/location/plus_code"]


def test_a_postal_code_alone_is_kept_and_waits() -> None:
    lead = accept(draft(location={"postal_code": "215000"}))

    assert (lead.place, lead.place_candidates) == (None, ())
    assert [remark.pointer for remark in lead.remarks] == ["/location/postal_code"]
    assert lead.contact.location == {"postal_code": "215000"}


def test_a_place_outside_the_list_is_taken_and_waits() -> None:
    lead = accept(draft(location={"city": "拉瓦市"}))

    assert lead.place is None
    assert [remark.pointer for remark in lead.remarks] == ["/location/city"]
    assert lead.contact.location == {"city": "拉瓦市"}


def test_an_unlisted_district_is_taken_at_its_citys_centre_with_a_remark() -> None:
    lead = accept(draft(location={"city": "苏州", "district": "工业园区"}))

    assert lead.place is not None
    assert (lead.place.accuracy, lead.place.adcode) == (Accuracy.CITY, "320500")
    assert [remark.pointer for remark in lead.remarks] == ["/location/district"]


@pytest.mark.parametrize("point", [(0, 0), (0.0, -0.0), (0.00001, 0.00002), (1, 1), (0, 120.6), (31.3, 0)])
@pytest.mark.parametrize("datum", [*Datum, None])
def test_a_dummy_point_is_no_position_and_loses_no_lead(point: tuple[float, float], datum: Datum | None) -> None:
    dummy = {"lat": point[0], "lon": point[1], "datum": datum}

    alone = accept(draft(location=dummy))
    named = accept(draft(location=dummy | {"city": "苏州", "district": "吴江区"}))
    coded = accept(draft(location=dummy | {"adcode": "320509"}))

    assert alone.place is None
    assert [(remark.pointer, "no position" in remark.detail) for remark in alone.remarks] == [("/location/lat", True)]
    for lead in (named, coded):
        assert lead.place is not None
        assert lead.place.adcode == "320509"
        assert [remark.pointer for remark in lead.remarks] == ["/location/lat"]


def test_a_plus_code_of_zero_is_no_position_either() -> None:
    lead = accept(draft(location={"plus_code": "6FG22222+22", "city": "苏州"}))

    assert lead.place is not None
    assert lead.place.adcode == "320500"
    assert [remark.pointer for remark in lead.remarks] == ["/location/plus_code"]


def test_swapped_numbers_are_told_as_such() -> None:
    assert "lat and lon look swapped" in faults(location={"lat": 120.6, "lon": 31.3, "datum": "wgs84"})["/location/lat"]
    arctic = accept(draft(location={"lat": 87.6, "lon": 43.8, "datum": "wgs84", "city": "乌鲁木齐"}))
    assert arctic.place is not None
    assert arctic.place.adcode == "650100"
    assert "look swapped" in arctic.remarks[0].detail


def test_an_address_with_its_campaign_is_an_id() -> None:
    written = f"https://offers.example.com/?utm_campaign={'spring-' * 40}&lead=4711"

    one, again, other = (accept(draft(source_lead_id=text)) for text in (written, written, written + "2"))

    assert one.source_id_token == again.source_id_token != other.source_id_token
    assert one.remarks == ()


@pytest.mark.parametrize("numbers", [(999, 999), (-999, -999), (31298900, 120585300), (120.6, 31.3), (91.0, 0.0)])
def test_numbers_of_nowhere_refuse_no_lead_that_says_its_place(numbers: tuple[float, float]) -> None:
    point = {"lat": float(numbers[0]), "lon": float(numbers[1]), "datum": "wgs84"}
    for more in ({"city": "苏州", "district": "吴江区"}, {"adcode": "320509"}, {"text": "苏州吴江"}):
        lead = accept(draft(location=point | more))
        assert lead.place is not None
        assert lead.place.adcode == "320509"
        assert [remark.pointer for remark in lead.remarks] == ["/location/lat"]
    assert "/location/lat" in faults(location=point)


@pytest.mark.parametrize(
    ("adcode", "place"),
    [
        ("320509", "320509"),
        ("320509100000", "320509"),
        ("320509100", "320509"),
        ("320509000000", "320509"),
        ("320500000000", "320500"),
        ("441900003000", "441900"),
        ("469021100000", "469021"),
        ("120100000000", "120000"),
        ("320584", "320509"),
        ("341300", "341300"),
    ],
)
def test_codes_of_towns_and_former_codes_are_the_districts(adcode: str, place: str) -> None:
    lead = accept(draft(location={"adcode": adcode}))

    assert lead.place is not None
    assert (lead.place.adcode, lead.remarks) == (place, ())


def test_a_code_of_no_list_leaves_the_word_to_the_names() -> None:
    for adcode in ("999999", "320000", "-", "无"):
        lead = accept(draft(location={"adcode": adcode, "city": "苏州"}))
        assert lead.place is not None
        assert lead.place.adcode == "320500"
    for adcode in ("999999", "320000", "-"):
        assert accept(draft(location={"adcode": adcode})).place is None


@pytest.mark.parametrize(
    "location",
    [
        {"province": "天津市", "city": "市辖区", "district": "河西区"},
        {"city": "天津市天津市辖区河西区"},
        {"city": "天津市", "district": "天津市河西区"},
        {"district": "天津市-市辖区-河西区"},
        {"province": "天津市河西区"},
        {"city": "其他", "district": "其他", "text": "天津市河西区"},
        {"province": "Tianjin Municipality", "city": "shixiaqu", "district": "Hexi District"},
    ],
)
def test_a_place_spread_or_glued_over_its_fields_is_understood(location: dict[str, str]) -> None:
    lead = accept(draft(location=location))

    assert lead.place is not None
    assert (lead.place.adcode, lead.remarks) == ("120103", ())


def test_every_candidate_of_a_lead_can_be_sent_back() -> None:
    for location in ({"district": "朝阳区"}, {"city": "Suzhou"}, {"text": "江北区"}, {"adcode": "341400"}):
        waiting = accept(draft(location=location))
        assert len(waiting.place_candidates) >= 2
        for code in waiting.place_candidates:
            chosen = accept(draft(location={"adcode": code}))
            assert chosen.place is not None
            assert (chosen.place.adcode, chosen.remarks) == (code, ())


def test_a_lead_may_come_without_a_place() -> None:
    assert accept(draft(location=None)).place is None


def test_a_phone_or_an_address_is_needed() -> None:
    assert list(faults(contact={"name": "Test Person"})) == ["/contact"]


def test_every_fault_is_told_at_once() -> None:
    found = faults(contact={"phone": "12345", "email": "nobody"}, location={"lat": 1, "lon": 2})

    assert list(found) == ["/contact/phone", "/contact/email", "/location/datum"]
    assert "12345" not in str(found)
    assert "nobody" not in str(found)


@pytest.mark.parametrize("model", ["Model <script>", "call 13800138000", "x" * 65, "me@example.com"])
def test_a_vehicle_that_may_not_be_published_is_sealed_and_loses_no_lead(model: str) -> None:
    lead = accept(draft(vehicle={"brand": "Way", "model": model}))

    assert lead.vehicle is not None
    assert (lead.vehicle.brand, lead.vehicle.model) == ("Way", None)
    assert lead.contact.vehicle == {"brand": "Way", "model": model}
    assert [remark.pointer for remark in lead.remarks] == ["/vehicle/model"]


SEPARATORS = [
    sign
    for sign in map(chr, range(0x20, 0x3000))
    # ⻳ is a letter as soon as it is normalised, and letters separate: a1b2c3 is no number.
    if sign.isprintable() and not any(part.isalnum() for part in unicodedata.normalize("NFKC", sign))
]


@given(
    st.from_regex(r"1[3-9][0-9]{9}|[1-6][0-9]{16}[0-9X]", fullmatch=True),
    st.sampled_from([*SEPARATORS, "", "＿", "／"]),
    st.sampled_from(
        ["0123456789", "０１２３４５６７８９", "〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "٠١٢٣٤٥٦٧٨٩"]
    ),
    st.lists(st.integers(1, 4), min_size=18, max_size=18),
)
def test_no_number_of_a_person_is_published_however_it_is_grouped(
    number: str, separator: str, digits: str, groups: list[int]
) -> None:
    written, at = [], 0
    for size in groups:
        written.append(number[at : at + size].translate(str.maketrans("0123456789", digits)))
        at += size
    text = separator.join(filter(None, written))

    lead = accept(draft(campaign=f"spring {text}", vehicle={"brand": text, "model": f"Way {text}"}))

    assert (lead.campaign, lead.vehicle) == (None, None)
    assert {remark.pointer for remark in lead.remarks} == {"/campaign", "/vehicle/brand", "/vehicle/model"}
    assert list(_faults_of_consent(text)) == ["/consent/text_version"]


def _faults_of_consent(text: str) -> dict[str, str]:
    item = read_json(orjson.dumps(lead_json(consent={"given_at": "2026-03-01T09:00:00+08:00", "text_version": text})))
    assert isinstance(item, Refused)
    return {fault.pointer: fault.detail for fault in item.faults}


@pytest.mark.parametrize(
    "text", ["me (at) example.com", "me at example dot com", "me_at_example.com", "me＠example。com"]
)
def test_no_mail_address_is_published_however_it_is_spelt(text: str) -> None:
    lead = accept(draft(campaign=text, vehicle={"model": text}))

    assert (lead.campaign, lead.vehicle) == (None, None)


@pytest.mark.parametrize("campaign", ["2026_spring_0415", "2026/03/15", "2025/2026", "Spring & Summer", "199,800"])
def test_what_campaigns_are_called_is_published(campaign: str) -> None:
    lead = accept(draft(campaign=campaign))

    assert (lead.campaign, lead.remarks) == (campaign, ())


def test_a_wished_site_that_is_a_phone_number_is_not_published_and_loses_no_lead() -> None:
    lead = accept(draft(preferred_site="138-0013-8000"))

    assert lead.preferred_site_id is None
    assert [remark.pointer for remark in lead.remarks] == ["/preferred_site"]
    assert accept(draft(preferred_site="suzhou-huqiu-store")).preferred_site_id == "suzhou-huqiu-store"


def test_full_width_letters_of_a_vehicle_are_published_as_plain_ones() -> None:
    vehicle = accept(draft(vehicle={"model": "Ｏｎｅ（长续航）"})).vehicle

    assert vehicle is not None
    assert vehicle.model == "One(长续航)"


@given(st.binary(min_size=10, max_size=10))
def test_ids_are_version_7_and_in_the_order_of_time(random_bytes: bytes) -> None:
    earlier = time_ordered_id(NOW, b"\xff" * 10)
    later = time_ordered_id(NOW.replace(second=4), random_bytes)

    assert (later.version, later.variant) == (7, "specified in RFC 4122")
    assert earlier < later


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "vehicle": st.fixed_dictionaries(
                {}, optional={"brand": st.text(max_size=128), "model": st.text(max_size=128)}
            ),
            "campaign": st.text(max_size=128),
            "location": st.fixed_dictionaries(
                {},
                optional={
                    "province": st.text(max_size=64),
                    "city": st.text(max_size=64),
                    "district": st.text(max_size=64),
                    "postal_code": st.text(max_size=64),
                    "text": st.text(max_size=128),
                    "plus_code": st.text(max_size=128) | st.from_regex(r"[2-9CFGX0]{0,9}\+[2-9CX]{0,4} (苏州)?"),
                },
            ),
            "contact": st.fixed_dictionaries(
                {"phone": st.text(max_size=64)}, optional={"email": st.text(max_size=254)}
            ),
        },
    )
)
def test_whatever_is_written_is_refused_or_published_within_the_contract(changes: dict[str, Any]) -> None:
    item = read_json(orjson.dumps(lead_json(**changes)))
    if isinstance(item, Refused):
        return
    try:
        lead = accept(item)
    except Refused:
        return

    LEADS_RECEIVED.read(received_fact(lead, PERSON).to_bytes())
