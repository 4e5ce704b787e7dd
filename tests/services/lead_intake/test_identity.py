"""What stands for an id is none; every true id is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.faults import Fault
from services.lead_intake.identity import identifies
from tests.services.lead_intake.builders import accept, draft


@pytest.mark.parametrize(
    "written",
    [
        *("0", "1", "-1", "00000", "999", "123", "12345", "123456789"),
        *("n/a", "N/A", "null", "NULL", "None", "nil", "undefined", "NaN", "unknown", "[object Object]", "true"),
        *("test", "TEST", "test1", "test 2", "demo", "Test Lead", "sample-id", "xxx", "---", "...", "?", "“”"),
        *("{id}", "${lead.id}", "{{lead_id}}", "%ID%", "%s", "<id>", "[id]", "__ID__", "@id", ":id"),
        *("uniqueLeadId", "YOUR_ID_HERE", "lead_id", "leadId", "insert id here", "not set", "string", "uuid"),
        *("00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}"),
        *("ffffffff-ffff-ffff-ffff-ffffffffffff", "测试", "暂无", "ＮＵＬＬ"),
    ],
)
def test_a_filler_is_no_id(written: str) -> None:
    assert not identifies(written)

    lead = accept(draft(source_lead_id=written))
    assert lead.source_id_token is None
    assert [fault.pointer for fault in lead.remarks] == ["/source_lead_id"]


@pytest.mark.parametrize(
    "written",
    [
        *("4711", "A-1", "portal-1", "P-0065", "lead-4711", "test-4711", "order 7", "7", "12", "17", "1001", "00123"),
        *("{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "9f8e", "线索-20260301-7"),
        "lead id 88213",
    ],
)
def test_an_id_is_one(written: str) -> None:
    assert identifies(written)
    assert accept(draft(source_lead_id=written)).remarks == ()


@given(st.integers(min_value=10**6, max_value=10**18), st.sampled_from(["", "L-", "lead_", "portal/"]))
def test_large_numbers_are_ids_but_for_those_that_are_typed_along_a_keyboard(number: int, prefix: str) -> None:
    typed = len(set(str(number))) == 1 or "12345678901234567890".startswith(str(number))

    assert identifies(f"{prefix}{number}") == (not typed or bool(prefix))


@given(st.text(max_size=128))
def test_any_text_is_judged(written: str) -> None:
    assert identifies(written) in (True, False)


def test_a_filler_is_told_without_being_repeated() -> None:
    assert accept(draft(source_lead_id="YOUR_ID_HERE")).remarks == (
        Fault("/source_lead_id", "is a filler and no id; it is passed over, so a repeat is not recognised by it"),
    )
