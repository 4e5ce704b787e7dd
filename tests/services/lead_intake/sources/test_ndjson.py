"""Batches: a bad line refuses itself only."""

import orjson
import pytest

from services.lead_intake.draft import Draft
from services.lead_intake.faults import Refused
from services.lead_intake.sources.ndjson import read_ndjson
from services.lead_intake.sources.reading import Unreadable
from tests.services.lead_intake.builders import lead_json

GOOD = orjson.dumps(lead_json())


def test_lines_keep_their_numbers_and_a_bad_one_refuses_itself_only() -> None:
    items = read_ndjson(b"\n".join([GOOD, b"", b"{nonsense", GOOD]) + b"\r\n", 100)

    assert [number for number, _ in items] == [1, 3, 4]
    assert [type(item) for _, item in items] == [Draft, Refused, Draft]


def test_a_line_separator_inside_a_name_does_not_cut_the_line() -> None:
    line = orjson.dumps(lead_json(contact={"name": "Test\u2028Person\u0085", "phone": "13800138000"}))

    assert len(read_ndjson(line, 100)) == 1


def test_too_many_leads_are_refused_as_a_whole() -> None:
    assert len(read_ndjson(b"\n".join([GOOD] * 100), 100)) == 100
    with pytest.raises(Unreadable, match="more than 100"):
        read_ndjson(b"\n".join([GOOD] * 101), 100)


@pytest.mark.parametrize("body", [b"", b"\n\n", b" \r\n"])
def test_an_empty_batch_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable, match="no lead"):
        read_ndjson(body, 100)
