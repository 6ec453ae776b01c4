"""Several services as the job summary: one table, one timeline, and the page of each service that is not green."""

from collections.abc import Mapping

from redeploy.remedies.remedy import guide
from redeploy.report import summary, wording
from redeploy.report.facts import About
from redeploy.report.gantt import Bar, drawn
from redeploy.report.results import OneResult, RunResult, SeveralResults, spokesman
from redeploy.report.several.texts import headline, not_started, waits
from redeploy.report.several.whole import is_green
from redeploy.report.summary import Repository
from redeploy.text.markdown import folded, inline, table
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof, Reason, Verdict

COLUMNS = ("", "Service", "Before", "After", "Proof", "Verdict", "Downtime:")
MOST_PAGES = 20
"""Services whose whole page is folded below the table."""

MOST_BARS = 40
"""Services that the timeline shows."""


def page(result: SeveralResults, repository: Repository) -> str:
    """Return the summary in GitHub's Markdown."""
    services = result.services
    lines = [f"## {_sign(result)} {headline(result)}", ""]
    runs = {key: spokesman(each) for key, each in services.items()}
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
        lines += [f"The pages of {len(left)} more services are left out; the log has what they came to.", ""]
    return "\n".join(lines).rstrip() + "\n"


def linked_guide(reason: Reason) -> str:
    """Return a link to what the guide says of a reason."""
    return f"[More on `{reason}`]({guide(reason)})"


def _sign(result: SeveralResults | OneResult) -> str:
    if not is_green(result):
        return "❌"
    return "⚠️" if result.conclusion.verdict is Verdict.UNPROVEN else "✅"


def _row(key: str, each: RunResult, repository: Repository) -> tuple[str, ...]:
    linked = repository if repository.has(each) else Repository()
    before, after = (
        summary.version_shown(version, linked) if version else code(summary.short(digest)) if digest else ""
        for version, digest in ((each.version.before, each.digest.before), (each.version.live, each.digest.live))
    )
    reason = f", {code(each.conclusion.reason)}" if each.conclusion.reason else ""
    gone = each.downtime_seconds
    return (
        _sign(each),
        code(key),
        before,
        after,
        code(each.conclusion.proof.word) if each.conclusion.proof is not Proof.NONE else "",
        f"{code(each.conclusion.verdict)}{reason}",
        f"{gone:.1f} s" if gone else "none" if gone is not None else "",
    )


def _times(services: Mapping[str, RunResult]) -> list[str]:
    """Return when each service was watched, from the first trigger on, as a chart and in figures."""
    bars = timeline(services)
    if not bars:
        return []
    took = [(bar.what, f"{bar.begin:.1f}", f"{bar.end:.1f}", bar.said) for bar in bars]
    figures = folded("The same in figures", table(("Service", "From (s):", "To (s):", "What"), took))
    chart = drawn(bars[:MOST_BARS], max(bar.end for bar in bars))
    return ["### When", "", "```mermaid", *chart, "```", "", *figures]


def timeline(services: Mapping[str, RunResult]) -> list[Bar]:
    """Return a bar for each service that was watched, in seconds since the first trigger of the run."""
    sent = [each.update.sent_wall for each in services.values() if each.update.triggered]
    first = min(sent, default=0.0)
    bars = []
    for key, each in services.items():
        if not each.timeline.stretches and not each.update.triggered:
            continue
        begin = each.update.sent_wall - first if each.update.triggered else 0.0
        kind = "active" if is_green(each) else "crit"
        bars.append(Bar(key, kind, begin, begin + each.timeline.ended, each.conclusion.verdict.value))
    return bars
