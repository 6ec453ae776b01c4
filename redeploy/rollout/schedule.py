"""What to send next, and when, from the state of a run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from redeploy.decision.stop import next_check_at, should_stop
from redeploy.http.urls import origin_of
from redeploy.rollout.assess import Assessment
from redeploy.rollout.baseline import Baseline
from redeploy.rollout.looks import Looks
from redeploy.rollout.pace import NEVER, kept_back
from redeploy.rollout.requests import (
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

CLOSING_DOCUMENT_SECONDS = 1.0
"""Seconds between two requests for the document that closes a window."""

MOST_AT_ONCE = 8
"""Smoke requests that are under way at once."""

LEAST_WINDOW = 0.1
"""The least length, in seconds, of a window whose remaining part is calculated."""


@dataclass
class Schedule:
    """Decides what to send next. Times are monotonic seconds."""

    state: ServiceState
    random: Callable[[], float]
    may_trigger: Callable[[float], bool] = lambda _: True
    """Whether all other services that the trigger updates are ready for it, too."""
    ready_since: float | None = None
    """Since when this service is ready for the trigger."""
    _looked_after_gap: bool = False
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
            (NEVER if self._asked_for_reasons else reasons_due(self.state, assessed, now), self._ask_for_reasons),
        ):
            if due <= now:
                requests.append(self._sent(make(), now))
            else:
                wake = min(wake, due)
        requests += [self._sent(each, now) for each in self._baseline.due(now, document=assessed.contract_matters)]
        if not self.state.addresses:
            return Step(tuple(requests), now if requests else wake)
        for probe, due in self._looks.due(assessed, now, can_check=self._can_check(assessed)):
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
            return Step((), NEVER)
        return Step((self._sent(self._trigger(now, wall), now),), now)

    @cached_property
    def _baseline(self) -> Baseline:
        return Baseline(self.state)

    @cached_property
    def _looks(self) -> Looks:
        return Looks(self.state, self.random)

    def _trigger(self, now: float, wall: float) -> SendTrigger:
        self.state.record_trigger(now, wall)
        return SendTrigger()

    def _resend_due(self, assessed: Assessment) -> float:
        """Return when the trigger is sent again: not while the expected build is live."""
        again = self.state.trigger.resend_at
        return NEVER if again is None or assessed.answer_final else again

    def _sent(self, request: Request, now: float) -> Request:
        self.state.budget.note_sent(request, now)
        if isinstance(request, Probe):
            self._looks.note_sent()
        if isinstance(request, FetchContainers) and self.state.history.gap_ended is not None:
            self._looked_after_gap = True
        return request

    def _checks(self, assessed: Assessment) -> Iterator[tuple[FetchDocument | SendSmoke, float]]:
        """Yield the checks still to be sent to the build in the current window, and when each is due."""
        checking, budget = self.state.checking, self.state.budget
        window, begin = self.state.history.window, assessed.checks_from
        if budget.under_way(FetchDocument) or begin is None or not assessed.checkable:
            return
        checking.enter(begin, window.names if begin == window.opened else {}, self.state.samples)
        if assessed.needs_closing_document and (closing := checking.ask_document()):
            yield closing, budget.last_sent(FetchDocument) + CLOSING_DOCUMENT_SECONDS
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
        keep = kept_back(plan.rate, plan.stable_for, apart=plan.service.apart)
        return budget.ready(url, now, keep * left)

    def _ask_for_reasons(self) -> CheckContainers:
        self._asked_for_reasons = True
        return CheckContainers()
