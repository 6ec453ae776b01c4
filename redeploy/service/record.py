"""Everything that one service has shown: its samples, and what they mean given all that is known now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from redeploy.service.doubt import Doubts, Settled
from redeploy.service.history import Rules, SampleHistory, was_live
from redeploy.service.identity import Before, Build, Learnt, Noise
from redeploy.service.sample import Sample
from redeploy.service.stock_pages import StockPages, as_down
from redeploy.service.window import Window


@dataclass
class SampleRecord:
    """The samples of one service. Times are monotonic seconds."""

    rules: Callable[[], Rules]
    """What decides the build of a sample, as known now."""
    fresh_window: Callable[[], Window]
    """A window that has not begun."""
    baseline: list[Sample] = field(default_factory=list)
    """Those before the trigger."""
    samples: list[Sample] = field(default_factory=list)
    """Those since the trigger or, in mode verify, all."""
    recalled: Sequence[Sample] = ()
    """What an earlier step saw, before another deployer was asked."""
    builds: list[tuple[Sample, Build]] = field(default_factory=list)
    """Those since the trigger, each with its build, given all that is known now."""
    noisy: frozenset[str] = frozenset()
    """Fields that were noise then."""
    doubts: Doubts = field(default_factory=Doubts)
    _stock_pages: StockPages = field(default_factory=StockPages)
    _before: Before | None = None
    _live_before: tuple[str, int, bool] = ("", 0, False)

    def __post_init__(self) -> None:
        self._noise = Noise(self.noisy)
        self.history = SampleHistory(window=self.fresh_window())

    def continue_from(self, earlier: "SampleRecord", last: Sequence[Sample]) -> None:
        """Begin where an earlier record of the same service ended; its `last` samples become those from before."""
        for sample in (*earlier.baseline, *earlier.samples):
            if not sample.condition.is_inconclusive:
                self._noise.learn(sample, before=sample in earlier.baseline)
        self.baseline = sorted((*self.baseline, *last), key=lambda sample: sample.at)
        self._before = None

    def as_down(self, sample: Sample) -> tuple[Sample, list[Sample]]:
        """Return a sample as it counts, and those before it that a row of stock pages shows to be part of a gap."""
        down = self._stock_pages.take(sample)
        return (as_down(sample) if down else sample), down

    def is_out_of_turn(self, sample: Sample, *, before: bool) -> bool:
        """Return whether a later look at the same address got its response earlier, and this one adds nothing to it.

        A late response still speaks against the window that was open when its look was sent.
        """
        earlier = self.baseline[-2:] if before else [*self.samples[-2:], *self.doubts.held]
        overtaken = any(each.sent > sample.sent for each in earlier if each.endpoints & sample.endpoints)
        return overtaken and not self.history.window.contradicted_by(sample, self.learnt.noise)

    def take_before(self, sample: Sample) -> None:
        """Enter a sample from before the trigger."""
        self.baseline.append(sample)
        if not sample.condition.is_inconclusive:
            self._noise.learn(sample, before=True)
        self._before = None

    def take(self, sample: Sample, down: Sequence[Sample] = (), *, past_caches: bool = False) -> Settled:
        """Enter a sample since the trigger, once nothing about it is in doubt; `down` is as `as_down` returns it."""
        settled = self.doubts.take(sample, past_caches=past_caches)
        for each in settled.samples:
            self._enter(each)
        if len(down) > 1:
            self.samples = [as_down(each) if each in down else each for each in self.samples]
            self.follow()
        return settled

    def _enter(self, sample: Sample) -> None:
        self.samples.append(sample)
        known = self._noise.learnt
        if not sample.condition.is_inconclusive:
            self._noise.learn(sample, before=False)
        if self._noise.learnt.units != known.units:
            self._before = None
        if self._noise.learnt == known:
            self._follow([sample])
        else:
            self.follow()

    def follow(self) -> None:
        """Judge all samples again, because the rules have changed."""
        self.history, self.builds = SampleHistory(window=self.fresh_window()), []
        self._follow(self.samples)

    def _follow(self, samples: Sequence[Sample]) -> None:
        rules = self.rules()
        for sample in samples:
            self.history = self.history.step(sample, rules)
            self.builds.append((sample, self.history.last_build))

    @property
    def learnt(self) -> Learnt:
        """What is known so far of the service's fields: which are noise, which uptimes tick."""
        return self._noise.learnt

    @property
    def before(self) -> Before:
        """What answered before the trigger."""
        if self._before is None:
            self._before = Before.of(self.before_the_trigger, self._noise.learnt.units)
        return self._before

    @property
    def before_the_trigger(self) -> list[Sample]:
        """All samples from before the trigger, those of an earlier step first."""
        return [*self.recalled, *self.baseline]

    def live_before(self, expected: str) -> bool:
        """Return whether every look before the trigger that names a build names the declared version.

        Each step of a watch asks, and the looks before the trigger are soon complete, so that the last result is kept.
        """
        if self._live_before[:2] != (expected, len(self.baseline)):
            self._live_before = expected, len(self.baseline), was_live(self.before_the_trigger, expected)
        return self._live_before[2]
