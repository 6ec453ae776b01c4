"""Where production is compared with its branch: the judgement of GitHub's responses, as values."""

import urllib.parse
from dataclasses import dataclass
from enum import StrEnum

from redeploy.branch.comparison import MOST_READ, Commit, Comparison, behind_since
from redeploy.branch.names import commit_of
from redeploy.text.spans import counted, span
from redeploy.text.untrusted import code


class Standing(StrEnum):
    """What the comparison amounts to."""

    CURRENT = "current"
    """The head of the branch is live."""
    WITHIN_GRACE = "within-grace"
    """Production is behind, but within the grace period."""
    BEHIND = "behind"
    ELSEWHERE = "elsewhere"
    """The live build is not a commit of the branch."""
    UNNAMED = "unnamed"
    """The service does not name a commit, or the branch does not exist."""
    UNKNOWN = "unknown"
    """GitHub could not be asked."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where production is compared with its branch. Durations are in seconds."""

    standing: Standing
    branch: str
    live: str = ""
    """The version that the service names."""
    head: str = ""
    """The commit that the branch is at; empty if it is not known."""
    missing: int = 0
    """Commits of the branch that are not live."""
    behind_for: float | None = None
    """How long the oldest of them has been waiting; None if unknown."""
    at_least: bool = False
    """Whether it may have been longer, because not every commit was read."""
    grace: float = 0.0
    commits: tuple[Commit, ...] = ()
    """The commits that are not live, the newest first."""
    asked_at: float = 0.0
    """When GitHub was asked, in seconds since 1970."""
    page: str = ""
    """The repository's page; empty if it is not known."""
    why: str = ""
    """What was observed, in whole sentences, unless production is behind."""

    @property
    def lag(self) -> str:
        """How far production is behind: `3 commits and 2 h 10 min`."""
        commits = counted(self.missing, "commit")
        if self.behind_for is None:
            return commits
        return f"{commits} and {'more than ' if self.at_least else ''}{span(self.behind_for)}"

    @property
    def url(self) -> str:
        """The page that compares both; empty if there is nothing to compare."""
        known = self.page and commit_of(self.live) and self.head
        return f"{self.page}/compare/{self.live}...{urllib.parse.quote(self.branch, safe='/')}" if known else ""

    @property
    def sentence(self) -> str:
        """Where production is compared with its branch, in whole sentences."""
        branch, live, head = code(self.branch), code(self.live[:12]), code(self.head[:12])
        match self.standing:
            case Standing.CURRENT:
                return f"The head of {branch}, {head}, is live."
            case Standing.WITHIN_GRACE:
                allowed = f"`grace` allows {span(self.grace)}"
                return f"Production is {self.lag} behind {branch} ({live} is live, {head} is its head); {allowed}."
            case Standing.BEHIND:
                many = self.missing > MOST_READ
                allowed = f"; `grace` allows {span(self.grace)}" if self.grace else ""
                allowed = f"; more than {MOST_READ} commits are too many, whatever `grace` is" if many else allowed
                return f"Production is {self.lag} behind {branch}: {live} is live, and {head} is its head{allowed}."
            case _:
                return self.why


def judged(compared: Comparison, position: Position, now: float) -> Position:
    """Return where production is, from a comparison in which the branch is ahead of it or identical.

    Args:
        compared: GitHub's answer.
        position: what else is known; its standing is ignored.
        now: our clock, in seconds since 1970.
    """
    since = behind_since(compared.commits, position.head, now)
    behind_for = None if since is None else now - since
    waiting = position.grace if behind_for is None else behind_for
    too_many = compared.total > MOST_READ
    late = too_many or waiting >= position.grace
    return Position(
        standing=Standing.BEHIND if late else Standing.WITHIN_GRACE,
        branch=position.branch,
        live=position.live,
        head=position.head,
        missing=compared.total,
        behind_for=behind_for,
        at_least=not compared.whole,
        grace=position.grace,
        commits=compared.commits[::-1],
        asked_at=now,
        page=position.page,
    )
