"""When to look at the running containers, and when to ask why nothing was updated. Times are monotonic seconds."""

from redeploy.rollout.assess import Assessment
from redeploy.rollout.pace import NEVER
from redeploy.rollout.requests import FetchContainers
from redeploy.rollout.service_state import ServiceState
from redeploy.triggers.trigger import Result

LOOK_SECONDS = 5.0
"""Seconds between looks at the containers endpoint, unless something requires one at once."""

UNHURRIED_SECONDS = 10.0
"""The same before Watchtower has responded, where nothing else shows which build runs: the response may be lost."""


def reasons_due(state: ServiceState, assessed: Assessment, now: float) -> float:
    """Return when to ask why Watchtower did nothing: once, if it says so and an update was expected."""
    answer = state.answer
    if not state.trigger.kind.explains or answer is None:
        return NEVER
    unmet = state.plan.declared and not assessed.expected_under_way and not state.live_before
    idle = answer.result is Result.BLOCKED or (answer.result is Result.NOTHING and unmet)
    return now if idle else NEVER


def look_due(state: ServiceState, assessed: Assessment, now: float, *, looked_after_gap: bool) -> float:
    """Return when to request the containers endpoint again."""
    history = state.history
    if state.budget.under_way(FetchContainers):
        return NEVER
    last = state.budget.last_sent(FetchContainers)
    if not state.addresses and state.running.can_list:
        after_answer = state.answered is not None and last < state.answered and state.trigger.resend_at is None
        return now if after_answer else last + LOOK_SECONDS  # only its row shows a worker
    if state.verifying and state.trigger.kind.lists_running and last == -NEVER:
        return now
    if not assessed.digest_matters:
        return NEVER
    if state.answered is not None and last < state.answered and state.trigger.resend_at is None:
        return now
    if history.gap_ended is not None and not looked_after_gap and state.running.expected_since is None:
        return now
    opened = history.window.opened
    if assessed.needs_closing_look:
        return last + LOOK_SECONDS if last >= assessed.window_ends else now
    if state.verifying and opened is not None and last < opened and history.window.holds():
        return now  # the look that closes the window; the last one was before the window opened
    begun = state.answered is not None or history.gap_seen or state.verifying
    outdated = state.running.expected_since is None or (opened is not None and last < opened)
    only_digest = bool(state.plan.expect_digest) or not state.record.before.names
    if not outdated or not (begun or only_digest):
        return NEVER
    return last + LOOK_SECONDS if begun else max(last, state.started) + UNHURRIED_SECONDS
