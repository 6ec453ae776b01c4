"""What a Watchtower needs from an engine: `server.host` simulates one, `server.docker` uses a real one."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar

State = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead", "removed"]


class TagMissingError(Exception):
    """The registry responds 404 MANIFEST_UNKNOWN: there is no such tag."""


class RegistryError(Exception):
    """The registry cannot resolve the tag: it responds with an error, or cannot be reached."""

    def __init__(self, status: int = 0, words: str = "", *, of_realm: bool = False) -> None:
        super().__init__(words or f"the registry answers {status}")
        self.status = status
        """The status of its response; 0 if it was not reached."""
        self.words = words
        """Why it was not reached, in the words of Go's HTTP client."""
        self.of_realm = of_realm
        """Whether the response comes from the registry's token server."""


class StartError(Exception):
    """The engine created the container and could not start it."""


class Image(Protocol):
    """An image with its two names."""

    @property
    def digest(self) -> str:
        """Its name in the registry."""

    @property
    def image_id(self) -> str:
        """Its name in the engine."""


ImageT = TypeVar("ImageT", bound=Image)
ImageT_co = TypeVar("ImageT_co", bound=Image, covariant=True)


class Container(Protocol[ImageT]):
    """A container of the engine."""

    build: ImageT
    """The image that it was created from."""

    @property
    def name(self) -> str:
        """Its name, without the leading slash."""

    @property
    def image(self) -> str:
        """The reference that it was created with."""

    @property
    def repository(self) -> str:
        """The reference without its tag."""

    @property
    def digests(self) -> Sequence[str]:
        """The digests by which its image is known in its own repository."""

    @property
    def watched(self) -> bool:
        """Whether Watchtower may update it."""

    @property
    def monitor_only(self) -> bool:
        """Whether its label says that it is only monitored."""

    @property
    def no_pull(self) -> bool:
        """Whether its label says that no image is pulled for it."""

    @property
    def links(self) -> Sequence[str]:
        """The names of the containers that it depends on, and is restarted with."""

    @property
    def state(self) -> State:
        """Its state, as the engine names it."""

    def stop(self, grace: float) -> None:
        """Stop it: SIGTERM, `grace` seconds, SIGKILL. Returns when it has ended."""

    def start(self, build: ImageT) -> None:
        """Recreate and start the container with `build`. Raises `StartError`."""

    def becomes_healthy(self, seconds: float) -> bool:
        """Whether the engine reports it as healthy within that time."""


class Registry(Protocol[ImageT_co]):
    """The registry of the images."""

    def resolve(self, reference: str) -> Image:
        """The image behind `repository:tag`, by Watchtower's own request. Raises `RegistryError` or `TagMissingError`."""

    def pull(self, reference: str) -> ImageT_co:
        """The image that the engine pulls and tags on the host. Raises the same."""


class Engine(Protocol[ImageT]):
    """The engine: its containers, its registry, and whether its socket responds."""

    @property
    def registry(self) -> Registry[ImageT]:
        """The registry that its images come from."""

    @property
    def engine_reachable(self) -> bool:
        """Whether the socket responds."""

    @property
    def containers(self) -> Sequence[Container[ImageT]]:
        """All containers, in any state."""

    def local(self, reference: str) -> ImageT:
        """The image behind the host's own tag, whatever the registry has."""


AnyContainer = Container[Any]
AnyEngine = Engine[Any]
