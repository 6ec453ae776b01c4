"""A new user's first redeploy in the sandbox: `init`, a server made of the files that it wrote, the redeploy."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Runner
from sandbox.server.builds import V1, V2
from sandbox.server.host import Host
from sandbox.server.process_pool import ProcessPool
from sandbox.watchtower.variants import watchtower
from tests.deploy_files import ROOT
from tests.first_run import Newcomer
from tests.nginx import WITH_NGINX, lay, running

pytestmark = WITH_NGINX

DOMAIN = "api.example.com"
IMAGE = "registry.test/o/api:latest"
RUNNER = Runner(ROOT, FromCheckout(Path(sys.executable)), patience=60)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    """A new user who has run `init` in a repository."""
    one = Newcomer(tmp_path / "repository", ("--domain", DOMAIN, "--image", IMAGE))
    assert one.init().returncode == 0
    return one


@pytest.fixture
def secrets(newcomer: Newcomer, tmp_path: Path) -> dict[str, str]:
    """The secrets that the first step sets at GitHub."""
    (tmp_path / "programs").mkdir()
    return newcomer.secrets(tmp_path / "programs")


@pytest.fixture
def origin(pool: ProcessPool, newcomer: Newcomer, secrets: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The server's origin: nginx with the written files, the old build, and a newer one in the registry."""
    host = Host(pool, IMAGE, build=replace(V1, boot=0.0))
    host.push(V2)
    updater = watchtower("nicholas-fedor", host, secrets["WATCHTOWER_HTTP_API_TOKEN"])
    updater.listen()
    lay(tmp_path / "nginx", newcomer.front, {"backend": host.port, "watchtower": updater.port})
    with running(tmp_path / "nginx") as (port, _):
        yield f"http://127.0.0.1:{port}"
    host.close()
    updater.close()


def test_watchtower_is_reachable_from_outside(secrets: dict[str, str], origin: str) -> None:
    url = secrets["WATCHTOWER_UPDATE_URL"].replace(f"https://{DOMAIN}", origin)
    assert requests.post(url, timeout=10).status_code == 401


def test_doctor_reports_ready(newcomer: Newcomer, secrets: dict[str, str], origin: str) -> None:
    given = newcomer.inputs(secrets, "doctor.yml")
    inputs = {name: text.replace(f"https://{DOMAIN}", origin) for name, text in given.items()}
    run = RUNNER.run(inputs, secrets=[secrets["WATCHTOWER_HTTP_API_TOKEN"], inputs["watchtower-url"]])
    assert run.problems == (), run.log
    assert (run.outputs["verdict"], run.exit_code) == ("ready", 0), run.log
    assert run.outputs["digest"] == V1.digest


def test_the_first_redeploy_is_proven(newcomer: Newcomer, secrets: dict[str, str], origin: str) -> None:
    inputs = {name: text.replace(f"https://{DOMAIN}", origin) for name, text in newcomer.inputs(secrets).items()}
    run = RUNNER.run(inputs, secrets=[secrets["WATCHTOWER_HTTP_API_TOKEN"], inputs["watchtower-url"]])
    assert run.problems == (), run.log
    assert (run.outputs["verdict"], run.outputs["proof"], run.exit_code) == ("deployed", "change", 0), run.log
    assert (run.outputs["previous-digest"], run.outputs["digest"]) == (V1.digest, V2.digest)
