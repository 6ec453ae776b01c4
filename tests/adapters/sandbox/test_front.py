"""The proxies in front of the sandbox's service: nginx, and the others that may disturb a request."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from sandbox.network.attacks import deep_document, echo, endless_body, gzip_bomb, hostile_page, slow_body, slow_headers
from sandbox.network.faults import LIMITED, AtFirst, Cache, Cut, Instead, InTurn, Limit, On, Redirect, cloudflare
from sandbox.network.front import Answer, Fault, Front
from sandbox.network.sockets import Connection, Server, reserve

UPDATE = "/ops/watchtower/update"
Raise = Callable[..., Front]


class Upstream:
    """A server that responds with a counter, and records the requests."""

    def __init__(self, delay: float = 0.0) -> None:
        self.asked: list[str] = []
        self.ended = 0
        self._delay = delay
        self._server = Server(self._serve)
        self.port = self._server.port
        self._server.listen()

    def close(self) -> None:
        self._server.close()

    def _serve(self, connection: Connection) -> None:
        while (request := connection.read()) is not None:
            self.asked.append(f"{request.method} {request.target} {request.header('Authorization') or '-'}")
            connection.pause(self._delay)
            self.ended += 1
            body = str(len(self.asked)).encode()
            connection.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            if request.closes:
                return


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    one = Upstream()
    yield one
    one.close()


@pytest.fixture
def front(upstream: Upstream) -> Iterator[Raise]:
    raised: list[Front] = []

    def rise(on_service: Fault | None = None, on_watchtower: Fault | None = None, port: int | None = None) -> Front:
        one = Front(port or upstream.port, {UPDATE: (upstream.port, "/v1/update")})
        one.on_service = on_service or one.on_service
        one.on_watchtower = on_watchtower or one.on_watchtower
        one.listen()
        raised.append(one)
        return one

    yield rise
    for one in raised:
        one.close()


def get(front: Front, path: str = "/api/ready", **more: object) -> requests.Response:
    return requests.get(front.origin + path, timeout=5, allow_redirects=False, **more)  # type: ignore[arg-type]


def test_a_location_leads_to_watchtowers_own_path_with_query_and_token(front: Raise, upstream: Upstream) -> None:
    one = front()
    requests.post(f"{one.origin}{UPDATE}?image=a", headers={"Authorization": "Bearer t"}, timeout=5)
    get(one, f"{UPDATE}/more")
    assert upstream.asked == ["POST /v1/update?image=a Bearer t", f"GET {UPDATE}/more -"]
    assert [one.path for one in one.triggers()] == [UPDATE]


def test_nginx_returns_502_where_the_upstream_does_not_listen(front: Raise) -> None:
    with reserve() as held:
        answer = get(front(port=held.getsockname()[1]))
    assert (answer.status_code, answer.headers["Server"]) == (502, "nginx/1.22.1")
    assert "<h1>502 Bad Gateway</h1>" in answer.text


def test_a_connection_serves_several_requests(front: Raise, upstream: Upstream) -> None:
    one = front()
    with requests.Session() as session:
        assert [session.get(one.origin, timeout=5).text for _ in range(3)] == ["1", "2", "3"]
    assert len(upstream.asked) == 3


def test_a_front_that_does_not_listen_yet_refuses_connections_and_keeps_its_port() -> None:
    one = Front(1, {})
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", one.port))
    one.close()


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526, 530])
def test_cloudflare_responds_in_place_of_the_server(status: int, front: Raise, upstream: Upstream) -> None:
    answer = get(front(Instead(cloudflare(status))))
    assert (answer.status_code, answer.headers["Server"]) == (status, "cloudflare")
    assert answer.text.startswith("error code: ")
    assert upstream.asked == []


def test_a_proxy_that_gives_up_leaves_the_request_running() -> None:
    slow = Upstream(delay=0.4)
    one = Front(slow.port, {})
    one.on_service = Instead(LIMITED, after=0.1, forwarding=True)
    one.listen()
    assert get(one).status_code == 503
    assert slow.ended == 0
    time.sleep(0.6)
    assert slow.ended == 1
    one.close()
    slow.close()


def test_a_cut_connection_is_reset_while_the_request_arrives(front: Raise, upstream: Upstream) -> None:
    with pytest.raises(requests.ConnectionError, match="reset"):
        get(front(Cut(after=0.2)))
    assert len(upstream.asked) == 1


def test_a_redirect_names_another_url(front: Raise) -> None:
    answer = get(front(Redirect("http://127.0.0.2:1/x")))
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.2:1/x")


def test_a_cache_reports_age_and_hit_and_may_use_the_query_as_key(front: Raise) -> None:
    one = front(Cache(honours_query=True))
    first, second, third = get(one), get(one), get(one, "/api/ready?x=1")
    assert (first.text, second.text, third.text) == ("1", "1", "2")
    assert "Age" not in first.headers
    assert (second.headers["X-Cache"], int(second.headers["Age"])) == ("HIT", 1)


def test_another_cache_ignores_the_query(front: Raise) -> None:
    one = front(Cache(honours_query=False))
    assert [get(one).text, get(one, "/api/ready?x=1").text] == ["1", "1"]


def test_the_rate_limit_allows_a_burst_and_then_returns_the_stock_page(front: Raise) -> None:
    one = front(Limit(per_minute=30, burst=15))
    answers = [get(one) for _ in range(18)]
    assert [answer.status_code for answer in answers] == [200] * 16 + [503] * 2
    assert "503 Service Temporarily Unavailable" in answers[-1].text


def test_a_fault_may_be_limited_to_some_paths_or_the_first_requests(front: Raise) -> None:
    one = front(On(frozenset({"/a"}), Instead(LIMITED)))
    assert [get(one, path).status_code for path in ("/a", "/b")] == [503, 200]
    other = front(AtFirst(2, Instead(LIMITED)))
    assert [get(other).status_code for _ in range(3)] == [503, 503, 200]


def test_requests_alternate_between_two_builds(front: Raise, upstream: Upstream) -> None:
    second = Upstream()
    one = front(InTurn(second.port))
    assert [get(one).text for _ in range(4)] == ["1", "1", "2", "2"]
    assert (len(upstream.asked), len(second.asked)) == (2, 2)
    second.close()


def test_an_echo_shows_secrets_in_body_and_headers(front: Raise) -> None:
    answer = get(front(Instead(echo(401, "the/secret"))))
    assert answer.status_code == 401
    assert "the/secret" in answer.text
    assert {"the/secret", "the%2Fsecret", b"the/secret".hex()} <= set(answer.headers.values())


def test_a_hostile_page_carries_commands_in_body_headers_and_reason(front: Raise) -> None:
    answer = get(front(Instead(hostile_page(404))))
    assert answer.status_code == 404
    assert "::set-output" in answer.reason
    assert b"##[add-matcher]" in answer.content
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


@pytest.mark.parametrize("fault", [endless_body, slow_body, slow_headers])
def test_an_endless_response_ends_with_its_client(fault: Callable[[], Fault], front: Raise) -> None:
    one = front(fault())
    with socket.create_connection(("127.0.0.1", one.port), timeout=5) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while len(received) < 60:
            received += stream.recv(65536)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_compression_bomb_is_small_on_the_wire(front: Raise) -> None:
    answer = get(front(gzip_bomb()), stream=True)
    assert int(answer.headers["Content-Length"]) < 100_000
    assert len(gzip.decompress(answer.raw.read(decode_content=False))) > 64 << 20


def test_a_deeply_nested_document_looks_like_json(front: Raise) -> None:
    answer = get(front(Instead(deep_document())))
    assert answer.headers["Content-Type"] == "application/json"
    with pytest.raises(RecursionError):
        answer.json()


def test_the_response_to_a_head_request_has_no_body() -> None:
    server = Front(1, {})
    server.on_service = Instead(Answer(200, b"body"))
    server.listen()
    answer = requests.head(server.origin, timeout=5)
    assert (answer.content, answer.headers["Content-Length"]) == (b"", "4")
    server.close()
