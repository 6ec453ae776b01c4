"""The shipped compose files, read by both versions in use: `docker compose` v2 and docker-compose 1.29."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from redeploy.setup.dotenv import rendered
from redeploy.text.secret import Secret
from tests.deploy_files import DEPLOY, NEEDED, OVERLAYS, PROD
from tests.unit.setup.test_dotenv import FORMS

COMPOSES = {"v2": ("docker", "compose"), "1.29": ("docker-compose",)}


@pytest.fixture(params=COMPOSES)
def compose(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The command of one version of Compose, if it is installed."""
    command = COMPOSES[request.param]
    if not _is_here(command):
        pytest.skip(f"`{' '.join(command)}` is not installed")
    return command


@cache
def _is_here(command: tuple[str, ...]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "version"], capture_output=True, check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("overlay", [None, *OVERLAYS], ids=lambda path: path.name if path else "alone")
def test_compose_accepts_the_files(compose: tuple[str, ...], overlay: Path | None) -> None:
    services = _config(compose, PROD, *([overlay] if overlay else []))["services"]
    assert {"backend", "watchtower"} <= set(services)
    assert services["watchtower"]["environment"]["WATCHTOWER_HTTP_API_TOKEN"] == NEEDED["WATCHTOWER_HTTP_API_TOKEN"]
    assert set(services["watchtower"]["networks"]) == {"watchtower"}


def test_an_overlay_adds_to_the_base_file_and_keeps_the_rest(compose: tuple[str, ...]) -> None:
    settings = _config(compose, PROD, DEPLOY / "docker-compose.containrrr.yml")["services"]["watchtower"]["environment"]
    assert settings["WATCHTOWER_HTTP_API_UPDATE"] == "true"
    assert settings["WATCHTOWER_LABEL_ENABLE"] == "true"
    networks = _config(compose, PROD, DEPLOY / "docker-compose.tunnel.yml")["services"]["backend"]["networks"]
    assert set(networks) == {"default", "tunnel"}


def test_the_example_environment_lacks_only_the_token(compose: tuple[str, ...], tmp_path: Path) -> None:
    example = (DEPLOY / ".env.production.example").read_text(encoding="utf-8")
    filled_in = tmp_path / ".env.production"
    filled_in.write_text(example)
    refused = _run([*compose, "--env-file", str(filled_in), "-f", str(PROD), "config"], {})
    assert refused.returncode != 0
    assert "WATCHTOWER_HTTP_API_TOKEN is not set. Write it into deploy/.env.production" in refused.stderr
    filled_in.write_text(example.replace("\nWATCHTOWER_HTTP_API_TOKEN=\n", "\nWATCHTOWER_HTTP_API_TOKEN=a-token\n"))
    accepted = _run([*compose, "--env-file", str(filled_in), "-f", str(PROD), "config"], {})
    assert "a-token" in accepted.stdout


def test_compose_reads_every_secret_unchanged(compose: tuple[str, ...], tmp_path: Path) -> None:
    secrets = {f"V{number}": value for number, (value, _) in enumerate(FORMS)}
    text = rendered("".join(f"{name}=\n" for name in secrets), {name: Secret(each) for name, each in secrets.items()})
    (tmp_path / "secrets").write_text(text, newline="")
    service = {
        "image": "i",
        "env_file": "secrets",
        "environment": {f"GIVEN_{name}": f"${{{name}}}" for name in secrets},
    }
    (tmp_path / "compose.yml").write_text(yaml.safe_dump({"version": "3", "services": {"s": service}}))
    command = ["--env-file", str(tmp_path / "secrets"), "-f", str(tmp_path / "compose.yml"), "config"]
    ran = _run([*compose, *command], {})
    assert ran.returncode == 0, ran.stderr
    read = yaml.safe_load(ran.stdout)["services"]["s"]["environment"]
    expected = secrets | {f"GIVEN_{name}": value for name, value in secrets.items()}
    assert read == {name: value.replace("$", "$$") for name, value in expected.items()}, "`config` doubles each `$`"


def _config(compose: tuple[str, ...], *files: Path) -> dict[str, Any]:
    """The configuration that Compose merges from the files."""
    named = [part for path in files for part in ("-f", str(path))]
    ran = _run([*compose, "--profile", "nginx", *named, "config"], NEEDED)
    assert ran.returncode == 0, ran.stderr
    loaded = yaml.safe_load(ran.stdout)
    assert isinstance(loaded, dict)
    return loaded


def _run(command: list[str], variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    return subprocess.run(command, env=kept | variables, capture_output=True, text=True, check=False, timeout=60)
