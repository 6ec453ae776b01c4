"""The environment of a container action's step, from `action.yml` and the runner's data of the job."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sandbox.runner.launchers import Room
from sandbox.server.builds import V2

Inside = Callable[[Path, Room], str]


def unexpected_inputs(names: Iterable[str], declared: Iterable[str]) -> str:
    """The runner's warning about inputs that `action.yml` does not declare."""
    listed = ", ".join(f"'{name}'" for name in names)
    valid = ", ".join(f"'{name}'" for name in ["entryPoint", "args", *declared])
    return f"Unexpected input(s) {listed}, valid inputs are [{valid}]"


def input_variables(
    given: Mapping[str, str], defaults: Mapping[str, str], github: Mapping[str, str], token: str
) -> dict[str, str]:
    """`INPUT_*` for every declared input, and for given inputs that are not declared.

    Raises `KeyError` if the expression of a default names a context that a step does not have.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return token if name == "token" else github[f"GITHUB_{name.upper()}"]

    expression = re.compile(r"\$\{\{\s*github\.(\w+)\s*\}\}")
    values = {name: expression.sub(value, text) for name, text in defaults.items()}
    return {f"INPUT_{name.replace(' ', '_').upper()}": text for name, text in {**values, **given}.items()}


def step_environment(
    *,
    own: Mapping[str, str],
    inputs: Mapping[str, str],
    github: Mapping[str, str],
    room: Room,
    inside: Inside,
    runtime_token: str,
) -> dict[str, str]:
    """All variables, in the order in which the runner sets them; later ones take precedence."""
    runtime = {
        "ACTIONS_RUNTIME_URL": "https://pipelines.actions.githubusercontent.com/",
        "ACTIONS_RUNTIME_TOKEN": runtime_token,
        "ACTIONS_RESULTS_URL": "https://results-receiver.actions.githubusercontent.com/",
        "ACTIONS_CACHE_URL": "https://artifactcache.actions.githubusercontent.com/",
    }
    fixed = {"GITHUB_ACTIONS": "true", "HOME": inside(room.home, room)}
    return {"CI": "true", **own, **inputs, **fixed, **github, **_runner_variables(room, inside), **runtime}


def github_variables(room: Room, inside: Inside) -> dict[str, str]:
    """The `GITHUB_*` variables of a push to the portfolio's main branch, for the commit of the new build."""
    sha = V2.git_sha
    return {
        "GITHUB_ACTION": "redeploy",
        "GITHUB_ACTION_REF": "",
        "GITHUB_ACTION_REPOSITORY": "",
        "GITHUB_ACTOR": "leok974",
        "GITHUB_API_URL": "https://api.github.com",
        "GITHUB_BASE_REF": "",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": inside(room.workflow / "event.json", room),
        "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
        "GITHUB_HEAD_REF": "",
        "GITHUB_JOB": "redeploy",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_PROTECTED": "true",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REPOSITORY": "leok974/leo-portfolio",
        "GITHUB_REPOSITORY_OWNER": "leok974",
        "GITHUB_RETENTION_DAYS": "90",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "18400000001",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_SHA": sha,
        "GITHUB_TRIGGERING_ACTOR": "leok974",
        "GITHUB_WORKFLOW": "Redeploy backend",
        "GITHUB_WORKFLOW_REF": "leok974/leo-portfolio/.github/workflows/redeploy-backend.yml@refs/heads/main",
        "GITHUB_WORKFLOW_SHA": sha,
        "GITHUB_WORKSPACE": inside(room.workspace, room),
    }


def _runner_variables(room: Room, inside: Inside) -> dict[str, str]:
    return {
        "RUNNER_ARCH": "X64",
        "RUNNER_ENVIRONMENT": "github-hosted",
        "RUNNER_NAME": "GitHub Actions 7",
        "RUNNER_OS": "Linux",
        "RUNNER_TEMP": inside(room.temp, room),
        "RUNNER_TOOL_CACHE": "/opt/hostedtoolcache",
        "RUNNER_WORKSPACE": str(room.workspace.parent),
    }
