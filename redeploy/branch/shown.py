"""Where production is compared with its branch, as headline, message lines, summary section and report values."""

from collections.abc import Mapping

from redeploy.branch.standing import Position, Standing
from redeploy.text.markdown import inline, link
from redeploy.text.spans import span
from redeploy.text.untrusted import code

MOST_NAMED = 5
"""Commits that a message lists."""

MOST_LISTED = 25
"""Commits that the job summary and the report list."""


def headline(position: Position) -> str:
    """Return the headline of a run whose build is fine."""
    if position.standing is Standing.WITHIN_GRACE:
        return f"The running build is healthy, and {position.lag} behind {code(position.branch)}"
    return f"The head of {code(position.branch)} is live and healthy"


def in_lines(position: Position) -> list[str]:
    """Return the first commits that are not live as lines of plain text, and the URL that lists all."""
    if not position.commits:
        return []
    lines = [f"- {each.sha[:7]} {each.subject}".rstrip() for each in position.commits[:MOST_NAMED]]
    more = position.missing - len(lines)
    lines += [f"- and {more:,} more"] if more > 0 else []
    return ["Not live yet:", *lines, *([position.url] if position.url else [])]


def section(position: Position) -> list[str]:
    """Return the commits that are not live as a section of the job summary, each with its link."""
    if not position.commits:
        return []
    lines = ["### Not live yet", ""]
    for each in position.commits[:MOST_LISTED]:
        shown = link(each.sha[:7], f"{position.page}/commit/{each.sha}") if position.page else code(each.sha[:7])
        age = f" · {span(position.asked_at - each.committed)} ago" if each.committed is not None else ""
        lines.append(f"- {shown} {inline(each.subject)}{age}")
    more = position.missing - min(len(position.commits), MOST_LISTED)
    lines += [f"- and {more:,} more"] if more > 0 else []
    return [*lines, "", *([f"[All that is not live]({position.url})", ""] if position.url else [])]


def document(position: Position) -> Mapping[str, object]:
    """Return the position as JSON values."""
    return {
        "name": position.branch,
        "standing": position.standing.value,
        "head": position.head,
        "missing": position.missing,
        "behind-seconds": None if position.behind_for is None else round(position.behind_for),
        "commits": [{"sha": each.sha, "subject": each.subject} for each in position.commits[:MOST_LISTED]],
    }
