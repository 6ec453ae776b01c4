"""The stability window: a pure fold over samples that says whether one build stayed healthy for long enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from redeploy.service.endpoint import Endpoint
from redeploy.service.identity import Build
from redeploy.service.sample import Sample

FEWEST = 3
"""Healthy samples that a window needs of each address, however short it is."""

LONGEST = 30.0
"""Seconds up to which a window doubles."""

MOST_CRASHES = 5
"""Windows of the new build broken by an error, an unhealthy response or a restart that end the run."""

BLIND = 1.0
"""Seconds between a response and the next look in which a crash could hide; also of one look, which shows but a moment."""

WATCHED_MOST = 5.0
"""Seconds without such a pause that a window needs after a crash, however long it is."""

PASSED_OVER = 5.0
"""Seconds between two good responses within which a 429 does not interrupt the window."""

JUST_BEFORE = 2.0
"""Seconds before a window opens within which a look at the version address counts as its first."""

_CHANCE = 0.01
"""The probability with which a stale instance may stay unseen."""


def looks_for(instances: int) -> int:
    """Return the looks that show a single stale instance of this many with 99 %, if each look reaches a random one."""
    looks = FEWEST
    while instances > 1 and (1 - 1 / instances) ** looks > _CHANCE:
        looks += 1
    return looks


@dataclass(frozen=True, kw_only=True)
class Window:
    """The current window, and what happened to those before it. Times are monotonic seconds."""

    length: float
    """How long it must span if none broke before; `span_needed` is how long it must span now."""
    watched_needed: float = 0.0
    """Seconds without a blind pause that it must hold once one has crashed or was interrupted; 0 if the rate is too
    low for it."""
    apart: bool = False
    """Whether the version has its own address, which is then requested besides health."""
    looks_needed: int = FEWEST
    """Looks in a row that it needs at the address that names the build."""
    opened: float | None = None
    latest: float = 0.0
    """When its last look at health was sent."""
    answered: float = 0.0
    """When the response to that one was complete."""
    watched: float = 0.0
    """Seconds of it since the last blind pause."""
    samples: int = 0
    """Good looks at health."""
    closed: float = float("-inf")
    """When the last good look at health was sent that got past caches."""
    versions: int = 0
    """Good looks at the version address, if it has its own."""
    version_at: float = float("-inf")
    """When the last of them was sent."""
    version_cached: float | None = None
    """When the last look at the version address was sent that got a cached response."""
    build: Build = Build.UNKNOWN
    names: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)
    broken: int = 0
    """Windows of the new build that broke, for any reason."""
    crashed: int = 0
    """Those that broke by an error, an unhealthy response or a restart."""
    broke_at: float | None = None
    """When the last of them broke."""
    interrupted: bool = False
    """Whether a response came that may hide a gap: a cached one, or a proxy's page that a rate limit sends, too."""
    limited: bool = False
    """Whether a 429 came since the last good look."""
    fresh: bool = False
    """Whether it belongs to the new build."""
    candidate: bool = False
    """Whether a good response waits for the look that opens the window."""
    candidate_at: float = float("-inf")
    """When the last such response came."""
    begun: float | None = None
    """When the first response of this window's build came, even before the window opened."""

    @property
    def span_needed(self) -> float:
        """Seconds that the window must span: doubled with each broken window from the second on, up to `LONGEST`."""
        return max(self.length, min(LONGEST, self.length * 2.0 ** max(0, self.broken - 1)))

    def holds(self, *, since: float | None = None, length: float | None = None) -> bool:
        """Return whether it has held, counted from `since` if that is later than its first sample."""
        if self.opened is None or self.samples < FEWEST:
            return False
        start = self.opened if since is None else max(since, self.opened)
        ends = start + (self.span_needed if length is None else max(length, self.span_needed))
        return self.latest >= ends and self.closed >= ends and not self.blind and self._named_until(ends)

    def _named_until(self, ends: float) -> bool:
        """Return whether the address that names the build was looked at often enough, the last time after `ends`."""
        if not self.apart:
            return self.samples >= self.looks_needed
        enough = self.versions >= self.looks_needed
        if self.version_cached is not None and self.looks_needed == FEWEST:
            enough = self.versions > 0  # a cache shows the build only now and then
        return enough and self.version_asked >= ends

    @property
    def version_asked(self) -> float:
        """When the version address was last looked at, cached responses included; minus infinity if it was not."""
        return self.version_at if self.version_cached is None else max(self.version_at, self.version_cached)

    @property
    def looks_missing(self) -> int:
        """Looks that it still needs at the address that names the build."""
        return max(0, self.looks_needed - (self.versions if self.apart else self.samples))

    @property
    def blind(self) -> bool:
        """Whether a crash loop is suspected and the looks were too few to rule it out."""
        return (self.crashed > 0 or self.interrupted) and self.watched < self.watched_needed

    @property
    def opens_at_once(self) -> bool:
        """Whether the look that opens it follows the first response at once: not the old build's, nor a crash loop's.

        Nor where the version has an address of its own, at which a build that comes and goes names itself all the time.
        """
        return not self.apart and self.build is not Build.OLD and not self.crashed

    @property
    def flapping(self) -> bool:
        """Whether so many windows broke that waiting for another is pointless."""
        return self.crashed >= MOST_CRASHES

    def contradicted_by(self, sample: Sample, noise: frozenset[str]) -> bool:
        """Return whether a look that was sent since it opened failed, or met another build."""
        if self.opened is None or sample.sent < self.opened:
            return False
        return not sample.healthy or self._is_other(_names(sample, noise))

    def _is_other(self, names: Mapping[str, str]) -> bool:
        return any(self.names.get(path, name) != name for path, name in names.items())

    def take(self, sample: Sample, build: Build, noise: frozenset[str], *, fresh: bool) -> "Window":
        """Return the window after one more sample.

        Args:
            sample: what was seen; an inconclusive one does not break the window, but may restart it.
            build: the build of the sample.
            noise: fields that are not part of an identity.
            fresh: whether a window that begins with this sample belongs to the new build.
        """
        if sample.condition.is_inconclusive:
            return self._interrupt(sample)
        health_only = Endpoint.VERSION not in sample.endpoints
        if not sample.healthy:
            waiting = self.opened is None and health_only and not sample.gone
            return self if waiting else self._break(sample.at, crash=True)
        if self.limited and sample.at - self.answered > PASSED_OVER:
            return self._empty().take(sample, build, noise, fresh=fresh)
        names = _names(sample, noise)
        starts = {path: start.reported for path, start in sample.starts.items() if path not in noise}
        other = _conflict(self.build, build) or self._is_other(names)
        moved = any(
            abs(self.starts.get(path, start) - start) > sample.starts[path].slack for path, start in starts.items()
        )
        if self.opened is not None:
            if other or moved:
                return self._break(sample.at, crash=moved and not other).take(sample, build, noise, fresh=fresh)
            return _extended(self, sample, build, names, starts)
        opens = sample.beyond_caches and Endpoint.HEALTH in sample.endpoints
        if self.apart and health_only:
            if not self.candidate or other or moved:
                return self._empty()
            return _opened(self, sample, build, names, starts) if opens else self
        begun = self.begun if self.candidate and not other and not moved else sample.at
        window = replace(
            self._empty(),
            candidate=True,
            candidate_at=sample.at,
            begun=begun,
            build=build,
            names=names,
            starts=starts,
            fresh=fresh,
        )
        return _opened(window, sample, build, names, starts) if opens else window

    def _interrupt(self, sample: Sample) -> "Window":
        """Return the window after an inconclusive response: what was watched before it does not count."""
        if sample.is_rate_limit:
            return replace(self, limited=self.opened is not None)
        if sample.endpoints == {Endpoint.VERSION} and not sample.is_stock_page:
            return replace(self, version_cached=sample.sent) if self.opened is not None else self
        return replace(self._empty(), interrupted=True)

    def _empty(self) -> "Window":
        """Return a window that has not opened."""
        return replace(
            self,
            opened=None,
            begun=None,
            samples=0,
            watched=0.0,
            closed=float("-inf"),
            versions=0,
            version_at=float("-inf"),
            version_cached=None,
            limited=False,
            candidate=False,
            build=Build.UNKNOWN,
            names={},
            starts={},
            fresh=False,
        )

    def _break(self, at: float, *, crash: bool) -> "Window":
        """Return the window after a break; it counts if the new build had responded, whether or not a window was open."""
        counts = self.fresh and (self.opened is not None or self.candidate)
        return replace(
            self._empty(),
            broken=self.broken + counts,
            crashed=self.crashed + (counts and crash),
            broke_at=at if counts else self.broke_at,
        )


def _opened(
    window: Window, sample: Sample, build: Build, names: Mapping[str, str], starts: Mapping[str, float]
) -> Window:
    """Open a window with a look that got past caches."""
    first = window.apart and window.looks_needed == FEWEST and sample.sent - window.candidate_at <= JUST_BEFORE
    opened = replace(window, opened=sample.at, latest=sample.sent, answered=sample.at, versions=int(first))
    return _extended(opened, sample, build, names, starts)


def _extended(
    window: Window, sample: Sample, build: Build, names: Mapping[str, str], starts: Mapping[str, float]
) -> Window:
    """Add a good look to a window that is open."""
    longer = replace(
        window,
        build=window.build if build is Build.UNKNOWN else build,
        names={**window.names, **names},
        starts={**starts, **window.starts},
    )
    if Endpoint.HEALTH in sample.endpoints:
        seamless = max(sample.sent - window.answered, window.answered - window.latest) <= BLIND
        longer = replace(
            longer,
            latest=sample.sent,
            answered=sample.at,
            watched=window.watched + sample.sent - window.latest if seamless else 0.0,
            samples=window.samples + 1,
            closed=sample.sent if sample.beyond_caches else window.closed,
            limited=False,
        )
    if window.apart and Endpoint.VERSION in sample.endpoints:
        longer = replace(longer, versions=window.versions + 1, version_at=sample.sent)
    return longer


def _names(sample: Sample, noise: frozenset[str]) -> dict[str, str]:
    return {path: name for path, name in sample.names.items() if path not in noise}


def _conflict(one: Build, other: Build) -> bool:
    return Build.UNKNOWN not in (one, other) and one is not other
