"""An outcome as outputs, annotations and a job summary: values, nothing is written here."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.core.hostile import code, one_line
from redeploy.core.outcome import Outcome
from redeploy.core.plan import Proof
from redeploy.core.reasons import LOOPBACK, REMEDIES, Reason, Remedy, Verdict, guide

MOST_ANNOTATIONS = 10
"""What the runner keeps of a kind for each step."""

MOST_SHOWN = 50
"""Operations that the summary lists of a kind."""

_GREEN = {
    Verdict.DEPLOYED: "The new build is live",
    Verdict.ALREADY_CURRENT: "What was declared was live already, and still is",
    Verdict.VERIFIED: "What runs is as declared",
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
        "added-routes": _array(outcome.checked.added),
        "removed-routes": _array(outcome.checked.removed),
        "failed-checks": _array([one_line(each.check) for each in outcome.checked.failed]),
        "rolled-back": "false",
        "url": outcome.url,
        "report": json.dumps(_document(outcome), ensure_ascii=True, separators=(",", ":")),
    }


def annotations(outcome: Outcome) -> list[Annotation]:
    """Return the annotations: one headline with the remedy, or one for each input that is wrong."""
    if outcome.problems:
        return _of_problems(outcome)
    conclusion = outcome.conclusion
    found = [Annotation("warning", "Deployed, with a remark", warning) for warning in outcome.warnings]
    if conclusion.exit_code or conclusion.verdict is Verdict.UNPROVEN:
        kind = "error" if conclusion.exit_code else "warning"
        remedy = _remedy(outcome)
        parts = [f"{happened(outcome)}"]
        if remedy:
            parts += [
                f"Likely cause: {remedy.cause}",
                f"Fix: {_plain(remedy.fix)}",
                f"More: {guide(conclusion.reason)}",
            ]
        found.insert(0, Annotation(kind, headline(outcome), "\n".join(parts)))
    return found + _of_places(outcome, room=MOST_ANNOTATIONS - len(found))


def headline(outcome: Outcome) -> str:
    """Return the run in a few words."""
    verdict, remedy = outcome.conclusion.verdict, _remedy(outcome)
    if verdict in _GREEN:
        return f"{verdict}: {_GREEN[verdict]}"
    if remedy:
        return f"{verdict}: {remedy.headline}"
    fallback = {
        Verdict.INVALID_CONFIG: "Some inputs are wrong; nothing was sent",
        Verdict.CANCELLED: "The run was cancelled",
        Verdict.INTERNAL_ERROR: "A defect of this action",
    }
    return f"{verdict}: {fallback.get(verdict, 'The run ended')}"


def happened(outcome: Outcome) -> str:
    """Return what was observed, in whole sentences."""
    said: list[str] = []
    if outcome.detail:
        said.append(outcome.detail)
    said += [f"{each.told}." for each in outcome.checked.failed]
    where, after = code(outcome.watchtower_origin), ""
    if outcome.answered_after is not None:
        after = f" after {outcome.answered_after:.1f} s"
    if outcome.watchtower_said and outcome.watchtower_replied:
        said.append(f"Watchtower at {where} answered{after}: {outcome.watchtower_said}.")
    elif outcome.watchtower_said:
        said.append(f"The request to Watchtower at {where} failed{after}: {outcome.watchtower_said}.")
    elif outcome.triggered:
        said.append(f"Watchtower at {where} has not answered.")
    said += [f"It says of {told}." for told in outcome.told_reasons]
    if outcome.last_seen:
        said.append(f"The service at {code(outcome.url)} answered last: {outcome.last_seen}.")
    for what, wanted, live, before in (
        ("version", outcome.expected_version, outcome.version, outcome.previous_version),
        ("digest", outcome.expected_digest, outcome.digest, outcome.previous_digest),
    ):
        if wanted or live or before:
            named = [code(each) if each else "not told" for each in (live, before)]
            declared = f", declared {code(wanted)}" if wanted else ""
            said.append(f"Its {what}: {named[0]} (before: {named[1]}{declared}).")
    return " ".join(said)


def summary(outcome: Outcome) -> str:
    """Return the job summary, in GitHub's Markdown."""
    conclusion, remedy = outcome.conclusion, _remedy(outcome)
    sign = "❌" if conclusion.exit_code else "⚠️" if conclusion.verdict is Verdict.UNPROVEN else "✅"
    lines = [f"## {sign} {headline(outcome)}", ""]
    if outcome.problems:
        lines += [*(f"- {code(problem.input)} {_inline(problem.message)}" for problem in outcome.problems), ""]
    if remedy and (conclusion.exit_code or conclusion.verdict is Verdict.UNPROVEN):
        lines += [f"**What happened:** {_inline(happened(outcome))}", "", f"**Likely cause:** {remedy.cause}", ""]
        lines += [f"**Fix:** {remedy.fix}", "", f"[More on `{conclusion.reason}`]({guide(conclusion.reason)})", ""]
    elif outcome.detail:
        lines += [_inline(outcome.detail), ""]
    rolled_out = conclusion.verdict is Verdict.DEPLOYED
    rows = [
        ("Verdict", code(conclusion.verdict)),
        ("Reason", code(conclusion.reason) if conclusion.reason else ""),
        (
            "Proof",
            code(conclusion.proof.word) if conclusion.proof is not Proof.NONE or not conclusion.exit_code else "",
        ),
        ("Service", code(outcome.url) if outcome.url else ""),
        ("Version", _change(outcome.previous_version, outcome.version)),
        ("Digest", _change(outcome.previous_digest, outcome.digest)),
        (
            "Watchtower",
            code(f"{outcome.watchtower_result}: {outcome.watchtower_said}") if outcome.watchtower_said else "",
        ),
        ("Rollout", f"{outcome.rollout_seconds:.1f} s" if rolled_out and outcome.rollout_seconds is not None else ""),
        ("Downtime", f"at most {outcome.downtime_seconds:.1f} s" if outcome.downtime_seconds else ""),
    ]
    lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows if value), ""]
    if outcome.evidence:
        lines += ["**How we know**", "", *(f"- {_inline(each)}" for each in outcome.evidence), ""]
    if outcome.moments:
        lines += [
            "**When**",
            "",
            "| Seconds | What |",
            "|--:|---|",
            *(f"| {at:.1f} | {what} |" for at, what in outcome.moments),
            "",
        ]
    lines += _checks(outcome)
    lines += [f"> {_inline(warning)}" for warning in outcome.warnings]
    lines += [_inline(note) for note in outcome.checked.notes]
    return "\n".join(lines).rstrip() + "\n"


def _checks(outcome: Outcome) -> list[str]:
    """Return the results of the checks, and what the operations differ by."""
    checked = outcome.checked
    lines = []
    if checked.findings:
        lines += ["**Checks**", "", "| | Check | Seconds |", "|---|---|--:|"]
        for each in checked.findings:
            seconds = f"{each.seconds:.3f}" if each.seconds is not None else ""
            lines.append(f"| {'✅' if each.passed else '❌'} | {_inline(each.told)} | {seconds} |")
        lines.append("")
    if checked.compared_with:
        added, removed = checked.added, checked.removed
        lines += [f"**Operations**, compared with {checked.compared_with}: {len(added)} added, {len(removed)} gone", ""]
        for word, operations in (("added", added), ("gone", removed)):
            lines += [f"- {word}: {code(each)}" for each in operations[:MOST_SHOWN]]
            more = len(operations) - MOST_SHOWN
            lines += [f"- {word}: and {more} more"] if more > 0 else []
        lines += [""] if added or removed else []
    return lines


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


def _remedy(outcome: Outcome) -> Remedy | None:
    if outcome.loopback_refused:
        return LOOPBACK
    return REMEDIES[outcome.conclusion.reason] if outcome.conclusion.reason is not Reason.NONE else None


def _change(before: str, after: str) -> str:
    if before == after or not before:
        return code(after) if after else ""
    return f"{code(before)} → {code(after) if after else 'not told'}"


def _inline(text: str) -> str:
    """Escape our own sentences, which quote texts from outside, for a line of Markdown; code spans in them stay."""
    pieces = re.split(r"(`[^`\n]*`)", text)
    return "".join(piece if piece.startswith("`") else _escaped(piece) for piece in pieces)


def _escaped(text: str) -> str:
    entities = {character: f"&#{ord(character)};" for character in "&<>|[]@#*_~\\`"}
    return re.sub(
        r"(?<=https)://|(?<=http)://|www\.",
        lambda each: f"{each[0][0]}&#8203;{each[0][1:]}",
        "".join(entities.get(each, each) for each in text),
    )


def _plain(markdown: str) -> str:
    """Return Markdown without the fences of its code blocks, for annotations, which are plain text."""
    return re.sub(r"\n*```\w*\n?", "\n", markdown).strip()


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0") if value else "0"


def _document(outcome: Outcome) -> dict[str, object]:
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
        "notes": list(outcome.checked.notes),
        "looks": outcome.looks,
        "problems": [{"input": problem.input, "message": problem.message} for problem in outcome.problems],
    }


def _array(texts: Sequence[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=True, separators=(",", ":"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
