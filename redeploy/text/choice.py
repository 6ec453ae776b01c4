"""One word out of a few, with a suggestion for near misses."""

from collections.abc import Iterable


def choice(text: str, allowed: Iterable[str]) -> str:
    """Return `text` if it is one of `allowed`; a near miss is suggested."""
    allowed = tuple(allowed)
    if text in allowed:
        return text
    import difflib  # only a wrong input needs it

    near = difflib.get_close_matches(text.lower(), allowed, n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    *first, last = (f"`{each}`" for each in allowed)
    msg = f"must be {', '.join(first)} or {last}{hint}"
    raise ValueError(msg)
