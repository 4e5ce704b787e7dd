"""Trace context from the form to the store: W3C `traceparent`, carried in HTTP headers and in every fact.

Format: https://www.w3.org/TR/trace-context/, version 00. It is carried whether spans are exported or not, so that a
store's own tracing joins ours.
"""

import hashlib
import re

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def is_traceparent(text: str | None) -> bool:
    """Whether `text` is a valid version 00 traceparent."""
    return text is not None and _TRACEPARENT.fullmatch(text) is not None


def begin(trace_id: bytes, span_id: bytes) -> str:
    """A new, sampled trace from 16 and 8 random bytes."""
    return f"00-{trace_id.hex()}-{span_id.hex()}-01"


def child(traceparent: str | None, step: str) -> str | None:
    """The context of the next step of the same trace; its span id derives from the parent, so redelivery repeats it.

    None when there is no (valid) parent.
    """
    if traceparent is None or not is_traceparent(traceparent):
        return None
    version, trace, span, flags = traceparent.split("-")
    return f"{version}-{trace}-{hashlib.blake2b(f'{span}{step}'.encode(), digest_size=8).hexdigest()}-{flags}"
