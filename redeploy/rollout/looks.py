"""When to look at the service next, and at which of its addresses. Times are monotonic seconds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from redeploy.rollout import pace
from redeploy.rollout.assess import Assessment
from redeploy.rollout.pace import NEVER, Phase, interval
from redeploy.rollout.requests import ALONE_FOR, Probe
from redeploy.rollout.service_state import ServiceState
from redeploy.service.beside import version_due
from redeploy.service.window import BLIND, FEWEST
from redeploy.settings.plan import Rate

MOST_AFTER_BREAK = 1.0
"""Seconds to the next look after a failed connection broke a window, if the bucket allows it."""

HALF = 0.5


@dataclass
class Looks:
    """The looks at one service that has an address."""

    state: ServiceState
    random: Callable[[], float]
    _phase: Phase = Phase.UNHURRIED
    _phase_began: float | None = None
    _jitter: float = 0.5
    _turn: float = 0.5
    """A random number that decides which address is next, and how soon."""
    _judged: bool = False
    """Whether the verdict may be about the current window."""
    _can_check: bool = False
    """Whether there are checks that need not wait for the window to hold."""

    def due(self, assessed: Assessment, now: float, *, can_check: bool) -> Iterator[tuple[Probe, float]]:
        """Yield the next looks, and when each is due; a look that is sent must be noted before the next one is taken.

        `can_check`: whether there are checks that need not wait for the window to hold.
        """
        self._can_check = can_check
        self._current_phase(assessed, now)
        beside, window = [self._look, self._version_look], self.state.history.window
        version_first = window.version_asked < window.latest  # the bucket may have a token for only one of them
        if self._chance_needed:
            version_first = self._turn < HALF
        if version_first:
            beside.reverse()
        for look in (self._look_again, *beside):
            yield look(assessed, now)

    def note_sent(self) -> None:
        """Draw the random numbers for the next look, since one was sent."""
        self._jitter = self.random()
        self._turn = self.random() if self._chance_needed else HALF

    def _look_again(self, assessed: Assessment, now: float) -> tuple[Probe, float]:
        """Return the look that settles a doubt, due at once."""
        state, budget = self.state, self.state.budget
        for endpoints, url in state.addresses:
            past_caches = state.record.doubts.next_look(endpoints)
            if past_caches is not None and not budget.looks_under_way(endpoints):
                look = budget.probe(endpoints, url, fresh=True) if past_caches else Probe(endpoints, url)
                return look, budget.ready(url, now)
        return self._next_probe(assessed, now), NEVER

    def _look(self, assessed: Assessment, now: float) -> tuple[Probe, float]:
        """Return the next look at the service, and when it is due."""
        return self._next_probe(assessed, now), self._probe_due(assessed, now)

    def _version_look(self, assessed: Assessment, now: float) -> tuple[Probe, float]:
        """Return the look at the version in a window of looks at health, due at its start, its middle and its end."""
        state, window = self.state, self.state.history.window
        endpoints, url = state.addresses[-1]
        probe = state.budget.probe(endpoints, url, fresh=now >= assessed.window_ends)
        if (
            not self._side_by_side
            or state.budget.looks_under_way(endpoints)
            or state.record.doubts.next_look(endpoints) is not None
        ):
            return probe, NEVER
        pause = interval(Phase.WINDOW, 0.0, 0.0, state.plan.stable_for, self._jitter) * 2 * self._turn
        due = version_due(window, now=now, ends=assessed.window_ends, length=assessed.window_length, pause=pause)
        if state.plan.rate and window.latest >= assessed.window_ends and self._waits_for_checks(assessed):
            due = max(due, self._saving(url, state.plan.rate, state.budget.last_sent(Probe)))
        return probe, max(due, state.budget.ready(url, now))

    def _waits_for_checks(self, assessed: Assessment) -> bool:
        return self._can_check or assessed.needs_closing_document

    def _saving(self, url: str, rate: Rate, latest: float) -> float:
        """Return when the next look leaves every second token since the latest one to other requests."""
        return latest + pace.SAVING * self.state.budget.cost(url) / rate.per_second

    @property
    def _chance_needed(self) -> bool:
        """Whether the next address is random: otherwise a balancer that takes turns would show one instance to each."""
        return self.state.plan.service.apart and self.state.history.window.looks_needed > FEWEST

    @property
    def _side_by_side(self) -> bool:
        """Whether health and version are watched in parallel: a window is open that the verdict may be about."""
        return self.state.plan.service.apart and self._judged and self.state.history.window.opened is not None

    def _next_probe(self, assessed: Assessment, now: float) -> Probe:
        """Choose the address, and whether the look must get past caches, as when it opens or closes a window."""
        state, window = self.state, self.state.history.window
        endpoints, url = state.addresses[-1]
        opening, last = assessed.may_open and not assessed.version_outdated, state.history.last
        if self._side_by_side or opening or (last and last.wrong_version_url):  # then only health shows the service
            endpoints, url = state.addresses[0]
        closing = window.opened is not None and self._judged and now >= assessed.window_ends
        return state.budget.probe(endpoints, url, fresh=assessed.may_open or closing)

    def _probe_due(self, assessed: Assessment, now: float) -> float:
        """Return when to send the next look at the service."""
        state = self.state
        phase = self._current_phase(assessed, now)
        if state.record.doubts.open:
            return NEVER
        side_by_side, health = self._side_by_side, state.addresses[0][0]
        under_way = state.budget.looks_under_way(health) if side_by_side else state.budget.under_way(Probe)
        if len(under_way) > 1:
            return NEVER
        if under_way:
            alone_until = under_way[0] + (BLIND if phase is Phase.WINDOW or side_by_side else ALONE_FOR)
            if now < alone_until:
                return alone_until
        seen = [each.sent for each in state.samples if not side_by_side or each.endpoints == health]
        sent = seen[-2:] + under_way
        if not sent:
            first = interval(phase, 0.0, 0.0, state.plan.stable_for, self._jitter, rate=state.plan.rate)
            first_due = now if state.triggered is None else state.triggered + first
            return max(first_due, state.budget.ready(self._next_probe(assessed, now).url, now))
        latest = max(sent)
        return max(latest + self._pause(assessed, phase, now, latest), self._affordable(assessed, phase, now, latest))

    def _pause(self, assessed: Assessment, phase: Phase, now: float, latest: float) -> float:
        """Return the seconds from the latest look to the next one."""
        state, window = self.state, self.state.history.window
        if assessed.unconfirmed or (assessed.opening and window.opens_at_once):
            return 0.0
        if assessed.opening:
            return interval(Phase.WINDOW, 0.0, 0.0, state.plan.stable_for, self._jitter)
        began, length = self._phase_began if self._phase_began is not None else state.started, assessed.window_length
        pause = interval(phase, now - began, began - state.started, length, self._jitter, rate=state.plan.rate)
        if phase is Phase.WINDOW and latest < assessed.window_ends:
            left = assessed.window_ends - latest  # the last look falls on the end, not after it
            budget, url = state.budget, state.addresses[0][1]
            twice = (
                window.blind or budget.ready(url, now, budget.cost(url)) <= now
            )  # otherwise the last one would be late
            pause = left if left <= pause else (left / 2 if twice else left) if left < 2 * pause else pause
        broken_off = state.history.last is not None and state.history.last.gone and state.history.window.broken
        return min(pause, MOST_AFTER_BREAK) if broken_off else pause

    def _affordable(self, assessed: Assessment, phase: Phase, now: float, latest: float) -> float:
        """Return when the bucket allows the next look and still keeps the tokens that a window will need."""
        budget, rate, window = self.state.budget, self.state.plan.rate, self.state.history.window
        url, apart = self._next_probe(assessed, now).url, self.state.plan.service.apart
        ready = budget.ready(url, now)
        if rate is None:
            return ready
        if latest >= assessed.window_ends and self._waits_for_checks(assessed):
            return max(ready, self._saving(url, rate, budget.last_sent(Probe)))  # whichever address was looked at last
        if phase in pace.SEARCHING and not assessed.opening:  # the opening look may use the tokens that are kept
            keep = pace.kept_from_search(phase, rate, self.state.plan.stable_for, apart=apart)
            return min(
                budget.ready(url, now, keep + self.state.checking.tokens(rate)),
                max(ready, latest + budget.cost(url) / rate.per_second),
            )
        if phase is Phase.WINDOW and window.blind and not (window.watched and ready <= now):
            keep = pace.kept_to_watch(rate, window.watched_needed, assessed.window_ends - now, apart=apart)
            return ready if budget.ready(url, now, keep) <= now else max(ready, self._saving(url, rate, latest))
        return ready

    def _current_phase(self, assessed: Assessment, now: float) -> Phase:
        state, history, answered = self.state, self.state.history, assessed.answer_final
        window = history.window
        unproven = not state.plan.declared and (answered or history.gap_seen or state.plan.awaits_build)
        self._judged = window.opened is not None and (assessed.expected_under_way or unproven or state.plan.inspects)
        unfinished = window.latest < assessed.window_ends
        if self._judged:
            closing = (answered or state.verifying) and not self._can_check
            phase = Phase.WINDOW if unfinished or closing else Phase.UNHURRIED
        else:
            known = {"responded": answered or state.verifying, "refused": state.answer is not None}
            phase = pace.waiting_for(gone=history.gap_seen, **known)
        if phase is not self._phase:
            self._phase, self._phase_began = phase, now
        return phase
