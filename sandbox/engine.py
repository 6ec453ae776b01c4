"""What a Watchtower needs of an engine: `sandbox.host` simulates one, `sandbox.docker` speaks to a real one."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar

State = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead", "removed"]


class TagMissingError(Exception):
    """The registry answers 404 MANIFEST_UNKNOWN: there is no such tag."""


class RegistryError(Exception):
    """The registry answers with an error that says nothing about the tag."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the registry answers {status}")
        self.status = status


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
    def watched(self) -> bool:
        """Whether Watchtower may touch it."""

    @property
    def state(self) -> State:
        """The engine's word for what it does."""

    def stop(self, grace: float) -> None:
        """Stops it: SIGTERM, `grace` seconds, SIGKILL. Returns when it is gone."""

    def start(self, build: ImageT) -> None:
        """Creates and starts the container anew, of `build`. Raises `StartError`."""

    def becomes_healthy(self, seconds: float) -> bool:
        """Whether the engine calls it healthy within that time."""


class Registry(Protocol[ImageT_co]):
    """Where images come from."""

    def resolve(self, reference: str) -> ImageT_co:
        """The image behind `repository:tag`, not pulled. Raises `RegistryError` or `TagMissingError`."""

    def pull(self, reference: str) -> ImageT_co:
        """The same, and pulled."""


class Engine(Protocol[ImageT]):
    """The engine: its containers, its registry, and whether its socket answers."""

    @property
    def registry(self) -> Registry[ImageT]:
        """The registry that its images come from."""

    @property
    def engine_reachable(self) -> bool:
        """Whether the socket answers."""

    @property
    def containers(self) -> Sequence[Container[ImageT]]:
        """All containers, whatever they do."""


AnyContainer = Container[Any]
