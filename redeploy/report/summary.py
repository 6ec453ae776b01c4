"""An outcome as the job summary: readable at a glance, with the remedy first if something failed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redeploy.remedies.remedy import guide
from redeploy.report.gantt import gantt, rows
from redeploy.report.outcome import Outcome
from redeploy.report.wording import happened, headline, remedy_of
from redeploy.service.declared import same_version
from redeploy.text.markdown import fenced, folded, inline, link, table
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof, Reason, Verdict

INPUTS = "https://github.com/leok974/redeploy-action#inputs"
CONFIG_FILE = "https://github.com/leok974/redeploy-action/blob/main/docs/config.md"

WORTH_A_PICTURE = 1.0
"""Seconds; a shorter run has no chart."""

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

    def has(self, outcome: Outcome) -> bool:
        """Tell whether the versions of a run are commits of this repository: one of them is the commit it runs for."""
        named = (outcome.expected_version, outcome.version, outcome.previous_version)
        return any(same_version(self.sha, each) for each in named if self.sha and each)


def page(outcome: Outcome, repository: Repository) -> str:
    """Return the summary in GitHub's Markdown."""
    red, weak = bool(outcome.conclusion.exit_code), outcome.conclusion.verdict is Verdict.UNPROVEN
    sign = "❌" if red else "⚠️" if weak else "✅"
    lines = [f"## {sign} {headline(outcome)}", "", *_about(outcome, repository)]
    if outcome.chain is not None:
        from redeploy.report.chain_table import checklist  # only doctor has one

        lines += [*(_problems(outcome) if outcome.problems else []), *checklist(outcome.chain)]
        return "\n".join(lines).rstrip() + "\n"
    warnings = [line for each in outcome.warnings for line in ("> [!WARNING]", f"> {inline(each)}", "")]
    if outcome.problems:
        lines += _problems(outcome)
    elif red or weak:
        lines += [*_remedy(outcome), *warnings]
    elif said := _story(outcome):
        lines += [said, "", *warnings]
    if outcome.branch is not None:
        from redeploy.branch.shown import section  # few runs name a branch

        lines += section(outcome.branch)
    if outcome.evidence:
        lines += _listed("What was seen" if red or weak else "How we know", outcome.evidence)
    if outcome.rollback and outcome.rollback.evidence:
        lines += _listed("What was seen after the tag was put back", outcome.rollback.evidence)
    lines += [line for note in outcome.notes for line in (inline(note), "")]
    lines += [*_checks(outcome), *_operations(outcome), *_times(outcome), *_details(outcome)]
    return "\n".join(lines).rstrip() + "\n"


def _listed(title: str, sentences: Sequence[str]) -> list[str]:
    """Return a section with a list, or with one sentence if there is only one."""
    number = "1. " if len(sentences) > 1 else ""
    return [f"### {title}", "", *(f"{number}{inline(_brief(each))}" for each in sentences), ""]


def _problems(outcome: Outcome) -> list[str]:
    """Return a table of the invalid inputs."""
    if not any(problem.place for problem in outcome.problems):
        problems = ((code(problem.input), inline(problem.message)) for problem in outcome.problems)
        return [*table(("Input", "Problem"), problems), f"[What each input means]({INPUTS})", ""]
    lines = ((code(problem.where), inline(problem.told)) for problem in outcome.problems)
    return [*table(("Where", "Problem"), lines), f"[What the config file may contain]({CONFIG_FILE})", ""]


def _about(outcome: Outcome, repository: Repository) -> list[str]:
    """Say in one line which service it is, which build ran before and runs now, and how that is proven."""
    parts = [code(outcome.url)] if outcome.url else []
    linked = repository if repository.has(outcome) else Repository()
    declared, before, after = outcome.expected_version, outcome.previous_version, outcome.version
    failed = outcome.rollback.deploy.version if outcome.rollback and outcome.rollback.deploy else ""
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
        when = "before: " if not after else "last: " if outcome.down else "live: " if declared else ""
        parts.append(f"{when}{version_shown(after or before, linked)}")
    if declared and not same_version(declared, after):
        parts.append(f"expected: {version_shown(declared, linked)}")
    digest = outcome.expected_digest
    if digest and not outcome.digest_as_declared:
        parts.append(f"expected: {code(short(digest))}, running: {code(short(outcome.digest) or 'not reported')}")
    if outcome.conclusion.proof is not Proof.NONE:
        parts.append(f"proof: {code(outcome.conclusion.proof.word)}")
    return [" · ".join(parts), ""] if parts else []


def short(digest: str) -> str:
    """Return enough of a digest to compare by eye; the folded facts have the whole one."""
    return digest[:19]


def _brief(text: str) -> str:
    """Return a text with its digests shortened, except in a command, which must be ready to paste."""
    return _ALONE.sub(lambda found: f"`{short(found[1])}`", text)


def version_shown(version: str, repository: Repository) -> str:
    """Return a version, as a link where it is a commit of the repository."""
    commit = _commit(version)
    if repository.url and commit:
        return link(commit[:7], f"{repository.url}/commit/{commit}")
    return code(commit[:12] if len(commit) >= 40 else version, 80)


def _commit(version: str) -> str:
    """Return the commit that a version names; empty if it is not a commit."""
    bare = version.strip().removeprefix("sha-").lower()
    return bare if re.fullmatch(r"[0-9a-f]{7,64}", bare) and re.search(r"\d", bare) else ""


def _remedy(outcome: Outcome) -> list[str]:
    remedy, reason, rolled = remedy_of(outcome), outcome.conclusion.reason, outcome.rollback
    said = happened(outcome, brief=True)
    lines = [f"**What happened.** {inline(_brief(said))}", ""] if said else []
    if rolled:
        lines += [f"**Rollback.** {inline(_brief(rolled.told))}", ""]
    if rolled and rolled.by_hand:
        lines += [f"**By hand.** {rolled.by_hand}", ""]
    if remedy:
        lines += [f"**Likely cause.** {remedy.cause}", "", f"**Fix.** {remedy.fix}", ""]
        lines += [f"[More on `{reason}`]({guide(reason)})", ""]
    return lines


def _story(outcome: Outcome) -> str:
    """Say in one sentence how a green run went."""
    said = []
    if outcome.rollback:
        said.append(inline(_brief(outcome.rollback.told)).removesuffix("."))
    if outcome.triggered:
        did = _WATCHTOWER_DID.get(outcome.watchtower_result, "")
        after = f" after {outcome.answered_after:.1f} s" if outcome.answered_after is not None else ""
        said.append(f"{did}{after}")
    if outcome.conclusion.verdict is Verdict.DEPLOYED and outcome.rollout_seconds is not None:
        which = "the new build" if outcome.rollback is None else "it"
        said.append(f"{which} has been live since second {outcome.rollout_seconds:.1f}")
    if outcome.stable:
        said.append(f"the service stayed healthy for the {outcome.stable[1] - outcome.stable[0]:.1f} s of the window")
    if outcome.triggered and outcome.downtime_seconds is not None:
        gone = outcome.downtime_seconds
        said.append(f"it was unreachable for at most {gone:.1f} s" if gone else "no interruption was seen")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _checks(outcome: Outcome) -> list[str]:
    findings = sorted(outcome.checked.findings, key=lambda each: (not each.failed, each.passed))  # failures come first
    if all(each.kind is Reason.OPENAPI and each.passed for each in findings):
        return []  # no input asked for a check of the document alone
    failed = len(outcome.checked.failed)
    title = f"{failed} of {len(findings)} checks failed" if failed else "Checks"
    shown = [
        (
            "✅" if each.passed else "⚠️" if each.only_warns else "❌",
            inline(each.told),
            f"{each.seconds * 1000:.0f} ms" if each.seconds is not None else "",
        )
        for each in findings[:MOST_FINDINGS]
    ]
    more = len(findings) - len(shown)
    left = [f"and {more} more", ""] if more else []
    return [f"### {title}", "", *table(("", "Check", "Took:"), shown), *left]


def _operations(outcome: Outcome) -> list[str]:
    checked = outcome.checked
    notes = [f"{inline(note)}\n" for note in checked.notes]
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


def _times(outcome: Outcome) -> list[str]:
    """Return the chart of the run with its folded table; nothing for a run without a course to draw."""
    if not outcome.stretches or outcome.ended < WORTH_A_PICTURE:
        return []
    took = [
        (f"{row.begin:.1f}", f"{row.end:.1f}", f"{row.what}: {row.said}" if row.said else row.what)
        for row in rows(outcome)
    ]
    figures = folded("The same in figures", table(("From (s):", "To (s):", "What"), took))
    return ["### When", "", "```mermaid", *gantt(outcome), "```", "", *figures]


def _details(outcome: Outcome) -> list[str]:
    facts = [
        ("Verdict", code(outcome.conclusion.verdict)),
        ("Reason", code(outcome.conclusion.reason) if outcome.conclusion.reason else ""),
        ("Service", code(outcome.url) if outcome.url else ""),
        ("Health check", code(outcome.subject.health) if outcome.url and outcome.subject.health else ""),
        ("Container", code(outcome.subject.container) if outcome.subject.container else ""),
        ("Trigger sent", _moment(outcome.triggered_at) if outcome.triggered else ""),
        ("Image", code(outcome.image) if outcome.image else ""),
        ("Image, in the registry", code(outcome.image_digest) if outcome.image_digest else ""),
        ("Image, its commit", code(outcome.revision) if outcome.revision else ""),
        *_before_and_after("Version", outcome.expected_version, outcome.previous_version, outcome.version),
        *_before_and_after("Digest", outcome.expected_digest, outcome.previous_digest, outcome.digest),
        (
            "Watchtower",
            code(f"{outcome.watchtower_result}: {outcome.watchtower_said}") if outcome.watchtower_said else "",
        ),
        ("Put back", code(outcome.rollback.target) if outcome.rollback and outcome.rollback.target else ""),
        ("Rollout", f"{outcome.rollout_seconds:.1f} s" if outcome.rollout_seconds is not None else ""),
        ("Downtime", f"at most {outcome.downtime_seconds:.1f} s" if outcome.downtime_seconds is not None else ""),
    ]
    lines = folded("All facts", table(("Fact", "Value"), ((name, value) for name, value in facts if value)))
    if outcome.watchtower_reply:
        lines += folded("Watchtower's response", fenced(outcome.watchtower_reply))
    return lines


def _moment(wall: float) -> str:
    """Return a time of day; `wall` is seconds since 1970."""
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _before_and_after(what: str, declared: str, before: str, after: str) -> list[tuple[str, str]]:
    return [
        (f"{what}, {when}", code(text))
        for when, text in (("expected", declared), ("before", before), ("now", after))
        if text
    ]
