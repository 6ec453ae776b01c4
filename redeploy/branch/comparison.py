"""GitHub's comparison of two commits, read from its response: which commits are missing, and since when.

The shape is that of `GET /repos/{owner}/{repo}/compare/{basehead}` in GitHub's OpenAPI description: `status` says where the
branch is, seen from the commit, and without a page in the request `commits` holds the newest 250, the oldest first.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from redeploy.text.untrusted import one_line

MOST_READ = 250
"""Commits in one response."""

MOST_COUNTED = 1_000_000
"""Commits beyond which the exact number does not matter."""

LONGEST_SUBJECT = 72
"""Characters of a commit's first line that are shown."""

_READ_OF_MESSAGE = 2_000
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Relation(StrEnum):
    """Where the branch is, seen from the live commit."""

    IDENTICAL = "identical"
    AHEAD = "ahead"
    """The branch has commits that are not live."""
    BEHIND = "behind"
    """The live build has commits that the branch does not have."""
    DIVERGED = "diverged"


@dataclass(frozen=True)
class Commit:
    """One commit of the branch."""

    sha: str
    subject: str
    """The first line of its message, as one harmless line."""
    committed: float | None
    """When it was committed, in seconds since 1970; None if that is not reported."""
    parents: tuple[str, ...] | None
    """None where they are not reported."""


@dataclass(frozen=True)
class Comparison:
    """What one response says."""

    relation: Relation
    base: str
    """The commit that GitHub understood as the live one."""
    total: int
    """Commits that are missing."""
    commits: tuple[Commit, ...] = ()
    """Those in the response, the oldest first."""

    def followed_by(self, more: "Comparison") -> "Comparison":
        """Return the comparison with the commits of the next page added."""
        return Comparison(self.relation, self.base, self.total, self.commits + more.commits)

    @property
    def whole(self) -> bool:
        """Whether every missing commit is listed."""
        return len(self.commits) >= self.total


def read(document: object, redact: Callable[[str], str]) -> Comparison | None:
    """Return the comparison in a response; None if it is not one."""
    found = _mapping(document)
    relation = found.get("status")
    base = _sha(_mapping(found.get("base_commit")).get("sha"))
    total, listed = found.get("total_commits"), found.get("commits")
    if not isinstance(relation, str) or relation not in set(Relation) or not base or not isinstance(listed, list):
        return None
    if isinstance(total, bool) or not isinstance(total, int):
        return None
    commits = tuple(each for each in (_commit(one, redact) for one in listed) if each)
    return Comparison(Relation(relation), base, min(max(total, len(commits)), MOST_COUNTED), commits)


def head_of(document: object) -> str:
    """Return the commit that a branch is at, from GitHub's response about it; empty if it names none."""
    return _sha(_mapping(_mapping(document).get("commit")).get("sha"))


def behind_since(commits: Sequence[Commit], head: str, now: float) -> float | None:
    """Return since when production is behind, in seconds since 1970; None if no commit has a date.

    That is the oldest committer date on the way of first parents from the head of the branch: a commit that was merged long
    after it was written counts from the merge on. Where no parents are reported, the oldest of all counts.

    Args:
        commits: those that are missing, the oldest first.
        head: the commit that the branch is at.
        now: our clock; a date after it counts as now.
    """
    by_sha = {each.sha: each for each in commits}
    way: list[Commit] = []
    if any(each.parents is not None for each in commits):
        here = by_sha.get(head) or (commits[-1] if commits else None)
        while here is not None:
            way.append(by_sha.pop(here.sha))  # so that a circle of parents ends
            here = by_sha.get(here.parents[0]) if here.parents else None
    dates = [each.committed for each in way or commits if each.committed is not None]
    return min(now, *dates) if dates else None


def _commit(document: object, redact: Callable[[str], str]) -> Commit | None:
    found = _mapping(document)
    sha, about = _sha(found.get("sha")), _mapping(found.get("commit"))
    if not sha:
        return None
    message = about.get("message")
    subject = redact(message[:_READ_OF_MESSAGE]).strip().partition("\n")[0] if isinstance(message, str) else ""
    listed = found.get("parents")
    parents = (
        tuple(filter(None, (_sha(_mapping(each).get("sha")) for each in listed))) if isinstance(listed, list) else None
    )
    return Commit(
        sha, one_line(subject, LONGEST_SUBJECT), _moment(_mapping(about.get("committer")).get("date")), parents
    )


def _moment(text: object) -> float | None:
    """Return the seconds since 1970 of a date as GitHub writes it."""
    if not isinstance(text, str) or len(text) > len("2026-01-20T10:00:00.000000+00:00"):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _sha(text: object) -> str:
    return text if isinstance(text, str) and _SHA.fullmatch(text) else ""


def _mapping(document: object) -> Mapping[str, Any]:
    return document if isinstance(document, dict) else {}
