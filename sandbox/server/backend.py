"""The service: a FastAPI application under uvicorn that responds like the portfolio's backend.

`python -m sandbox.server.backend --port 8000 --build v2` starts one by hand; the worlds use `process_pool`,
which has already imported everything.
"""

import argparse
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType

import anyio
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint

from sandbox.server.builds import BUILDS, V1, Build
from sandbox.server.documents import PLACEHOLDER, document


class Item(BaseModel):
    """The response model of an item."""

    id: int
    name: str
    price: float | None


class Project(BaseModel):
    """The response model of an entry in the list of projects."""

    slug: str
    title: str


def create_app(build: Build, started: float) -> FastAPI:
    """Create the application of one build; `started` is its process's start time in epoch seconds."""
    app = FastAPI(title="portfolio", version="0.1.0", openapi_url="/openapi.json" if build.document == "own" else None)
    counters = {"requests": 0}

    async def count_or_replace(request: Request, call_next: RequestResponseEndpoint) -> Response:
        counters["requests"] += 1
        return HTMLResponse(PLACEHOLDER) if build.readiness == "html" else await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=count_or_replace)

    _add_status(app, build, started, counters)
    _add_catalogue(app, build)
    _lose(app, build)
    if build.document not in ("own", "none"):
        _add_document(app, build)
    return app


def _add_status(app: FastAPI, build: Build, started: float, counters: dict[str, int]) -> None:
    """Add the endpoints for the service's status."""
    ready_at = time.time() + build.ready_after

    @app.get("/api/ready")
    async def ready() -> Response:
        if build.readiness == "never" or time.time() < ready_at:
            return JSONResponse({"ok": False, "rag": {"ok": False, "chunks": 0}}, status_code=503)
        if build.readiness == "text":
            return PlainTextResponse("ok")
        return JSONResponse({"ok": True, "rag": {"db": "ready", "chunks": 128, "ok": True}, **counters})

    @app.get("/", include_in_schema=False)
    async def front_page() -> HTMLResponse:
        mark = f'<meta name="git-sha" content="{build.git_sha}">' if build.identity == "full" else ""
        return HTMLResponse(f"<!doctype html><html><head>{mark}</head><body>Welcome</body></html>")

    @app.get("/api/dev/status")
    async def dev_status() -> dict[str, object]:
        return {"ok": True, **_identity(build, started)}

    @app.get("/api/status/uptime")
    async def uptime() -> dict[str, object]:
        if build.identity == "hidden":
            return {"ok": True}
        named = build.git_sha if build.identity == "full" else None
        return {"uptime_seconds": round(time.time() - started, 3), "start_time": started, "build": named}


def _add_catalogue(app: FastAPI, build: Build) -> None:
    """Add the endpoints of the service's own purpose."""

    def answered(path: str, good: object, bad: object) -> JSONResponse:
        return JSONResponse(bad if path in build.unkept else good)  # FastAPI does not validate a `Response` object

    @app.get("/api/items/{item_id}", response_model=Item)
    async def item(item_id: int) -> Response:
        good = {"id": item_id, "name": f"item {item_id}", "price": None}
        return answered("/api/items/{item_id}", good, {**good, "id": f"no. {item_id}"})

    @app.get("/api/projects", response_model=list[Project])
    async def projects() -> Response:
        good = [{"slug": "redeploy", "title": "Redeploy with proof"}]
        return answered("/api/projects", good, {"projects": good})

    @app.get("/api/private", status_code=401)
    async def private() -> dict[str, str]:
        return {"detail": "Not authenticated"}

    @app.post("/api/cache/purge", status_code=202)
    async def purge() -> dict[str, bool]:
        return {"ok": True}

    for operation in build.operations:
        method, path = operation.split()
        app.add_api_route(path, _answering(path), methods=[method])


def _lose(app: FastAPI, build: Build) -> None:
    """Remove the routes that this build lacks."""
    lost = {tuple(operation.split()) for operation in build.lost}
    app.router.routes[:] = [
        route
        for route in app.router.routes
        if not (isinstance(route, APIRoute) and lost & {(method, route.path) for method in route.methods or ()})
    ]


def _add_document(app: FastAPI, build: Build) -> None:
    """Replace FastAPI's own document."""

    @app.get("/openapi.json", include_in_schema=False)
    async def other() -> Response:
        body, media_type = document(build, get_openapi(title=app.title, version=app.version, routes=app.routes))
        return Response(body, media_type=media_type)


def _identity(build: Build, started: float) -> dict[str, object]:
    """The build fields in the response of `/api/dev/status`."""
    match build.identity:
        case "full":
            return {"git_sha": build.git_sha, "start_time": started}
        case "start-time":
            return {"start_time": started}
        case "constant-version":
            return {"version": "0.1.0", "commit": build.git_sha}
        case "noise":
            # A build field with the time of the response, and a random revision: neither identifies a build.
            return {
                "build": {"sha": "local", "time": time.time(), "id": str(time.time())},
                "revision": secrets.token_hex(8),
                "start_time": time.time(),
            }
        case "neighbours":
            redis = {"status": "up", "details": {"version": f"7.{build.name.removeprefix('v')}"}}
            return {"version": "0.1.0", "components": {"redis": redis}}
        case "busy":
            job = {"state": "running", "started_at": time.time() // 2 * 2}
            return {"commit": build.git_sha, "uptime": 99.98, "last_sync": job}
        case "hidden":
            return {}


def _answering(path: str) -> Callable[[], dict[str, str]]:
    def answer() -> dict[str, str]:
        return {"path": path}

    answer.__name__ = path.strip("/").replace("/", "_")
    return answer


class _Server(uvicorn.Server):
    """A uvicorn server that reports when it listens, and may be slow to stop."""

    def __init__(self, config: uvicorn.Config, build: Build, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._build = build
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()
        if self._build.crashes_after is not None:
            _later(self._build.crashes_after, lambda: os._exit(1))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._build.ignores_term:
            _later(self._build.ignores_term, lambda: super(_Server, self).handle_exit(sig, frame))
        else:
            super().handle_exit(sig, frame)


def _later(seconds: float, act: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def serve(build: Build, port: int, listening: Callable[[], None], host: str = "127.0.0.1") -> None:
    """Boot one build and serve it until a signal ends it; `listening` is called once it accepts connections."""
    started = time.time() - build.age
    time.sleep(build.boot)
    _Server(_config(create_app(build, started), host, port), build, listening).run()


def warm_up() -> None:
    """Load what a process loads for its first application, server and request, so that forked processes have it."""
    _config(create_app(V1, time.time()), "127.0.0.1", 0).load()
    anyio.run(anyio.sleep, 0)


def _config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="asyncio",
        http="h11",
        ws="none",
        timeout_graceful_shutdown=1,
    )


def main() -> None:
    """Run one build by hand."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.server.backend", description="One build of the sandbox's service."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--build", default="v1", help=f"{', '.join(BUILDS)}, or what `Build.dump` wrote")
    options = parser.parse_args()
    build = BUILDS[options.build] if options.build in BUILDS else Build.load(options.build)
    listening = f"{build.name} listens on {options.port}"
    serve(build, options.port, lambda: print(listening, flush=True), options.host)


if __name__ == "__main__":
    main()
