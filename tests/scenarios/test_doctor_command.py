"""`python -m redeploy doctor` as a person runs it: at a terminal, with colours, and in a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from sandbox.network.faults import SPA, Instead
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Interrupt, Runner
from sandbox.scenarios import SCENARIOS
from sandbox.scenarios.scenario import DOCTOR
from sandbox.server.process_pool import ProcessPool
from sandbox.watchtower.variants import Variant
from sandbox.worlds import Scene, World
from tests.deploy_files import NGINX
from tests.nginx import WITH_NGINX, lay, running

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "redeploy", "doctor"]
MEASURING = {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}
RUNNER = Runner(PROJECT, FromCheckout(Path(sys.executable)), patience=45, environment=MEASURING)
HANDED_ON = ("PATH", "COVERAGE_PROCESS_CONFIG")


@pytest.fixture(scope="module")
def world(pool: ProcessPool) -> Iterator[World]:
    scene = SCENARIOS["doctor-no-version"].scene
    with World(pool, scene) as one:
        yield one


def environment(world: World, **more: str) -> dict[str, str]:
    given = {"WATCHTOWER_UPDATE_URL": world.update_url, "WATCHTOWER_HTTP_API_TOKEN": world.token, "TERM": "xterm"}
    own = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    return {**own, **given, **more}


def run(*flags: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *flags], env=variables, capture_output=True, text=True, cwd=PROJECT, timeout=60, check=False
    )


def at_terminal(variables: dict[str, str], *flags: str, columns: int = 80, typed: str = "") -> tuple[int, str]:
    """Run it at a terminal, and return the exit code and the terminal's output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *flags],
        env=variables,
        cwd=PROJECT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        shown += data
        if typed and b"token: " in shown:
            os.write(ours, typed.encode())
            typed = ""
    os.close(ours)
    return process.wait(60), shown.decode().replace("\r\n", "\n")


def test_a_pipe_gets_no_colours_and_the_exit_code_of_the_verdict(world: World) -> None:
    done = run(**environment(world))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "ready: A deploy would get through, with a warning" in done.stdout
    assert world.token not in done.stdout


def test_flags_take_precedence_over_variables(world: World) -> None:
    done = run("--health-path", "/nowhere", **environment(world, INPUT_HEALTH_PATH="/api/ready"))
    assert done.returncode == 1
    assert "BROKEN   Health" in done.stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_colours_and_no_line_is_wider_than_the_terminal(world: World, columns: int) -> None:
    code, shown = at_terminal(environment(world), columns=columns)
    assert code == 0
    assert "\x1b[33mwarning" in shown
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert [each for each in bare.splitlines() if len(each) > columns] == []


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_with_no_color_or_a_dumb_terminal_there_are_no_colours(world: World, variables: dict[str, str]) -> None:
    code, shown = at_terminal(environment(world, **variables))
    assert (code, "\x1b" in shown) == (0, False)


def test_a_missing_token_is_asked_for_and_never_shown(world: World) -> None:
    code, shown = at_terminal(environment(world, WATCHTOWER_HTTP_API_TOKEN=""), typed=f"{world.token}\n")
    assert code == 0
    assert "Watchtower's token: " in shown
    assert world.token not in shown


def of_file(name: str, world: World, folder: Path) -> tuple[str, dict[str, str]]:
    """Write the config file of a scenario, and return its path and the environment that it needs."""
    [text] = SCENARIOS[name].files.values()
    file = folder / "redeploy.yml"
    file.write_text(text)
    variables = {each: world.fill(value) for each, value in SCENARIOS[name].variables.items()}
    return str(file), {**environment(world, WATCHTOWER_UPDATE_URL="", WATCHTOWER_HTTP_API_TOKEN=""), **variables}


def test_a_worker_of_a_config_file_is_examined_with_the_token_of_its_host(pool: ProcessPool, tmp_path: Path) -> None:
    with World(pool, SCENARIOS["worker-doctor"].scene) as world:
        file, variables = of_file("worker-doctor", world, tmp_path)
        code, shown = at_terminal(variables, "--config", file, columns=120)
        assert code == 0, shown
        assert "token: " not in shown
        assert "`base-url` is `off`: only its container shows which build runs" in shown
        assert "would replace `jobs`" in shown
        assert world.token not in shown


def test_one_of_several_services_in_a_config_file_must_be_chosen(pool: ProcessPool, tmp_path: Path) -> None:
    with World(pool, replace(SCENARIOS["services"].scene, metrics=True)) as world:
        file, variables = of_file("services", world, tmp_path)
        done = run("--config", file, **variables)
        assert (done.returncode, done.stdout) == (2, "")
        assert "3 services (`eu/api`, `eu/web`, `eu/jobs`)" in done.stderr
        assert "choose it by `services`" in done.stderr
        done = run("--config", file, "--services", "web", **variables)
        assert done.returncode == 0, done.stdout
        assert "would replace `web`" in done.stdout


def test_all_invalid_inputs_are_reported_and_nothing_is_sent(world: World) -> None:
    before = len(world.front.seen)
    done = run("--request-timeout", "soon", **environment(world, WATCHTOWER_HTTP_API_TOKEN=""))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "request-timeout: " in done.stderr
    assert "watchtower-token: " in done.stderr
    assert len(world.front.seen) == before


def test_a_missing_url_is_reported_with_the_variable_and_the_flag_for_it(world: World) -> None:
    code, shown = at_terminal(environment(world, WATCHTOWER_UPDATE_URL=""), columns=60)
    assert code == 2
    assert shown.splitlines() == [
        "watchtower-url: is empty; set WATCHTOWER_UPDATE_URL, or",
        "pass --watchtower-url.",
    ]


@pytest.mark.parametrize("secret", ["watchtower-token", "headers", "github-token", "registry-password"])
def test_a_secret_has_no_flag(secret: str) -> None:
    done = run(f"--{secret}", "x", PATH=os.environ["PATH"])
    assert done.returncode == 2
    assert "unrecognized arguments" in done.stderr


def test_the_file_of_a_private_authority_may_be_anywhere(pool: ProcessPool, tmp_path: Path) -> None:
    with World(pool, Scene(details=True, certificate="private")) as world:
        pem = tmp_path / "ca.pem"
        pem.write_text(world.certificate_authority)
        done = run("--ca-certificate", str(pem), "--version-path", "/api/dev/status", **environment(world))
        assert done.returncode == 0, done.stdout
        assert "issued by `" in done.stdout
        missing = run("--ca-certificate", str(tmp_path / "none.pem"), **environment(world))
        assert missing.returncode == 2
        assert "cannot be read" in missing.stderr


@WITH_NGINX
@pytest.mark.parametrize("variant", ["nicholas-fedor", "containrrr", "openserbia"])
def test_behind_the_kits_nginx_every_product_line_is_examined_completely(
    variant: Variant, pool: ProcessPool, tmp_path: Path
) -> None:
    with World(pool, Scene(variant=variant)) as world:
        lay(tmp_path, NGINX / "nginx.prod.conf", {"backend": world.host.port, "watchtower": world.watchtower.port})
        with running(tmp_path) as (port, _):
            url = f"http://127.0.0.1:{port}/ops/watchtower/update"
            flags = ("--watchtower-url", url, "--version-path", "/api/dev/status")
            ready = run(*flags, **environment(world))
            wrong = run(*flags, **environment(world, WATCHTOWER_HTTP_API_TOKEN="another-token"))
            assert world.watchtower.triggers == []
    assert ready.returncode == 0, ready.stdout
    assert "ready: A deploy would get through\n" in ready.stdout
    assert wrong.returncode == 1, wrong.stdout
    assert "BROKEN   Token" in wrong.stdout
    assert wrong.stdout.count("BROKEN") == 1


@pytest.mark.parametrize("signal", [SIGINT, SIGTERM])
def test_an_examination_can_be_cancelled(signal: Signals, pool: ProcessPool) -> None:
    with World(pool, Scene(on_watchtower=Instead(SPA, after=20.0))) as world:
        inputs = {name: world.fill(text) for name, text in DOCTOR.items()} | {"request-timeout": "20s"}
        unmeasured = replace(
            RUNNER, environment={}
        )  # coverage would deadlock on a lock that it held when the signal came
        run = unmeasured.run(inputs, interrupt=Interrupt(0.2, signal, lambda: bool(world.front.seen)))
    assert run.problems == (), run.log
    assert (run.outputs["verdict"], run.exit_code) == ("cancelled", 128 + signal)
