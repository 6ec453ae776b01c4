"""Stand-ins for other deployers: their responses, and whether and when the service is really replaced.

Each row is one request that a product accepts. With `works` the product deploys, after its response if that is
how the product works; otherwise it responds the same and does nothing, as the real product does in the named case.
"""

import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.network.front import Answer
from sandbox.network.sockets import Connection, Request, Server
from sandbox.server.host import Host

TOKEN = "deployer-5c0d1f7e92ab"

_UUID = "vgsco4o7w0k8"
_QUEUED = {"message": "Application api deployment queued.", "resource_uuid": _UUID, "deployment_uuid": "d6t1"}
_SKIPPED = {"message": "Deployment already queued for this commit.", "resource_uuid": _UUID, "deployment_uuid": "n0ne"}


@dataclass(frozen=True)
class Row:
    """One request that a product accepts."""

    method: str
    path: str
    """Without the query."""
    status: int
    body: Any = None
    """As JSON; None: an empty body."""
    idle: Any = None
    """Its response if nothing will happen, if that is different."""
    idle_status: int | None = None
    after: float = 1.5
    """Seconds from the response to the deploy; 0: the response comes after the deploy."""


PRODUCTS: Mapping[str, tuple[Row, ...]] = {
    # The tag has not moved yet, or the compose file names another: both commands end with 0.
    "compose": (Row("POST", "/ssh", 200, after=0.0),),
    # Green once the proxies of the hosts in `config/deploy.yml` have a healthy container, whatever serves the public name.
    "kamal": (Row("POST", "/kamal", 200, after=0.0),),
    # OtherController.php answers 405 to GET since 4.2.0; bootstrap/helpers/applications.php skips what is queued already.
    "coolify": (Row("POST", "/api/v1/deploy", 200, {"deployments": [_QUEUED]}, {"deployments": [_SKIPPED]}),),
    # services/application.ts is done once Swarm accepted the update; api/deploy/[refreshToken].ts refuses with 301.
    "dokploy": (
        Row("POST", "/api/application.deploy", 200, True),  # noqa: FBT003  the product's body
        Row("POST", f"/api/deploy/{TOKEN}", 200, {"message": "Application deployed successfully"}, None, 301),
    ),
    # deployments/deploy.go works after the response, and does nothing if the commit did not change.
    "portainer": (
        Row("POST", f"/api/stacks/webhooks/{TOKEN}", 204),
        Row("PUT", "/api/stacks/7/git/redeploy", 200, {"Id": 7}, after=0.0),
    ),
    # ApiStatusCodes.ts: the status of the response is 200 whatever the body says.
    "caprover": (
        Row(
            "POST",
            "/api/v2/user/apps/appData/api",
            200,
            {"status": 100, "description": "Deploy is done", "data": {}},
            {"status": 1106, "description": "Auth token corrupted", "data": {}},
            after=0.0,
        ),
    ),
    # handler_webhook.go: accepted, unless `wait=true`.
    "doco-cd": (Row("POST", "/v1/webhook", 202, {"content": "job accepted", "job_id": "j1"}),),
    # adnanh/webhook answers before its command ends, unless `include-command-output-in-response`.
    "webhook": (Row("POST", "/hooks/redeploy", 200),),
}


class StandIn:
    """One product on its own port, in front of a host."""

    def __init__(self, product: str, host: Host, *, works: bool) -> None:
        self.rows = PRODUCTS[product]
        self.works = works
        self.seen: list[Request] = []
        self._host = host
        self._closing = threading.Event()
        self._work: list[threading.Thread] = []
        self._server = Server(self._serve)
        self.origin = f"http://127.0.0.1:{self._server.port}"

    def listen(self) -> None:
        """Begin to respond."""
        self._server.listen()

    def close(self) -> None:
        """Stop all work."""
        self._closing.set()
        self._server.close()
        for thread in self._work:
            thread.join()

    def _serve(self, connection: Connection) -> None:
        while (request := connection.read()) is not None:
            self.seen.append(request)
            if not connection.send(self._answer(request).render(request)) or request.closes:
                return

    def _answer(self, request: Request) -> Answer:
        rows = [row for row in self.rows if row.path == request.path]
        row = next((each for each in rows if each.method == request.method), None)
        if row is None:
            return _json(405 if rows else 404, {"message": "Not Allowed" if rows else "Not found"})
        known = "\n".join([request.target, *(value for _, value in request.headers)])
        signature = hmac.new(TOKEN.encode(), request.body, "sha256").hexdigest()
        if TOKEN not in known and f"sha256={signature}" not in known:
            return _json(401, {"message": "Unauthenticated."})
        if not self.works:
            return _json(row.idle_status or row.status, row.body if row.idle is None else row.idle)
        if row.after:
            self._work.append(threading.Thread(target=self._deploy, args=(row.after,), daemon=True))
            self._work[-1].start()
        else:
            self._deploy(0.0)
        return _json(row.status, row.body)

    def _deploy(self, after: float) -> None:
        """Pull the service's tag and replace its container."""
        if not self._closing.wait(after):
            service = self._host.service
            service.replace(self._host.registry.pull(service.image), grace=1.0, gap=0.2)


def _json(status: int, body: Any) -> Answer:  # noqa: ANN401  JSON
    payload = b"" if body is None else json.dumps(body).encode()
    return Answer(status, payload, "application/json")
