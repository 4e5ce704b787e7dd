"""The canonical bytes of a decision: the `data` of `leads.decided`, written by hand because every lead pays for it.

The texts are exactly what pydantic's `model_dump_json(exclude_none=True)` writes for the models in
`shared.contracts.decided`, at a tenth of its time; a property test holds the two together. Nothing needs escaping: ids
are UUIDs, sites are slugs, the rest are closed lists, numbers and times.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha1

import numpy as np
import orjson

from shared.contracts import NAMESPACE

ENGINE_VERSION = "1"
"""Raised whenever the same inputs may give other bytes; replay then explains differences between versions by it."""

_ID_PREFIX = NAMESPACE.bytes + b"decision:"
_SHA1_OCTETS = 20
_ID_LENGTH = 36
_HEX_PLACES = [place for place in range(_ID_LENGTH) if place not in (8, 13, 18, 23)]
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def decision_id(lead_id: str, epoch: int) -> str:
    """`str(derived_id("decision", lead_id, epoch))` without the objects in between.

    A version 5 UUID (RFC 9562, 5.5): the first 128 bits of SHA-1 over namespace and name, with version and variant set.
    """
    # Naming it not for security would cost as much again: it takes the slow way into OpenSSL.
    text = sha1(_ID_PREFIX + f"{lead_id}:{epoch}".encode()).hexdigest()  # noqa: S324 - RFC 9562 says SHA-1
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def decision_ids(leads: Iterable[tuple[str, int]]) -> list[str]:
    """`decision_id` of many leads and epochs: only the hash is made one by one."""
    names = [_ID_PREFIX + f"{lead_id}:{epoch}".encode() for lead_id, epoch in leads]
    digests = b"".join([sha1(name).digest() for name in names])  # noqa: S324 - as above
    octets = np.frombuffer(digests, dtype=np.uint8).reshape(-1, _SHA1_OCTETS)[:, :16].copy()
    octets[:, 6] = octets[:, 6] & 0x0F | 0x50
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    texts = np.full((len(octets), _ID_LENGTH), ord("-"), dtype=np.uint8)
    texts[:, _HEX_PLACES] = np.frombuffer(octets.tobytes().hex().encode(), dtype=np.uint8).reshape(-1, 32)
    joined = texts.tobytes().decode()
    return [joined[start : start + _ID_LENGTH] for start in range(0, len(joined), _ID_LENGTH)]


def utc_texts(times: Iterable[datetime]) -> list[str]:
    """`utc_text` of many times."""
    utc = [time if time.tzinfo is UTC else time.astimezone(UTC) for time in times]
    return orjson.dumps(utc, option=orjson.OPT_UTC_Z)[2:-2].decode().split('","') if utc else []


def utc_text(time: datetime) -> str:
    """The time in UTC as records write it: six decimals or none, and a Z."""
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return orjson.dumps(time, option=orjson.OPT_UTC_Z)[1:-1].decode()


def optional(name: str, text: str | None) -> str:
    """`,"name":"text"`, or nothing at all for None: absent, as the envelope leaves absent attributes out."""
    return "" if text is None else f',"{name}":"{text}"'
