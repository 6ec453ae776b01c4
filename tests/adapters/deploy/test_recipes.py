"""The nginx blocks that messages say to paste, tested in a running nginx, in both variants."""

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.remedies.recipes import ENDPOINTS, Nginx, snippet
from redeploy.remedies.subject import NOTHING_KNOWN
from redeploy.verdicts import Reason
from tests.adapters.conftest import Serve, Server
from tests.adapters.conftest import http as answer
from tests.deploy_files import ROOT
from tests.nginx import WITH_NGINX, running

pytestmark = WITH_NGINX

LEADS_TO_WATCHTOWER: dict[Reason | Finding, str] = {
    Reason.METHOD: "update",
    Reason.MISROUTED: "update",
    Finding.FORBIDDEN: "update",
    Reason.DIGEST_UNAVAILABLE: "containers",
    Finding.NO_CONTAINERS: "containers",
    Finding.TOKEN_UNJUDGED: "metrics",
}
LEADS_TO_THE_SERVICE = {Reason.DOWN: "/api/ready", Reason.OPENAPI: "/openapi.json"}
REFUSES = "auth_basic secret;\n    auth_basic_user_file no-users;\n    deny all;\n"
"""Directives that deny access to everyone."""


def blocks(key: Reason | Finding) -> list[str]:
    """The nginx blocks in a message's instructions."""
    if key is Reason.NONE:
        return []
    remedy = REMEDIES[key] if isinstance(key, Reason) else FINDINGS[key]
    return re.findall(r"```nginx\n(.*?)```", remedy.about(NOTHING_KNOWN).fix, re.DOTALL)


def test_every_message_with_a_location_is_tested_here() -> None:
    with_location = {each for each in (*Reason, *Finding) if any("location" in block for block in blocks(each))}
    assert with_location == {*LEADS_TO_WATCHTOWER, *LEADS_TO_THE_SERVICE}


@pytest.fixture
def watchtower(serve: Serve) -> Server:
    return serve(answer(body=b"watchtower"))


@pytest.fixture
def service(serve: Serve) -> Server:
    return serve(answer(body=b"service"))


@pytest.fixture
def names() -> Iterator[int]:
    """The port of a name server that resolves every name to this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        asked_to_stop = b"stop"

        def serve() -> None:
            while (received := server.recvfrom(512))[0] != asked_to_stop:
                query, client = received
                question = query[12 : query.index(b"\0", 12) + 5]
                head = query[:2] + bytes.fromhex(
                    "8180 0001 0001 0000 0000"
                )  # RFC 1035, 4.1.1: one question, one record in the answer section
                record = bytes.fromhex("c00c 0001 0001 00000002 0004") + socket.inet_aton("127.0.0.1")
                server.sendto(head + question + record, client)

        serving = threading.Thread(target=serve)
        serving.start()
        yield server.getsockname()[1]
        server.sendto(asked_to_stop, server.getsockname())
        serving.join()


def pasted(folder: Path, block: str, *, before: str = "") -> None:
    """Write an nginx configuration whose server returns a page for every path, with a block pasted into it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "html").mkdir()
    (folder / "html" / "index.html").write_text("<!doctype html>")
    (folder / "no-users").write_text("")
    scratch = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    server = f"listen 127.0.0.1:{port};\nroot html;\ntry_files $uri /index.html;\n{before}{block}"
    (folder / "nginx.conf").write_text(
        f"pid {folder / 'pid'};\nevents {{}}\nhttp {{\naccess_log off;\n{scratch}server {{\n{server}\n}}\n}}\n"
    )
    (folder / "listens").write_text(f"{port} {port}")


def here(block: str, names: int, watchtower: int, service: int) -> str:
    """A block that points at this test's ports and name server instead of those it names."""
    for usual, ours in (
        ("127.0.0.1:8083", f"127.0.0.1:{watchtower}"),
        ("127.0.0.1:8001", f"127.0.0.1:{service}"),
        ("watchtower:8080", f"watchtower:{watchtower}"),
        ("backend:8000", f"backend:{service}"),
        ("resolver 127.0.0.11 ", f"resolver 127.0.0.1:{names} "),
    ):
        block = block.replace(usual, ours)
    return block


@pytest.mark.parametrize("nginx", list(Nginx), ids=lambda each: each.name.lower())
@pytest.mark.parametrize("key", LEADS_TO_WATCHTOWER)
def test_the_block_of_a_message_leads_to_watchtower(
    key: Reason | Finding, nginx: Nginx, tmp_path: Path, names: int, watchtower: Server
) -> None:
    endpoint = LEADS_TO_WATCHTOWER[key]
    block = blocks(key)[list(Nginx).index(nginx)]
    before = REFUSES if key is Finding.FORBIDDEN else ""
    pasted(tmp_path, here(block, names, watchtower.port, 0), before=before)
    method = ENDPOINTS[endpoint]
    with running(tmp_path) as (port, _):
        url = f"http://127.0.0.1:{port}/ops/watchtower/{endpoint}"
        token = {"Authorization": "Bearer t"}
        reply = requests.request(method, f"{url}?image=a/b", headers=token, timeout=10)
        assert (reply.status_code, reply.content) == (200, b"watchtower")
        assert watchtower.requests[0].startswith(f"{method} /v1/{endpoint}?image=a/b HTTP/1.")
        assert watchtower.header("Authorization") == ["Bearer t"]
        assert requests.request("PUT", url, headers=token, timeout=10).status_code in {401, 403}
    assert len(watchtower.requests) == 1


@pytest.mark.parametrize("nginx", list(Nginx), ids=lambda each: each.name.lower())
@pytest.mark.parametrize("key", LEADS_TO_THE_SERVICE)
def test_the_block_of_a_message_leads_to_the_service(
    key: Reason, nginx: Nginx, tmp_path: Path, names: int, service: Server
) -> None:
    block = blocks(key)[list(Nginx).index(nginx)]
    pasted(tmp_path, here(block, names, 0, service.port))
    with running(tmp_path) as (port, _):
        reply = requests.get(f"http://127.0.0.1:{port}{LEADS_TO_THE_SERVICE[key]}", timeout=10)
    assert (reply.status_code, reply.content) == (200, b"service")


@pytest.mark.parametrize("nginx", list(Nginx), ids=lambda each: each.name.lower())
@pytest.mark.parametrize(("endpoint", "method"), ENDPOINTS.items())
def test_the_snippet_needs_only_the_address_of_watchtower(
    endpoint: str, method: str, nginx: Nginx, tmp_path: Path, names: int, watchtower: Server
) -> None:
    page = (ROOT / "docs" / "existing-server.md").read_text(encoding="utf-8")
    lines = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)[list(Nginx).index(nginx)]
    where = re.findall(r"(?m)^#   (.*)$", snippet())
    assert lines.splitlines()[:-1] == (where[:1] if nginx is Nginx.HOST else where[1:])
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "watchtower.conf").write_text(snippet())
    pasted(tmp_path, here(lines, names, watchtower.port, 0))
    with running(tmp_path) as (port, _):
        url = f"http://127.0.0.1:{port}/ops/watchtower/{endpoint}"
        assert requests.request(method, url, timeout=10).content == b"watchtower"
        assert requests.request(method, f"{url}/more", timeout=10).status_code == 404
