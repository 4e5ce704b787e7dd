"""Whatever comes, in whatever format it says it is: a lead, or a refusal with a reason; never another error."""

from encodings.aliases import aliases
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.db_sources import Source
from services.lead_intake.domain import received_fact
from services.lead_intake.faults import Refused
from services.lead_intake.problems import Problem, refused, unreadable
from services.lead_intake.sources.formats import format_of, read_leads
from services.lead_intake.sources.reading import Unreadable
from tests.services.lead_intake.builders import NOW, RULES, accept

SOURCE = Source("portal", "adf-1")
CHARSETS = sorted(
    {*aliases.values(), "undefined", "idna", "punycode", "unicode_escape", "utf-7", "x" * 300, "\x00", "é"}
)
CONTENT_TYPES = st.sampled_from(
    ["text/xml", "application/x-adf+xml", "application/json", "application/x-ndjson", "application/xml;", "text/plain"]
)
FRAGMENTS = st.sampled_from(
    [
        *(
            b"<adf>",
            b"</adf>",
            b"<prospect>",
            b"</prospect>",
            b"<contact>",
            b"</contact>",
            b"<customer>",
            b"</customer>",
        ),
        *(
            b"<phone>13800138000</phone>",
            b"<![CDATA[",
            b"]]>",
            b"<!--",
            b"-->",
            b"<?xml",
            b"?>",
            b"<!DOCTYPE a>",
            b"&#",
        ),
        *(b"&#xD800;", b"&#11;", b"&#150;", b"&nbsp;", b"&", b"<", b"\x00", b"\x92", b"\xff\xfe", b"\xef\xbb\xbf"),
        *(
            "苏州".encode(),
            "苏州".encode("gbk"),
            "蘇州".encode("big5"),
            b' encoding="hex"',
            b"<id sequence='9'>",
            b"</id>",
        ),
        *(b"<requestdate>0001-01-01T00:00:00+14:00</requestdate>", b"<year>", b"9" * 5_000, b"</year>", b"<vehicle>"),
        *(
            b'{"contact":{"phone":"13800138000"',
            b"}",
            b'"consent":{"given_at":"',
            b'{"intent":"purchase",',
            b'"',
            b"\n",
        ),
    ]
)
BODIES = st.lists(FRAGMENTS | st.binary(max_size=12), max_size=24).map(b"".join) | st.binary(max_size=200)


def statuses(content_type: bytes, body: bytes) -> list[int]:
    """What the intake would answer to each lead of a body, without its database."""
    try:
        name, charset = format_of(content_type, b"")
        items = read_leads(name, body, charset, SOURCE, RULES.places, NOW)
    except Problem as problem:
        return [problem.status]
    except Unreadable as error:
        return [unreadable(str(error)).status]
    found = []
    for _, item in items:
        try:
            if isinstance(item, Refused):
                raise item
            received_fact(accept(item), UUID(int=7)).to_bytes()
            found.append(202)
        except Refused as error:
            found.append(refused(error.faults).status if error.faults else 500)
    return found


@given(CONTENT_TYPES, st.sampled_from(CHARSETS) | st.text(max_size=30), BODIES)
def test_any_bytes_of_any_content_type_are_answered(content_type: str, charset: str, body: bytes) -> None:
    said = f"{content_type}; charset={charset}".encode("latin-1", "replace")

    assert set(statuses(said, body)) <= {202, 400, 415, 422}


@given(st.sampled_from(CHARSETS), st.binary(max_size=40))
def test_any_text_of_a_whole_prospect_is_answered(charset: str, text: bytes) -> None:
    contact = b"<customer><contact><name>" + text + b"</name><phone>13800138000</phone></contact></customer>"
    body = b"<adf><prospect>" + contact + b"<provider><name>" + text + b"</name></provider></prospect></adf>"

    assert set(statuses(f"text/xml; charset={charset}".encode("latin-1", "replace"), body)) <= {202, 400, 422}
