"""Several services as one result: all of them, and the worst one, which stands for all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from redeploy.report.results import Examination, OneResult, Result, RunResult, SeveralResults, representative
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
"""Verdicts, each with whether the exit code is not 0."""


def is_green(result: Result) -> bool:
    """Return whether a run or a service ended well."""
    return not result.conclusion.exit_code


def whole(services: Mapping[str, OneResult]) -> SeveralResults:
    """Return the result of a run of several services, by their keys in the order of wave, host and file."""
    worst = min(services.values(), key=_place)
    conclusion = worst.conclusion
    if all(map(is_green, services.values())):
        conclusion = replace(conclusion, proof=min(each.conclusion.proof for each in services.values()))
    longest = _downtime([representative(each) for each in services.values()])
    run = replace(representative(worst), conclusion=conclusion, downtime_seconds=longest)
    return SeveralResults(services, replace(worst, seen=run) if isinstance(worst, Examination) else run)


def _place(result: OneResult) -> int:
    return _WORST_FIRST.index((result.conclusion.verdict, not is_green(result)))


def _downtime(runs: Sequence[RunResult]) -> float | None:
    """Return the longest downtime; None if a service never came back, or none was watched."""
    watched = [each.downtime_seconds for each in runs if each.update.triggered or each.timeline.stretches]
    known = [each for each in watched if each is not None]
    return max(known) if known and len(known) == len(watched) else None
