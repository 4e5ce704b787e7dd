"""What the parser lets through in the head of a request, and a server must not (RFC 9112, RFC 9110). Pure."""

import re

from shared.http_server.refusal import WRONG_VERSION, Refusal, malformed

Fields = list[tuple[bytes, bytes]]

ONCE = frozenset(
    (
        *(b"host", b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"expect"),
        *(b"authorization", b"idempotency-key", b"cookie", b"origin", b"sec-fetch-site", b"last-event-id"),
        *(b"waypost-endpoint", b"webhook-id", b"webhook-timestamp", b"webhook-signature"),
    )
)
"""Fields that somebody here decides by: with two of them, a proxy and this server may each believe another one."""

LONGEST_CONTENT_LENGTH = 18
"""Digits: every length of these fits 64 bits, and Python reads them in no time."""

_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


def fault_in(version: str, fields: Fields) -> Refusal | None:
    """What is wrong with a head whose names are in lower case; None when a handler may see it."""
    if version not in ("1.1", "1.0"):
        return WRONG_VERSION
    given: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in ONCE:
            if name in given:
                return malformed(f"the header field {name.decode()} came twice")
            given[name] = value
    host = given.get(b"host")
    if host is None:
        if version == "1.1":
            return malformed("the header field host is missing")
    elif not _HOST.fullmatch(host):
        return malformed("the header field host names no host")
    if b"content-length" in given and len(given[b"content-length"]) > LONGEST_CONTENT_LENGTH:
        return malformed("the header field content-length is too long")
    coding = given.get(b"transfer-encoding")
    if coding is not None:
        if version == "1.0":
            return malformed("HTTP/1.0 knows no transfer-encoding")
        if coding.strip().lower() != b"chunked":
            return Refusal(501, "transfer-encoding", "the only transfer-encoding that is taken here is chunked")
    expectation = given.get(b"expect")
    if expectation is not None and version == "1.1" and expectation.strip().lower() != b"100-continue":
        return Refusal(417, "expectation", "the only expectation that can be met here is 100-continue")
    return None


def path_of(target: bytes, host: bytes | None) -> bytes | None:
    """The target in origin form, as a proxy-style target also names it; None when it names nothing here.

    The authority of an absolute target must be the Host field's: else it would be unclear who was asked.
    """
    if target.startswith(b"/"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or host is None or absolute[1].lower() != host.lower():
        return None
    return absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]


def restated(method: bytes, target: bytes, version: str, fields: Fields) -> bytes:
    """The head once more without its wish for another protocol, which a server may pass over (RFC 9110, 7.8).

    So a client that would rather speak HTTP/2 (curl --http2, Java's HttpClient) is answered in HTTP/1.1, body and all.
    """
    lines = [method + b" " + target + b" HTTP/" + version.encode()]
    for name, value in fields:
        if name in (b"upgrade", b"http2-settings"):
            continue
        kept = value
        if name in (b"connection", b"proxy-connection"):
            options = [option.strip() for option in value.split(b",")]
            kept = b", ".join(o for o in options if o.lower() not in (b"upgrade", b"http2-settings"))
        lines.append(name + b": " + kept)
    return b"\r\n".join([*lines, b"", b""])


def wants_websocket(fields: Fields) -> bool:
    """Whether the request would be a WebSocket from here on."""
    return any(name == b"upgrade" and b"websocket" in value.lower() for name, value in fields)
