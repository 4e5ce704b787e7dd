"""A sender's trace context goes into every fact, so it must be one, and nobody's number."""

import pytest

from services.lead_intake.take import may_be_carried

SPAN = "b" * 16


@pytest.mark.parametrize("trace_id", ["a" * 32, "0" * 16 + "4bf92f3577b34da6", "12345678901234567890123456789012"])
def test_a_trace_id_is_carried(trace_id: str) -> None:
    assert may_be_carried(f"00-{trace_id}-{SPAN}-01")


@pytest.mark.parametrize("trace_id", ["13800138000".zfill(32), "8613800138000".zfill(32), "0" * 32, "x" * 32])
def test_a_number_of_a_person_is_not(trace_id: str) -> None:
    assert not may_be_carried(f"00-{trace_id}-{SPAN}-01")
