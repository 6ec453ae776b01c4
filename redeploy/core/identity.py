"""Which build answered: what changed, what stayed the same, and what is noise."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from redeploy.core.sample import CLOCK_TOLERANCE, Endpoint, Sample

MOVED = 1.5
"""Seconds by which a start time must differ from one of the baseline to be another."""

NOISY_VALUES = 4
"""A build name that has shown this many values names no build; fewer, in turn, are builds."""

_HEX = re.compile(r"[0-9a-f]+")


class Build(StrEnum):
    """Whose answer a sample is."""

    NEW = "new"
    """What was declared; or, where nothing was, one that differs from all that answered before the trigger."""
    OLD = "old"
    """One that answered before the trigger."""
    OTHER = "other"
    """Neither the declared one nor one from before."""
    UNNAMED = "unnamed"
    """A version is declared, and the answer names none."""
    UNKNOWN = "unknown"
    """Nothing in the answer tells builds apart."""


def same_version(expected: str, seen: str) -> bool:
    """Tell whether two spellings name one version: `v1.2` and `1.2`, `sha-1a2b3c4` and the full hash."""
    one, other = _bare(expected), _bare(seen)
    if one == other:
        return bool(one)
    short, long = sorted((one.lower(), other.lower()), key=len)
    return len(short) >= 7 and len(long) in (40, 64) and bool(_HEX.fullmatch(long)) and long.startswith(short)


def _bare(version: str) -> str:
    return re.sub(r"^(?:sha-|v(?=\d))", "", version.strip())


def version_of(sample: Sample, expected: str, before: Mapping[str, frozenset[str]]) -> str:
    """Return the version that a sample names: the expected one, else a name that changed, else the most exact name."""
    if expected:
        for name in sample.names.values():
            if same_version(expected, name):
                return name
    exactness = ("sha", "commit", "rev", "hash", "build", "release")

    def rank(path: str) -> tuple[bool, int]:
        changed = path in before and sample.names[path] not in before[path]
        last = path.lower()
        return (not changed, next((place for place, word in enumerate(exactness) if word in last), len(exactness)))

    return sample.names[min(sample.names, key=rank)] if sample.names else ""


@dataclass(frozen=True)
class Before:
    """What answered before the trigger."""

    names: Mapping[str, frozenset[str]]
    starts: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> "Before":
        """Gather what the baseline's samples showed."""
        names: dict[str, set[str]] = defaultdict(set)
        starts: dict[str, list[float]] = defaultdict(list)
        for sample in samples:
            for path, name in sample.names.items():
                names[path].add(name)
            for path, start in sample.starts.items():
                starts[path].append(start.told)
        return cls(
            {path: frozenset(seen) for path, seen in names.items()},
            {path: tuple(seen) for path, seen in starts.items()},
        )


class Noise:
    """Learns which fields tell nothing, from every sample of the run in order."""

    def __init__(self) -> None:
        self._values: dict[str, set[str]] = defaultdict(set)
        self._latest_start: dict[str, float] = {}
        self._seen: set[str] = set()
        self._ticked_always: set[str] = set()
        self._noisy: set[str] = set()

    @property
    def paths(self) -> frozenset[str]:
        """The fields that are noise, as far as is known by now: clocks too, until one sample shows that they stand."""
        return frozenset(self._noisy | self._ticked_always)

    def learn(self, sample: Sample, *, before: bool) -> None:
        """Take in one more sample; `before` the trigger a field that differs is noise at once."""
        for path, name in sample.names.items():
            self._values[path].add(name)
            if len(self._values[path]) >= (2 if before else NOISY_VALUES):
                self._noisy.add(path)
        for path, start in sample.starts.items():
            latest = self._latest_start.get(path, start.told)
            moved = start.told - latest
            if moved < -start.slack or (before and moved > start.slack):
                self._noisy.add(path)
            self._latest_start[path] = latest if abs(moved) <= start.slack else start.told
        for path in {*sample.names, *sample.starts}:
            if path not in sample.ticking:
                self._ticked_always.discard(path)
            elif path not in self._seen:
                self._ticked_always.add(path)
            self._seen.add(path)


@dataclass(frozen=True)
class Likeness:
    """How a sample compares with what answered before the trigger."""

    changed: tuple[str, ...] = ()
    """Build names that differ from every value seen before."""
    same: tuple[str, ...] = ()
    """Build names that were seen before with this value."""
    restarted: tuple[str, ...] = ()
    """Start times that lie after the trigger and differ from every one seen before."""
    running_on: tuple[str, ...] = ()
    """Start times that were seen before."""

    @property
    def visible(self) -> bool:
        """Whether anything tells builds or processes apart."""
        return bool(self.changed or self.same or self.restarted or self.running_on)


NOTHING_SEEN = Likeness()


def likeness(sample: Sample, before: Before, noise: frozenset[str], triggered: float) -> Likeness:
    """Compare a sample with the baseline; `triggered` is our clock, seconds since 1970, when the trigger was sent.

    Only what was seen on both sides is compared, and nothing that is noise.
    """
    changed: list[str] = []
    same: list[str] = []
    restarted: list[str] = []
    running_on: list[str] = []
    for path, name in sample.names.items():
        if path in before.names and path not in noise:
            (same if name in before.names[path] else changed).append(path)
    for path, start in sample.starts.items():
        if path in before.starts and path not in noise:
            if any(abs(start.told - earlier) <= MOVED for earlier in before.starts[path]):
                running_on.append(path)
            elif start.ours >= triggered - CLOCK_TOLERANCE:
                restarted.append(path)
    return Likeness(tuple(changed), tuple(same), tuple(restarted), tuple(running_on))


def build_of(sample: Sample, like: Likeness, before: Before, expected: str, *, processes_count: bool) -> Build:
    """Tell whose answer a sample is.

    Args:
        sample: what answered.
        like: how it compares with the baseline.
        before: the baseline.
        expected: the declared version; empty where none is declared.
        processes_count: whether a new process counts as a change: not after Watchtower said that it replaced nothing.
    """
    if not expected:
        if like.changed or (like.restarted and processes_count):
            return Build.NEW
        return Build.OLD if like.visible else Build.UNKNOWN
    if Endpoint.VERSION not in sample.endpoints:
        return Build.UNKNOWN
    if any(same_version(expected, name) for name in sample.names.values()):
        return Build.NEW
    if not sample.names:
        return Build.UNNAMED if sample.healthy else Build.UNKNOWN
    known = {name for names in before.names.values() for name in names}
    return Build.OLD if known & set(sample.names.values()) and not like.changed else Build.OTHER
