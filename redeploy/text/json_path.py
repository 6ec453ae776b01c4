"""Looking into JSON documents of unknown shape."""

from typing import Any

MISSING = object()
"""What `pick` returns where the document has no such field; `None` would be a value."""


_MOST_DIGITS = 10
"""No list is so long that its places have as many; Python refuses to read a number of thousands of digits."""


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


def spelled(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """Return a JSON scalar as people write it; None for null, objects and arrays."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() | str():
            return str(value)
        case _:
            return None
