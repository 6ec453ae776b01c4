"""Which fields of a response name the build, and how strongly. Fields that are not listed here are noise."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from redeploy.text.json_path import below, spelled


class Kind(IntEnum):
    """Kinds of build names, the strongest first: the strongest kind that was seen on both sides decides alone."""

    COMMIT = 1
    BUILD = 2
    VERSION = 3
    FILES = 4
    """The content-hashed files that a page loads; see `redeploy.service.page`."""


def words(text: str) -> frozenset[str]:
    """Return the words of a list."""
    return frozenset(text.split())


COMMITS = words(
    """
    commit commithash commitid commitsha commitshort commitshortsha gitcommit gitcommithash gitcommitid gitcommitsha
    gitcommitshort lastcommit sourcecommit buildcommit buildgitcommit sha githash gitsha githubsha gitshortsha
    imagesha shortsha sourcesha buildhash buildsha buildgitsha backendbuildsha releasesha rev revision apprevision
    buildrevision gitrev gitrevision imagerevision sourcerevision vcsref vcsrevision
    """
)
"""Fields that name a commit, in lower case without `-`, `_` and `.`."""

BUILDS = frozenset(["build", "backendbuild", "buildid", "buildno", "buildnumber"])
"""Fields that number a build."""

VERSIONS = words(
    """
    version appversion applicationversion backendversion buildversion imageversion releaseversion serverversion
    serviceversion softwareversion release apprelease releaseid releasenumber
    """
)
"""Fields that name a version or a release."""

BUILD_NAMES: Mapping[str, Kind] = {
    **dict.fromkeys(COMMITS, Kind.COMMIT),
    **dict.fromkeys(BUILDS, Kind.BUILD),
    **dict.fromkeys(VERSIONS, Kind.VERSION),
}

INSIDE = frozenset(["id", "number", "sha", "hash", "version", "short", "full"])
"""Fields that name a build inside an object that has a name of the lists above, or `git`: `commit.id`, `build.number`."""

OWN = words(
    """
    build git commit version app application info meta metadata service server backend release deployment image about
    data result
    """
)
"""Objects that describe the service itself. Inside any other, and in arrays, a version is a dependency's or a job's."""

FOREIGN = words(
    """
    api schema db database protocol client node python java go runtime config min max latest next new available remote
    upstream target previous
    """
)
"""Words that a prefixed name (`litellm_version`) must not contain: it would name something other than this build."""

PLACEHOLDERS = words(
    """
    unknown undefined unset none null nil nan n/a na - tbd todo placeholder unspecified unversioned untagged snapshot
    dev devel (devel) develop development local localhost test testing staging prod production default debug main
    no-git nogit no-commit not-set not-available unavailable replace-me replace_me change-me changeme
    master trunk head latest edge nightly canary stable rolling beta alpha 0 0.0 0.0.0 0.0.0-dev
    0.0.0-development 0.0.0-placeholder 0.0.0-snapshot 0.0.0-local 0.0.0-semantically-released 0.0.0+unknown
    0+unknown ok up healthy true false
    """
)
"""Words, in lower case, that do not name a build: every build without its build argument says the same."""

MOST_NAMES = 64
MOST_FIELDS = 2_000
"""Fields of one response that are read; a response with more does not describe the service, but carries data."""
LONGEST_FIELD = 64
LONGEST_NAME = 256

IN_HEADERS = 1_000
"""The depth of a header: the body is nearer to the service than a header, which a proxy may add."""

_SEPARATORS = str.maketrans("", "", "-_.")
# Compiled when first needed, which is after the first request.
_WORDS = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+"
_VARIABLE = r"\$\{.*|\$\(.*|\$[A-Za-z_]\w*|\{\{.*|%\w+%|@[\w.-]+@|#\{.*|__\w+__|<[\w .-]+>"


@dataclass(frozen=True)
class BuildName:
    """A build name: the value of a field, and its kind."""

    text: str
    kind: Kind
    depth: int
    """How deeply it is nested in objects."""
    fraction: bool = False
    """Whether it was a number with a fraction, whose digits may differ from those in the response."""


def plain(name: str) -> str:
    """Return a field's name in the spelling of the lists."""
    return name.translate(_SEPARATORS).lower()


def names_nothing(text: str) -> bool:
    """Return whether a value names no build: a word such as `unknown` or `latest`, or a variable that was not expanded."""
    if len(text) > LONGEST_NAME:
        return False
    word = text.lower().replace(" ", "-")
    empty = set(word) <= set("v0.") and "0" in word  # git's null commit, and 0.0 of every length
    return empty or word in PLACEHOLDERS or bool(re.fullmatch(_VARIABLE, text, re.DOTALL))


def trimmed(text: str) -> str:
    """Return a value without white space and byte order marks around it."""
    return text.strip().strip("\ufeff").strip()


def kind_of_value(text: str) -> Kind:
    """Return the kind of a value without a listed name: 7 or more hexadecimal digits are a commit, all else is a version."""
    bare = text.lower().removeprefix("sha-")
    certain = bare != text.lower() or len(bare) in (40, 64) or not bare.isdecimal()  # 20260115 is a date
    return Kind.COMMIT if re.fullmatch("[0-9a-f]{7,64}", bare) and certain else Kind.VERSION


def kind_of_field(field: str, text: str) -> Kind:
    """Return the kind of the declared field: by its name if that is listed, else by its value."""
    last = plain(re.split(r"[./:]", field)[-1])
    return BUILD_NAMES.get(last) or BUILD_NAMES.get(last.removeprefix("x")) or kind_of_value(text)


def build_names(document: Any, headers: Mapping[str, str]) -> dict[str, BuildName]:  # noqa: ANN401 - a JSON value
    """Return what names the build in a response: by the path of its field, or by `header:NAME`.

    Values are trimmed, whole, and may be words that name nothing. The time for this is bounded.
    """
    found: dict[str, BuildName] = {}
    for path, name in _in_document(document):
        if len(found) >= MOST_NAMES:
            break
        found[path] = name
    for header, value in headers.items():
        kind = BUILD_NAMES.get(plain(header.lower().removeprefix("x-")))
        if kind is not None and (text := trimmed(value)) and len(found) < MOST_NAMES:
            found[f"header:{header.lower()}"] = BuildName(text, kind, IN_HEADERS)
    return found


@dataclass(frozen=True)
class OwnObject:
    """An object of a document that describes the service, with the fields in it."""

    path: str
    depth: int
    holder: Kind | None
    """The kind of `id`, `number` and the like inside it; None if they do not count."""
    within: frozenset[str]
    """The plain names of the objects around it."""
    fields: tuple[tuple[str, str, Any], ...]
    """Name as it is written, plain name, and value."""


def own_objects(document: Any, more: frozenset[str] = frozenset()) -> Iterator[OwnObject]:  # noqa: ANN401 - a JSON value
    """Yield the objects of a document in which names count, the outermost first.

    Args:
        document: the JSON of the response.
        more: names of objects that count as `OWN` does.
    """
    waiting: list[tuple[str, dict[str, Any], Kind | None, frozenset[str], int]] = []
    if isinstance(document, dict):
        waiting.append(("", document, None, frozenset(), 0))
    left = MOST_FIELDS
    for path, value, holder, within, depth in waiting:  # grows while it is walked: breadth first
        fields = []
        for key, each in itertools.islice(value.items(), left):
            left -= 1
            if len(key) > LONGEST_FIELD:
                continue
            name = plain(key)
            fields.append((key, name, each))
            if isinstance(each, dict) and (name in OWN or name in more or (holder is not None and name in INSIDE)):
                kind = Kind.COMMIT if name == "git" else BUILD_NAMES.get(name, holder if name in INSIDE else None)
                waiting.append((below(path, key), each, kind, within | {name}, depth + 1))
        yield OwnObject(path, depth, holder, within, tuple(fields))


def _in_document(document: Any) -> Iterator[tuple[str, BuildName]]:  # noqa: ANN401 - a JSON value
    for each in own_objects(document):
        listed: dict[str, BuildName] = {}
        prefixed: dict[str, BuildName] = {}
        for key, name, value in each.fields:
            text = None if isinstance(value, bool) else spelled(value)
            if text is None or not (text := trimmed(text)):
                continue
            path = below(each.path, key)
            if (kind := _listed(name, each.holder)) is not None:
                listed[path] = BuildName(text, kind, each.depth, isinstance(value, float))
            elif len(prefixed) < MOST_NAMES and (kind := _prefixed(key, name)) is not None:
                prefixed[path] = BuildName(text, kind, each.depth, isinstance(value, float))
        kinds = {name.kind for name in listed.values() if not names_nothing(name.text)}
        yield from listed.items()
        yield from ((path, name) for path, name in prefixed.items() if name.kind not in kinds)


def _listed(name: str, holder: Kind | None) -> Kind | None:
    if holder is not None and name == "hash":
        return Kind.COMMIT
    return BUILD_NAMES.get(name) or (holder if name in INSIDE else None)


_ENDINGS = tuple(BUILD_NAMES)
_FOREIGN = "|".join(sorted(FOREIGN))


def _prefixed(key: str, name: str) -> Kind | None:
    """Return the kind of a name such as `litellm_version`; the prefix must be words of its own, as in `con_version`."""
    if not name.endswith(_ENDINGS) or re.search(_FOREIGN, name):
        return None
    words = [word.lower() for word in re.findall(_WORDS, key)]
    return next(
        (kind for first in range(1, len(words)) if (kind := BUILD_NAMES.get("".join(words[first:]))) is not None), None
    )
