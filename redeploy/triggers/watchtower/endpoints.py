"""Where Watchtower listens, what an update is narrowed to, and which of the containers count."""

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from redeploy.text.secret import Secret

if TYPE_CHECKING:  # few runs name images
    from redeploy.registry.image import Image

NO_IMAGE = "redeploy-action.invalid/no-such-image"
"""An image that no registry has: no one can own `.invalid` (RFC 2606)."""


NO_PATH = "redeploy-action-no-such-path"
"""The last part of a path that no Watchtower has."""


@dataclass(frozen=True, kw_only=True)
class Watchtower:
    """Where Watchtower listens and what the update is narrowed to. URLs may hold secrets: print origins only."""

    update_url: str | None
    containers_url: str | None
    check_url: str | None
    metrics_url: str | None = None
    token: Secret
    images: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()

    @property
    def trigger_url(self) -> str:
        """The update URL with the narrowing in its query.

        containrrr and openserbia compare with the repository alone, and containrrr splits on commas (filters.go:105);
        the fork takes each container name as an anchored regular expression (filter.go:32).
        """
        narrowing = {
            "image": ",".join(self.images),
            "container": ",".join(name.replace(".", r"\.") for name in self.containers),
        }
        query = urllib.parse.urlencode({name: value for name, value in narrowing.items() if value}, safe="/,:")
        url = self.update_url or ""
        return f"{url}{'&' if '?' in url else '?'}{query}" if query else url

    @property
    def idle_url(self) -> str:
        """The update URL narrowed to an image that cannot exist: a variant that can narrow updates nothing."""
        url, _, query = (self.update_url or "").partition("?")
        return f"{url}?{_narrowed_to_nothing(query)}"

    @property
    def nowhere_url(self) -> str:
        """A path beside the update URL that cannot exist; narrowed too, for a proxy that rewrites every path."""
        url, _, query = (self.update_url or "").partition("?")
        return f"{url.rstrip('/').rpartition('/')[0]}/{NO_PATH}?{_narrowed_to_nothing(query)}"

    @property
    def details_url(self) -> str:
        """Where the fork 1.20 and newer reports the flags of each container (`handlers/containers/details`)."""
        url, question, query = (self.containers_url or "").partition("?")
        return f"{url.rstrip('/')}/details{question}{query}"


@dataclass(frozen=True, kw_only=True)
class ContainerFilter:
    """Which of the rows of running containers count."""

    containers: Sequence[str]
    images: "Sequence[Image]"
    digest: str


def narrowed_together(services: Sequence[Watchtower]) -> Watchtower:
    """Return the Watchtower of several services, so that one trigger updates all of them.

    It is narrowed to the images, if every service names one, or to the containers, if every service names some and none
    names an image; otherwise not at all. With both at once, the fork updates only what matches both.
    """
    images = tuple(dict.fromkeys(image for each in services for image in each.images))
    containers = tuple(dict.fromkeys(name for each in services for name in each.containers))
    by_image = all(each.images for each in services)
    by_container = not images and all(each.containers for each in services)
    if len(services) == 1:
        return services[0]
    return replace(services[0], images=images if by_image else (), containers=containers if by_container else ())


def _narrowed_to_nothing(query: str) -> str:
    """Return a query narrowed to `NO_IMAGE`; other parameters, which a proxy may need, are kept."""
    kept = [each for each in query.split("&") if each and each.partition("=")[0] not in ("image", "container")]
    return "&".join([*kept, f"image={NO_IMAGE}"])
