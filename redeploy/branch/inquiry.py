"""Asks GitHub where production is compared with its branch: at most four calls, and no alarm if GitHub fails.

Sources: docs.github.com, REST API, "Get a branch", "Compare two commits" (paging: "the returned list is limited to 250
commits"), "Rate limits for the REST API" (403 or 429), "Using pagination in the REST API" (`Link`).
"""

import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from redeploy.branch.comparison import MOST_READ, Comparison, Relation, head_of, read
from redeploy.branch.names import commit_of
from redeploy.branch.standing import Position, Standing, judged
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.urls import origin_of
from redeploy.text.untrusted import code

MOST_CALLS = 4
ASKED_AGAIN_AFTER = 5.0
"""Seconds after which a branch that is not ahead is checked again: it may just have moved."""

_NEXT = re.compile(r'<([^<>]{1,2000})>;\s*rel="next"')


@dataclass
class Inquiry:
    """One inquiry. Times are seconds, `wall` is our clock since 1970."""

    get: Callable[[str], HttpResult]
    """Gets a URL of GitHub's API, within a time limit."""
    repository: str
    """The API's URL of the repository."""
    page: str
    """The repository's page; empty if it is not known."""
    wall: Callable[[], float]
    pause: Callable[[float], None]
    redact: Callable[[str], str] = str
    _calls: int = field(default=0, init=False)

    def position(self, version: str, branch: str, grace: float) -> Position:
        """Return where production is compared with its branch.

        Args:
            version: the version that the service reports; empty if it reports none.
            branch: the branch whose head should be live.
            grace: seconds that it may lag behind.
        """
        live = commit_of(version)
        unknown = Position(standing=Standing.UNKNOWN, branch=branch, live=live or version, grace=grace, page=self.page)
        if not live:
            named = f"names {code(version, 80)}, which is not a commit" if version else "names no version"
            why = f"The service {named}, so it cannot be compared with the branch {code(branch)}."
            return replace(unknown, standing=Standing.UNNAMED, why=why)
        quoted = urllib.parse.quote(branch, safe="/")
        found = self._get(f"{self.repository}/branches/{quoted}")
        if _status(found) == 404:
            return self._without_branch(unknown, found)
        head = head_of(found.json) if isinstance(found, Response) and found.status == 200 else ""
        if not head:
            return self._unanswered(unknown, f"The branch {code(branch)} could not be read", found)
        return self._compared(replace(unknown, head=head), f"{self.repository}/compare/{live}...{quoted}")

    def _compared(self, known: Position, url: str) -> Position:
        answer = self._get(url)
        compared = self._read(answer)
        if compared is not None and compared.relation in (Relation.BEHIND, Relation.DIVERGED):
            self.pause(ASKED_AGAIN_AFTER)
            answer = self._get(url)
            compared = self._read(answer)
        branch, live = code(known.branch), code(known.live)
        if compared is None and _status(answer) == 404:
            said = f": {self._words(answer)}" if self._words(answer) else ""
            why = (
                f"GitHub cannot compare {live} with {branch} (404{said}). It is a commit that the repository does not have, "
                "the beginning of several, or one without a common ancestor."
            )
            return replace(known, standing=Standing.ELSEWHERE, why=why)
        if compared is None:
            return self._unanswered(known, f"{live} could not be compared with {branch}", answer)
        if not compared.base.startswith(known.live):
            why = f"GitHub does not read {live} as a commit: it resolved it to {code(compared.base)}."
            return replace(known, standing=Standing.ELSEWHERE, why=why)
        match compared.relation:
            case Relation.IDENTICAL:
                return replace(known, standing=Standing.CURRENT)
            case Relation.AHEAD:
                return judged(self._whole(compared, answer), known, self.wall())
            case Relation.BEHIND:
                why = f"{live} is live, which {branch} does not have: it is newer than the branch's head."
            case _:
                why = f"{live} is live, which {branch} does not have: each has commits that the other lacks."
        return replace(known, standing=Standing.ELSEWHERE, why=why)

    def _whole(self, compared: Comparison, answer: HttpResult) -> Comparison:
        """Return a comparison with the pages that follow, if a server sends fewer commits at once than GitHub does."""
        while not compared.whole and compared.total <= MOST_READ and self._calls < MOST_CALLS:
            url = self._next(answer)
            answer = self._get(url) if url else TransportError(ErrorKind.CUT)
            more = self._read(answer)
            if more is None or not more.commits:
                break
            compared = compared.followed_by(more)
        return compared

    def _next(self, answer: HttpResult) -> str:
        """Return the next page's URL, if it is in the repository: the token is sent nowhere else."""
        link = answer.headers.get("link", "") if isinstance(answer, Response) else ""
        found = _NEXT.search(link[:8_000])
        return found[1] if found and found[1].startswith(f"{origin_of(self.repository)}/") else ""

    def _read(self, answer: HttpResult) -> Comparison | None:
        if not isinstance(answer, Response) or answer.status != 200:
            return None
        return read(answer.json, self.redact)

    def _without_branch(self, known: Position, answer: HttpResult) -> Position:
        """Say whether the branch is missing or may not be read: GitHub responds with 404 to both."""
        repository = self._get(self.repository)
        if _status(repository) == 200:
            why = f"The repository has no branch {code(known.branch)}."
            return replace(known, standing=Standing.UNNAMED, why=why)
        return self._unanswered(known, f"The branch {code(known.branch)} could not be read", answer)

    def _unanswered(self, known: Position, what: str, answer: HttpResult) -> Position:
        return replace(known, standing=Standing.UNKNOWN, why=f"{what}: {self._trouble(answer)}")

    def _trouble(self, answer: HttpResult) -> str:
        if isinstance(answer, TransportError):
            private = answer.error_kind is ErrorKind.TLS
            authority = (
                " Where a private authority issued its certificate, set `env: REQUESTS_CA_BUNDLE`." if private else ""
            )
            return f"{answer.seen}.{authority}"
        words = self._words(answer)
        said = f"{answer.status}{f' {words}' if words else ''}"
        exhausted = answer.headers.get("x-ratelimit-remaining", "").strip() == "0" or "rate limit" in words.lower()
        if answer.status == 429 or (answer.status == 403 and (exhausted or answer.retry_after is not None)):
            return f"GitHub's rate limit is used up ({said})."
        if answer.status in (401, 403, 404):
            return f"GitHub responded {said}. The token probably lacks the right to read the repository."
        if answer.status >= 500:
            return f"GitHub failed ({said})."
        return f"GitHub responded {said}, which its API does not document."

    def _words(self, answer: HttpResult) -> str:
        """Return GitHub's own message, as harmless code."""
        document = answer.json if isinstance(answer, Response) else None
        message = document.get("message") if isinstance(document, dict) else None
        return code(self.redact(message), 120) if isinstance(message, str) and message else ""

    def _get(self, url: str) -> HttpResult:
        self._calls += 1
        return self.get(url)


def _status(answer: HttpResult) -> int:
    return answer.status if isinstance(answer, Response) else 0
