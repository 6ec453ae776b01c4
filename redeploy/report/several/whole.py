"""Several services as one outcome: the first worst one's, with all of them beside it."""

from collections.abc import Mapping
from dataclasses import replace

from redeploy.report.outcome import Outcome
from redeploy.verdicts import Verdict

_WORST_FIRST: tuple[tuple[Verdict, bool], ...] = (
    (Verdict.INTERNAL_ERROR, True),
    (Verdict.INVALID_CONFIG, True),
    (Verdict.CANCELLED, True),
    (Verdict.ROLLBACK_FAILED, True),
    (Verdict.UNHEALTHY, True),
    (Verdict.TRIGGER_FAILED, True),
    (Verdict.WRONG_BUILD, True),
    (Verdict.STALE, True),
    (Verdict.CHECKS_FAILED, True),
    (Verdict.ROLLED_BACK, True),
    (Verdict.NOT_STARTED, True),
    (Verdict.UNPROVEN, True),
    (Verdict.NOT_READY, True),
    (Verdict.UNPROVEN, False),
    (Verdict.DEPLOYED, False),
    (Verdict.ALREADY_CURRENT, False),
    (Verdict.VERIFIED, False),
    (Verdict.READY, False),
)
"""Verdicts, each with whether the exit code is another than 0."""


def is_green(outcome: Outcome) -> bool:
    """Tell whether a service ended well."""
    return not outcome.conclusion.exit_code


def whole(services: Mapping[str, Outcome]) -> Outcome:
    """Return the outcome of a run of several services, by their keys in the order of wave, host and file."""
    worst = min(services.values(), key=_place)
    conclusion = worst.conclusion
    if all(map(is_green, services.values())):
        conclusion = replace(conclusion, proof=min(each.conclusion.proof for each in services.values()))
    return replace(worst, conclusion=conclusion, downtime_seconds=_downtime(services), services=services)


def _place(outcome: Outcome) -> int:
    return _WORST_FIRST.index((outcome.conclusion.verdict, not is_green(outcome)))


def _downtime(services: Mapping[str, Outcome]) -> float | None:
    """Return the longest downtime; None where a service never came back, or none was watched."""
    watched = [each.downtime_seconds for each in services.values() if each.triggered or each.stretches]
    known = [each for each in watched if each is not None]
    return max(known) if known and len(known) == len(watched) else None
