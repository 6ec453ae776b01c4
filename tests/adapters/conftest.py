"""Servers on loopback that send exactly what a test specifies."""

import contextlib
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

Handler = Callable[[socket.socket, bytes], None]
"""Responds on an open connection, given the request."""


@dataclass
class Server:
    """A server of raw bytes that reads one request from each connection."""

    handler: Handler
    tls: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)
    """In the order in which they came."""

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    def header(self, name: str, request: int = 0) -> list[str]:
        """The values of one header of a request."""
        lines = self.requests[request].split("\r\n")[1:]
        return [line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name.lower()}:")]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            plain.settimeout(30)
            connection = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            with connection:
                request = b""
                while not _is_whole(request):
                    if not (chunk := connection.recv(65536)):
                        return
                    request += chunk
                self.requests.append(request.decode("latin-1"))
                self.handler(connection, request)


def _is_whole(request: bytes) -> bool:
    """Whether a request is complete, with its body, which may come in a packet of its own."""
    head, end, body = request.partition(b"\r\n\r\n")
    if request.startswith(b"\x16"):  # a TLS handshake
        return True
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def respond_with(*pieces: bytes) -> Handler:
    """A handler that sends these bytes and closes."""

    def handler(connection: socket.socket, _: bytes) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return handler


def http(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """A complete response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that are closed after the test."""
    servers: list[Server] = []

    def start(handler: Handler | bytes, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(respond_with(handler) if isinstance(handler, bytes) else handler, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this machine's proxy settings out of the tests."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
