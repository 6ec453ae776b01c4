"""The proxy in front of the service on one origin: nginx with its locations, and faults in the way.

Every request is recorded: which origin saw the token, how many triggers there were, and when.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from sandbox.network.sockets import Connection, Request, Server


@dataclass(frozen=True)
class Answer:
    """A response that does not come from the upstream."""

    status: int
    body: bytes
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()
    server: str = "nginx/1.22.1"
    reason: str | None = None

    def render(self, request: Request) -> bytes:
        """The bytes on the wire."""
        reason = self.reason if self.reason is not None else HTTPStatus(self.status).phrase
        head = [
            ("Server", self.server),
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Connection", "close" if request.closes else "keep-alive"),
            *self.headers,
        ]
        lines = "".join(f"{name}: {value}\r\n" for name, value in head)
        payload = b"" if request.method == "HEAD" else self.body
        return f"HTTP/1.1 {self.status} {reason}\r\n{lines}\r\n".encode("latin-1") + payload


def nginx_page(status: int, title: str) -> Answer:
    """The stock error page of nginx."""
    heading = f"{status} {title}"
    return Answer(
        status,
        f"<html>\r\n<head><title>{heading}</title></head>\r\n<body>\r\n<center><h1>{heading}</h1></center>\r\n"
        f"<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n".encode(),
        reason=title,
    )


BAD_GATEWAY = nginx_page(502, "Bad Gateway")


@dataclass(frozen=True)
class Exchange:
    """One request at the front, and what can be done with it."""

    front: "Front"
    connection: Connection
    request: Request
    upstream: tuple[int, str]
    """Port and target that the location points to."""

    def forward(self) -> bytes:
        """Return the upstream's response, as nginx passes it on; nginx's 502 page if there is none."""
        raw = _ask(self.request, *self.upstream)
        return _pass_on(self.request, raw) if raw else BAD_GATEWAY.render(self.request)

    def forward_alone(self) -> None:
        """Pass the request to the upstream and ignore the response: the work there continues."""
        self.front.begin(self.forward)

    def send(self, answer: Answer) -> bool:
        """Send a response; False if the connection is closed."""
        return self.connection.send(answer.render(self.request))


# Handles an exchange; False closes the connection after it.
Fault = Callable[[Exchange], bool]


def passing(exchange: Exchange) -> bool:
    """No fault: forward the request."""
    return exchange.connection.send(exchange.forward())


class Front:
    """One origin. `locations` maps exact paths to a port and the path there; the rest goes to `service`."""

    def __init__(
        self,
        service: int,
        locations: Mapping[str, tuple[int, str]],
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.service = service
        self.locations = dict(locations)
        self.on_watchtower: Fault = passing
        """The fault in front of the locations."""
        self.on_service: Fault = passing
        """The fault in front of everything else."""
        self.seen: list[Request] = []
        self._server = Server(self._serve, host=host, tls=tls)
        self._errands: list[threading.Thread] = []
        self.port = self._server.port
        self.origin = f"{'https' if tls else 'http'}://{host}:{self.port}"

    def listen(self) -> None:
        """Begin to respond; until then the port refuses connections."""
        self._server.listen()

    def begin(self, errand: Callable[[], object]) -> None:
        """Run something in a thread of its own, independently of the connection."""
        thread = threading.Thread(target=errand, daemon=True)
        self._errands.append(thread)
        thread.start()

    def triggers(self, path: str = "/ops/watchtower/update") -> list[Request]:
        """The requests that carried an Authorization header to the trigger's path."""
        return [one for one in self.seen if one.path == path and one.header("Authorization")]

    def close(self) -> None:
        """Close all connections. The upstreams must have been closed before."""
        self._server.close()
        for thread in self._errands:
            thread.join()

    def _serve(self, connection: Connection) -> None:
        while (request := connection.read()) is not None:
            self.seen.append(request)
            _, question, query = request.target.partition("?")
            if request.path in self.locations:
                port, path = self.locations[request.path]
                fault, upstream = self.on_watchtower, (port, path + question + query)
            else:
                fault, upstream = self.on_service, (self.service, request.target)
            if not fault(Exchange(self, connection, request, upstream)) or request.closes:
                return


def _ask(request: Request, port: int, target: str) -> bytes:
    """Return the upstream's whole response; empty if it refuses, resets or sends nothing."""
    kept = [(name, value) for name, value in request.headers if name.lower() != "connection"]
    lines = "".join(
        f"{name}: {value}\r\n" for name, value in [*kept, ("X-Real-IP", "127.0.0.1"), ("Connection", "close")]
    )
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as upstream:
            upstream.sendall(f"{request.method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + request.body)
            parts = []
            while part := upstream.recv(65536):
                parts.append(part)
            return b"".join(parts)
    except OSError:
        return b""


def _pass_on(request: Request, raw: bytes) -> bytes:
    """Return the upstream's response under the proxy's own name, with a length, so that the connection can stay open."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    dropped = {"connection", "server", "date", "content-length", "transfer-encoding"}
    kept = [line for line in lines if line.partition(":")[0].lower() not in dropped]
    if any(line.lower() == "transfer-encoding: chunked" for line in lines):
        body = _joined(body)
    length = next(
        (line for line in lines if line.lower().startswith("content-length:")), f"Content-Length: {len(body)}"
    )
    own = [status, "Server: nginx/1.22.1", f"Date: {formatdate(usegmt=True)}", length, *kept]
    own.append(f"Connection: {'close' if request.closes else 'keep-alive'}")
    return "\r\n".join(own).encode("latin-1") + b"\r\n\r\n" + body


def _joined(chunks: bytes) -> bytes:
    body = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        length = int(size, 16)
        body += rest[:length]
        chunks = rest[length + 2 :] if length else b""
    return body
