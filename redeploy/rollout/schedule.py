"""What to send next, and when, from the state of a run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from redeploy.decision.stop import next_check_at, should_stop
from redeploy.http.urls import origin_of
from redeploy.rollout import pace
from redeploy.rollout.assess import Assessment
from redeploy.rollout.baseline import Baseline
from redeploy.rollout.pace import Phase, interval
from redeploy.rollout.requests import (
    ALONE_FOR,
    CheckContainers,
    FetchContainers,
    FetchDocument,
    Probe,
    Request,
    SendSmoke,
    SendTrigger,
    Step,
)
from redeploy.rollout.service_state import ServiceState
from redeploy.rollout.watchtower_looks import look_due, reasons_due
from redeploy.service.beside import version_due
from redeploy.service.window import FEWEST

MOST_AFTER_BREAK = 1.0
"""Seconds to the next look after a failed connection broke a window, if the bucket allows it."""

MOST_AT_ONCE = 8
"""Smoke requests that are under way at once."""

HALF = 0.5

LEAST_WINDOW = 0.1
"""The least length, in seconds, of a window whose remaining part is calculated."""

_NEVER = float("inf")


@dataclass
class Schedule:
    """Decides what to send next. Times are monotonic seconds."""

    state: ServiceState
    random: Callable[[], float]
    may_trigger: Callable[[float], bool] = lambda _: True
    """Whether all other services that the trigger updates are ready for it, too."""
    ready_since: float | None = None
    """Since when this service is ready for the trigger."""
    _phase: Phase = Phase.UNHURRIED
    _phase_began: float | None = None
    _looked_after_gap: bool = False
    _jitter: float = 0.5
    _turn: float = 0.5
    """A random number that decides which address is next, and how soon."""
    _judged: bool = False
    """Whether the verdict may be about the current window."""
    _asked_for_reasons: bool = False
    _unsafe_due: bool = False
    """Whether requests that may change something on the server may be sent now."""

    def step(self, now: float, wall: float) -> Step:
        """Return what to do at `now`; `wall` is our clock, in seconds since 1970."""
        if self.state.triggered is None and not self.state.verifying:
            return self._baseline.step(now) or self._begin(now, wall)
        if self.state.verifying and (step := self._baseline.look_up(now)):
            return step
        if self.state.verifying and self.state.addresses and self.state.budget.last_sent(Probe) < self.state.began:
            return Step((self._sent(self.state.budget.probe(*self.state.addresses[-1]), now),), now)
        assessed = Assessment(self.state)
        known = assessed.facts(now)
        if should_stop(known):
            return Step((), now, finished=True)
        self._unsafe_due = self.state.checking.only_unsafe_left and assessed.lacks_only_checks(now)
        requests: list[Request] = []
        wake = next_check_at(known)
        for due, make in (
            (self._resend_due(assessed), lambda: self._trigger(now, wall)),
            (look_due(self.state, assessed, now, looked_after_gap=self._looked_after_gap), FetchContainers),
            (_NEVER if self._asked_for_reasons else reasons_due(self.state, assessed, now), self._ask_for_reasons),
        ):
            if due <= now:
                requests.append(self._sent(make(), now))
            else:
                wake = min(wake, due)
        requests += [self._sent(each, now) for each in self._baseline.due(now, document=assessed.contract_matters)]
        if not self.state.addresses:
            return Step(tuple(requests), now if requests else wake)
        self._current_phase(assessed, now)
        beside, window = [self._look, self._version_look], self.state.history.window
        version_first = window.version_asked < window.latest  # the bucket may have a token for only one of them
        if self._chance_needed:
            version_first = self._turn < HALF
        if version_first:
            beside.reverse()
        for look in (self._look_again, *beside):
            probe, due = look(assessed, now)
            if due <= now:
                requests.append(self._sent(probe, now))
            else:
                wake = min(wake, due)
        for request, wanted in self._checks(assessed):
            due = max(wanted, self._spare(assessed, request.url, now))
            if due <= now:
                requests.append(self._sent(request, now))
            else:
                wake = min(wake, due)
        return Step(tuple(requests), now if requests else wake)

    def look_again(self) -> None:
        """Look again at what runs before the trigger, because other services have delayed it."""
        self._baseline.waited, self.ready_since = True, None

    def _begin(self, now: float, wall: float) -> Step:
        """Return the step that sends the trigger, once all services that it updates are ready."""
        self.ready_since = now if self.ready_since is None else self.ready_since
        if not self.may_trigger(now):
            return Step((), _NEVER)
        return Step((self._sent(self._trigger(now, wall), now),), now)

    @cached_property
    def _baseline(self) -> Baseline:
        return Baseline(self.state)

    def _trigger(self, now: float, wall: float) -> SendTrigger:
        self.state.record_trigger(now, wall)
        return SendTrigger()

    def _resend_due(self, assessed: Assessment) -> float:
        """Return when the trigger is sent again: not while the expected build is live."""
        again = self.state.trigger.resend_at
        return _NEVER if again is None or assessed.answer_final else again

    def _sent(self, request: Request, now: float) -> Request:
        self.state.budget.note_sent(request, now)
        if isinstance(request, Probe):
            self._jitter = self.random()
            self._turn = self.random() if self._chance_needed else HALF
        if isinstance(request, FetchContainers) and self.state.history.gap_ended is not None:
            self._looked_after_gap = True
        return request

    def _look_again(self, assessed: Assessment, now: float) -> tuple[Probe, float]:
        """Return the look that settles a doubt, due at once."""
        state, budget = self.state, self.state.budget
        for endpoints, url in state.addresses:
            past_caches = state.record.doubts.next_look(endpoints)
            if past_caches is not None and not budget.looking(endpoints):
                look = budget.probe(endpoints, url, fresh=True) if past_caches else Probe(endpoints, url)
                return look, budget.ready(url, now)
        return self._next_probe(assessed, now), _NEVER

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
            or state.budget.looking(endpoints)
            or state.record.doubts.next_look(endpoints) is not None
        ):
            return probe, _NEVER
        pause = interval(Phase.WINDOW, 0.0, 0.0, state.plan.stable_for, self._jitter) * 2 * self._turn
        due = version_due(window, now=now, ends=assessed.window_ends, length=assessed.window_length, pause=pause)
        return probe, max(due, state.budget.ready(url, now))

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
        opening = assessed.may_open
        astray = state.history.last is not None and state.history.last.astray  # then only health shows the service
        if self._side_by_side or opening or astray:
            endpoints, url = state.addresses[0]
        closing = window.opened is not None and self._judged and now >= assessed.window_ends
        return state.budget.probe(endpoints, url, fresh=bool(opening or closing))

    def _probe_due(self, assessed: Assessment, now: float) -> float:
        """Return when to send the next look at the service."""
        state = self.state
        phase = self._current_phase(assessed, now)
        if state.record.doubts.open:
            return _NEVER
        side_by_side, health = self._side_by_side, state.addresses[0][0]
        under_way = state.budget.looking(health) if side_by_side else state.budget.under_way(Probe)
        if under_way:
            alone = phase is Phase.WINDOW or side_by_side or len(under_way) > 1
            if alone or now < under_way[0] + ALONE_FOR:
                return _NEVER if alone else under_way[0] + ALONE_FOR
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
        refilled = budget.cost(url) / rate.per_second
        saving = max(ready, latest + pace.SAVING * refilled)
        waiting = self._can_check(assessed) or assessed.needs_closing_document
        if waiting and latest >= assessed.window_ends:  # every second token is for the checks
            return saving
        if phase in pace.SEARCHING and not assessed.opening:  # the opening look may use the tokens that are kept
            keep = pace.kept_from_search(phase, rate, self.state.plan.stable_for, apart=apart)
            return min(budget.ready(url, now, keep + self.state.checking.tokens(rate)), max(ready, latest + refilled))
        if phase is Phase.WINDOW and window.blind and not (window.watched and ready <= now):
            keep = pace.kept_to_watch(rate, window.watched_needed, assessed.window_ends - now, apart=apart)
            return ready if budget.ready(url, now, keep) <= now else saving
        return ready

    def _checks(self, assessed: Assessment) -> Iterator[tuple[FetchDocument | SendSmoke, float]]:
        """Yield the checks still to be sent to the build in the current window, and when each is due."""
        checking, budget = self.state.checking, self.state.budget
        window = self.state.history.window
        if budget.under_way(FetchDocument) or window.opened is None or not assessed.checkable:
            return
        checking.enter(window.opened, window.names, self.state.samples)
        if assessed.needs_closing_document and (closing := checking.ask_document()):
            yield closing, budget.last_sent(FetchDocument) + MOST_AFTER_BREAK
        for request, wanted in checking.requests(unsafe=self._unsafe_due):
            if isinstance(request, SendSmoke) and len(budget.under_way(SendSmoke)) >= MOST_AT_ONCE:
                return
            if not budget.is_under_way(request):
                yield request, wanted

    def _can_check(self, assessed: Assessment) -> bool:
        """Return whether there are checks that need not wait for the window to hold."""
        return assessed.checking and (self._unsafe_due or not self.state.checking.only_unsafe_left)

    def _spare(self, assessed: Assessment, url: str, now: float) -> float:
        """Return when the bucket of `url` allows a check and still keeps the tokens that the current window needs."""
        budget, plan = self.state.budget, self.state.plan
        if plan.rate is None or origin_of(url) != origin_of(self.state.addresses[-1][1]):
            return budget.ready(url, now)
        left = min(1.0, max(0.0, assessed.window_ends - now) / max(assessed.window_length, LEAST_WINDOW))
        keep = pace.kept_back(plan.rate, plan.stable_for, apart=plan.service.apart)
        return budget.ready(url, now, keep * left)

    def _current_phase(self, assessed: Assessment, now: float) -> Phase:
        state, history, answered = self.state, self.state.history, assessed.answer_final
        window = history.window
        unproven = not state.plan.declared and (answered or history.gap_seen or state.plan.awaits_build)
        self._judged = window.opened is not None and (assessed.expected_under_way or unproven or state.plan.inspects)
        unfinished = window.latest < assessed.window_ends
        if self._judged:
            closing = (answered or state.verifying) and not self._can_check(assessed)
            phase = Phase.WINDOW if unfinished or closing else Phase.UNHURRIED
        else:
            known = {"responded": answered or state.verifying, "refused": state.answer is not None}
            phase = pace.waiting_for(gone=history.gap_seen, **known)
        if phase is not self._phase:
            self._phase, self._phase_began = phase, now
        return phase

    def _ask_for_reasons(self) -> CheckContainers:
        self._asked_for_reasons = True
        return CheckContainers()
