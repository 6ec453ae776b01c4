"""A token server on loopback: everyone may read, one user may write."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.e2e.parts.registry import CONFIG
from tests.registry_tokens import Issuer


class Realm(ThreadingHTTPServer):
    """The server; a registry that is configured with `files` and `settings` sends its clients here."""

    def __init__(self, reader: Mapping[str, str], owner: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.issuer = Issuer()
        self.known = [_basic(reader), _basic(owner)]
        self.files = {"authority.pem": self.issuer.authority}
        url = f"http://127.0.0.1:{self.server_port}/token"
        self.settings = self.issuer.settings(url, str(CONFIG.parent / "authority.pem"))

    def answer(self, shown: str, scopes: list[str]) -> tuple[int, dict[str, Any]]:
        """Return status and document for these credentials and scopes."""
        if shown and shown not in self.known:
            return 401, {}
        owns = shown == self.known[-1]
        granted = []
        for scope in scopes:
            _, name, wanted = scope.split(":")
            granted.append((name, [each for each in wanted.split(",") if owns or each == "pull"]))
        return 200, {"token": self.issuer.token(granted)}


class _Answers(BaseHTTPRequestHandler):
    server: Realm

    def do_GET(self) -> None:
        """Respond to a request for a token."""
        scopes = parse_qs(urlsplit(self.path).query).get("scope", [])
        status, document = self.server.answer(self.headers.get("Authorization", ""), scopes)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Logs nothing."""


@contextmanager
def realm(reader: Mapping[str, str], owner: Mapping[str, str]) -> Iterator[Realm]:
    """Run a token server for a while."""
    with Realm(reader, owner) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()


def _basic(login: Mapping[str, str]) -> str:
    shown = f"{login['username']}:{login['password']}"
    return f"Basic {base64.b64encode(shown.encode()).decode()}"
