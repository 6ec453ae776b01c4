"""The requests that Watchtower and the service receive."""

import socket
from dataclasses import replace

import pytest

from redeploy.contract.response_schema import ResponseSchema
from redeploy.contract.smoke import Judged, Smoke
from redeploy.contract.snapshot import Contract, NoContract, Read
from redeploy.http.client import Http
from redeploy.http.fetch import HttpRequest
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.rollout import perform
from redeploy.rollout.requests import BOTH, FetchDocument, Probe, SendSmoke
from redeploy.text.secret import Secret
from redeploy.triggers.watchtower import requests
from redeploy.triggers.watchtower.endpoints import Watchtower
from tests.adapters.conftest import Serve, Server, http


def sent(request: HttpRequest) -> HttpResult:
    """Send a request, and return its result."""
    return request.send(Http(headers={}, origins=frozenset()).fetch, connect=5, timeout=10)


def where(server: Server, *, images: tuple[str, ...] = (), containers: tuple[str, ...] = ()) -> Watchtower:
    return Watchtower(
        update_url=f"{server.url}/ops/update",
        containers_url=f"{server.url}/ops/containers",
        check_url=f"{server.url}/ops/check",
        metrics_url=f"{server.url}/ops/metrics",
        token=Secret("tok-123"),
        images=images,
        containers=containers,
    )


def test_the_trigger_is_a_post_with_the_token_and_without_a_body(serve: Serve) -> None:
    server = serve(http())
    sent(requests.trigger(where(server)))
    assert server.requests[0].startswith("POST /ops/update HTTP/1.1\r\n")
    assert server.requests[0].endswith("\r\n\r\n")
    assert server.header("Authorization") == ["Bearer tok-123"]
    assert server.header("Content-Length") == ["0"]


def test_the_trigger_carries_the_images_and_containers_that_limit_it(serve: Serve) -> None:
    server = serve(http())
    sent(requests.trigger(where(server, images=("ghcr.io/o/app", "b"), containers=("a.b",))))
    assert server.requests[0].startswith("POST /ops/update?image=ghcr.io/o/app,b&container=a%5C.b ")


def test_the_fork_is_detected_by_a_post_without_the_token_for_an_image_that_cannot_exist(
    serve: Serve,
) -> None:
    server = serve(http("401 Unauthorized", b"missing or invalid API Key"))
    http_result = sent(requests.ask_whether_forked(where(server, containers=("api",))))
    assert server.requests[0].startswith("POST /ops/update?image=redeploy-action.invalid/no-such-image HTTP")
    assert server.header("Authorization") == []
    assert isinstance(http_result, Response)
    assert http_result.text == "missing or invalid API Key"


def test_the_containers_are_requested_with_the_token(serve: Serve) -> None:
    server = serve(http("200 OK", b'{"containers":[]}'))
    http_result = sent(requests.containers(where(server)))
    assert server.requests[0].startswith("GET /ops/containers ")
    assert server.header("Authorization") == ["Bearer tok-123"]
    assert isinstance(http_result, Response)


def test_the_reasons_for_no_update_are_requested_with_the_token(serve: Serve) -> None:
    server = serve(http("200 OK", b'{"containers":[]}'))
    http_result = sent(requests.reasons(where(server)))
    assert server.requests[0].startswith("POST /ops/check ")
    assert server.header("Authorization") == ["Bearer tok-123"]
    assert server.header("Content-Length") == ["0"]
    assert isinstance(http_result, Response)


@pytest.mark.parametrize("name", ["trigger", "fork", "containers", "reasons"])
def test_no_request_to_watchtower_follows_a_redirect(serve: Serve, name: str) -> None:
    server = serve(http("307 Temporary Redirect", Location="/elsewhere"))
    http_results = {
        "trigger": lambda: sent(requests.trigger(where(server))),
        "fork": lambda: sent(requests.ask_whether_forked(where(server))),
        "containers": lambda: sent(requests.containers(where(server))),
        "reasons": lambda: sent(requests.reasons(where(server))),
    }
    http_result: HttpResult = http_results[name]()
    assert isinstance(http_result, Response)
    assert http_result.status == 307
    assert len(server.requests) == 1


def test_the_response_to_the_trigger_is_capped_at_64_kib(serve: Serve) -> None:
    for size, fits in ((64 * 1024, True), (64 * 1024 + 1, False)):
        http_result = sent(requests.trigger(where(serve(http("200 OK", b"x" * size)))))
        assert isinstance(http_result, Response) is fits


def test_a_health_response_is_capped_at_1_mib(serve: Serve) -> None:
    for size, fits in ((1024 * 1024, True), (1024 * 1024 + 1, False)):
        server = serve(http("200 OK", b"x" * size))
        http_result = sent(perform.to_service(Probe(BOTH, server.url)))
        assert (
            http_result == TransportError(ErrorKind.TOO_LARGE, status=200)
            if not fits
            else isinstance(http_result, Response)
        )


def test_a_probe_is_a_get_without_the_token(serve: Serve) -> None:
    server = serve(http())
    sent(perform.to_service(Probe(BOTH, f"{server.url}/api/ready?full=1")))
    assert server.requests[0].startswith("GET /api/ready?full=1 HTTP/1.1\r\n")
    assert server.header("Authorization") == []


@pytest.mark.parametrize(("path", "mark"), [("/ready", "?"), ("/ready?x=1", "&")])
def test_past_caches_every_probe_has_a_different_query(serve: Serve, path: str, mark: str) -> None:
    server = serve(http())
    probe = Probe(BOTH, f"{server.url}{path}", past_caches=True)
    for _ in range(2):
        sent(perform.to_service(probe))
    targets = [request.split(" ")[1] for request in server.requests]
    assert all(target.startswith(f"{path}{mark}_redeploy=") for target in targets)
    assert len(set(targets)) == 2


def test_a_probe_follows_a_redirect_within_the_origin(serve: Serve) -> None:
    def handler(connection: socket.socket, head: bytes) -> None:
        connection.sendall(http("200 OK", b"up") if head.startswith(b"GET /up ") else http("302 Found", Location="/up"))

    http_result = sent(perform.to_service(Probe(BOTH, serve(handler).url)))
    assert isinstance(http_result, Response)
    assert (http_result.text, http_result.hops) == ("up", 1)


def test_the_request_to_a_path_that_cannot_exist_has_no_token_and_an_image_that_cannot_exist(serve: Serve) -> None:
    server = serve(http("404 Not Found"))
    sent(requests.ask_nowhere(where(server, images=("ghcr.io/o/app",))))
    assert server.requests[0].startswith(
        "POST /ops/redeploy-action-no-such-path?image=redeploy-action.invalid/no-such-image HTTP/1.1\r\n"
    )
    assert server.header("Authorization") == []


def test_the_details_are_below_the_containers_and_requested_with_the_token(serve: Serve) -> None:
    server = serve(http())
    sent(requests.details(replace(where(server), containers_url=f"{server.url}/ops/containers?key=1")))
    assert server.requests[0].startswith("GET /ops/containers/details?key=1 HTTP/1.1\r\n")
    assert server.header("Authorization") == ["Bearer tok-123"]


def test_the_metrics_are_requested_with_the_token(serve: Serve) -> None:
    server = serve(http())
    sent(requests.metrics(where(server)))
    assert server.requests[0].startswith("GET /ops/metrics ")
    assert server.header("Authorization") == ["Bearer tok-123"]


def test_an_update_of_nothing_has_no_other_filter(serve: Serve) -> None:
    server = serve(http())
    tower = replace(where(server, images=("ghcr.io/o/app",)), update_url=f"{server.url}/ops/update?image=ghcr.io/o/app")
    sent(requests.update_nothing(tower))
    assert server.requests[0].startswith("POST /ops/update?image=redeploy-action.invalid/no-such-image HTTP/1.1\r\n")
    assert server.header("Authorization") == ["Bearer tok-123"]


def test_a_query_that_a_proxy_requires_is_kept(serve: Serve) -> None:
    server = serve(http())
    tower = replace(where(server), update_url=f"{server.url}/ops/update?key=a%2Fb&image=x&container=y")
    sent(requests.ask_whether_forked(tower))
    assert server.requests[0].startswith("POST /ops/update?key=a%2Fb&image=redeploy-action.invalid/no-such-image HTTP")


DOCUMENT = Response(200, {"content-type": "application/json"}, b'{"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}')
SMOKE = Smoke("GET", "/a", "2xx", "https://api.example.com/a")


def test_a_document_is_parsed_where_it_was_fetched_unless_it_is_the_one_from_before() -> None:
    found = perform.evaluate(FetchDocument("https://api.example.com/d", smoke=()), DOCUMENT, str)
    assert isinstance(found, Read)
    assert isinstance(found.found, Contract)
    assert (found.status, found.body) == (DOCUMENT.status, DOCUMENT.body)
    other = perform.evaluate(FetchDocument("https://api.example.com/d", smoke=(SMOKE,)), Response(404), str)
    assert isinstance(other, Read)
    assert other.found == NoContract("the response was 404", gone=True)
    assert perform.evaluate(FetchDocument("https://api.example.com/d"), DOCUMENT, str) is DOCUMENT


def test_a_response_is_checked_against_its_schema_where_it_was_fetched() -> None:
    promise = {"200": ResponseSchema(("application/json",), {"application/json": {"type": "array"}})}
    found = perform.evaluate(SendSmoke(SMOKE, promise=promise), DOCUMENT, str)
    assert isinstance(found, Judged)
    assert found.schema_violation == "`$` is an object, not array"


@pytest.mark.parametrize("sent", [SendSmoke(SMOKE), Probe(BOTH, "https://api.example.com/")])
def test_a_response_without_a_schema_is_returned_unchanged(sent: SendSmoke | Probe) -> None:
    assert perform.evaluate(sent, DOCUMENT, str) is DOCUMENT
    lost = TransportError(ErrorKind.TIMED_OUT)
    assert perform.evaluate(sent, lost, str) is lost
