"""When to stop waiting: section 6 of the interface as one pure function of what is known."""

from redeploy.decision.facts import Situation
from redeploy.settings.plan import Mode
from redeploy.triggers.trigger import Result

GRACE = 5.0
"""Seconds, beside one window, that are left to the service after an answer that leaves little hope."""


def finished(known: Situation) -> bool:
    """Tell whether nothing that could still be seen is worth waiting for."""
    if known.not_started or known.refusal or known.flapping or known.turned_away or known.now >= known.patience_ends:
        return True
    if known.walled and (known.mode is Mode.VERIFY or known.answer_final or known.late):
        return True
    if known.mode is Mode.VERIFY:
        return (known.held and known.checked) or known.wrong_held or _out_of_time(known)
    if known.held and not known.overruled:
        return known.checked and (known.confirmed if known.answer_final else known.late)
    if known.answer_final and _hopeless(known):
        return True
    return _out_of_time(known)


def wakes_at(known: Situation) -> float:
    """Return the next moment at which `finished` may change though nothing new was seen; infinity if there is none."""
    moments = (_hope_ends(known), known.deadline, known.patience_ends)
    return min((moment for moment in moments if moment is not None and moment > known.now), default=float("inf"))


def _hopeless(known: Situation) -> bool:
    """Tell whether Watchtower's answer, and what was seen since, leave nothing to wait for."""
    hope = _hope_ends(known)
    if hope is not None:
        return known.now >= hope and (known.overruled or not known.wanted_under_way)
    if known.declared or known.wanted_under_way:
        return False
    if known.answer and known.answer.lost:
        return known.held_after_gap and known.checked
    return (known.claim_held or known.well_enough) and known.checked


def _hope_ends(known: Situation) -> float | None:
    """Return when hope ends after an answer that leaves little; None where it lasts until the deadline."""
    if known.answer is None or known.answered is None or not known.answer_final:
        return None
    little = known.answer.result in (Result.FAILED, Result.BLOCKED) or known.answer.scanned_nothing or known.overruled
    if little or (known.declared and known.answer.result is Result.NOTHING):
        return known.answered + known.stable_for + GRACE
    return None


def _out_of_time(known: Situation) -> bool:
    """Tell whether the deadline has passed, and no window that began before it is still under way, or being checked."""
    if not known.late:
        return False
    began_in_time = known.window_began is not None and known.window_began <= known.deadline
    return not (began_in_time and (known.checking or known.wanted_under_way or _unproven_under_way(known)))


def _unproven_under_way(known: Situation) -> bool:
    """Tell whether the window under way, should it hold, would do for a build that nothing tells apart."""
    if known.declared or known.overruled:
        return False
    if known.answer_lost:
        return known.gap_seen and not known.held_after_gap
    return known.answer_final and not known.well_enough
