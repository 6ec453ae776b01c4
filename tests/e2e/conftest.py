"""One engine, one registry and one runner; a stack for each module."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import docker
import pytest

from sandbox.runner.launchers import FromImage
from sandbox.runner.results import Run
from sandbox.runner.runner import Interrupt, Runner
from sandbox.scenarios.scenario import EXIT_CODES
from sandbox.server.builds import V1
from tests.deploy_files import ROOT
from tests.e2e.parts import act as engine
from tests.e2e.parts.act import Act
from tests.e2e.parts.images import ACTION, build_sandbox, remove_sandbox
from tests.e2e.parts.registry import Registry, registry
from tests.e2e.parts.stack import Stack, standing
from tests.e2e.parts.workflows import EXAMPLES, REDEPLOY


def _leads(session: pytest.Session) -> bool:
    """Whether this is the main process, and not one of its workers."""
    return not hasattr(session.config, "workerinput")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Build the sandbox's images once, however many processes share the tests."""
    if _leads(session):
        with contextlib.closing(docker.from_env(timeout=300)) as one:
            build_sandbox(one)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove them."""
    if _leads(session):
        with contextlib.closing(docker.from_env()) as one:
            remove_sandbox(one)
        engine.tidy()


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine."""
    one = docker.from_env(timeout=120)
    yield one
    one.close()


@pytest.fixture(scope="session")
def hub(client: docker.DockerClient) -> Iterator[Registry]:
    """A registry that allows anonymous reads and writes."""
    with registry(client) as one:
        yield one


@pytest.fixture(scope="module")
def stack(client: docker.DockerClient, hub: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of a module, with nginx in a container."""
    with standing(client, hub, tmp_path_factory.mktemp("portfolio")) as one:
        yield one


@dataclass
class Action:
    """The action as a runner runs it, with inputs for a deploy through a stack's nginx."""

    runner: Runner

    def __call__(
        self,
        stack: Stack,
        *ends: tuple[str, str],
        interrupt: Interrupt | None = None,
        on_line: Callable[[str], object] | None = None,
        **inputs: str,
    ) -> Run:
        """Run it; it must follow the runner's rules, and end with one of these verdicts and reasons."""
        given = {**self._usual(stack), **{name.replace("_", "-"): text for name, text in inputs.items()}}
        run = self.runner.run(given, secrets=[stack.token, stack.update_url], interrupt=interrupt, on_line=on_line)
        log = f"{run.outputs}\n{run.annotations}\n{run.log}"
        assert run.problems == (), log
        assert (run.outputs["verdict"], run.outputs["reason"]) in ends, log
        assert run.exit_code == EXIT_CODES[run.outputs["verdict"]], log
        return run

    def _usual(self, stack: Stack) -> dict[str, str]:
        """The inputs of a workflow, and a client address as a tunnel sends it, so that each run has its own rate limit."""
        address = ".".join(str(secrets.randbelow(254) + 1) for _ in range(4))
        return {
            "watchtower-url": stack.update_url,
            "watchtower-token": stack.token,
            "headers": f"CF-Connecting-IP: {address}",
            "version-path": "/api/dev/status",
            "timeout": "60s",
            "stable-for": "2s",
        }


@pytest.fixture(scope="session")
def action() -> Action:
    """The action's image."""
    return Action(Runner(ROOT, FromImage(ACTION), patience=240))


@pytest.fixture
def server(stack: Stack) -> Stack:
    """A server that runs `V1`, and whose nginx has not counted any requests yet."""
    stack.serve(V1)
    stack.compose("restart", "nginx")
    stack.wait_for_service()
    return stack


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Act:
    """A workflow engine, in a repository with the shipped workflows unchanged."""
    running = engine.standing(tmp_path_factory)
    for path in (REDEPLOY, *EXAMPLES.glob("*.yml")):
        running.add(path.name, path.read_text(encoding="utf-8"))
    return running
