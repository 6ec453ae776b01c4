"""The build names in a response: those of the declared field, or all that are listed."""

from redeploy.http.response import Reply
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


def names_in(reply: Reply, service: Service, *, for_version: bool, healthy: bool) -> dict[str, BuildName]:
    """Return what names the build in a reply, by path; whole, as a secret is known by all its letters.

    Args:
        reply: what the service answered.
        service: where it names its build.
        for_version: whether this was the address that names the version.
        healthy: whether the reply counts as a healthy one: only such a page is known by its files.
    """
    field = service.version_field
    if field:
        text = trimmed(version_in(reply, field) or "") if for_version else ""
        return {field: BuildName(text, kind_of_field(field, text), 0)} if text else {}
    document = reply.json
    if isinstance(document, dict):
        found = build_names(document, reply.headers)
        exact = not any(name.fraction for name in found.values())
        return found if exact else build_names(reply.json_as_written, reply.headers)
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


def version_in(reply: Reply, field: str) -> str | None:
    """Return what the declared field of a reply says, as it is written; None where there is nothing of that name."""
    if field.startswith("header:"):
        return reply.headers.get(field.removeprefix("header:").lower())
    return spelled(pick(reply.json_as_written, field))
