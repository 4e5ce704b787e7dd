"""The leads.decided record: a CloudEvents envelope put around the bytes that the ledger keeps.

The bytes are what `LEADS_DECIDED.fact(...).to_bytes()` gives, without building the models again: the data of a
decision is written once, by `decide`, and is the same in the ledger, on Kafka and in a replay.
"""

from datetime import datetime

from shared.contracts import LEADS_DECIDED

SOURCE = "router"

_OPEN = b'{"specversion":"1.0","id":"%b","source":"/waypost/router","type":"' + LEADS_DECIDED.type.encode()
_OPEN += b'","subject":"%b","time":"%b","datacontenttype":"application/json",'
_PLAIN = _OPEN + b'"data":%b}'
_TRACED = _OPEN + b'"traceparent":"%b","data":%b}'


def decided_fact(
    decision_id: str, lead_id: str, decided_at: datetime, traceparent: str | None, data: bytes
) -> tuple[bytes, bytes]:
    """Key and value of the record; `decided_at` is in UTC, `data` is canonical JSON."""
    key = lead_id.encode()
    time = decided_at.isoformat().replace("+00:00", "Z").encode()
    if traceparent is None:
        return key, _PLAIN % (decision_id.encode(), key, time, data)
    return key, _TRACED % (decision_id.encode(), key, time, traceparent.encode(), data)
