"""The action in unusual environments and workspaces, and with missing files."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.play import play
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.results import Run
from sandbox.runner.runner import Runner
from sandbox.scenarios import SCENARIOS
from sandbox.server.builds import V2
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import Scene, World

PROJECT = Path(__file__).resolve().parents[2]
RUNNER = Runner(PROJECT, FromCheckout(Path(sys.executable)), patience=45)
VERIFY = SCENARIOS["verify-right"]


@pytest.fixture(scope="module")
def world(pool: ProcessPool) -> Iterator[World]:
    with World(pool, Scene(before=replace(V2, boot=0.0))) as one:
        yield one


def verify(world: World, runner: Runner = RUNNER, workspace: Path | None = None, **environment: str) -> Run:
    inputs = {name: world.fill(text) for name, text in VERIFY.inputs.items()}
    return runner.run(inputs, environment=environment, workspace=workspace)


def assert_verified(run: Run) -> None:
    assert run.problems == (), run.log
    assert (run.outputs["verdict"], run.exit_code) == ("verified", 0)


def test_a_hostile_environment_changes_nothing(world: World, tmp_path: Path) -> None:
    for name in ("requests", "email", "json", "socket", "yaml", "sitecustomize", "usercustomize", "redeploy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a shadow')\n")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    here = str(tmp_path)
    run = verify(
        world,
        workspace=tmp_path,
        PYTHONPATH=here,
        PYTHONSTARTUP=f"{here}/json.py",
        PYTHONHOME="/nope",
        PYTHONWARNINGS="error",
        LD_LIBRARY_PATH="/nope",
        NETRC=f"{here}/.netrc",
        PATH="/nope",
        BASH_ENV="/nope",
    )
    assert_verified(run)
    assert all(request.header("Authorization") is None for request in world.front.seen)


def test_a_read_only_workspace_is_enough(world: World, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    assert_verified(verify(world, workspace=tmp_path))
    tmp_path.chmod(0o755)


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_an_unwritable_file_is_reported_and_does_not_end_the_run(name: str, world: World) -> None:
    run = verify(world, replace(RUNNER, github={name: "/nope/file"}))
    assert run.exit_code == 0, run.log
    assert "a traceback" not in run.problems
    assert name in run.log


def test_debug_logging_shows_no_secret(world: World) -> None:
    assert_verified(verify(world, RUNNER_DEBUG="1"))


def test_an_input_of_the_largest_size_is_rejected(world: World) -> None:
    inputs = {name: world.fill(text) for name, text in VERIFY.inputs.items()}
    run = RUNNER.run({**inputs, "version-field": "a" * (128 * 1024 - 64)})
    assert run.exit_code in (1, 2)
    assert run.problems == ()


def test_two_steps_of_one_job_do_not_affect_each_other(world: World, tmp_path: Path) -> None:
    for _ in range(2):
        assert_verified(verify(world, workspace=tmp_path))


def test_an_empty_input_means_its_default(world: World) -> None:
    declared = [name for name in RUNNER.manifest()["inputs"] if name not in VERIFY.inputs]
    inputs = {**dict.fromkeys(declared, ""), **{name: world.fill(text) for name, text in VERIFY.inputs.items()}}
    assert_verified(RUNNER.run(inputs))


def test_a_scenario_is_played_with_secrets_that_github_knows(world: World) -> None:
    run = play(VERIFY, world, RUNNER)
    assert_verified(run)
