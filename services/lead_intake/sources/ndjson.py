"""`application/x-ndjson`: a batch, one lead as one JSON object per line."""

from services.lead_intake.faults import Fault, Refused
from services.lead_intake.sources.json import read_json
from services.lead_intake.sources.reading import Item, Unreadable


def read_ndjson(body: bytes, most_leads: int) -> list[tuple[int, Item]]:
    """The leads of a batch with their line numbers, counted from 1; empty lines are passed over.

    A line that is no JSON refuses itself only. Raises Unreadable for an empty or too long batch.
    """
    lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
    if not lines:
        raise Unreadable("holds no lead: one JSON object per line is expected")
    if len(lines) > most_leads:
        raise Unreadable(f"holds more than {most_leads} leads; send several batches")
    return [(number, _read_line(line)) for number, line in lines]


def _read_line(line: bytes) -> Item:
    try:
        return read_json(line)
    except Unreadable as error:
        return Refused([Fault("", str(error))])
