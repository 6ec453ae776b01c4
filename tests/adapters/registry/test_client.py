"""The registry client over real sockets: where it sends credentials, what it trusts, when it gives up."""

import base64
import json
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from redeploy.http.client import Http
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.registry.access import Access
from redeploy.registry.client import MOST_TRIES, Registry
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import Image, parse
from redeploy.registry.manifest import CAP, Manifest, digest_of
from redeploy.rollout.requests import FetchContainers
from redeploy.rollout.workers import Workers
from redeploy.text.secret import Secret
from sandbox.server.builds import V1
from tests.adapters.conftest import Handler, Serve, Server, http, respond_with

INDEX, IMAGE = V1.image.index, V1.image.platform
PASSWORD = "s3cret-p4ss"
BASIC = f"Basic {base64.b64encode(f'leo:{PASSWORD}'.encode()).decode()}"
BOUND = 10.0
BEARER = 'Bearer realm="{realm}/token",service="a&b",scope="repository:other/secret:pull,push"'
GOOD = http(body=INDEX.body, Content_Type=INDEX.media_type, Docker_Content_Digest=INDEX.digest)
TOKEN = http(body=b'{"token": "tok-1"}', Content_Type="application/json")


def client(username: str = "leo", password: str = PASSWORD, *, allow_http: bool = False, pem: str = "") -> Registry:
    fetch = Http(headers={}, origins=frozenset(), ca_certificate=pem).fetch
    return Registry(fetch, Access(username, Secret(password), allow_http))


def image_at(server: Server, host: str = "127.0.0.1") -> Image:
    return parse(f"{host}:{server.port}/o/api:latest")


def by(answer: Callable[[str], bytes]) -> Handler:
    """A handler that responds to the head of the request."""
    return lambda connection, head: connection.sendall(answer(head.decode("latin-1")))


def challenged(challenge: str, then: bytes = GOOD) -> Handler:
    """A registry that requires credentials."""
    refusal = http("401 Unauthorized", WWW_Authenticate=challenge)
    return by(lambda head: then if "Authorization: " in head else refusal)


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve `registry.test` to loopback, although its name does not show that."""
    true = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 - the library's own arguments
        return true("127.0.0.1" if host == "registry.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def trouble(result: Manifest | Trouble | str) -> Trouble:
    assert isinstance(result, Trouble), result
    return result


def manifest(result: Manifest | Trouble) -> Manifest:
    assert isinstance(result, Manifest), result
    return result


# where credentials are sent


def test_credentials_are_not_sent_to_a_registry_that_does_not_require_them(serve: Serve) -> None:
    server = serve(GOOD)
    assert manifest(client().resolve(image_at(server), BOUND)).digest == V1.digest
    assert server.requests[0].startswith("GET /v2/o/api/manifests/latest HTTP/1.1\r\n")
    assert server.header("Authorization") == []
    assert "vnd.oci.image.index.v1+json" in server.header("Accept")[0]


def test_the_token_is_requested_for_this_repository_alone_and_sent_to_the_registry(serve: Serve) -> None:
    realm = serve(TOKEN)
    server = serve(challenged(BEARER.format(realm=realm.url)))
    registry = client()
    manifest(registry.resolve(image_at(server), BOUND))
    manifest(registry.resolve(image_at(server), BOUND))
    assert realm.requests[0].startswith("GET /token?service=a%26b&scope=repository%3Ao%2Fapi%3Apull HTTP/1.1\r\n")
    assert [realm.header("Authorization"), server.header("Authorization", 1)] == [[BASIC], ["Bearer tok-1"]]
    assert (len(realm.requests), len(server.requests)) == (1, 3), "the token is kept"


def test_an_expired_token_is_requested_again(serve: Serve) -> None:
    realm, given = serve(TOKEN), iter(("tok-1", "tok-2"))
    realm.handler = by(lambda _: http(body=json.dumps({"access_token": next(given)}).encode()))
    server = serve(challenged(BEARER.format(realm=realm.url)))
    registry = client()
    manifest(registry.resolve(image_at(server), BOUND))
    refusal = http("401 Unauthorized", WWW_Authenticate=BEARER.format(realm=realm.url))
    server.handler = by(lambda head: GOOD if "tok-2" in head else refusal)
    manifest(registry.resolve(image_at(server), BOUND))
    assert [server.header("Authorization", number) for number in (2, 3)] == [["Bearer tok-1"], ["Bearer tok-2"]]


def test_a_registry_that_only_accepts_passwords_gets_them(serve: Serve) -> None:
    server = serve(challenged('Basic realm="x"'))
    manifest(client().resolve(image_at(server), BOUND))
    assert server.header("Authorization", 1) == [BASIC]


def test_a_registry_that_names_no_scheme_gets_no_credentials(serve: Serve) -> None:
    server = serve(http("401 Unauthorized"))
    found = trouble(client().resolve(image_at(server), BOUND))
    assert (found.kind, "does not say how to log in" in found.sentence) == (Kind.REFUSED, True)
    assert server.header("Authorization") == []


def test_a_token_is_preferred_to_a_password(serve: Serve) -> None:
    realm = serve(TOKEN)
    server = serve(challenged(f'Basic realm="x", {BEARER.format(realm=realm.url)}'))
    manifest(client().resolve(image_at(server), BOUND))
    assert server.header("Authorization", 1) == ["Bearer tok-1"]


def test_without_credentials_none_are_sent(serve: Serve) -> None:
    realm = serve(TOKEN)
    server = serve(challenged(BEARER.format(realm=realm.url)))
    manifest(client("", "").resolve(image_at(server), BOUND))
    assert realm.header("Authorization") == []


@pytest.mark.parametrize(
    "realm",
    [
        "http://evil.test/token",
        "http://127.0.0.1:1@evil.test/",
        "ftp://evil.test",
        "/token",
        "",
        "https://evil.test/#x",
    ],
)
def test_an_unsafe_realm_gets_no_request(serve: Serve, realm: str) -> None:
    server = serve(challenged(f'Bearer realm="{realm}"'))
    found = trouble(client().resolve(image_at(server), BOUND))
    assert (found.kind, len(server.requests)) == (Kind.HOSTILE, 1)
    assert "evil" not in found.sentence


@pytest.mark.usefixtures("far_away")
def test_a_registry_over_https_cannot_name_a_realm_on_this_machine(serve: Serve) -> None:
    realm = serve(TOKEN)
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("registry.test").configure_cert(tls)
    server = serve(challenged(BEARER.format(realm=realm.url)), tls)
    registry = client(pem=authority.cert_pem.bytes().decode(), allow_http=True)
    found = registry.resolve(image_at(server, "registry.test"), BOUND)
    assert (trouble(found).kind, len(server.requests)) == (Kind.HOSTILE, 1)
    assert realm.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http("401 Unauthorized"), Kind.REFUSED),
        (http("403 Forbidden"), Kind.REFUSED),
        (http("500 Oops"), Kind.UNREACHABLE),
        (http("429 Slow down"), Kind.UNREACHABLE),
        (http(body=b"{}"), Kind.HOSTILE),
        (http(body=b"<html>"), Kind.HOSTILE),
        (http(body=json.dumps({"token": "a\r\nX-Evil: 1"}).encode()), Kind.HOSTILE),
        (http(body=json.dumps({"token": "a" * 20_000}).encode()), Kind.HOSTILE),
        (http("302 Found", Location="http://evil.test/"), Kind.HOSTILE),
    ],
)
def test_a_realm_that_gives_no_token_is_reported(serve: Serve, answer: bytes, kind: Kind) -> None:
    realm = serve(answer)
    server = serve(challenged(BEARER.format(realm=realm.url)))
    assert trouble(client().resolve(image_at(server), BOUND)).kind is kind
    assert len(server.requests) == 1


# what is trusted


def test_a_manifest_that_is_redirected_to_another_host_is_refused(serve: Serve) -> None:
    other = serve(GOOD)
    server = serve(http("307 Temporary Redirect", Location=f"http://127.0.0.2:{other.port}/x"))
    assert trouble(client().resolve(image_at(server), BOUND)).kind is Kind.HOSTILE
    assert other.requests == []


def test_bytes_that_do_not_match_the_digest_are_refused(serve: Serve) -> None:
    server = serve(http(body=INDEX.body + b" ", Content_Type=INDEX.media_type, Docker_Content_Digest=INDEX.digest))
    assert trouble(client().resolve(image_at(server), BOUND)).kind is Kind.HOSTILE
    server = serve(http(body=INDEX.body + b" ", Content_Type=INDEX.media_type))
    assert trouble(client().resolve(image_at(server).at(V1.digest), BOUND)).kind is Kind.HOSTILE


def test_an_endless_body_is_not_read_to_the_end(serve: Serve) -> None:
    def endless(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        for _ in range(4 * CAP // 65_536):
            connection.sendall(b" " * 65_536)

    assert trouble(client().resolve(image_at(serve(endless)), BOUND)).kind is Kind.HOSTILE


def test_a_body_that_arrives_too_slowly_is_given_up_in_time(serve: Serve) -> None:
    def drip(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            time.sleep(0.05)

    registry, image = client(), image_at(serve(drip))

    def perform(_: object, bound: float) -> HttpResult:
        registry.resolve(image, bound)
        raise AssertionError

    workers = Workers(perform)
    workers.start(FetchContainers(), workers.now(), 0.3)
    event = workers.wait(workers.now() + 5)
    assert event is not None
    assert event.http_result == TransportError(ErrorKind.TIMED_OUT)


# blobs


def with_configuration(blob: bytes, answer: Callable[[str], bytes]) -> tuple[Handler, Manifest]:
    """A registry that serves one blob."""
    body = json.dumps({"config": {"digest": digest_of(blob)}}).encode()
    found = Manifest(digest_of(body), IMAGE.media_type, body, config=digest_of(blob))
    return by(answer), found


LABELLED = json.dumps({"config": {"Labels": {"org.opencontainers.image.revision": "1a2b3c4"}}}).encode()


def test_a_blob_is_followed_to_its_store_without_credentials(serve: Serve) -> None:
    store = serve(http(body=LABELLED))
    handler, found = with_configuration(LABELLED, lambda _: b"")
    server = serve(handler)
    server.handler = challenged('Basic realm="x"', http("307 Away", Location=f"http://127.0.0.1:{store.port}/b?sig=1"))
    assert client().revision(image_at(server), found, BOUND) == "1a2b3c4"
    assert server.header("Authorization", 1) == [BASIC]
    assert store.requests[0].startswith("GET /b?sig=1 ")
    assert store.header("Authorization") == []


@pytest.mark.parametrize("location", ["http://evil.test/blob", "file:///etc/passwd", ""])
def test_a_redirect_of_a_blob_to_an_unsafe_place_is_not_followed(serve: Serve, location: str) -> None:
    handler, found = with_configuration(LABELLED, lambda _: http("307 Away", Location=location))
    assert trouble(client().revision(image_at(serve(handler)), found, BOUND)).kind is Kind.HOSTILE


def test_a_configuration_with_another_digest_is_refused(serve: Serve) -> None:
    handler, found = with_configuration(LABELLED, lambda _: http(body=LABELLED + b" "))
    assert trouble(client().revision(image_at(serve(handler)), found, BOUND)).kind is Kind.HOSTILE


def test_an_image_without_a_configuration_has_no_commit(serve: Serve) -> None:
    server = serve(GOOD)
    assert client().revision(image_at(server), Manifest(V1.digest, IMAGE.media_type, b""), BOUND) == ""
    assert server.requests == []


# retries


def test_a_read_is_retried_after_a_transient_failure(serve: Serve) -> None:
    answers = iter([http("502 Bad Gateway"), b"", GOOD])
    server = serve(by(lambda _: next(answers)))
    assert manifest(client().resolve(image_at(server), BOUND)).digest == V1.digest
    assert len(server.requests) == MOST_TRIES


def test_retries_stop_when_a_registry_stays_down(serve: Serve) -> None:
    server = serve(http("503 Service Unavailable"))
    assert trouble(client().resolve(image_at(server), BOUND)).kind is Kind.UNREACHABLE
    assert len(server.requests) == MOST_TRIES


def test_a_retry_waits_as_long_as_the_registry_says(serve: Serve) -> None:
    answers = iter([http("429 Too Many Requests", Retry_After="1"), GOOD])
    server = serve(by(lambda _: next(answers)))
    assert manifest(client().resolve(image_at(server), BOUND)).digest == V1.digest


@pytest.mark.parametrize("retry_after", ["", "0", "3600"])
def test_a_throttling_registry_without_a_usable_retry_time_is_not_retried(serve: Serve, retry_after: str) -> None:
    server = serve(http("429 Too Many Requests", Retry_After=retry_after))
    assert "429" in trouble(client().resolve(image_at(server), BOUND)).sentence
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer", [b"", http("502 Bad Gateway"), http("201 Created", Docker_Content_Digest="sha256:x")]
)
def test_a_manifest_is_never_put_twice(serve: Serve, answer: bytes) -> None:
    server = serve(answer)
    wanted = Manifest(V1.digest, INDEX.media_type, INDEX.body)
    assert trouble(client().put(image_at(server), wanted, BOUND)).kind in (Kind.UNREACHABLE, Kind.HOSTILE)
    assert len(server.requests) == 1
    assert server.requests[0].startswith("PUT /v2/o/api/manifests/latest HTTP/1.1\r\n")
    assert server.header("Content-Type") == [INDEX.media_type]


def test_a_manifest_that_was_not_accepted_yet_is_put_once_more(serve: Serve) -> None:
    answers = iter([http("429 Too Many Requests", Retry_After="1"), http("201 Created")])
    server = serve(by(lambda _: next(answers)))
    wanted = Manifest(V1.digest, INDEX.media_type, INDEX.body)
    assert client().put(image_at(server), wanted, BOUND) is wanted


def test_a_repeated_lookup_takes_one_head_request(serve: Serve) -> None:
    server = serve(GOOD)
    registry = client()
    known = manifest(registry.resolve(image_at(server), BOUND))
    server.handler = respond_with(GOOD.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    assert registry.resolve(image_at(server), BOUND, known) is known
    assert [head.partition(" ")[0] for head in server.requests] == ["GET", "HEAD"]


# plain http


@pytest.mark.usefixtures("far_away")
def test_plain_http_is_used_where_it_is_allowed_and_the_registry_does_not_speak_https(serve: Serve) -> None:
    server = serve(by(lambda head: http("400 Bad Request") if head.startswith("\x16") else GOOD))
    image = image_at(server, "registry.test")
    assert trouble(client().resolve(image, BOUND)).kind is Kind.UNREACHABLE
    assert all(head.startswith("\x16") for head in server.requests)
    registry = client(allow_http=True)
    assert manifest(registry.resolve(image, BOUND)).digest == V1.digest
    seen = len(server.requests)
    manifest(registry.resolve(image, BOUND))
    assert len(server.requests) == seen + 1, "its protocol is known by now"


def test_a_registry_without_a_port_is_never_asked_over_plain_http() -> None:
    asked: list[str] = []

    def fetch(method: str, url: str, **how: object) -> HttpResult:
        asked.append(url)
        return TransportError(ErrorKind.TLS)

    registry = Registry(fetch, Access("leo", Secret(PASSWORD), allow_http=True))
    for reference in ("ghcr.io/o/api", "o/api", "registry.test:443/o/api"):
        assert trouble(registry.resolve(parse(reference), BOUND)).kind is Kind.UNREACHABLE
    assert asked == [
        "https://ghcr.io/v2/o/api/manifests/latest",
        "https://registry-1.docker.io/v2/o/api/manifests/latest",
        "https://registry.test:443/v2/o/api/manifests/latest",
    ]
