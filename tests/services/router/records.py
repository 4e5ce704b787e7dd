"""What the record of a decision says."""

from typing import Any

import orjson
from pydantic import TypeAdapter

from services.router.domain import Decided
from shared.contracts import LeadDecided

CONTRACT: TypeAdapter[LeadDecided] = TypeAdapter(LeadDecided)


def said(decided: Decided) -> dict[str, Any]:
    """The whole record."""
    record: dict[str, Any] = orjson.loads(decided.record)
    return record


def lost(decided: Decided) -> dict[str, str | None]:
    """Why each candidate lost, by site id and in their order; None for the winner."""
    return {row["site_id"]: row.get("lost") for row in said(decided)["candidates"]}
