"""Standard Webhooks signatures, version 1 (HMAC-SHA256), for what we send and what we are sent.

Scheme and header names: https://github.com/standard-webhooks/standard-webhooks, specification 1.0.0.
A secret is `whsec_` and base64 of 24-64 random bytes; the signed text is `{id}.{timestamp}.{body}`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of every secret, not one
TOLERANCE = timedelta(minutes=5)
"""How far a signed time may be from ours: the specification's value against replays."""


class BadSignatureError(ValueError):
    """A signed request that is not from who it says, or not from now. The text is safe to show."""


def make_secret(random_bytes: bytes) -> str:
    """A secret in its written form, from 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(random_bytes).decode()


def sign(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """One `v1,...` signature of `body`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp_s, body)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secrets: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers; with two secrets (rotation) the receiver may know either."""
    timestamp_s = int(now.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp_s, body) for secret in secrets),
    }


def verify(secrets: Sequence[str], given: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message id of a request that one of `secrets` signed; `given` has lower-case header names.

    Raises BadSignatureError. The caller keeps the id for longer than the tolerance to refuse replays.
    """
    message_id, timestamp, signatures = (
        given.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    )
    if not (message_id and timestamp and signatures):
        raise BadSignatureError("the headers webhook-id, webhook-timestamp and webhook-signature are required")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignatureError("webhook-timestamp must be whole seconds since 1970")
    # Compared as numbers: most of those with twelve digits are no dates.
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise BadSignatureError("webhook-timestamp is more than 5 minutes from our clock")
    try:
        expected = [sign(secret, message_id, int(timestamp), body).encode() for secret in secrets]
    except binascii.Error as error:
        raise BadSignatureError("the stored secret is not base64") from error
    for candidate in signatures.split(" "):
        for good in expected:
            if hmac.compare_digest(candidate.encode(), good):
                return message_id
    raise BadSignatureError("no signature matches")
