"""The build names in a response: that of the declared field, or all known ones."""

import re
from collections.abc import Callable
from dataclasses import replace

from redeploy.conditions import pattern
from redeploy.conditions.source import check_source, value_at
from redeploy.http.response import Response
from redeploy.service.build_fields import (
    LONGEST_NAME,
    BuildName,
    Kind,
    build_names,
    kind_of_field,
    kind_of_value,
    trimmed,
)
from redeploy.service.endpoint import Service
from redeploy.text.json_path import pick, spelled
from redeploy.text.markup import attribute


def names_in(
    reply: Response,
    service: Service,
    *,
    for_version: bool,
    healthy: bool,
    redact: Callable[[str], str] = str,
) -> dict[str, BuildName]:
    """Return the build names in a response, by path; uncut, because a secret is only recognised as a whole.

    Args:
        reply: the service's response.
        service: where the service names its build.
        for_version: whether this response came from the version URL.
        healthy: whether the response counts as healthy: only such a page is identified by its files.
        redact: hides secrets, before an expression takes a part of the text.
    """
    field = service.version_field
    if field:
        text = trimmed(version_in(reply, field, redact) or "") if for_version else ""
        return {field: BuildName(text, kind_of_field(field, text), 0)} if text else {}
    document = reply.json
    if isinstance(document, dict):
        found = build_names(document, reply.headers)
        written = {path: pick(reply.json_as_written, path) for path, name in found.items() if name.fraction}
        return found | {path: replace(found[path], text=text) for path, text in written.items()}
    names = build_names(None, reply.headers)
    if reply.is_html:
        from redeploy.service.page import hashed_files  # few services are pages

        files = hashed_files(reply.body) if healthy else ""
        return names | ({"files": BuildName(files, Kind.FILES, 0)} if files else {})
    text = trimmed(document if isinstance(document, str) else reply.text)
    fits = 0 < len(text) <= LONGEST_NAME and text.isprintable() and not isinstance(document, list)
    if service.names_itself and for_version and fits and 200 <= reply.status < 300:
        names["body"] = BuildName(text, kind_of_value(text), 0)
    return names


def version_in(reply: Response, field: str, redact: Callable[[str], str] = str) -> str | None:
    """Return the declared field of a response, unchanged; None if the field is missing.

    `redact` hides secrets: an expression could show a part of one, which would not be recognised any more.
    """
    kind, colon, name = field.partition(":")
    if colon and kind == "match":
        return pattern.first_group(name, redact(reply.text))
    if colon and kind == "attr":
        return attribute(reply.body, name) if reply.json is None else None
    if is_template(field):
        return _filled(reply, field)
    return spelled(value_at(reply, field, as_written=True))


def is_template(field: str) -> bool:
    """Return whether a version field is a template of JSON fields in braces."""
    return not re.match("(header|meta|attr|match):", field) and _PLACE.search(field) is not None


def check_field(field: str) -> None:
    """Check that a text says where a version is.

    Raises:
        ValueError: with what is wrong; the message continues the sentence after the input's name.
    """
    kind, colon, name = field.partition(":")
    if colon and kind == "match":
        try:
            pattern.check(name)
        except ValueError as error:
            msg = f"`match:` {error}; write, for example, `match:build ([0-9a-f]{{7,40}})`"
            raise ValueError(msg) from None
    elif colon and kind == "attr":
        if not _ATTRIBUTE.fullmatch(name):
            msg = "does not name an attribute; write `attr:data-build`"
            raise ValueError(msg)
    elif is_template(field):
        for each in _PLACE.findall(field):
            _check_source(each)
    else:
        _check_source(field)


def _check_source(name: str) -> None:
    if name == "body":
        msg = (
            "is `body`, which is the whole response; write `match:REGEX` for a part of it, or `/body` for a JSON field"
        )
        raise ValueError(msg)
    try:
        check_source(name)
    except ValueError as error:
        msg = f"{error}; `attr:NAME`, `match:REGEX` and a template such as `{{major}}.{{minor}}` work too"
        raise ValueError(msg) from None


def _filled(reply: Response, template: str) -> str | None:
    """Return a template with the values of its JSON fields; None if one of them is missing."""
    values = {each: spelled(value_at(reply, each, as_written=True)) for each in _PLACE.findall(template)}
    if None in values.values():
        return None
    return _PLACE.sub(lambda place: values[place[1]] or "", template)


_PLACE = re.compile(r"\{([^{}]+)\}")
_ATTRIBUTE = re.compile(r"[^\s\"'<>/=\x00-\x1f]+")
