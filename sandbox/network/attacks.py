"""Hostile servers: text that attacks a log, endless responses, secrets in responses."""

import base64
import gzip
import html
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sandbox.network.front import Answer, Exchange

_HOSTILE = "\n".join(
    (
        "::error title=forged::not ours",
        "::set-output name=verdict::deployed\r::add-mask::true\u00a0",
        "\u00a0::set-env name=A::b",
        "x ##[set-env name=PATH]/tmp",
        "##[add-matcher]/etc/passwd",
        "\x1b[2J\x1b[31mred\x1b]0;title\x07\u202egnp.exe\u2066",
        "<script>alert(1)</script> | `a` | [x](javascript:alert(1)) @everyone #1",
        "A" * 5000,
    )
)


def hostile_page(status: int) -> Answer:
    """An error page with every attack that text in a log or a table can try, also in its reason phrase."""
    reason = "::set-output name=verdict::deployed ##[error]x"
    headers = (("X-Powered-By", "::error::forged"), ("WWW-Authenticate", "Basic realm=\x1b[31m##[group]x"))
    return Answer(status, _HOSTILE.encode() + b"\xff\xfe\xc3(", "text/html", headers, reason=reason)


def hostile_document() -> Answer:
    """A healthy response with hostile build names."""
    names = {"version": _HOSTILE, "commit": "::stop-commands::x", "build": {"id": "\x1b[31m\ud83d\ude00\u202e"}}
    return Answer(200, json.dumps({"ok": True, **names}).encode(), "application/json")


def hostile_contract() -> dict[str, object]:
    """Hostile version and paths of an OpenAPI document; no path is long enough to be rejected for its length."""
    lines = [*_HOSTILE.splitlines()[:-1], "\ud83d\u202e", "../../../etc/passwd", "{" * 300]
    return {
        "info": {"title": _HOSTILE, "version": _HOSTILE},
        "paths": {f"/{line}": {"get": {"operationId": line, "responses": {}}} for line in lines},
    }


def hostile_item() -> Answer:
    """A response that does not match its schema, with hostile text."""
    return Answer(200, json.dumps({"id": _HOSTILE, "name": [_HOSTILE], _HOSTILE: 1}).encode(), "application/json")


def every_form(secret: str) -> dict[str, str]:
    """The encodings in which careless servers show a secret."""
    data = secret.encode()
    return {
        "plain": secret,
        "base64": base64.b64encode(data).decode(),
        "basic": base64.b64encode(b"user:" + data).decode(),
        "url-safe": base64.urlsafe_b64encode(b"x" + data).decode().rstrip("="),
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "quoted": quote(secret, safe=""),
        "quoted twice": quote(quote(secret, safe=""), safe=""),
        "entities": "".join(f"&#{byte};" for byte in data),
        "html": html.escape(secret),
        "json": json.dumps(secret),
        "escaped": "".join(f"\\u{byte:04x}" for byte in data),
        "reversed": secret[::-1],
    }


def echo(status: int, *values: str) -> Answer:
    """A response that repeats the request's values in body and headers, in every encoding."""
    forms = [form for value in values for form in every_form(value).items()]
    headers = tuple((f"X-Echo-{number}", form) for number, (_, form) in enumerate(forms))
    return Answer(status, json.dumps(forms).encode(), "application/json", headers)


def echoed_names(*values: str) -> Answer:
    """A healthy response with secrets as its build names."""
    names = ("version", "commit", "revision", "release", "build_id", "git_sha")
    forms = [form for value in values for form in every_form(value).values()]
    return Answer(200, json.dumps({"ok": True, **dict(zip(names, forms, strict=False))}).encode(), "application/json")


def echoed_item(value: str) -> Answer:
    """An item with a secret in its id, at the end of a text that is too long to be shown."""
    return Answer(200, json.dumps({"id": "-" * 165 + value, "name": "", "price": None}).encode(), "application/json")


def echoed_document(*values: str) -> Answer:
    """An OpenAPI document with secrets as its version and paths."""
    forms = [form for value in values for form in every_form(value).values()]
    forms += [f"{'-' * 215}{value}" for value in values]  # cut in the middle wherever a path is shown
    document = {
        "openapi": "3.1.0",
        "info": {"title": "portfolio", "version": values[0]},
        "paths": {f"/{form}": {"get": {"responses": {"200": {"description": form}}}} for form in forms},
    }
    return Answer(200, json.dumps(document).encode(), "application/json")


@dataclass(frozen=True)
class Raw:
    """Raw bytes, piece by piece, with a pause after each: endless bodies, slow bodies, compression bombs."""

    head: bytes
    pieces: Callable[[], Iterable[bytes]]
    pause: float = 0.0

    def __call__(self, exchange: Exchange) -> bool:
        """Send until the pieces end, or the client disconnects."""
        if exchange.connection.send(self.head):
            for piece in self.pieces():
                if not exchange.connection.send(piece) or exchange.connection.pause(self.pause):
                    break
        return False


_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _for_ever(piece: bytes) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        while True:
            yield piece

    return pieces


def endless_body() -> Raw:
    """A body that never ends, sent as fast as it is read."""
    return Raw(_OK + b"\r\n", _for_ever(b" " * 65536))


def slow_body() -> Raw:
    """A body of one byte every tenth of a second: no pause is long, but it never ends."""
    return Raw(_OK + b"Content-Length: 100000\r\n\r\n", _for_ever(b" "), 0.1)


def slow_headers() -> Raw:
    """Header lines that never end."""
    return Raw(b"HTTP/1.1 200 OK\r\n", _for_ever(b"X: y\r\n"), 0.1)


def gzip_bomb() -> Raw:
    """A few kilobytes that unpack to 64 MiB."""
    packed = gzip.compress(b"[" + b" " * (64 << 20) + b"]")
    return Raw(_OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed), lambda: [packed])


def deep_document() -> Answer:
    """JSON nested too deeply for a recursive parser."""
    return Answer(200, b'{"version":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "application/json")
