"""The action without Docker: the same code, started by steps in bash, as a runner runs them."""

import shutil
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.play import played
from sandbox.runner.composite import FromComposite, StepFailedError
from sandbox.runner.runner import Runner
from sandbox.scenarios import SCENARIOS
from sandbox.server.process_pool import ProcessPool

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    with ProcessPool() as one:
        yield one


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> FromComposite:
    """The slim action, already installed: it uses the packages that the tests run with."""
    folder = tmp_path_factory.mktemp("slim") / "redeploy-action"
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    shutil.copy(PROJECT / "requirements" / "runtime.txt", folder / "lock.txt")
    return FromComposite(PROJECT / "slim", folder)


@pytest.mark.parametrize(
    "name",
    ["happy-path", "old-build", "invalid-inputs", "cancelled-int", "cancelled-term", "doctor"],
)
def test_it_ends_as_the_action_in_a_container_does(name: str, launcher: FromComposite, pool: ProcessPool) -> None:
    scenario = SCENARIOS[name]
    with played(scenario, pool, Runner(PROJECT, launcher)) as (run, _):
        assert run.problems == (), run.log
        assert (run.outputs["verdict"], run.outputs["reason"]) in scenario.endings(), run.log
        assert run.exit_code == scenario.code()
        assert run.outputs["verdict"] in run.summary


def test_on_a_runner_without_a_suitable_python_the_error_names_setup_python(
    launcher: FromComposite, pool: ProcessPool, tmp_path: Path
) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for program in ("bash", "sh"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    runner = Runner(PROJECT, launcher, environment={"PATH": str(tmp_path)})
    with (
        pytest.raises(StepFailedError, match=r"no Python 3\.11 or newer(.|\n)*actions/setup-python"),
        played(SCENARIOS["happy-path"], pool, runner),
    ):
        pass


def test_a_failed_installation_of_packages_is_reported_as_an_error(
    launcher: FromComposite, pool: ProcessPool, tmp_path: Path
) -> None:
    nothing = replace(launcher, set_up=tmp_path / "redeploy-action")
    nothing.set_up.mkdir()
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": "/dev/null"}
    runner = Runner(PROJECT, nothing, environment=nowhere)
    with (
        pytest.raises(StepFailedError, match="::error title=The set-up failed::"),
        played(SCENARIOS["happy-path"], pool, runner),
    ):
        pass
