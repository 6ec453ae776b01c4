"""containrrr 1.7.1, and openserbia 1.18.3 which descends from it."""

from collections import Counter
from collections.abc import Callable

from sandbox.network.sockets import Request
from sandbox.server.engine import ImageT
from sandbox.watchtower.http_formats import JSON, Family, compact, exposition, go_http, go_not_found, instant
from sandbox.watchtower.updater import ContainerResult, EngineUnreachableError, by_repository
from sandbox.watchtower.watchtower import Watchtower


class Containrrr(Watchtower[ImageT]):
    """containrrr 1.7.1: 200 without a body whatever the result, and every method triggers."""

    def answer(self, request: Request) -> bytes | None:
        """Check the path first, then the token; the method is ignored."""
        routes = {"/v1/update": self._update, "/v1/metrics": self._metrics, **self._more_routes()}
        if request.path not in routes:
            return go_not_found(request)
        if request.header("Authorization") != f"Bearer {self.token}":
            return go_http(request, 401)
        return routes[request.path](request)

    def _more_routes(self) -> dict[str, Callable[[Request], bytes | None]]:
        return {}

    def _update(self, request: Request) -> bytes | None:
        images = request.query.get("image")
        # A filtered update waits for the lock without a bound; any other is dropped at once, and not reported.
        if not self.updater.busy.acquire(blocking=images is not None):
            return self._busy(request)
        try:
            matches = by_repository(",".join(images).split(",")) if images is not None else lambda _: True
            return self._summary(request, self.scan(request, matches))
        except EngineUnreachableError:
            return self._unreachable(request)
        finally:
            self.updater.busy.release()

    def _busy(self, request: Request) -> bytes:
        return go_http(request, 200)

    def _summary(self, request: Request, results: list[ContainerResult]) -> bytes:  # noqa: ARG002  reports nothing, which is the problem
        return go_http(request, 200)

    def _unreachable(self, request: Request) -> bytes | None:  # noqa: ARG002  the handler panics: no byte is sent
        return None

    def _metrics(self, request: Request) -> bytes:
        counted = Counter(self.results)
        gauges = {
            "failed": counted[ContainerResult.FAILED],
            "scanned": len(self.results),
            # Stale containers count as updated, replaced or not.
            "updated": counted[ContainerResult.UPDATED]
            + counted[ContainerResult.MONITORED]
            + counted[ContainerResult.COOLING],
        }
        counters: list[Family] = [
            ("watchtower_scans_skipped", "counter", "Number of skipped scans since watchtower started", " 0"),
            ("watchtower_scans_total", "counter", "Number of scans since the watchtower started", f" {self.scans}"),
        ]
        content_type = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        return go_http(request, 200, exposition(gauges, counters).encode(), [content_type], chunked=True)


class Openserbia(Containrrr[ImageT]):
    """openserbia 1.18.3: like containrrr, with a JSON response that omits zeros and does not report skipped containers."""

    def _more_routes(self) -> dict[str, Callable[[Request], bytes | None]]:
        return {"/v1/audit": self._audit}

    def _json(self, request: Request, status: int, document: object) -> bytes:
        return go_http(request, status, compact(document).encode() + b"\n", [("Content-Type", JSON)])

    def _busy(self, request: Request) -> bytes:
        return self._json(request, 429, {"status": "skipped", "reason": "another update is already running"})

    def _summary(self, request: Request, results: list[ContainerResult]) -> bytes:
        counted = Counter(results)
        numbers = {
            "scanned": len(results),
            "updated": counted[ContainerResult.UPDATED]
            + counted[ContainerResult.MONITORED]
            + counted[ContainerResult.COOLING],
            "failed": counted[ContainerResult.FAILED],
        }
        return self._json(request, 200, {"status": "completed", **{name: n for name, n in numbers.items() if n}})

    def _unreachable(self, request: Request) -> bytes | None:
        return self._summary(request, [])

    def _audit(self, request: Request) -> bytes:
        rows = [
            {"name": f"/{one.name}", "image": one.image, "status": "managed" if one.watched else "unmanaged"}
            for one in self.host.containers
            if one.state == "running"
        ]
        managed = sum(row["status"] == "managed" for row in rows)
        summary = {
            "managed": managed,
            "excluded": 0,
            "unmanaged": len(rows) - managed,
            "infrastructure": 0,
            "total": len(rows),
        }
        return self._json(request, 200, {"generated_at": instant(), "summary": summary, "containers": rows})
