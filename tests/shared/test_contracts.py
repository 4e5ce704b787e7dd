"""The contracts: what was once written stays readable, nothing unknown is written, and nothing personal can be."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts import DEAD_LETTERS, LEADS_DUE, LEADS_RECEIVED, TOPICS, Topic, derived_id
from shared.contracts.document import READERS, WRITERS, asyncapi, documents, schema_of
from shared.vocabulary import PublicText

GOLDEN = Path(__file__).parent.parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


def topic_of(file: Path) -> Topic[Any]:
    if file.stem.startswith("record.dead"):
        return DEAD_LETTERS["leads.received"]
    return next(topic for topic in TOPICS if file.stem.startswith(topic.name))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_fact_reads_and_writes_back_unchanged(file: Path) -> None:
    golden = json.loads(file.read_text())

    fact = topic_of(file).read(file.read_bytes())

    assert json.loads(fact.to_bytes()) == golden


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_fact_is_valid_by_the_published_schema(file: Path) -> None:
    jsonschema.validate(json.loads(file.read_text()), schema_of(topic_of(file)))


def test_every_topic_has_a_golden_fact() -> None:
    assert {topic_of(file).name for file in FILES} >= {topic.name for topic in TOPICS}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_reader_survives_a_newer_writer(file: Path) -> None:
    newer = json.loads(file.read_text())
    newer["added"] = 1
    newer["data"]["added_later"] = {"deep": True}

    fact = topic_of(file).read(json.dumps(newer).encode())

    assert "added" not in json.loads(fact.to_bytes())


def test_a_writer_cannot_add_a_field_that_the_contract_lacks() -> None:
    due = json.loads((GOLDEN / "leads.due.json").read_text())["data"]

    with pytest.raises(ValidationError, match="extra_forbidden"):
        LEADS_DUE.envelope.validate_python({"data": {**due, "phone": "x"}})


def test_a_record_of_another_version_is_refused() -> None:
    record = json.loads((GOLDEN / "leads.due.json").read_text())
    record["type"] = "waypost.leads.due.v2"

    with pytest.raises(ValueError, match=r"not waypost\.leads\.due\.v1"):
        LEADS_DUE.read(json.dumps(record).encode())


# Every text that a fact may carry is one of these shapes; anything else could hold a name, a number or an address.
SAFE_STRINGS = {
    # CloudEvents' own attributes, set by our code from ids and service names
    "specversion", "source", "type", "subject", "datacontenttype", "traceparent",
    # fingerprints and versions
    "digest", "engine_version",
    # never quotes a record: see DeadLetters
    "reason", "source_topic",
    # the buried record itself
    "raw_base64",
}  # fmt: skip


def free_texts(schema: dict[str, Any], node: dict[str, Any], path: str) -> list[str]:
    """Paths of all strings that are neither an enumeration, a pattern, an id nor a time."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    found = []
    for key in ("anyOf", "oneOf", "allOf"):
        for option in node.get(key, []):
            found += free_texts(schema, option, path)
    for name, child in node.get("properties", {}).items():
        found += free_texts(schema, child, f"{path}.{name}")
    items = node.get("items")
    if isinstance(items, dict):
        found += free_texts(schema, items, f"{path}[]")
    closed = {"enum", "const", "pattern", "format"} & node.keys()
    if node.get("type") == "string" and not closed and path.rsplit(".", 1)[-1] not in SAFE_STRINGS:
        found.append(path)
    return found


@pytest.mark.parametrize("topic", [*TOPICS, *DEAD_LETTERS.values()], ids=lambda topic: topic.name)
def test_no_field_of_any_fact_can_hold_personal_data(topic: Topic[Any]) -> None:
    schema = topic.envelope.json_schema(mode="serialization")

    assert free_texts(schema, schema, topic.name) == []
    names = set(re.findall(r'"(\w*(?:phone|email|contact|address|street|plate|vin)\w*)":', json.dumps(schema)))
    assert names == set()


@given(
    st.from_regex(r"\A(1[3-9][0-9]{9}|\+86 ?1[3-9][0-9]{9}|[a-z]{1,8}@example\.com|0512-\d{8})\Z"),
    st.text(alphabet="ab 测", max_size=8),
)
def test_public_text_refuses_phone_numbers_and_addresses(personal: str, around: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(PublicText).validate_python(around + personal)


@pytest.mark.parametrize("name", ["M5 Long Range", "极星 4", "spring-2026", "911", "id.4 (2024)"])
def test_public_text_takes_product_and_campaign_names(name: str) -> None:
    assert TypeAdapter(PublicText).validate_python(name) == name


def test_the_same_cause_gives_the_same_id() -> None:
    assert derived_id("decision", UUID(int=7), 1) == derived_id("decision", UUID(int=7), 1)
    assert derived_id("decision", UUID(int=7), 1) != derived_id("decision", UUID(int=7), 2)
    # This value is in topics that are kept for years: it must never change.
    assert str(derived_id("decision", UUID(int=7), 1)) == "b3028a45-ef50-57bd-a2d2-2ab4b88b2166"


def test_every_topic_has_writers_and_readers() -> None:
    assert set(WRITERS) == set(READERS) == {topic.name for topic in TOPICS}


def test_the_documents_are_those_of_the_models() -> None:
    folder = Path(__file__).parent.parent.parent / "docs" / "contracts"

    written = {file.name: file.read_text() for file in folder.glob("*.json")}

    assert written == documents(), "run `waypost contracts write` and commit docs/contracts"


def test_asyncapi_names_every_topic_and_its_dead_letters() -> None:
    channels = asyncapi()["channels"]

    assert set(channels) == {name for topic in TOPICS for name in (topic.name, topic.dead)}
    assert channels[LEADS_RECEIVED.name]["bindings"]["kafka"]["partitions"] == LEADS_RECEIVED.partitions
