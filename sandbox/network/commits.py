"""A repository's commits and branches, as GitHub's REST API describes them: branches, and the comparison of two commits."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

MOST_UNPAGED = 250
PER_PAGE = 30


def sha_of(subject: str) -> str:
    """The commit hash derived from a subject, 40 hexadecimal digits."""
    return hashlib.sha1(subject.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Commit:
    """One commit; `ago` is how many seconds before the request it was committed."""

    sha: str
    subject: str = "A change"
    ago: float = 0.0
    parents: tuple[str, ...] = ()
    lists_parents: bool = True


def line(*commits: Commit, after: str = "") -> tuple[Commit, ...]:
    """Commits, each the child of the one before it."""
    found: list[Commit] = []
    for each in commits:
        parent = found[-1].sha if found else after
        found.append(Commit(each.sha, each.subject, each.ago, (parent,) if parent else (), each.lists_parents))
    return tuple(found)


@dataclass
class History:
    """All commits, and the branches that lead to some of them."""

    commits: Sequence[Commit] = ()
    branches: dict[str, str] = field(default_factory=dict)
    page_size: int = MOST_UNPAGED
    """The number of commits in a response without a page parameter."""

    def branch(self, name: str, api_url: str) -> Mapping[str, object] | None:
        """Return the response of `GET /repos/{owner}/{repo}/branches/{branch}`."""
        if name not in self.branches:
            return None
        url = f"{api_url}/branches/{name}"
        head = self._by_sha[self.branches[name]]
        return {
            "name": name,
            "commit": _document(head, api_url),
            "_links": {"html": url, "self": url},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": f"{url}/protection",
        }

    def compare(self, base: str, head: str, query: Mapping[str, Sequence[str]], api_url: str) -> "Compared":
        """Return the response of `GET /repos/{owner}/{repo}/compare/{basehead}`."""
        one, other = self._resolved(base), self._resolved(head)
        if one is None or other is None:
            return Compared(None, "Not Found")
        older, newer = self._reached(one), self._reached(other)
        common = older & newer
        if not common:
            return Compared(None, f"No common ancestor between {base} and {head}.")
        missing = [each for each in self.commits if each.sha in newer - older]
        ahead, behind = len(missing), len(older - newer)
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
        shown, following = self._page(missing, query)
        document = {
            "url": f"{api_url}/compare/{base}...{head}",
            "html_url": f"{api_url}/compare/{base}...{head}",
            "permalink_url": f"{api_url}/compare/{base}...{head}",
            "diff_url": f"{api_url}/compare/{base}...{head}.diff",
            "patch_url": f"{api_url}/compare/{base}...{head}.patch",
            "base_commit": _document(self._by_sha[one], api_url),
            "merge_base_commit": _document(next(each for each in self.commits[::-1] if each.sha in common), api_url),
            "status": status,
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": [_document(each, api_url) for each in shown],
            "files": [],
        }
        link = f'<{api_url}/compare/{base}...{head}?page={following}>; rel="next"' if following else ""
        return Compared(document, "", link)

    @property
    def _by_sha(self) -> dict[str, Commit]:
        return {each.sha: each for each in self.commits}

    def _resolved(self, name: str) -> str | None:
        found = [sha for sha in self._by_sha if sha.startswith(name)] if len(name) >= 7 else []
        return self.branches.get(name) or (found[0] if len(found) == 1 else None)

    def _reached(self, sha: str) -> set[str]:
        found: set[str] = set()
        waiting = [sha]
        while waiting:
            each = waiting.pop()
            if each in found or each not in self._by_sha:
                continue
            found.add(each)
            waiting += self._by_sha[each].parents
        return found

    def _page(self, missing: Sequence[Commit], query: Mapping[str, Sequence[str]]) -> tuple[Sequence[Commit], int]:
        """The commits of a page, and the number of the next page; 0 if there is none."""
        if not query and self.page_size >= MOST_UNPAGED:
            return missing[-MOST_UNPAGED:], 0
        number = int(query.get("page", ["1"])[0])
        size = min(100, int(query["per_page"][0])) if "per_page" in query else min(self.page_size, 100)
        return missing[(number - 1) * size : number * size], number + 1 if number * size < len(missing) else 0


@dataclass(frozen=True)
class Compared:
    """The result of a comparison; without a document it is a 404 with the message."""

    document: Mapping[str, object] | None
    message: str
    link: str = ""


def _document(commit: Commit, api_url: str) -> dict[str, object]:
    url = f"{api_url}/commits/{commit.sha}"
    date = datetime.fromtimestamp(time.time() - commit.ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    who = {"name": "Leo", "email": "leo@example.com", "date": date}
    parents = [{"sha": each, "url": f"{api_url}/commits/{each}", "html_url": url} for each in commit.parents]
    return {
        "url": url,
        "sha": commit.sha,
        "node_id": f"C_{commit.sha[:8]}",
        "html_url": url,
        "comments_url": f"{url}/comments",
        "commit": {
            "url": url,
            "author": who,
            "committer": who,
            "message": commit.subject,
            "tree": {"sha": commit.sha, "url": url},
            "comment_count": 0,
        },
        "author": None,
        "committer": None,
        "parents": parents if commit.lists_parents else [],
    }
