"""What to send next, and when: sections 6 and 7 of the interface, over the state of a run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from redeploy.decision.stop import next_check_at, should_stop
from redeploy.http.urls import origin_of
from redeploy.rollout.assess import Assessment
from redeploy.rollout.baseline import Baseline
from redeploy.rollout.pace import SAVING, Phase, interval, kept_back
from redeploy.rollout.requests import (
    ALONE_FOR,
    Ask,
    AskContainers,
    AskDocument,
    AskForReasons,
    AskSmoke,
    Probe,
    SendTrigger,
    Step,
)
from redeploy.rollout.service_state import Watch
from redeploy.service.beside import version_due
from redeploy.triggers.trigger import Result

LOOK_SECONDS = 5.0
"""Seconds between looks at the containers endpoint, but for the ones that something calls for."""

MOST_AFTER_BREAK = 1.0
"""Seconds to the next look after a failed connection broke a window, where the bucket allows."""

MOST_AT_ONCE = 8
"""Smoke requests that are under way side by side."""

LEAST_WINDOW = 0.1
"""Seconds that a window counts for at least where a part of it is reckoned."""

_NEVER = float("inf")


@dataclass
class Schedule:
    """Decides the next step of a watch. Times are monotonic seconds."""

    watch: Watch
    random: Callable[[], float]
    _phase: Phase = Phase.UNHURRIED
    _phase_began: float | None = None
    _looked_after_gap: bool = False
    _jitter: float = 0.5
    _judged: bool = False
    """Whether the window under way is one that the verdict may be about."""
    _asked_for_reasons: bool = False
    _unsafe_due: bool = False
    """Whether what may change something on the server may go out now."""

    def step(self, now: float, wall: float) -> Step:
        """Return what to do at `now`; `wall` is our clock, in seconds since 1970."""
        if self.watch.triggered is None and not self.watch.verifying:
            return self._baseline.step(now) or Step((self._sent(self._trigger(now, wall), now),), now)
        if self.watch.verifying and (step := self._baseline.look_up(now)):
            return step
        if self.watch.verifying and self.watch.books.last_sent(Probe) < self.watch.began:
            return Step((self._sent(self.watch.books.probe(*self.watch.addresses[-1]), now),), now)
        weighed = Assessment(self.watch)
        known = weighed.facts(now)
        if should_stop(known):
            return Step((), now, finished=True)
        self._unsafe_due = self.watch.checking.only_unsafe_left and weighed.lacks_only_checks(now)
        asks: list[Ask] = []
        wake = next_check_at(known)
        for due, make in (
            (self._resend_due(weighed), lambda: self._trigger(now, wall)),
            (self._look_due(weighed, now), AskContainers),
            (self._reasons_due(weighed, now), self._ask_for_reasons),
        ):
            if due <= now:
                asks.append(self._sent(make(), now))
            else:
                wake = min(wake, due)
        self._current_phase(weighed, now)
        beside, window = [self._look, self._version_look], self.watch.track.window
        if window.version_asked < window.latest:  # the bucket may have a token for one of them only
            beside.reverse()
        for look in (self._look_again, *beside):
            probe, due = look(weighed, now)
            if due <= now:
                asks.append(self._sent(probe, now))
            else:
                wake = min(wake, due)
        asks += [self._sent(ask, now) for ask, due in self._baseline.errands() if due <= now]
        for ask, wanted in self._checks(weighed):
            due = max(wanted, self._spare(weighed, ask.url, now))
            if due <= now:
                asks.append(self._sent(ask, now))
            else:
                wake = min(wake, due)
        return Step(tuple(asks), now if asks else wake)

    @cached_property
    def _baseline(self) -> Baseline:
        return Baseline(self.watch)

    def _trigger(self, now: float, wall: float) -> SendTrigger:
        self.watch.trigger(now, wall)
        return SendTrigger()

    def _resend_due(self, weighed: Assessment) -> float:
        """Return when the trigger goes out again: not while what is expected is live."""
        again = self.watch.resend_at
        return _NEVER if again is None or weighed.answer_final else again

    def _sent(self, ask: Ask, now: float) -> Ask:
        self.watch.books.note_sent(ask, now)
        if isinstance(ask, Probe):
            self._jitter = self.random()
        if isinstance(ask, AskContainers) and self.watch.track.gap_ended is not None:
            self._looked_after_gap = True
        return ask

    def _look_again(self, weighed: Assessment, now: float) -> tuple[Probe, float]:
        """Return the look that settles a doubt, and when it is due: at once."""
        watch, books = self.watch, self.watch.books
        for endpoints, url in watch.addresses:
            past_caches = watch.doubts.next_look(endpoints)
            if past_caches is not None and not books.looking(endpoints):
                return books.probe(endpoints, url, fresh=True) if past_caches else Probe(endpoints, url), books.ready(
                    url, now
                )
        return self._next_probe(weighed, now), _NEVER

    def _look(self, weighed: Assessment, now: float) -> tuple[Probe, float]:
        """Return the next look at the service, and when it is due: at health, where the version is asked beside it."""
        return self._next_probe(weighed, now), self._probe_due(weighed, now)

    def _version_look(self, weighed: Assessment, now: float) -> tuple[Probe, float]:
        """Return the look at the version beside the looks at health, and when it is due: first, in the middle, last."""
        watch, window = self.watch, self.watch.track.window
        endpoints, url = watch.addresses[-1]
        probe = watch.books.probe(endpoints, url, fresh=now >= weighed.window_ends)
        if not self._side_by_side or watch.books.looking(endpoints) or watch.doubts.next_look(endpoints) is not None:
            return probe, _NEVER
        pause = interval(Phase.WINDOW, 0.0, 0.0, watch.plan.stable_for, self._jitter)
        due = version_due(window, now=now, ends=weighed.window_ends, length=weighed.window_length, pause=pause)
        return probe, max(due, watch.books.ready(url, now))

    @property
    def _side_by_side(self) -> bool:
        """Whether health is watched, and the version beside it: a window is open that the verdict may be about."""
        return self.watch.apart and self._judged and self.watch.track.window.opened is not None

    def _next_probe(self, weighed: Assessment, now: float) -> Probe:
        """Choose the address, and whether the look must pass caches: those that open a window and close it must."""
        watch, window = self.watch, self.watch.track.window
        endpoints, url = watch.addresses[-1]
        opening = weighed.may_open
        astray = watch.track.last is not None and watch.track.last.astray  # then health alone tells of the service
        if self._side_by_side or opening or astray:
            endpoints, url = watch.addresses[0]
        closing = window.opened is not None and self._judged and now >= weighed.window_ends
        return watch.books.probe(endpoints, url, fresh=bool(opening or closing))

    def _probe_due(self, weighed: Assessment, now: float) -> float:
        """Return when the next look at the service may go out."""
        watch = self.watch
        phase = self._current_phase(weighed, now)
        if watch.doubts.open:
            return _NEVER
        side_by_side, health = self._side_by_side, watch.addresses[0][0]
        under_way = watch.books.looking(health) if side_by_side else watch.books.under_way(Probe)
        if under_way:
            alone = phase is Phase.WINDOW or side_by_side or len(under_way) > 1
            if alone or now < under_way[0] + ALONE_FOR:
                return _NEVER if alone else under_way[0] + ALONE_FOR
        seen = [each.sent for each in watch.samples if not side_by_side or each.endpoints == health]
        sent = seen[-2:] + under_way
        if not sent:
            first = interval(phase, 0.0, 0.0, watch.plan.stable_for, self._jitter)
            return now if watch.triggered is None else watch.triggered + first
        latest = max(sent)
        return max(latest + self._pause(weighed, phase, now, latest), self._affordable(weighed, phase, now, latest))

    def _pause(self, weighed: Assessment, phase: Phase, now: float, latest: float) -> float:
        """Return the seconds that the next look is wanted after the latest one."""
        watch, window = self.watch, self.watch.track.window
        if weighed.unconfirmed:
            return 0.0
        if weighed.opening:
            return interval(Phase.WINDOW, 0.0, 0.0, watch.plan.stable_for, self._jitter)
        origin = watch.started
        began = self._phase_began if self._phase_began is not None else origin
        waited = began - origin
        pause = interval(phase, now - began, waited, weighed.window_length, self._jitter)
        if phase is Phase.WINDOW and latest < weighed.window_ends:
            left = weighed.window_ends - latest  # the last look falls on the end, not some time after it
            books, url = watch.books, watch.addresses[0][1]
            twice = window.blind or books.ready(url, now, books.cost(url)) <= now  # else the last one would come late
            pause = left if left <= pause else (left / 2 if twice else left) if left < 2 * pause else pause
        broken_off = watch.track.last is not None and watch.track.last.transport_error and watch.track.window.broken
        return min(pause, MOST_AFTER_BREAK) if broken_off else pause

    def _affordable(self, weighed: Assessment, phase: Phase, now: float, latest: float) -> float:
        """Return when the bucket allows the next look, and the tokens that a window will need stay in it."""
        books, rate, window = self.watch.books, self.watch.plan.rate, self.watch.track.window
        url = self._next_probe(weighed, now).url
        ready = books.ready(url, now)
        if rate is None:
            return ready
        unsaved = latest + books.cost(url) / rate.per_second
        waiting = self._can_check(weighed) or weighed.needs_closing_document
        if waiting and latest >= weighed.window_ends:  # every second token is for the checks
            return max(ready, latest + SAVING * books.cost(url) / rate.per_second)
        if phase is Phase.QUICK and not weighed.opening:  # what is kept back is for the look that opens the window, too
            keep = kept_back(rate, self.watch.plan.stable_for, apart=self.watch.apart) + self.watch.checking.tokens(
                rate
            )
            return min(books.ready(url, now, keep), max(ready, unsaved))
        if phase is Phase.WINDOW and window.blind and not (window.watched and ready <= now):
            saved = books.ready(url, now, kept_back(rate, window.watched_needed, apart=self.watch.apart)) <= now
            return ready if saved else max(ready, latest + SAVING * books.cost(url) / rate.per_second)
        return ready

    def _checks(self, weighed: Assessment) -> Iterator[tuple[AskDocument | AskSmoke, float]]:
        """Yield the checks that are to be made of the build in the window under way, and from when on."""
        checking, books = self.watch.checking, self.watch.books
        window = self.watch.track.window
        if books.under_way(AskDocument) or window.opened is None or not weighed.checkable:
            return
        checking.enter(window.opened, window.names, self.watch.samples)
        if weighed.needs_closing_document and (closing := checking.ask_document()):
            yield closing, books.last_sent(AskDocument) + MOST_AFTER_BREAK
        for ask, wanted in checking.asks(unsafe=self._unsafe_due):
            if isinstance(ask, AskSmoke) and len(books.under_way(AskSmoke)) >= MOST_AT_ONCE:
                return
            if not books.is_under_way(ask):
                yield ask, wanted

    def _can_check(self, weighed: Assessment) -> bool:
        """Tell whether checks are to be made that need not wait for the window to hold."""
        return weighed.checking and (self._unsafe_due or not self.watch.checking.only_unsafe_left)

    def _spare(self, weighed: Assessment, url: str, now: float) -> float:
        """Return when the bucket of `url` allows a check beside the looks that the window under way still needs."""
        books, plan = self.watch.books, self.watch.plan
        if plan.rate is None or origin_of(url) != origin_of(self.watch.addresses[-1][1]):
            return books.ready(url, now)
        left = min(1.0, max(0.0, weighed.window_ends - now) / max(weighed.window_length, LEAST_WINDOW))
        return books.ready(url, now, kept_back(plan.rate, plan.stable_for, apart=self.watch.apart) * left)

    def _current_phase(self, weighed: Assessment, now: float) -> Phase:
        watch, track, answered = self.watch, self.watch.track, weighed.answer_final
        window = track.window
        unproven = not watch.plan.declared and (answered or track.gap_seen)
        self._judged = window.opened is not None and (weighed.wanted_under_way or unproven or watch.verifying)
        unfinished = window.latest < weighed.window_ends
        if self._judged:
            closing = (answered or watch.verifying) and not self._can_check(weighed)
            phase = Phase.WINDOW if unfinished or closing else Phase.UNHURRIED
        else:
            phase = Phase.QUICK if answered or track.gap_seen or watch.verifying else Phase.UNHURRIED
        if phase is not self._phase:
            self._phase, self._phase_began = phase, now
        return phase

    def _reasons_due(self, weighed: Assessment, now: float) -> float:
        """Return when to ask why Watchtower did nothing: once, where that is what it said and more was to be done."""
        watch, answer = self.watch, self.watch.answer
        if self._asked_for_reasons or not watch.plan.watchtower.check_url or answer is None:
            return _NEVER
        unmet = watch.plan.declared and not weighed.wanted_under_way and not watch.met_before
        idle = answer.result is Result.BLOCKED or (answer.result is Result.NOTHING and unmet)
        return now if idle else _NEVER

    def _ask_for_reasons(self) -> AskForReasons:
        self._asked_for_reasons = True
        return AskForReasons()

    def _look_due(self, weighed: Assessment, now: float) -> float:
        """Return when the containers endpoint may be asked again."""
        watch, track = self.watch, self.watch.track
        if watch.books.under_way(AskContainers):
            return _NEVER
        last = watch.books.last_sent(AskContainers)
        if watch.verifying and watch.plan.watchtower.containers_url and last == -_NEVER:
            return now
        if not weighed.digest_matters:
            return _NEVER
        if watch.answered is not None and last < watch.answered and watch.resend_at is None:
            return now
        if track.gap_ended is not None and not self._looked_after_gap:
            return now
        opened = track.window.opened
        if weighed.needs_closing_look:
            return last + LOOK_SECONDS if last >= weighed.window_ends else now
        if watch.verifying and opened is not None and last < opened and track.window.holds():
            return now  # the look that closes the window; the one before it was answered before the window opened
        begun = watch.answered is not None or track.gap_seen or watch.verifying
        outdated = weighed.digest_wanted_since is None or (opened is not None and last < opened)
        return last + LOOK_SECONDS if begun and outdated else _NEVER
