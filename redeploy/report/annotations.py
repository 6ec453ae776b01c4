"""A result as annotations; they are values, and nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redeploy.remedies.remedy import guide
from redeploy.report.facts import About
from redeploy.report.results import Examination, InvalidInputs, OneResult, Result, RunResult
from redeploy.report.wording import happened, headline, remedy_of
from redeploy.settings.reading import Problem
from redeploy.text.markdown import plain
from redeploy.verdicts import Reason, Verdict

if TYPE_CHECKING:  # only doctor has one
    from redeploy.report.chain import Chain


MOST_ANNOTATIONS = 10
"""Annotations of a kind that the runner keeps for each step."""


@dataclass(frozen=True)
class Annotation:
    """One annotation of the run; `kind` is `error`, `warning` or `notice`."""

    kind: str
    title: str
    message: str
    file: str = ""
    """Relative to the workspace; empty if it is not about a file."""
    line: int = 0
    column: int = 0


def annotations(result: InvalidInputs | OneResult) -> list[Annotation]:
    """Return the annotations: one headline with the remedy, or one for each invalid input or broken link."""
    match result:
        case InvalidInputs():
            return _of_problems(result.problems)
        case Examination():
            return _of_chain(result.chain)
        case RunResult():
            return _of_run(result)


def _of_run(run: RunResult) -> list[Annotation]:
    conclusion = run.conclusion
    found = [Annotation("warning", "Please check", warning) for warning in run.facts.of(About.WARNING)]
    if conclusion.exit_code or conclusion.verdict is Verdict.UNPROVEN:
        kind = "error" if conclusion.exit_code else "warning"
        remedy = remedy_of(run)
        parts = [happened(run), *_not_live(run)]
        if run.rollback and run.rollback.by_hand:
            parts.append(f"By hand: {plain(run.rollback.by_hand)}")
        if remedy:
            parts += [
                f"Likely cause: {remedy.cause}",
                f"Fix: {plain(remedy.fix)}",
                f"More: {guide(conclusion.reason)}",
            ]
        found.insert(0, Annotation(kind, headline(run), "\n".join(parts)))
    elif run.branch is not None and run.branch.commits:
        found.append(Annotation("notice", headline(run), "\n".join([run.branch.sentence, *_not_live(run)])))
    # Two are left for warnings about GitHub's Deployment and issue, which come last.
    return found + _of_places(run, room=MOST_ANNOTATIONS - 2 - len(found))


def _not_live(run: RunResult) -> list[str]:
    """Return the commits of a branch that are not live, as lines."""
    if run.branch is None:
        return []
    from redeploy.branch import shown  # few runs name a branch

    return shown.in_lines(run.branch)


def _of_places(run: RunResult, room: int) -> list[Annotation]:
    """Return annotations on lines of the reference file, as many as there is room for."""
    kind = "error" if run.conclusion.reason is Reason.BREAKING_CHANGE else "warning"
    return [
        Annotation(kind, "Operation removed", place.message, place.file, place.line)
        for place in run.checked.places[:room]
    ]


def _of_problems(problems: Sequence[Problem]) -> list[Annotation]:
    """Return one error for each input; if there are more than the runner keeps, inputs share one.

    Problems of a file are reported at their lines, one error each; the last one counts those without room.
    """
    if any(each.place for each in problems):
        return _of_file(problems)
    by_input: dict[str, list[str]] = {}
    for problem in problems:
        by_input.setdefault(problem.input, []).append(problem.sentence)
    names = list(by_input)
    size = -(-len(names) // MOST_ANNOTATIONS)
    shared = [names[first : first + size] for first in range(0, len(names), size)] if names else []
    return [
        Annotation(
            "error",
            f"Input {', '.join(group)}",
            "\n".join(" ".join(by_input[name]) for name in group),
        )
        for group in shared
    ]


def _of_file(problems: Sequence[Problem]) -> list[Annotation]:
    shown = problems if len(problems) <= MOST_ANNOTATIONS else problems[: MOST_ANNOTATIONS - 1]
    found = []
    for each in shown:
        place, message = each.place, each.sentence
        if place:
            found.append(Annotation("error", "Config file", message, place.file, place.line, place.column))
        else:
            found.append(Annotation("error", f"Input {each.input}", message))
    if more := len(problems) - len(shown):
        rest = f"{more} more problems were found. The log of this step and the job summary list all {len(problems)}."
        found.append(Annotation("error", "Config file", rest))
    return found


def without_room(result: Result) -> list[str]:
    """Return lines for the log that list all problems of a file, if they are more than the annotations show."""
    problems = result.problems if isinstance(result, InvalidInputs) else ()
    if len(problems) <= MOST_ANNOTATIONS or not any(each.place for each in problems):
        return []
    return [f"{each.where}: {each.sentence}" for each in problems]


def _of_chain(chain: "Chain") -> list[Annotation]:
    """Return an error for each broken link, and a warning for each that could be better."""
    from redeploy.report import chain_table
    from redeploy.report.chain import TITLES, State

    found: list[Annotation] = []
    for kind, state in (("error", State.BROKEN), ("warning", State.WARNING)):
        for each in chain.those(state)[:MOST_ANNOTATIONS]:
            remedy, finding = each.remedy, each.finding
            if remedy is not None and finding is not None:
                parts = [chain_table.observed(chain, each), f"Likely cause: {remedy.cause}"]
                parts += [f"Fix: {plain(remedy.fix)}", f"More: {guide(finding)}"]
                found.append(Annotation(kind, f"{TITLES[each.link]}: {remedy.headline}", "\n".join(parts)))
    return found
