"""GitHub's Deployments, written in a thread parallel to the run; see `redeploy.github.connection`."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redeploy.github.connection import connected, trouble_of_error
from redeploy.github.deployment import Deployment, Place, State, Status, warning
from redeploy.github.retry import LATE, NextStep, Trouble, WriteAttempt
from redeploy.rollout.workers import start_thread
from redeploy.text.secret import Secret

if TYPE_CHECKING:
    from github.Repository import Repository

_POLL = 0.05
_PREVIEWS = "application/vnd.github.ant-man-preview+json, application/vnd.github.flash-preview+json"
"""Without these an old GitHub Enterprise Server does not know `in_progress`, `log_url` and `auto_inactive`."""


@dataclass(frozen=True)
class Bounds:
    """Seconds that the end of a run may wait for GitHub."""

    creation: float = 10.0
    """For a Deployment that is still being created: as long as GitHub may take for a request."""
    whole: float = 30.0
    """For everything."""
    hurried: float = 1.0
    """After a signal: the run must end within 2 s."""


@dataclass(frozen=True)
class Record:
    """What happened to the Deployment."""

    number: int | None
    """The Deployment's number; None if none is known to have been created."""
    states: tuple[State, ...]
    """The states of the statuses that were written."""
    warning: str


class DeploymentClient:
    """Writes one Deployment and its statuses in a separate thread; whatever happens there, the run continues."""

    def __init__(
        self,
        place: Place,
        token: Secret,
        bounds: Bounds | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._place = place
        self._token = token
        self._bounds = bounds or Bounds()
        self._redact = redact
        self.begun = False
        """Whether anything was started."""
        self._ended, self._finished = threading.Event(), threading.Event()
        self._final: Status | None = None
        self._hurried = False
        self._creation_until = self._until = float("inf")
        self._number: int | None = None
        self._states: list[State] = []
        self._doing = "create the Deployment"
        self._warning = ""

    def begin(self, deployment: Deployment, first: Status) -> None:
        """Create the Deployment and its first status in the background."""
        self.begun = True
        start_thread(self._run, deployment, first)

    def end(self, final: Status, hurried: Callable[[], bool]) -> Record:
        """Write the final status, and return what happened; `hurried` says whether a signal has come."""
        now = time.monotonic()
        self._final = final
        self._creation_until, self._until = now + self._bounds.creation, now + self._bounds.whole
        self._hurry(hurried())
        self._ended.set()
        while not self._finished.wait(_POLL):
            self._hurry(hurried())
            if time.monotonic() >= self._limit():
                return Record(self._number, tuple(self._states), warning(self._doing, LATE, self._redact))
        return Record(self._number, tuple(self._states), self._warning)

    def _hurry(self, hurried: bool) -> None:  # noqa: FBT001 - the only subject of the call
        if hurried and not self._hurried:
            self._hurried = True
            self._until = min(self._until, time.monotonic() + self._bounds.hurried)

    def _limit(self) -> float:
        return self._until if self._number is not None else min(self._creation_until, self._until)

    def _run(self, deployment: Deployment, first: Status) -> None:
        try:
            self._write_all(deployment, first)
        except Exception as error:  # noqa: BLE001 - no defect here may cost a run its verdict; its text may quote anything
            self._warning = warning(self._doing, Trouble(message=type(error).__name__), self._redact)
        finally:
            self._finished.set()

    def _write_all(self, deployment: Deployment, first: Status) -> None:
        with connected(self._place, self._token) as repository:
            number = self._carry_out(
                lambda: _create(repository, deployment),
                lambda: _find(repository, deployment),
                until=lambda: 0.0 if self._hurried else self._limit(),  # a cancelled run needs no new Deployment
            )
            if number is None:
                return
            self._number = number
            self._doing = "write a status of the Deployment"
            self._write_status(repository, number, first, until=lambda: 0.0 if self._hurried else self._until)
            self._warning = ""  # the first status is not missed once the final one exists
            repository.requester.close()  # a connection that was idle for minutes may be gone without a sign
            self._ended.wait()
            self._doing = "write the final status of the Deployment"
            if self._final is not None:
                self._write_status(repository, number, self._final, until=lambda: self._until)

    def _write_status(
        self, repository: "Repository", number: int, status: Status, *, until: Callable[[], float]
    ) -> None:
        path = f"{repository.url}/deployments/{number}/statuses"
        said = {
            "state": status.state.value,
            "description": status.description,
            "environment_url": status.environment_url,
            "log_url": status.log_url,
            "target_url": status.log_url,  # its older name, and the only one that `Deployment.create_status` knows
            "auto_inactive": status.auto_inactive,
        }

        def write() -> int | None:
            _, answer = repository.requester.requestJsonAndCheck(
                "POST", path, input=said, headers={"Accept": _PREVIEWS}
            )
            return answer.get("id") if isinstance(answer, dict) else None

        def look() -> int | None:
            statuses = repository.get_deployment(number).get_statuses().get_page(0)
            return next((each.id for each in statuses if each.state == status.state), None)

        if self._carry_out(write, look, until=until) is not None:
            self._states.append(status.state)

    def _carry_out(
        self, write: Callable[[], int | None], look: Callable[[], int | None], *, until: Callable[[], float]
    ) -> int | None:
        """Return the number of what was written; if that was not possible before `until`, leave a warning."""
        now = time.monotonic()
        attempt: WriteAttempt | None = WriteAttempt(began=now, at=now)
        last = Trouble()
        while attempt is not None and _paused(attempt.at, until):
            came, sent = None, time.monotonic()
            try:
                number = (write if attempt.move is NextStep.WRITE else look)()
                if number is not None:
                    return number
                if attempt.move is NextStep.WRITE:
                    came = Trouble(message="a response that is not GitHub's")
            except Exception as error:  # noqa: BLE001 - PyGithub raises what it meets, down to assertions about URLs
                came = trouble_of_error(error)
            last = came or last
            attempt = attempt.after(came, sent=sent, now=time.monotonic())
        if last != Trouble() or not self._hurried:
            self._warning = warning(self._doing, last, self._redact)
        return None


def look(place: Place, token: Secret, environment: str) -> Trouble | None:
    """Read an environment's Deployments; return what went wrong, or None."""
    try:
        with connected(place, token) as repository:
            repository.get_deployments(environment=environment).get_page(0)
    except Exception as error:  # noqa: BLE001 - as in `_carry_out`
        return trouble_of_error(error)
    return None


def _create(repository: "Repository", deployment: Deployment) -> int | None:
    # By default, `auto_merge` merges the default branch and `required_contexts` requires every check.
    created = repository.create_deployment(
        deployment.ref,
        auto_merge=False,
        required_contexts=[],
        payload=dict(deployment.payload),
        environment=deployment.environment,
        description=deployment.description,
    )
    return created.id


def _find(repository: "Repository", deployment: Deployment) -> int | None:
    """Return the number of the Deployment with the mark."""
    from github import BadAttributeException

    for each in repository.get_deployments(sha=deployment.ref, environment=deployment.environment).get_page(0):
        try:
            payload: object = each.payload
        except BadAttributeException as error:  # GitHub gives it back as text or as an object
            payload = error.actual_value
        if deployment.mark in str(payload):
            return each.id
    return None


def _paused(until: float, limit: Callable[[], float]) -> bool:
    """Wait for a moment; False, without a wait, if it is beyond a limit, which may change meanwhile."""
    while (now := time.monotonic()) < until <= limit():
        time.sleep(min(_POLL, until - now))
    return until <= limit()
