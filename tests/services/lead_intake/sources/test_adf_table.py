"""Every element and attribute of ADF 1.0 becomes what the table says: those that are read change the lead."""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest

from services.lead_intake.draft import Draft, MendedDraft
from services.lead_intake.faults import Fault
from services.lead_intake.sources.adf import read_adf
from services.lead_intake.sources.adf_table import ROWS, with_table
from tests.services.lead_intake.builders import NOW, RULES

DOCUMENT = Path(__file__).parents[4] / "docs/interfaces.md"
BASE = """
<prospect>
  <id sequence="1" source="portal">A-1</id><requestdate>2026-02-28T09:00:00+08:00</requestdate>
  <vehicle interest="buy" status="new"><year>2026</year><make>Way</make><model>One</model></vehicle>
  <customer><contact><name part="full">Test Person</name><phone>13900000001</phone>
    <email>test.person@example.com</email>
    <address><street>none</street><city>苏州市</city><regioncode>JS</regioncode></address>
  </contact></customer>
  <vendor><vendorname>suzhou-store</vendorname></vendor>
  <provider><name>Portal</name><service></service></provider>
</prospect>
"""
PASSED_OVER = [path for row in ROWS if not row.is_read for path in row.paths]
READ = [path for row in ROWS if row.is_read for path in row.paths]
OF_PATH = {
    "id": ("A-1", "B-2"),
    "id/@source": ("portal", "another"),
    "requestdate": ("2026-02-28T09:00:00+08:00", "2026-02-27T09:00:00+08:00"),
    "vehicle/@interest": ("test-drive", "sell"),
    "vehicle/@status": ("new", "used"),
    "vehicle/year": ("2025", "2026"),
    "vehicle/make": ("Way", "Path"),
    "vehicle/model": ("One", "Two"),
    "customer/contact/name": ("Test Person", "Another Person"),
    "customer/contact/name/@part": ("full", "suffix"),
    "customer/contact/email": ("a@example.com", "b@example.com"),
    "customer/contact/phone": ("13900000001", "13900000002"),
    "customer/contact/address/street": ("吴江区", "虎丘区"),
    "customer/contact/address/city": ("苏州市", "南京市"),
    "customer/contact/address/regioncode": ("JS", "320509"),
    "customer/contact/address/postalcode": ("215000", "215200"),
    "vendor/vendorname": ("suzhou-store", "nanjing-store"),
    "vendor/id": ("suzhou-store", "nanjing-store"),
    "provider/name": ("Portal", "Another"),
    "provider/service": ("maintenance", "body_repair"),
}
"""Two values that make two leads, of one element or attribute."""


def customer(*contacts: str) -> str:
    return f"<customer>{''.join(f'<contact>{contact}</contact>' for contact in contacts)}</customer>"


PHONE, OTHER_PHONE = "<phone>13900000001</phone>", "<phone>13900000002</phone>"
EMAIL, OTHER_EMAIL = "<email>a@example.com</email>", "<email>b@example.com</email>"
NAMES = "<name>Test Works</name><name>Test Person</name>"
OF_STRUCTURE = {
    "id/@sequence": (
        '<id sequence="1">A-1</id><id sequence="2">B-2</id>',
        '<id sequence="2">A-1</id><id sequence="1">B-2</id>',
    ),
    "vehicle": ('<vehicle interest="test-drive"/>', ""),
    "customer": (customer(EMAIL), customer(OTHER_EMAIL)),
    "customer/contact": (customer(EMAIL, OTHER_EMAIL), customer(OTHER_EMAIL, EMAIL)),
    "customer/contact/@primarycontact": (
        customer(PHONE, OTHER_PHONE),
        customer(PHONE, OTHER_PHONE).replace("</contact><contact>", "</contact><contact primarycontact='1'>"),
    ),
    "customer/contact/name/@type": (
        customer(PHONE + NAMES),
        customer(PHONE + NAMES.replace("<name>", "<name type='business'>", 1)),
    ),
    "customer/contact/email/@preferredcontact": (
        customer(EMAIL + OTHER_EMAIL),
        customer(EMAIL + OTHER_EMAIL.replace("<email>", "<email preferredcontact='1'>")),
    ),
    "customer/contact/phone/@preferredcontact": (
        customer(PHONE + OTHER_PHONE),
        customer(PHONE + OTHER_PHONE.replace("<phone>", "<phone preferredcontact='1'>")),
    ),
    "customer/contact/phone/@type": (
        customer(PHONE + OTHER_PHONE),
        customer(PHONE.replace("<phone>", "<phone type='fax'>") + OTHER_PHONE),
    ),
    "customer/contact/address": (customer(PHONE + "<address><city>苏州市</city></address>"), customer(PHONE)),
    "vehicle/condition": (
        "<vehicle><condition>good</condition></vehicle>",
        "<vehicle><condition>used</condition></vehicle>",
    ),
    "vendor": ("<vendor><vendorname>suzhou-store</vendorname></vendor>", ""),
    "provider": ("<provider><name>Portal</name></provider>", ""),
}
"""Two whole parts of a prospect that make two leads, for what is no single value."""


def read(prospect: str) -> Draft:
    body = f"<adf>{prospect}</adf>".encode()
    (item,) = read_adf(body, "", RULES.places, consent_version="adf-1", received_at=NOW, most=1)
    assert isinstance(item, Draft), item.faults
    return item


def lead_of(prospect: str) -> dict[str, Any]:
    return read(prospect).model_dump(exclude={"content", "remarks"})


def remarks_of(prospect: str) -> tuple[Fault, ...]:
    item = read(prospect)
    return item.remarks if isinstance(item, MendedDraft) else ()


def holding(path: str, value: str) -> str:
    """The base prospect with a value at a path."""
    prospect = element = fromstring(BASE)
    *names, last = path.split("/")
    for name in names if last.startswith("@") else [*names, last]:
        found: Element | None = element.find(name)
        element = SubElement(element, name) if found is None else found
    if last.startswith("@"):
        element.set(last[1:], value)
    else:
        element.text = value
    return tostring(prospect, encoding="unicode")


@pytest.mark.parametrize("path", PASSED_OVER)
def test_what_is_passed_over_changes_nothing_and_is_no_surprise(path: str) -> None:
    parent = path.rpartition("/")[0] if "/@" in path else path
    without = holding(parent, "") if parent in PASSED_OVER else BASE

    changed = holding(path, "9 unknown things")

    assert lead_of(changed) == lead_of(without)
    assert remarks_of(changed) == remarks_of(BASE) == ()


@pytest.mark.parametrize("path", READ)
def test_what_is_read_changes_the_lead(path: str) -> None:
    if path in OF_PATH:
        one, other = (holding(path, value) for value in OF_PATH[path])
    else:
        shared = "" if path.startswith("customer") else customer(PHONE)
        one, other = (f"<prospect>{shared}{structure}</prospect>" for structure in OF_STRUCTURE[path])

    assert lead_of(one) != lead_of(other)


def test_every_row_that_is_read_has_its_two_values() -> None:
    assert sorted(READ) == sorted([*OF_PATH, *OF_STRUCTURE])
    assert len({*READ, *PASSED_OVER}) == len(READ) + len(PASSED_OVER)


def test_the_documents_table_is_the_readers() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")

    assert document == with_table(document), "run `python -m services.lead_intake.sources.adf_table docs/interfaces.md`"


@pytest.mark.parametrize(
    ("prospect", "named"),
    [
        (BASE.replace("<vendor>", "<wechat>x</wechat><vendor>"), "prospect/wechat"),
        (BASE.replace("</contact>", "<WeChat>x</WeChat></contact>"), "prospect/customer/contact/wechat"),
        (BASE.replace("<vehicle ", "<vehicle intrest='sell' "), "prospect/vehicle/@intrest"),
        (BASE.replace("<vendor>", "<phone>x</phone><vendor>"), "prospect/phone"),
        (BASE.replace("<vendor>", "<p13900000001>x</p13900000001><vendor>"), "an element"),
        (BASE.replace("<vendor>", "<微信>x</微信><vendor>"), "an element"),
    ],
)
def test_what_the_standard_does_not_know_is_named_and_loses_nothing(prospect: str, named: str) -> None:
    (remark,) = remarks_of(prospect)

    assert remark.detail == f"{named} is not known to ADF 1.0 there; it is passed over"
    assert lead_of(prospect) == lead_of(BASE)


def test_only_so_many_unknown_names_are_told() -> None:
    inventions = "".join(f"<{letter}x/>" for letter in "abcdefghijklmnop")

    remarks = remarks_of(BASE.replace("<vendor>", inventions + "<vendor>"))

    assert len(remarks) == 9
    assert "8 more" in remarks[-1].detail


def test_what_belongs_to_another_standard_or_to_an_open_part_is_not_told() -> None:
    prospect = BASE.replace("<prospect>", "<prospect xmlns:x='urn:x' x:note='1'>")
    prospect = prospect.replace("</vendor>", "<contact><anything/></contact></vendor>")

    assert remarks_of(prospect) == ()


@pytest.mark.parametrize(
    "status",
    [
        *("used", "USED", "Used Car", "used_vehicle", "usedvehicle", "used, certified", "approved used", "U"),
        *(
            "pre-owned",
            "Certified Pre-Owned (CPO)",
            "preowned/used",
            "second hand",
            "ｕｓｅｄ",
            "二手车",
            "官方认证二手车",
            "旧车",
        ),
    ],
)
def test_every_word_for_used_sends_the_lead_to_a_delivery_center(status: str) -> None:
    for interest in ("buy", "lease", "test-drive", ""):
        vehicle = f"<vehicle interest='{interest}' status='{status}'/>"
        assert read(f"<prospect>{vehicle}{customer(PHONE)}</prospect>").intent == "used_vehicle"
    unclear = f"<vehicle status='unknown'><condition>{status}</condition></vehicle>"
    assert read(f"<prospect>{unclear}{customer(PHONE)}</prospect>").intent == "used_vehicle"


@pytest.mark.parametrize("status", ["", "new", "New", "N", "unused", "not used", "new car", "新车"])
def test_a_new_car_stays_a_purchase_without_a_word(status: str) -> None:
    prospect = f"<prospect><vehicle status='{status}'/>{customer(PHONE)}</prospect>"

    assert read(prospect).intent == "purchase"
    assert remarks_of(prospect) == ()
