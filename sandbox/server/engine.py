"""What a Watchtower needs of an engine: `server.host` simulates one, `server.docker` speaks to a real one."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar

State = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead", "removed"]


class TagMissingError(Exception):
    """The registry responds 404 MANIFEST_UNKNOWN: there is no such tag."""


class RegistryError(Exception):
    """The registry says nothing about the tag: it responds with an error, or cannot be reached."""

    def __init__(self, status: int = 0, words: str = "", *, of_realm: bool = False) -> None:
        super().__init__(words or f"the registry answers {status}")
        self.status = status
        """The status of its response; 0 if it was not reached."""
        self.words = words
        """Why nothing did, as Go's HTTP client says it."""
        self.of_realm = of_realm
        """Whether the response comes from the token realm that the registry names."""


class StartError(Exception):
    """The engine created the container and could not start it."""


class Image(Protocol):
    """An image by its two names."""

    @property
    def digest(self) -> str:
        """The registry's name for it."""

    @property
    def image_id(self) -> str:
        """The engine's name for it."""


ImageT = TypeVar("ImageT", bound=Image)
ImageT_co = TypeVar("ImageT_co", bound=Image, covariant=True)


class Container(Protocol[ImageT]):
    """A container of the engine."""

    build: ImageT
    """The image that it was made of."""

    @property
    def name(self) -> str:
        """Its name, without a slash before it."""

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
        """Whether Watchtower may touch it."""

    @property
    def monitor_only(self) -> bool:
        """Whether its label says that it is only looked at."""

    @property
    def no_pull(self) -> bool:
        """Whether its label says that no image is pulled for it."""

    @property
    def links(self) -> Sequence[str]:
        """The names of the containers that it depends on, and with which it is restarted."""

    @property
    def state(self) -> State:
        """The engine's word for what it does."""

    def stop(self, grace: float) -> None:
        """Stops it: SIGTERM, `grace` seconds, SIGKILL. Returns when it is gone."""

    def start(self, build: ImageT) -> None:
        """Recreate and start the container with `build`. Raises `StartError`."""

    def becomes_healthy(self, seconds: float) -> bool:
        """Whether the engine calls it healthy within that time."""


class Registry(Protocol[ImageT_co]):
    """Where images come from."""

    def resolve(self, reference: str) -> Image:
        """The image behind `repository:tag` by Watchtower's own look. Raises `RegistryError` or `TagMissingError`."""

    def pull(self, reference: str) -> ImageT_co:
        """The image that the engine pulls and puts under the host's own tag. Raises the same."""


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
        """All containers, whatever they do."""

    def local(self, reference: str) -> ImageT:
        """The image behind the host's own tag, whatever the registry has."""


AnyContainer = Container[Any]
AnyEngine = Engine[Any]
