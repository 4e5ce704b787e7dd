"""Comparing one decision three ways: as published, as kept by the router, and as decided again today.

The published fact is in the audit ledger under its hash chain, so it is what the other two are measured against.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import orjson

from shared.contracts import Decision
from shared.words import counted


class Verdict(StrEnum):
    """What replay says of one decision."""

    SAME = "SAME"
    """Decided again from the recorded inputs, it is the same byte for byte, and so is the router's row."""
    CHANGED_EXPLAINED = "CHANGED_EXPLAINED"
    """Another engine version decides otherwise; the record names the version that decided then."""
    CHANGED_UNEXPLAINED = "CHANGED_UNEXPLAINED"
    """The same engine decides otherwise: the record or the engine is wrong."""
    MISSING = "MISSING"
    """One half is not there: a published decision without its row, or a row that was never published."""
    EXTRA = "EXTRA"
    """A decision that nothing on the log asked for, or a second one for the same epoch."""
    TAMPERED = "TAMPERED"
    """The router's row, or a revision that it decided by, is not what was published."""

    @property
    def clean(self) -> bool:
        """Nothing that a person has to look into."""
        return self in (Verdict.SAME, Verdict.CHANGED_EXPLAINED)


@dataclass(frozen=True, slots=True)
class Finding:
    """A decision (or a revision) that is not SAME, named so that a person can look it up."""

    verdict: Verdict
    lead_id: UUID | None
    epoch: int | None
    field: str
    """What differs: `router.decisions.<column>`, `data.<path>`, or the thing that is missing."""
    detail: str

    def as_json(self) -> dict[str, object]:
        """For `--json`; ids as text."""
        return {**asdict(self), "verdict": self.verdict.value, "lead_id": self.lead_id and str(self.lead_id)}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of router.decisions."""

    decision_id: UUID
    outcome: str
    site_id: str | None
    decided_at: datetime
    network_revision: int
    policy_version: int
    cause_id: UUID
    record: bytes


def tampering(published: bytes, recorded: Decision, fact_id: UUID, row: LedgerRow) -> tuple[str, str] | None:
    """The first field in which the router's row is not what was published, and both values; None when it is the same.

    `recorded` is the decision read from the bytes `published`. Columns are looked at first: the router works by them.
    """
    columns: tuple[tuple[str, object, object], ...] = (
        ("decision_id", row.decision_id, fact_id),
        ("outcome", row.outcome, getattr(recorded, "outcome", None)),
        ("site_id", row.site_id, getattr(recorded, "site_id", None)),
        ("decided_at", row.decided_at, recorded.decided_at),
        ("network_revision", row.network_revision, recorded.network_revision),
        ("policy_version", row.policy_version, recorded.policy_version),
        ("cause_id", row.cause_id, recorded.cause_id),
    )
    for name, kept, expected in columns:
        if kept != expected:
            return f"router.decisions.{name}", f"the row says {kept}, published was {expected}"
    if row.record != published:
        where, kept, expected = difference(row.record, published)
        return f"router.decisions.record {where}", f"the row says {kept}, published was {expected}"
    return None


def changed(published: bytes, again: bytes, engine_version: str) -> tuple[Verdict, str, str] | None:
    """Whether deciding again gives something else: verdict, field and both values; None when it is the same.

    A newer engine writes its own version into what it decides. That alone is not a change.
    """
    if published == again:
        return None
    said, now_said = orjson.loads(published), orjson.loads(again)
    then = said.get("engine_version")
    if "stale" in now_said:
        verdict = Verdict.CHANGED_UNEXPLAINED if then == engine_version else Verdict.CHANGED_EXPLAINED
        return verdict, "data", f"today's engine would decide nothing here ({now_said['stale']})"
    if then == engine_version:
        where, before, now = difference(published, again)
        return Verdict.CHANGED_UNEXPLAINED, where, f"published was {before}, decided again {now}"
    restamped = {**now_said, "engine_version": then}
    if restamped == said:
        return None
    where, before, now = difference(published, orjson.dumps(restamped))
    detail = f"engine {then} said {before}, engine {engine_version} says {now}"
    return Verdict.CHANGED_EXPLAINED, where, detail


def difference(one: bytes, other: bytes) -> tuple[str, str, str]:
    """Path and both values of the first difference of two JSON texts (`data.candidates[1].load`)."""
    try:
        found = next(_differences("data", orjson.loads(one), orjson.loads(other)), None)
    except orjson.JSONDecodeError:
        return "data", counted(len(one), "byte"), f"{counted(len(other), 'byte')}, one of them no JSON"
    return found or ("data", "the same values", "written in other bytes")


def _differences(path: str, one: object, other: object) -> Iterator[tuple[str, str, str]]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys((*one, *other)):
            yield from _differences(f"{path}.{name}", one.get(name), other.get(name))
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield path, counted(len(one), "entry", "entries"), counted(len(other), "entry", "entries")
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            yield from _differences(f"{path}[{index}]", left, right)
    elif one != other or type(one) is not type(other):
        yield path, _shown(one), _shown(other)


def _shown(value: object) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else text[:77] + "..."
