"""One lead as JSON: every abuse is refused at its field or as a whole, and nothing of it is repeated."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.draft import Draft, MendedDraft
from services.lead_intake.faults import Refused
from services.lead_intake.sources.json import read_json
from services.lead_intake.sources.reading import Unreadable
from shared.vocabulary import Channel, Intent
from tests.services.lead_intake.builders import draft, lead_json

SECRET = "13912345678"


def faults(body: bytes) -> dict[str, str]:
    item = read_json(body)
    assert isinstance(item, Refused)
    found = {fault.pointer: fault.detail for fault in item.faults}
    assert SECRET not in str(found)
    return found


def changed(**changes: Any) -> bytes:
    return orjson.dumps(lead_json(**changes))


def test_a_lead_is_read() -> None:
    read = draft()

    assert (read.intent, read.channel) == (Intent.TEST_DRIVE, Channel.FORM)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert isinstance(read_json(b"\xef\xbb\xbf" + changed()), Draft)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"nonsense", "no JSON"),
        (b"[]", "one JSON object"),
        (b'"text"', "one JSON object"),
        (b"null", "one JSON object"),
        (b"[" * 5_000, "nests too deep"),
        (b'{"a":' * 5_000, "nests too deep"),
        ('{"contact":{"name":"测试"}}'.encode("gbk"), "GBK"),
        (b'{"contact":"\xff\xff"}', "not in UTF-8"),
        (b'{"contact":{"name":"\\ud83d"}}', "no JSON"),
        (b'{"contact":{"name":"\x00"}}', "no JSON"),
        (b"\xff\xfe{\x00}\x00", "not in UTF-8"),
    ],
)
def test_a_body_that_is_no_lead_at_all_is_unreadable(body: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read_json(body)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"contact": {"phone": int(SECRET)}}, "/contact/phone"),
        ({"contact": {"phone": [SECRET]}}, "/contact/phone"),
        ({"contact": {"phone": SECRET + "0" * 64}}, "/contact/phone"),
        ({"contact": {"email": "x" * 250 + "@e.co"}}, "/contact/email"),
        ({"contact": SECRET}, "/contact"),
        ({"contact": None}, "/contact"),
        ({"location": {"lat": SECRET, "lon": 1, "datum": "wgs84"}}, "/location/lat"),
        ({"location": {"lat": True, "lon": 1, "datum": "wgs84"}}, "/location/lat"),
        ({"location": {"lat": 1, "lon": 1, "datum": SECRET}}, "/location/datum"),
        ({"consent": None}, "/consent"),
        ({"consent": {"given_at": "2026-03-01T09:00:00+08:00"}}, "/consent/text_version"),
        ({"consent": {"given_at": "2026-03-01T09:00:00", "text_version": "v1"}}, "/consent/given_at"),
        ({"consent": {"given_at": "yesterday", "text_version": "v1"}}, "/consent/given_at"),
        ({"consent": {"given_at": "2026-03-01T09:00:00Z", "text_version": SECRET}}, "/consent/text_version"),
        ({"source_lead_id": "x" * 2049}, "/source_lead_id"),
        ({"intend": "purchase"}, "/intend"),
        ({"contact": {"phone": SECRET, "wechat": "x"}}, "/contact/wechat"),
    ],
)
def test_a_wrong_field_is_named_and_never_repeated(changes: dict[str, Any], pointer: str) -> None:
    assert list(faults(changed(**changes))) == [pointer]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400"])
def test_a_number_that_is_not_finite_is_refused(number: bytes) -> None:
    body = changed(location={"lat": 4242, "lon": 1, "datum": "wgs84"}).replace(b"4242", number)

    assert list(faults(body)) == ["/location/lat"]


def test_a_key_that_may_be_personal_is_not_named() -> None:
    assert list(faults(changed(**{SECRET: "x"}))) == [""]
    assert list(faults(changed(contact={"phone": "1", SECRET: "x"}))) == ["/contact"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("testdrive", "test_drive"),
        ("Test-Drive", "test_drive"),
        ("buy", "purchase"),
        ("purchse", "purchase"),
        ("service", "maintenance"),
        ("Paint Repair", "paint_repair"),
        ("trade in", "trade_in"),
    ],
)
def test_an_unknown_intent_is_answered_with_the_list_and_the_nearest(written: str, meant: str) -> None:
    detail = faults(changed(intent=written))["/intent"]

    assert ", ".join(Intent) in detail
    assert detail.endswith(f"did you mean {meant}?")


def test_an_intent_near_nothing_gets_the_list_only() -> None:
    assert faults(changed(intent="zzzz"))["/intent"] == f"must be one of {', '.join(Intent)}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(Draft.model_fields)), JSON)
def test_any_value_in_any_field_is_a_draft_or_a_refusal(field: str, value: Any) -> None:
    try:
        body = orjson.dumps(lead_json() | {field: value})
    except TypeError:  # an integer beyond 64 bits
        body = b"[]"

    try:
        item = read_json(body)
    except Unreadable:
        assert body == b"[]"
        return
    assert isinstance(item, Draft) or item.faults


@given(st.binary(max_size=200))
def test_any_bytes_are_a_draft_or_a_refusal(body: bytes) -> None:
    try:
        item = read_json(body)
    except Unreadable:
        return
    assert isinstance(item, Draft) or item.faults


def kept(**changes: Any) -> tuple[Draft, list[str]]:
    item = read_json(changed(**changes))
    assert isinstance(item, Draft), item.faults
    return item, [remark.pointer for remark in item.remarks] if isinstance(item, MendedDraft) else []


@pytest.mark.parametrize(
    "changes",
    [
        {"contact": {"name": "", "phone": SECRET, "email": ""}},
        {"contact": {"name": "  ", "phone": SECRET, "email": "\t"}},
        {"location": {"adcode": "320509", "city": "", "datum": ""}},
        {"vehicle": {"brand": ""}},
        {"vehicle": {"brand": "", "model": "", "year": 2026}},
        {"campaign": "", "preferred_site": "", "channel": "", "client_time": "", "source_lead_id": ""},
    ],
)
def test_an_empty_text_is_a_field_that_was_left_out(changes: dict[str, Any]) -> None:
    item, remarks = kept(**changes)

    empty = [(part, name) for part, value in changes.items() if isinstance(value, dict) for name in value]
    given = item.model_dump(exclude_none=True, exclude={"remarks", "content"})
    assert remarks == []
    assert not any(str(value).strip() == "" for part, name in empty for value in [given.get(part, {}).get(name, 1)])
    assert {"campaign", "preferred_site", "client_time", "source_lead_id"}.isdisjoint(given)


def test_a_place_whose_fields_are_all_empty_is_none_and_told() -> None:
    item, remarks = kept(location={"city": " ", "text": ""})

    assert (item.location, remarks) == (None, ["/location"])


@pytest.mark.parametrize(
    ("contact", "pointer"),
    [
        ({"phone": "0" * 65, "email": "test@example.com"}, "/contact/phone"),
        ({"phone": "139\t00", "email": "test@example.com"}, "/contact/phone"),
        ({"phone": SECRET, "email": "x" * 300}, "/contact/email"),
        ({"phone": SECRET, "email": "a\x00@example.com"}, "/contact/email"),
    ],
)
def test_a_way_that_cannot_be_one_is_passed_over_beside_the_other(contact: dict[str, str], pointer: str) -> None:
    assert kept(contact=contact)[1] == [pointer]


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"intent": ""}, ["/intent"]),
        ({"consent": {"given_at": "2026-03-01T09:00:00Z", "text_version": ""}}, ["/consent/text_version"]),
        ({"contact": {"phone": "0" * 65, "email": ""}}, ["/contact/phone", "/contact/email"]),
        ({"contact": {"phone": "0" * 65, "email": 7}}, ["/contact/phone", "/contact/email"]),
        (
            {"contact": {"phone": "0" * 65, "email": "test@example.com"}, "location": {"lat": "x"}},
            ["/contact/phone", "/location/lat"],
        ),
        ({"campaign": "", "remarks": []}, ["/campaign", "/remarks"]),
        ({"campaign": "", "content": ""}, ["/campaign", "/content"]),
    ],
)
def test_what_is_needed_or_wrong_otherwise_still_refuses(changes: dict[str, Any], pointers: list[str]) -> None:
    assert list(faults(changed(**changes))) == pointers


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"contact": {"name": 4711, "phone": SECRET}}, "/contact/name"),
        ({"contact": {"phone": int(SECRET), "email": "test@example.com"}}, "/contact/phone"),
        ({"contact": {"phone": SECRET, "email": ["test@example.com"]}}, "/contact/email"),
        ({"vehicle": "Example M5"}, "/vehicle"),
        ({"vehicle": {"brand": ["Example"]}}, "/vehicle/brand"),
        ({"vehicle": {"year": 1492}}, "/vehicle/year"),
        ({"vehicle": {"year": 2026.5}}, "/vehicle/year"),
        ({"vehicle": {"year": "next"}}, "/vehicle/year"),
        ({"campaign": {"utm": "spring"}}, "/campaign"),
        ({"client_time": "2026-13-01T09:00:00Z"}, "/client_time"),
        ({"client_time": 1_772_330_400}, "/client_time"),
        ({"preferred_site": "No Such Form"}, "/preferred_site"),
        ({"channel": "carrier pigeon"}, "/channel"),
    ],
)
def test_a_value_that_decides_nothing_is_passed_over_and_told(changes: dict[str, Any], pointer: str) -> None:
    item, remarks = kept(**changes)

    assert isinstance(item, MendedDraft)
    assert remarks == [pointer]
    assert all(remark.detail.endswith("it is passed over") for remark in item.remarks)
    assert item.channel is Channel.FORM


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Test\nPerson", "Test Person"),
        ("Test \x00", "Test"),
        ("Test\x9fPerson", "Test Person"),
        ("x" * 129, "x" * 128),
        ("x" * 100_000, "x" * 128),
    ],
)
def test_a_text_is_tidied_and_cut_and_told(written: str, read: str) -> None:
    item, remarks = kept(contact={"name": written, "phone": SECRET}, campaign=written, vehicle={"model": written})

    assert item.vehicle is not None
    assert (item.contact.name, item.campaign, item.vehicle.model) == (read, read, read)
    assert set(remarks) == {"/contact/name", "/campaign", "/vehicle/model"}


def test_a_text_beside_a_fault_that_counts_is_refused_with_it() -> None:
    wrong = changed(campaign="x" * 129, intent="nothing we know")

    assert set(faults(wrong)) == {"/campaign", "/intent"}
