"""Which build responded: what changed, what stayed the same, and what is noise."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from redeploy.service.build_fields import Kind, names_nothing
from redeploy.service.declared import Standing, declared, same_version
from redeploy.service.endpoint import Endpoint
from redeploy.service.process import Start, Uptimes
from redeploy.service.sample import CLOCK_TOLERANCE, Sample

MOVED = 2.0
"""Seconds by which two start times must differ to belong to two processes."""

NOISY_VALUES = 4
"""A field with this many values does not name a build; fewer values that alternate are builds."""

RESTLESS_MOVES = 2
"""A start time that moved this often, without a gap or another build name in between, does not prove a change."""


class Build(StrEnum):
    """Which build a sample belongs to."""

    NEW = "new"
    """The declared build; or, if none is declared, one that differs from all that responded before the trigger."""
    OLD = "old"
    """One that responded before the trigger."""
    OTHER = "other"
    """Neither the declared build nor one from before."""
    UNNAMED = "unnamed"
    """A version is declared, but the response names none, or names that contradict each other."""
    UNKNOWN = "unknown"
    """Nothing in the response distinguishes builds."""


def version_of(sample: Sample, expected: str, before: Mapping[str, frozenset[str]]) -> str:
    """Return the version that a sample names: the declared one, else a name that changed, else the strongest name."""
    names = {path: name for path, name in sample.names.items() if sample.ranks[path].kind is not Kind.FILES}
    if not names:
        return ""
    if expected and (found := declared(expected, names, sample.ranks)).paths:
        paths = found.paths
        return next((names[path] for path in paths if same_version(expected, names[path])), names[paths[0]])

    def order(path: str) -> tuple[bool, bool, Kind, bool, int]:
        rank, changed = sample.ranks[path], path in before and names[path] not in before[path]
        return names_nothing(names[path]), not changed, rank.kind, rank.at_health, rank.depth

    return names[min(names, key=order)]


def last_named(samples: Sequence[Sample]) -> Sample | None:
    """Return the last look that names a build: the version address with what health said then, else health alone."""
    for place in reversed(range(len(samples))):
        if samples[place].names and samples[place].names_itself:
            health = next((each for each in reversed(samples[:place]) if not each.names_itself), None)
            return samples[place].beside(health)
    return next((each for each in reversed(samples) if each.names), None)


@dataclass(frozen=True)
class Before:
    """What responded before the trigger."""

    names: Mapping[str, frozenset[str]]
    starts: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(cls, samples: Iterable[Sample], units: Mapping[str, float] = MappingProxyType({})) -> "Before":
        """Collect what the samples of the baseline showed; `units` are those of the uptimes that tick."""
        names: dict[str, set[str]] = defaultdict(set)
        starts: dict[str, list[float]] = defaultdict(list)
        for sample in samples:
            for path, name in sample.names.items():
                if not names_nothing(name):
                    names[path].add(name)
            for path, start in sample.timed(units).starts.items():
                starts[path].append(start.reported)
        return cls(
            {path: frozenset(seen) for path, seen in names.items()},
            {path: tuple(seen) for path, seen in starts.items()},
        )


class Noise:
    """Learns which fields are noise, from every sample of the run in order."""

    def __init__(self, noisy: Iterable[str] = ()) -> None:
        """Begin with fields that are known to be `noisy`."""
        self._values: dict[str, set[str]] = defaultdict(set)
        self._latest_name: dict[str, str] = {}
        self._first_start: dict[str, tuple[float, float]] = {}
        self._latest_start: dict[str, float] = {}
        self._moves: dict[str, int] = defaultdict(int)
        self._seen: set[str] = set()
        self._ticked_always: set[str] = set()
        self._clocks: set[str] = set()
        self._stood: set[str] = set()
        self._noisy = set(noisy)
        self._restless: set[str] = set()
        self._uptimes = Uptimes()

    @property
    def learnt(self) -> "Learnt":
        """What is known of the fields so far."""
        return Learnt(
            noise=frozenset(self._noisy | self._ticked_always | self._clocks | self._uptimes.stood),
            restless=frozenset(self._restless),
            units=dict(self._uptimes.units),
        )

    def learn(self, sample: Sample, *, before: bool) -> None:
        """Take in one more sample; `before` the trigger a field that differs is noise at once."""
        if not sample.healthy:
            self._moves.clear()
            self._uptimes.interrupt()
        for path, name in sample.names.items():
            self._values[path].add(name)
            if len(self._values[path]) >= (2 if before else NOISY_VALUES):
                self._noisy.add(path)
            if self._latest_name.setdefault(path, name) != name and path not in self._noisy:
                self._moves.clear()  # another build may have other processes
            self._latest_name[path] = name
        self._uptimes.learn(sample.uptimes, sample.at)
        timed = sample.timed(self._uptimes.units)
        for path, start in timed.starts.items():
            latest = self._latest_start.get(path, start.reported)
            moved = start.reported - latest
            if moved < -start.slack or (before and moved > start.slack):
                self._noisy.add(path)
            if moved > MOVED:
                self._moves[path] += 1
                if self._moves[path] >= RESTLESS_MOVES:
                    self._restless.add(path)
            self._latest_start[path] = latest if abs(moved) <= start.slack else start.reported
        for path, start in sample.starts.items():
            self._learn_clock(path, start.reported, sample.wall)
        for path in {*sample.names, *sample.starts}:
            if path not in sample.ticking:
                self._ticked_always.discard(path)
            elif path not in self._seen:
                self._ticked_always.add(path)
            self._seen.add(path)

    def _learn_clock(self, path: str, start: float, wall: float) -> None:
        """Learn whether a start time advances with our clock, at any distance from it: in another time zone, for example."""
        first_start, first_wall = self._first_start.setdefault(path, (start, wall))
        passed = wall - first_wall
        if abs(start - first_start - passed) > CLOCK_TOLERANCE:
            self._stood.add(path)
        if path in self._stood:
            self._clocks.discard(path)
        elif passed >= CLOCK_TOLERANCE and start > first_start:
            self._clocks.add(path)


@dataclass(frozen=True)
class Learnt:
    """What a run has learned about the fields that it sees."""

    noise: frozenset[str] = frozenset()
    """Fields that distinguish nothing; clocks, too, until one sample shows that they stand still."""
    restless: frozenset[str] = frozenset()
    """Start times that moved repeatedly while nothing else happened: restarts, not changes."""
    units: Mapping[str, float] = field(default_factory=dict)
    """What one unit is, in seconds, of each uptime that ticks."""


@dataclass(frozen=True)
class Likeness:
    """How the service's responses compare with those before the trigger."""

    changed: tuple[str, ...] = ()
    """Build names of the strongest kind seen on both sides that differ from every value seen before."""
    same: tuple[str, ...] = ()
    """Build names of any kind that were seen before with this value."""
    restarted: tuple[str, ...] = ()
    """Start times that lie after the trigger and differ from every one seen before."""
    running_on: tuple[str, ...] = ()
    """Start times that were seen before."""
    outweighed: tuple[str, ...] = ()
    """Build names that differ but are weaker than others that were seen before: they do not count."""
    kind: Kind | None = None
    """The strongest kind that was seen on both sides."""
    pinned: bool = False
    """Whether a commit or build number stayed the same: then a new process runs the same build."""

    @property
    def visible(self) -> bool:
        """Whether anything distinguishes builds or processes."""
        return bool(self.changed or self.same or self.restarted or self.running_on)


NOTHING_SEEN = Likeness()


def likeness(sample: Sample, before: Before, learnt: Learnt, triggered: float) -> Likeness:
    """Compare a sample with the baseline; `triggered` is our clock, seconds since 1970, when the trigger was sent.

    Only what was seen on both sides, at the same address, is compared, and nothing that is noise.
    """
    changed: list[str] = []
    same: list[str] = []
    restarted: list[str] = []
    running_on: list[str] = []
    for path, name in sample.names.items():
        if path in before.names and path not in learnt.noise and not names_nothing(name):
            (same if name in before.names[path] else changed).append(path)
    for path, start in sample.starts.items():
        if path in before.starts and path not in learnt.noise:
            if any(abs(start.reported - earlier) <= MOVED for earlier in before.starts[path]):
                running_on.append(path)
            elif path not in learnt.restless and _is_later(start, before.starts[path], triggered):
                restarted.append(path)
    kinds = {path: sample.ranks[path].kind for path in (*changed, *same)}
    strongest = min(kinds.values(), default=None)
    return Likeness(
        changed=tuple(path for path in changed if kinds[path] is strongest),
        same=tuple(same),
        restarted=tuple(restarted),
        running_on=tuple(running_on),
        outweighed=tuple(path for path in changed if kinds[path] is not strongest),
        kind=strongest,
        pinned=any(kinds[path] <= Kind.BUILD for path in same),
    )


def _is_later(start: Start, before: tuple[float, ...], triggered: float) -> bool:
    """Return whether a process was started after the trigger; without a time zone, whether it is later than all before."""
    return start.ours >= triggered - CLOCK_TOLERANCE if start.zoned else start.reported > max(before)


@dataclass(frozen=True)
class Counting:
    """What counts as a change, given Watchtower's response."""

    processes: bool = True
    """Whether a new process does: not after Watchtower reported that it replaced nothing or failed."""
    only_commits: bool = False
    """Whether only commits do, of all build names: Watchtower reported `nothing`, or the container kept its image."""


def build_of(sample: Sample, like: Likeness, expected: str, counting: Counting) -> Build:
    """Return the build of a sample; `like` is how it compares with the baseline, `expected` the declared version."""
    if not expected:
        renamed = bool(like.changed) and (like.kind is Kind.COMMIT or not counting.only_commits)
        if renamed or (like.restarted and counting.processes and not like.pinned):
            return Build.NEW
        return Build.OLD if like.visible else Build.UNKNOWN
    if Endpoint.VERSION not in sample.endpoints:
        return Build.UNKNOWN
    standing = declared(expected, sample.names, sample.ranks).standing
    if standing is Standing.MET:
        return Build.NEW
    if standing is Standing.UNNAMED:
        return Build.UNNAMED if sample.healthy else Build.UNKNOWN
    if like.same and not like.changed:
        return Build.OLD
    return Build.OTHER if standing is Standing.UNMET else Build.UNNAMED
