"""Values that must never be shown, and the forms in which a server could echo them."""

import base64
import contextlib
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from redeploy.text.escapes import places_before, resolved

MASK = "***"
SHORTEST = 4
"""Shorter values are neither masked nor redacted: hiding `1` or `abc` everywhere would make the log unreadable."""

SHORTEST_HEADER = 8
"""The same for values of headers, most of which are words, and for parts of the update URL."""

CUT = "\N{HORIZONTAL ELLIPSIS}"
"""The mark where a text was cut off."""

LAYERS = 3
"""Layers of escapes in which secrets are looked for, one in the other."""

REVEALING = 8
"""Characters of the beginning of a secret that are worth hiding if the rest was cut off."""

LONG, LONGER_THAN_WORDS = 12, 24
"""Characters: shorter ones may be a number or a date of ours; the longest word of ours has fewer than the latter."""

_COMMON = frozenset(
    [
        "admin",
        "api",
        "app",
        "apps",
        "async",
        "check",
        "containers",
        "deploy",
        "deployment",
        "deployments",
        "docker",
        "hook",
        "hooks",
        "http-api",
        "internal",
        "metrics",
        "ops",
        "private",
        "redeploy",
        "services",
        "update",
        "v1",
        "v2",
        "watchtower",
        "webhook",
        "webhooks",
    ]
)
"""Words in paths that reveal nothing."""


class Secret:
    """A string that cannot be printed by accident; `reveal` is the only way to its value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one request that needs it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        msg = "a secret is not serialised"
        raise TypeError(msg)


def basic(username: str, password: str) -> str:
    """Return the credentials of an `Authorization` header with the scheme Basic (RFC 7617)."""
    return base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogatepass")).decode()


def of_authorization(value: str) -> Iterator[str]:
    """Yield the secrets in a value of `Authorization`: the credentials after the scheme, and their password (RFC 7617)."""
    scheme, _, credentials = value.partition(" ")
    yield credentials.strip()
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):  # it is not base64, so there is no password in it
            yield base64.b64decode(credentials, validate=True).decode("utf-8", "replace").partition(":")[2]


def disguises(value: str) -> Iterator[str]:
    """Yield the value and its usual encodings.

    The runner's masker covers the exact base64, URI, JSON and XML forms (actions/runner, `ValueEncoders.cs`); hex,
    URL-safe base64, form encoding, numeric entities and reversal it does not.
    """
    raw = value.encode("utf-8", "surrogatepass")
    yield value
    yield " ".join(value.split())  # as it appears in one line of ours
    yield value[::-1]
    yield value.replace(" ", "+")  # in a form, whose other escapes are resolved
    yield raw.decode("latin-1")
    yield value.encode("latin-1", "replace").decode("utf-8", "replace")  # a header's bytes, echoed in a text of UTF-8
    for quoted in (urllib.parse.quote(value, safe=""), urllib.parse.quote(value), urllib.parse.quote_plus(value)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield escaped
    for quote in ("&#x27;", "&#39;", "&apos;"):
        yield escaped.replace('"', "&quot;").replace("'", quote)
    yield "".join(f"&#{ord(character)};" for character in value)
    yield "".join(f"&#x{ord(character):x};" for character in value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield json.dumps(value)[1:-1].replace("/", "\\/")
    yield "".join(f"\\u{ord(character):04x}" for character in value)
    yield raw.hex()
    yield raw.hex().upper()
    yield base64.b32encode(raw).decode().rstrip("=")
    for shift in range(3):  # where the secret lies inside longer base64, its text depends on its offset modulo 3
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + raw).decode().rstrip("=")
            settled = (len(raw) + shift) // 3 * 4  # characters that do not depend on what follows the secret
            yield text[(0, 2, 3)[shift] : settled]
            if shift == 0:
                yield text


def of_url(url: str) -> Iterator[str]:
    """Yield the secret parts of the update URL: its path, its query, and what a server may quote of them.

    A server behind a proxy sees the path without its beginning or its end, and the query decoded.
    """
    target = url.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("?")
    if not path:
        return
    yield f"/{target}"
    yield f"/{path}"
    pieces = path.split("/")
    own = [place for place, piece in enumerate(pieces) if piece and piece.lower() not in _COMMON]
    if own:
        yield "/".join(("", *pieces[: own[-1] + 1]))
        yield "/".join(pieces[own[0] :])
    values = [query, *(pair.partition("=")[2] for pair in query.split("&"))]
    for text in (*(pieces[place] for place in own), *values):
        yield from (text, urllib.parse.unquote(text), urllib.parse.unquote_plus(text))


def redactor(secrets: Iterable[Secret]) -> Callable[[str], str]:
    """Return a function that replaces each secret by `***`: encoded, escaped, broken by line ends, or cut off.

    For texts from outside, before anything cuts, decodes or reshapes them. It takes time in proportion to a text's length.
    """
    values = [value for secret in secrets if len(value := secret.reveal()) >= SHORTEST]
    forms = {form for value in values for form in disguises(value) if len(form) >= SHORTEST}
    longest_first = sorted(forms, key=len, reverse=True)
    longest = len(longest_first[0]) if longest_first else 0
    by_beginning: dict[str, list[str]] = {}
    for form in longest_first:
        by_beginning.setdefault(form[:REVEALING], []).append(form)

    def without_beginning(text: str) -> str:
        """Return a cut-off text without the beginning of a secret at its end."""
        for place in range(max(0, len(text) - longest), len(text) - REVEALING + 1):
            forms_here = by_beginning.get(text[place : place + REVEALING])
            if forms_here and any(form.startswith(text[place:]) for form in forms_here):
                return f"{text[:place]}{MASK}"
        return text

    def places(text: str, layers: int) -> list[tuple[int, int]]:
        """Return where secrets are in a text, also in one of several layers of escapes."""
        found = [each.span() for form in longest_first if form in text for each in re.finditer(re.escape(form), text)]
        if layers and (inner := resolved(text)) != text and (spelled := places(inner, layers - 1)):
            found += places_before(text, spelled)
        return found

    def redact(text: str) -> str:
        if not longest_first:
            return text
        if found := places(text, LAYERS):
            pieces, done = list[str](), 0
            for begin, end in sorted(found):
                if begin >= done:
                    pieces += (text[done:begin], MASK)
                done = max(done, end)
            text = "".join(pieces) + text[done:]
        if CUT not in text:
            return text
        *cut, last = text.split(CUT)
        return CUT.join([*map(without_beginning, cut), last])

    return redact


def safeguard(secrets: Iterable[Secret]) -> Callable[[str], str]:
    """Return a redactor for everything that leaves the action, with only those secrets that our own words cannot contain.

    Texts from outside were redacted when they came in. What the action itself made is not: a header with the
    value `deployed` would hide the verdict.
    """
    return redactor(each for each in secrets if _is_unmistakable(each.reveal()))


def _is_unmistakable(value: str) -> bool:
    """Return whether a value is longer than any of our own words, or long and made of letters and digits."""
    mixed = any(each.isdigit() for each in value) and any(each.isalpha() for each in value)
    return len(value) >= LONGER_THAN_WORDS or (len(value) >= LONG and mixed)
