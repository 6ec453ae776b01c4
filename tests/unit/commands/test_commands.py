"""`python -m redeploy`: several commands, each loaded only when it is called; every failure ends in a message."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest

from redeploy import __main__ as terminal
from redeploy import __version__
from redeploy.setup.token_rotation import FROM_GITHUB, FROM_THE_SERVER, steps
from tests.deploy_files import DEPLOY, ROOT


def test_the_commands_are_the_modules_of_their_folder() -> None:
    modules = {path.stem for path in (ROOT / "redeploy" / "commands").glob("*.py")} - {"__init__"}
    assert set(terminal.COMMANDS) == modules


@pytest.mark.parametrize("name", terminal.COMMANDS)
def test_each_command_describes_its_arguments(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: python -m redeploy {name}" in capsys.readouterr().out


def test_help_names_all_commands_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.main(["--help"], _none)
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"(?m)^ +{name} ", text) for name in terminal.COMMANDS)


def test_the_command_line_reports_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["reboot"], ["token", "--reboot"]])
def test_an_invalid_call_gets_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.main(arguments)
    assert ended.value.code == terminal.USAGE
    assert "usage: python -m redeploy" in capsys.readouterr().err


def test_a_defect_is_reported_without_what_it_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.main(["token"], _command(_raise(ValueError("a-secret")))) == terminal.DEFECT
    text = capsys.readouterr().err
    assert text.startswith("ValueError in redeploy itself.")
    assert "a-secret" not in text
    assert "Traceback" not in text


def test_a_library_that_is_missing_is_named_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    missing = ModuleNotFoundError("No module named 'requests'", name="requests.sessions")
    assert terminal.main(["token"], _command(_raise(missing))) == terminal.USAGE
    assert "needs the library `requests.sessions`" in capsys.readouterr().err


def test_an_old_python_gets_a_message_with_the_required_version(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "OLDEST_PYTHON", (99, 0))
    assert terminal.main(["token"]) == terminal.USAGE
    assert "or newer is needed" in capsys.readouterr().err


def test_an_interrupt_causes_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.main(["token"], _command(_raise(KeyboardInterrupt()))) == 130
    assert capsys.readouterr().err == "\n"


def test_a_closed_pipe_causes_no_traceback() -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m redeploy token --rotate | exec true; exit 0', sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stderr == ""


@pytest.mark.parametrize("name", ["env", "init", "token"])
def test_a_command_for_the_server_needs_nothing_but_python(name: str) -> None:
    without_libraries = [sys.executable, "-S", "-m", "redeploy", name, "--help"]
    ran = subprocess.run(without_libraries, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_a_token_has_32_random_bytes_and_needs_no_quotes() -> None:
    drawn = {_python("from redeploy.__main__ import main; main(['token'])") for _ in range(2)}
    assert len(drawn) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}\n", each) for each in drawn)


class TestRotation:
    @pytest.mark.parametrize("source", [FROM_THE_SERVER, FROM_GITHUB])
    def test_no_deployment_runs_between_the_changes_and_doctor_looks_before_one_may(self, source: str) -> None:
        text = steps(source, "shop")
        order = ["gh workflow disable", "gh secret set", "gh workflow run doctor.yml", "gh workflow enable"]
        assert sorted(order, key=text.index) == order

    @pytest.mark.parametrize("source", [FROM_THE_SERVER, FROM_GITHUB])
    def test_the_steps_are_numbered_and_fit_a_terminal(self, source: str) -> None:
        numbers = re.findall(r"(?m)^(\d)\. ", steps(source, "shop"))
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        assert max(map(len, steps(source, "shop").splitlines())) <= 80

    @pytest.mark.parametrize("source", [FROM_THE_SERVER, FROM_GITHUB])
    def test_rotation_uses_the_names_of_the_service(self, source: str) -> None:
        text = steps(source, "shop", "")
        assert "portfolio" not in text
        assert "--env production" not in text
        assert ("/opt/shop/deploy" in text) is (source == FROM_THE_SERVER)

    def test_the_name_is_found_in_the_files_that_init_wrote(self, tmp_path: Path) -> None:
        (tmp_path / "deploy").mkdir()
        (tmp_path / "deploy" / "docker-compose.shop-prod.yml").write_text("")
        ended = subprocess.run(
            [sys.executable, "-m", "redeploy", "token", "--rotate"],
            cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert "/opt/shop/deploy" in ended.stdout

    def test_an_invalid_name_is_reported(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert terminal.main(["token", "--rotate", "--name", "a; reboot"]) == terminal.USAGE
        assert "--name is not a name" in capsys.readouterr().err

    def test_the_steps_name_existing_files_of_the_kit(self) -> None:
        compose = (DEPLOY / "docker-compose.portfolio-prod.yml").read_text(encoding="utf-8")
        assert "container_name: portfolio-watchtower" in compose
        places = [DEPLOY, ROOT / ".github" / "workflows", ROOT / "examples"]
        named = set(
            re.findall(r"[\w.-]+\.yml", steps(FROM_THE_SERVER, "portfolio") + steps(FROM_GITHUB, "portfolio"))
        ) - {"doctor.yml"}
        assert all(any((place / name).exists() for place in places) for name in named)

    def test_the_old_token_is_replaced_by_a_new_one_and_all_else_stays(self, tmp_path: Path) -> None:
        file = tmp_path / ".env.production"
        example = (DEPLOY / ".env.production.example").read_text(encoding="utf-8")
        file.write_text(example.replace("\nWATCHTOWER_HTTP_API_TOKEN=\n", "\nWATCHTOWER_HTTP_API_TOKEN=old\n"))
        script = steps(FROM_THE_SERVER, "portfolio").partition("cd /opt/portfolio/deploy\n")[2].partition("\n\n3.")[0]
        subprocess.run(["/bin/sh", "-ec", script], cwd=tmp_path, check=True, timeout=60)
        *kept, new = file.read_text(encoding="utf-8").splitlines()
        assert kept == [each for each in example.splitlines() if not each.startswith("WATCHTOWER_HTTP_API_TOKEN=")]
        assert re.fullmatch(r"WATCHTOWER_HTTP_API_TOKEN=[A-Za-z0-9_-]{43}", new)
        assert file.stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in tmp_path.iterdir()) == [".env.production"]


def _none(name: str) -> ModuleType:
    raise AssertionError(name)


def _raise(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def run(_: argparse.Namespace) -> int:
        raise error

    return run


def _command(run: Callable[[argparse.Namespace], int]) -> Callable[[str], ModuleType]:
    """The modules loaded by a command that does this."""
    return lambda _: cast("ModuleType", SimpleNamespace(declare=lambda parser: None, run=run))


def _python(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout


class TestDoctorWithAFile:
    """The result of `doctor` at a terminal for a config file."""

    def examined(self, folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
        (folder / "redeploy.yml").write_text(text)
        return subprocess.run(
            [sys.executable, "-m", "redeploy", "doctor", "--config", str(folder / "redeploy.yml")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
            env={"HOST_TOKEN": "token-of-a-host-1", "PATH": "/usr/bin"},
        )

    def test_every_problem_of_the_file_is_reported_with_its_line(self, tmp_path: Path) -> None:
        ran = self.examined(tmp_path, "services: {api: {timeout: soon, health-pth: /up}}\nhosts: {eu: {}}\n")
        assert ran.returncode == 2
        lines = [line.partition("redeploy.yml:")[2].partition(": ")[0] for line in ran.stderr.splitlines()]
        assert lines == ["1:27", "1:33", "2:9", "2:9"]

    def test_the_only_service_is_examined_and_its_token_is_not_shown(self, tmp_path: Path) -> None:
        host = "{watchtower-url: 'http://127.0.0.1:9/v1/update', watchtower-token: '${HOST_TOKEN}'}"
        ran = self.examined(tmp_path, f"services: {{api: }}\nhosts: {{eu: {host}}}\n")
        assert ran.returncode == 1
        assert "nothing-listens" in ran.stdout
        assert "token-of-a-host" not in ran.stdout + ran.stderr
