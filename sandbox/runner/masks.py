"""The runner's masker, and a stricter search for secrets that it would let through."""

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_SHORTEST = 4  # a shorter secret is found everywhere, which proves nothing


class Masker:
    """Replaces secrets, and the forms of them that GitHub's runner derives, by `***`."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self._forms: set[str] = set()

    def add(self, value: str) -> None:
        """Mask a whole value, and each of its lines."""
        for part in {value, *(line.strip() for line in value.replace("\r", "\n").split("\n"))}:
            if part.strip():
                self.values.add(part)
                self._forms.update(form for form in _runner_forms(part) if form)

    def mask(self, text: str) -> str:
        """Return the text with every match replaced; adjacent or overlapping matches become one `***`."""
        hidden: list[tuple[int, int]] = []
        for form in self._forms:
            start = text.find(form)
            while start >= 0:
                hidden.append((start, start + len(form)))
                start = text.find(form, start + 1)
        masked, position, covered = [], 0, -1
        for start, end in sorted(hidden):
            if start > covered:
                masked += [text[position:start], "***"]
            covered = max(covered, end)
            position = covered
        return "".join([*masked, text[position:]])


def _runner_forms(value: str) -> Iterator[str]:
    """actions/runner, src/Runner.Common/HostContext.cs: the encoders that are applied to every mask."""
    data = value.encode()
    yield value
    for shift in range(3):
        if len(data) > shift:
            yield base64.b64encode(data[shift:]).decode()
    yield value.replace('"', '\\"')
    yield value.replace("'", "''")
    yield json.dumps(value)[1:-1]
    yield quote(value, safe="-_.~")
    yield html.escape(value).replace("&#x27;", "&apos;")
    if len(value) > 8 and value[0] == value[-1] == '"':
        yield value[1:-1]
    before, ampersand, after = value.partition("&")
    if ampersand and len(before) >= 6:
        yield before
    if ampersand and len(after) >= 6:
        yield after


def leaked(text: str, secret: str) -> str | None:
    """Return the name of the form in which a text contains the secret, or None."""
    if len(secret) < _SHORTEST:
        return None
    return next((name for name, form in _forms(secret) if len(form) >= _SHORTEST and form in text), None)


def _forms(secret: str) -> Iterator[tuple[str, str]]:
    data = secret.encode()
    yield "as it is", secret
    if len(secret) < 8:
        return
    if len(secret) >= 16:
        yield "cut off", secret[: len(secret) * 3 // 4]
    yield "in upper case", secret.upper()
    yield "in lower case", secret.lower()
    yield "reversed", secret[::-1]
    yield "hexadecimal", data.hex()
    yield "hexadecimal, upper case", data.hex().upper()
    yield "hexadecimal with colons", data.hex(":")
    for shift in range(3):
        # Neighbouring bytes change the first and last digits: only those between them depend on the secret alone.
        for name, encode in (("base64", base64.b64encode), ("base64, URL-safe", base64.urlsafe_b64encode)):
            digits = encode(b"\0" * shift + data).decode().rstrip("=")
            yield f"{name}, shifted by {shift}", digits[(0, 2, 3)[shift] : len(digits) - 1]
    yield "base32", base64.b32encode(data).decode().rstrip("=")[:-1]
    quoted = quote(secret, safe="")
    yield "percent-encoded", quoted
    yield (
        "percent-encoded, lower case",
        "".join(f"%{byte:02x}" if f"%{byte:02X}" in quoted else chr(byte) for byte in data),
    )
    yield "percent-encoded whole", "".join(f"%{byte:02X}" for byte in data)
    yield "percent-encoded twice", quote(quoted, safe="")
    yield "form-encoded", quote_plus(secret)
    yield "JSON-escaped", json.dumps(secret)[1:-1]
    yield "JSON-escaped whole", "".join(f"\\u{ord(character):04x}" for character in secret)
    yield "HTML-escaped", html.escape(secret)
    yield "HTML-escaped whole", "".join(f"&#{ord(character)};" for character in secret)
    yield "base64 twice", base64.b64encode(base64.b64encode(data)).decode().rstrip("=")[:-2]
    yield "spaced out", " ".join(secret)
