"""The samples since the trigger, folded into one state; folded again whenever a field turns out to be noise."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from redeploy.http.condition import Condition
from redeploy.service.declared import Standing, declared
from redeploy.service.endpoint import Endpoint
from redeploy.service.identity import NOTHING_SEEN, Before, Build, Counting, Learnt, Likeness, build_of, likeness
from redeploy.service.sample import Sample
from redeploy.service.window import Window, looks_for

WALL_SAMPLES, WALL_SECONDS = 3, 5.0
"""Samples, and seconds that they span, after which a wall is certain: waiting does not help."""

LOOKS_AFTER_TURNS = 20
"""Looks in a row that a window needs once another build has responded after the new one: several instances respond."""

MORE_EACH_TURN, MOST_AFTER_TURNS = 4, 36
"""Looks that each further alternation adds: with many windows of 20 looks, a stale instance of four could stay unseen."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the fold needs besides the samples."""

    before: Before
    learnt: Learnt
    expected: str
    """The declared version."""
    triggered: float
    """When the trigger was sent, by our clock, in seconds since 1970."""
    counting: Counting
    live_before: bool
    """Whether the declared build was live before: then only a gap distinguishes the new process from the old one."""
    verifying: bool
    """Whether there was no look before: then every window belongs to the build that is judged."""
    instances: int = 1
    """How many instances are declared behind the address."""


@dataclass(frozen=True, kw_only=True)
class SampleHistory:
    """The state after some samples. Times are monotonic seconds."""

    window: Window
    like: Likeness = NOTHING_SEEN
    """How the last conclusive response compares with the baseline."""
    build: Build = Build.UNKNOWN
    """The build of the last conclusive response."""
    last_build: Build = Build.UNKNOWN
    """The build of the last response, conclusive or not."""
    new_seen: bool = False
    """Whether the new build has responded, healthy or not."""
    in_gap: bool = False
    gap_seen: bool = False
    gap_ended: float | None = None
    """When the first good response after the last gap came."""
    health: Sample | None = None
    """The last sample of the health address."""
    version: Sample | None = None
    """The last sample of the version address."""
    version_cached: bool = False
    """Whether the last response of the version address came from a cache."""
    turns: int = 0
    """How often another build responded after the new one."""
    hidden_by: Condition | None = None
    """The condition of the last inconclusive response."""
    mute: Condition | None = None
    """The condition of the last response, if that was inconclusive."""
    wall: Condition | None = None
    wall_since: float = 0.0
    wall_latest: float = 0.0
    wall_samples: int = 0
    page_samples: int = 0
    """How many of those were web pages, which are a wall in mode verify only."""

    @property
    def last(self) -> Sample | None:
        """The last conclusive sample."""
        return max((each for each in (self.health, self.version) if each), key=lambda each: each.at, default=None)

    @property
    def failing(self) -> Sample | None:
        """The last sample of an address with an unexpected response; None if all is well or nothing is known."""
        sick = [each for each in (self.health, self.version) if each and not each.healthy]
        return max(sick, key=lambda each: each.at, default=None)

    @property
    def healthy(self) -> bool:
        """Whether the last responses were good."""
        return self.last is not None and self.failing is None

    @property
    def condition(self) -> Condition | None:
        """The worse of the last responses of both addresses; None if there was never a response."""
        hidden = self.window.interrupted and self.window.opened is None and self.build in (Build.NEW, Build.UNKNOWN)
        if self.failing is None and self.last is not None and hidden and self.hidden_by is not None:
            return self.hidden_by  # without an inconclusive response, the build was not seen for long enough
        return self.failing.condition if self.failing else Condition.HEALTHY if self.last else self.mute

    def _other_than(self, sample: Sample) -> Sample | None:
        """Return the last sample of the address that `sample` is not of."""
        if Endpoint.VERSION not in sample.endpoints:
            return self.version
        return self.health if Endpoint.HEALTH not in sample.endpoints else None

    def walled(self, *, pages: bool) -> Condition | None:
        """Return the wall that is certainly in front of the service; web pages count if `pages` is set."""
        enough = self.wall_samples >= WALL_SAMPLES and self.wall_latest - self.wall_since >= WALL_SECONDS
        return self.wall if enough and (pages or not self.page_samples) else None

    def step(self, sample: Sample, rules: Rules) -> "SampleHistory":
        """Return the state after one more sample."""
        if sample.condition.is_inconclusive:
            window = self.window.take(sample, Build.UNKNOWN, rules.learnt.noise, fresh=False)
            cached = sample.condition is Condition.CACHED and Endpoint.VERSION in sample.endpoints
            return replace(
                self,
                window=window,
                mute=sample.condition,
                hidden_by=sample.condition,
                version_cached=self.version_cached or cached,
                last_build=Build.UNKNOWN,
            )
        sample = sample.timed(rules.learnt.units)
        whole = sample.beside(self._other_than(sample))
        like = likeness(whole, rules.before, rules.learnt, rules.triggered)
        build = build_of(whole, like, rules.expected, rules.counting)
        named = build is Build.NEW and not rules.live_before
        presumed = self.gap_seen and (rules.live_before or not rules.expected) and not like.running_on
        fresh = rules.verifying or named or presumed
        wall, page = sample.condition.is_wall, sample.condition is Condition.HTML
        known = build is not Build.UNKNOWN
        turns = self.turns + (self.build is Build.NEW and sample.healthy and build in (Build.OLD, Build.OTHER))
        window = replace(self.window, looks_needed=_looks_needed(rules.instances, turns))
        return replace(
            self,
            window=window.take(sample, build, rules.learnt.noise, fresh=fresh),
            turns=turns,
            like=like if like.visible or not self.like.visible else self.like,
            build=build if known else self.build,
            last_build=build,
            new_seen=self.new_seen or build is Build.NEW,
            in_gap=not sample.healthy,
            gap_seen=self.gap_seen or not sample.healthy,
            gap_ended=sample.at if self.in_gap and sample.healthy else self.gap_ended,
            health=sample if Endpoint.HEALTH in sample.endpoints else self.health,
            version=sample if Endpoint.VERSION in sample.endpoints else self.version,
            version_cached=self.version_cached and Endpoint.VERSION not in sample.endpoints,
            mute=None,
            wall=sample.condition if wall or page else None,
            wall_since=(self.wall_since if self.wall else sample.at) if wall or page else 0.0,
            wall_latest=sample.at,
            wall_samples=self.wall_samples + 1 if wall or page else 0,
            page_samples=self.page_samples + page if wall or page else 0,
        )


def _looks_needed(instances: int, turns: int) -> int:
    """Return the looks that a window needs at the address that names the build."""
    if not turns:
        return looks_for(instances)
    return max(looks_for(instances), min(MOST_AFTER_TURNS, LOOKS_AFTER_TURNS + MORE_EACH_TURN * (turns - 1)))


def was_live(baseline: Iterable[Sample], expected: str) -> bool:
    """Return whether every look before the trigger that names a build names the declared version."""
    standings, health = set[Standing](), None
    for sample in sorted(baseline, key=lambda each: each.at):
        if Endpoint.HEALTH in sample.endpoints:
            health = sample
        if sample.names_itself and sample.healthy:
            whole = sample.beside(health if health is not sample else None)
            standings.add(declared(expected, whole.names, whole.ranks).standing)
    return standings - {Standing.UNNAMED} == {Standing.MET}
