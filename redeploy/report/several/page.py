"""Several services as the job summary: one table, one timeline, and the page of each service that is not green."""

from collections.abc import Mapping
from dataclasses import replace

from redeploy.remedies.remedy import guide
from redeploy.report import summary, wording
from redeploy.report.facts import About
from redeploy.report.gantt import Bar, drawn, phases
from redeploy.report.results import OneResult, RunResult, SeveralResults, representative
from redeploy.report.several.texts import headline, not_started, waits
from redeploy.report.several.whole import is_green
from redeploy.report.summary import Repository
from redeploy.text.markdown import folded, inline, table
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof, Reason, Verdict

COLUMNS = ("", "Service", "Before", "After", "Proof", "Verdict", "Downtime:")
MOST_PAGES = 20
"""Services whose whole page is folded below the table."""

MOST_LINES = 40
"""Services that the timeline shows."""

LEGEND = {
    "done": "Grey: the build from before.",
    "": "Blue: an unknown build.",
    "crit": "Red: no healthy response, or a build that was rolled back.",
    "active": "Green: the build that is live now.",
}
"""What the colours of the timeline mean, by mermaid's words for them."""


def page(result: SeveralResults, repository: Repository) -> str:
    """Return the summary in GitHub's Markdown."""
    services = result.services
    lines = [f"## {_sign(result)} {headline(result)}", ""]
    runs = {key: representative(each) for key, each in services.items()}
    lines += table(COLUMNS, (_row(key, each, repository) for key, each in runs.items()))
    warnings = [f"> {code(key)}: {inline(one)}" for key, each in runs.items() for one in each.facts.of(About.WARNING)]
    if warnings:
        lines += ["> [!WARNING]", *(line for each in warnings for line in (each, ">")), ""]
    lines += _times(runs)
    bad = [(key, each) for key, each in services.items() if not is_green(each) and not waits(each)]
    if waiting := [key for key, each in services.items() if waits(each)]:
        lines += [f"{not_started(waiting)} {linked_guide(Reason.EARLIER_WAVE)}", ""]
    for key, each in bad[:MOST_PAGES]:
        lines += folded(f"{key}: {wording.headline(each)}", summary.page(each, repository).splitlines()[2:])
    if left := bad[MOST_PAGES:]:
        lines += [f"The pages of {len(left)} more services are left out; their results are in the log.", ""]
    return "\n".join(lines).rstrip() + "\n"


def linked_guide(reason: Reason) -> str:
    """Return a link to what the guide says of a reason."""
    return f"[More on `{reason}`]({guide(reason)})"


def _sign(result: SeveralResults | OneResult) -> str:
    if isinstance(result, OneResult) and waits(result):
        return "⏸️"
    if not is_green(result):
        return "❌"
    return "⚠️" if result.conclusion.verdict is Verdict.UNPROVEN else "✅"


def _row(key: str, each: RunResult, repository: Repository) -> tuple[str, ...]:
    linked = repository if repository.has(each) else Repository()
    before, after = (
        summary.version_shown(version, linked) if version else code(summary.short(digest)) if digest else ""
        for version, digest in ((each.version.before, each.digest.before), (each.version.live, each.digest.live))
    )
    reason = f",\N{NO-BREAK SPACE}{code(each.conclusion.reason)}" if each.conclusion.reason else ""
    gone = each.downtime_seconds
    return (
        _sign(each),
        code(key),
        before,
        after,
        code(each.conclusion.proof.word) if each.conclusion.proof is not Proof.NONE else "",
        "not\N{NO-BREAK SPACE}started" if waits(each) else f"{code(each.conclusion.verdict)}{reason}",
        f"{gone:.1f} s" if gone else "none" if gone is not None else "",
    )


def _times(services: Mapping[str, RunResult]) -> list[str]:
    """Return what each service's address responded from when to when, as a chart and in figures."""
    lines = timeline(services)
    if not lines:
        return []
    took = [(key, bar.what, f"{bar.begin:.1f}", f"{bar.end:.1f}") for key, bars in lines.items() for bar in bars]
    figures = folded("The same in figures", table(("Service", "What", "From (s):", "To (s):"), took))
    shown = list(lines.items())[:MOST_LINES]
    chart = drawn(shown, max(bars[-1].end for bars in lines.values()))
    drawn_as = {bar.kind for _, bars in shown for bar in bars}
    legend = " ".join(meaning for kind, meaning in LEGEND.items() if kind in drawn_as)
    return ["### When", "", "```mermaid", *chart, "```", "", legend, "", *figures]


def timeline(services: Mapping[str, RunResult]) -> dict[str, list[Bar]]:
    """Return the phases of each service that was watched, in seconds since the first trigger of the run."""
    sent = [each.update.sent_wall for each in services.values() if each.update.triggered]
    first = min(sent, default=0.0)
    found = {}
    for key, each in services.items():
        begun = each.update.sent_wall - first if each.update.triggered else 0.0
        if bars := [replace(bar, begin=begun + bar.begin, end=begun + bar.end) for bar in phases(each)]:
            found[key] = bars
    return found
