"""The notes of a version in CHANGELOG.md, which has the format of Keep a Changelog."""

import re

from tools.release.version import RefusedError, Version

_HEADING = re.compile(r"(?m)^## \[([^\]]+)\](?: - (\S+))?[ \t]*$")
_RELATIVE = re.compile(r"\]\((?!https?://|#)([^)\s]+)\)")
_LINKS = re.compile(r"(?m)^\[[^\]]+\]: \S+$")


def notes(text: str, version: Version) -> str:
    """Return the section of a version, in Markdown whose links lead to the files of that release.

    Raises:
        RefusedError: if the version has no section or several, or if its section lacks a date or text.
    """
    headings = list(_HEADING.finditer(text))
    found = [at for at, heading in enumerate(headings) if heading[1] == str(version)]
    if len(found) != 1:
        raise RefusedError(
            f"CHANGELOG.md has {len(found)} sections `## [{version}] - YYYY-MM-DD`. It needs one that says to a user what "
            "the release brings."
        )
    heading = headings[found[0]]
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", heading[2] or ""):
        raise RefusedError(f"The section {version} of CHANGELOG.md has no date: write `## [{version}] - YYYY-MM-DD`.")
    end = headings[found[0] + 1].start() if found[0] + 1 < len(headings) else len(text)
    text_of_version = _LINKS.sub("", text[heading.end() : end]).strip()
    if not re.search(r"(?m)^[^#\s]", text_of_version):
        raise RefusedError(f"The section {version} of CHANGELOG.md is empty. Say in it what the release brings a user.")
    return (
        _RELATIVE.sub(rf"](https://github.com/leok974/redeploy-action/blob/{version.tag}/\1)", text_of_version) + "\n"
    )


def unreleased(text: str) -> int:
    """Return the number of entries under `Unreleased`."""
    parts = re.split(r"(?m)^## ", text)
    return sum(len(re.findall(r"(?m)^- ", part)) for part in parts if part.startswith("[Unreleased]"))
