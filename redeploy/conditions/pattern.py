"""The user's regular expressions against text from outside: RE2 takes time in proportion to the text, whatever both are.

The syntax is RE2's (github.com/google/re2/wiki/Syntax). The engine is loaded only where an input has an expression.
"""

import functools
from typing import Any

LONGEST = 1_000
"""Characters of an expression."""


def check(expression: str) -> None:
    """Make sure that an expression can be used.

    Raises:
        ValueError: with what is wrong; the message goes on after the expression.
    """
    if len(expression) > LONGEST:
        msg = f"has more than {LONGEST:,} characters"
        raise ValueError(msg)
    import re2

    try:
        _compiled(expression)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        what = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        hint = "; RE2 has no look-around and no back-references" if "perl operator" in what or "escape" in what else ""
        msg = f"is not a regular expression that RE2 reads ({what}{hint})"
        raise ValueError(msg) from None


def found(expression: str, text: str) -> bool:
    """Tell whether an expression is found anywhere in a text."""
    return _compiled(expression).search(_encoded(text)) is not None


def first_group(expression: str, text: str) -> str | None:
    """Return what the first group of an expression found, or all that it found where it has no group; None if nothing."""
    match = _compiled(expression).search(_encoded(text))
    if match is None:
        return None
    told: bytes | None = match.group(1 if match.re.groups else 0)
    return None if told is None else told.decode("utf-8", "replace")


@functools.cache
def _compiled(expression: str) -> Any:  # noqa: ANN401 - the library has no types
    import re2

    options = re2.Options()
    options.log_errors = False  # it would print them itself
    return re2.compile(_encoded(expression), options)


def _encoded(text: str) -> bytes:
    """Return a text as RE2 takes it; half of a surrogate pair, which JSON can hold, becomes a question mark."""
    return text.encode("utf-8", "replace")
