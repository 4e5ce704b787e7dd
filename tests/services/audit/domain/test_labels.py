from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.labels import Labels, data_bytes, label
from shared.contracts import DEAD_LETTERS, LEADS_RECEIVED, TOPICS, Topic

GOLDEN = Path(__file__).parents[3] / "golden"
LEAD = UUID("0195546c-7f1a-7c3e-8a51-3c1d2e4f5a6b")


def golden(name: str) -> bytes:
    return orjson.dumps(orjson.loads((GOLDEN / f"{name}.json").read_bytes()))


def test_a_decided_fact_is_found_by_lead_epoch_and_both_times() -> None:
    labels = label("leads.decided", str(LEAD).encode(), golden("leads.decided.assigned"))

    assert labels == Labels(
        fact_id=UUID("783a1503-4a44-507d-b94f-db96d35bece9"),
        lead_id=LEAD,
        epoch=1,
        fact_time=datetime(2026, 3, 2, 1, 15, 30, 259_000, UTC),
        received_at=datetime(2026, 3, 2, 1, 15, 30, 250_000, UTC),
    )


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_golden_fact_has_an_id_and_a_time(topic: Topic[Any]) -> None:
    for file in GOLDEN.glob(f"{topic.name}*.json"):
        labels = label(topic.name, b"", golden(file.name.removesuffix(".json")))
        assert labels.fact_id is not None
        assert labels.fact_time is not None


def test_a_dead_letter_is_found_by_the_lead_in_its_key() -> None:
    labels = label(DEAD_LETTERS["leads.received"].name, str(LEAD).encode(), golden("record.dead"))

    assert labels.lead_id == LEAD
    assert labels.fact_id is not None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"not json",
        b"null",
        b"[]",
        b'{"type":"waypost.leads.received.v1"}',
        b'{"type":"waypost.leads.received.v1","id":"x","time":"now","data":{}}',
        b'{"type":"waypost.leads.received.v1","id":7,"time":8,"data":"text"}',
        golden("leads.received").replace(b"received.v1", b"received.v9"),
        b"\xff\xfe\x00",
    ],
)
def test_poison_keeps_the_lead_of_its_key_and_is_no_fact(value: bytes) -> None:
    assert label("leads.received", str(LEAD).encode(), value) == Labels(lead_id=LEAD)


def test_a_time_without_an_offset_makes_no_fact() -> None:
    value = golden("leads.received").replace(b"250000Z", b"250000")

    assert label("leads.received", b"", value).fact_id is None


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_no_bytes_stop_the_ledger(value: bytes, key: bytes) -> None:
    assert label("leads.decided", key, value).fact_id is None


def test_an_epoch_beyond_an_integer_is_left_out() -> None:
    value = golden("leads.due").replace(b'"epoch":1', b'"epoch":99999999999')

    assert label("leads.due", b"", value).epoch is None


@pytest.mark.parametrize("name", ["leads.decided.assigned", "leads.decided.waiting", "leads.decided.closed"])
def test_the_data_of_a_fact_is_cut_out_as_it_was_published(name: str) -> None:
    value = golden(name)

    assert orjson.loads(data_bytes(value)) == orjson.loads(value)["data"]
    assert value.endswith(data_bytes(value) + b"}")


def test_a_traceparent_before_the_data_does_not_mislead() -> None:
    fact = LEADS_RECEIVED.read(golden("leads.received")).model_copy(update={"traceparent": "00-aa-bb-01"})

    assert orjson.loads(data_bytes(fact.to_bytes()))["lead_id"] == str(LEAD)


def test_a_record_of_another_form_has_no_data_bytes() -> None:
    with pytest.raises(ValueError, match="envelope"):
        data_bytes(golden("leads.decided.assigned") + b" ")
