"""GitHub's REST API: Deployments, issues, branches and comparisons, below `/api/v3` as on an Enterprise Server.

It responds as GitHub's OpenAPI description says, and fails in the configured ways.
"""

import json
import re
import threading
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.network.commits import History
from sandbox.network.front import Answer
from sandbox.network.issues import Issues
from sandbox.network.sockets import Connection, Request, Server

PREFIX = "/api/v3"

Kind = Literal[
    "create", "list", "status", "statuses", "repository", "branch", "compare", "issues", "open", "change", "comment"
]
"""What a request is about: a Deployment, the list of them, a status, the list of them; the repository, a branch of it, a
comparison; the list of issues, and one that is opened, changed or commented."""


@dataclass(frozen=True)
class Mishap:
    """What goes wrong with one request."""

    answer: Answer | None = None
    """The response instead; None: the connection is reset."""
    obeyed: bool = False
    """Whether the request is still carried out."""
    after: float = 0.0
    """Seconds before the response."""
    only_slow: bool = False
    """Whether the response is only delayed."""


Mishaps = Mapping[Kind, Sequence[Mishap | None]]
"""What goes wrong with the first, second ... request of a kind; None is nothing. The last one holds from then on."""


def problem(status: int, message: str, *headers: tuple[str, str], **more: object) -> Answer:
    """An error response of GitHub."""
    document = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status), **more}
    return Answer(status, json.dumps(document).encode(), "application/json; charset=utf-8", headers, "github.com")


def unicorn(status: int) -> Answer:
    """The page of GitHub's proxy when its upstream failed."""
    return Answer(status, b"<!DOCTYPE html><title>Unicorn! &middot; GitHub</title>", server="github.com")


NO_PERMISSION = problem(403, "Resource not accessible by integration")
NOT_FOUND = problem(404, "Not Found")
BAD_GATEWAY = unicorn(502)


@dataclass
class Deployment:
    """One Deployment, with its statuses in order."""

    document: dict[str, Any]
    statuses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def states(self) -> list[str]:
        """Its states, in order."""
        return [status["state"] for status in self.statuses]


@dataclass(frozen=True)
class Talk:
    """A request that GitHub understood, and its response, as documents."""

    kind: Kind
    asked: object
    status: int
    document: object


class GitHub:
    """A GitHub server that accepts every token."""

    def __init__(self, mishaps: Mishaps | None = None) -> None:
        self.deployments: list[Deployment] = []
        self.history = History()
        self.issues = Issues()
        self.seen: list[Request] = []
        self.talks: list[Talk] = []
        self._mishaps = {kind: list(sequence) for kind, sequence in (mishaps or {}).items()}
        self._lock = threading.Lock()
        self._server = Server(self._serve)
        self.api_url = f"http://127.0.0.1:{self._server.port}{PREFIX}"

    def listen(self) -> None:
        """Begin to respond; until then the port refuses connections."""
        self._server.listen()

    def close(self) -> None:
        """Close all connections."""
        self._server.close()

    def _serve(self, connection: Connection) -> None:
        while (request := connection.read()) is not None:
            kind = kind_of(request)
            with self._lock:
                self.seen.append(request)
                waiting = self._mishaps.get(kind, []) if kind else []
                mishap = (waiting.pop(0) if len(waiting) > 1 else waiting[0]) if waiting else None
            if mishap is not None and connection.pause(mishap.after):
                return
            true = self._answer(kind, request) if mishap is None or mishap.obeyed or mishap.only_slow else None
            answer = mishap.answer if mishap is not None and not mishap.only_slow else true
            if answer is None:
                connection.reset()
                return
            if not connection.send(answer.render(request)) or request.closes:
                return

    def _answer(self, kind: Kind | None, request: Request) -> Answer:
        if kind is None or request.header("Authorization") is None:
            return NOT_FOUND
        with self._lock:
            asked = json.loads(request.body) if request.body else None
            status, document, link = self._obey(kind, request, asked)
            self.talks.append(Talk(kind, asked, status, document))
        headers = (("Link", link),) if link else ()
        return Answer(status, json.dumps(document).encode(), "application/json; charset=utf-8", headers, "github.com")

    def _obey(self, kind: Kind, request: Request, asked: Any) -> tuple[int, object, str]:  # noqa: ANN401 - JSON
        if kind in ("create", "list", "status", "statuses"):
            return *self._obey_of_deployments(kind, request, asked), ""
        repository, what, rest = _parts(request)
        url, user = f"{self.api_url}/repos/{repository}", person(self.api_url)
        match kind:
            case "branch" if found := self.history.branch(rest, url):
                return 200, found, ""
            case "branch":
                return 404, json.loads(problem(404, "Branch not found").body), ""
            case "compare":
                base, _, head = rest.partition("...")
                compared = self.history.compare(base, head, request.query, url)
                if compared.document is None:
                    return 404, json.loads(problem(404, compared.message).body), ""
                return 200, compared.document, compared.link
            case "issues":
                return *self.issues.listed(request.query), ""
            case "open":
                return *self.issues.opened(asked, user, f"{url}/issues"), ""
            case "change":
                return *self.issues.changed(int(rest), asked), ""
            case "comment":
                return *self.issues.commented(int(rest.partition("/")[0]), asked, user), ""
        return 200, {"id": 1, "full_name": repository, "private": False}, what

    def _obey_of_deployments(self, kind: Kind, request: Request, asked: Any) -> tuple[int, object]:  # noqa: ANN401 - JSON
        repository, number = _address(request)
        one = next((each for each in self.deployments if each.document["id"] == number), None)
        match kind:
            case "create":
                return 201, self._create(repository, asked)
            case "list":
                wanted = {name: values[0] for name, values in request.query.items() if name in ("sha", "environment")}
                newest_first = [each.document for each in reversed(self.deployments)]
                return 200, [each for each in newest_first if wanted.items() <= each.items()]
            case "status" if one is not None:
                return self._status(one, asked)
            case "statuses" if one is not None:
                return 200, one.statuses[::-1]
        return 404, json.loads(NOT_FOUND.body)

    def _create(self, repository: str, asked: Mapping[str, Any]) -> object:
        number = 2_000_000_001 + len(self.deployments)
        url = f"{self.api_url}/repos/{repository}/deployments/{number}"
        environment = asked.get("environment", "production")
        document = {
            "url": url,
            "id": number,
            "node_id": f"DE_{number}",
            "sha": asked["ref"],
            "ref": asked["ref"],
            "task": asked.get("task", "deploy"),
            "payload": asked.get("payload", ""),
            "original_environment": environment,
            "environment": environment,
            "description": asked.get("description", ""),
            "creator": person(self.api_url),
            "created_at": _now(),
            "updated_at": _now(),
            "statuses_url": f"{url}/statuses",
            "repository_url": f"{self.api_url}/repos/{repository}",
            "transient_environment": asked.get("transient_environment", False),
            "production_environment": asked.get("production_environment", environment == "production"),
            "performed_via_github_app": None,
        }
        self.deployments.append(Deployment(document))
        return document

    def _status(self, one: Deployment, asked: Mapping[str, Any]) -> tuple[int, object]:
        if len(asked.get("description", "")) > 140:
            error = {"resource": "DeploymentStatus", "code": "custom", "field": "description"}
            errors = [{**error, "message": "description is too long (maximum is 140 characters)"}]
            return 422, json.loads(problem(422, "Validation Failed", errors=errors).body)
        document = self._append(one, asked)
        if asked["state"] == "success" and asked.get("auto_inactive", True):
            place = one.document["environment"]
            for other in self.deployments:
                was = other.document
                replaced = other is not one and was["environment"] == place and not was["production_environment"]
                if replaced and other.states[-1:] == ["success"]:
                    self._append(other, {"state": "inactive"})
        return 201, document

    def _append(self, one: Deployment, asked: Mapping[str, Any]) -> dict[str, Any]:
        number = 1 + len(one.statuses)
        link = asked.get("log_url") or asked.get("target_url", "")
        document = {
            "url": f"{one.document['statuses_url']}/{number}",
            "id": number,
            "node_id": f"DES_{number}",
            "state": asked["state"],
            "creator": person(self.api_url),
            "description": asked.get("description", ""),
            "environment": asked.get("environment", one.document["environment"]),
            "target_url": link,
            "log_url": link,
            "environment_url": asked.get("environment_url", ""),
            "created_at": _now(),
            "updated_at": _now(),
            "deployment_url": one.document["url"],
            "repository_url": one.document["repository_url"],
            "performed_via_github_app": None,
        }
        one.statuses.append(document)
        return document


def _address(request: Request) -> tuple[str, int]:
    """The repository and the Deployment's number that a path names."""
    path = request.path[1:]
    found = re.fullmatch(rf"{PREFIX[1:]}/repos/([^/]+/[^/]+)/deployments(?:/(\d+)/statuses)?", path)
    return (found[1], int(found[2] or 0)) if found else ("", 0)


def _parts(request: Request) -> tuple[str, str, str]:
    """The repository that a path names, the resource in it, and the rest."""
    found = re.fullmatch(rf"{PREFIX}/repos/([^/]+/[^/]+)(?:/(\w+)(?:/(.+))?)?", urllib.parse.unquote(request.path))
    return (found[1], found[2] or "", found[3] or "") if found else ("", "", "")


def kind_of(request: Request) -> Kind | None:
    """Return what a request is about; None if this server does not know it."""
    named, what, rest = _parts(request)
    of_repository: dict[tuple[str, str, bool], Kind] = {
        ("GET", "", False): "repository",
        ("GET", "branches", True): "branch",
        ("GET", "compare", True): "compare",
        ("GET", "issues", False): "issues",
        ("POST", "issues", False): "open",
        ("POST", "issues", True): "comment",
        ("PATCH", "issues", True): "change",
    }
    if named and (kind := of_repository.get((request.method, what, bool(rest)))):
        return kind
    repository, number = _address(request)
    if not repository or request.method not in ("GET", "POST"):
        return None
    if request.method == "POST":
        return "status" if number else "create"
    return "statuses" if number else "list"


def person(api_url: str) -> dict[str, object]:
    """The user of a job's own token, as GitHub describes users."""
    user = f"{api_url}/users/github-actions%5Bbot%5D"
    links = ("followers", "following", "gists", "starred", "subscriptions", "organizations", "repos", "events")
    return {
        "login": "github-actions[bot]",
        "id": 41898282,
        "node_id": "MDM6Qm90NDE4OTgyODI=",
        "avatar_url": "https://avatars.githubusercontent.com/in/15368?v=4",
        "gravatar_id": "",
        "url": user,
        "html_url": "https://github.com/apps/github-actions",
        **{f"{name}_url": f"{user}/{name}" for name in (*links, "received_events")},
        "type": "Bot",
        "site_admin": False,
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
