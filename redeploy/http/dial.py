"""Connections: if one address of a host does not respond, the next is tried; and what urllib3 needs to use them.

By default, urllib3 gives each address the whole time, one after the other: behind an IPv6 route that leads nowhere no
second one is ever tried. Here the next is tried in parallel after a moment (RFC 8305, "Happy Eyeballs").
"""

import errno
import http.client
import os
import selectors
import socket
import time
from collections.abc import Sequence
from typing import IO, Any

import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions as failures

HEAD_START = 0.25
"""Seconds after which the next address is tried in parallel to the ones before it (RFC 8305, section 5)."""

_BEGUN_ON_WINDOWS = getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)
_Option = tuple[int, int, int | bytes]


def dial(host: str, port: int, timeout: float, options: Sequence[_Option] = ()) -> socket.socket:
    """Return a connection to the first address of a host that accepts one, within `timeout` seconds in total.

    Raises:
        socket.gaierror: if the name has no address.
        TimeoutError: if none accepted in time.
        OSError: if all of them refused.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    waiting = list(dict.fromkeys((family, kind, protocol, place) for family, kind, protocol, _, place in found))
    now = time.monotonic()
    ends, next_at = now + timeout, now
    refused = OSError("the name has no address")
    with selectors.DefaultSelector() as trying:
        try:
            while waiting or trying.get_map():
                now = time.monotonic()
                if waiting and (now >= next_at or not trying.get_map()):
                    next_at = now + HEAD_START
                    try:
                        trying.register(_begun(*waiting.pop(0), options), selectors.EVENT_WRITE)
                    except OSError as error:
                        refused, next_at = error, now
                    continue
                wait = (min(ends, next_at) if waiting else ends) - now
                ready = trying.select(max(0.0, wait))
                if now >= ends and not ready:
                    raise TimeoutError
                for key, _ in ready:
                    tried = key.fileobj
                    trying.unregister(tried)
                    assert isinstance(tried, socket.socket)  # noqa: S101 - nothing else was registered
                    failed = tried.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not failed:
                        tried.settimeout(max(0.1, ends - time.monotonic()))
                        return tried
                    tried.close()
                    refused, next_at = OSError(failed, os.strerror(failed)), now
        finally:
            for key in list(trying.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr] # a socket, as above
    raise refused


def _begun(family: int, kind: int, protocol: int, place: object, options: Sequence[_Option]) -> socket.socket:
    """Return a socket that is connecting to an address."""
    made = socket.socket(family, kind, protocol)
    try:
        for option in options:
            made.setsockopt(*option)
        made.setblocking(False)  # noqa: FBT003 - the standard library's
        _connect(made, place)
    except OSError:
        made.close()
        raise
    return made


def _connect(made: socket.socket, place: object) -> None:
    """Begin to connect; the selector says when that has ended."""
    failed = made.connect_ex(place)  # type: ignore[arg-type] # as getaddrinfo gave it
    if failed not in (0, errno.EINPROGRESS, _BEGUN_ON_WINDOWS):
        raise OSError(failed, os.strerror(failed))


class _Head:
    """Passes on the lines of a response's head, and remembers the last one."""

    def __init__(self, inner: IO[bytes]) -> None:
        self.inner = inner
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.inner.readline(limit)
        return self.last

    def close(self) -> None:
        self.inner.close()


class _Response(http.client.HTTPResponse):
    """Distinguishes a truncated head from a complete one; http.client takes the end of the connection for its end."""

    def begin(self) -> None:
        known: Any = self.headers
        if known is not None:
            return
        head: Any = _Head(self.fp)
        self.fp = head  # only its lines are read until the head ends
        try:
            super().begin()
        finally:
            left: Any = self.fp
            self.fp = left and head.inner  # it is None if that has closed it
        if not head.last:
            raise http.client.IncompleteRead(b"")


class _Dialling:
    """Makes its connections by `dial`."""

    response_class = _Response

    def _new_conn(self: urllib3.connection.HTTPConnection) -> socket.socket:  # type: ignore[misc] # mixed into that
        try:
            return dial(
                self._dns_host, self.port or 0, float(self.timeout or 60), self.socket_options or ()
            )  # requests gives seconds
        except socket.gaierror as error:
            raise failures.NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise failures.ConnectTimeoutError(self, "no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise failures.NewConnectionError(self, f"no connection: {error}") from error


class _Plain(_Dialling, urllib3.connection.HTTPConnection):  # type: ignore[misc] # its own is replaced
    pass


class _Secure(_Dialling, urllib3.connection.HTTPSConnection):  # type: ignore[misc] # as above
    pass


class _PlainPool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _Secure


POOLS: dict[str, type[urllib3.connectionpool.HTTPConnectionPool]] = {"http": _PlainPool, "https": _SecurePool}
"""The `pool_classes_by_scheme` of a manager of urllib3."""
