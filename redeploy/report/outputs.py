"""An outcome as outputs; they are values, and nothing is written here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from redeploy.report import fitting
from redeploy.report.outcome import Outcome
from redeploy.text.untrusted import one_line

if TYPE_CHECKING:  # only doctor has the one, and few runs put an image back
    from collections.abc import Mapping

    from redeploy.report.outcome import RollbackResult


def outputs(outcome: Outcome) -> dict[str, str]:
    """Return every output of the action, each one line."""
    conclusion = outcome.conclusion
    return {
        "verdict": conclusion.verdict.value,
        "reason": conclusion.reason.value,
        "proof": conclusion.proof.word,
        "version": outcome.version,
        "previous-version": outcome.previous_version,
        "digest": outcome.digest,
        "previous-digest": outcome.previous_digest,
        "watchtower-result": outcome.watchtower_result,
        "rollout-seconds": _seconds(outcome.rollout_seconds),
        "downtime-seconds": _seconds(outcome.downtime_seconds),
        "added-routes": fitting.array(outcome.checked.added),
        "removed-routes": fitting.array(outcome.checked.removed),
        "failed-checks": fitting.array([*_failed(outcome), *([] if outcome.services else _broken(outcome))]),
        "rolled-back": "true" if any(map(_is_back, outcome.services.values() or (outcome,))) else "false",
        "url": outcome.url,
        "services": fitting.document({key: _in_brief(each) for key, each in _by_key(outcome).items()}, ()),
        "report": _report(outcome),
    }


def _by_key(outcome: Outcome) -> "Mapping[str, Outcome]":
    """Return the services that have a name, by their keys."""
    return outcome.services or ({outcome.service: outcome} if outcome.service else {})


def _in_brief(outcome: Outcome) -> dict[str, str]:
    conclusion = outcome.conclusion
    return {
        "verdict": conclusion.verdict.value,
        "reason": conclusion.reason.value,
        "proof": conclusion.proof.word,
        "version": outcome.version,
        "digest": outcome.digest,
        "url": outcome.url,
    }


def _is_back(outcome: Outcome) -> bool:
    return outcome.rollback is not None and outcome.rollback.done


def _failed(outcome: Outcome) -> list[str]:
    """Return the checks that failed; of several services, each with the service's name before it."""
    if not outcome.services:
        return [one_line(each.check) for each in outcome.checked.failed]
    failed = ((key, [*_failed(one), *_broken(one)]) for key, one in outcome.services.items())
    return [f"{key}: {check}" for key, checks in failed for check in checks]


def _broken(outcome: Outcome) -> list[str]:
    return [each["link"] for each in _links(outcome) if each["state"] == "broken"]


def _links(outcome: Outcome) -> list[dict[str, str]]:
    """Return the links that doctor examined, in order; none in other modes."""
    return [
        {
            "link": each.link.value,
            "state": each.state.value,
            "finding": each.finding.value if each.finding else "",
            "seen": each.seen,
            "behind": each.behind.value if each.behind else "",
        }
        for each in (outcome.chain.links if outcome.chain else ())
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


def _report(outcome: Outcome) -> str:
    """Return the whole result as one JSON document; of several services, each one's within it, as far as they fit."""
    if not outcome.services:
        return fitting.document(_document(outcome), _CUT_FIRST, kept="seen")
    share = fitting.MOST_BYTES * 2 // 3 // len(outcome.services)
    each = {
        key: fitting.fitted(_document(one), _CUT_FIRST, share, kept="seen") for key, one in outcome.services.items()
    }
    whole = fitting.document(_document(outcome) | {"services": each}, _CUT_FIRST, kept="services")
    if len(whole) <= fitting.MOST_BYTES:
        return whole
    brief: dict[str, dict[str, Any]] = {key: {**_in_brief(one)} for key, one in outcome.services.items()}
    room = fitting.MOST_BYTES * 5 // 6 - len(fitting.spelled(brief))
    for key, one in outcome.services.items():  # what a later run compares with, as long as there is room for it
        told = {"schema": 1, "mode": one.mode, "seen": dict(one.seen)}
        room -= len(fitting.spelled(told))
        if room > 0:
            brief[key] |= told
    return fitting.document(_document(outcome) | {"services": brief}, _CUT_FIRST, kept="services")


def _document(outcome: Outcome) -> dict[str, Any]:
    conclusion = outcome.conclusion
    return {
        "schema": 1,
        "verdict": conclusion.verdict.value,
        "reason": conclusion.reason.value,
        "exit-code": conclusion.exit_code,
        "proof": conclusion.proof.word,
        "mode": outcome.mode,
        "url": outcome.url,
        "version": {"declared": outcome.expected_version, "before": outcome.previous_version, "live": outcome.version},
        "digest": {"declared": outcome.expected_digest, "before": outcome.previous_digest, "live": outcome.digest},
        "image": {"reference": outcome.image, "digest": outcome.image_digest, "revision": outcome.revision},
        "watchtower": {
            "origin": outcome.watchtower_origin,
            "result": outcome.watchtower_result,
            "answer": outcome.watchtower_said,
            "reasons": list(outcome.told_reasons),
            "seconds": _rounded(outcome.answered_after),
        },
        "rollout-seconds": _rounded(outcome.rollout_seconds),
        "downtime-seconds": _rounded(outcome.downtime_seconds),
        "moments": [{"seconds": _rounded(at), "what": what} for at, what in outcome.moments],
        "answers": [
            {"from": _rounded(each.begin), "to": _rounded(each.end), "good": each.good, "build": each.build.value}
            for each in outcome.stretches
        ],
        "stable": _stretch(outcome.stable),
        "evidence": list(outcome.evidence),
        "warnings": list(outcome.warnings),
        "checks": [
            {
                "kind": each.kind,
                "check": one_line(each.check),
                "passed": each.passed,
                "only-warns": each.only_warns,
                "told": each.told,
            }
            | ({} if each.seconds is None else {"seconds": _rounded(each.seconds)})
            for each in outcome.checked.findings
        ],
        "routes": {
            "compared-with": outcome.checked.compared_with,
            "added": list(outcome.checked.added),
            "removed": list(outcome.checked.removed),
        },
        "rollback": _rollback(outcome.rollback) if outcome.rollback else None,
        "branch": _branch(outcome),
        "notes": [*outcome.notes, *outcome.checked.notes],
        "looks": outcome.looks,
        "seen": dict(outcome.seen),
        "truncated": False,
        "links": _links(outcome),
        "problems": [
            {"input": problem.input, "message": problem.message}
            | ({"file": each.file, "line": each.line, "column": each.column} if (each := problem.place) else {})
            for problem in outcome.problems
        ],
    }


def _branch(outcome: Outcome) -> "Mapping[str, object] | None":
    if outcome.branch is None:
        return None
    from redeploy.branch import shown  # few runs name a branch

    return shown.document(outcome.branch)


def _rollback(rolled: "RollbackResult") -> dict[str, object]:
    failed = rolled.deploy
    return {
        "state": rolled.state.value,
        "told": rolled.told,
        "tag": rolled.tag,
        "target": rolled.target,
        "source": rolled.source,
        "tag-moved": rolled.tag_moved,
        "failed": {"verdict": failed.conclusion.verdict.value, "version": failed.version, "digest": failed.digest}
        if failed
        else None,
        "watchtower": {"result": rolled.watchtower_result, "answer": rolled.watchtower_said},
        "put": _stretch(rolled.put),
        "proof": rolled.proof,
        "evidence": list(rolled.evidence),
        "by-hand": rolled.by_hand,
    }


def _stretch(times: tuple[float, float] | None) -> dict[str, float | None] | None:
    return None if times is None else {"from": _rounded(times[0]), "to": _rounded(times[1])}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
