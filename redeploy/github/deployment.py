"""What a run reports to GitHub: one Deployment and its statuses, as values. Nothing is sent here.

A Deployment's payload is given when it is created, once the baseline is known: it holds what was declared and what ran
before. What is live at the end is in the description of the final status.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from redeploy.github.retry import PATIENCE, Trouble
from redeploy.report.results import Result, representative
from redeploy.report.wording import headline
from redeploy.text.untrusted import code, one_line
from redeploy.verdicts import Verdict

LONGEST_DESCRIPTION = 140
"""Characters of a description that GitHub allows."""

RIGHT = "deployments: write"
"""The permission that a token needs for it."""

Redact = Callable[[str], str]
"""Removes secrets from a text."""


class State(StrEnum):
    """The states of a Deployment that a run gives it."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True)
class Place:
    """Where GitHub is, and which run of which repository this is."""

    api_url: str
    repository: str
    sha: str
    run_url: str
    run: str
    """The run and its attempt, in one word."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The content of a Deployment when it is created."""

    ref: str
    environment: str
    description: str
    payload: Mapping[str, object]
    mark: str
    """In the payload of this one only, so that it can be recognised."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """The content of one of its statuses."""

    state: State
    description: str
    environment_url: str
    log_url: str
    auto_inactive: bool
    """Whether earlier Deployments to the environment become inactive. Only a success replaces what ran before."""


def place_of(environment: Mapping[str, str]) -> Place | None:
    """Return where the run is; None if the runner's variables are not set, as at a terminal."""
    names = ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_SERVER_URL", "GITHUB_RUN_ID")
    api, repository, sha, server, run = (environment.get(name, "").strip() for name in names)
    if not (re.match(r"https?://[^/]", api) and re.fullmatch(r"[\w.-]+/[\w.-]+", repository) and sha):
        return None
    attempt = environment.get("GITHUB_RUN_ATTEMPT", "").strip()
    run_url = f"{server.rstrip('/')}/{repository}/actions/runs/{run}" if server and run else ""
    if run_url and attempt:
        run_url += f"/attempts/{attempt}"
    return Place(api.rstrip("/"), repository, sha, run_url, f"{run}-{attempt}")


def deployment_of(known: Result, place: Place, environment: str, chance: str, redact: Redact) -> Deployment:
    """Return the Deployment to create, from what is known so far; `chance` is random, to make its mark unique."""
    mark, run = f"{place.run}-{chance}", representative(known)
    declared = f", declared version {redact(run.version.expected)}" if run.version.expected else ""
    what = {"verify": "Proof of what runs", "rollback": "Rollback through Watchtower"}.get(
        run.mode, "Redeploy through Watchtower"
    )
    return Deployment(
        ref=place.sha,
        environment=environment,
        description=one_line(f"{what}{declared}", LONGEST_DESCRIPTION),
        payload={
            "by": "redeploy-action",
            "mark": mark,
            "run": place.run_url,
            "mode": run.mode,
            "version": {"declared": redact(run.version.expected), "before": redact(run.version.before)},
            "digest": {"declared": redact(run.digest.expected), "before": redact(run.digest.before)},
        },
        mark=mark,
    )


def begun(known: Result, place: Place, redact: Redact) -> Status:
    """Return the status of a run that is under way."""
    return _status(State.IN_PROGRESS, "The run is under way.", known, place, redact)


def ended(result: Result, place: Place, redact: Redact) -> Status:
    """Return the final status, with what is live."""
    run = representative(result)
    live = f"; version {one_line(run.version.live, 48)}" if run.version.live else ""
    live += f"; {run.digest.live[:19]}" if run.digest.live else ""  # sha256: and twelve digits
    live = redact(live)
    description = one_line(redact(headline(result)), LONGEST_DESCRIPTION - len(live)) + live
    return _status(state_of(result), description, result, place, redact)


def state_of(result: Result) -> State:
    """Return how a run ended in GitHub's terms: `error` means that the outcome of the rollout is unknown."""
    if result.conclusion.verdict in (Verdict.CANCELLED, Verdict.INTERNAL_ERROR):
        return State.ERROR
    return State.FAILURE if result.conclusion.exit_code else State.SUCCESS


def warning(what: str, trouble: Trouble, redact: Redact = str, *, right: str = RIGHT) -> str:
    """Return why `what` could not be done, and how to fix it. The verdict never depends on it.

    Args:
        what: as an imperative: `create the Deployment`.
        trouble: what went wrong.
        redact: hides secrets.
        right: the permission that the token needs, as a line of `permissions:`.
    """
    message = redact(trouble.message)
    said = " ".join(filter(None, [str(trouble.status), message and code(message, 200)]))
    if trouble.rate_limited:
        wait = f", which asks for {trouble.wait:.0f} s" if trouble.wait is not None else ""
        text = f"GitHub's rate limit is reached{wait}; the run waits at most {PATIENCE:.0f} s in all ({said})."
    elif trouble.status == 401:
        text = (
            f"GitHub does not know the token ({said}). Leave `github-token` out to use the job's own, or pass a token of "
            "this server that has not expired."
        )
    elif trouble.status in (403, 404):
        hidden = ", which is also how it treats a token without the right" if trouble.status == 404 else ""
        text = (
            f"GitHub responded with {said}{hidden}. The token probably lacks the permission; give it to the job:\n\n"
            f"permissions:\n  {right}\n\n"
            "Such a block removes every permission that it does not name, so add what other steps need. On a pull request "
            "from a fork or from Dependabot, the token may only read, even with this block."
        )
    elif trouble.status == 410:
        text = (
            f"GitHub responded with {said}. Issues are disabled in this repository: turn them on in its settings, under "
            "Features, or leave `issue-on-failure` empty."
        )
    elif trouble.refused and trouble.status:
        text = f"GitHub refused it: {said}."
    elif trouble.status:
        text = f"GitHub failed: {said}. See https://www.githubstatus.com."
    else:
        text = f"GitHub gave no usable response: {one_line(message, 200) or 'it took too long'}."
    return f"Could not {what}. {text}\nThe verdict of this run does not depend on it."


def _status(state: State, description: str, known: Result, place: Place, redact: Redact) -> Status:
    url = representative(known).url
    return Status(
        state=state,
        description=one_line(description, LONGEST_DESCRIPTION),
        environment_url=url if redact(url) == url else "",
        log_url=place.run_url,
        auto_inactive=state is State.SUCCESS,
    )
