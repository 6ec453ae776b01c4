"""When to stop waiting, as a pure function of the facts."""

from redeploy.decision.facts import Facts
from redeploy.triggers.trigger import Result

GRACE = 5.0
"""Seconds, besides one window, that the service still gets after a response that leaves little hope."""


def should_stop(facts: Facts) -> bool:
    """Return whether there is nothing left that is worth waiting for."""
    if (
        facts.not_started
        or facts.refusal
        or facts.flapping
        or facts.throttled_past_deadline
        or facts.now >= facts.patience_ends
    ):
        return True
    if facts.blocked and (facts.verifying or facts.answer_final or facts.late):
        return True
    if facts.unobservable and not facts.awaiting and (facts.verifying or facts.answer_final):
        return True
    if facts.awaiting:
        nothing_to_see = not facts.declared and not facts.referenced and facts.healthy_long_enough
        return (facts.checked and (facts.held or nothing_to_see)) or _out_of_time(facts)
    if facts.verifying:
        return (facts.held and facts.checked) or facts.wrong_build_held or _out_of_time(facts)
    if facts.held and not facts.watchtower_failure_wins:
        return facts.checked and (facts.confirmed if facts.answer_final else facts.late)
    if facts.answer_final and _nothing_to_wait_for(facts):
        return True
    return _out_of_time(facts)


def next_check_at(facts: Facts) -> float:
    """Return the next moment at which `should_stop` may change without a new event; infinity if there is none."""
    moments = (_grace_ends(facts), facts.deadline, facts.patience_ends)
    return min((moment for moment in moments if moment is not None and moment > facts.now), default=float("inf"))


def _nothing_to_wait_for(facts: Facts) -> bool:
    """Return whether Watchtower's response, and what was seen since then, leave nothing to wait for."""
    hope = _grace_ends(facts)
    if hope is not None:
        return facts.now >= hope and (facts.watchtower_failure_wins or not facts.right_build_under_way)
    if facts.right_build_under_way:
        return False
    if facts.declared:
        return facts.old_build_stayed and facts.answer is not None and facts.answer.result is Result.NOTHING
    settled = facts.checked and (facts.old_build_back or not facts.new_build_seen)
    if facts.answer and facts.answer.lost:
        return facts.held_after_gap and settled
    return (facts.claim_held and facts.checked) or (facts.healthy_long_enough and settled)


def _grace_ends(facts: Facts) -> float | None:
    """Return when to give up after a response that leaves little hope; None: at the deadline."""
    if facts.answer is None or facts.answered_at is None or not facts.answer_final:
        return None
    little = (
        facts.answer.result in (Result.FAILED, Result.BLOCKED)
        or facts.answer.scanned_nothing
        or facts.watchtower_failure_wins
    )
    return facts.answered_at + facts.stable_for + GRACE if little else None


def _out_of_time(facts: Facts) -> bool:
    """Return whether the deadline has passed, and no window that began before it is still open or being checked."""
    if not facts.late:
        return False
    return not (facts.window_in_time and (facts.checking or facts.right_build_under_way or _unproven_under_way(facts)))


def _unproven_under_way(facts: Facts) -> bool:
    """Return whether the current window, if it holds, is enough for a build that nothing distinguishes."""
    if facts.declared or facts.watchtower_failure_wins:
        return False
    if facts.awaiting:
        return not facts.healthy_long_enough
    if facts.answer_lost:
        return facts.gap_seen and not facts.held_after_gap
    return facts.answer_final and not facts.healthy_long_enough
