"""The shipped nginx files in a real nginx; `make e2e` tests them with containers behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.adapters.conftest import Serve, Server
from tests.adapters.conftest import http as answer
from tests.deploy_files import NGINX, VARIANTS
from tests.nginx import WITH_NGINX, complaints, lay, running

pytestmark = WITH_NGINX

UPDATE = "/ops/watchtower/update"
PAGE = b"<!doctype html><title>the pages</title>"


@dataclass
class Front:
    """A running nginx, and the servers behind it."""

    url: str
    secure_url: str
    backend: Server
    watchtower: Server

    def request(self, method: str, path: str, *, body: bytes | None = None, **headers: str) -> requests.Response:
        """The response to one request; header names have `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, self.url + path, data=body, headers=named, allow_redirects=False, timeout=10)


@pytest.mark.parametrize("name", VARIANTS)
def test_nginx_accepts_the_file(name: str, tmp_path: Path) -> None:
    lay(tmp_path, NGINX / name, {}, page=PAGE)
    assert complaints(tmp_path) == ""


def test_a_trigger_reaches_watchtower_with_its_query_and_token_and_nothing_else(front: Front) -> None:
    reply = front.request("POST", f"{UPDATE}?image=a/b", body=b"x=1", Authorization="Bearer t", Cookie="access_token=c")
    assert (reply.status_code, reply.content) == (200, b"watchtower")
    assert front.watchtower.requests[0].startswith("POST /v1/update?image=a/b HTTP/1.1\r\n")
    assert front.watchtower.requests[0].endswith("\r\n\r\n"), "the body is not passed on"
    assert front.watchtower.header("Authorization") == ["Bearer t"]
    assert front.watchtower.header("Content-Length") == ["0"]
    assert front.watchtower.header("Cookie") == []
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "endpoint"),
    [("GET", "containers"), ("GET", "containers/details"), ("POST", "check"), ("GET", "metrics")],
)
def test_the_other_endpoints_are_reached_too(front: Front, method: str, endpoint: str) -> None:
    assert front.request(method, f"/ops/watchtower/{endpoint}").status_code == 200
    assert front.watchtower.requests[0].startswith(f"{method} /v1/{endpoint} HTTP/1.1\r\n")


def test_watchtowers_own_refusal_of_a_missing_token_comes_through(front: Front) -> None:
    front.watchtower.handler = lambda connection, _: connection.sendall(answer("401 Unauthorized", b"missing key"))
    reply = front.request("POST", UPDATE)
    assert (reply.status_code, reply.content) == (401, b"missing key")


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, UPDATE) for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")]
    + [("POST", "/ops/watchtower/containers"), ("GET", "/ops/watchtower/check"), ("POST", "/ops/watchtower/metrics")],
)
def test_another_method_is_rejected_before_it_reaches_watchtower(front: Front, method: str, path: str) -> None:
    assert front.request(method, path, Authorization="Bearer t").status_code == 403
    assert not front.watchtower.requests


@pytest.mark.parametrize(
    "path",
    [
        "/ops/watchtower/",
        "/ops/watchtower/v1/update",
        f"{UPDATE}/",
        f"{UPDATE}/extra",
        f"{UPDATE}XYZ",
        f"{UPDATE}/..%2fconfig",
    ],
)
def test_other_paths_neither_reach_watchtower_nor_return_a_page(front: Front, path: str) -> None:
    assert front.request("POST", path, Authorization="Bearer t").status_code == 404
    assert not front.watchtower.requests


def test_nginx_does_not_retry_a_request_whose_response_is_lost(front: Front) -> None:
    front.watchtower.handler = lambda connection, _: connection.close()
    assert front.request("POST", UPDATE).status_code == 502
    assert len(front.watchtower.requests) == 1


def test_sixteen_concurrent_requests_pass_and_the_next_gets_429(front: Front) -> None:
    answers = [front.request("POST", UPDATE).status_code for _ in range(20)]
    assert answers[:16] == [200] * 16
    assert set(answers[17:]) == {429}


def test_requests_to_the_service_do_not_count_against_the_rate_limit_of_the_trigger(front: Front) -> None:
    answers = [front.request("GET", "/api/ready").status_code for _ in range(20)]
    assert answers[:16] == [200] * 16
    assert set(answers[17:]) == {429}
    assert front.request("POST", UPDATE).status_code == 200


def test_behind_the_tunnel_each_client_has_its_own_rate_limit(front: Front) -> None:
    for _ in range(20):
        front.request("POST", UPDATE, CF_Connecting_IP="192.0.2.1")
    assert front.request("POST", UPDATE, CF_Connecting_IP="192.0.2.2").status_code == 200
    assert front.watchtower.header("X-Real-IP", -1) == ["192.0.2.2"]


@pytest.mark.parametrize("path", ["/api/items/1?full=yes", "/openapi.json", "/ready"])
def test_the_backends_paths_reach_the_backend_unchanged(front: Front, path: str) -> None:
    reply = front.request("GET", path)
    assert (reply.status_code, reply.content) == (200, b"backend")
    assert front.backend.requests[0].startswith(f"GET {path} HTTP/1.1\r\n")


def test_the_backend_learns_that_clients_use_https_although_the_tunnel_asks_by_http(front: Front) -> None:
    front.request("GET", "/api/ready")
    assert front.backend.header("X-Forwarded-Proto") == ["https"]


@pytest.mark.parametrize(
    ("wish", "passed_on"),
    [("websocket", ["websocket"]), ("WebSocket", ["websocket"]), ("h2c", []), ("websocket, h2c", [])],
)
def test_a_client_can_ask_for_a_websocket_and_for_no_other_protocol(
    front: Front, wish: str, passed_on: list[str]
) -> None:
    front.request("GET", "/api/live", Upgrade=wish, Connection="Upgrade")
    assert front.backend.header("Upgrade") == passed_on
    assert front.backend.header("Connection") == ["upgrade" if passed_on else "close"]


def test_an_upload_of_some_megabytes_reaches_the_backend(front: Front) -> None:
    assert front.request("POST", "/api/files", body=bytes(5_000_000)).content == b"backend"
    assert front.backend.header("Content-Length") == ["5000000"]


def test_all_other_paths_return_a_page_and_nginx_itself_answers_healthz(front: Front) -> None:
    assert front.request("GET", "/somewhere").content == PAGE
    assert front.request("GET", "/healthz").content == b"ok\n"
    assert not front.backend.requests


@pytest.mark.parametrize("front", ["nginx.prod-tls.conf"], indirect=True)
def test_with_tls_a_trigger_over_plain_http_is_refused_and_not_redirected(front: Front, tmp_path: Path) -> None:
    assert front.request("POST", UPDATE, Authorization="Bearer t").status_code == 403
    assert front.request("GET", "/api/ready").headers["Location"] == "https://127.0.0.1/api/ready"
    assert not front.watchtower.requests
    assert not front.backend.requests
    authority = str(tmp_path / "authority.pem")
    assert requests.post(front.secure_url + UPDATE, verify=authority, timeout=10).content == b"watchtower"
    assert requests.get(f"{front.secure_url}/api/ready", verify=authority, timeout=10).content == b"backend"


@pytest.fixture
def front(request: pytest.FixtureRequest, tmp_path: Path, serve: Serve) -> Iterator[Front]:
    """Run the variant for nginx on the host, on free ports."""
    backend, watchtower = serve(answer(body=b"backend")), serve(answer(body=b"watchtower"))
    name = getattr(request, "param", "nginx.prod.conf")
    lay(tmp_path, NGINX / name, {"backend": backend.port, "watchtower": watchtower.port}, page=PAGE)
    with running(tmp_path) as (port, tls_port):
        yield Front(f"http://127.0.0.1:{port}", f"https://localhost:{tls_port}", backend, watchtower)
