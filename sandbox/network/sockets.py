"""Sockets on loopback: ports that stay reserved, requests as received, responses byte for byte."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

_HEAD_LIMIT = 1 << 20


def reserve(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A socket bound to a port (0: a free one) and not listening: connections are refused, and the port stays reserved."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((host, port))
    return held


@dataclass(frozen=True)
class Request:
    """A request as received."""

    at: float
    """The time at which its head was complete, in monotonic seconds."""
    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path if self.target.startswith("http") else self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's values by name, empty ones included."""
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def closes(self) -> bool:
        """Whether the client asks to close the connection after the response."""
        asked = (self.header("Connection") or "").lower()
        return asked == "close" or (self.version == "HTTP/1.0" and asked != "keep-alive")


class Connection:
    """One accepted connection."""

    def __init__(self, stream: socket.socket, closing: threading.Event) -> None:
        self._stream = stream
        self._buffer = b""
        self._closing = closing

    def read(self) -> Request | None:
        """Read the next request; None if the client has disconnected."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > _HEAD_LIMIT or not self._fill():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ", 2)
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        request = Request(time.monotonic(), method, target, version, headers, b"")
        length = int(request.header("Content-Length") or 0)
        while len(self._buffer) < length:
            if not self._fill():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Request(request.at, method, target, version, headers, body)

    def send(self, data: bytes) -> bool:
        """Send all bytes; False if the client has disconnected."""
        try:
            self._stream.sendall(data)
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """Close with RST instead of FIN, as a proxy that times out does."""
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stream.close()

    def pause(self, seconds: float) -> bool:
        """Wait; True if the server is closed meanwhile."""
        return self._closing.wait(seconds)

    def _fill(self) -> bool:
        try:
            data = self._stream.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


class Server:
    """Accepts connections on a reserved port, one thread each, until it is closed."""

    def __init__(
        self,
        handle: Callable[[Connection], None],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._handle = handle
        self._tls = tls
        self._closing = threading.Event()
        self._streams: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._socket = reserve(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name=f"accept:{self.port}", daemon=True)

    def listen(self) -> None:
        """Begin to accept; until then the port refuses connections."""
        self._socket.listen(128)
        self._acceptor.start()

    def close(self) -> None:
        """Close all connections and wait for their threads."""
        self._closing.set()
        if self._acceptor.is_alive():
            with contextlib.suppress(OSError):  # a listener whose acceptor has just failed is not connected
                self._socket.shutdown(socket.SHUT_RDWR)
            self._acceptor.join()
        self._socket.close()
        with self._lock:
            streams, threads = list(self._streams), list(self._threads)
        for stream in streams:
            with contextlib.suppress(OSError):  # the client may have closed it first
                stream.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                stream, _ = self._socket.accept()
            except OSError:
                return
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(stream,), daemon=True)
            with self._lock:
                self._streams.add(stream)
                self._threads.add(thread)
            thread.start()

    def _serve(self, stream: socket.socket) -> None:
        spoken = stream
        try:
            if self._tls is not None:
                spoken = self._tls.wrap_socket(stream, server_side=True)
            self._handle(Connection(spoken, self._closing))
        except OSError:
            # A handshake that the client refuses, or a client that disconnects, is not an error of the server.
            pass
        finally:
            spoken.close()
            with self._lock:
                self._streams.discard(stream)
                self._threads.discard(threading.current_thread())
