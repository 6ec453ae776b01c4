"""The shipped nginx files in a real nginx; `make e2e` tries them with containers behind them."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import trustme

from tests.adapters.conftest import Serve, Server
from tests.adapters.conftest import http as answer
from tests.kit import NGINX, VARIANTS

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="nginx is not installed (on Debian: apt-get install nginx-light)"
)

UPDATE = "/ops/watchtower/update"
PAGE = b"<!doctype html><title>the pages</title>"


@dataclass
class Front:
    """A running nginx, and what stands behind it."""

    url: str
    secure_url: str
    backend: Server
    watchtower: Server

    def ask(self, method: str, path: str, *, body: bytes | None = None, **headers: str) -> requests.Response:
        """The answer to one request; names of headers have `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, self.url + path, data=body, headers=named, allow_redirects=False, timeout=10)


@pytest.mark.parametrize("name", VARIANTS)
def test_nginx_accepts_the_file(name: str, tmp_path: Path) -> None:
    _lay(tmp_path, name, {})
    tried = subprocess.run(_command(tmp_path, "-t"), capture_output=True, text=True, check=False, timeout=30)
    assert tried.returncode == 0, tried.stderr
    assert "warn" not in tried.stderr


def test_a_trigger_reaches_watchtower_with_its_query_and_token_and_nothing_else(front: Front) -> None:
    reply = front.ask("POST", f"{UPDATE}?image=a/b", body=b"x=1", Authorization="Bearer t", Cookie="access_token=c")
    assert (reply.status_code, reply.content) == (200, b"watchtower")
    assert front.watchtower.requests[0].startswith("POST /v1/update?image=a/b HTTP/1.1\r\n")
    assert front.watchtower.requests[0].endswith("\r\n\r\n"), "the body stays here"
    assert front.watchtower.header("Authorization") == ["Bearer t"]
    assert front.watchtower.header("Content-Length") == ["0"]
    assert front.watchtower.header("Cookie") == []
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "endpoint"), [("GET", "containers"), ("POST", "check")])
def test_the_other_endpoints_are_reached_too(front: Front, method: str, endpoint: str) -> None:
    assert front.ask(method, f"/ops/watchtower/{endpoint}").status_code == 200
    assert front.watchtower.requests[0].startswith(f"{method} /v1/{endpoint} HTTP/1.1\r\n")


def test_watchtowers_own_refusal_of_a_missing_token_comes_through(front: Front) -> None:
    front.watchtower.handler = lambda connection, _: connection.sendall(answer("401 Unauthorized", b"missing key"))
    reply = front.ask("POST", UPDATE)
    assert (reply.status_code, reply.content) == (401, b"missing key")


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, UPDATE) for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")]
    + [("POST", "/ops/watchtower/containers"), ("GET", "/ops/watchtower/check")],
)
def test_another_method_is_forbidden_before_watchtower_hears_of_it(front: Front, method: str, path: str) -> None:
    assert front.ask(method, path, Authorization="Bearer t").status_code == 403
    assert not front.watchtower.requests


@pytest.mark.parametrize(
    "path",
    [
        "/ops/watchtower/",
        "/ops/watchtower/v1/update",
        "/ops/watchtower/metrics",
        f"{UPDATE}/",
        f"{UPDATE}/extra",
        f"{UPDATE}XYZ",
        f"{UPDATE}/..%2fmetrics",
    ],
)
def test_no_other_path_reaches_watchtower_or_is_a_page(front: Front, path: str) -> None:
    assert front.ask("POST", path, Authorization="Bearer t").status_code == 404
    assert not front.watchtower.requests


def test_an_answer_that_is_lost_is_not_asked_for_again(front: Front) -> None:
    front.watchtower.handler = lambda connection, _: connection.close()
    assert front.ask("POST", UPDATE).status_code == 502
    assert len(front.watchtower.requests) == 1


def test_sixteen_requests_at_once_pass_and_the_next_is_told_to_come_later(front: Front) -> None:
    answers = [front.ask("POST", UPDATE).status_code for _ in range(20)]
    assert answers[:16] == [200] * 16
    assert set(answers[17:]) == {429}


def test_watching_the_service_takes_nothing_from_the_triggers_limit(front: Front) -> None:
    answers = [front.ask("GET", "/api/ready").status_code for _ in range(20)]
    assert answers[:16] == [200] * 16
    assert set(answers[17:]) == {429}
    assert front.ask("POST", UPDATE).status_code == 200


def test_behind_the_tunnel_each_client_has_a_limit_of_its_own(front: Front) -> None:
    for _ in range(20):
        front.ask("POST", UPDATE, CF_Connecting_IP="192.0.2.1")
    assert front.ask("POST", UPDATE, CF_Connecting_IP="192.0.2.2").status_code == 200
    assert front.watchtower.header("X-Real-IP", -1) == ["192.0.2.2"]


@pytest.mark.parametrize("path", ["/api/items/1?full=yes", "/openapi.json", "/ready"])
def test_the_backends_paths_reach_the_backend_as_they_are(front: Front, path: str) -> None:
    reply = front.ask("GET", path)
    assert (reply.status_code, reply.content) == (200, b"backend")
    assert front.backend.requests[0].startswith(f"GET {path} HTTP/1.1\r\n")


def test_all_else_is_a_page_and_healthz_is_nginx_itself(front: Front) -> None:
    assert front.ask("GET", "/somewhere").content == PAGE
    assert front.ask("GET", "/healthz").content == b"ok\n"
    assert not front.backend.requests


@pytest.mark.parametrize("front", ["nginx.prod-tls.conf"], indirect=True)
def test_with_tls_a_trigger_in_the_clear_is_refused_and_not_redirected(front: Front, tmp_path: Path) -> None:
    assert front.ask("POST", UPDATE, Authorization="Bearer t").status_code == 403
    assert front.ask("GET", "/api/ready").headers["Location"] == "https://127.0.0.1/api/ready"
    assert not front.watchtower.requests
    assert not front.backend.requests
    authority = str(tmp_path / "authority.pem")
    assert requests.post(front.secure_url + UPDATE, verify=authority, timeout=10).content == b"watchtower"
    assert requests.get(f"{front.secure_url}/api/ready", verify=authority, timeout=10).content == b"backend"


@pytest.fixture
def front(request: pytest.FixtureRequest, tmp_path: Path, serve: Serve) -> Iterator[Front]:
    """Run the variant for the host, with ports of its own."""
    backend, watchtower = serve(answer(body=b"backend")), serve(answer(body=b"watchtower"))
    port, tls_port = _free_port(), _free_port()
    ports = {"8001": backend.port, "8083": watchtower.port, "80": port, "443": tls_port}
    _lay(tmp_path, getattr(request, "param", "nginx.prod.conf"), ports)
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(_command(tmp_path, "-g", "daemon off; master_process off;"), stderr=log)
    try:
        _wait_for(port, running)
        yield Front(f"http://127.0.0.1:{port}", f"https://localhost:{tls_port}", backend, watchtower)
    finally:
        running.terminate()
        running.wait(10)


def _lay(folder: Path, name: str, ports: dict[str, int]) -> None:
    """Lay out a folder as /etc/nginx is, with this variant in conf.d and other ports in place of some."""
    shutil.copytree(NGINX / "snippets", folder / "snippets")
    (folder / "certs").mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "certs" / "privkey.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "certs" / "fullchain.pem", append=True)
    (folder / "html").mkdir()
    (folder / "html" / "index.html").write_bytes(PAGE)
    (folder / "conf.d").mkdir()
    variant = (NGINX / name).read_text(encoding="utf-8")
    # Ports below 1024 are not for everybody, even where nginx only looks at the file.
    listens = {"80": ports.get("80", 8080), "443": ports.get("443", 8443)}
    variant = re.sub(r"listen (?:127\.0\.0\.1:)?(\d+)", lambda match: f"listen 127.0.0.1:{listens[match[1]]}", variant)
    for usual in ("8001", "8083"):
        variant = variant.replace(f"127.0.0.1:{usual};", f"127.0.0.1:{ports.get(usual, usual)};")
    (folder / "conf.d" / "portfolio.conf").write_text(variant, encoding="utf-8")
    pages = folder / "snippets" / "portfolio.conf"
    pages.write_text(pages.read_text(encoding="utf-8").replace("/usr/share/nginx/html", str(folder / "html")))
    scratch = "".join(
        f"  {kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder / 'pid'};\nevents {{}}\nhttp {{\n  access_log off;\n{scratch}  include conf.d/*.conf;\n}}\n"
    )


def _command(folder: Path, *arguments: str) -> list[str]:
    assert PROGRAM
    return [PROGRAM, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf"), *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, running: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert running.poll() is None, "nginx has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError
