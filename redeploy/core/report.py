"""An outcome as outputs and annotations: values, nothing is written here."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from redeploy.core import fitting
from redeploy.core.hostile import code, one_line
from redeploy.core.markdown import plain
from redeploy.core.outcome import Outcome
from redeploy.core.plan import Mode
from redeploy.core.reasons import LOOPBACK, REMEDIES, Reason, Remedy, Verdict, guide

if TYPE_CHECKING:  # only doctor has the one, and few runs put an image back
    from redeploy.core.chain import Chain
    from redeploy.core.rolled import Rolled

MOST_ANNOTATIONS = 10
"""What the runner keeps of a kind for each step."""

MOST_TOLD = 20
"""Failed checks that the headline's message tells; all of them are in the summary and the outputs."""

_GREEN = {
    Verdict.DEPLOYED: "The new build is live",
    Verdict.ALREADY_CURRENT: "What was declared was live already, and still is",
    Verdict.VERIFIED: "What runs is healthy",
}

_BACK = {
    Verdict.ROLLED_BACK: "The previous build is live again",
    Verdict.ROLLBACK_FAILED: "The rollback failed",
}


@dataclass(frozen=True)
class Annotation:
    """One annotation of the run; `kind` is `error` or `warning`."""

    kind: str
    title: str
    message: str
    file: str = ""
    """Relative to the workspace; empty where it is about no file."""
    line: int = 0


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
        "failed-checks": fitting.array([*(one_line(each.check) for each in outcome.checked.failed), *_broken(outcome)]),
        "rolled-back": "true" if outcome.rollback and outcome.rollback.done else "false",
        "url": outcome.url,
        "report": fitting.document(_document(outcome), _CUT_FIRST),
    }


def annotations(outcome: Outcome) -> list[Annotation]:
    """Return the annotations: one headline with the remedy, or one for each input that is wrong."""
    if outcome.problems:
        return _of_problems(outcome)
    if outcome.chain is not None:
        return _of_chain(outcome.chain)
    conclusion = outcome.conclusion
    found = [Annotation("warning", "Worth a look", warning) for warning in outcome.warnings]
    if conclusion.exit_code or conclusion.verdict is Verdict.UNPROVEN:
        kind = "error" if conclusion.exit_code else "warning"
        remedy = remedy_of(outcome)
        parts = [f"{happened(outcome)}"]
        if outcome.rollback and outcome.rollback.by_hand:
            parts.append(f"By hand: {plain(outcome.rollback.by_hand)}")
        if remedy:
            parts += [
                f"Likely cause: {remedy.cause}",
                f"Fix: {plain(remedy.fix)}",
                f"More: {guide(conclusion.reason)}",
            ]
        found.insert(0, Annotation(kind, headline(outcome), "\n".join(parts)))
    # One is left for what GitHub's Deployment has to warn of, which is known last.
    return found + _of_places(outcome, room=MOST_ANNOTATIONS - 1 - len(found))


def headline(outcome: Outcome) -> str:
    """Return the run in a few words."""
    verdict, remedy = outcome.conclusion.verdict, remedy_of(outcome)
    if outcome.chain is not None and not outcome.problems:
        from redeploy.core import checklist

        return f"{verdict}: {checklist.headline(outcome.chain)}"
    if verdict is Verdict.DEPLOYED and outcome.mode == Mode.ROLLBACK:
        return f"{verdict}: The image that was put back is live"
    if verdict in _GREEN:
        if verdict is Verdict.ALREADY_CURRENT and not (outcome.expected_version or outcome.expected_digest):
            return f"{verdict}: What the image's tag points to was live already, and still is"
        as_declared = verdict is Verdict.VERIFIED and (outcome.expected_version or outcome.expected_digest)
        return f"{verdict}: {_GREEN[verdict]}{' and as declared' if as_declared else ''}"
    if remedy and verdict in _BACK:
        return f"{verdict}: {_BACK[verdict]}; the deploy failed ({outcome.conclusion.reason})"
    if remedy:
        return f"{verdict}: {remedy.headline}"
    fallback = {
        Verdict.INVALID_CONFIG: "Some inputs are wrong; nothing was sent",
        Verdict.CANCELLED: "The run was cancelled",
        Verdict.INTERNAL_ERROR: "A defect of this action",
    }
    return f"{verdict}: {fallback.get(verdict, 'The run ended')}"


def happened(outcome: Outcome, *, brief: bool = False) -> str:
    """Return what was observed, in whole sentences; `brief` leaves out what stands elsewhere then: builds, a rollback."""
    rolled = outcome.rollback
    if rolled is not None:
        deploy = replace(rolled.deploy or outcome, rollback=None, detail=outcome.detail, service_now="")
        parts = (outcome.service_now, happened(deploy, brief=brief), "" if brief else rolled.told)
        return " ".join(filter(None, parts))
    said = [outcome.service_now] if outcome.service_now else []
    if outcome.detail:
        said.append(outcome.detail)
    said += [f"{each.told}." for each in outcome.checked.failed[:MOST_TOLD]]
    if (more := len(outcome.checked.failed) - MOST_TOLD) > 0:
        said.append(f"{more} more checks failed.")
    if outcome.checked.failed:
        return " ".join(said)  # the build is live: who answered what on the way is beside the point
    where, after = code(outcome.watchtower_origin), ""
    if outcome.answered_after is not None:
        after = f" after {outcome.answered_after:.1f} s"
    if outcome.watchtower_said and outcome.watchtower_replied:
        who = "Watchtower" if outcome.watchtower_itself else "The update URL"
        said.append(f"{who} at {where} answered{after}: {outcome.watchtower_said}.")
    elif outcome.watchtower_said:
        said.append(f"The request to Watchtower at {where} failed{after}: {outcome.watchtower_said}.")
    elif outcome.triggered:
        said.append(f"Watchtower at {where} has not answered.")
    said += [f"It says of {told}." for told in outcome.told_reasons]
    if outcome.in_turn:
        said.append("Old and new build answered in turn.")
    elif outcome.broken > 1:
        said.append(f"The new build did not stay: it answered well and failed {outcome.broken} times.")
    if outcome.last_seen and not outcome.service_now:
        said.append(f"The last response of the service at {code(outcome.url)} then was {outcome.last_seen}.")
    for what, wanted, live, before in (
        ("The service's version", outcome.expected_version, outcome.version, outcome.previous_version),
        ("The running digest", outcome.expected_digest, outcome.digest, outcome.previous_digest),
    ):
        if (wanted or live or before) and not brief:
            course = _course(wanted, live, before, triggered=outcome.triggered)
            said.append(f"{what}{'' if outcome.service_now else ' then'}: {course}.")
    if outcome.named:
        said.append(outcome.named)
    return " ".join(said)


def _course(declared: str, live: str, before: str, *, triggered: bool) -> str:
    """Say what was reported before the trigger and since, and what is declared; without a trigger there is no before."""
    parts = [f"declared {code(declared)}"] if declared else []
    if not live and before:
        return ", ".join([f"{code(before)} before the trigger, none reported since", *parts])
    if triggered:
        parts.insert(0, f"before: {code(before) if before else 'not reported'}")
    aside = f" ({', '.join(parts)})" if parts else ""
    return f"{code(live) if live else 'not reported'}{aside}"


def _of_places(outcome: Outcome, room: int) -> list[Annotation]:
    """Return annotations on lines of the reference file, as many as there is room for."""
    kind = "error" if outcome.conclusion.reason is Reason.BREAKING_CHANGE else "warning"
    return [
        Annotation(kind, "Operation gone", place.told, place.file, place.line)
        for place in outcome.checked.places[:room]
    ]


def _of_problems(outcome: Outcome) -> list[Annotation]:
    """Return one error an input; where there are more than the runner keeps, inputs share one."""
    by_input: dict[str, list[str]] = {}
    for problem in outcome.problems:
        by_input.setdefault(problem.input, []).append(f"`{problem.input}` {problem.message}")
    names = list(by_input)
    size = -(-len(names) // MOST_ANNOTATIONS)
    shared = [names[first : first + size] for first in range(0, len(names), size)] if names else []
    return [
        Annotation(
            "error",
            f"Input {', '.join(group)}",
            "\n".join(". ".join(by_input[name]) + "." for name in group),
        )
        for group in shared
    ]


def _of_chain(chain: "Chain") -> list[Annotation]:
    """Return an error for each link that is broken, and a warning for each that could be better."""
    from redeploy.core import checklist
    from redeploy.core.chain import TITLES, State

    found: list[Annotation] = []
    for kind, state in (("error", State.BROKEN), ("warning", State.WARNING)):
        for each in chain.those(state)[:MOST_ANNOTATIONS]:
            remedy, finding = each.remedy, each.finding
            if remedy is not None and finding is not None:
                parts = [checklist.told(chain, each), f"Likely cause: {remedy.cause}"]
                parts += [f"Fix: {plain(remedy.fix)}", f"More: {guide(finding)}"]
                found.append(Annotation(kind, f"{TITLES[each.link]}: {remedy.headline}", "\n".join(parts)))
    return found


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


def remedy_of(outcome: Outcome) -> Remedy | None:
    """Return what to do about a reason."""
    if outcome.loopback_refused:
        return LOOPBACK.about(outcome.subject)
    if outcome.conclusion.reason is Reason.NONE:
        return None
    return (outcome.remedy or REMEDIES[outcome.conclusion.reason]).about(outcome.subject)


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
"""Lists of the report that are cut where it is too long for an output, in this order."""


def _document(outcome: Outcome) -> dict[str, Any]:
    """Return the whole result as one JSON document, version 1."""
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
            {"kind": each.kind, "check": one_line(each.check), "passed": each.passed, "told": each.told}
            | ({} if each.seconds is None else {"seconds": _rounded(each.seconds)})
            for each in outcome.checked.findings
        ],
        "routes": {
            "compared-with": outcome.checked.compared_with,
            "added": list(outcome.checked.added),
            "removed": list(outcome.checked.removed),
        },
        "rollback": _rollback(outcome.rollback) if outcome.rollback else None,
        "notes": [*outcome.notes, *outcome.checked.notes],
        "looks": outcome.looks,
        "seen": dict(outcome.seen),
        "truncated": False,
        "links": _links(outcome),
        "problems": [{"input": problem.input, "message": problem.message} for problem in outcome.problems],
    }


def _rollback(rolled: "Rolled") -> dict[str, object]:
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
