"""A result as outputs; they are values, and nothing is written here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from redeploy.report.facts import About
from redeploy.report.results import (
    Change,
    InvalidInputs,
    OneResult,
    Result,
    RunResult,
    SeveralResults,
    chain_of,
    representative,
)
from redeploy.report.timeline import During, Span, Timeline
from redeploy.text import fitting
from redeploy.text.untrusted import one_line

if TYPE_CHECKING:  # few runs put an image back
    from redeploy.report.results import RollbackResult


def outputs(result: Result) -> dict[str, str]:
    """Return every output of the action, each one line."""
    run, conclusion = representative(result), result.conclusion
    return {
        "verdict": conclusion.verdict.value,
        "reason": conclusion.reason.value,
        "proof": conclusion.proof.word,
        "version": run.version.live,
        "previous-version": run.version.before,
        "digest": run.digest.live,
        "previous-digest": run.digest.before,
        "watchtower-result": run.update.result,
        "rollout-seconds": _seconds(run.rollout_seconds),
        "downtime-seconds": _seconds(run.downtime_seconds),
        "added-routes": fitting.array(run.checked.added),
        "removed-routes": fitting.array(run.checked.removed),
        "failed-checks": fitting.array(_failed(result)),
        "rolled-back": "true" if _is_back(result) else "false",
        "url": run.url,
        "services": fitting.document({key: _in_brief(each) for key, each in _by_key(result).items()}, ()),
        "report": _report(result),
    }


def _by_key(result: Result) -> Mapping[str, Result]:
    """Return the services that have a name, by their keys."""
    if isinstance(result, SeveralResults):
        return result.services
    key = representative(result).service
    return {key: result} if key else {}


def _in_brief(result: Result) -> dict[str, str]:
    run, conclusion = representative(result), result.conclusion
    return {
        "verdict": conclusion.verdict.value,
        "reason": conclusion.reason.value,
        "proof": conclusion.proof.word,
        "version": run.version.live,
        "digest": run.digest.live,
        "url": run.url,
    }


def _is_back(result: Result) -> bool:
    if isinstance(result, SeveralResults):
        return any(map(_is_back, result.services.values()))
    rolled = representative(result).rollback
    return rolled is not None and rolled.done


def _failed(result: Result) -> list[str]:
    """Return the checks that failed, and the broken links; of several services, each with the service's name before it."""
    if isinstance(result, SeveralResults):
        return [f"{key}: {check}" for key, one in result.services.items() for check in _failed(one)]
    broken = (each["link"] for each in _links(result) if each["state"] == "broken")
    return [*(one_line(each.check) for each in representative(result).checked.failed), *broken]


def _links(result: Result) -> list[dict[str, str]]:
    """Return the links that doctor examined, in order; none in other modes."""
    chain = chain_of(result)
    return [
        {
            "link": each.link.value,
            "state": each.state.value,
            "finding": each.finding.value if each.finding else "",
            "seen": each.seen,
            "behind": each.behind.value if each.behind else "",
        }
        for each in (chain.links if chain else ())
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0") if value else "0"


_CUT_FIRST = (
    "answers",
    "moments",
    "routes.added",
    "routes.removed",
    "checks",
    "links",
    "notes",
    "problems",
    "warnings",
)
"""Lists of the report that are cut, in this order, if it is too long for an output."""


def _report(result: Result) -> str:
    """Return the whole result as one JSON document; of several services, each one's within it, as far as they fit."""
    if not isinstance(result, SeveralResults):
        return fitting.document(_document(result), _CUT_FIRST, kept="seen")
    share = fitting.MOST_BYTES * 2 // 3 // len(result.services)
    each = {key: fitting.fitted(_document(one), _CUT_FIRST, share, kept="seen") for key, one in result.services.items()}
    whole = fitting.document(_document(result.worst) | {"services": each}, _CUT_FIRST, kept="services")
    if len(whole) <= fitting.MOST_BYTES:
        return whole
    brief: dict[str, dict[str, Any]] = {key: {**_in_brief(one)} for key, one in result.services.items()}
    room = fitting.MOST_BYTES * 5 // 6 - len(fitting.spelled(brief))
    for key, one in result.services.items():  # what a later run compares with, as long as there is room for it
        run = representative(one)
        kept = {"schema": 1, "mode": run.mode, "seen": dict(run.seen)}
        room -= len(fitting.spelled(kept))
        if room > 0:
            brief[key] |= kept
    return fitting.document(_document(result.worst) | {"services": brief}, _CUT_FIRST, kept="services")


def _document(result: InvalidInputs | OneResult) -> dict[str, Any]:
    run, conclusion = representative(result), result.conclusion
    facts, checked, update = run.facts, run.checked, run.update
    return {
        "schema": 1,
        "verdict": conclusion.verdict.value,
        "reason": conclusion.reason.value,
        "exit-code": conclusion.exit_code,
        "proof": conclusion.proof.word,
        "mode": run.mode,
        "url": run.url,
        "version": _change(run.version),
        "digest": _change(run.digest),
        "image": {"reference": run.image.reference, "digest": run.image.digest, "revision": run.image.revision},
        "watchtower": {
            "origin": run.watchtower_origin,
            "result": update.result,
            "answer": update.said,
            "reasons": list(facts.of(About.REASON)),
            "seconds": _rounded(update.answered),
        },
        "rollout-seconds": _rounded(run.rollout_seconds),
        "downtime-seconds": _rounded(run.downtime_seconds),
        **_timeline(run.timeline),
        "evidence": list(facts.of(About.EVIDENCE)),
        "warnings": list(facts.of(About.WARNING)),
        "checks": [
            {
                "kind": each.kind,
                "check": one_line(each.check),
                "passed": each.passed,
                "only-warns": each.only_warns,
                "told": each.sentence,
            }
            | ({} if each.seconds is None else {"seconds": _rounded(each.seconds)})
            for each in checked.findings
        ],
        "routes": {
            "compared-with": checked.compared_with,
            "added": list(checked.added),
            "removed": list(checked.removed),
        },
        "rollback": _rollback(run, run.rollback) if run.rollback else None,
        "branch": _branch(run),
        "notes": list(facts.of(About.NOTE, About.NOTE_ON_CHECKS)),
        "looks": run.looks,
        "seen": dict(run.seen),
        "truncated": False,
        "links": _links(result),
        "problems": _problems(result) if isinstance(result, InvalidInputs) else [],
    }


def _problems(result: InvalidInputs) -> list[dict[str, object]]:
    return [
        {"input": problem.input, "message": problem.message}
        | ({"file": each.file, "line": each.line, "column": each.column} if (each := problem.place) else {})
        for problem in result.problems
    ]


def _change(names: Change) -> dict[str, str]:
    return {"declared": names.expected, "before": names.before, "live": names.live}


def _timeline(course: Timeline) -> dict[str, object]:
    return {
        "moments": [{"seconds": _rounded(each.at), "what": each.what.value} for each in course.moments],
        "answers": [
            {"from": _rounded(each.begin), "to": _rounded(each.end), "good": each.good, "build": each.build.value}
            for each in course.stretches
        ],
        "stable": _span(course.span(During.WINDOW)),
    }


def _branch(run: RunResult) -> Mapping[str, object] | None:
    if run.branch is None:
        return None
    from redeploy.branch import shown  # few runs name a branch

    return shown.document(run.branch)


def _rollback(run: RunResult, rolled: "RollbackResult") -> dict[str, object]:
    failed = rolled.deploy
    return {
        "state": rolled.state.value,
        "told": rolled.sentence,
        "tag": rolled.tag,
        "target": rolled.target,
        "source": rolled.source,
        "tag-moved": rolled.tag_moved,
        "failed": {
            "verdict": failed.conclusion.verdict.value,
            "version": failed.version.live,
            "digest": failed.digest.live,
        }
        if failed
        else None,
        "watchtower": {"result": rolled.update.result, "answer": rolled.update.said},
        "put": _span(run.timeline.span(During.PUTTING_BACK)),
        "proof": rolled.proof,
        "evidence": list(run.facts.of(About.EVIDENCE_AFTER)),
        "by-hand": rolled.by_hand,
    }


def _span(span: Span | None) -> dict[str, float | None] | None:
    return None if span is None else {"from": _rounded(span.begin), "to": _rounded(span.end)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
