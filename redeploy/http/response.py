"""The result of one HTTP request: a response, or the reason why there is none. Every byte of it is untrusted."""

import email.utils
import functools
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_NESTED = 200
"""A JSON document nested more deeply than this does not come from a service that names its build."""


_BLANK = b" \t\n\r\x0b\x0c\xef\xbb\xbf"
"""White space, and the bytes of a byte order mark."""

_MARKUP = rb"(?i)(?P<page><!doctype html|<html)|<"  # compiled when first needed
"""The start of a page, or of some other markup."""


class ErrorKind(StrEnum):
    """Why there was no response."""

    UNRESOLVED = "unresolved"
    """The host name has no address."""
    REFUSED = "refused"
    """Nothing listens there, or the host cannot be reached: no byte of the request was taken."""
    NOT_CONNECTED = "not-connected"
    """The connection was not made in time."""
    TLS = "tls"
    """The TLS handshake failed, so the request was never sent."""
    CUT = "cut"
    """The connection ended before the response did."""
    TIMED_OUT = "timed-out"
    """The response was not complete in time."""
    TOO_LARGE = "too-large"
    """The response was larger than its cap."""


NEVER_SENT = frozenset({ErrorKind.UNRESOLVED, ErrorKind.REFUSED, ErrorKind.NOT_CONNECTED, ErrorKind.TLS})
"""With these the server has certainly not seen the request."""


@dataclass(frozen=True)
class TransportError:
    """There was no response; `detail` is in our own words or the TLS library's, never the server's."""

    error_kind: ErrorKind
    detail: str = ""
    status: int = 0
    """The status of a response that was larger than its cap."""

    @property
    def seen(self) -> str:
        """What went wrong, in our own words."""
        return _FAULTS[self.error_kind] + (f" ({self.detail})" if self.detail else "")


_FAULTS = {
    ErrorKind.UNRESOLVED: "the host name has no address",
    ErrorKind.REFUSED: "the connection was refused",
    ErrorKind.NOT_CONNECTED: "no connection was made in time",
    ErrorKind.TLS: "the TLS handshake failed",
    ErrorKind.CUT: "the connection was closed without a response",
    ErrorKind.TIMED_OUT: "no response came in time",
    ErrorKind.TOO_LARGE: "the response is larger than the limit",
}


@dataclass(frozen=True)
class Response:
    """A complete response. Header names are in lower case, the body is decoded and within its cap."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hops: int = 0
    """Redirects that were followed to get it."""

    @property
    def came(self) -> str:
        """What came, in a word or two."""
        return str(self.status)

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text without a byte order mark; bytes that are not UTF-8 become replacement characters."""
        return self.body.decode("utf-8-sig", "replace")

    @functools.cached_property
    def is_html(self) -> bool:
        """Whether the body is an HTML page.

        Flask and PHP send JSON and plain words as `text/html` by default, so the type alone does not decide.
        """
        start = re.match(_MARKUP, self.body.lstrip(_BLANK))
        if start is None:
            return False
        return bool(start["page"]) or self.media_type in ("text/html", "application/xhtml+xml")

    @functools.cached_property
    def json(self) -> Any:  # noqa: ANN401 - a document has whatever shape the server gave it
        """The body as a JSON document; None if it is not one."""
        return self._parsed()

    @functools.cached_property
    def json_as_written(self) -> Any:  # noqa: ANN401 - as above
        """The same, with fractions, `NaN` and `Infinity` as text: the version 1.10 is not 1.1."""
        return self._parsed(parse_float=str, parse_constant=str)

    @functools.cached_property
    def _may_be_json(self) -> bool:
        return not (self.is_html or nested_too_deeply(self.body))

    def _parsed(self, **options: Any) -> Any:  # noqa: ANN401 - as above, and as `json.loads` takes them
        if not self._may_be_json:
            return None
        try:
            return json.loads(self.body.decode("utf-8-sig"), **options)  # by default, json would read UTF-16, too
        except ValueError:
            return None

    @property
    def is_challenge(self) -> bool:
        """Whether Cloudflare asks for a browser (developers.cloudflare.com, "Detect a challenge page response")."""
        return self.headers.get("cf-mitigated", "").lower() == "challenge" or (
            self.status in (403, 429, 503) and self.is_html and b"/cdn-cgi/challenge-platform/" in self.body
        )

    @property
    def is_access_wall(self) -> bool:
        """Whether Cloudflare Access asks for a login, or rejects the service token."""
        location = self.headers.get("location", "")
        return (
            (
                300 <= self.status < 400
                and bool(re.search(r"^https://[^/]+\.cloudflareaccess\.com/|/cdn-cgi/access/", location))
            )
            or "cloudflare-access" in self.headers.get("www-authenticate", "").lower()
            or (self.status in (401, 403) and self.is_html and b"cloudflareaccess.com" in self.body)
        )

    @property
    def is_nginx_busy_page(self) -> bool:
        """Whether this is nginx's stock response to more requests than its `limit_req` allows; AWS has the same words."""
        if self.headers.get("server", "").lower().startswith("awselb"):
            return False
        return self.status == 503 and self.is_html and b"503 Service Temporarily Unavailable" in self.body[:512]

    @property
    def retry_after(self) -> float | None:
        """Seconds that `Retry-After` asks for, by the server's own clock if it names a date (RFC 9110, 10.2.3)."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}", text):
            return float(text)
        until = http_date(text)
        now = self.date
        return None if until is None or now is None else max(0.0, until - now)

    @property
    def date(self) -> float | None:
        """The server's clock, in seconds since 1970; None without a `Date` header."""
        return http_date(self.headers.get("date", ""))


HttpResult = Response | TransportError


def http_date(text: str) -> float | None:
    """Return the seconds since 1970 of an HTTP date; None if it is not one."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def nested_too_deeply(body: bytes) -> bool:
    """Return whether brackets nest beyond `MOST_NESTED`, without parsing; brackets in strings are skipped."""
    steps = _brackets(body)
    if steps.count(b"[") <= MOST_NESTED:
        return False
    level, shorter = 0, steps.replace(b"[]", b"")
    while 2 * len(shorter) <= len(steps) and steps:  # this removes most levels of most documents quickly
        level, steps = level + 1, shorter
        shorter = steps.replace(b"[]", b"")
    return level + max(itertools.accumulate(memoryview(steps.translate(_STEPS)).cast("b")), default=0) > MOST_NESTED


def _brackets(body: bytes) -> bytes:
    """Return the brackets outside strings, all of one kind; nothing if there are few, in strings or not."""
    pieces, escapes = body.split(b'"', MOST_NESTED), b"\\" in body
    if escapes or len(pieces) > MOST_NESTED:
        signs = body.translate(_ONE_KIND, delete=_NO_SIGNS)
        if len(signs.split(b"[", MOST_NESTED + 1)) <= MOST_NESTED + 1:  # this takes less time than counting
            return b""
        if escapes:  # without what a backslash escapes: a second one, or a quote that ends no string
            body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
            signs = body.translate(_ONE_KIND, delete=_NO_SIGNS)
        pieces = signs.replace(b'""', b"").split(b'"')  # what goes has no bracket in it, or makes one string of two
    outside = b"".join(pieces[::2])  # every other piece between quotes
    return outside.translate(_ONE_KIND, delete=_NO_SIGNS)


_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_SIGNS = bytes(set(range(256)) - set(b'[{]}"'))
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")  # read as signed bytes: one level down, one level up
