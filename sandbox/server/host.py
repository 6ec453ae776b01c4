"""The server: an engine with containers, one of them a real process on a fixed port, and their registry."""

import signal
import threading
import time
from dataclasses import dataclass, field

from sandbox.network.sockets import reserve
from sandbox.server.builds import V1, Build
from sandbox.server.engine import RegistryError, StartError, State, TagMissingError
from sandbox.server.process_pool import Process, ProcessPool


@dataclass
class Store:
    """The images of the engine: its own tags, and the digests by which each image was pulled."""

    tags: dict[str, Build] = field(default_factory=dict)
    _digests: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, reference: str, build: Build) -> None:
        """Tag an image on the host, as a pull does."""
        self.tags[reference] = build
        known = self._digests.setdefault(build.image_id, [])
        known += [] if build.digest in known else [build.digest]

    def digests(self, build: Build) -> list[str]:
        """The digests by which the image is known, in the engine's order; none if it was built here."""
        return sorted(self._digests.get(build.image_id, ()))


@dataclass
class Registry:
    """The tags of the registry, and how it fails."""

    tags: dict[str, Build] = field(default_factory=dict)
    store: Store = field(default_factory=Store)
    """The store for pulled images."""
    trouble: int | None = None
    """The status of every response."""
    of_realm: bool = False
    """Whether the token server responds like this, and not the registry."""
    https_trouble: str = ""
    """The error of Go's HTTP client if https fails: Watchtower uses only https, the engine also http."""
    pruned: set[str] = field(default_factory=set)
    """The names of builds whose images were deleted."""

    def __post_init__(self) -> None:
        self.pushed = list(self.tags.values())

    def push(self, reference: str, build: Build) -> None:
        """Point a tag to a build."""
        self.pushed.append(build)
        self.tags[reference] = build

    def resolve(self, reference: str) -> "Seen":
        """The image behind `repository:tag`, by Watchtower's own request. Raises `RegistryError` or `TagMissingError`."""
        if self.https_trouble:
            raise RegistryError(words=self.https_trouble)
        build = self._asked(reference)
        return Seen(build.head_digest, build.image_id)

    def pull(self, reference: str) -> Build:
        """The build that the engine pulls and tags on the host. Raises the same."""
        build = self._asked(reference)
        self.store.keep(reference, build)
        return build

    def _asked(self, reference: str) -> Build:
        if self.trouble is not None:
            raise RegistryError(self.trouble, of_realm=self.of_realm)
        if reference not in self.tags:
            raise TagMissingError(reference)
        return self.tags[reference]


@dataclass(frozen=True)
class Seen:
    """An image as a HEAD of its tag reports it."""

    digest: str
    image_id: str


@dataclass(frozen=True)
class Moment:
    """From `at` (monotonic seconds) on, `build` responds; None: no build does."""

    at: float
    build: str | None


class Container:
    """A container of the host. Without a pool it has only a state, and no process."""

    def __init__(self, name: str, image: str, build: Build, pool: ProcessPool | None, store: Store) -> None:
        self.name = name
        self.image = image
        self.build = build
        self.watched = True
        self.monitor_only = False
        self.no_pull = False
        self.links: tuple[str, ...] = ()
        self._store = store
        self.state: State = "created"
        self.moments: list[Moment] = []
        self._pool = pool
        self._process: Process | None = None
        self._lock = threading.RLock()
        self.restart_after = 0.1
        self._restart: threading.Timer | None = None
        self._closed = False
        # Bound and never listening: the port stays reserved for this container while nothing serves on it.
        self._reservation = reserve()
        self.port: int = self._reservation.getsockname()[1]

    @property
    def repository(self) -> str:
        """The image reference without its tag."""
        return self.image.rpartition(":")[0]

    @property
    def digests(self) -> list[str]:
        """The digests by which its image is known."""
        return self._store.digests(self.build)

    def start(self, build: Build) -> None:
        """Create and start the container of `build`. Raises `StartError`."""
        with self._lock:
            self.build = build
            if not build.starts:
                self.state = "created"
                raise StartError(self.name)
            self.state = "running"
            self._run()

    def stop(self, grace: float) -> None:
        """Stop it: SIGTERM, `grace` seconds, SIGKILL. Returns when it has ended."""
        with self._lock:
            self.state = "exited"
            process = self._process
            if self._restart is not None:
                self._restart.cancel()
        if process is None:
            return
        process.signal(signal.SIGTERM)
        if not process.exited.wait(grace):
            process.signal(signal.SIGKILL)
            process.exited.wait()

    def replace(self, build: Build, grace: float, gap: float) -> None:
        """Stop the running build, and start `build` after `gap` seconds. Raises `StartError`."""
        self.stop(grace)
        time.sleep(gap)
        self.start(build)

    def wait_until_listening(self, seconds: float) -> bool:
        """Whether the service's port accepts connections within that time."""
        process = self._process
        return process is not None and process.listening.wait(seconds)

    def becomes_healthy(self, seconds: float) -> bool:
        """Whether it listens within that time, and the image's own HEALTHCHECK agrees."""
        return self.wait_until_listening(seconds) and self.build.passes_health_check

    def answers_with(self) -> str | None:
        """Return the name of the build that responds right now, with which results are compared."""
        return self.moments[-1].build if self.moments else None

    def close(self) -> None:
        """End the process and release the port; nothing is started here afterwards."""
        with self._lock:
            self._closed = True
        self.stop(0)
        self._reservation.close()

    def _run(self) -> None:
        if self._pool is None or self._closed:
            return
        name = self.build.name
        self._process = self._pool.spawn(
            self.build, self.port, lambda: self.moments.append(Moment(time.monotonic(), name)), self._exited
        )

    def _exited(self) -> None:
        """Handle the end of the process. Unless it was stopped, it is restarted, as with `restart: unless-stopped`."""
        with self._lock:
            self.moments.append(Moment(time.monotonic(), None))
            if self.state == "exited":
                return
            self.state = "restarting"
            self._restart = threading.Timer(self.restart_after, self._start_again)
            self._restart.daemon = True
            self._restart.start()
            # The engine doubles its delay from 100 ms up to a minute.
            self.restart_after = min(self.restart_after * 2, 60.0)

    def _start_again(self) -> None:
        with self._lock:
            if self.state == "restarting":
                self.state = "running"
                self._run()


class Host:
    """The engine: its containers, its registry, and whether its socket responds."""

    def __init__(self, pool: ProcessPool, image: str = "registry.test/o/api:latest", *, build: Build = V1) -> None:
        self.store = Store()
        self.store.keep(image, build)
        self.registry = Registry({image: build}, self.store)
        self.engine_reachable = True
        self.service = Container("api", image, build, pool, self.store)
        self.containers = [self.service]
        self.service.start(build)
        self.service.wait_until_listening(build.boot + 10 if build.boot < 60 else 0)

    @property
    def port(self) -> int:
        """The service's port, the same for every build."""
        return self.service.port

    def add(self, name: str, image: str, build: Build, pool: ProcessPool | None = None) -> Container:
        """Add a running neighbour; without a pool it has no process."""
        container = Container(name, image, build, pool, self.store)
        self.store.keep(image, build)
        if image not in self.registry.tags:
            self.registry.push(image, build)
        container.start(build)
        self.containers.append(container)
        return container

    def local(self, reference: str) -> Build:
        """The build behind the host's own tag."""
        return self.store.tags[reference]

    def push(self, build: Build, image: str | None = None) -> None:
        """Point the service's tag, or another, to a new build."""
        self.registry.push(image or self.service.image, build)

    def close(self) -> None:
        """Stop all containers."""
        for container in self.containers:
            container.close()
