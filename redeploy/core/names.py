"""Which fields of an answer tell builds, and processes, apart. Whatever is not listed here is noise."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from redeploy.core.fields import spelled

BUILD_NAMES = frozenset(
    [
        "version",
        "appversion",
        "applicationversion",
        "backendversion",
        "buildversion",
        "imageversion",
        "releaseversion",
        "serverversion",
        "serviceversion",
        "softwareversion",
        "build",
        "buildcommit",
        "buildhash",
        "buildid",
        "buildnumber",
        "buildno",
        "buildrevision",
        "buildsha",
        "backendbuild",
        "backendbuildsha",
        "commit",
        "commithash",
        "commitid",
        "commitsha",
        "commitshort",
        "commitshortsha",
        "gitcommit",
        "gitcommithash",
        "gitcommitid",
        "gitcommitsha",
        "gitcommitshort",
        "lastcommit",
        "sourcecommit",
        "sha",
        "githash",
        "gitsha",
        "githubsha",
        "gitshortsha",
        "imagesha",
        "shortsha",
        "sourcesha",
        "revision",
        "apprevision",
        "gitrev",
        "gitrevision",
        "imagerevision",
        "rev",
        "sourcerevision",
        "vcsref",
        "vcsrevision",
        "release",
        "apprelease",
        "releaseid",
        "releasenumber",
        "releasesha",
    ]
)
"""Fields that name a build, in lower case without `-`, `_` and `.`, at any depth and as headers (with or without `X-`)."""

INSIDE = frozenset(["id", "number", "sha", "hash", "version", "short", "full"])
"""Fields that name a build inside an object of the list above, such as `commit.id` or `build.number`."""

START_TIMES = frozenset(
    [
        "start",
        "starttime",
        "startedat",
        "started",
        "startuptime",
        "startup",
        "processstarttime",
        "processstartedat",
        "serverstarttime",
        "boottime",
        "bootedat",
        "launchedat",
        "runningsince",
        "upsince",
    ]
)
"""Fields that hold the moment at which the process started: seconds or milliseconds since 1970, or ISO 8601."""

UPTIMES: Mapping[str, float] = {
    "uptime": 1.0,
    "uptimes": 1.0,
    "uptimesec": 1.0,
    "uptimesecs": 1.0,
    "uptimeseconds": 1.0,
    "uptimeinseconds": 1.0,
    "processuptime": 1.0,
    "processuptimeseconds": 1.0,
    "serveruptime": 1.0,
    "uptimems": 0.001,
    "uptimemillis": 0.001,
    "uptimemilliseconds": 0.001,
}
"""Fields that hold how long the process has run, with the seconds that one unit is."""

MOST_NAMES = 64
LONGEST_NAME = 256


def plain(name: str) -> str:
    """Return a field's name as the lists spell it."""
    return re.sub("[-_.]", "", name).lower()


def build_names(document: Any, headers: Mapping[str, str]) -> dict[str, str]:  # noqa: ANN401 - a JSON value
    """Return what names the build in an answer: the path of each field, or `header:NAME`, and its value."""
    found = {}
    for path, family, value in _leaves(document):
        text = spelled(value)
        if _names_build(family) and text is not None and not isinstance(value, bool) and text.strip():
            found[path] = text.strip()[:LONGEST_NAME]
    for name, value in headers.items():
        if plain(name.lower().removeprefix("x-")) in BUILD_NAMES and value.strip():
            found[f"header:{name.lower()}"] = value.strip()[:LONGEST_NAME]
    return dict(list(found.items())[:MOST_NAMES])


def process_times(document: Any) -> tuple[dict[str, float], dict[str, float]]:  # noqa: ANN401 - a JSON value
    """Return the start times (seconds since 1970) and the uptimes (seconds) that an answer tells, by path."""
    starts, uptimes = {}, {}
    for path, family, value in _leaves(document):
        if family[-1] in START_TIMES and (moment := moment_of(value)) is not None:
            starts[path] = moment
        elif family[-1] in UPTIMES and (number := _number(value)) is not None and number >= 0:
            uptimes[path] = number * UPTIMES[family[-1]]
    return starts, uptimes


def moment_of(value: Any) -> float | None:  # noqa: ANN401 - a JSON value
    """Return the seconds since 1970 that a value names, or None where it names no moment since 2001."""
    number = _number(value)
    if number is not None:
        number = number / 1000 if number >= 1e12 else number
        return number if 1e9 <= number < 1e11 else None
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _leaves(document: Any) -> Iterator[tuple[str, tuple[str, ...], Any]]:  # noqa: ANN401 - a JSON value
    """Yield path, plain names of the fields on the way, and value of every leaf of a JSON object or array."""
    waiting: list[tuple[str, tuple[str, ...], Any]] = [("", (), document)]
    while waiting:
        path, family, value = waiting.pop()
        if isinstance(value, dict):
            inner = [
                (f"{path}.{key}" if path else str(key), (*family, plain(str(key))), each) for key, each in value.items()
            ]
            waiting.extend(reversed(inner))
        elif isinstance(value, list):
            within = f"{path}." if path else ""
            waiting.extend((f"{within}{index}", family, each) for index, each in reversed(list(enumerate(value))))
        elif family:
            yield path, family, value


def _names_build(family: tuple[str, ...]) -> bool:
    """Tell whether the last field is listed, or stands inside a listed one (`git.commit.id.full` too)."""
    for name in reversed(family):
        if name in BUILD_NAMES:
            return True
        if name not in INSIDE:
            return False
    return False


def _number(value: Any) -> float | None:  # noqa: ANN401 - a JSON value
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", value):
        return float(value)
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )
