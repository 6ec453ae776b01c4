"""The stability window: a pure fold over samples that says whether one build stayed healthy for long enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from redeploy.service.identity import Build
from redeploy.service.sample import Endpoint, Sample

FEWEST = 3
"""Healthy samples that a window needs, however short it is."""

LONGEST = 30.0
"""Seconds up to which a window doubles."""

MOST_CRASHES = 5
"""Windows of the new build that may be broken by an error, an unhealthy answer or a restart; this many end the run."""


BLIND = 1.0
"""Seconds between an answer and the next look in which a crash could hide."""

WATCHED_MOST = 5.0
"""Seconds without such a pause that a window needs once one has crashed, however long it is."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The window as it stands, and what became of those before it. Times are monotonic seconds."""

    length: float
    """How long it must span if none broke before; `span_needed` tells how long it must now."""
    watched_needed: float = 0.0
    """Seconds without a blind pause that it must hold once a window has crashed; 0 where the rate does not allow it."""
    apart: bool = False
    """Whether the version has an address of its own: then health opens the window, and closes it."""
    opened: float | None = None
    latest: float = 0.0
    """When the last of its samples was asked for."""
    answered: float = 0.0
    """When the answer to that one was complete."""
    watched: float = 0.0
    """Seconds of it without a blind pause."""
    samples: int = 0
    """Those that can name the build: with an address apart, looks at health may have gone to another one all the time."""
    build: Build = Build.UNKNOWN
    names: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)
    healthy_at: float | None = None
    """When health was last asked for and found, in this window."""
    broken: int = 0
    """Windows of the new build that broke, whatever broke them."""
    crashed: int = 0
    """Those that an error, an unhealthy answer or a restart broke."""
    broke_at: float | None = None
    """When the last of them broke."""
    fresh: bool = False
    """Whether it is the new build's."""
    candidate: bool = False
    """With an address apart, whether a good version answer waits for health to open a window."""
    begun: float | None = None
    """When the first answer of it came: with an address apart, the version's, for which health opens it."""

    @property
    def span_needed(self) -> float:
        """Seconds that the window must span: from the second broken one on twice as long each time, up to `LONGEST`."""
        return max(self.length, min(LONGEST, self.length * 2.0 ** max(0, self.broken - 1)))

    def holds(self, *, since: float | None = None, length: float | None = None) -> bool:
        """Tell whether it has held, counted from `since` where that is later than its first sample."""
        if self.opened is None or self.samples < FEWEST:
            return False
        start = self.opened if since is None else max(since, self.opened)
        ends = start + (self.span_needed if length is None else max(length, self.span_needed))
        return (
            self.latest >= ends
            and not self.blind
            and (not self.apart or (self.healthy_at is not None and self.healthy_at >= ends))
        )

    @property
    def blind(self) -> bool:
        """Whether a window has crashed and this one was looked at too thinly to tell a crash loop from a stable build."""
        return self.crashed > 0 and self.watched < self.watched_needed

    @property
    def flapping(self) -> bool:
        """Whether so many windows broke that waiting for another is pointless."""
        return self.crashed >= MOST_CRASHES

    def take(self, sample: Sample, build: Build, noise: frozenset[str], *, fresh: bool) -> "Window":
        """Return the window after one more sample.

        Args:
            sample: what was seen; one that tells nothing changes nothing.
            build: whose answer it is.
            noise: fields that are no part of an identity.
            fresh: whether the answer counts as the new build's, should a window begin with it.
        """
        if sample.condition.tells_nothing:
            return self
        health_only = Endpoint.VERSION not in sample.endpoints
        if not sample.healthy:
            waiting = self.opened is None and health_only and not sample.transport_error
            return self if waiting else self._break(sample.at, crash=True)
        names = {path: name for path, name in sample.names.items() if path not in noise}
        starts = {path: start.told for path, start in sample.starts.items() if path not in noise}
        other = _conflict(self.build, build) or any(self.names.get(path, name) != name for path, name in names.items())
        moved = any(
            abs(self.starts.get(path, told) - told) > sample.starts[path].slack for path, told in starts.items()
        )
        if self.opened is not None:
            if other or moved:
                return self._break(sample.at, crash=moved and not other).take(sample, build, noise, fresh=fresh)
            return self._extend(sample, build, names, starts)
        if self.apart and not health_only:
            same = self.candidate and not other and not moved
            begun_at = self.begun if same else sample.at
            return replace(self, candidate=True, begun=begun_at, build=build, names=names, starts=starts, fresh=fresh)
        if not self.apart:
            return replace(self._open(sample), begun=sample.at, fresh=fresh).take(sample, build, noise, fresh=fresh)
        if not self.candidate or other or moved:
            return replace(self, candidate=False, begun=None, build=Build.UNKNOWN, names={}, starts={})
        return self._open(sample).take(sample, build, noise, fresh=fresh)

    def _open(self, sample: Sample) -> "Window":
        return replace(self, opened=sample.at, latest=sample.sent, answered=sample.at)

    def _extend(self, sample: Sample, build: Build, names: Mapping[str, str], starts: Mapping[str, float]) -> "Window":
        pause = sample.sent - self.answered
        return replace(
            self,
            latest=sample.sent,
            answered=sample.at,
            watched=self.watched + (sample.sent - self.latest if pause <= BLIND else 0.0),
            samples=self.samples + (Endpoint.VERSION in sample.endpoints),
            build=self.build if build is Build.UNKNOWN else build,
            names={**self.names, **names},
            starts={**starts, **self.starts},
            healthy_at=sample.sent if Endpoint.HEALTH in sample.endpoints else self.healthy_at,
        )

    def _break(self, at: float, *, crash: bool) -> "Window":
        counts = self.opened is not None and self.fresh
        return replace(
            self,
            opened=None,
            begun=None,
            samples=0,
            watched=0.0,
            candidate=False,
            build=Build.UNKNOWN,
            names={},
            starts={},
            healthy_at=None,
            fresh=False,
            broken=self.broken + counts,
            crashed=self.crashed + (counts and crash),
            broke_at=at if counts else self.broke_at,
        )


def _conflict(one: Build, other: Build) -> bool:
    return Build.UNKNOWN not in (one, other) and one is not other
