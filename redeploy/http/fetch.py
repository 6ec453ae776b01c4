"""One HTTP request as a value, and the protocol of what sends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from redeploy.http.response import HttpResult
from redeploy.text.secret import Secret


class Fetch(Protocol):
    """What sends one request; see `redeploy.http.client`."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        cap: int,
        timeout: float,
        connect: float,
        token: Secret | None = None,
        authorization: Secret | None = None,
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        follow: bool,
    ) -> HttpResult:
        """Send one request, and return its result."""


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request as it is sent, without the headers that every request to its origin has."""

    method: str = "GET"
    url: str
    cap: int
    """Bytes of the response that are read."""
    token: Secret | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    body: bytes = b""
    follow: bool = False
    """Whether redirects are followed."""

    def send(self, fetch: Fetch, *, timeout: float, connect: float) -> HttpResult:
        """Send it: connect within `connect` seconds, and have the whole response within `timeout`."""
        return fetch(
            self.method,
            self.url,
            cap=self.cap,
            timeout=timeout,
            connect=connect,
            token=self.token,
            headers={name: value.reveal() for name, value in self.headers},
            body=self.body,
            follow=self.follow,
        )
