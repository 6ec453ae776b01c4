"""`python -m redeploy env`, run as the nightly workflow runs it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.deploy_files import ROOT

TOKEN = 'a-s3cret "with" much $in #it'
TEMPLATE = "# the settings\nTOKEN=\nPORT=8001\n"
WRITTEN = f"# the settings\nTOKEN='{TOKEN}'\nPORT=8001\n"


@dataclass
class Server:
    """A server's folder with a template, and the commands that were run in it."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / ".env.production"

    def env(
        self, command: tuple[str, ...] = (), *, actions: bool = False, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Render the file with these environment variables, as in a job or at a terminal."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_CONFIG") if name in os.environ}
        if actions:
            kept |= {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(self.folder / "outputs")}
        call = [sys.executable, "-m", "redeploy", "env", "--template", str(self.folder / "template")]
        return subprocess.run(
            [*call, "--output", str(self.file), *(("--", *command) if command else ())],
            cwd=ROOT,
            env=kept | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def applied(self, code: int = 0) -> tuple[str, ...]:
        """A command that records its environment and exits with this code."""
        note = (
            f"import json, os; open({str(self.folder / 'applied')!r}, 'a').write(json.dumps(dict(os.environ)) + '\\n')"
        )
        return (sys.executable, "-c", f"{note}; raise SystemExit({code})")

    def environments(self) -> list[dict[str, str]]:
        """The environment of each command that was run."""
        recorded = self.folder / "applied"
        return [json.loads(line) for line in recorded.read_text().splitlines()] if recorded.exists() else []

    def names(self) -> set[str]:
        """The names of the files in the folder."""
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "template").write_text(TEMPLATE)
    return Server(tmp_path)


def test_secrets_are_readable_by_the_owner_only_and_reported_by_name_only(server: Server) -> None:
    ran = server.env(SECRET_TOKEN=TOKEN)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"{server.file}: changed (PORT, TOKEN).\n"
    assert server.file.read_text() == WRITTEN
    assert server.file.stat().st_mode & 0o777 == 0o600
    assert server.names() == {"template", ".env.production"}


def test_the_command_runs_only_when_a_value_has_changed(server: Server) -> None:
    lines = [server.env(server.applied(), SECRET_TOKEN=token).stdout.splitlines()[0] for token in ("1", "1", "2")]
    assert [line.rpartition(": ")[2] for line in lines] == ["changed (PORT, TOKEN).", "unchanged.", "changed (TOKEN)."]
    assert len(server.environments()) == 2
    assert server.names() == {"template", ".env.production", "applied"}


def test_the_command_gets_no_secret_in_its_environment(server: Server) -> None:
    assert server.env(server.applied(), SECRET_TOKEN=TOKEN).returncode == 0
    [given] = server.environments()
    assert not [name for name in given if name.startswith("SECRET_")]
    assert "s3cret" not in json.dumps(given)


@pytest.mark.parametrize("token", [TOKEN, "s3cret's #1", "one line\nand an-0ther\n"])
def test_no_secret_is_shown_when_the_command_prints_the_file(server: Server, token: str) -> None:
    ran = server.env(("cat", str(server.file)), SECRET_TOKEN=token)
    assert "PORT=8001" in ran.stdout
    assert not any(part in ran.stdout + ran.stderr for part in ("s3cret", "much", "one line", "an-0ther"))


@pytest.mark.parametrize("command", ["exit", "nothing-like-this"])
def test_a_change_that_was_not_applied_is_applied_next_time(server: Server, command: str) -> None:
    failing = server.applied(code=3) if command == "exit" else (command,)
    failed = server.env(failing, actions=True, SECRET_TOKEN="1")
    assert failed.returncode == 1
    assert "It is run again next time." in failed.stdout
    tried = len(server.environments())
    again = server.env(server.applied(), SECRET_TOKEN="1")
    assert again.returncode == 0
    assert "unchanged, but an earlier change has not been applied" in again.stdout
    assert len(server.environments()) == tried + 1
    assert server.env(server.applied(), SECRET_TOKEN="1").stdout.endswith("unchanged.\n")


def test_the_change_of_a_killed_run_is_applied_next_time(server: Server) -> None:
    kill_the_caller = (sys.executable, "-c", "import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    assert server.env(kill_the_caller, SECRET_TOKEN="1").returncode == -9
    assert server.env(server.applied(), SECRET_TOKEN="1").returncode == 0
    assert len(server.environments()) == 1


@pytest.mark.parametrize(
    ("template", "secrets", "message"),
    [
        (TEMPLATE, {}, "`TOKEN` has no value"),
        (TEMPLATE, {"SECRET_TOKEN": ""}, "`SECRET_TOKEN` is empty"),
        (TEMPLATE, {"SECRET_TOKEN": TOKEN, "SECRET_OTHER": TOKEN}, "`SECRET_OTHER` is set, but the template"),
        (TEMPLATE + "OTHER=\n", {"SECRET_TOKEN": TOKEN}, "`OTHER` has no value"),
        (TEMPLATE + "nonsense\n", {"SECRET_TOKEN": TOKEN}, "Line 4 of the template"),
    ],
)
def test_nothing_is_touched_when_a_value_is_missing(
    server: Server, template: str, secrets: dict[str, str], message: str
) -> None:
    server.file.write_text("old")
    (server.folder / "template").write_text(template)
    ran = server.env(server.applied(), actions=False, **secrets)
    assert ran.returncode == 2
    assert ran.stderr.startswith(message)
    assert "s3cret" not in ran.stdout + ran.stderr
    assert server.file.read_text() == "old"
    assert server.names() == {"template", ".env.production"}


def test_in_a_job_a_problem_is_an_error_annotation(server: Server) -> None:
    ran = server.env(actions=True)
    assert ran.returncode == 2
    assert ran.stdout.startswith("::error title=Secrets for the server::`TOKEN` has no value")


def test_a_job_has_an_output_that_says_whether_anything_changed(server: Server) -> None:
    for token in ("1", "1"):
        assert server.env(actions=True, SECRET_TOKEN=token).returncode == 0
    outputs = (server.folder / "outputs").read_text().splitlines()
    assert outputs[1::3] == ["true", "false"]
    assert all(line.startswith("changed<<") for line in outputs[::3])


def test_a_file_that_others_may_read_is_made_private_even_without_a_change(server: Server) -> None:
    server.env(SECRET_TOKEN="1")
    server.file.chmod(0o644)
    assert server.env(SECRET_TOKEN="1").stdout.endswith("unchanged.\n")
    assert server.file.stat().st_mode & 0o777 == 0o600


def test_unusable_files_are_named(server: Server) -> None:
    (server.folder / "template").unlink()
    assert server.env(SECRET_TOKEN="1").stderr == f"{server.folder / 'template'}: No such file or directory.\n"
    (server.folder / "template").write_bytes(b"A=\xff\n")
    assert server.env().stderr == f"{server.folder / 'template'}: not UTF-8 text.\n"


def test_the_nightly_step_writes_the_file_and_starts_compose_with_it(tmp_path: Path) -> None:
    workflow = yaml.safe_load(
        (ROOT / ".github" / "workflows" / "deploy-secrets-nightly.yml").read_text(encoding="utf-8")
    )
    script = workflow["jobs"]["bring"]["steps"][-1]["run"]
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(sys.executable)
    (programs / "docker").write_text('#!/bin/sh\necho "docker $*"\n')
    (programs / "docker").chmod(0o755)
    given = {"DEPLOY": str(tmp_path), "GITHUB_WORKSPACE": str(ROOT), "SECRET_WATCHTOWER_HTTP_API_TOKEN": "a-s3cret"}
    ran = subprocess.run(
        ["/bin/bash", "-e", "-c", script],
        cwd=ROOT,
        env=given | {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "s3cret" not in ran.stdout + ran.stderr
    file = tmp_path / ".env.production"
    assert "\nWATCHTOWER_HTTP_API_TOKEN=a-s3cret\n" in file.read_text()
    compose = f"docker compose --env-file {file} -f {tmp_path / 'docker-compose.portfolio-prod.yml'} up -d"
    assert ran.stdout.splitlines()[-1] == compose


def test_a_file_that_git_tracks_gets_no_secret(server: Server) -> None:
    server.file.write_text("PORT=8001\n")
    for arguments in (("init", "-q"), ("add", "-f", server.file.name)):
        subprocess.run(["/usr/bin/env", "git", "-C", str(server.folder), *arguments], check=True, timeout=60)
    refused = server.env(SECRET_TOKEN=TOKEN)
    assert refused.returncode == 2
    assert f"git tracks {server.file}" in refused.stderr
    assert server.file.read_text() == "PORT=8001\n"
