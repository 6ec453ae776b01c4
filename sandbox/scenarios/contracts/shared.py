"""Shared parts of contract scenarios: builds, inputs, a reference file, a fault on one path."""

from collections.abc import Callable
from dataclasses import replace

from sandbox.network.faults import On
from sandbox.network.front import Answer, Fault
from sandbox.server.builds import V2
from sandbox.worlds import World

WITHOUT_PROJECTS = replace(V2, lost=("GET /api/projects",))
BRISK = {"request-rate": "5/s"}
STALE_COPY = Answer(200, b'{"ok": true}', "application/json", (("Age", "61"), ("X-Cache", "HIT")))

REFERENCE_YAML = """\
openapi: 3.1.0
info: {title: portfolio, version: 0.1.0}
paths:
  /api/ready:
    get:
      responses: {"200": {description: Ready}}
  /api/projects:
    summary: The list that the front page shows
    get:
      responses: {"200": {description: All projects}}
    post:
      responses: {"201": {description: A new one}}
"""


def standing_at(path: str, fault: Callable[[], Fault]) -> Callable[[World], None]:
    """Put a fault in front of one path; each world gets its own instance."""

    def finish(world: World) -> None:
        world.front.on_service = On(frozenset({path}), fault())

    return finish
