"""Reading values from JSON documents of unknown shape."""

from typing import Any

MISSING = object()
"""The value of `pick` if the document has no such field; `None` would be a value."""


_MOST_DIGITS = 10
"""Digits of an index: no list is that long, and Python refuses to read a number with thousands of digits."""


def pick(document: Any, field: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value at a dotted path (`build.sha`, `replicas.0.sha`) or JSON pointer (RFC 6901), or `MISSING`."""
    if field.startswith("/"):
        keys = [key.replace("~1", "/").replace("~0", "~") for key in field[1:].split("/")]
    else:
        keys = field.split(".")
    for key in keys:
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif (
            isinstance(document, list)
            and len(key) < _MOST_DIGITS
            and key.isascii()
            and key.isdigit()
            and int(key) < len(document)
        ):
            document = document[int(key)]
        else:
            return MISSING
    return document


def below(path: str, key: str) -> str:
    """Return the path of a field in the object at `path`, as `pick` reads it.

    It is dotted, or a pointer if a key has a dot, a colon or a brace, which would be read as something else.
    """
    if not path.startswith("/") and not key.startswith("/") and not any(sign in key for sign in ".:{"):
        return f"{path}.{key}" if path else key
    above = path if not path or path.startswith("/") else "".join(f"/{_escaped(each)}" for each in path.split("."))
    return f"{above}/{_escaped(key)}"


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def spelled(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """Return a JSON scalar as people write it; None for null, an object or an array."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() | str():
            return str(value)
        case _:
            return None
