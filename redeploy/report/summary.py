"""A result as the job summary: readable at a glance, with the remedy first if something failed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from redeploy.remedies.remedy import guide
from redeploy.report.facts import About
from redeploy.report.gantt import timeline_section
from redeploy.report.results import Change, Examination, InvalidInputs, OneResult, RunResult, representative
from redeploy.report.timeline import During
from redeploy.report.wording import happened, headline, remedy_of
from redeploy.service.declared import same_version
from redeploy.settings.reading import Problem
from redeploy.text.markdown import fenced, folded, inline, link, table
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof, Verdict

if TYPE_CHECKING:  # only doctor has one
    from redeploy.report.chain import Chain

INPUTS = "https://github.com/leok974/redeploy-action#inputs"
CONFIG_FILE = "https://github.com/leok974/redeploy-action/blob/main/docs/config.md"

MOST_SHOWN = 25
"""Operations of a kind that the page lists; the rest is in the outputs."""

MOST_FINDINGS = 100
"""Checks that the page lists."""

_ALONE = re.compile(r"`(sha256:[0-9a-f]{64})`")
"""A digest that is quoted by itself."""

_WATCHTOWER_DID = {
    "updated": "Watchtower updated the container",
    "accepted": "Watchtower accepted the request",
    "nothing": "Watchtower found nothing newer",
    "partial": "Watchtower updated some of the containers",
    "failed": "Watchtower reports that an update failed",
    "blocked": "Watchtower skipped the container",
    "busy": "Watchtower was busy with another update",
    "unknown": "Watchtower's response was lost",
}


@dataclass(frozen=True)
class Repository:
    """The repository that the workflow runs in, and the commit it runs for."""

    url: str = ""
    sha: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Repository":
        """Return the repository that the runner names; an empty one if that is not a repository's address."""
        url = f"{environment.get('GITHUB_SERVER_URL', '')}/{environment.get('GITHUB_REPOSITORY', '')}"
        sha = environment.get("GITHUB_SHA", "")
        fit = re.fullmatch(r"https?://[\w.:-]+/[\w.-]+/[\w.-]+", url) and re.fullmatch(r"[0-9a-f]{40,64}", sha)
        return cls(url, sha) if fit else cls()

    def has(self, run: RunResult) -> bool:
        """Return whether the versions of a run are commits of this repository: one of them is the commit of the workflow."""
        named = (run.version.expected, run.version.live, run.version.before)
        return any(same_version(self.sha, each) for each in named if self.sha and each)


def page(result: InvalidInputs | OneResult, repository: Repository) -> str:
    """Return the summary in GitHub's Markdown."""
    match result:
        case InvalidInputs():
            lines = [_title(result), "", *_problems(result.problems)]
            lines += _checklist(result.chain) if result.chain else _details(representative(result))
        case Examination():
            lines = [_title(result), "", *_about(result.seen, repository), *_checklist(result.chain)]
        case RunResult():
            lines = [_title(result), "", *_about(result, repository), *_of_run(result)]
    return "\n".join(lines).rstrip() + "\n"


def _title(result: InvalidInputs | OneResult) -> str:
    red, weak = bool(result.conclusion.exit_code), result.conclusion.verdict is Verdict.UNPROVEN
    return f"## {'❌' if red else '⚠️' if weak else '✅'} {headline(result)}"


def _checklist(chain: "Chain") -> list[str]:
    from redeploy.report.chain_table import checklist  # only doctor has one

    return checklist(chain)


def _of_run(run: RunResult) -> list[str]:
    facts, bad = run.facts, bool(run.conclusion.exit_code) or run.conclusion.verdict is Verdict.UNPROVEN
    warnings = [line for each in facts.of(About.WARNING) for line in ("> [!WARNING]", f"> {inline(each)}", "")]
    lines: list[str] = []
    if bad:
        lines += [*_remedy(run), *warnings]
    elif said := _story(run):
        lines += [said, "", *warnings]
    if run.branch is not None:
        from redeploy.branch.shown import section  # few runs name a branch

        lines += section(run.branch)
    lines += _listed("What was seen" if bad else "How we know", facts.of(About.EVIDENCE))
    lines += _listed("What was seen after the tag was put back", facts.of(About.EVIDENCE_AFTER))
    lines += [line for note in facts.of(About.NOTE) for line in (inline(note), "")]
    return [*lines, *_checks(run), *_operations(run), *timeline_section(run), *_details(run)]


def _listed(title: str, sentences: Sequence[str]) -> list[str]:
    """Return a section with a list, or with one sentence if there is only one; no section if there is none."""
    if not sentences:
        return []
    number = "1. " if len(sentences) > 1 else ""
    return [f"### {title}", "", *(f"{number}{inline(_brief(each))}" for each in sentences), ""]


def _problems(problems: Sequence[Problem]) -> list[str]:
    """Return a table of the invalid inputs."""
    if not any(problem.place for problem in problems):
        rows_of_inputs = ((code(problem.input), inline(problem.message)) for problem in problems)
        return [*table(("Input", "Problem"), rows_of_inputs), f"[What each input means]({INPUTS})", ""]
    lines = ((code(problem.where), inline(problem.described)) for problem in problems)
    return [*table(("Where", "Problem"), lines), f"[What the config file may contain]({CONFIG_FILE})", ""]


def _about(run: RunResult, repository: Repository) -> list[str]:
    """Say in one line which service it is, which build ran before and runs now, and how that is proven."""
    parts = [code(run.url)] if run.url else []
    linked = repository if repository.has(run) else Repository()
    declared, before, after = run.version.expected, run.version.before, run.version.live
    failed = run.rollback.deploy.version.live if run.rollback and run.rollback.deploy else ""
    if failed and failed not in (before, after):
        course = [version_shown(each, linked) for each in (before, failed, after) if each]
        parts.append(" → ".join(course))
    elif before and after and before != after:
        change = f"{version_shown(before, linked)} → {version_shown(after, linked)}"
        one, other = _commit(before), _commit(after)
        if linked.url and one and other:
            change += f" ([compare]({linked.url}/compare/{one}...{other}))"
        parts.append(change)
    elif after or before:
        when = "before: " if not after else "last: " if run.down else "live: " if declared else ""
        parts.append(f"{when}{version_shown(after or before, linked)}")
    if declared and not same_version(declared, after):
        parts.append(f"expected: {version_shown(declared, linked)}")
    digest = run.digest.expected
    if digest and not run.digest_as_declared:
        parts.append(f"expected: {code(short(digest))}, running: {code(short(run.digest.live) or 'not reported')}")
    if run.conclusion.proof is not Proof.NONE:
        parts.append(f"proof: {code(run.conclusion.proof.word)}")
    return [" · ".join(parts), ""] if parts else []


def short(digest: str) -> str:
    """Return enough of a digest to compare by eye; the folded facts have the whole one."""
    return digest[:19]


def _brief(text: str) -> str:
    """Return a text with its digests shortened, except in a command, which must be ready to paste."""
    return _ALONE.sub(lambda found: f"`{short(found[1])}`", text)


def version_shown(version: str, repository: Repository) -> str:
    """Return a version, as a link if it is a commit of the repository."""
    commit = _commit(version)
    if repository.url and commit:
        return link(commit[:7], f"{repository.url}/commit/{commit}")
    return code(commit[:12] if len(commit) >= 40 else version, 80)


def _commit(version: str) -> str:
    """Return the commit that a version names; empty if it is not a commit."""
    bare = version.strip().removeprefix("sha-").lower()
    return bare if re.fullmatch(r"[0-9a-f]{7,64}", bare) and re.search(r"\d", bare) else ""


def _remedy(run: RunResult) -> list[str]:
    remedy, reason, rolled = remedy_of(run), run.conclusion.reason, run.rollback
    said = happened(run, brief=True)
    lines = [f"**What happened.** {inline(_brief(said))}", ""] if said else []
    if rolled:
        lines += [f"**Rollback.** {inline(_brief(rolled.sentence))}", ""]
    if rolled and rolled.by_hand:
        lines += [f"**By hand.** {rolled.by_hand}", ""]
    if remedy:
        lines += [f"**Likely cause.** {remedy.cause}", "", f"**Fix.** {remedy.fix}", ""]
        lines += [f"[More on `{reason}`]({guide(reason)})", ""]
    return lines


def _story(run: RunResult) -> str:
    """Say in one sentence how a green run went."""
    said = []
    if run.rollback:
        said.append(inline(_brief(run.rollback.sentence)).removesuffix("."))
    if run.update.triggered:
        did = _WATCHTOWER_DID.get(run.update.result, "")
        after = f" after {run.update.answered:.1f} s" if run.update.answered is not None else ""
        said.append(f"{did}{after}")
    if run.conclusion.verdict is Verdict.DEPLOYED and run.rollout_seconds is not None:
        which = "the new build" if run.rollback is None else "it"
        said.append(f"{which} has been live since second {run.rollout_seconds:.1f}")
    if window := run.timeline.span(During.WINDOW):
        said.append(f"the service stayed healthy for the {window.end - window.begin:.1f} s of the window")
    if run.update.triggered and run.downtime_seconds is not None:
        gone = run.downtime_seconds
        said.append(f"it was unhealthy or unreachable for at most {gone:.1f} s" if gone else "no interruption was seen")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _checks(run: RunResult) -> list[str]:
    if run.checked.unasked:
        return []
    findings = sorted(run.checked.findings, key=lambda each: (not each.failed, each.passed))  # failures come first
    failed = len(run.checked.failed)
    title = f"{failed} of {len(findings)} checks failed" if failed else "Checks"
    shown = [
        (
            "✅" if each.passed else "⚠️" if each.only_warns else "❌",
            inline(each.sentence),
            f"{each.seconds * 1000:.0f} ms" if each.seconds is not None else "",
        )
        for each in findings[:MOST_FINDINGS]
    ]
    more = len(findings) - len(shown)
    left = [f"and {more} more", ""] if more else []
    timed = any(took for *_, took in shown)  # only smoke requests are
    heads = ("", "Check", "Took:")[: 2 + timed]
    return [f"### {title}", "", *table(heads, [each[: len(heads)] for each in shown]), *left]


def _operations(run: RunResult) -> list[str]:
    checked = run.checked
    notes = [f"{inline(note)}\n" for note in run.facts.of(About.NOTE_ON_CHECKS)]
    if not checked.compared_with:
        return notes
    added, removed = checked.added, checked.removed
    if not added and not removed:
        return [f"The OpenAPI document has the same operations as {checked.compared_with}.", "", *notes]
    lines = ["```diff"]
    all_added, all_removed = checked.counts
    for sign, operations, number in (("-", removed, all_removed), ("+", added, all_added)):
        lines += [f"{sign} {each}".replace("`", "'") for each in operations[:MOST_SHOWN]]
        more = number - MOST_SHOWN
        lines += [f"{sign} ... and {more} more"] if more > 0 else []
    counts = f"{all_added} added, {all_removed} removed"
    return ["### Routes", "", f"Compared with {checked.compared_with}: {counts}.", "", *lines, "```", "", *notes]


def _details(run: RunResult) -> list[str]:
    facts = [
        ("Verdict", code(run.conclusion.verdict)),
        ("Reason", code(run.conclusion.reason) if run.conclusion.reason else ""),
        ("Service", code(run.url) if run.url else ""),
        ("Health check", code(run.subject.health) if run.url and run.subject.health else ""),
        ("Container", code(run.subject.container) if run.subject.container else ""),
        ("Trigger sent", _moment(run.update.sent_wall) if run.update.triggered else ""),
        ("Image", code(run.image.reference) if run.image.reference else ""),
        ("Image, in the registry", code(run.image.digest) if run.image.digest else ""),
        ("Image, its commit", code(run.image.revision) if run.image.revision else ""),
        *_names("Version", run.version),
        *_names("Digest", run.digest),
        ("Watchtower", code(f"{run.update.result}: {run.update.said}") if run.update.said else ""),
        ("Put back", code(run.rollback.target) if run.rollback and run.rollback.target else ""),
        ("Rollout", f"{run.rollout_seconds:.1f} s" if run.rollout_seconds is not None else ""),
        ("Downtime", f"at most {run.downtime_seconds:.1f} s" if run.downtime_seconds is not None else ""),
    ]
    lines = folded("All facts", table(("Fact", "Value"), ((name, value) for name, value in facts if value)))
    if run.update.reply:
        lines += folded("Watchtower's response", fenced(run.update.reply))
    return lines


def _moment(wall: float) -> str:
    """Return a time of day; `wall` is seconds since 1970."""
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _names(what: str, names: Change) -> list[tuple[str, str]]:
    pairs = (("expected", names.expected), ("before", names.before), ("now", names.live))
    return [(f"{what}, {when}", code(text)) for when, text in pairs if text]
