"""Leads for tests: only what matters to a test is said. Persons are obviously synthetic."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from services.lead_intake.domain import Lead, Rules, accept_draft
from services.lead_intake.draft import Draft
from services.lead_intake.places import load_places
from services.lead_intake.sources.json import read_json

NOW = datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)
LEAD_ID = UUID("0195f000-0000-7000-8000-000000000001")
RULES = Rules(pepper=b"p" * 32, places=load_places())
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


def lead_json(**changes: Any) -> dict[str, Any]:
    """A lead as a form sends it; None takes a field away."""
    lead = {
        "intent": "test_drive",
        "contact": {"name": "Test Person", "phone": "+86 138 0013 8000"},
        "location": {"lat": 31.3, "lon": 120.6, "datum": "wgs84"},
        "consent": {"given_at": "2026-03-01T09:00:00+08:00", "text_version": "privacy-1"},
    } | changes
    return {name: value for name, value in lead.items() if value is not None}


def draft(**changes: Any) -> Draft:
    item = read_json(orjson.dumps(lead_json(**changes)))
    assert isinstance(item, Draft)
    return item


def accept(given: Draft, lead_id: UUID = LEAD_ID) -> Lead:
    return accept_draft(given, RULES, lead_id=lead_id, source="web-form", received_at=NOW, traceparent=TRACE)
