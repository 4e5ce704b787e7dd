"""The leads.decided record: a CloudEvents envelope put around the bytes that the ledger keeps.

The bytes are what `LEADS_DECIDED.fact(...).to_bytes()` gives, without building the models again: the data of a
decision is written once, by `decide`, and is the same in the ledger, on Kafka and in a replay.
"""

from datetime import datetime
from functools import lru_cache

from shared.contracts import LEADS_DECIDED

SOURCE = "router"

_OPEN = '{"specversion":"1.0","id":"'
_TO_SUBJECT = f'","source":"/waypost/{SOURCE}","type":"{LEADS_DECIDED.type}","subject":"'


def decided_fact(
    decision_id: str, lead_id: str, decided_at: datetime, traceparent: str | None, data: bytes
) -> tuple[bytes, bytes]:
    """Key and value of the record; `decided_at` is in UTC, `data` is canonical JSON."""
    trace = "" if traceparent is None else f'"traceparent":"{traceparent}",'
    head = (
        f'{_OPEN}{decision_id}{_TO_SUBJECT}{lead_id}","time":"{_utc_text(decided_at)}",'
        f'"datacontenttype":"application/json",{trace}"data":'
    )
    return lead_id.encode(), head.encode() + data + b"}"


@lru_cache(maxsize=16)
def _utc_text(time: datetime) -> str:
    # All decisions of a batch have one time, and writing a time costs as much as the rest of the envelope.
    return f"{time.isoformat()[:-6]}Z"
