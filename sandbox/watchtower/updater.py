"""An update by Watchtower: check, stop, start. The product lines differ by their settings."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic

from sandbox.server.engine import AnyContainer, Container, Engine, ImageT, RegistryError, StartError, TagMissingError

Filter = Callable[[AnyContainer], bool]


class EngineUnreachableError(Exception):
    """The Docker socket does not respond."""


class ContainerResult(Enum):
    """What an update did with one container."""

    FRESH = auto()
    UPDATED = auto()
    RESTARTED = auto()  # with the same image, since it depends on an updated container
    MONITORED = auto()  # stale, and only monitored
    COOLING = auto()  # stale, and its image too new, or held back after a rollback
    UNPULLED = auto()  # the registry did not respond
    FAILED = auto()


@dataclass
class Settings:
    """Watchtower's flags, and the durations of the engine's work. Durations are seconds."""

    address: tuple[str, int] = ("127.0.0.1", 0)
    """The address on which it listens; port 0 is a free one."""
    stop_timeout: float = 10.0
    update_timeout: float = 600.0
    monitor_only: bool = False
    no_pull: bool = False
    cooldown: bool = False
    include_restarting: bool = False
    health_gated: bool = False
    gate_timeout: float = 6.0
    rate_limit: int = 60
    """Requests per window from one address; only in the fork."""
    rate_window: int = 60
    """The length of a window in whole seconds."""
    proxy_header: str = ""
    """The header in which a proxy names the client; otherwise all requests come from one address."""
    engine_patience: float = 0.0
    """How long it retries an engine that does not respond."""
    pull_time: float = 0.05
    create_time: float = 0.15


class Updater(Generic[ImageT]):
    """Performs the updates of a Watchtower, under a lock that allows one at a time."""

    def __init__(self, host: Engine[ImageT], settings: Settings, closing: threading.Event) -> None:
        self.host = host
        self.settings = settings
        self.busy = threading.Lock()
        self._closing = closing
        self._held_back: set[str] = set()

    def listed(self) -> list[Container[ImageT]]:
        """The containers that an update considers. Raises `EngineUnreachableError`."""
        if not self.host.engine_reachable:
            self._closing.wait(self.settings.engine_patience)
            raise EngineUnreachableError
        states = {"running", "restarting"} if self.settings.include_restarting else {"running"}
        return [one for one in self.host.containers if one.watched and one.state in states]

    def update(self, matches: Filter, deadline: float) -> list[ContainerResult]:
        """Update the containers that match; `deadline` is monotonic. Raises `EngineUnreachableError`.

        After the deadline the whole scan is dropped: a running stop is completed, and nothing is started. Containers
        that depend on a replaced one are restarted after it, matching or not.
        """
        results: dict[str, ContainerResult] = {}
        stale: list[tuple[Container[ImageT], ImageT]] = []
        listed = self.listed()
        for container in filter(matches, listed):
            self._closing.wait(self.settings.pull_time)
            results[container.name], build = self._look(container)
            if build is not None:
                stale.append((container, build))
        if time.monotonic() > deadline:
            return []
        replaced = {container.name for container, _ in stale}
        stale += [(one, one.build) for one in listed if one.name not in replaced and replaced & set(one.links)]
        before = [container.build for container, _ in stale]
        for container, _ in reversed(stale):
            container.stop(self.settings.stop_timeout)
        if self._closing.is_set() or time.monotonic() > deadline:
            return [result for name, result in results.items() if name not in replaced]
        for (container, build), old in zip(stale, before, strict=True):
            self._closing.wait(self.settings.create_time)
            result = self._start(container, build, old)
            results[container.name] = (
                ContainerResult.RESTARTED
                if result is ContainerResult.UPDATED and container.name not in replaced
                else result
            )
        return list(results.values())

    def _look(self, container: Container[ImageT]) -> tuple[ContainerResult, ImageT | None]:
        """The build that replaces it, or why there is none.

        The engine pulls unless Watchtower's own request to the registry found the running digest; then the image behind
        the host's own tag decides, however it got there (`image.go`, `PullImage` and `HasNewImage`).
        """
        if is_pinned(container.image):
            return ContainerResult.FRESH, None
        if not (self.settings.no_pull or container.no_pull):
            try:
                if not self._runs_what_the_registry_has(container):
                    self.host.registry.pull(container.image)
            except RegistryError:
                return ContainerResult.UNPULLED, None
            except TagMissingError:
                return ContainerResult.FRESH, None
        build = self.host.local(container.image)
        if build.image_id == container.build.image_id:
            return ContainerResult.FRESH, None
        if self.settings.cooldown or container.name in self._held_back:
            return ContainerResult.COOLING, None
        if self.settings.monitor_only or container.monitor_only:
            return ContainerResult.MONITORED, None
        return ContainerResult.UPDATED, build

    def _runs_what_the_registry_has(self, container: Container[ImageT]) -> bool:
        """Compare digests. After a failed request the pull decides; only a rate limit is raised, as `RegistryError`."""
        try:
            return self.host.registry.resolve(container.image).digest in container.digests
        except RegistryError as error:
            if error.status == 429:
                raise
            return False
        except TagMissingError:
            return False

    def _start(self, container: Container[ImageT], build: ImageT, old: ImageT) -> ContainerResult:
        try:
            container.start(build)
        except StartError:
            return ContainerResult.FAILED
        if not self.settings.health_gated:
            return ContainerResult.UPDATED
        if container.becomes_healthy(self.settings.gate_timeout):
            return ContainerResult.UPDATED
        self._closing.wait(self.settings.gate_timeout)
        container.stop(self.settings.stop_timeout)
        self._closing.wait(self.settings.create_time)
        container.start(old)
        container.becomes_healthy(self.settings.gate_timeout)
        self._held_back.add(container.name)
        return ContainerResult.FAILED


def by_repository(images: Iterable[str]) -> Filter:
    """The `image=` filter of containrrr and openserbia: the literal part of the reference before its first colon."""
    wanted = set(images)
    return lambda container: container.image.split(":")[0] in wanted


def is_pinned(reference: str) -> bool:
    """Whether a container was created with a digest, so that no other image can replace it."""
    return "@sha256:" in reference
