"""A repository's issues, as GitHub's REST API describes them: listed, opened, changed, commented."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LONGEST_BODY = 65_536
"""Characters of a body that GitHub accepts."""

Response = tuple[int, object]
"""Status and document."""


@dataclass
class Issues:
    """All issues of one repository, in the order in which they were opened."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[str]] = field(default_factory=dict)
    """The bodies of the comments, by the issue's number."""
    enabled: bool = True
    takes_labels: bool = True
    """Whether the author may set labels; GitHub silently drops them otherwise."""
    unlisted: int = 0
    """The number of listings that do not show a new issue yet: reads may lag behind."""

    @property
    def open(self) -> list[dict[str, Any]]:
        """The open issues."""
        return [each for each in self.documents if each["state"] == "open"]

    def listed(self, query: Mapping[str, Sequence[str]]) -> Response:
        """`GET /issues`: newest first."""
        if self.unlisted:
            self.unlisted -= 1
            return 200, []
        labels = query.get("labels", [""])[0]
        state = query.get("state", ["open"])[0]
        found = [each for each in reversed(self.documents) if state in ("all", each["state"])]
        if labels:
            found = [each for each in found if labels in [label["name"] for label in each["labels"]]]
        return 200, found[: int(query.get("per_page", ["30"])[0])]

    def opened(
        self, asked: Mapping[str, Any], user: Mapping[str, object], url: str, association: str = "NONE"
    ) -> Response:
        """`POST /issues`."""
        if not self.enabled:
            return 410, _message("Issues has been disabled in this repository.")
        if len(asked.get("body") or "") > LONGEST_BODY:
            return 422, _message("Validation Failed")
        number = 1 + len(self.documents)
        at = f"{url}/{number}"
        labels = asked.get("labels", []) if self.takes_labels else []
        document = {
            "id": 3_000_000_000 + number,
            "node_id": f"I_{number}",
            "url": at,
            "repository_url": url.rpartition("/")[0],
            "labels_url": f"{at}/labels",
            "comments_url": f"{at}/comments",
            "events_url": f"{at}/events",
            "html_url": at,
            "number": number,
            "state": "open",
            "state_reason": None,
            "title": asked["title"],
            "body": asked.get("body", ""),
            "user": dict(user),
            "labels": [{"name": name} for name in labels],
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "locked": False,
            "comments": 0,
            "closed_at": None,
            "created_at": _now(),
            "updated_at": _now(),
            "author_association": association,
        }
        self.documents.append(document)
        return 201, document

    def changed(self, number: int, asked: Mapping[str, Any]) -> Response:
        """`PATCH /issues/{issue_number}`."""
        one = self._numbered(number)
        if one is None:
            return 404, _message("Not Found")
        if len(asked.get("body") or "") > LONGEST_BODY:
            return 422, _message("Validation Failed")
        one |= {**asked, "updated_at": _now()}
        one["closed_at"] = _now() if one["state"] == "closed" else None
        return 200, one

    def commented(self, number: int, asked: Mapping[str, Any], user: Mapping[str, object]) -> Response:
        """`POST /issues/{issue_number}/comments`."""
        one = self._numbered(number)
        if one is None:
            return 404, _message("Not Found")
        self.comments.setdefault(number, []).append(asked["body"])
        one["comments"] += 1
        place = f"{one['url']}#issuecomment-{one['comments']}"
        return 201, {
            "id": 1_000 * number + one["comments"],
            "node_id": f"IC_{number}",
            "url": place,
            "html_url": place,
            "issue_url": one["url"],
            "body": asked["body"],
            "user": dict(user),
            "created_at": _now(),
            "updated_at": _now(),
            "author_association": "NONE",
        }

    def _numbered(self, number: int) -> dict[str, Any] | None:
        return next((each for each in self.documents if each["number"] == number), None)


def _message(text: str) -> dict[str, str]:
    return {"message": text, "documentation_url": "https://docs.github.com/rest"}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
