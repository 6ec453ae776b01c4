"""GitHub cannot change the verdict of a run."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from sandbox.network.github import Mishap
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Interrupt, Runner
from sandbox.scenarios import SCENARIOS
from sandbox.server.builds import V2
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import Scene, World

PROJECT = Path(__file__).resolve().parents[2]
MEASURING = {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}
RUNNER = Runner(PROJECT, FromCheckout(Path(sys.executable)), patience=45, environment=MEASURING)
VERIFY = SCENARIOS["deployment-verify"]


@pytest.fixture
def world(pool: ProcessPool) -> Iterator[World]:
    """A world whose GitHub hangs at the final status."""
    hanging = {"status": [None, Mishap(after=60.0, only_slow=True)]}
    with World(pool, Scene(before=replace(V2, boot=0.0), github=hanging)) as one:  # type: ignore[arg-type]
        yield one


def inputs(world: World) -> dict[str, str]:
    return {name: world.fill(text) for name, text in VERIFY.inputs.items()}


@pytest.mark.parametrize("signal", [SIGINT, SIGTERM])
def test_a_signal_ends_the_wait_for_github_and_keeps_the_verdict(signal: Signals, world: World) -> None:
    runner = replace(RUNNER, github={"GITHUB_API_URL": world.github.api_url}, environment={})
    waiting = Interrupt(0.2, signal, lambda: len(world.github.seen) == 3)
    run = runner.run(inputs(world), interrupt=waiting)
    assert run.problems == (), run.log
    assert (run.outputs["verdict"], run.exit_code) == ("verified", 0)
    [warning] = run.messages("warning")
    assert "final status of the Deployment" in warning


def test_outside_a_runner_no_deployment_is_written_and_a_warning_says_so(world: World) -> None:
    run = replace(RUNNER, github={"GITHUB_API_URL": ""}).run(inputs(world))
    assert (run.outputs["verdict"], run.exit_code, run.problems) == ("verified", 0, ())
    assert "GITHUB_API_URL" in run.messages("warning")[0]
    assert world.github.seen == []


def test_debug_logging_shows_no_token(world: World) -> None:
    world.github._mishaps.clear()
    runner = replace(RUNNER, github={"GITHUB_API_URL": world.github.api_url})
    began = time.monotonic()
    run = runner.run(inputs(world), environment={"RUNNER_DEBUG": "1"})
    assert run.problems == (), run.log
    assert world.github.deployments[0].states == ["in_progress", "success"]
    assert time.monotonic() - began < 10
