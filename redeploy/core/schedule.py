"""What to ask next, and when: sections 6 and 7 of the interface, over the state of a run."""

from collections.abc import Callable
from dataclasses import dataclass, field

from redeploy.core.asking import ALONE_FOR, BOTH, Ask, AskContainers, AskWhetherForked, Probe, SendTrigger
from redeploy.core.identity import Build
from redeploy.core.pace import Phase, interval, kept_back
from redeploy.core.patience import finished, wakes_at
from redeploy.core.reasons import Reason
from redeploy.core.sample import Endpoint
from redeploy.core.watch import UNNAMED_WINDOW, Watch

BASELINE_SECONDS = 3.0
"""How long the looks before the trigger may take in all."""

SECOND_LOOK = 0.3
"""Seconds from the first answer of the baseline to the second look."""

LOOK_SECONDS = 5.0
"""Seconds between looks at the containers endpoint, but for the ones that something calls for."""

_NEVER = float("inf")


@dataclass(frozen=True)
class Step:
    """What to do now: start the asks, then wait for an answer, or until `wake`."""

    asks: tuple[Ask, ...]
    wake: float
    finished: bool = False


@dataclass
class Schedule:
    """Decides the next step of a watch. Times are monotonic seconds."""

    watch: Watch
    random: Callable[[], float]
    _phase: Phase = Phase.UNHURRIED
    _phase_began: float | None = None
    _gap_served: float | None = None
    _jitter: float = 0.5
    _looks_sent: list[float] = field(default_factory=list)

    def step(self, now: float, wall: float) -> Step:
        """Return what to do at `now`; `wall` is our clock, in seconds since 1970."""
        if self.watch.triggered is None and not self.watch.verifying:
            return self._before(now, wall)
        known = self.watch.situation(now)
        if finished(known):
            return Step((), now, finished=True)
        asks: list[Ask] = []
        wake = wakes_at(known)
        resend = self.watch.resend_at
        if resend is not None and not known.answer_final:
            if now >= resend:
                self.watch.trigger(now, wall)
                asks.append(self._sent(SendTrigger(), now))
            else:
                wake = min(wake, resend)
        for due, ask in ((self._look_due(now), AskContainers()), (self._probe_due(now, known.answer_final), None)):
            if due <= now:
                asks.append(self._sent(ask or self._next_probe(), now))
            else:
                wake = min(wake, due)
        return Step(tuple(asks), now if asks else wake)

    def _before(self, now: float, wall: float) -> Step:
        """Take the baseline: all addresses side by side, each twice, and then the trigger."""
        watch, asks = self.watch, list[Ask]()
        if watch.not_started is not None:
            return Step((), now, finished=True)
        if self._phase_began is None:
            self._phase_began = now
            asks += [watch.books.probe(endpoints, url) for endpoints, url in self._addresses()]
            asks += [AskContainers()] if watch.plan.watchtower.containers_url else []
            asks += [AskWhetherForked()] if watch.plan.watchtower.containers else []
            return Step(tuple(self._sent(ask, now) for ask in asks), now)
        over = now >= self._phase_began + BASELINE_SECONDS
        wake = self._phase_began + BASELINE_SECONDS
        for endpoints, url in self._addresses():
            looks = [each for each in watch.baseline if each.endpoints == endpoints]
            if len(looks) == 1 and not over:
                due = looks[0].at + SECOND_LOOK
                if now < due:
                    wake = min(wake, due)
                elif not any(sent >= looks[0].at for sent in watch.books.under_way(Probe)):
                    asks.append(self._sent(watch.books.probe(endpoints, url), now))
        waiting = any(watch.books.under_way(kind) for kind in (Probe, AskContainers)) or wake < self._phase_began + BASELINE_SECONDS
        unsure = watch.plan.watchtower.containers and watch.forked is None
        if asks or (waiting and not over):
            return Step(tuple(asks), now if asks else wake)
        if unsure:
            return Step((), _NEVER)
        watch.trigger(now, wall)
        self._phase_began = now
        return Step((self._sent(SendTrigger(), now),), now)

    def _addresses(self) -> list[tuple[frozenset[Endpoint], str]]:
        service = self.watch.plan.service
        if not self.watch.apart:
            return [(BOTH, service.health_url)]
        return [(frozenset({Endpoint.HEALTH}), service.health_url), (frozenset({Endpoint.VERSION}), service.version_url)]

    def _sent(self, ask: Ask, now: float) -> Ask:
        self.watch.books.note_sent(ask, now)
        if isinstance(ask, Probe):
            self._jitter = self.random()
        if isinstance(ask, AskContainers):
            self._looks_sent.append(now)
            self._gap_served = self.watch.track.gap_ended if self._gap_served is None else self._gap_served
        return ask

    def _next_probe(self) -> Probe:
        """Choose the address: with a version address of its own, health is asked where a window opens and closes."""
        watch, window = self.watch, self.watch.track.window
        endpoints, url = self._addresses()[-1]
        if watch.apart:
            stale = not watch.verifying and watch.plan.expect_version and window.build is Build.OLD
            opening = window.candidate and window.opened is None and not stale
            closing = (
                window.opened is not None
                and window.latest >= window.opened + self._window_length()
                and (window.healthy_at is None or window.healthy_at < window.opened + self._window_length())
            )
            if opening or closing:
                endpoints, url = self._addresses()[0]
        return watch.books.probe(endpoints, url)

    def _window_length(self) -> float:
        """Seconds from the first sample of the window under way to its end, as far as can be told."""
        watch, window = self.watch, self.watch.track.window
        length, opened = window.span_needed, window.opened or 0.0
        since = watch.counts_from if watch.wanted_under_way else watch.answered
        if not watch.wanted_under_way and not watch.plan.declared and not watch._claims():
            length = max(length, UNNAMED_WINDOW)
        return length + max(0.0, (since or 0.0) - opened)

    def _probe_due(self, now: float, answered: bool) -> float:
        """Return when the next look at the service may go out."""
        watch, under_way = self.watch, self.watch.books.under_way(Probe)
        phase = self._current_phase(now, answered)
        if under_way:
            alone = phase is Phase.WINDOW or len(under_way) > 1
            if alone or now < under_way[0] + ALONE_FOR:
                return _NEVER if alone else under_way[0] + ALONE_FOR
        url = self._addresses()[-1][1]
        sent = [each.sent for each in watch.samples[-2:]] + under_way
        if not sent:
            return now if watch.verifying else (watch.triggered or now) + interval(phase, 0.0, watch.plan.stable_for, self._jitter)
        latest, last = max(sent), watch.track.last
        pause = interval(phase, now - (self._phase_began or now), self._window_length(), self._jitter)
        if last is not None and last.transport_error:
            pause = min(pause, 1.0)
        ready = watch.books.ready(url, now)
        if phase is Phase.QUICK and watch.plan.rate:
            keep = kept_back(watch.plan.rate, watch.plan.stable_for)
            ready = min(watch.books.ready(url, now, keep), max(ready, latest + watch.books.cost(url) / watch.plan.rate.per_second))
        return max(latest + pause, ready)

    def _current_phase(self, now: float, answered: bool) -> Phase:
        watch, track = self.watch, self.watch.track
        window = track.window
        judged = watch.wanted_under_way or (window.opened is not None and not watch.plan.declared and (answered or track.gap_seen))
        judged = judged or (watch.verifying and window.opened is not None)
        if judged and window.latest < (window.opened or 0.0) + self._window_length():
            phase = Phase.WINDOW
        elif judged and not (watch.plan.expect_digest and watch.needs_closing_look):
            phase = Phase.WINDOW if answered or watch.verifying else Phase.UNHURRIED
        else:
            phase = Phase.QUICK if answered or track.gap_seen or watch.verifying else Phase.UNHURRIED
        if phase is not self._phase:
            self._phase, self._phase_began = phase, now
        return phase

    def _look_due(self, now: float) -> float:
        """Return when the containers endpoint may be asked again."""
        watch, track = self.watch, self.watch.track
        if watch.books.under_way(AskContainers):
            return _NEVER
        if watch.verifying and watch.plan.watchtower.containers_url and not self._looks_sent:
            return now
        if not watch.digest_matters:
            return _NEVER
        last = self._looks_sent[-1] if self._looks_sent else -_NEVER
        if watch.answered is not None and last < watch.answered and watch.resend_at is None:
            return now
        if track.gap_ended is not None and self._gap_served is None:
            return now
        if watch.needs_closing_look:
            failed = bool(watch.looks) and watch.looks[-1].sent > (track.window.opened or now) + track.window.span_needed
            return last + LOOK_SECONDS if failed else now
        waiting = watch.digest_wanted_since is None and (watch.answered is not None or track.gap_seen or watch.verifying)
        return last + LOOK_SECONDS if waiting else _NEVER
