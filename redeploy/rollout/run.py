"""The loop of a run: look, trigger, watch, conclude. Mode verify is the same without a trigger."""

from collections.abc import Callable, Sequence
from typing import Protocol

from redeploy.decision.verdict import Conclusion, conclude
from redeploy.rollout.assess import Assessment
from redeploy.rollout.log_lines import ProgressLog
from redeploy.rollout.requests import CheckContainers, Event, Request, SendTrigger
from redeploy.rollout.schedule import Schedule
from redeploy.rollout.service_state import ServiceState

REASONS_SECONDS = 10.0
"""How long the check endpoint may take; it only explains."""


class Outside(Protocol):
    """The outside world: it sends requests in parallel, and knows the time."""

    def now(self) -> float:
        """Return monotonic seconds."""

    def wall(self) -> float:
        """Return seconds since 1970."""

    def start(self, request: Request, sent: float, bound: float, service: str = "") -> None:
        """Start a request that counts as sent at `sent`; its result comes within `bound` seconds in any case.

        `service` is the key of the service that it is for, if there are several.
        """

    def wait(self, until: float) -> Event | None:
        """Return the next event, or None at `until`."""


class Log(Protocol):
    """The run's log."""

    def say(self, text: str) -> None:
        """Write a line."""

    def debug(self, text: str) -> None:
        """Write a line that is shown only in debug runs."""

    def open_group(self, title: str) -> None:
        """Begin a foldable part."""


def redeploy(
    state: ServiceState,
    outside: Outside,
    random: Callable[[], float],
    log: Log,
    under_way: Callable[[], None] = lambda: None,
    *,
    opened: Sequence[Request] = (),
) -> Conclusion:
    """Deploy the new build and prove it; `state` knows everything that happened, even if this is cut short.

    `under_way` is called once the trigger is on its way or, in mode verify, at once. `opened` are requests that were sent
    when `state` began.
    """
    for request in opened:
        state.budget.note_sent(request, state.began)
    schedule, progress_log = Schedule(state, random), ProgressLog(state)
    waits = "Wait for the build from another deployer" if state.plan.awaits_build else "Look at what runs"
    log.open_group(waits if state.verifying else "Look at what runs before the trigger")
    triggered = state.triggered
    if state.verifying:
        under_way()
    while True:
        now = outside.now()
        step = schedule.step(now, outside.wall())
        for request in step.requests:
            outside.start(request, now, bound_of(state, request, now))
        if step.finished:
            return conclude(Assessment(state).facts(now))
        event = None
        if not step.requests:
            event = outside.wait(min(step.wake, progress_log.heartbeat_at(now)))
            if event and event.sent < state.began:
                event = None  # a request of an earlier state
        if event:
            state.take(event)
            log.debug(progress_log.detail(event))
        if state.triggered != triggered:
            triggered = state.triggered
            log.open_group("Trigger the update and watch the service")
            under_way()
        for line in progress_log.lines(outside.now(), event):
            log.say(line)


def bound_of(state: ServiceState, request: Request, now: float) -> float:
    """Return the seconds that a request may take: the trigger until its deadline, a look `request-timeout`."""
    match request:
        case SendTrigger():
            return max(0.0, state.trigger.deadline - now)
        case CheckContainers():
            return REASONS_SECONDS
        case _:
            return state.plan.request_timeout
