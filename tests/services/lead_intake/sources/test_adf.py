"""ADF as it really comes: the ladder from bytes to prospects, and what each element means."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.draft import Draft
from services.lead_intake.faults import Refused
from services.lead_intake.sources.adf import read_adf
from services.lead_intake.sources.reading import Item, Unreadable
from shared.vocabulary import Channel, Intent
from tests.services.lead_intake.builders import NOW, RULES

CONTACT = "<contact><name part='full'>Test Person</name><phone>+8613800138000</phone></contact>"
VEHICLE = "<vehicle><year>2026</year><make>Way</make><model>One</model></vehicle>"


def read(body: str | bytes, charset: str = "", consent_version: str | None = "adf-1") -> list[Item]:
    raw = body.encode() if isinstance(body, str) else body
    return read_adf(raw, charset, RULES.places, consent_version=consent_version, received_at=NOW, most=100)


def prospect(inner: str = "", *, contact: str = CONTACT, vehicle: str = VEHICLE, head: str = "") -> str:
    return f"<prospect>{head}{vehicle}<customer>{contact}</customer>{inner}</prospect>"


def adf(*prospects: str) -> str:
    return f"<?xml version='1.0'?><?adf version='1.0'?><adf>{''.join(prospects or (prospect(),))}</adf>"


def one(body: str | bytes, charset: str = "") -> Draft:
    (item,) = read(body, charset)
    assert isinstance(item, Draft), item.faults
    return item


def test_the_standards_minimum_is_read() -> None:
    draft = one(adf())

    assert (draft.intent, draft.channel) == (Intent.PURCHASE, Channel.ADF)
    assert (draft.contact.name, draft.contact.phone) == ("Test Person", "+8613800138000")
    assert draft.vehicle is not None
    assert (draft.vehicle.brand, draft.vehicle.model, draft.vehicle.year) == ("Way", "One", 2026)
    assert (draft.consent.text_version, draft.consent.given_at) == ("adf-1", NOW)


@pytest.mark.parametrize(
    "body",
    [
        '<?ADF VERSION "1.0"?>\n<?XML VERSION "1.0"?>\n<adf>{p}</adf>',
        "\n\n<?xml version='1.0'?><adf>{p}</adf>",
        "<html><!--Body <adf>{p}</adf> --></html>",
        '<adf version="1.0">{p}</adf>',
        "<ADF>{p}</ADF>",
        '<adf xmlns="http://example.com/adf">{p}</adf>',
        "Dear team, see below.\n<adf>{p}</adf\n>\nRegards",
        "<?xml version='1.0' encoding='utf-16'?><adf>{p}</adf>",
    ],
)
def test_what_stands_around_the_prospect_does_not_matter(body: str) -> None:
    assert one(body.replace("{p}", prospect())).contact.phone == "+8613800138000"


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ("Test & Person", "Test & Person"),
        ("Test&nbsp;Person", "Test Person"),
        ("Test &eacute; Person", "Test é Person"),
        ("Test < Person", "Test < Person"),
        ("Test \x0bPerson", "Test Person"),
        ("Test &amp; Person", "Test & Person"),
        ("Test &#38; Person", "Test & Person"),
        ("<![CDATA[Test & Person]]>", "Test & Person"),
        ("<![CDATA[Test]]> & Person", "Test & Person"),
    ],
)
def test_text_that_was_not_escaped_is_repaired(found: str, name: str) -> None:
    contact = f"<contact><name part=full>{found}</name><phone>13800138000</phone></contact>"

    assert one(adf(prospect(contact=contact))).contact.name == name


def test_attributes_without_quotes_or_with_curly_ones_are_repaired() -> None:
    draft = one(adf(prospect(head="<id sequence=1 source=“portal”>A-1</id>")))

    assert draft.source_lead_id == "portal:A-1"


@pytest.mark.parametrize(
    ("encoding", "declared", "charset", "name"),
    [
        ("utf-8", "utf-8", "", "测试é"),
        ("utf-8", "iso-8859-1", "iso-8859-1", "测试é"),
        ("utf-8-sig", "", "", "测试é"),
        ("utf-16", "utf-16", "", "测试é"),
        ("gb18030", "gb2312", "", "测试é"),
        ("gb18030", "", "gbk", "测试é"),
        ("gb2312", "", "", "测试"),
        ("cp1252", "utf-8", "", "Müller é"),
        ("cp1252", "", "", "Žarko"),
    ],
)
def test_the_encoding_is_found_and_no_name_becomes_other_letters(
    encoding: str, declared: str, charset: str, name: str
) -> None:
    header = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    contact = f"<contact><name>{name}</name><phone>13800138000</phone></contact>"

    draft = one(f"{header}<adf>{prospect(contact=contact)}</adf>".encode(encoding), charset)

    assert draft.contact.name == name


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE adf [<!ENTITY a "b">]><adf><prospect>&a;</prospect></adf>',
        '<!DOCTYPE adf SYSTEM "file:///etc/passwd"><adf><prospect/></adf>',
        "<!doctype adf><adf><prospect/></adf>",
        "<adf><!DOCTYPE x><prospect/></adf>",
        '<adf><!ENTITY a "b"><prospect/></adf>',
    ],
)
def test_doctypes_and_entities_are_refused(body: str) -> None:
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read(body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "no whole <adf>"),
        ("<xml>nothing</xml>", "no whole <adf>"),
        ("<adf>" + prospect(), "no whole <adf>"),
        ("<adf></adf>", "no prospect"),
        (adf(*[prospect()] * 101), "more than 100"),
        (b"\x00\x81\x8d\xff<adf></adf>", "no encoding"),
    ],
)
def test_a_file_without_leads_is_unreadable(body: str | bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read(body)


@pytest.mark.parametrize("depth", [17, 20_000])
def test_deep_nesting_is_refused_before_a_tree_is_built(depth: int) -> None:
    (item,) = read("<adf>" + "<a>" * depth + "</a>" * depth + "</adf>")

    assert isinstance(item, Refused)
    assert "deeper" in item.faults[0].detail


@pytest.mark.parametrize("unit", ["<adf>", "<![CDATA[", "<a ", "&a", "<a b=", "<?xml ", "</adf ", " a = "])
def test_a_quarter_megabyte_of_one_opening_is_refused(unit: str) -> None:
    body = unit * (256 * 1024 // len(unit))

    for hostile in (body, f"<adf>{body}</adf>", f"<adf><prospect {body}></prospect></adf>"):
        with pytest.raises(Unreadable):
            refuse_all(read(hostile))


def refuse_all(items: list[Item]) -> None:
    assert all(isinstance(item, Refused) for item in items)
    raise Unreadable


def test_each_prospect_is_answered_by_itself() -> None:
    without_contact = prospect(contact="<contact><name>Test Person</name></contact>")

    items = read(adf(prospect(), without_contact) + "<adf><prospect></wrong></adf>" + adf())

    assert [type(item) for item in items] == [Draft, Draft, Refused, Draft]
    broken = items[2]
    assert isinstance(broken, Refused)
    assert "not well-formed, at line 1" in broken.faults[0].detail


@pytest.mark.parametrize(
    ("interest", "intent"),
    [
        ("buy", Intent.PURCHASE),
        ("lease", Intent.PURCHASE),
        ("test-drive", Intent.TEST_DRIVE),
        ("Test Drive", Intent.TEST_DRIVE),
        ("trade-in", Intent.TRADE_IN),
        ("sell", Intent.TRADE_IN),
        ("collect", Intent.PURCHASE),
    ],
)
def test_the_interest_is_the_intent(interest: str, intent: Intent) -> None:
    vehicle = f'<vehicle interest="{interest}"><make>Way</make></vehicle>'

    assert one(adf(prospect(vehicle=vehicle))).intent is intent


def test_a_buyer_who_trades_in_wants_to_buy() -> None:
    old = '<vehicle interest="trade-in"><make>Old</make></vehicle>'
    new = '<vehicle interest="test-drive"><make>Way</make></vehicle>'

    draft = one(adf(prospect(vehicle=old + new)))

    assert draft.vehicle is not None
    assert (draft.intent, draft.vehicle.brand) == (Intent.TEST_DRIVE, "Way")


def test_a_coupon_without_a_vehicle_is_a_purchase() -> None:
    assert one(adf(prospect(vehicle=""))).intent is Intent.PURCHASE


def test_the_provider_may_name_a_service() -> None:
    provider = "<provider><name>Portal</name><service>Body-Repair</service></provider>"

    draft = one(adf(prospect(provider)))

    assert (draft.intent, draft.campaign) == (Intent.BODY_REPAIR, "Portal")


@pytest.mark.parametrize(
    ("vendor", "site"),
    [
        ("<vendor><id source='x'>suzhou-as-01</id><vendorname>Store</vendorname></vendor>", "suzhou-as-01"),
        ("<vendor><vendorname>suzhou-as-01</vendorname></vendor>", "suzhou-as-01"),
        ("<vendor><id>12345</id><vendorname>Best Cars</vendorname></vendor>", None),
        ("<vendor><id>12-345</id><vendorname>Auto-Haus Nord</vendorname></vendor>", None),
        ("", None),
    ],
)
def test_the_vendor_is_a_preference_only_when_it_looks_like_a_site(vendor: str, site: str | None) -> None:
    assert one(adf(prospect(vendor))).preferred_site == site


@pytest.mark.parametrize(
    ("ids", "own"),
    [
        ('<id sequence="2" source="hop">9</id><id sequence="1" source="portal">A-1</id>', "portal:A-1"),
        ("<id>A-1</id>", "A-1"),
        ('<id sequence="734512" source="portal"></id>', "portal:734512"),
        ('<id sequence="1" source="portal"/>', None),
        ("", None),
    ],
)
def test_the_id_of_lowest_sequence_is_the_senders(ids: str, own: str | None) -> None:
    assert one(adf(prospect(head=ids))).source_lead_id == own


def test_the_preferred_phone_is_taken_and_what_is_no_phone_passed_over() -> None:
    contact = (
        "<contact><name part='first'>Test</name><name part='last'>Person</name><phone>N/A</phone>"
        "<phone>13800138000</phone><phone preferredcontact='1'>13900139000</phone><email>none</email></contact>"
    )

    draft = one(adf(prospect(contact=contact)))

    assert (draft.contact.name, draft.contact.phone, draft.contact.email) == ("Test Person", "13900139000", None)


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("<city>苏州市</city><street line='1'>虎丘区某路1号</street>", {"city": "苏州市", "district": "虎丘区"}),
        (
            "<city>Suzhou</city><regioncode>JS</regioncode><postalcode>215000</postalcode><country>CN</country>",
            {"province": "JS", "city": "Suzhou", "postal_code": "215000"},
        ),
        ("<regioncode>610116</regioncode><city>Anywhere</city>", {"adcode": "610116"}),
        ("<regioncode>610116001000</regioncode><city>Anywhere</city>", {"adcode": "610116001000"}),
        (
            "<regioncode>天津市</regioncode><city>市辖区</city><street line='1'>天津市河西区某路1号</street>",
            {"province": "天津市", "city": "市辖区", "district": "河西区"},
        ),
        ("<city>Springfield</city><regioncode>IL</regioncode>", {"province": "IL", "city": "Springfield"}),
        ("<street>only a street</street>", None),
        ("<street>only a street</street><postalcode>215021</postalcode>", {"postal_code": "215021"}),
        (
            "<regioncode>JS</regioncode><postalcode>215021</postalcode>",
            {"province": "JS", "postal_code": "215021"},
        ),
    ],
)
def test_the_address_is_given_by_its_names(address: str, location: dict[str, str] | None) -> None:
    contact = CONTACT.replace("</contact>", f"<address>{address}</address></contact>")

    found = one(adf(prospect(contact=contact))).location

    assert (found.model_dump(exclude_none=True) if found else None) == location


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2026-03-01T08:47:50+08:00", datetime(2026, 3, 1, 0, 47, 50, tzinfo=UTC)),
        ("20260301T084750+0800", datetime(2026, 3, 1, 0, 47, 50, tzinfo=UTC)),
        ("2026-03-01T08:47:50.542Z", datetime(2026, 3, 1, 8, 47, 50, 542_000, tzinfo=UTC)),
        ("2026-03-01 08:47:50+08:00", datetime(2026, 3, 1, 0, 47, 50, tzinfo=UTC)),
        ("2026-03-01T8:47:50-08:0", datetime(2026, 3, 1, 16, 47, 50, tzinfo=UTC)),
        ("2026-03-01T08:47:50", None),
        ("June 25, 2008, 8:47 am", None),
        ("1772326070", None),
        ("", None),
    ],
)
def test_the_request_date_is_read_when_it_is_certain(written: str, read_as: datetime | None) -> None:
    draft = one(adf(prospect(head=f"<requestdate>{written}</requestdate>")))

    assert draft.client_time == read_as
    # A clock ahead of ours cannot make anybody agree in the future.
    assert draft.consent.given_at == min(read_as or NOW, NOW)


def test_without_an_agreed_consent_text_every_prospect_is_refused() -> None:
    items = read(adf(prospect(), prospect()), consent_version=None)

    for item in items:
        assert isinstance(item, Refused)
        assert item.faults[0].pointer == "/consent"


@given(st.text(alphabet="<>adf/ =\"'&;![]CDATAprospect-\x00é", max_size=80), st.text(max_size=20))
def test_any_text_is_read_or_refused(inside: str, around: str) -> None:
    try:
        items = read(f"{around}<adf>{prospect()}{inside}</adf>{around}")
    except Unreadable:
        return
    assert all(isinstance(item, Draft) or item.faults for item in items)
