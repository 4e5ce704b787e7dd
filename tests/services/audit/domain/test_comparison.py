from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.audit.domain.comparison import LedgerRow, Verdict, changed, difference, tampering
from shared.contracts import LEADS_DECIDED, LeadWaiting
from shared.contracts.decided import Cause, WaitingReason
from shared.vocabulary import Intent

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RECORDED = LeadWaiting(
    decision_id=UUID(int=1),
    lead_id=UUID(int=2),
    epoch=1,
    person_id=UUID(int=3),
    intent=Intent.PURCHASE,
    cause=Cause.RECEIVED,
    cause_id=UUID(int=4),
    received_at=AT,
    decided_at=AT,
    network_revision=1,
    policy_version=1,
    engine_version="1",
    reason=WaitingReason.TOO_FAR,
)
PUBLISHED = RECORDED.model_dump_json(exclude_none=True).encode()
ROW = LedgerRow(UUID(int=1), "waiting", None, AT, 1, 1, UUID(int=4), PUBLISHED)


def edited(**fields: Any) -> bytes:
    return orjson.dumps({**orjson.loads(PUBLISHED), **fields})


def test_a_row_as_published_is_not_tampered_with() -> None:
    assert tampering(PUBLISHED, RECORDED, UUID(int=1), ROW) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("decision_id", UUID(int=9)),
        ("outcome", "assigned"),
        ("site_id", "near"),
        ("decided_at", datetime(2026, 3, 3, tzinfo=UTC)),
        ("network_revision", 2),
        ("policy_version", 7),
        ("cause_id", UUID(int=9)),
    ],
)
def test_an_altered_column_is_named(column: str, value: object) -> None:
    found = tampering(PUBLISHED, RECORDED, UUID(int=1), ROW.__class__(**{**fields(ROW), column: value}))

    assert found is not None
    assert found[0] == f"router.decisions.{column}"


def fields(row: LedgerRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in LedgerRow.__slots__}


def test_an_altered_record_is_named_down_to_its_field() -> None:
    row = LedgerRow(**{**fields(ROW), "record": edited(reason="all_full")})

    assert tampering(PUBLISHED, RECORDED, UUID(int=1), row) == (
        "router.decisions.record data.reason",
        'the row says "all_full", published was "too_far"',
    )


def test_the_same_bytes_are_no_change() -> None:
    assert changed(PUBLISHED, PUBLISHED, "1") is None


def test_the_same_engine_may_not_decide_otherwise() -> None:
    found = changed(PUBLISHED, edited(reason="all_full"), "1")

    assert found == (
        Verdict.CHANGED_UNEXPLAINED,
        "data.reason",
        'published was "too_far", decided again "all_full"',
    )


def test_a_newer_engine_explains_another_decision() -> None:
    found = changed(PUBLISHED, edited(reason="all_full", engine_version="2"), "2")

    assert found == (
        Verdict.CHANGED_EXPLAINED,
        "data.reason",
        'engine 1 said "too_far", engine 2 says "all_full"',
    )


def test_a_newer_engine_that_decides_the_same_is_no_change() -> None:
    assert changed(PUBLISHED, edited(engine_version="2"), "2") is None


def test_an_engine_that_would_not_decide_at_all_says_why() -> None:
    found = changed(PUBLISHED, b'{"stale":"wrong_epoch"}', "1")

    assert found is not None
    assert found[0] is Verdict.CHANGED_UNEXPLAINED
    assert "wrong_epoch" in found[2]


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        (b'{"a":[1,2]}', b'{"a":[1,3]}', "data.a[1]"),
        (b'{"a":[1]}', b'{"a":[1,3]}', "data.a"),
        (b'{"a":1}', b'{"a":true}', "data.a"),
        (b'{"a":1}', b'{"b":1}', "data.a"),
        (b'{"a": 1}', b'{"a":1}', "data"),
        (b'{"a"', b'{"a":1}', "data"),
    ],
)
def test_the_first_difference_has_a_path(one: bytes, other: bytes, path: str) -> None:
    assert difference(one, other)[0] == path


def test_the_contract_reads_what_is_compared() -> None:
    fact = LEADS_DECIDED.fact(RECORDED, id=UUID(int=1), source="router", subject="x", time=AT)

    assert LEADS_DECIDED.read(fact.to_bytes()).data == RECORDED
