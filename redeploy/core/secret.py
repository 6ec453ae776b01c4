"""Values that must never be shown, and the forms in which a server could echo them."""

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

MASK = "***"
SHORTEST = 4
"""Shorter values are neither masked nor redacted: hiding `1` or `abc` everywhere would make the log unreadable."""

CUT = "\N{HORIZONTAL ELLIPSIS}"
"""What stands where a text was cut off."""

TELLING = 8
"""Characters of the beginning of a secret that are worth hiding where the rest was cut off."""


class Secret:
    """A string that cannot be printed by accident; `reveal` is the only way to its value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one request that has to carry it."""
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
    """Return what stands for both in an `Authorization` header of the scheme Basic (RFC 7617)."""
    return base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogatepass")).decode()


def disguises(value: str) -> Iterator[str]:
    """Yield the value and its usual encodings.

    The runner's masker covers the exact base64, URI, JSON and XML forms (actions/runner, `ValueEncoders.cs`); hex,
    URL-safe base64, form encoding, numeric entities and reversal it does not.
    """
    raw = value.encode("utf-8", "surrogatepass")
    yield value
    yield " ".join(value.split())  # as it stands in one line of ours
    yield value[::-1]
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


def redactor(secrets: Iterable[Secret]) -> Callable[[str], str]:
    """Return a function that replaces each secret, in any of its disguises and where it is cut off, by `***`."""
    values = [value for secret in secrets if len(value := secret.reveal()) >= SHORTEST]
    forms = {form for value in values for form in disguises(value) if len(form) >= SHORTEST}
    longest_first = sorted(forms, key=len, reverse=True)

    def redact(text: str) -> str:
        for form in longest_first:
            if form in text:
                text = text.replace(form, MASK)
        *cut, last = text.split(CUT)
        return CUT.join([*(_without_beginning(each, longest_first) for each in cut), last])

    return redact


def _without_beginning(text: str, forms: Iterable[str]) -> str:
    """Return a text that was cut off, without the beginning of a secret at its end."""
    sizes = (size for form in forms for size in range(len(form) - 1, TELLING - 1, -1) if text.endswith(form[:size]))
    size = max(sizes, default=0)
    return f"{text[:-size]}{MASK}" if size else text


def shows_secret(text: str, redact: Callable[[str], str]) -> bool:
    """Tell whether a text shows a secret in any disguise, or in several of them one over the other."""
    import html  # its tables take a while to load

    layers = [text]
    for _ in range(3):
        layers += [urllib.parse.unquote(layers[-1]), html.unescape(urllib.parse.unquote(layers[-1]))]
    return any(redact(layer) != layer for layer in layers)
