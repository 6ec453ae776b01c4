"""The signature of one HTTP request."""

from collections.abc import Mapping
from typing import Protocol

from redeploy.http.response import HttpResult
from redeploy.text.secret import Secret


class Fetch(Protocol):
    """Sends one request; see `redeploy.http.client`."""

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
        """Return what came of it."""
