"""Which format a body is in, by its content type, and the reader of each."""

from dataclasses import dataclass
from datetime import datetime

from services.lead_intake.db_sources import Source
from services.lead_intake.limits import BATCH_LEADS
from services.lead_intake.places import Places
from services.lead_intake.problems import Problem
from services.lead_intake.sources.adf import read_adf
from services.lead_intake.sources.json import read_json
from services.lead_intake.sources.ndjson import read_ndjson
from services.lead_intake.sources.reading import Item

JSON, ADF, NDJSON = "json", "adf", "ndjson"


@dataclass(frozen=True, slots=True)
class Format:
    """A format's content types, and what its leads are counted by in an answer."""

    content_types: tuple[str, ...]
    counts: str


FORMATS = {
    JSON: Format(("application/json",), "lead"),
    NDJSON: Format(("application/x-ndjson",), "line"),
    ADF: Format(("application/x-adf+xml", "text/xml", "application/xml"), "prospect"),
}
_BY_CONTENT_TYPE = {kind: name for name, format_ in FORMATS.items() for kind in format_.content_types}


def format_of(content_type: bytes, content_encoding: bytes) -> tuple[str, str]:
    """The format's name and the declared charset (empty when none). Raises Problem 415."""
    kind, *parameters = content_type.decode("latin-1").lower().split(";")
    name = _BY_CONTENT_TYPE.get(kind.strip(), "")
    if not name:
        raise _unsupported("send one of " + ", ".join(_BY_CONTENT_TYPE))
    if content_encoding.strip().lower() not in (b"", b"identity"):
        # A few kilobytes can unpack to gigabytes.
        raise _unsupported("compressed bodies are not taken")
    charset = next((value for key, value in map(_parameter, parameters) if key == "charset"), "")
    if name != ADF and charset not in ("", "utf-8", "utf8", "us-ascii", "ascii"):
        raise _unsupported("JSON must be in UTF-8")
    return name, charset


def read_leads(
    name: str,
    body: bytes,
    charset: str,
    source: Source,
    places: Places,
    received_at: datetime,
    phone_region: str = "CN",
) -> list[tuple[int, Item]]:
    """The leads of a body with their numbers, counted from 1. Raises Unreadable when it is not in its format."""
    if name == NDJSON:
        return read_ndjson(body, BATCH_LEADS)
    if name == ADF:
        items = read_adf(
            body,
            charset,
            places,
            consent_version=source.consent_version,
            received_at=received_at,
            most=BATCH_LEADS,
            phone_region=phone_region,
        )
        return list(enumerate(items, 1))
    return [(1, read_json(body))]


def _parameter(written: str) -> tuple[str, str]:
    key, _, value = written.partition("=")
    return key.strip(), value.strip(" \t\"'")


def _unsupported(detail: str) -> Problem:
    return Problem(415, "content-type", "The content type is not taken", detail)
