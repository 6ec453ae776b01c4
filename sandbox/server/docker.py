"""A real engine behind its socket, for the sandbox's Watchtowers: how they list and replace containers.

The order of steps is Watchtower's: pull, compare, stop, remove, create with the same settings, start, clean up.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as Model
from docker.utils import parse_repository_tag

from sandbox.server.engine import RegistryError, StartError, State, TagMissingError

_LABEL = "com.centurylinklabs.watchtower"
_FROM_IMAGE = ("Cmd", "Entrypoint", "WorkingDir", "User", "Healthcheck", "StopSignal", "Shell")
"""Settings that a container has from its image unless it was created with others."""


@dataclass(frozen=True)
class Pulled:
    """An image of the registry. One that is not pulled yet has no `image_id`."""

    digest: str
    image_id: str = ""


class Engine:
    """The engine behind the socket that the environment names; `scope` excludes other Watchtowers' containers."""

    def __init__(self, scope: str = "") -> None:
        self.client = docker.from_env()
        self.scope = scope
        self.registry = Registry(self.client)

    @property
    def engine_reachable(self) -> bool:
        """Whether the socket responds."""
        try:
            return bool(self.client.ping())
        except (DockerException, OSError):
            return False

    @property
    def containers(self) -> Sequence["Container"]:
        """All containers in any state, except those that disappear meanwhile."""
        return [Container(self, one) for one in self.client.containers.list(all=True, ignore_removed=True)]

    def local(self, reference: str) -> Pulled:
        """The image behind the host's own tag."""
        repository, tag = parse_repository_tag(reference)
        image = self.client.images.get(f"{repository}:{tag or 'latest'}")
        return Pulled(_digest(image.attrs, repository), str(image.id))


class Registry:
    """The registry, as the engine reaches it, with the credentials of the client's configuration."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def resolve(self, reference: str) -> Pulled:
        """The image behind `repository:tag`, not pulled. Raises `RegistryError` or `TagMissingError`."""
        self._client.api.reload_config()  # the user may have logged in
        try:
            return Pulled(self._client.images.get_registry_data(reference).id)
        except APIError as error:
            raise _refusal(error) from error

    def pull(self, reference: str) -> Pulled:
        """The same image, pulled."""
        repository, tag = parse_repository_tag(reference)
        self._client.api.reload_config()
        try:
            image = self._client.images.pull(repository, tag or "latest")
        except APIError as error:
            raise _refusal(error) from error
        return Pulled(_digest(image.attrs, repository), str(image.id))


class Container:
    """A container as listed; its settings are kept for the container that replaces it."""

    def __init__(self, engine: Engine, model: Model) -> None:
        self._client = engine.client
        self._model = model
        self._settings: dict[str, Any] = model.attrs["Config"]
        self._own: dict[str, Any] = {}
        self.name = cast("str", model.name)
        self.image: str = self._settings["Image"]
        self.repository: str = parse_repository_tag(self.image)[0]
        labels = self._settings["Labels"] or {}
        scoped = not engine.scope or labels.get(f"{_LABEL}.scope") == engine.scope
        self.watched: bool = scoped and labels.get(f"{_LABEL}.enable") == "true"
        self.monitor_only: bool = labels.get(f"{_LABEL}.monitor-only") == "true"
        self.no_pull: bool = labels.get(f"{_LABEL}.no-pull") == "true"
        depends = labels.get(f"{_LABEL}.depends-on") or ""
        self.links: tuple[str, ...] = tuple(one.strip().removeprefix("/") for one in depends.split(",") if one.strip())
        self.state: State = model.attrs["State"]["Status"]
        self.build = Pulled(next(iter(self._running_digests()), ""), model.attrs["Image"])

    @property
    def digests(self) -> list[str]:
        """The digests by which its image is known in its own repository."""
        return self._running_digests()

    def stop(self, grace: float) -> None:
        """Stop and remove it: its stop signal, its own time-out or else `grace` seconds, SIGKILL."""
        self._own = self._own_settings()  # another host's Watchtower may remove the image that both used
        self._model.stop(timeout=int(self._settings.get("StopTimeout") or grace))
        self._model.remove()

    def start(self, build: Pulled) -> None:
        """Recreate it with the settings that it had when it stopped, start it, and remove the old image.

        Raises `StartError`.
        """
        endpoints: dict[str, dict[str, Any]] = self._model.attrs["NetworkSettings"]["Networks"]
        first, *more = endpoints  # engines before 25 accept one at creation
        create: Callable[[dict[str, Any], str], dict[str, str]] = self._client.api.create_container_from_config
        created = create(
            {
                **self._own,
                "HostConfig": self._model.attrs["HostConfig"],
                "NetworkingConfig": {"EndpointsConfig": {first: {"Aliases": self._aliases(endpoints[first])}}},
            },
            self.name,
        )
        for name in more:
            self._client.networks.get(name).connect(created["Id"], aliases=self._aliases(endpoints[name]))
        old = self.build.image_id
        self._model = self._client.containers.get(created["Id"])
        try:
            self._model.start()
        except APIError as error:
            raise StartError(self.name) from error
        self.build = build
        if old != build.image_id:
            self._clean_up(old)

    def becomes_healthy(self, seconds: float) -> bool:
        """Whether the engine reports it as healthy within that time; without a health check, whether it runs after it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._model.reload()
            if self._model.attrs["State"].get("Health", {}).get("Status") == "healthy":
                return True
            time.sleep(0.2)
        return self._model.status == "running" and "Health" not in self._model.attrs["State"]

    def _clean_up(self, image_id: str) -> None:
        try:
            self._client.images.remove(image_id)
        except APIError as error:
            if error.status_code not in (404, 409):  # already gone, or still used by another container or tag
                raise

    def _running_digests(self) -> list[str]:
        try:
            image = self._client.images.get(self._model.attrs["Image"])
        except NotFound:
            return []  # removed by force although the container uses it
        return _digests(image.attrs, self.repository)

    def _own_settings(self) -> dict[str, Any]:
        """The settings without those of the old image, so that those of the new one apply."""
        image: Mapping[str, Any] = self._client.images.get(self._model.attrs["Image"]).attrs["Config"] or {}
        own = {**self._settings, "Hostname": ""}
        for name in _FROM_IMAGE:
            if own.get(name) == image.get(name):
                own[name] = None
        own["Env"] = [one for one in own["Env"] or [] if one not in (image.get("Env") or [])]
        labels = image.get("Labels") or {}
        own["Labels"] = {key: value for key, value in (own["Labels"] or {}).items() if labels.get(key) != value}
        return {name: value for name, value in own.items() if value is not None}

    def _aliases(self, endpoint: Mapping[str, Any]) -> list[str]:
        """Its names in a network, without the one that the engine assigned."""
        return [alias for alias in endpoint["Aliases"] or [] if alias != self._model.short_id]


def _digest(image: Mapping[str, Any], repository: str) -> str:
    """The first digest by which this image was pulled from its repository, or nothing."""
    return next(iter(_digests(image, repository)), "")


def _digests(image: Mapping[str, Any], repository: str) -> list[str]:
    """The digests by which this image was pulled from its repository."""
    known = (one.partition("@") for one in image["RepoDigests"] or [])
    return [str(digest) for name, _, digest in known if name == repository]


def _refusal(error: APIError) -> RegistryError | TagMissingError:
    """The registry's error, recognised in the engine's message."""
    message = str(error.explanation)
    if "manifest unknown" in message:
        return TagMissingError(message)
    if "denied" in message or "unauthorized" in message or "no basic auth credentials" in message:
        return RegistryError(401)
    if "toomanyrequests" in message:
        return RegistryError(429)
    return RegistryError(503)
