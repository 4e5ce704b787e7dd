"""What is mended in an ADF file is read as it was meant, and told to the sender of that prospect, and of no other."""

import pytest

from services.lead_intake.draft import Draft, MendedDraft
from services.lead_intake.faults import Refused
from services.lead_intake.sources.adf import read_adf
from services.lead_intake.sources.adf_markup import shadow, stretches
from services.lead_intake.sources.adf_repair import Repair
from services.lead_intake.sources.reading import Item, Unreadable
from tests.services.lead_intake.builders import NOW, RULES


def read(body: str | bytes) -> list[Item]:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return read_adf(raw, "", RULES.places, consent_version="adf-1", received_at=NOW, most=100)


def prospect(name: str = "Test Person", more: str = "", tag: str = "name") -> str:
    contact = f"<contact><{tag}>{name}</{tag}><phone>13900000001</phone></contact>"
    return f"<prospect><customer>{contact}</customer>{more}</prospect>"


def told(item: Item) -> list[str]:
    assert isinstance(item, Draft), item.faults
    remarks = item.remarks if isinstance(item, MendedDraft) else ()
    return [remark.detail.removeprefix("was mended: ") for remark in remarks if remark.pointer == ""]


def name_of(item: Item) -> str | None:
    assert isinstance(item, Draft), item.faults
    return item.contact.name


@pytest.mark.parametrize(
    ("written", "name", "repairs"),
    [
        ("Test Person", "Test Person", []),
        ("A\x01B", "A B", [Repair.CONTROLS]),
        ("A\x00B", "A B", [Repair.CONTROLS]),
        ("A\x0b\x0cB", "A B", [Repair.CONTROLS]),
        ("A\ufffeB", "A B", [Repair.CONTROLS]),
        ("<![CDATA[A\x02B]]>", "A B", [Repair.CONTROLS]),
        ("A\x7fB", "A B", [Repair.CONTROLS]),
        ("A&#11;B", "A B", [Repair.REFERENCES]),
        ("A&#x1;B", "A B", [Repair.REFERENCES]),
        ("A&#X0B;B", "A B", [Repair.REFERENCES]),
        ("A&#0;B", "A B", [Repair.REFERENCES]),
        ("A&#00000000000000000011;B", "A B", [Repair.REFERENCES]),
        ("A&#xD800;B", "A B", [Repair.REFERENCES]),
        ("A&#xFFFF;B", "A B", [Repair.REFERENCES]),
        ("A&#x110000;B", "A B", [Repair.REFERENCES]),
        ("A&#99999999999999999999;B", "A B", [Repair.REFERENCES]),
        ("A&#127;B", "A B", [Repair.REFERENCES]),
        ("O&#146;Test", "O’Test", [Repair.WINDOWS]),
        ("O&#x92;Test", "O’Test", [Repair.WINDOWS]),
        ("A&#128;&#159;B", "A€ŸB", [Repair.WINDOWS]),
        ("A&#129;B", "A B", [Repair.WINDOWS]),
        ("O\x92Test", "O’Test", [Repair.WINDOWS]),
        ("A\x85B", "A B", [Repair.WINDOWS]),
        ("A&nbsp;B", "A B", [Repair.ENTITIES]),
        ("A &LT; B &AMP; C", "A < B & C", [Repair.ENTITIES]),
        ("A &unheardof; B", "A &unheardof; B", [Repair.AMPERSANDS]),
        ("A & B", "A & B", [Repair.AMPERSANDS]),
        ("A &# B", "A &# B", [Repair.AMPERSANDS]),
        ("A < B", "A < B", [Repair.AMPERSANDS]),
        ("A<br>B", "A B", [Repair.HTML]),
        ("A<BR clear=all>B<br></br>C<hr >D", "A B C D", [Repair.HTML]),
        ("A<br/>B<img src='x'>C", "A B C", [Repair.HTML]),
        ("A]]>B", "A]]>B", [Repair.AMPERSANDS]),
        ("<![CDATA[A<![CDATA[B]]>C]]>", "A<![CDATA[BC]]>", [Repair.AMPERSANDS]),
        ("A &amp; B &#38; C", "A & B & C", []),
        ("A<!-- & -- --> B", "A B", []),
        ("A & B\x01C", "A & B C", [Repair.CONTROLS, Repair.AMPERSANDS]),
    ],
)
def test_a_name_is_mended_and_every_kind_of_repair_is_told(written: str, name: str, repairs: list[Repair]) -> None:
    (item,) = read(f"<adf>{prospect(written)}</adf>")

    assert name_of(item) == name
    assert told(item) == [str(repair) for repair in repairs]


@pytest.mark.parametrize(
    ("body", "repair"),
    [
        (f"<adf>{prospect(more='<id sequence=1>A-1</id>')}</adf>", Repair.QUOTES),
        (f"<adf>{prospect(more='<id source=“a portal”>A-1</id>')}</adf>", Repair.QUOTES),
        (f"<adf>{prospect().replace('<name>', '<Name>')}</adf>", Repair.CASE),
        (f"<ADF>{prospect()}</adf>", Repair.CASE),
        (f"<a:adf>{prospect(tag='a:name')}</a:adf>", Repair.PREFIXES),
        (f"<adf xsi:schemaLocation='x'>{prospect()}</adf>", Repair.PREFIXES),
    ],
)
def test_tags_are_mended_and_told(body: str, repair: Repair) -> None:
    (item,) = read(body)

    assert (name_of(item), told(item)) == ("Test Person", [str(repair)])


@pytest.mark.parametrize("tag", ["comments", "Comments", "pricecomments"])
@pytest.mark.parametrize(
    "text",
    [
        *(
            "<p>Hello<br>you",
            "<b>Hi",
            "<ul><li>a<li>b</ul>",
            "a<b",
            "<td nowrap>x</td>",
            "<a href=http://x?a=1&b=2>x</a>",
        ),
        *(
            "<!DOCTYPE html><html><body>x</body></html>",
            "<test@example.com>",
            "<!-- unclosed",
            "</customer>",
            "x\n<x\n",
        ),
        *("<div class='a' class='b'>x</div>", "<script>if(a<b&&c>d){}</script>", "<![CDATA[</comments>]]><p>"),
    ],
)
def test_no_comments_refuse_a_lead(tag: str, text: str) -> None:
    (item,) = read(f"<adf>{prospect(more=f'<customer><{tag}>{text}</{tag}></customer>')}</adf>")

    assert name_of(item) == "Test Person"
    assert str(Repair.COMMENTS) in told(item)


def test_a_fault_is_placed_where_it_is_although_comments_were_blanked_out() -> None:
    broken = prospect(more="<comments><p>\n<b></comments><id>")
    (item,) = read(f"<adf>{broken}</adf>")

    assert isinstance(item, Refused)
    assert "line 2" in item.faults[0].detail


def test_what_is_quoted_is_left_alone_while_the_rest_is_mended() -> None:
    (item,) = read(f"<adf>{prospect('A & B', '''<id source='x a=b “c” d'>A-1</id>''')}</adf>")

    assert isinstance(item, Draft)
    assert item.source_lead_id == "x a=b “c” d:A-1"


def test_prefixes_that_are_declared_are_read_without_a_word() -> None:
    (item,) = read(f"<a:adf xmlns:a='urn:a'>{prospect(tag='a:name')}</a:adf>")

    assert (name_of(item), told(item)) == ("Test Person", [])


def test_each_repair_is_told_to_its_own_prospect_and_a_broken_one_refuses_itself() -> None:
    items = read(f"<adf>{prospect('A & B')}{prospect()}<prospect><id></prospect>{prospect('A&#11;B')}</adf>")

    assert [type(item) for item in items] == [MendedDraft, Draft, Refused, MendedDraft]
    assert told(items[0]) == [Repair.AMPERSANDS]
    assert told(items[3]) == [Repair.REFERENCES]
    broken = items[2]
    assert isinstance(broken, Refused)
    assert broken.faults[0].detail == "is not well-formed, at line 1, column 17 of its <prospect> element"


def test_what_was_done_for_the_file_is_told_to_every_prospect() -> None:
    items = read(f"<adf>{prospect('测试')}{prospect('测试')}</adf>".encode("gbk"))

    assert [name_of(item) for item in items] == ["测试", "测试"]
    assert all("read as GB 18030" in told(item)[0] for item in items)


@pytest.mark.parametrize(
    "more",
    [
        "<vehicle><comments><![CDATA[<!DOCTYPE html><html>call me</html>]]></comments></vehicle>",
        "<!-- <!DOCTYPE adf> -->",
        "<?note <!ENTITY?>",
        "<vehicle><comments><![CDATA[ </prospect></adf> <adf> ]]></comments></vehicle>",
        "<!-- </adf> -->",
        "<!-- <adf><prospect></prospect></adf> -->",
    ],
)
def test_markup_that_is_only_text_is_text(more: str) -> None:
    (item,) = read(f"<?xml version='1.0'?><!-- <!DOCTYPE x> --><adf>{prospect(more=more)}</adf>")

    assert (name_of(item), told(item)) == ("Test Person", [])


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE adf [<!ENTITY a "b">]><adf>{}</adf>',
        "<!-- unclosed <!DOCTYPE adf><adf>{}</adf>",
        '<![CDATA[ x ]]><!doctype adf SYSTEM "http://example.com/adf.dtd"><adf>{}</adf>',
        "<?xml version='1.0'><!DOCTYPE adf><adf>{}</adf><?x?>",
        "<adf>{}<!  ENTITY a 'b'></adf>",
        '<!DOCTYPE html [<!ENTITY a "b">]><adf>{}</adf>',
        "<!DOCTYPE html><!DOCTYPE adf><adf>{}</adf>",
        "<!DOCTYPE htmladf><adf>{}</adf>",
    ],
)
def test_a_doctype_that_is_markup_is_refused(body: str) -> None:
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read(body.format(prospect()))


@pytest.mark.parametrize(
    "body",
    [
        "<html><!-- <adf>{}</adf> --></html>",
        "<!DOCTYPE html><html><body><adf>{}</adf></body></html>",
        '<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd"><adf>{}</adf>',
        "<soap:Envelope><![CDATA[<adf>{}</adf>]]></soap:Envelope>",
        "<e:Envelope xmlns:a='urn:a'><a:adf>{}</a:adf></e:Envelope>",
        "<?ADF VERSION '1.0'?><adf>{}</adf>",
        "<?adf version='1.0'><adf>{}</adf>",
    ],
)
def test_an_adf_is_found_inside_what_carries_it(body: str) -> None:
    (item,) = read(body.format(prospect()))

    assert name_of(item) == "Test Person"


def test_a_shadow_has_every_place_of_its_text() -> None:
    comment, cdata, instruction = "<!-- <b> -->", "<![CDATA[</d>]]>", "<?f <g?>"
    text = f"a{comment}<c>{cdata}e{instruction}<!-- open <?g>"

    blank = [" " * len(hidden) for hidden in (comment, cdata, instruction)]
    assert shadow(text) == f"a{blank[0]}<c>{blank[1]}e{blank[2]}<!-- open <?g>"
    assert [text[found.start : found.end] for found in stretches(text)] == [comment, cdata, instruction]
