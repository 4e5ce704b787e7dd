"""What is written to a port, and what must come of it: the same on every port of every service.

`/nothing-here` is no address of any of them, so 404 means that the request was read and looked up.
"""

from dataclasses import dataclass

NOTHING = b"/nothing-here"
HOST = b"Host: waypost.example"
GOOD = b"GET " + NOTHING + b" HTTP/1.1\r\n" + HOST + b"\r\n\r\n"
"""Answered 404 wherever it is sent, and the connection is kept."""


@dataclass(frozen=True)
class Case:
    """Bytes with their outcome; every answer but those to a 2xx must be a problem."""

    name: str
    sent: bytes
    status: int
    kept: bool = False
    """Whether the connection goes on: then GOOD is sent on it, too."""
    unfinished: bool = False
    """Whether the answer comes before the request is whole: the connection ends when the rest does not come."""
    to_head: bool = False
    """Whether the answer is one to HEAD, which has no body."""


def request(
    *fields: bytes,
    method: bytes = b"GET",
    target: bytes = NOTHING,
    version: bytes = b"HTTP/1.1",
    body: bytes = b"",
    host: bytes | None = HOST,
) -> bytes:
    """A request; what is not said is as it should be."""
    lines = [method + b" " + target + b" " + version, *([] if host is None else [host]), *fields, b"", body]
    return b"\r\n".join(lines)


def post(*fields: bytes, body: bytes = b"", **how: bytes) -> bytes:
    return request(*fields, method=b"POST", body=body, **how)


CHUNKED = b"Transfer-Encoding: chunked"
FIVE = b"Content-Length: 5"
WISH_FOR_HTTP_2 = (
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
)


def _kept(name: str, sent: bytes, status: int = 404) -> Case:
    return Case(name, sent, status, kept=True)


GOOD_REQUESTS = [
    _kept("plain", GOOD),
    _kept("field names in any case", request(b"ACCEPT: */*", host=b"hOsT: waypost.example")),
    _kept("blanks around a value", request(b"X-A: \t  b \t ")),
    _kept("no blank before a value", request(b"X-A:b")),
    _kept("an empty value", request(b"X-A:")),
    _kept("bytes beyond ASCII in a value", request(b"X-A: \xe5\xba\x97\xff")),
    _kept("an empty line before the request", b"\r\n" + GOOD),
    _kept("two empty lines before the request", b"\r\n\r\n" + GOOD),
    _kept("a host with a port", request(host=b"Host: waypost.example:8080")),
    _kept("a host by number", request(host=b"Host: 127.0.0.1:8080")),
    _kept("a host by number, version 6", request(host=b"Host: [::1]:8080")),
    _kept("a host with an underscore", request(host=b"Host: lead_intake:8080")),
    _kept("a list field twice", request(b"Accept: text/html", b"Accept: */*", b"Via: 1.1 a", b"Via: 1.1 b")),
    _kept("forwarded twice", request(b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-For: 192.0.2.2")),
    _kept("fields of a method override", request(b"X-HTTP-Method-Override: DELETE", b"X-Method-Override: PUT")),
    _kept("a body with GET", request(FIVE, body=b"hello")),
    _kept("a length", post(FIVE, body=b"hello")),
    _kept("a length of nothing", post(b"Content-Length: 0")),
    _kept("a length with zeros before it", post(b"Content-Length: 0005", body=b"hello")),
    _kept("neither length nor chunks", post()),
    _kept("chunks", post(CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n")),
    _kept("chunks in capitals", post(b"Transfer-Encoding: CHUNKED", body=b"5\r\nhello\r\n0\r\n\r\n")),
    _kept("chunks of one byte", post(CHUNKED, body=b"1\r\nx\r\n" * 2_000 + b"0\r\n\r\n")),
    _kept("a size with zeros before it", post(CHUNKED, body=b"00000005\r\nhello\r\n0\r\n\r\n")),
    _kept("a size in capitals", post(CHUNKED, body=b"A\r\nhellohello\r\n0\r\n\r\n")),
    _kept("an extension of a chunk", post(CHUNKED, body=b'5;name="v"\r\nhello\r\n0;last\r\n\r\n')),
    _kept("a trailer", post(CHUNKED, body=b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")),
    _kept("a trailer that names a key", post(CHUNKED, body=b"0\r\nAuthorization: Bearer x\r\n\r\n")),
    _kept("a trailer that names a host", post(CHUNKED, body=b"0\r\nHost: elsewhere.example\r\n\r\n")),
    _kept("a trailer with a length", post(CHUNKED, body=b"0\r\nX-Content-Length: 9\r\n\r\n")),
    _kept("expects to go on", post(FIVE, b"Expect: 100-continue", body=b"hello")),
    _kept("expects to go on, in capitals", post(FIVE, b"Expect: 100-CONTINUE", body=b"hello")),
    _kept("wishes for HTTP/2", request(*WISH_FOR_HTTP_2)),
    _kept("wishes for HTTP/2, with a body", post(*WISH_FOR_HTTP_2, FIVE, body=b"hello")),
    _kept("wishes for HTTP/2, with chunks", post(*WISH_FOR_HTTP_2, CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n")),
    _kept("wishes for TLS", request(b"Connection: Upgrade", b"Upgrade: TLS/1.2")),
    _kept("wishes for several", request(b"Connection: upgrade", b"Upgrade: h2c, TLS/1.3")),
    _kept("wishes without a connection field", request(b"Upgrade: h2c")),
    _kept("wishes for nothing", request(b"Connection: Upgrade")),
    _kept("wishes of a proxy", post(b"Proxy-Connection: upgrade", b"Upgrade: h2c", FIVE, body=b"hello")),
    _kept("the connection by name", request(b"Connection: keep-alive")),
    _kept("an absolute target", request(target=b"http://waypost.example" + NOTHING)),
    _kept("an absolute target in capitals", request(target=b"HTTP://WAYPOST.example" + NOTHING)),
    _kept("an absolute target with a query", request(target=b"http://waypost.example" + NOTHING + b"?a=http://b")),
    _kept("an absolute target without a path", request(target=b"http://waypost.example?a")),
    _kept("a query", request(target=NOTHING + b'?a=1&b=%00&c=%ff&d="<>|^`{}')),
    _kept("two slashes", request(target=b"//elsewhere.example/x")),
    _kept("a slash too many", request(target=NOTHING + b"/")),
    _kept("up and away", request(target=b"/../../../etc/passwd")),
    _kept("up and away, written in numbers", request(target=b"/%2e%2e/%2e%2e/etc/passwd")),
    _kept("up and away, twice written in numbers", request(target=b"/%252e%252e/etc/passwd")),
    _kept("backslashes", request(target=b"/..\\..\\windows")),
    _kept("a slash written in numbers", request(target=b"/a%2fb%5cc")),
    _kept("a zero byte written in numbers", request(target=b"/a%00b")),
    _kept("a line break written in numbers", request(target=b"/a%0d%0aSet-Cookie:%20a=b")),
    _kept("no UTF-8 written in numbers", request(target=b"/%ff%fe%80")),
    _kept("half of a pair written in numbers", request(target=b"/%ed%a0%80")),
    _kept("a percent sign and no number", request(target=b"/%zz%4")),
    _kept("a path parameter", request(target=b"/nothing-here;a=b")),
    _kept("a fragment", request(target=NOTHING + b"#top")),
    _kept("a long target that fits", request(target=b"/" + b"a" * 8_000)),
    _kept("a long field that fits", request(b"X-A: " + b"a" * 12_000)),
    _kept("many fields that fit", request(*(b"X-%d: a" % n for n in range(98)))),
    _kept("any language", request(b"Accept-Language: " + b"zz," * 1_000)),
    _kept("a method nobody takes", request(method=b"PROPFIND")),
    _kept("a method with a body", request(FIVE, method=b"DELETE", body=b"hello")),
    _kept("OPTIONS", request(method=b"OPTIONS")),
    _kept("TRACE", request(method=b"TRACE")),
    _kept("PATCH", request(FIVE, method=b"PATCH", body=b"hello")),
    _kept("PUT", request(FIVE, method=b"PUT", body=b"hello")),
    _kept("M-SEARCH", request(method=b"M-SEARCH")),
    _kept("a compressed body", post(FIVE, b"Content-Encoding: gzip", body=b"\x1f\x8b\x08\x00\x00")),
    _kept("a form in parts", post(FIVE, b"Content-Type: multipart/form-data; boundary=x", body=b"--x--")),
    _kept("a type without end", post(FIVE, b"Content-Type: " + b"a/" * 2_000, body=b"hello")),
    _kept("a range", request(b"Range: bytes=" + b"0-1," * 2_000 + b"2-3")),
    _kept("conditions", request(b"If-None-Match: *", b"If-Modified-Since: yesterday")),
    Case("HEAD", request(method=b"HEAD"), 404, kept=True, to_head=True),
    Case("HEAD with a body", request(FIVE, method=b"HEAD", body=b"hello"), 404, kept=True, to_head=True),
    Case("closes", request(b"Connection: close"), 404),
    Case("closes, among others", request(b"Connection: foo, Close"), 404),
    Case("HTTP/1.0", request(version=b"HTTP/1.0"), 404),
    Case("HTTP/1.0 without a host", request(version=b"HTTP/1.0", host=None), 404),
    Case("HTTP/1.0 with a length", post(FIVE, body=b"hello", version=b"HTTP/1.0"), 404),
    Case("HTTP/1.0 that would be kept", request(b"Connection: keep-alive", version=b"HTTP/1.0"), 404),
    Case("HTTP/1.0 that expects", post(FIVE, b"Expect: 100-continue", body=b"hello", version=b"HTTP/1.0"), 404),
    Case("wishes for HTTP/2, closes", request(b"Connection: Upgrade, close", b"Upgrade: h2c"), 404),
    Case("more after the last request", request(b"Connection: close") + GOOD, 404),
    Case("a body that never comes", post(FIVE), 404, unfinished=True),
    Case("half a body", post(FIVE, body=b"he"), 404, unfinished=True),
    Case("half a chunk", post(CHUNKED, body=b"5\r\nhe"), 404, unfinished=True),
    Case("a length beyond any disk", post(b"Content-Length: 999999999999999999", body=b"x"), 404, unfinished=True),
    Case("a body that waits for leave", post(FIVE, b"Expect: 100-continue"), 404),
]
