"""The one GitHub issue of a failed run, as values: which one it is, what it says so far, and what to do with it.

An issue is known by a mark in its body: a hash of what must be the same from run to run, so that the issue of another
service, job or workflow is left alone. Nothing is sent here.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from redeploy.decision.verdict import Conclusion
from redeploy.text.spans import counted
from redeploy.verdicts import Verdict

LABEL = "redeploy-action"
"""The label of all our issues; listing by it leaves out those of others."""

LONGEST = 60_000
"""Characters of our texts; GitHub allows 65,536."""

LONGEST_KEPT = 65_000
"""Characters of a body to which people have added something."""

TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""`author_association` of people who may write here; everyone else may open an issue too, and copy a mark into it."""

RED = 1
_HEAD = re.compile(r"<!-- redeploy-action [0-9a-f]{32} ([a-z-]{1,40}/[a-z-]{0,40}) (\d{1,11}) (\d{1,9}) -->")
_SEEN = "**Last seen**"


class Ending(Enum):
    """What the end of a run means for its issue."""

    RED = auto()
    GREEN = auto()
    NEITHER = auto()
    """It says nothing about production: cancelled, invalid inputs, a defect of ours, or healthy and not proven."""


def ending_of(conclusion: Conclusion) -> Ending:
    """Return what a run's end means for its issue."""
    if conclusion.exit_code == RED:
        return Ending.RED
    green = conclusion.verdict in (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT, Verdict.VERIFIED, Verdict.READY)
    return Ending.GREEN if green else Ending.NEITHER


def mark_of(environment: Mapping[str, str], title: str, about: Sequence[str]) -> str:
    """Return the mark of a run's issue.

    Args:
        environment: the runner's variables: repository, workflow file and job.
        title: the title that the inputs give.
        about: what the run is about: the service's base URL or, with a config file, that file and its services.
    """
    workflow = environment.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    parts = [environment.get("GITHUB_REPOSITORY", ""), workflow, environment.get("GITHUB_JOB", ""), title, *about]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Seen:
    """The content of the first lines of an issue's body."""

    why: str
    """Verdict and reason: `stale/behind`."""
    since: float
    """When the first failed run ended, in seconds since 1970."""
    times: int
    """How many runs failed."""

    def again(self, why: str) -> "Seen":
        """Return the content after one more failed run."""
        return Seen(why, self.since, self.times + 1)


@dataclass(frozen=True)
class Issue:
    """An open issue of ours."""

    number: int
    body: str
    seen: Seen | None
    """None if a person has changed the first lines."""


def ours(listed: Iterable[object], mark: str) -> list[Issue]:
    """Return the open issues with the mark, the oldest first.

    With our label, which takes a right to set, an issue does not count where GitHub says that its author may not
    write here; without it, only where it says that its author is a bot, or may.
    """
    found = [_ours(each, mark) for each in listed if isinstance(each, dict)]
    return sorted((each for each in found if each is not None), key=lambda each: each.number)


def _ours(document: Mapping[str, Any], mark: str) -> Issue | None:
    number, body = document.get("number"), document.get("body")
    if not isinstance(number, int) or not isinstance(body, str):
        return None
    start = body.find(_opening(mark))
    if start < 0 or not _may_be_ours(document) or "pull_request" in document or document.get("state") != "open":
        return None
    head = _HEAD.match(body, start)
    return Issue(number, body, Seen(head[1], float(head[2]), int(head[3])) if head else None)


def _may_be_ours(document: Mapping[str, Any]) -> bool:
    user, association, labels = document.get("user"), document.get("author_association"), document.get("labels")
    if (isinstance(user, dict) and user.get("type") == "Bot") or association in TRUSTED:
        return True
    named = [each.get("name") for each in labels if isinstance(each, dict)] if isinstance(labels, list) else []
    return LABEL in named and association is None


def head(mark: str, seen: Seen, now: float, run_url: str) -> str:
    """Return the first lines of a body: the mark, which GitHub does not show, and when and how often it was so.

    Args:
        mark: the issue's mark.
        seen: the content of these lines.
        now: when the last failed run ended, in seconds since 1970.
        run_url: the page of that run; empty if unknown.
    """
    run = f" in [this run]({run_url})" if run_url else ""
    line = f"{_SEEN} {moment(now)}{run} · first seen {moment(seen.since)} · {counted(seen.times, 'red run')}"
    return f"{_opening(mark)}{seen.why} {seen.since:.0f} {seen.times} -->\n{line}"


def with_head(body: str, mark: str, lines: str) -> str:
    """Return the body of an issue with other first lines; everything that people wrote into it stays."""
    start = body.find(_opening(mark))
    before, rest = (body[:start], body[start:]) if start >= 0 else ("", body)
    _, _, following = rest.partition("\n") if start >= 0 else ("", "", rest)
    if following.startswith(_SEEN):
        following = following.partition("\n")[2]
    changed = f"{before}{lines}\n{following}"
    return changed if len(changed) <= LONGEST_KEPT else f"{lines}\n{following}"[:LONGEST_KEPT]


def moment(wall: float) -> str:
    """Return a time of day; `wall` is seconds since 1970."""
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M} UTC"


def _opening(mark: str) -> str:
    return f"<!-- redeploy-action {mark} "
