"""Nothing that is optional or too much refuses a prospect: what can be used is taken, and the rest is told."""

from typing import Any

import pytest

from services.lead_intake.domain import Lead
from services.lead_intake.draft import Draft
from services.lead_intake.faults import Refused
from services.lead_intake.sources.adf import read_adf
from services.lead_intake.sources.reading import Item
from shared.vocabulary import Intent
from tests.services.lead_intake.builders import NOW, RULES, accept

PHONE, EMAIL = "+8613900000001", "test.person@example.com"
GOOD_PHONE, GOOD_EMAIL = f"<phone>{PHONE}</phone>", f"<email>{EMAIL}</email>"


def read(inner: str) -> Item:
    body = f"<adf><prospect>{inner}</prospect></adf>".encode()
    (item,) = read_adf(body, "", RULES.places, consent_version="adf-1", received_at=NOW, most=1)
    return item


def lead_of(inner: str) -> Lead:
    item = read(inner)
    assert isinstance(item, Draft), item.faults
    return accept(item)


def customer(contact: str) -> str:
    return f"<customer><contact>{contact}</contact></customer>"


def told(lead: Lead) -> dict[str, str]:
    return {remark.pointer: remark.detail for remark in lead.remarks}


@pytest.mark.parametrize(
    ("contact", "phone", "email", "pointer", "why"),
    [
        ("<phone>6522 1234</phone>" + GOOD_PHONE, PHONE, None, "/contact/phone", "area code"),
        ("<phone>(000) 000-0000</phone>" + GOOD_EMAIL, None, EMAIL, "/contact/phone", "filler"),
        ("<phone>n/a</phone>" + GOOD_EMAIL, None, EMAIL, "/contact/phone", "no digits"),
        ("<phone>139****0001</phone>" + GOOD_PHONE + GOOD_EMAIL, PHONE, EMAIL, "/contact/phone", "hidden"),
        ("<email>none</email>" + GOOD_PHONE, PHONE, None, "/contact/email", "no valid"),
        ("<email>a@localhost</email>" + GOOD_PHONE, PHONE, None, "/contact/email", "no valid"),
        ("<email>a@localhost</email>" + GOOD_EMAIL, None, EMAIL, "/contact/email", "no valid"),
        (GOOD_PHONE + "<phone>13900000002</phone>", PHONE, None, "/contact/phone", "several"),
        ("<phone>13900000001 / 13900000002</phone>", PHONE, None, "/contact/phone", "more than one"),
        ("<phone>0512-65223344转8</phone>", "+8651265223344;ext=8", None, "/contact/phone", "extension"),
        (f"<phone>{'9' * 300}</phone>" + GOOD_EMAIL, None, EMAIL, "/contact/phone", "no valid"),
        ("<phone>12345</phone>" * 5_000 + GOOD_EMAIL, None, EMAIL, "/contact/phone", "more than 8"),
        (f"<name>{'Test' * 100}</name>{GOOD_PHONE}", PHONE, None, "/contact/name", "cut off"),
    ],
)
def test_a_way_to_reach_a_person_is_enough(
    contact: str, phone: str | None, email: str | None, pointer: str, why: str
) -> None:
    lead = lead_of(customer(contact))

    assert (lead.contact.phone, lead.contact.email) == (phone, email)
    assert list(told(lead)) == [pointer]
    assert why in told(lead)[pointer]


@pytest.mark.parametrize("again", [GOOD_PHONE, "<phone></phone>", "<phone>139 0000 0001</phone>"])
def test_the_same_phone_twice_or_an_empty_one_is_not_worth_a_word(again: str) -> None:
    lead = lead_of(customer(GOOD_PHONE + again))

    assert (lead.contact.phone, lead.remarks) == (PHONE, ())


@pytest.mark.parametrize(
    ("contact", "pointers"),
    [
        ("", ["/contact"]),
        ("<phone>n/a</phone>", ["/contact"]),
        ("<phone>6522 1234</phone>", ["/contact/phone"]),
        ("<phone>6522 1234</phone><email>a@</email>", ["/contact/phone", "/contact/email"]),
        ("<phone>1111111</phone><phone>6522 1234</phone>", ["/contact/phone"]),
    ],
)
def test_who_cannot_be_reached_at_all_is_refused_with_the_reason(contact: str, pointers: list[str]) -> None:
    item = read(customer(contact))

    assert isinstance(item, Draft)
    with pytest.raises(Refused) as refused:
        accept(item)
    assert [fault.pointer for fault in refused.value.faults] == pointers


@pytest.mark.parametrize(
    ("more", "pointer", "why"),
    [
        ("<requestdate>yesterday</requestdate>", "/client_time", "no date and time"),
        ("<requestdate>2026-02-30T09:00:00+08:00</requestdate>", "/client_time", "no date and time"),
        ("<requestdate>0001-01-01T00:00:00+14:00</requestdate>", "/client_time", "before 2000"),
        ("<requestdate>9999-12-31T23:59:59-12:00</requestdate>", "/client_time", "ahead"),
        ("<requestdate>2027-03-01T00:00:00Z</requestdate>", "/client_time", "ahead"),
        (f"<requestdate>{'2' * 5_000}</requestdate>", "/client_time", "no date and time"),
        ("<vehicle><year>26</year></vehicle>", "/vehicle/year", "four digits"),
        ("<vehicle><year>1492</year></vehicle>", "/vehicle/year", "four digits"),
        (f"<vehicle><year>{'9' * 5_000}</year></vehicle>", "/vehicle/year", "four digits"),
        (f"<vehicle><make>{'Way ' * 50}</make></vehicle>", "/vehicle/brand", ""),
        ("<vehicle interest='borrow'/>", "/intent", "read as buy"),
        ("<vehicle status='demo'/>", "/vehicle", "read as new"),
        ("<vehicle/><vehicle/>", "/vehicle", "the first decides"),
        (f"<provider><name>{'Portal ' * 50}</name></provider>", "/campaign", ""),
        ("<id sequence='7'></id>", "/source_lead_id", "no id"),
    ],
)
def test_what_cannot_be_used_is_passed_over_and_told(more: str, pointer: str, why: str) -> None:
    lead = lead_of(customer(GOOD_PHONE) + more)

    assert pointer in told(lead)
    assert why in told(lead)[pointer]
    assert (lead.contact.phone, lead.client_time) == (PHONE, None)
    assert lead.consent_at == NOW


@pytest.mark.parametrize(
    "more",
    [
        "<vehicle><odometer status='x' units='furlong'>many</odometer><price currency='???'>a lot</price></vehicle>",
        "<vehicle><vin>not a vin</vin><doors>five</doors></vehicle>",
        "<vehicle><comments>" + "long " * 5_000 + "</comments></vehicle>",
        "<vehicle><year>２０２６</year></vehicle>",
        "<vendor><url>:// no url</url><vendorname>Any Store</vendorname></vendor>",
    ],
)
def test_what_is_not_read_may_hold_anything(more: str) -> None:
    assert lead_of(customer(GOOD_PHONE) + more).remarks == ()


@pytest.mark.parametrize(
    "address",
    [
        "<city>苏州市</city><country>Atlantis</country>",
        "<city>苏州市</city><postalcode>none</postalcode>",
        f"<city>苏州市</city><street>{'x' * 5_000}</street>",
        "<street>only a street</street></address><address><city>苏州市</city>",
    ],
)
def test_an_odd_address_still_says_its_city(address: str) -> None:
    lead = lead_of(customer(f"{GOOD_PHONE}<address>{address}</address>"))

    assert lead.place is not None
    assert lead.place.adcode == "320500"


USED, NEW = "<vehicle interest='{}' status='used'/>", "<vehicle interest='{}' status='new'/>"


@pytest.mark.parametrize(
    ("vehicles", "intent"),
    [
        (USED.format("buy"), Intent.USED_VEHICLE),
        (USED.format("lease"), Intent.USED_VEHICLE),
        (USED.format("test-drive"), Intent.USED_VEHICLE),
        (USED.format("trade-in"), Intent.TRADE_IN),
        (USED.format("sell"), Intent.TRADE_IN),
        (USED.format("borrow"), Intent.USED_VEHICLE),
        ("<VEHICLE STATUS='USED'/>", Intent.USED_VEHICLE),
        ("<vehicle status='Pre-Owned'/>", Intent.USED_VEHICLE),
        ("<vehicle status='certified pre-owned'/>", Intent.USED_VEHICLE),
        ("<vehicle status='CPO'/>", Intent.USED_VEHICLE),
        ("<vehicle status='二手车'/>", Intent.USED_VEHICLE),
        ("<vehicle interest='buy'/>", Intent.PURCHASE),
        (USED.format("trade-in") + NEW.format("buy"), Intent.PURCHASE),
        (NEW.format("trade-in") + USED.format("buy"), Intent.USED_VEHICLE),
        (USED.format("buy") + NEW.format("test-drive"), Intent.USED_VEHICLE),
        (USED.format("buy") + "<provider><service>test_drive</service></provider>", Intent.USED_VEHICLE),
        (USED.format("buy") + "<provider><service>Used Cars</service></provider>", Intent.USED_VEHICLE),
        (USED.format("buy") + "<provider><service>maintenance</service></provider>", Intent.MAINTENANCE),
    ],
)
def test_a_used_car_never_goes_where_only_new_ones_are_sold(vehicles: str, intent: Intent) -> None:
    assert lead_of(customer(GOOD_PHONE) + vehicles).intent is intent


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("<name part='first'>伟</name><name part='last'>测</name>", "测伟"),
        (
            "<name part='first'>Test</name><name part='middle'>Q</name><name part='surname'>Person</name>",
            "Test Q Person",
        ),
        ("<name part='last'>Person</name><name part='suffix'>Jr</name>", "Person Jr"),
        ("<name type='business'>Test Works</name>", "Test Works"),
        ("<name part='full'></name><name part='first'>Test</name>", "Test"),
    ],
)
def test_the_parts_of_a_name_are_put_together(names: str, name: str) -> None:
    assert lead_of(customer(names + GOOD_PHONE)).contact.name == name


def test_of_several_contacts_the_first_that_can_be_reached_is_taken() -> None:
    inner = f"<customer><contact><phone>n/a</phone></contact><contact>{GOOD_EMAIL}</contact></customer>"

    lead = lead_of(inner)

    assert lead.contact.email == EMAIL
    assert "/contact" in told(lead)


@pytest.mark.parametrize("length", [10, 120, 128, 1_000])
def test_an_id_of_any_length_is_one(length: int) -> None:
    def token(source: str) -> Any:
        return lead_of(f"{customer(GOOD_PHONE)}<id source='{source}'>4711</id>").source_id_token

    source = "u" * length
    assert token(source) == token(source) is not None
    assert token(source) != token(source + "v")
