"""What every product line of Watchtower shares: a port, a token, a lock, and updates that really replace the service.

What a response then reports depends on the product line: `sandbox.watchtower.containrrr` and `sandbox.watchtower.fork`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from sandbox.network.sockets import Connection, Request, Server
from sandbox.server.engine import Engine, ImageT
from sandbox.watchtower.updater import ContainerResult, Filter, Settings, Updater


@dataclass(frozen=True)
class Trigger:
    """An update that was started by a request with the right token."""

    at: float
    method: str
    target: str


class Watchtower(Generic[ImageT]):
    """The shared part of all product lines: port, token, records. It does not listen before `listen`."""

    def __init__(self, host: Engine[ImageT], token: str, settings: Settings) -> None:
        self.host = host
        self.token = token
        self.settings = settings
        self.triggers: list[Trigger] = []
        self.results: list[ContainerResult] = []
        self.scans = 0
        self._closing = threading.Event()
        self._work: list[threading.Thread] = []
        self.updater = Updater(host, settings, self._closing)
        self._server = Server(self._serve, *settings.address)
        self.port = self._server.port

    def listen(self) -> None:
        """Begin to respond; until then the port refuses connections."""
        self._server.listen()

    def occupy(self, seconds: float, *, update: bool = False) -> None:
        """Simulate another client's update for that long; `update`: it really updates at the end."""
        self.updater.busy.acquire()

        def work() -> None:
            try:
                self._closing.wait(seconds)
                if update:
                    self.updater.update(lambda _: True, float("inf"))
            finally:
                self.updater.busy.release()

        self._begin(work)

    def close(self) -> None:
        """Stop all work. The host must have been closed before, so that this does not wait for a stop."""
        self._closing.set()
        self._server.close()
        for thread in self._work:
            thread.join()

    def answer(self, request: Request) -> bytes | None:
        """Return the bytes of the response; None closes the connection without one."""
        raise NotImplementedError

    def scan(self, request: Request, matches: Filter, deadline: float = float("inf")) -> list[ContainerResult]:
        """Run an update for an authorised request; the lock must be held. Raises `EngineUnreachableError`."""
        self.triggers.append(Trigger(time.monotonic(), request.method, request.target))
        results = self.updater.update(matches, deadline)
        self.results = results
        self.scans += 1
        return results

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._work.append(thread)
        thread.start()

    def _serve(self, connection: Connection) -> None:
        while (request := connection.read()) is not None:
            answer = self.answer(request)
            if answer is None or not connection.send(answer) or request.closes:
                return
