"""The `WWW-Authenticate` header: the credentials that a server requires (RFC 9110, section 11.6.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 8192
"""Characters of a header that are read."""

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))(?=[ \t]*(?:,|$))')
_SCHEME = re.compile(rf"({_WORD})(?:[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))|(?=[ \t,]|$))")
"""With the token that some schemes have in place of parameters."""


@dataclass(frozen=True)
class Challenge:
    """One way to log in; the names of scheme and parameters are in lower case, the values are untrusted."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(header: str) -> tuple[Challenge, ...]:
    """Return the challenges of a header, which may be several headers joined by commas, up to the first invalid part.

    A parameter that is given twice counts as given first: what comes later may have been smuggled in.
    """
    found: list[tuple[str, dict[str, str]]] = []
    text = header[:LONGEST]
    while text := text.lstrip(" \t,"):
        if found and (match := _PARAMETER.match(text)):
            name, quoted, plain = match.groups()
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found[-1][1].setdefault(name.lower(), value)
        elif match := _SCHEME.match(text):
            found.append((match[1].lower(), {}))
        else:
            break
        text = text[match.end() :]
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)
