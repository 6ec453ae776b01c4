"""The sandbox's host: real processes that are replaced, crash and end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from sandbox.server.builds import V1, V2, Build, Document
from sandbox.server.engine import StartError
from sandbox.server.host import Host
from sandbox.server.process_pool import ProcessPool

PROJECT = Path(__file__).resolve().parents[3]
QUICK_V2 = replace(V2, boot=0.0)


@pytest.fixture
def host(pool: ProcessPool) -> Iterator[Host]:
    one = Host(pool)
    yield one
    one.close()


def request(host: Host, path: str) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{host.port}{path}", timeout=5, headers={"Connection": "close"})


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)


def test_a_replaced_service_responds_with_the_new_build_on_the_same_port(host: Host) -> None:
    before = request(host, "/api/status/uptime").json()
    host.service.replace(QUICK_V2, grace=5, gap=0)
    assert host.service.wait_until_listening(5)
    after = request(host, "/api/status/uptime").json()
    assert (before["build"], after["build"]) == (V1.git_sha, V2.git_sha)
    assert after["start_time"] > before["start_time"]


def test_between_two_builds_the_port_refuses_connections(host: Host) -> None:
    host.service.stop(5)
    with pytest.raises(requests.ConnectionError, match="refused"):
        request(host, "/api/ready")


def test_the_record_names_the_build_that_responded_at_each_moment(host: Host) -> None:
    host.service.replace(QUICK_V2, grace=5, gap=0)
    host.service.wait_until_listening(5)
    until(lambda: len(host.service.moments) == 3)
    assert [moment.build for moment in host.service.moments] == ["v1", None, "v2"]
    assert host.service.moments == sorted(host.service.moments, key=lambda moment: moment.at)


def test_a_build_that_ignores_sigterm_serves_until_its_grace_period_ends(pool: ProcessPool) -> None:
    host = Host(pool, build=replace(V1, ignores_term=3600))
    try:
        began = time.monotonic()
        host.service.stop(0.4)
        assert 0.4 <= time.monotonic() - began < 2
        assert host.service.answers_with() is None
    finally:
        host.close()


def test_a_crashing_build_is_restarted_with_increasing_delays(host: Host) -> None:
    host.service.replace(replace(QUICK_V2, crashes_after=0.05), grace=5, gap=0)
    until(lambda: sum(moment.build == "v2" for moment in host.service.moments) >= 3)
    gone = [moment.at for moment in host.service.moments if moment.build is None][1:3]
    back = [moment.at for moment in host.service.moments if moment.build == "v2"][1:3]
    assert back[0] - gone[0] >= 0.1
    assert back[1] - gone[1] >= 0.2


def test_a_stopped_container_is_not_restarted(host: Host) -> None:
    host.service.replace(replace(QUICK_V2, crashes_after=0.05), grace=5, gap=0)
    until(lambda: host.service.state == "restarting")
    host.service.stop(5)
    count = len(host.service.moments)
    time.sleep(0.5)
    assert host.service.state == "exited"
    assert len(host.service.moments) == count


def test_an_image_without_an_entrypoint_leaves_a_created_container(host: Host) -> None:
    with pytest.raises(StartError):
        host.service.replace(replace(V2, starts=False), grace=5, gap=0)
    assert host.service.state == "created"
    assert host.service.answers_with() is None


@pytest.mark.parametrize(
    ("build", "path", "status", "content_type"),
    [
        (V1, "/api/ready", 200, "application/json"),
        (replace(V1, readiness="never"), "/api/ready", 503, "application/json"),
        (replace(V1, readiness="text"), "/api/ready", 200, "text/plain; charset=utf-8"),
        (replace(V1, readiness="html"), "/api/dev/status", 200, "text/html; charset=utf-8"),
        (V1, "/api/items/7", 200, "application/json"),
        (V1, "/ops/watchtower/update", 404, "application/json"),
        (V1, "/api/private", 401, "application/json"),
        (QUICK_V2, "/api/search", 200, "application/json"),
        (replace(V1, lost=("GET /api/projects",)), "/api/projects", 404, "application/json"),
        (
            replace(V1, lost=("GET /api/projects",), operations=("POST /api/projects",)),
            "/api/projects",
            405,
            "application/json",
        ),
    ],
)
def test_a_build_responds_as_configured(
    build: Build, path: str, status: int, content_type: str, pool: ProcessPool
) -> None:
    host = Host(pool, build=build)
    try:
        answer = request(host, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
    finally:
        host.close()


def test_a_hidden_build_shows_nothing_that_distinguishes_it_from_another(pool: ProcessPool) -> None:
    def shown(build: Build) -> list[object]:
        host = Host(pool, build=build)
        try:
            return [
                request(host, path).json()
                for path in ("/api/ready", "/api/dev/status", "/api/status/uptime", "/openapi.json")
            ]
        finally:
            host.close()

    assert shown(replace(V1, identity="hidden")) == shown(Build("v2", boot=0.0, identity="hidden"))


def test_a_build_is_unchanged_when_sent_to_another_process() -> None:
    build = replace(V2, lost=("GET /api/projects",), unkept=("/api/items/{item_id}",), document="3.0")
    assert Build.load(build.dump()) == build


def test_a_build_departs_from_its_response_model_where_configured(pool: ProcessPool) -> None:
    host = Host(pool, build=replace(V1, unkept=("/api/items/{item_id}",)))
    try:
        answer = request(host, "/api/items/7")
        assert (answer.status_code, answer.json()["id"]) == (200, "no. 7")
        described = request(host, "/openapi.json").json()["components"]["schemas"]["Item"]["properties"]["id"]
        assert described["type"] == "integer"
        assert request(host, "/api/projects").json()[0]["slug"]
    finally:
        host.close()


@pytest.mark.parametrize(
    ("document", "status", "content_type", "part"),
    [
        ("own", 200, "application/json", '"openapi":"3.1'),
        ("none", 404, "application/json", "Not Found"),
        ("html", 200, "text/html; charset=utf-8", "<!doctype html>"),
        ("other", 200, "application/json", '"routes"'),
        ("hostile", 200, "application/json", "::error"),
        ("deep", 200, "application/json", "[" * 100_000),
        ("huge", 200, "application/json", "-" * (16 << 20)),
    ],
)
def test_a_build_serves_the_configured_document(
    document: Document, status: int, content_type: str, part: str, pool: ProcessPool
) -> None:
    host = Host(pool, build=replace(V1, document=document))
    try:
        answer = request(host, "/openapi.json")
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
        assert part in answer.text
    finally:
        host.close()


def test_a_truncated_document_is_not_json(pool: ProcessPool) -> None:
    host = Host(pool, build=replace(V1, document="truncated"))
    try:
        with pytest.raises(requests.JSONDecodeError):
            request(host, "/openapi.json").json()
    finally:
        host.close()


@pytest.mark.parametrize("document", ["2.0", "3.0"])
def test_a_document_written_by_hand_describes_the_same_service(document: Document, pool: ProcessPool) -> None:
    host = Host(pool, build=replace(V1, document=document))
    try:
        served = request(host, "/openapi.json").json()
        assert served.get("swagger", served.get("openapi", "")).startswith(document)
        prefix = served.get("basePath") or served["servers"][-1]["url"]
        for path in served["paths"]:
            assert request(host, prefix + path.replace("{id}", "7")).status_code == 200
    finally:
        host.close()


def test_no_process_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    story = (
        "import time\n"
        "from sandbox.server.process_pool import ProcessPool\n"
        "from sandbox.server.host import Host\n"
        "pool = ProcessPool()\n"
        "host = Host(pool)\n"
        "print(pool.pid, host.port, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", story], stdout=subprocess.PIPE, text=True, cwd=PROJECT) as owner:
        assert owner.stdout is not None
        pid, port = map(int, owner.stdout.readline().split())
        children = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
        assert children
        owner.send_signal(signal.SIGKILL)
    until(lambda: not any(_lives(one) for one in {pid, *children}))
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/api/ready", timeout=2)


def test_the_action_ends_with_a_runner_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "action.yml").write_text("inputs: {}\noutputs: {}\n")
    (tmp_path / "entrypoint.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    story = (
        "import sys\n"
        "from pathlib import Path\n"
        "from sandbox.runner.launchers import FromCheckout\n"
        "from sandbox.runner.runner import Runner\n"
        f"runner = Runner(Path({str(tmp_path)!r}), FromCheckout(Path(sys.executable)))\n"
        "runner.run({}, on_line=lambda line: print(line, flush=True))\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", story]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
    until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    """Whether a process is running, and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
