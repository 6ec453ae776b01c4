"""nicholas-fedor 1.21.0, the fork with a summary in JSON, a rate limit, and endpoints that report digests."""

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.network.sockets import Request
from sandbox.server.engine import Container, Engine, ImageT
from sandbox.watchtower.fork_rows import RunningContainer, by_reference, check_row, details_row, status_row
from sandbox.watchtower.http_formats import (
    JSON,
    Family,
    compact,
    exposition,
    fiber,
    fiber_timeout,
    go_duration,
    instant,
    second,
)
from sandbox.watchtower.limiter import SlidingWindow
from sandbox.watchtower.updater import ContainerResult, EngineUnreachableError, Filter, Settings
from sandbox.watchtower.watchtower import Watchtower

Rate = list[tuple[str, str]]
Handler = Callable[[Request, Rate], bytes | None]


class NicholasFedor(Watchtower[ImageT]):
    """nicholas-fedor 1.21.0: POST only, a summary in JSON, a rate limit before everything else."""

    endpoints: frozenset[str] = frozenset({"update", "metrics", "containers", "check", "history", "config", "health"})

    def __init__(self, host: Engine[ImageT], token: str, settings: Settings) -> None:
        super().__init__(host, token, settings)
        self.limiter = SlidingWindow(settings.rate_limit, settings.rate_window)
        self._history: list[dict[str, object]] = []
        self._rate: Rate = []

    def answer(self, request: Request) -> bytes | None:
        """Check the rate limit first, which the responses report, then the path, the method, the token."""
        client = request.header(self.settings.proxy_header) or ""
        standing = self.limiter.count(client, time.monotonic())
        if standing.remaining < 0:
            return fiber(request, 429, "Too Many Requests", headers=[("Retry-After", str(standing.resets_in))])
        rate = [
            ("X-Ratelimit-Limit", str(self.settings.rate_limit)),
            ("X-Ratelimit-Remaining", str(standing.remaining)),
            ("X-Ratelimit-Reset", str(standing.resets_in)),
        ]
        return self._route(request, rate)

    def _route(self, request: Request, rate: Rate) -> bytes | None:
        found = self._routes().get(request.path)
        if found is None or found[0] not in self.endpoints:
            return fiber(request, 404, "Not Found", rate=rate, handled=False)
        endpoint, method, handler = found
        allowed = ("GET", "HEAD") if method == "GET" else (method,)
        if request.method not in allowed:
            allow = [("Allow", ", ".join(allowed))]
            return fiber(request, 405, "Method Not Allowed", headers=allow, rate=rate, handled=False)
        if endpoint != "health" and not self._knows(request):
            return fiber(request, 401, "missing or invalid API Key", rate=rate)
        return handler(request, rate)

    def _routes(self) -> dict[str, tuple[str, str, Handler]]:
        return {
            "/v1/update": ("update", "POST", self._update),
            "/v1/containers": ("containers", "GET", self._containers),
            "/v1/containers/details": ("containers", "GET", self._details),
            "/v1/check": ("check", "POST", self._check),
            "/v1/status": ("metrics", "GET", self._status),
            "/v1/metrics": ("metrics", "GET", self._metrics),
            "/v1/history": ("history", "GET", self._past),
            "/v1/config": ("config", "GET", self._config),
            "/livez": ("health", "GET", self._alive),
            "/startupz": ("health", "GET", self._alive),
            "/readyz": ("health", "GET", self._ready),
        }

    def _knows(self, request: Request) -> bool:
        given = request.header("Authorization") or ""
        scheme, _, rest = given.partition(" ")
        cookie = f"access_token={self.token}" in (request.header("Cookie") or "").split("; ")
        return cookie or given == self.token or (scheme.lower() == "bearer" and rest == self.token)

    def _update(self, request: Request, rate: Rate) -> bytes | None:
        images, names = _names(request, "image"), _names(request, "container")
        narrowed = bool(images or names)
        if not narrowed and self.updater.busy.locked():
            refusal = {"api_version": "v1", "error": "another update is already running", "timestamp": second()}
            retry = [("Retry-After", "30")]
            return fiber(request, 429, compact(refusal), content_type=JSON, headers=retry, rate=rate)
        bound = min(_seconds(request.query.get("timeout", [""])[0]), self.settings.update_timeout)
        scan = _Scan(time.monotonic())
        self._begin(lambda: self._scan(scan, request, by_reference(images, names), scan.began + bound))
        if request.query.get("async") == ["true"]:
            return fiber(request, 202, "Accepted", rate=rate)
        # A time-out in the query limits the work; only the server's own limits the response.
        if not scan.done.wait(self.settings.update_timeout):
            return fiber_timeout(request)
        summary = {
            "api_version": "v1",
            "summary": _totals(scan.results),
            "timestamp": second(),
            "timing": {"duration": go_duration(scan.took), "duration_ms": int(scan.took * 1000)},
        }
        return self._json(request, rate, summary)

    def _scan(self, scan: "_Scan", request: Request, matches: Filter, deadline: float) -> None:
        """Do the work, even if the client no longer waits. If the engine does not respond, nothing is scanned."""
        with self.updater.busy:
            began = time.monotonic()
            with contextlib.suppress(EngineUnreachableError):
                scan.results = self.scan(request, matches, deadline)
            scan.took = time.monotonic() - began
        totals = _totals(scan.results)
        entry = {name: totals[name] for name in ("scanned", "updated", "failed", "restarted", "skipped")}
        self._history.append({"timestamp": instant(), **entry})
        scan.done.set()

    def _json(self, request: Request, rate: Rate, document: object) -> bytes:
        return fiber(request, 200, compact(document), content_type=JSON, rate=rate)

    def _rows(
        self,
        request: Request,
        rate: Rate,
        row: Callable[[Container[ImageT]], RunningContainer],
        matches: Filter,
        *,
        failure: str,
    ) -> bytes:
        """Return an endpoint's response with a row for each container that matches."""
        try:
            rows = [row(one) for one in self.updater.listed() if matches(one)]
        except EngineUnreachableError:
            return fiber(request, 500, failure, rate=rate)
        # Go's nil slice: here a filter that matches none gives null, an empty host an empty list.
        none = request.path == "/v1/containers" and not rows and _filtered(request)
        document = {
            "api_version": "v1",
            "containers": None if none else rows,
            "count": len(rows),
            "timestamp": second(),
        }
        return self._json(request, rate, document)

    def _containers(self, request: Request, rate: Rate) -> bytes:
        return self._rows(request, rate, status_row, _exactly(request), failure="failed to list containers")

    def _details(self, request: Request, rate: Rate) -> bytes:
        failure = "failed to get container details"
        return self._rows(
            request, rate, lambda one: details_row(one, self.settings), _exactly(request), failure=failure
        )

    def _check(self, request: Request, rate: Rate) -> bytes:
        matches = by_reference(_names(request, "image"), _names(request, "container"))
        failure = "failed to check for updates"
        return self._rows(request, rate, lambda one: check_row(one, self.host, self.settings), matches, failure=failure)

    def _status(self, request: Request, rate: Rate) -> bytes:
        if not self.scans:
            return fiber(request, 204, "", rate=rate)
        return self._json(request, rate, {"api_version": "v1", "summary": _totals(self.results), "timestamp": second()})

    def _past(self, request: Request, rate: Rate) -> bytes:
        document = {"api_version": "v1", "count": len(self._history), "entries": self._history, "timestamp": second()}
        return self._json(request, rate, document)

    def _config(self, request: Request, rate: Rate) -> bytes:
        config = {
            "monitor_only": self.settings.monitor_only,
            "cleanup": True,
            "no_pull": self.settings.no_pull,
            "no_restart": False,
            "rolling_restart": False,
            "include_stopped": False,
            "include_restarting": self.settings.include_restarting,
            "lifecycle_hooks": False,
            "label_enable": True,
            "filter_desc": "Only checking containers with label com.centurylinklabs.watchtower.enable, without a scope",
            "scope": "",
        }
        return self._json(request, rate, {"api_version": "v1", "config": config, "timestamp": second()})

    def _alive(self, request: Request, rate: Rate) -> bytes:
        return fiber(request, 200, "OK", rate=rate)

    def _ready(self, request: Request, rate: Rate) -> bytes:
        if self.host.engine_reachable:
            return fiber(request, 200, "OK", rate=rate)
        return fiber(request, 503, "Service Unavailable", rate=rate)

    def _metrics(self, request: Request, rate: Rate) -> bytes:
        totals = _totals(self.results)
        restarted = "Total number of containers restarted due to linked dependencies"
        counters: list[Family] = [
            ("watchtower_containers_restarted_total", "counter", restarted, " 0"),
            ("watchtower_metrics_dropped_total", "counter", "Number of metrics dropped due to full channel", " 0"),
            ("watchtower_scans_skipped_total", "counter", "Number of skipped scans since watchtower started", " 0"),
            ("watchtower_scans_total", "counter", "Number of scans since the watchtower started", f" {self.scans}"),
        ]
        content_type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
        return fiber(request, 200, exposition(totals, counters), content_type=content_type, rate=rate)


@dataclass
class _Scan:
    """A running scan, and its results."""

    began: float
    results: list[ContainerResult] = field(default_factory=list)
    took: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


def _totals(results: list[ContainerResult]) -> dict[str, int]:
    counted = Counter(results)
    skipped = counted[ContainerResult.UNPULLED] + counted[ContainerResult.COOLING]
    return {
        "failed": counted[ContainerResult.FAILED],
        "restarted": counted[ContainerResult.RESTARTED],
        "scanned": len(results) - skipped,
        "skipped": skipped,
        "updated": counted[ContainerResult.UPDATED],
    }


def _filtered(request: Request) -> bool:
    return any(request.query.get(name, [""])[0] for name in ("name", "image"))


def _exactly(request: Request) -> Filter:
    """The filter of the endpoints that list containers: exact words, unlike the update's."""
    name, image = (request.query.get(each, [""])[0] for each in ("name", "image"))
    return lambda one: name in ("", one.name) and image in ("", one.image)


def _names(request: Request, parameter: str) -> list[str]:
    """The values of a parameter that may be repeated, and contain several separated by commas."""
    return [one for one in ",".join(request.query.get(parameter, [])).split(",") if one]


def _seconds(text: str) -> float:
    """The seconds of a duration in the query, such as `1ms` or `2m`; infinity for an invalid one."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    return float(found[1]) * units[found[2]] if found else float("inf")
