"""HTTP over real sockets: caps, bounds, redirects, secrets and TLS."""

import contextlib
import datetime as dt
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from redeploy.http.client import MOST_REDIRECTS, USER_AGENT, Http, check_certificate, is_proxied
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.urls import origin_of
from redeploy.rollout.requests import FetchContainers
from redeploy.rollout.workers import Workers
from redeploy.text.secret import Secret
from tests.adapters.conftest import Handler, Serve, Server, http, respond_with
from tests.ports import free_port

CAP = 1024 * 1024


def client(*origins: str, pem: str = "", **headers: str) -> Http:
    named = {name.replace("_", "-"): Secret(value) for name, value in headers.items()}
    return Http(headers=named, origins=frozenset(map(origin_of, origins)), ca_certificate=pem)


def get(
    url: str,
    http_client: Http | None = None,
    *,
    cap: int = CAP,
    timeout: float = 10,
    token: str = "",
    follow: bool = True,
) -> HttpResult:
    return (http_client or client()).fetch(
        "GET", url, cap=cap, timeout=timeout, connect=timeout, token=Secret(token) if token else None, follow=follow
    )


def got(http_result: HttpResult) -> Response:
    assert isinstance(http_result, Response), http_result
    return http_result


def error_kind(http_result: HttpResult) -> ErrorKind:
    assert isinstance(http_result, TransportError), http_result
    return http_result.error_kind


# responses


def test_a_response_has_status_headers_and_body(serve: Serve) -> None:
    server = serve(http("503 Service Unavailable", b'{"a": 1}', Content_Type="application/json", X_Version="7"))
    reply = got(get(f"{server.url}/ready"))
    assert (reply.status, reply.body, reply.hops) == (503, b'{"a": 1}', 0)
    assert (reply.headers["content-type"], reply.headers["x-version"]) == ("application/json", "7")


def test_every_request_has_our_user_agent_and_asks_for_a_fresh_response(serve: Serve) -> None:
    server = serve(http())
    get(f"{server.url}/ready?x=1")
    assert server.requests[0].startswith("GET /ready?x=1 HTTP/1.1\r\n")
    assert server.header("User-Agent") == [USER_AGENT]
    assert server.header("Cache-Control") == ["no-cache"]
    assert server.header("Connection") == ["close"]
    assert server.header("Cookie") == server.header("Authorization") == []


def test_a_post_has_no_body(serve: Serve) -> None:
    server = serve(http())
    client().fetch("POST", f"{server.url}/update", cap=CAP, timeout=10, connect=10, follow=False)
    head, _, body = server.requests[0].partition("\r\n\r\n")
    assert head.startswith("POST /update ")
    assert body == ""
    assert server.header("Content-Length") == ["0"]
    assert server.header("Transfer-Encoding") == []


def test_a_compressed_body_is_decoded(serve: Serve) -> None:
    server = serve(http("200 OK", gzip.compress(b'{"a": 1}'), Content_Encoding="gzip"))
    assert got(get(server.url)).body == b'{"a": 1}'


def test_a_chunked_body_is_assembled(serve: Serve) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert got(get(server.url)).body == b"abcde"


def test_a_body_without_a_length_ends_with_the_connection(serve: Serve) -> None:
    assert got(get(serve(b"HTTP/1.0 200 OK\r\n\r\nabc").url)).body == b"abc"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_response_may_end_after_its_head(serve: Serve, version: str) -> None:
    reply = got(get(serve(f"HTTP/{version} 200 OK\r\nServer: old\r\n\r\n".encode()).url))
    assert (reply.status, reply.body, reply.headers["server"]) == (200, b"", "old")


# caps


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)], ids=["at the cap", "beyond"])
def test_a_body_is_capped(serve: Serve, size: int, fits: bool) -> None:
    http_result = get(serve(http("200 OK", b"x" * size)).url, cap=1000)
    assert isinstance(http_result, Response) is fits
    if not fits:
        assert error_kind(http_result) is ErrorKind.TOO_LARGE


def test_the_cap_applies_to_the_decoded_size_of_a_compressed_body(serve: Serve) -> None:
    server = serve(http("200 OK", gzip.compress(b"0" * 30_000_000), Content_Encoding="gzip"))
    assert error_kind(get(server.url)) is ErrorKind.TOO_LARGE


class Endless:
    """Sends an endless body, and records how much of it was read."""

    def __init__(self, head: bytes, most: int = 64 * CAP) -> None:
        self._head, self._most, self.sent = head, most, 0

    def __call__(self, connection: socket.socket, _: bytes) -> None:
        connection.sendall(self._head)
        while self.sent < self._most:
            connection.sendall(b"x" * 65536)
            self.sent += 65536


@pytest.mark.parametrize(
    "status",
    [
        "200 OK",
        "500 Internal Server Error",
        "302 Found\r\nLocation: https://elsewhere.example/",
        "302 Found\r\nLocation: /again",
    ],
)
@pytest.mark.parametrize("follow", [True, False], ids=["following", "not following"])
def test_an_endless_body_is_given_up_with_any_status(serve: Serve, status: str, follow: bool) -> None:
    endless = Endless(f"HTTP/1.1 {status}\r\n\r\n".encode())
    http_result = get(serve(endless).url, follow=follow)
    assert isinstance(http_result, TransportError)
    assert endless.sent < 16 * CAP


# connections that fail


def no_listener() -> str:
    return f"http://127.0.0.1:{free_port()}"


def cut_inside(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def silent(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(respond_with(), id="closed without a byte"),
        pytest.param(reset, id="reset"),
        pytest.param(cut_inside, id="cut inside the body"),
        pytest.param(respond_with(b"HTTP/1.1 200 OK\r\nContent-Le"), id="cut inside the head"),
        pytest.param(respond_with(b"HTTP/1.0 200 OK\r\nServer: old\r\n"), id="cut after a line of the head"),
        pytest.param(respond_with(b"HTTP/1.0 200 OK\r\n"), id="cut after the status"),
        pytest.param(
            respond_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), id="cut inside a chunk"
        ),
        pytest.param(
            respond_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab"), id="a chunk without a size"
        ),
        pytest.param(respond_with(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), id="another protocol"),
        pytest.param(respond_with(b"HTTP/1.1 abc OK\r\n\r\n"), id="a status that is not a number"),
        pytest.param(
            respond_with(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % number for number in range(200)) + b"\r\n"),
            id="200 headers",
        ),
        pytest.param(respond_with(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"), id="a header of 200 kB"),
        pytest.param(
            respond_with(http("200 OK", b"no gzip", Content_Encoding="gzip")), id="a body that is not what it says"
        ),
    ],
)
def test_an_invalid_response_is_a_cut_connection(serve: Serve, handler: Handler) -> None:
    assert error_kind(get(serve(handler).url)) is ErrorKind.CUT


def test_a_closed_port_is_a_refusal() -> None:
    assert error_kind(get(no_listener())) is ErrorKind.REFUSED


def test_a_name_without_an_address_is_unresolved() -> None:
    assert error_kind(get("http://no-such-host.invalid/")) is ErrorKind.UNRESOLVED


def test_silence_is_a_time_out(serve: Serve) -> None:
    assert error_kind(get(serve(silent).url, timeout=0.2)) is ErrorKind.TIMED_OUT


def test_a_connection_that_is_not_accepted_is_not_established() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = []
        for _ in range(8):  # the queue of pending connections is full after a few
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        found = error_kind(get(f"http://127.0.0.1:{port}/", timeout=0.3))
        for filler in fillers:
            filler.close()
    assert found is ErrorKind.NOT_CONNECTED


# the bound on the total time


def crew_fetch(url: str, bound: float) -> HttpResult:
    workers = Workers(lambda _, seconds: get(url, timeout=seconds))
    workers.start(FetchContainers(), workers.now(), bound)
    event = workers.wait(workers.now() + 60)
    assert event is not None
    return event.http_result


def drip(head: bytes, piece: bytes) -> Handler:
    """A handler that sends a piece every tenth of a second, so that no read times out."""

    def handler(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        done = threading.Event()
        while not done.wait(0.1):
            connection.sendall(piece)

    return handler


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"), id="body"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"), id="headers"),
        pytest.param(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="interim answers"),
        pytest.param(drip(b"H", b"T"), id="status line"),
    ],
)
def test_a_response_that_arrives_too_slowly_is_given_up_in_time(serve: Serve, handler: Handler) -> None:
    assert isinstance(crew_fetch(serve(handler).url, 0.5), TransportError)


# redirects


def redirects(*locations: str, status: str = "302 Found") -> Handler:
    """A handler that redirects through these places, and then responds."""
    left = list(locations)

    def handler(connection: socket.socket, _: bytes) -> None:
        connection.sendall(http(status, Location=left.pop(0)) if left else http("200 OK", b"here"))

    return handler


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_a_redirect_within_the_origin_is_followed(serve: Serve, status: str) -> None:
    server = serve(redirects("/there?x=1", status=status))
    reply = got(get(f"{server.url}/here"))
    assert (reply.status, reply.body, reply.hops) == (200, b"here", 1)
    assert server.requests[1].startswith("GET /there?x=1 ")


def test_at_most_three_redirects_are_followed(serve: Serve) -> None:
    assert MOST_REDIRECTS == 3
    assert got(get(serve(redirects("/1", "/2", "/3")).url)).status == 200
    server = serve(redirects(*("/x" for _ in range(10))))
    reply = got(get(server.url))
    assert (reply.status, reply.hops) == (302, 3)
    assert len(server.requests) == 4


def test_no_redirect_is_followed_without_follow(serve: Serve) -> None:
    server = serve(redirects("/there"))
    reply = got(get(server.url, follow=False))
    assert (reply.status, reply.headers["location"]) == (302, "/there")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://{host}/x",
        "http://127.0.0.1:{other}/x",
        "//127.0.0.1:{other}/x",
        "http://127.0.0.1:1/x",
        "ftp://localhost/x",
        "javascript:alert(1)",
        "http://[::1",
        "http://localhost:99999999/",
        "http://\x80\xff/",
        "",
    ],
)
def test_a_redirect_to_another_origin_is_returned_and_not_followed(serve: Serve, location: str) -> None:
    other = serve(http())
    place = location.format(host="localhost:1", other=other.port)
    server = serve(http("302 Found", Location=place))
    for follow in (True, False):
        reply = got(get(server.url, client(server.url, X_Key="s3cret"), follow=follow))
        assert (reply.status, reply.hops) == (302, 0)
    assert other.requests == []


def test_a_redirect_without_a_location_is_returned(serve: Serve) -> None:
    assert got(get(serve(http("302 Found")).url)).status == 302


def test_cookies_are_not_sent_back(serve: Serve) -> None:
    left = [http("302 Found", Location="/there", Set_Cookie="a=b"), http()]
    server = serve(lambda connection, _: connection.sendall(left.pop(0)))
    get(server.url)
    assert server.header("Cookie", 1) == []


# secrets go where they belong


def test_headers_are_sent_only_to_their_origins(serve: Serve) -> None:
    ours, other = serve(http()), serve(http())
    http_client = client(f"{ours.url}/some/path", X_Key="s3cret")
    get(f"{ours.url}/a", http_client)
    get(f"{other.url}/a", http_client)
    get(f"http://127.0.0.1:{ours.port}/a", http_client)
    assert ours.header("X-Key", 0) == ["s3cret"]
    assert other.header("X-Key", 0) == []
    assert ours.header("X-Key", 1) == [], "127.0.0.1 is another origin than localhost"


def test_the_token_is_sent_only_with_requests_that_carry_it(serve: Serve) -> None:
    server = serve(http())
    get(server.url, token="tok-123")
    get(server.url)
    assert server.header("Authorization", 0) == ["Bearer tok-123"]
    assert server.header("Authorization", 1) == []


def test_netrc_is_ignored(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login me password hunter2\ndefault login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(http())
    get(server.url)
    get(server.url, token="tok-123")
    assert server.header("Authorization", 0) == []
    assert server.header("Authorization", 1) == ["Bearer tok-123"]


def test_a_latin_1_header_arrives_unchanged(serve: Serve) -> None:
    server = serve(http())
    get(server.url, client(server.url, X_Key="clé"))
    assert server.header("X-Key") == ["clé"]


# proxies


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_a_proxy_is_honoured(serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    proxy = serve(http("200 OK", b"by proxy"))
    monkeypatch.setenv(name, proxy.url)
    assert got(get("http://service.invalid/ready")).body == b"by proxy"
    assert proxy.requests[0].startswith("GET http://service.invalid/ready HTTP/1.1\r\n")


def test_no_proxy_is_honoured(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(http("200 OK", b"by proxy"))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "service.invalid")
    assert error_kind(get("http://service.invalid/")) is ErrorKind.UNRESOLVED


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "app.localhost"])
def test_no_proxy_is_used_for_this_machine(serve: Serve, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    proxy, server = serve(http("200 OK", b"by proxy")), serve(http("200 OK", b"direct"))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(["127.0.0.1"]))
    assert got(get(f"http://{host}:{server.port}/")).body == b"direct"
    assert not is_proxied(f"http://{host}:{server.port}/")


# hosts with several addresses


def _resolver(addresses: list[str]) -> Callable[..., object]:
    """A `getaddrinfo` that resolves one host."""

    def resolve(_: str, port: int, *arguments: object, **options: object) -> object:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


@contextlib.contextmanager
def mute(address: str, port: int) -> Iterator[None]:
    """An address that accepts no connection: its queue is full."""
    with contextlib.ExitStack() as open_ones:
        listener = open_ones.enter_context(socket.socket())
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(4):
            waiting = open_ones.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield


def test_the_next_address_is_tried_where_one_accepts_no_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(http("200 OK", b"second"))
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(["127.0.0.9", "127.0.0.1"]))
    with mute("127.0.0.9", server.port):
        assert got(get(f"http://twice.test:{server.port}/", timeout=5)).body == b"second"
    assert len(server.requests) == 1


def test_the_next_address_is_tried_where_one_refuses(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(http("200 OK", b"third"))
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(["127.0.0.8", "127.0.0.9", "127.0.0.1"]))
    assert got(get(f"http://thrice.test:{server.port}/", timeout=5)).body == b"third"


def test_when_all_addresses_fail_the_error_is_refused_or_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(["127.0.0.8", "127.0.0.9"]))
    port = int(no_listener().rpartition(":")[2])
    assert error_kind(get(f"http://twice.test:{port}/")) is ErrorKind.REFUSED
    with mute("127.0.0.9", port):
        assert error_kind(get(f"http://twice.test:{port}/", timeout=0.5)) is ErrorKind.NOT_CONNECTED


def test_an_unreachable_proxy_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", no_listener())
    assert error_kind(get("http://service.invalid/")) is ErrorKind.REFUSED


def test_nothing_is_sent_through_a_proxy_that_refuses_a_tunnel(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(http("403 Forbidden"))
    monkeypatch.setenv("https_proxy", proxy.url)
    refused = TransportError(ErrorKind.REFUSED, "the environment's proxy responded with 403")
    assert get("https://service.invalid/", token="tok-123") == refused
    assert "tok-123" not in "".join(proxy.requests)


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


@pytest.fixture
def secure(serve: Serve, authority: trustme.CA) -> Server:
    return serve(http("200 OK", b"safe"), context(authority.issue_cert("localhost")))


def test_a_private_authority_is_trusted_when_given(secure: Server, authority: trustme.CA) -> None:
    assert got(get(secure.url, client(pem=pem(authority)))).body == b"safe"


def test_public_authorities_stay_trusted_with_a_private_one(authority: trustme.CA) -> None:
    from redeploy.http import client as module

    alone = len(module.trusting("").get_ca_certs())
    assert len(module.trusting(pem(authority)).get_ca_certs()) == alone + 1


def test_an_unknown_authority_is_a_tls_error(secure: Server) -> None:
    http_result = get(secure.url, token="tok-123")
    assert error_kind(http_result) is ErrorKind.TLS
    assert isinstance(http_result, TransportError)
    assert http_result.detail
    assert secure.requests == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_cannot_add_an_authority_through_requests(
    secure: Server, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(pem(authority))
    monkeypatch.setenv(variable, str(bundle))
    assert error_kind(get(secure.url)) is ErrorKind.TLS


def test_a_certificate_for_another_host_is_a_tls_error(serve: Serve, authority: trustme.CA) -> None:
    server = serve(http(), context(authority.issue_cert("other.example.com")))
    http_result = get(server.url, client(pem=pem(authority)))
    assert error_kind(http_result) is ErrorKind.TLS
    assert isinstance(http_result, TransportError)
    assert "match" in http_result.detail.lower() or "valid for" in http_result.detail.lower()


def test_an_expired_certificate_is_a_tls_error_that_names_the_cause(serve: Serve, authority: trustme.CA) -> None:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    server = serve(http(), context(authority.issue_cert("localhost", not_after=past)))
    http_result = get(server.url, client(pem=pem(authority)))
    assert error_kind(http_result) is ErrorKind.TLS
    assert isinstance(http_result, TransportError)
    assert "expired" in http_result.detail


def test_plain_text_instead_of_tls_is_a_tls_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_at_once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(http("400 Bad Request"))
                connection.recv(65536)

        threading.Thread(target=answer_at_once, daemon=True).start()
        assert error_kind(get(f"https://localhost:{listener.getsockname()[1]}/")) is ErrorKind.TLS


def test_a_certificate_is_also_verified_through_a_proxy(
    authority: trustme.CA, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure = serve(http("200 OK", b"safe"), context(authority.issue_cert("service.invalid")))

    def tunnel(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", secure.port)) as inner:
            pump = threading.Thread(target=_copy, args=(inner, connection), daemon=True)
            pump.start()
            _copy(connection, inner)
            pump.join(5)

    monkeypatch.setenv("https_proxy", serve(tunnel).url)
    assert got(get("https://service.invalid/", client(pem=pem(authority)))).body == b"safe"
    assert error_kind(get("https://service.invalid/")) is ErrorKind.TLS


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_a_certificate_is_checked_before_it_is_used(authority: trustme.CA) -> None:
    check_certificate(pem(authority))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ],
    ids=["an empty file", "garbage", "no certificate inside", "a key"],
)
def test_an_invalid_certificate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="usable PEM certificate"):
        check_certificate(text)


def test_headers_of_the_service_are_sent_to_its_origin_and_take_precedence(serve: Serve) -> None:
    ours, other = serve(http("200 OK")), serve(http("200 OK"))
    both = client(ours.url, other.url, x_key="of-both")
    of_service = both.to_service({"x-KEY": Secret("own"), "Authorization": Secret("Bearer t")}, origin_of(ours.url))
    for place, each in enumerate((of_service, both)):
        got(get(ours.url, each))
        assert ours.header("X-Key", place) == (["own"], ["of-both"])[place]
        assert ours.header("Authorization", place) == (["Bearer t"], [])[place]
    got(get(other.url, of_service))
    assert other.header("X-Key") == ["of-both"]
    assert other.header("Authorization") == []
    assert both.to_service({}, origin_of(ours.url)) is both


def test_headers_of_one_request_take_precedence_in_any_case(serve: Serve) -> None:
    server = serve(http("200 OK"))
    of_service = client(server.url).to_service({"X-Key": Secret("of-service")}, origin_of(server.url))
    asked = {"x-key": "its-own", "ACCEPT": "text/csv", "Content-Type": "application/json"}
    got(of_service.fetch("POST", server.url, cap=100, timeout=5, connect=5, headers=asked, body=b"{}", follow=False))
    seen = server.requests[0].lower()
    assert seen.count("x-key: ") == seen.count("accept: ") == 1
    assert {"x-key: its-own", "accept: text/csv", "content-type: application/json"} <= set(seen.split("\r\n"))
    assert seen.endswith("\r\n\r\n{}")
