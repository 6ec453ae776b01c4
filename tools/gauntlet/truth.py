"""The truth of a world: which build runs, whether it is healthy, and whether a visitor reaches it.

It is not part of a world's settings. It is looked up in the host, and observed by its own requests: one that bypasses
everything in front of the service, and one as a visitor sends it.
"""

import http.client
import json
import time
import uuid
from dataclasses import dataclass, field

from sandbox.network.faults import Limit
from sandbox.network.front import passing
from sandbox.server.builds import BUILDS, V2, Build
from sandbox.worlds import World

QUIET = 3.2
"""Seconds without a change after which a world counts as settled; longer than any of its periods."""
LONGEST = 14.0
"""Seconds after which the observation ends, settled or not."""
_EVERY = 0.2
_BOUND = 5.0
"""The maximum seconds of a request: a service that is slow because many worlds share the machine is not unhealthy."""


@dataclass
class Truth:
    """Observations from the end of a gate on."""

    looks: list[bool] = field(default_factory=list)
    """Whether the expected build was live and healthy, for each observation."""
    settled: bool = False
    """Whether it was so without interruption at the end."""

    @property
    def at_the_end(self) -> bool:
        """Whether the expected build was live and healthy when the gate ended, and stayed so."""
        return self.settled and all(self.looks)


def watch(world: World, *, declared: bool) -> Truth:
    """Observe until the world has settled."""
    truth = Truth()
    if isinstance(world.service_front.on_service, Limit):
        world.service_front.on_service = passing  # a visitor has their own rate limit
    began = time.monotonic()
    changed = began
    while (now := time.monotonic()) - changed < QUIET and now - began < LONGEST:
        wanted = V2 if declared else world.host.registry.tags[world.host.service.image]
        seen = _is_live(world, wanted) and _is_reached(world, wanted)
        if world.watchtower.updater.busy.locked() or (truth.looks and seen != truth.looks[-1]):
            changed = now
        truth.looks.append(seen)
        if truth.looks[0] and not seen:
            break  # it was live when the gate ended, and did not stay so
        time.sleep(_EVERY)
    truth.settled = truth.looks[-1] and now - changed >= QUIET - _EVERY
    return truth


def _is_live(world: World, wanted: Build) -> bool:
    """Whether the process of the expected image responds, and has not crashed since its first response."""
    service = world.host.service
    mine = [moment.build for moment in service.moments]
    first = mine.index(wanted.name) if wanted.name in mine else len(mine)
    steady = None not in mine[first:]
    return service.build.image_id == wanted.image_id and service.answers_with() == wanted.name and steady


def _is_reached(world: World, wanted: Build) -> bool:
    """Whether a visitor gets the same response as a request that bypasses everything in front of the service.

    The service counts its requests, so a response from a cache is recognised by its number.
    """
    mark = uuid.uuid4().hex
    itself = _count(_get(f"http://127.0.0.1:{world.host.port}/api/ready"))
    visitor = _count(_get(f"{world.service_front.origin}/api/ready?{mark}"))
    status = _get(f"{world.service_front.origin}/api/dev/status?{mark}")
    others = [build for build in BUILDS.values() if build.name != wanted.name]
    return 0 < itself < visitor and bool(status) and not any(build.git_sha.encode() in status for build in others)


def _get(url: str) -> bytes:
    """The body of a successful response; empty if there is none in time."""
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=_BOUND)
    if url.startswith("https:"):
        connection = http.client.HTTPSConnection(url.split("/")[2], timeout=_BOUND)
    deadline = time.monotonic() + _BOUND
    try:
        connection.request("GET", url[url.index("/", 8) :])
        response = connection.getresponse()
        body = b""
        while (part := response.read1(65536)) and time.monotonic() < deadline:
            body += part
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
    return body if response.status == 200 and not part else b""


def _count(body: bytes) -> int:
    """The number of the request if the service is ready; otherwise 0."""
    try:
        document = json.loads(body)
        return int(document["requests"]) if document["ok"] is True else 0
    except (ValueError, TypeError, KeyError):
        return 0
