"""What a rewritten record carries in one header, which only the consumer that wrote it anew can name."""

import base64
from dataclasses import asdict

import orjson

from shared.kafka.record import Header, Reference


def wrap(headers: tuple[Header, ...], reference: Reference | None) -> bytes:
    """The value of the marking header."""
    return orjson.dumps(
        {
            "headers": [[_text(name), None if text is None else _text(text)] for name, text in headers],
            "reference": None if reference is None else asdict(reference),
        }
    )


def unwrap(wrapped: bytes) -> tuple[tuple[Header, ...], Reference | None]:
    """The record's own headers, and the reference that stands for its bytes."""
    content = orjson.loads(wrapped)
    headers = tuple(
        (base64.b64decode(name), None if text is None else base64.b64decode(text)) for name, text in content["headers"]
    )
    reference = content["reference"]
    return headers, None if reference is None else Reference(**reference)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
