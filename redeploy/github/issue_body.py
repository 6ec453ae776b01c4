"""The texts of an issue and its comments, in GitHub's Markdown: readable on a phone."""

import re

from redeploy.branch import shown
from redeploy.github.issue import LONGEST, Seen, moment
from redeploy.remedies.remedy import guide
from redeploy.report.results import Result, SeveralResults, chain_of, representative
from redeploy.report.wording import happened, headline, remedy_of
from redeploy.text.markdown import inline
from redeploy.text.spans import counted, span
from redeploy.text.untrusted import code

_ALONE = re.compile(r"`(sha256:[0-9a-f]{12})[0-9a-f]{52}`|`([0-9a-f]{12})[0-9a-f]{28}`")
"""A digest or a commit that is quoted alone."""

MOST_SERVICES = 50
"""Services that an issue lists."""

_KEPT = (
    "<sub>Kept by [redeploy-action](https://github.com/leok974/redeploy-action/blob/main/docs/watch.md): the next "
    "successful run closes it. A run that fails for the same reason only updates the first line.</sub>"
)


def opened(result: Result, run_url: str) -> str:
    """Return the text of an issue below its first lines."""
    return _within("\n".join([*_described(result, run_url), _KEPT]))


def changed(result: Result, before: Seen | None, run_url: str) -> str:
    """Return the comment of a run that failed for another reason than the one before."""
    was = f" (it was {code(before.why.rstrip('/').replace('/', ', '))})" if before else ""
    return _within("\n".join([f"Still failing, for another reason{was}.", "", *_described(result, run_url)]))


def closed(result: Result, before: Seen | None, now: float, run_url: str) -> str:
    """Return the comment with which the next successful run closes an issue."""
    lines = [f"### ✅ {headline(result)}", "", *_facts(result)]
    if before is not None:
        lasted = span(now - before.since)
        lines += [f"It failed for {lasted}, since {moment(before.since)}, in {counted(before.times, 'run')}.", ""]
    return _within("\n".join([*lines, *_run(run_url)]))


def duplicate(number: int) -> str:
    """Return the text that replaces that of an issue which was opened at the same time as another run's."""
    return f"Another run opened #{number} a moment before, and continues there."


def _described(result: Result, run_url: str) -> list[str]:
    lines = ["", f"### ❌ {headline(result)}", "", *_facts(result)]
    chain, run = chain_of(result), representative(result)
    if chain is not None:
        from redeploy.report.chain_table import checklist  # only doctor has one

        return [*lines, *checklist(chain), *_run(run_url)]
    if said := happened(run, brief=True):
        lines += [f"**What happened.** {inline(_brief(said))}", ""]
    if run.rollback is not None:
        lines += [f"**Rollback.** {inline(_brief(run.rollback.sentence))}", ""]
        lines += [f"**By hand.** {run.rollback.by_hand}", ""] if run.rollback.by_hand else []
    if remedy := remedy_of(run):
        reason = run.conclusion.reason
        lines += [f"**Likely cause.** {remedy.cause}", "", f"**Fix.** {remedy.fix}", ""]
        lines += [f"[More on `{reason}`]({guide(reason)})", ""]
    if run.branch is not None:
        lines += shown.section(run.branch)
    return [*lines, *_others(result), *_run(run_url)]


def _others(result: Result) -> list[str]:
    """Return the services that failed, if there are several; the text before is about the first of them."""
    if not isinstance(result, SeveralResults):
        return []
    from redeploy.report.several.whole import is_green  # few runs have several

    red = [(key, each) for key, each in result.services.items() if not is_green(each)]
    lines = [f"**{len(red)} of {len(result.services)} services are not as expected:**", ""]
    lines += [f"- {code(key)}: {inline(headline(each))}" for key, each in red[:MOST_SERVICES]]
    if (more := len(red) - MOST_SERVICES) > 0:
        lines.append(f"- and {more} more")
    return [*lines, ""]


def _facts(result: Result) -> list[str]:
    """Return what was expected and what is live, as a list, which a narrow screen shows without scrolling."""
    run = representative(result)
    branch = f"the head of {code(run.branch.branch)}" if run.branch and run.branch.head else ""
    expected = ", ".join(filter(None, (branch, _named(run.version.expected), _named(run.digest.expected))))
    live = ", ".join(filter(None, (_named(run.version.live), _named(run.digest.live))))
    facts = (
        ("Service", code(run.url) if run.url else ""),
        ("Expected", expected),
        ("Live", "nothing responds" if run.down else live or ("not reported" if expected else "")),
        ("Verdict", code(" / ".join(filter(None, (result.conclusion.verdict, result.conclusion.reason))))),
    )
    return [*(f"- **{name}:** {_brief(value)}" for name, value in facts if value), ""]


def _named(build: str) -> str:
    return code(build, 80) if build else ""


def _run(run_url: str) -> list[str]:
    return [f"[The run]({run_url})", ""] if run_url else []


def _brief(text: str) -> str:
    """Return a text with the digests and commits in it shortened."""
    return _ALONE.sub(lambda found: f"`{found[1] or found[2]}`", text)


def _within(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 60]}\n\nThe rest was cut off: it was too long."
