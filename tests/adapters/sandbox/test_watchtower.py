"""The sandbox's Watchtower against recorded responses of three real ones."""

import gzip
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from sandbox.server.builds import V1, Build
from sandbox.server.host import Host
from sandbox.server.process_pool import ProcessPool
from sandbox.watchtower.limiter import SlidingWindow
from sandbox.watchtower.variants import Variant, watchtower
from sandbox.watchtower.watchtower import Watchtower

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "watchtower"
ROWS = json.loads((FIXTURES / "transcripts.json").read_text())
TOKEN = "the-right-token"
V2 = Build("v2", boot=0.0)
BROKEN = replace(V2, starts=False)
CRASHING = replace(V2, crashes_after=0.0)
STUBBORN = replace(V1, ignores_term=3600)


@dataclass
class Bench:
    """A host and its Watchtower under test."""

    host: Host
    watchtower: Watchtower[Build]

    def request(
        self,
        method: str,
        target: str,
        authorization: str | None,
        body: bytes = b"",
        client: str | None = None,
        accept: str = "",
    ) -> bytes:
        """Send one request on its own connection, and return all bytes until it closes."""
        lines = [f"{method} {target} HTTP/1.1", "Host: watchtower", "Connection: close"]
        lines += [f"Authorization: {authorization}"] if authorization else []
        lines += [f"X-Real-IP: {client}"] if client else []
        lines += [f"Accept-Encoding: {accept}"] if accept else []
        lines += [f"Content-Length: {len(body)}"] if body else []
        with socket.create_connection(("127.0.0.1", self.watchtower.port), timeout=20) as stream:
            stream.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            return b"".join(iter(lambda: stream.recv(65536), b""))

    def update(self) -> None:
        """Run an update as part of the condition."""
        self.request("POST", "/v1/update", f"Bearer {TOKEN}")

    def updates(self, query: str = "") -> dict[str, int]:
        """Run an update, and return the fork's counts."""
        answer = self.request("POST", f"/v1/update{query}", f"Bearer {TOKEN}")
        return cast("dict[str, int]", json.loads(answer.partition(b"\r\n\r\n")[2])["summary"])

    def rows(self, method: str = "GET", path: str = "/v1/containers") -> list[dict[str, object]]:
        """What the fork reports about each container."""
        answer = self.request(method, path, f"Bearer {TOKEN}")
        return cast("list[dict[str, object]]", json.loads(answer.partition(b"\r\n\r\n")[2])["containers"])

    def push(self, build: Build = V2) -> None:
        self.host.push(build)

    def add_neighbour(self, pushed: Build) -> None:
        self.host.add("worker", "registry.test/o/worker:latest", V1)
        self.host.push(pushed, "registry.test/o/worker:latest")


@contextmanager
def bench(pool: ProcessPool, variant: Variant, before: Build = V1, **flags: object) -> Iterator[Bench]:
    """Run a bench whose service runs `before`."""
    image = "127.0.0.1/o/api:latest" if variant == "openserbia" else "registry.test/o/api:latest"
    host = Host(pool, image, build=before)
    tower = watchtower(
        variant, host, TOKEN, **{"engine_patience": 0.0, "pull_time": 0.002, "create_time": 0.0, **flags}
    )
    tower.listen()
    try:
        yield Bench(host, tower)
    finally:
        host.close()
        tower.close()


def crashed(bench: Bench) -> None:
    """Set up a new image that exits at once, and an engine that waits long before a restart."""
    bench.host.service.restart_after = 3600
    bench.push(CRASHING)
    bench.update()
    deadline = time.monotonic() + 5
    while bench.host.service.state != "restarting":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def registry(status: int) -> Callable[[Bench], None]:
    def prepare(bench: Bench) -> None:
        bench.push()
        bench.host.registry.trouble = status

    return prepare


def then(*steps: Callable[[Bench], object]) -> Callable[[Bench], None]:
    def prepare(bench: Bench) -> None:
        for step in steps:
            step(bench)

    return prepare


def unwatched(bench: Bench) -> None:
    bench.host.service.watched = False
    bench.host.service.stop(5)


def crashing(bench: Bench) -> None:
    bench.host.service.restart_after = 3600
    bench.push(CRASHING)


def engine_gone(bench: Bench) -> None:
    bench.host.engine_reachable = False


def tag_gone(bench: Bench) -> None:
    bench.host.registry.tags.clear()


def busy(bench: Bench) -> None:
    bench.watchtower.occupy(0.3)


def busy_updating(bench: Bench) -> None:
    bench.push()
    bench.watchtower.occupy(0.3, update=True)


def nothing(_: Bench) -> None:
    pass


push, update = Bench.push, Bench.update
failed_start = then(lambda bench: bench.push(BROKEN), update)
PREPARE: dict[str, Callable[[Bench], None]] = {
    **dict.fromkeys(
        (
            "updated",
            "get-triggers",
            "get-new-image",
            "image-narrowed",
            "image-with-tag",
            "image-without-tag",
            "after-image-with-tag",
            "container-narrowed",
            "async",
            "timeout-parameter",
            "updated-slow-stop",
            "update-timeout",
            "cooldown",
            "monitor-only",
            "check-update-available",
            "updated-after-registry-mended",
            "gated-updated",
            "blue-green-published-port",
        ),
        push,
    ),
    **{f"registry-{status}": registry(status) for status in (401, 403, 404, 429, 500)},
    "check-registry-429": registry(429),
    "metrics": then(lambda bench: bench.request("POST", "/v1/update?image=none", f"Bearer {TOKEN}")),
    "containers-after": then(push, update),
    "status": then(push, update),
    "history": then(push, update),
    "busy-full": busy,
    "busy-narrowed": busy,
    "busy-targeted": busy_updating,
    "start-failed": lambda bench: bench.push(BROKEN),
    "cannot-start": lambda bench: bench.push(BROKEN),
    "metrics-after-failure": failed_start,
    "containers-after-failed-start": failed_start,
    "cannot-start-again": failed_start,
    "after-failed-start": then(failed_start, push),
    "crash-loop": crashing,
    "crash-loop-include-restarting": crashing,
    "crash-loop-included": crashing,
    "after-crash-loop": crashed,
    "crash-loop-again": crashed,
    "crash-loop-mended": then(crashed, lambda bench: bench.push(Build("v3", boot=0.0))),
    "mended-include-restarting": then(crashed, lambda bench: bench.push(Build("v3", boot=0.0))),
    "crash-loop-included-mended": then(crashed, lambda bench: bench.push(Build("v3", boot=0.0))),
    "containers-crash-loop": then(lambda bench: bench.push(replace(CRASHING, crashes_after=3600)), update),
    "engine-unreachable": engine_gone,
    "readyz-engine-unreachable": engine_gone,
    "containers-engine-unreachable": engine_gone,
    "tag-deleted": tag_gone,
    "tag-gone": tag_gone,
    "check-tag-deleted": tag_gone,
    "updated-two": then(push, lambda bench: bench.add_neighbour(V2)),
    "partial": then(push, lambda bench: bench.add_neighbour(BROKEN)),
    "one-updated-one-failed": then(push, lambda bench: bench.add_neighbour(BROKEN)),
    "containers-two": then(push, lambda bench: bench.add_neighbour(BROKEN), update),
    "no-watched-container": unwatched,
    "gated-rolled-back": lambda bench: bench.push(replace(V2, passes_health_check=False)),
    "gated-cooldown": then(lambda bench: bench.push(replace(V2, passes_health_check=False)), update),
    "gated-cooldown-good-image": then(
        lambda bench: bench.push(replace(V2, passes_health_check=False)),
        update,
        lambda bench: bench.push(Build("v3", boot=0.0)),
    ),
}
RESTARTING: dict[str, object] = {"include_restarting": True}
GATED: dict[str, object] = {"health_gated": True, "gate_timeout": 0.2}
FLAGS: dict[str, dict[str, object]] = {
    "updated-slow-stop": {"stop_timeout": 0.3},
    "update-timeout": {"update_timeout": 0.2, "stop_timeout": 0.6},
    "rate-limited": {"rate_limit": 0},
    "cooldown": {"cooldown": True},
    "monitor-only": {"monitor_only": True},
    "crash-loop-include-restarting": RESTARTING,
    "mended-include-restarting": RESTARTING,
    "crash-loop-included": RESTARTING,
    "crash-loop-included-mended": RESTARTING,
    "gated-updated": {**GATED, "gate_timeout": 30.0},  # a working image ends the wait, however slow the machine
    "gated-rolled-back": GATED,
    "gated-cooldown": GATED,
    "gated-cooldown-good-image": GATED,
}
# The recordings of one line share a server; here each row has its own, which has not been updated before.
UNCHAINED = {"image-with-tag": "v1", "after-image-with-tag": "v2", "get-new-image": "v2"}


def normalised(response: bytes) -> str:
    """The response, with values that vary from run to run replaced by their names."""
    text = response.decode()
    head, _, body = text.partition("\r\n\r\n")
    for pattern, name in (
        (r"(?m)^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r", "Date: <date>\r"),
        (r"(?m)^X-Request-Id: [\w-]{43}\r", "X-Request-Id: <id>\r"),
        (r"(?m)^X-Ratelimit-(\w+): \d+\r", r"X-Ratelimit-\1: <n>\r"),
    ):
        head = re.sub(pattern, name, head)
    if body == "Too Many Requests":
        head = re.sub(r"Retry-After: \d+", "Retry-After: <n>", head)
    if re.search(r'"duration"|\.\d+Z"', body) or "text/plain; version=" in head:
        head = re.sub(r"Content-Length: \d+", "Content-Length: <n>", head)
    body = re.sub(r"sha256:[0-9a-f]{64}", "<digest>", body)
    body = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", lambda found: f"<time{'.' if found[1] else ''}>", body)
    body = re.sub(r'"duration":"[\d.]+(ns|µs|ms|s)","duration_ms":\d+', '"duration":<took>', body)
    return f"{head}\r\n\r\n{body}"


def product(versioned: str) -> Variant:
    """The product line in a name such as `containrrr-1.7.1`."""
    return cast("Variant", versioned.rpartition("-")[0])


def _named(row: dict[str, str]) -> str:
    return f"{row['line'].rpartition('-')[0]}:{row['name']}"


@pytest.mark.parametrize("row", ROWS, ids=_named)
def test_every_recorded_request_gets_the_recorded_response_byte_for_byte(
    row: dict[str, str], pool: ProcessPool
) -> None:
    name, variant = row["name"], product(row["line"])
    before = STUBBORN if name in ("updated-slow-stop", "update-timeout") else V1
    body = b"x" * 2048 if name == "body" else b""
    with bench(pool, variant, before, **FLAGS.get(name, {})) as world:
        PREPARE.get(name, nothing)(world)
        authorization = row["authorization"] and row["authorization"].replace("<token>", TOKEN)
        answered = world.request(row["method"], row["target"], authorization, body)
        recorded = row["response"].encode()
        if telling := row.get("telling_lines"):
            head, _, answered_body = answered.partition(b"\r\n\r\n")
            answered = head + b"\r\n\r\n"
            assert _names(telling) == _names(answered_body.decode().splitlines())
        assert normalised(answered) == normalised(recorded)
        if expected := UNCHAINED.get(name, row.get("service_after")) if "service_after" in row else None:
            _assert_answers(world.host, expected)


def _names(lines: list[str] | str) -> list[str]:
    """The lines of a metrics response, without chunk sizes and values that depend on the process and its history."""
    varying = r"^(process_start_time_seconds|watchtower_scans_total|watchtower_containers_\w+) .*"
    return [re.sub(varying, r"\1", line) for line in lines if not re.fullmatch(r"[0-9a-f]*", line)]


def _assert_answers(host: Host, expected: str) -> None:
    deadline = time.monotonic() + 5
    while (now := host.service.answers_with() or "down") != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    assert now == expected


def test_content_lengths_match_the_bodies(pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor") as world:
        for target, method in (("/v1/update", "POST"), ("/v1/check", "POST"), ("/v1/metrics", "GET")):
            head, _, body = world.request(method, target, f"Bearer {TOKEN}").partition(b"\r\n\r\n")
            assert f"Content-Length: {len(body)}\r\n".encode() in head


def test_the_forks_rate_limit_counts_every_request_and_then_refuses_even_a_valid_token(pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor", rate_limit=3) as world:
        for _ in range(3):
            assert b" 401 " in world.request("POST", "/v1/update", "Bearer wrong")
        assert world.request("POST", "/v1/update", f"Bearer {TOKEN}").startswith(b"HTTP/1.1 429 ")
    assert world.watchtower.triggers == []


def test_the_forks_rate_limit_is_per_client_where_a_proxy_names_the_client(pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor", rate_limit=1, proxy_header="X-Real-IP") as world:
        asked = [
            world.request("POST", "/v1/update", None, client=client)
            for client in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        ]
    assert [answer.split(b" ")[1] for answer in asked] == [b"401", b"429", b"401"]


def test_the_forks_rate_limit_is_a_sliding_window() -> None:
    few, many = SlidingWindow(5), SlidingWindow(60)
    at_once = [few.count("a", 0.0).remaining for _ in range(6)]
    assert (at_once[-1], few.count("a", 60.2).remaining) == (-1, -2), "it still refuses after its own Retry-After"
    assert few.count("a", 120.4).remaining >= 0
    assert few.count("b", 0.0).remaining == 4
    for _ in range(70):
        many.count("a", 0.0)
    assert [many.count("a", at).remaining >= 0 for at in (60, 65, 75)] == [False, False, True]


@pytest.mark.parametrize("path", ["/v1/containers", "/v1/metrics"])
def test_the_fork_responds_to_head_as_to_get(path: str, pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor") as world:
        assert world.request("HEAD", path, f"Bearer {TOKEN}").startswith(b"HTTP/1.1 200 ")
        refused = world.request("POST", path, f"Bearer {TOKEN}")
    assert refused.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in refused


def test_the_fork_compresses_large_bodies_for_clients_that_accept_it(pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor") as world:
        head, _, body = world.request("GET", "/v1/containers", f"Bearer {TOKEN}", accept="gzip, br").partition(
            b"\r\n\r\n"
        )
        small = world.request("POST", "/v1/update", None, accept="gzip, br")
    assert b"\r\nContent-Encoding: gzip\r\n" in head
    assert json.loads(gzip.decompress(body))["count"] == 1
    assert small.endswith(b"missing or invalid API Key")


def test_the_fork_reports_the_first_digest_of_an_image_that_was_pushed_again(pool: ProcessPool) -> None:
    again = replace(V1, attested="again")
    first, last = sorted([V1, again], key=lambda build: build.digest)
    with bench(pool, "nicholas-fedor", before=last) as world:
        world.push(first)
        assert world.updates() == {"failed": 0, "restarted": 0, "scanned": 1, "skipped": 0, "updated": 0}
        assert world.rows()[0]["digest"] == first.digest
    with bench(pool, "nicholas-fedor", before=first) as world:
        world.push(last)
        world.update()
        assert world.rows()[0]["digest"] == first.digest, "the new digest is never reported"


def test_with_an_unchanged_digest_the_image_of_the_hosts_own_tag_goes_live(pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor") as world:
        world.host.store.tags[world.host.service.image] = V2
        assert world.updates()["updated"] == 1
        _assert_answers(world.host, "v2")


@pytest.mark.parametrize("variant", ["containrrr", "nicholas-fedor"])
def test_an_update_falls_back_to_the_engines_pull_where_the_check_only_reports_an_error(
    variant: Variant, pool: ProcessPool
) -> None:
    words = "dial tcp 127.0.0.1:5000: connect: connection refused"
    with bench(pool, variant) as world:
        world.push()
        world.host.registry.https_trouble = words
        if variant == "nicholas-fedor":
            row = world.rows("POST", "/v1/check")[0]
            assert (row["update_available"], words in str(row["error"])) == (False, True)
        world.update()
        _assert_answers(world.host, "v2")


@pytest.mark.parametrize(
    ("status", "of_realm", "words"),
    [
        (401, False, "failed to get token: no credentials available: no credentials available"),
        (403, False, "failed to get token: unexpected status with empty WWW-Authenticate header: status 403"),
        (500, False, "failed to get token: unexpected status with empty WWW-Authenticate header: status 500"),
        (
            403,
            True,
            "failed to get token: failed to decode response: failed to execute bearer token request: status 403 Forbidden",
        ),
    ],
)
def test_the_fork_reports_each_refusal_of_a_registry(
    status: int, of_realm: bool, words: str, pool: ProcessPool
) -> None:
    with bench(pool, "nicholas-fedor") as world:
        world.host.registry.trouble, world.host.registry.of_realm = status, of_realm
        assert world.rows("POST", "/v1/check")[0]["error"] == words
        assert world.updates()["skipped"] == 1


def test_the_fork_always_reports_a_docker_manifest_list_as_a_new_image(pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor", before=replace(V1, manifest_list=True)) as world:
        assert world.rows("POST", "/v1/check")[0]["update_available"] is True
        assert world.updates()["updated"] == 0


def test_the_fork_restarts_the_dependents_of_an_updated_container(pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor") as world:
        world.push()
        world.host.add("worker", "registry.test/o/worker:latest", V1).links = ("api",)
        counted = world.updates()
    assert counted == {"failed": 0, "restarted": 1, "scanned": 2, "skipped": 0, "updated": 1}


@pytest.mark.parametrize(
    ("container", "asked", "matches"),
    [
        ("o/api:latest", "docker.io/o/api", True),
        ("o/api:latest", "index.docker.io/o/api:latest", True),
        ("nginx:1.28", "library/nginx", True),
        ("docker.io/library/nginx:1.28", "nginx", True),
        ("nginx:1.28", "nginx:1.27", False),
        ("127.0.0.1:5000/o/api:latest", "127.0.0.1:5000/o/api", True),
        ("o/api:latest", "ghcr.io/o/api", False),
    ],
)
def test_the_fork_recognises_every_spelling_of_a_docker_hub_name(
    container: str, asked: str, matches: bool, pool: ProcessPool
) -> None:
    with bench(pool, "nicholas-fedor") as world:
        world.host.add("other", container, V1)
        assert world.updates(f"?image={asked}")["scanned"] == int(matches)


@pytest.mark.parametrize("held", ["label", "flag", "pinned"])
def test_a_container_that_is_held_back_is_distinguished_only_by_the_details(held: str, pool: ProcessPool) -> None:
    with bench(pool, "nicholas-fedor", monitor_only=held == "flag") as world:
        service = world.host.service
        service.monitor_only = held == "label"
        if held == "pinned":
            service.image = f"{service.repository}@{V1.digest}"
        world.push(V2)
        assert world.updates() == {"failed": 0, "restarted": 0, "scanned": 1, "skipped": 0, "updated": 0}
        assert world.rows("GET", "/v1/containers/details")[0]["monitor_only"] is (held != "pinned")
        assert world.rows("POST", "/v1/check")[0]["update_available"] is (held != "pinned")


def test_a_refused_token_triggers_nothing_in_any_product_line(pool: ProcessPool) -> None:
    for variant in ("containrrr", "nicholas-fedor", "openserbia"):
        with bench(pool, variant) as world:
            world.push()
            world.request("POST", "/v1/update", None)
            world.request("POST", "/v1/update", "Bearer wrong")
            assert world.watchtower.triggers == []
            assert world.host.service.answers_with() == "v1"


@pytest.mark.parametrize(
    "trace", json.loads((FIXTURES / "poll-traces.json").read_text())[::2], ids=lambda one: one["line"]
)
def test_a_poller_sees_the_old_build_then_no_response_then_the_new_build(
    trace: dict[str, object], pool: ProcessPool
) -> None:
    with bench(pool, product(str(trace["line"])), create_time=0.1) as world:
        world.push(replace(V2, boot=0.3))
        seen = [_glance(world.host)]
        world.update()
        answered_before_it_was_back = _glance(world.host) == "no response"
        while seen[-1] != "v2":
            if (now := _glance(world.host)) != seen[-1]:
                seen.append(now)
            time.sleep(0.01)
    recorded: list[str] = []
    for run in trace["published_port"]:  # type: ignore[attr-defined]
        sees = {"200 v1": "v1", "200 v2": "v2"}.get(run["sees"], "no response")
        if not recorded or recorded[-1] != sees:
            recorded.append(sees)
    assert seen == recorded == ["v1", "no response", "v2"]
    assert answered_before_it_was_back, "the response comes when the container is started, not when it serves"


def _glance(host: Host) -> str:
    """The build that one request to the published port shows."""
    try:
        with socket.create_connection(("127.0.0.1", host.port), timeout=5) as stream:
            stream.sendall(b"GET /api/dev/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            body = b"".join(iter(lambda: stream.recv(65536), b""))
    except ConnectionError:
        return "no response"
    return next((build.name for build in (V1, V2) if build.git_sha.encode() in body), "no response")
