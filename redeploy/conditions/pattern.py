"""The user's regular expressions on text from outside, with RE2: its time is linear in the text for every expression.

The syntax is RE2's (github.com/google/re2/wiki/Syntax). The engine is loaded only if an input has an expression.
"""

import functools
from typing import Any

LONGEST = 1_000
"""Characters of an expression."""


def check(expression: str) -> None:
    """Check that an expression can be used.

    Raises:
        ValueError: with what is wrong; the message continues the sentence after the expression.
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
        msg = f"is not a regular expression of RE2's syntax ({what}{hint})"
        raise ValueError(msg) from None


def found(expression: str, text: str) -> bool:
    """Return whether an expression matches anywhere in a text."""
    return _compiled(expression).search(_encoded(text)) is not None


def first_group(expression: str, text: str) -> str | None:
    """Return the match of an expression's first group, or the whole match if it has no group; None if nothing matches."""
    match = _compiled(expression).search(_encoded(text))
    if match is None:
        return None
    group: bytes | None = match.group(1 if match.re.groups else 0)
    return None if group is None else group.decode("utf-8", "replace")


@functools.cache
def _compiled(expression: str) -> Any:  # noqa: ANN401 - the library has no types
    import re2

    options = re2.Options()
    options.log_errors = False  # it would print them itself
    return re2.compile(_encoded(expression), options)


def _encoded(text: str) -> bytes:
    """Return the bytes of a text for RE2; half of a surrogate pair, which JSON can contain, becomes a question mark."""
    return text.encode("utf-8", "replace")
