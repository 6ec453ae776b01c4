"""The place of a value in a response: a path into its JSON, a header, a meta tag of the page, or the whole text."""

import re
from typing import Any

from redeploy.http.response import Response
from redeploy.text.json_path import MISSING, pick
from redeploy.text.markup import meta_content

NOT_JSON = object()
"""The value of `value_at` for a JSON field of a response that is not JSON."""

BODY = "body"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a header's name, RFC 9110 section 5.6.2


def check_source(name: str) -> None:
    """Check that a name is the place of a value.

    Raises:
        ValueError: with what is wrong; the message continues the sentence after the name.
    """
    if name.startswith("header:"):
        if not _TOKEN.fullmatch(name.removeprefix("header:")):
            msg = "does not name a header; write `header:X-Version`"
            raise ValueError(msg)
    elif name.startswith("meta:"):
        if not name.removeprefix("meta:").strip() or not name.isprintable():
            msg = "does not name a meta tag; write `meta:git-sha`"
            raise ValueError(msg)
    elif not name.isprintable() or (not name.startswith("/") and "" in name.split(".")):
        msg = "is not a dotted path (`build.sha`), a JSON pointer (`/build/sha`), `header:NAME` or `meta:NAME`"
        raise ValueError(msg)


def is_text(source: str) -> bool:
    """Return whether a source is text, which is trimmed, and not a JSON value."""
    return source == BODY or source.startswith(("header:", "meta:"))


def reads_page(source: str) -> bool:
    """Return whether a source can be read from an HTML page as well as from any other body."""
    return source == BODY or source.startswith("meta:")


def value_at(reply: Response, source: str, *, as_written: bool = False) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value at a source; `MISSING` if there is none, `NOT_JSON` if the response is not JSON.

    `as_written`: whether to return a JSON number with a fraction as it is written, not as a number.
    """
    if source == BODY:
        return reply.text
    if source.startswith("header:"):
        return reply.headers.get(source.removeprefix("header:").lower(), MISSING)
    if source.startswith("meta:"):
        content = meta_content(reply.body, source.removeprefix("meta:").strip()) if reply.json is None else None
        return MISSING if content is None else content
    if reply.json is None and reply.text.strip() != "null":
        return NOT_JSON
    value = pick(reply.json, source)
    return pick(reply.json_as_written, source) if as_written and isinstance(value, float) else value
