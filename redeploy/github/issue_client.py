"""Keeps the one issue of a failed run: five calls at most, in a thread while the run ends.

Sources: docs.github.com, REST API, "Create an issue" (labels are dropped without a word where the token may not set them;
410 where issues are disabled) and "List repository issues".
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from redeploy.github import issue_body
from redeploy.github.connection import Ask, asking, trouble_of_error
from redeploy.github.deployment import Place, warning
from redeploy.github.issue import LABEL, Ending, Issue, Seen, head, ours, with_head
from redeploy.github.retry import LATE, Trouble
from redeploy.report.results import Result
from redeploy.rollout.workers import start_thread
from redeploy.text.secret import Secret

MOST_CALLS = 5
RIGHT = "issues: write"
_POLL = 0.05


@dataclass(frozen=True)
class Bounds:
    """Seconds that the end of a run may wait for GitHub."""

    whole: float = 40.0
    hurried: float = 1.0
    """After a signal: the run must end within 2 s."""
    looked_again_after: float = 3.0
    """Seconds after an issue was opened, because two runs may have done so at once, or after a response was lost."""


@dataclass(frozen=True)
class IssueReport:
    """What to report about a run."""

    ending: Ending
    result: Result
    mark: str
    title: str
    why: str
    """Verdict and reason."""
    now: float
    """When the run ended, in seconds since 1970."""


@dataclass(frozen=True)
class Kept:
    """What happened to the issue."""

    did: str = ""
    """What was done; empty if there was nothing to do, or nothing could be done."""
    number: int | None = None
    warning: str = ""


class IssueClient:
    """Keeps one issue; whatever happens there, the run continues."""

    def __init__(
        self, place: Place, token: Secret, redact: Callable[[str], str] = str, bounds: Bounds | None = None
    ) -> None:
        self._place = place
        self._token = token
        self._redact = redact
        self._bounds = bounds or Bounds()
        self._kept = Kept()
        self._doing = "look for the issue"
        self._finished, self._hurry = threading.Event(), threading.Event()

    def keep(self, report: IssueReport, hurried: Callable[[], bool]) -> Kept:
        """Open, update or close the issue, and return what happened; `hurried` says whether a signal has come."""
        until = time.monotonic() + self._bounds.whole
        start_thread(self._run, report)
        while not self._finished.wait(_POLL):
            if hurried() and not self._hurry.is_set():
                self._hurry.set()
                until = min(until, time.monotonic() + self._bounds.hurried)
            if time.monotonic() >= until:
                return replace(self._kept, warning=self._warning(LATE))
        return self._kept

    def _run(self, report: IssueReport) -> None:
        try:
            with asking(self._place, self._token) as ask:
                issues = _Issues(ask, report, self._redact, self._place.run_url)
                keep = self._close if report.ending is Ending.GREEN else self._open_or_update
                keep(issues, report)
        except Exception as error:  # noqa: BLE001 - PyGithub raises what it meets; a failure there must not change the verdict
            self._kept = replace(self._kept, warning=self._warning(trouble_of_error(error)))
        finally:
            self._finished.set()

    def _warning(self, trouble: Trouble) -> str:
        return warning(self._doing, trouble, self._redact, right=RIGHT)

    def _open_or_update(self, issues: "_Issues", report: IssueReport) -> None:
        """Open the issue of a failed run, or update it."""
        found = issues.look()
        if not found:
            self._open(issues, report)
            return
        oldest, *younger = found
        for each in younger[: max(0, issues.calls_left - 2)]:
            issues.close_as_duplicate(each.number, each.seen, of=oldest.number)
        did = "updated"
        if oldest.seen is not None and oldest.seen.why != report.why:
            self._doing = f"comment on the issue #{oldest.number}"
            issues.comment(oldest.number, issue_body.changed(report.result, oldest.seen, self._place.run_url))
            did = "commented, because the reason has changed"
            self._kept = Kept(did, oldest.number)
        self._doing = f"update the issue #{oldest.number}"
        issues.update(oldest)
        self._kept = Kept(did, oldest.number)

    def _close(self, issues: "_Issues", report: IssueReport) -> None:
        """Comment what is live, and close the open issues."""
        oldest, *others = issues.look() or (None,)
        if oldest is None:
            return
        self._doing = f"close the issue #{oldest.number}"
        issues.comment(oldest.number, issue_body.closed(report.result, oldest.seen, report.now, self._place.run_url))
        issues.change(oldest.number, state="closed", state_reason="completed")
        self._kept = Kept("closed", oldest.number)
        for each in others[: issues.calls_left]:
            self._doing = f"close the issue #{each.number}"
            issues.close_as_duplicate(each.number, each.seen, of=oldest.number)

    def _open(self, issues: "_Issues", report: IssueReport) -> None:
        self._doing = "open the issue"
        number = self._opened(issues)
        self._kept = Kept("opened", number)
        if issues.calls_left < 2 or self._hurry.wait(self._bounds.looked_again_after):
            return
        self._doing = f"see whether another run has opened an issue as well as #{number}"
        oldest = next(iter(issues.listed(labelled=False)), None)
        if oldest is not None and oldest.number < number:
            issues.close_as_duplicate(number, Seen(report.why, report.now, 1), of=oldest.number)
            self._kept = Kept(f"opened by another run at the same time; #{number} is closed", oldest.number)

    def _opened(self, issues: "_Issues") -> int:
        """Open an issue; if the response is lost, search for the issue before opening another."""
        while True:
            try:
                return issues.open()
            except Exception as error:
                trouble = trouble_of_error(error)
                lost = not (trouble.refused or trouble.rate_limited) and issues.calls_left
                if not lost or self._hurry.wait(self._bounds.looked_again_after):
                    raise
                if found := issues.listed(labelled=False):
                    return found[0].number
                if not issues.calls_left:
                    raise


class _Issues:
    """The issues with one mark; every call is counted."""

    def __init__(self, ask: Ask, report: IssueReport, redact: Callable[[str], str], run_url: str) -> None:
        self._ask = ask
        self._report = report
        self._redact = redact
        self._run_url = run_url
        self.calls_left = MOST_CALLS

    def look(self) -> list[Issue]:
        """Return the open issues, the oldest first; those without our label only if there is none with it."""
        return self.listed(labelled=True) or self.listed(labelled=False)

    def listed(self, *, labelled: bool) -> list[Issue]:
        """Return the issues on one page."""
        wanted = {"state": "open", "per_page": "100", "sort": "created", "direction": "desc"}
        found = self._call("GET", "issues", parameters=wanted | ({"labels": LABEL} if labelled else {}))
        return ours(found, self._report.mark) if isinstance(found, list) else []

    def open(self) -> int:
        """Open an issue, and return its number.

        Raises:
            ValueError: the response is not GitHub's.
        """
        report = self._report
        text = issue_body.opened(report.result, self._run_url)
        body = f"{self._head(Seen(report.why, report.now, 1))}\n{text}"
        asked = {"title": self._redact(report.title), "body": self._redact(body), "labels": [LABEL]}
        answer = self._call("POST", "issues", asked)
        number = answer.get("number") if isinstance(answer, dict) else None
        if not isinstance(number, int):
            msg = "a response without a number"
            raise ValueError(msg)  # noqa: TRY004 - GitHub's answer is wrong, and no argument of ours
        return number

    def update(self, issue: Issue) -> None:
        """Update the first lines of an issue."""
        report = self._report
        seen = issue.seen.again(report.why) if issue.seen else Seen(report.why, report.now, 1)
        self.change(issue.number, body=with_head(issue.body, report.mark, self._head(seen)))

    def comment(self, number: int, text: str) -> None:
        """Write a comment."""
        self._call("POST", f"issues/{number}/comments", {"body": self._redact(text)})

    def close_as_duplicate(self, number: int, seen: Seen | None, *, of: int) -> None:
        """Close an issue with a link to another."""
        report = self._report
        lines = self._head(seen or Seen(report.why, report.now, 1))
        self.change(number, body=f"{lines}\n\n{issue_body.duplicate(of)}", state="closed", state_reason="not_planned")

    def change(self, number: int, **changed: str) -> None:
        """Change the given fields of an issue."""
        safe = {name: self._redact(text) if name == "body" else text for name, text in changed.items()}
        self._call("PATCH", f"issues/{number}", safe)

    def _head(self, seen: Seen) -> str:
        return head(self._report.mark, seen, self._report.now, self._run_url)

    def _call(
        self,
        method: str,
        path: str,
        asked: Mapping[str, object] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> object:
        if not self.calls_left:
            msg = "more calls than are allowed"
            raise AssertionError(msg)
        self.calls_left -= 1
        return self._ask(method, path, asked, parameters)
