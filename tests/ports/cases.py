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


def _post(*fields: bytes, body: bytes = b"", **how: bytes) -> bytes:
    return request(*fields, method=b"POST", body=body, **how)


CHUNKED = b"Transfer-Encoding: chunked"
FIVE = b"Content-Length: 5"
_WISH_FOR_HTTP_2 = (
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
)
_WEBSOCKET = (b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")


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
    _kept("a length", _post(FIVE, body=b"hello")),
    _kept("a length of nothing", _post(b"Content-Length: 0")),
    _kept("a length with zeros before it", _post(b"Content-Length: 0005", body=b"hello")),
    _kept("neither length nor chunks", _post()),
    _kept("chunks", _post(CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n")),
    _kept("chunks in capitals", _post(b"Transfer-Encoding: CHUNKED", body=b"5\r\nhello\r\n0\r\n\r\n")),
    _kept("chunks of one byte", _post(CHUNKED, body=b"1\r\nx\r\n" * 2_000 + b"0\r\n\r\n")),
    _kept("a size with zeros before it", _post(CHUNKED, body=b"00000005\r\nhello\r\n0\r\n\r\n")),
    _kept("a size in capitals", _post(CHUNKED, body=b"A\r\nhellohello\r\n0\r\n\r\n")),
    _kept("an extension of a chunk", _post(CHUNKED, body=b'5;name="v"\r\nhello\r\n0;last\r\n\r\n')),
    _kept("a trailer", _post(CHUNKED, body=b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")),
    _kept("a trailer that names a key", _post(CHUNKED, body=b"0\r\nAuthorization: Bearer x\r\n\r\n")),
    _kept("a trailer that names a host", _post(CHUNKED, body=b"0\r\nHost: elsewhere.example\r\n\r\n")),
    _kept("a trailer with a length", _post(CHUNKED, body=b"0\r\nX-Content-Length: 9\r\n\r\n")),
    _kept("expects to go on", _post(FIVE, b"Expect: 100-continue", body=b"hello")),
    _kept("expects to go on, in capitals", _post(FIVE, b"Expect: 100-CONTINUE", body=b"hello")),
    _kept("wishes for HTTP/2", request(*_WISH_FOR_HTTP_2)),
    _kept("wishes for HTTP/2, with a body", _post(*_WISH_FOR_HTTP_2, FIVE, body=b"hello")),
    _kept("wishes for HTTP/2, with chunks", _post(*_WISH_FOR_HTTP_2, CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n")),
    _kept("wishes for TLS", request(b"Connection: Upgrade", b"Upgrade: TLS/1.2")),
    _kept("wishes for several", request(b"Connection: upgrade", b"Upgrade: h2c, TLS/1.3")),
    _kept("wishes without a connection field", request(b"Upgrade: h2c")),
    _kept("wishes for nothing", request(b"Connection: Upgrade")),
    _kept("wishes of a proxy", _post(b"Proxy-Connection: upgrade", b"Upgrade: h2c", FIVE, body=b"hello")),
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
    _kept("a compressed body", _post(FIVE, b"Content-Encoding: gzip", body=b"\x1f\x8b\x08\x00\x00")),
    _kept("a form in parts", _post(FIVE, b"Content-Type: multipart/form-data; boundary=x", body=b"--x--")),
    _kept("a type without end", _post(FIVE, b"Content-Type: " + b"a/" * 2_000, body=b"hello")),
    _kept("a range", request(b"Range: bytes=" + b"0-1," * 2_000 + b"2-3")),
    _kept("conditions", request(b"If-None-Match: *", b"If-Modified-Since: yesterday")),
    Case("HEAD", request(method=b"HEAD"), 404, kept=True, to_head=True),
    Case("HEAD with a body", request(FIVE, method=b"HEAD", body=b"hello"), 404, kept=True, to_head=True),
    Case("closes", request(b"Connection: close"), 404),
    Case("closes, among others", request(b"Connection: foo, Close"), 404),
    Case("HTTP/1.0", request(version=b"HTTP/1.0"), 404),
    Case("HTTP/1.0 without a host", request(version=b"HTTP/1.0", host=None), 404),
    Case("HTTP/1.0 with a length", _post(FIVE, body=b"hello", version=b"HTTP/1.0"), 404),
    Case("HTTP/1.0 that would be kept", request(b"Connection: keep-alive", version=b"HTTP/1.0"), 404),
    Case("HTTP/1.0 that expects", _post(FIVE, b"Expect: 100-continue", body=b"hello", version=b"HTTP/1.0"), 404),
    Case("wishes for HTTP/2, closes", request(b"Connection: Upgrade, close", b"Upgrade: h2c"), 404),
    Case("more after the last request", request(b"Connection: close") + GOOD, 404),
    Case("a body that never comes", _post(FIVE), 404, unfinished=True),
    Case("half a body", _post(FIVE, body=b"he"), 404, unfinished=True),
    Case("half a chunk", _post(CHUNKED, body=b"5\r\nhe"), 404, unfinished=True),
    Case("a length beyond any disk", _post(b"Content-Length: 999999999999999999", body=b"x"), 404, unfinished=True),
    Case("a body that waits for leave", _post(FIVE, b"Expect: 100-continue"), 404),
]


def _bad(name: str, sent: bytes, status: int = 400) -> Case:
    return Case(name, sent, status)


BAD_FRAMING = [
    _bad("a length and chunks", _post(FIVE, CHUNKED, body=b"0\r\n\r\n")),
    _bad("chunks and a length", _post(CHUNKED, FIVE, body=b"0\r\n\r\n")),
    _bad("a length of nothing and chunks", _post(b"Content-Length: 0", CHUNKED, body=b"0\r\n\r\n")),
    _bad("two lengths", _post(FIVE, b"Content-Length: 6", body=b"hello!")),
    _bad("two lengths that agree", _post(FIVE, FIVE, body=b"hello")),
    _bad("two lengths in one field", _post(b"Content-Length: 5, 5", body=b"hello")),
    _bad("a length with a sign", _post(b"Content-Length: +5", body=b"hello")),
    _bad("a length below nothing", _post(b"Content-Length: -5", body=b"hello")),
    _bad("a length in hexadecimal", _post(b"Content-Length: 0x5", body=b"hello")),
    _bad("a length with a fraction", _post(b"Content-Length: 5.0", body=b"hello")),
    _bad("a length with a gap", _post(b"Content-Length: 1 0", body=b"hello")),
    _bad("a length in other digits", _post("Content-Length: ٥".encode(), body=b"hello")),
    _bad("a length that is a word", _post(b"Content-Length: five", body=b"hello")),
    _bad("an empty length", _post(b"Content-Length:", body=b"hello")),
    _bad("a length beyond 64 bits", _post(b"Content-Length: 99999999999999999999999", body=b"hello")),
    _bad("a length of 5,000 digits", _post(b"Content-Length: " + b"0" * 4_999 + b"5", body=b"hello")),
    _bad("chunks twice", _post(CHUNKED, CHUNKED, body=b"0\r\n\r\n")),
    _bad("chunks twice in one field", _post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n")),
    _bad("chunks, then something else", _post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n")),
    _bad("chunks hidden by a blank", _post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n")),
    _bad("chunks hidden by a tab", _post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n")),
    _bad("chunks hidden by a zero byte", _post(b"Transfer-Encoding: chun\0ked", body=b"0\r\n\r\n")),
    _bad("chunks hidden in a second line", _post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n")),
    _bad("chunks in HTTP/1.0", _post(CHUNKED, body=b"0\r\n\r\n", version=b"HTTP/1.0")),
    _bad("compressed chunks", _post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 501),
    _bad("something like chunks", _post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), 501),
    _bad("chunks in quotes", _post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"), 501),
    _bad("as it is, by name", _post(b"Transfer-Encoding: identity"), 501),
    _bad("no coding", _post(b"Transfer-Encoding:")),
    _bad("a size that is a word", _post(CHUNKED, body=b"zz\r\n\r\n")),
    _bad("no size", _post(CHUNKED, body=b"\r\nhello\r\n")),
    _bad("a size below nothing", _post(CHUNKED, body=b"-1\r\n\r\n")),
    _bad("a size with a sign", _post(CHUNKED, body=b"+5\r\nhello\r\n0\r\n\r\n")),
    _bad("a size with 0x", _post(CHUNKED, body=b"0x5\r\nhello\r\n0\r\n\r\n")),
    _bad("a size with a blank after it", _post(CHUNKED, body=b"5 \r\nhello\r\n0\r\n\r\n")),
    _bad("a size with a blank before it", _post(CHUNKED, body=b" 5\r\nhello\r\n0\r\n\r\n")),
    _bad("a size with an underscore", _post(CHUNKED, body=b"1_0\r\nhellohellohello!\r\n0\r\n\r\n")),
    _bad("a size beyond 64 bits", _post(CHUNKED, body=b"fffffffffffffffff\r\nhello")),
    _bad("a size too small", _post(CHUNKED, body=b"3\r\nhello\r\n0\r\n\r\n")),
    _bad("a size too large", _post(CHUNKED, body=b"6\r\nhello\r\n0\r\n\r\n")),
    _bad("chunks by line feeds", _post(CHUNKED, body=b"5\nhello\n0\n\n")),
    _bad("a chunk's end by a line feed", _post(CHUNKED, body=b"5\r\nhello\n0\r\n\r\n")),
    _bad("an extension with a line feed", _post(CHUNKED, body=b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    _bad("an extension with a zero byte", _post(CHUNKED, body=b"5;a\0b\r\nhello\r\n0\r\n\r\n")),
    _bad("a trailer that is no field", _post(CHUNKED, body=b"0\r\nnonsense\r\n\r\n")),
    _bad("a trailer in a second line", _post(CHUNKED, body=b"0\r\nX-A: b\r\n c\r\n\r\n")),
    _bad("a trailer too large", _post(CHUNKED, body=b"0\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n"), 431),
    _bad("many trailers too large", _post(CHUNKED, body=b"0\r\n" + b"X-A: aaaa\r\n" * 4_000 + b"\r\n"), 431),
]

BAD_FIELDS = [
    _bad("a second line of a value", request(b"X-A: b\r\n c")),
    _bad("a second line by a tab", request(b"X-A: b\r\n\tc")),
    _bad("a second line before the first", request(b" X-A: b", host=None)),
    _bad("a blank line that is none", request(b"X-A: b\r\n \r\nX-B: c")),
    _bad("lines by line feeds", b"GET /nothing-here HTTP/1.1\nHost: waypost.example\n\n"),
    _bad("one line by a line feed", b"GET /nothing-here HTTP/1.1\r\nHost: waypost.example\nX-A: b\r\n\r\n"),
    _bad("the last line by a line feed", b"GET /nothing-here HTTP/1.1\r\nHost: waypost.example\r\n\n"),
    _bad("a line by a carriage return", b"GET /nothing-here HTTP/1.1\r\nHost: waypost.example\rX-A: b\r\n\r\n"),
    _bad("a carriage return in a value", request(b"X-A: b\rc")),
    _bad("a line feed in a value", request(b"X-A: b\nc: d")),
    _bad("a zero byte in a value", request(b"X-A: b\0c")),
    _bad("a control character in a value", request(b"X-A: b\x01c")),
    _bad("a delete character in a value", request(b"X-A: b\x7fc")),
    _bad("a form feed in a value", request(b"X-A: b\x0cc")),
    _bad("a zero byte in a name", request(b"X\0A: b")),
    _bad("a blank before the colon", request(b"X-A : b")),
    _bad("a tab before the colon", request(b"X-A\t: b")),
    _bad("a blank in a name", request(b"X A: b")),
    _bad("a blank before a name", request(b"X-B: c\r\n X-A: b")),
    _bad("brackets in a name", request(b"X(A): b")),
    _bad("a name beyond ASCII", request(b"X-\xc3\xa9: b")),
    _bad("no name", request(b": b")),
    _bad("no colon", request(b"X-A")),
    _bad("a status line", b"HTTP/1.1 200 OK\r\n" + HOST + b"\r\n\r\n", 501),
    _bad("no host", request(host=None)),
    _bad("an empty host", request(host=b"Host:")),
    _bad("two hosts", request(b"Host: elsewhere.example")),
    _bad("two hosts that agree", request(HOST)),
    _bad("two hosts in one field", request(host=b"Host: waypost.example, elsewhere.example")),
    _bad("a host with a path", request(host=b"Host: waypost.example/path")),
    _bad("a host with a user", request(host=b"Host: user@waypost.example")),
    _bad("a host with a query", request(host=b"Host: waypost.example?a")),
    _bad("a host with a blank", request(host=b"Host: waypost .example")),
    _bad("a host with a scheme", request(host=b"Host: http://waypost.example")),
    _bad("a host beyond ASCII", request(host="Host: 店.example".encode())),
    _bad("a host with a port of letters", request(host=b"Host: waypost.example:http")),
    _bad("a host with a port too large", request(host=b"Host: waypost.example:123456")),
    _bad("a host with quotes", request(host=b'Host: "waypost.example"')),
    _bad("a host of brackets", request(host=b"Host: [::1")),
    _bad("two keys", request(b"Authorization: Bearer a", b"Authorization: Bearer b")),
    _bad("two keys that agree", request(b"Authorization: Bearer a", b"authorization: Bearer a")),
    _bad("two types", _post(b"Content-Type: text/xml", b"Content-Type: application/json")),
    _bad("two encodings", _post(b"Content-Encoding: identity", b"Content-Encoding: gzip")),
    _bad("two idempotency keys", _post(b"Idempotency-Key: a", b"Idempotency-Key: b")),
    _bad("two cookies", request(b"Cookie: a=b", b"Cookie: c=d")),
    _bad("two origins", request(b"Origin: https://a.example", b"Origin: https://b.example")),
    _bad("two endpoints", _post(b"Waypost-Endpoint: a", b"Waypost-Endpoint: b")),
    _bad("two webhook ids", _post(b"webhook-id: a", b"webhook-id: b")),
    _bad("two webhook times", _post(b"webhook-timestamp: 1", b"webhook-timestamp: 2")),
    _bad("two signatures", _post(b"webhook-signature: v1,a", b"webhook-signature: v1,b")),
    _bad("two last events", request(b"Last-Event-ID: 1", b"Last-Event-ID: 2")),
    _bad("two expectations", _post(FIVE, b"Expect: 100-continue", b"Expect: 100-continue", body=b"hello")),
    _bad("another expectation", _post(FIVE, b"Expect: a-miracle", body=b"hello"), 417),
    _bad("an expectation with more", _post(FIVE, b"Expect: 100-continue, more", body=b"hello"), 417),
    _bad("a field too large", request(b"X-A: " + b"a" * 20_000), 431),
    _bad("a field far too large", request(b"X-A: " + b"a" * 400_000), 431),
    _bad("a field without end", request(b"X-A: " + b"a" * 400_000)[:-4], 431),
    _bad("a name too large", request(b"X-" + b"a" * 20_000 + b": b"), 431),
    _bad("fields too large together", request(*(b"X-%d: " % n + b"a" * 4_000 for n in range(5))), 431),
    _bad("too many fields", request(*(b"X-%d: a" % n for n in range(101))), 431),
    _bad("far too many fields", request(*(b"X: a" for _ in range(20_000))), 431),
    _bad("too many fields without end", request(*(b"X: a" for _ in range(20_000)))[:-4], 431),
]

BAD_LINES = [
    _bad("a target too long", request(target=b"/" + b"a" * 9_000), 414),
    _bad("a target far too long", request(target=b"/" + b"a" * 400_000), 414),
    _bad("a target without end", b"GET /" + b"a" * 400_000, 414),
    _bad("a query too long", request(target=NOTHING + b"?" + b"a" * 9_000), 414),
    _bad("empty lines without end", b"\r\n" * 40_000, 414),
    _bad("no method", b" / HTTP/1.1\r\n\r\n"),
    _bad("a method in small letters", request(method=b"get"), 501),
    _bad("a method nobody knows", request(method=b"BREW"), 501),
    _bad("a method without end", b"A" * 40_000, 501),
    _bad("a method with a tab", b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n\r\n", 501),
    _bad("a tunnel", request(method=b"CONNECT", target=b"elsewhere.example:443"), 501),
    _bad("a tunnel to a path", request(method=b"CONNECT"), 501),
    _bad("HTTP/0.9", b"GET /nothing-here\r\n", 505),
    _bad("HTTP/0.9 by name", b"GET /nothing-here HTTP/0.9\r\n\r\n", 505),
    _bad("HTTP/1.2", request(version=b"HTTP/1.2"), 505),
    _bad("HTTP/2.0", request(version=b"HTTP/2.0"), 505),
    _bad("HTTP/2", request(version=b"HTTP/2"), 505),
    _bad("HTTP/3.0", request(version=b"HTTP/3.0"), 505),
    _bad("HTTP/9.9", request(version=b"HTTP/9.9"), 505),
    _bad("HTTP/11", request(version=b"HTTP/11"), 505),
    _bad("HTTP/1.10", request(version=b"HTTP/1.10")),
    _bad("http/1.1", request(version=b"http/1.1")),
    _bad("another protocol", request(version=b"SIP/2.0")),
    _bad("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505),
    _bad("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)),
    _bad("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", 501),
    _bad("a proxy's greeting", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GOOD, 501),
    _bad("a proxy's greeting in bytes", b"\r\n\r\n\0\r\nQUIT\n" + bytes(8)),
    _bad("zeros", bytes(64)),
    _bad("JSON", b'{"intent": "purchase"}\r\n\r\n'),
    _bad("no target", b"GET HTTP/1.1\r\n" + HOST + b"\r\n\r\n"),
    _bad("a target with a blank", request(target=b"/a b")),
    _bad("a target beyond ASCII", request(target="/店".encode())),
    _bad("a target with a zero byte", request(target=b"/a\0b")),
    _bad("a target with a control character", request(target=b"/a\x01b")),
    _bad("a target with a delete character", request(target=b"/a\x7fb")),
    _bad("a relative target", request(target=b"nothing-here")),
    _bad("any target", request(target=b"*")),
    _bad("OPTIONS of anything", request(method=b"OPTIONS", target=b"*")),
    _bad("an authority", request(target=b"waypost.example:80")),
    _bad("an absolute target of another host", request(target=b"http://elsewhere.example" + NOTHING)),
    _bad("an absolute target of another port", request(target=b"http://waypost.example:81" + NOTHING)),
    _bad("an absolute target with a user", request(target=b"http://user@waypost.example" + NOTHING)),
    _bad("an absolute target of another scheme", request(target=b"ftp://waypost.example" + NOTHING)),
    _bad("an absolute target without a host", request(target=b"http:///nothing-here")),
    _bad("a blank after the version", b"GET /nothing-here HTTP/1.1 \r\n" + HOST + b"\r\n\r\n"),
    _bad("a WebSocket", request(*_WEBSOCKET, b"Upgrade: websocket")),
    _bad("a WebSocket in capitals", request(*_WEBSOCKET, b"Upgrade: WebSocket")),
    _bad("a WebSocket among others", request(*_WEBSOCKET, b"Upgrade: h2c, websocket")),
    _bad("a WebSocket with a body", _post(*_WEBSOCKET, b"Upgrade: websocket", FIVE, body=b"hello")),
    _bad(
        "a WebSocket of an old draft", request(b"Connection: Upgrade", b"Upgrade: WebSocket", b"Sec-WebSocket-Key1: 1")
    ),
]

CASES = [*GOOD_REQUESTS, *BAD_FRAMING, *BAD_FIELDS, *BAD_LINES]
