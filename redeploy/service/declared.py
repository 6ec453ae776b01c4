"""Whether a response names the declared version, and which of its fields says so."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from redeploy.service.build_fields import Kind, names_nothing, trimmed


@lru_cache(maxsize=256)  # the same few names are compared at each look
def same_version(expected: str, seen: str) -> bool:
    """Return whether two spellings name the same version: `v1.2` and `1.2`, `sha-1a2b3c4` and the full hash.

    A version is compared as text: 1.10 is not 1.1.
    """
    one, other = _bare(expected), _bare(seen)
    if one == other:
        return bool(one)
    short, long = sorted((one.lower(), other.lower()), key=len)
    return (
        len(short) >= 7 and len(long) in (40, 64) and bool(re.fullmatch("[0-9a-f]+", long)) and long.startswith(short)
    )


def _bare(version: str) -> str:
    return re.sub(r"^(?:sha-|v(?=\d))", "", trimmed(version))


@dataclass(frozen=True)
class Rank:
    """Where a build name was found, and its kind."""

    kind: Kind
    at_health: bool = False
    """Whether it comes from the health address although the version has its own address."""
    depth: int = 0


class Standing(StrEnum):
    """How the names in a response relate to the declared version."""

    MET = "met"
    UNMET = "unmet"
    CONTRADICTORY = "contradictory"
    """Fields of equal rank differ, and only some are the declared version."""
    UNNAMED = "unnamed"


@dataclass(frozen=True)
class Declared:
    """How a response relates to the declared version, and the fields that decide."""

    standing: Standing
    paths: tuple[str, ...] = ()


def declared(expected: str, names: Mapping[str, str], ranks: Mapping[str, Rank]) -> Declared:
    """Compare the declared version with the names in a response; only those of the first rank decide.

    Rank is the kind that the declared version looks like, then the address, then the depth.
    """
    candidates = [path for path in names if ranks[path].kind is not Kind.FILES]
    if not names_nothing(expected):
        candidates = [path for path in candidates if not names_nothing(names[path])]
    if not candidates:
        return Declared(Standing.UNNAMED)
    found = [_judged(expected, look, candidates, names, ranks) for look in _looks(expected)]
    return next((each for each in found if each.standing is Standing.MET), found[0])


def _judged(
    expected: str, look: "_Look", candidates: Sequence[str], names: Mapping[str, str], ranks: Mapping[str, Rank]
) -> Declared:
    def order(path: str) -> tuple[bool, int, bool, int]:
        rank = ranks[path]
        return look not in _looks(names[path]), _KINDS[look].index(rank.kind), rank.at_health, rank.depth

    best = min(map(order, candidates))
    first = tuple(path for path in candidates if order(path) == best)
    met = {same_version(expected, names[path]) for path in first}
    if met == {True}:
        return Declared(Standing.MET, first)
    return Declared(Standing.UNMET if met == {False} else Standing.CONTRADICTORY, first)


class _Look(StrEnum):
    COMMIT = "a commit"
    NUMBER = "a number"
    VERSION = "a version"


_KINDS = {
    _Look.COMMIT: (Kind.COMMIT, Kind.BUILD, Kind.VERSION),
    _Look.NUMBER: (Kind.VERSION, Kind.BUILD, Kind.COMMIT),
    _Look.VERSION: (Kind.VERSION, Kind.BUILD, Kind.COMMIT),
}


@lru_cache(maxsize=256)  # as `same_version`
def _looks(text: str) -> tuple[_Look, ...]:
    """Return the kinds that a version may be: 20260115 may be a commit or a number."""
    bare = _bare(text).lower()
    number = (_Look.NUMBER,) if bare.isdecimal() and len(bare) < 40 else ()
    if re.fullmatch(r"[0-9a-f]{7,64}", bare):
        return (_Look.COMMIT, *number)
    return number or (_Look.VERSION,)
