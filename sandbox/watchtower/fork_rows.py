"""What the fork reports about each container: rows of its containers, details and check endpoints, and errors."""

import re
from collections.abc import Iterable
from http import HTTPStatus

from sandbox.server.engine import AnyContainer, AnyEngine, RegistryError, TagMissingError
from sandbox.watchtower.http_formats import instant
from sandbox.watchtower.updater import Filter, Settings, is_pinned

_RATE_LIMIT_PAGE = (
    "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n"
    "<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>"
)

RunningContainer = dict[str, object]


def status_row(container: AnyContainer) -> RunningContainer:
    """A row of `/v1/containers`. Of several digests of one image it reports the first in alphabetical order (`image.go`)."""
    return {
        "name": container.name,
        "image": container.image,
        "image_id": container.build.image_id,
        "digest": next(iter(sorted(container.digests)), ""),
    }


def details_row(container: AnyContainer, settings: Settings) -> RunningContainer:
    """A row of `/v1/containers/details`."""
    return {
        **status_row(container),
        "running": container.state == "running",
        "watchtower": False,
        "monitor_only": settings.monitor_only or container.monitor_only,
        "no_pull": settings.no_pull or container.no_pull,
        "enabled": True,
        "stale": False,
        "scope": "",
    }


def check_row(container: AnyContainer, host: AnyEngine, settings: Settings) -> RunningContainer:
    """A row of `/v1/check`: what the registry has, by the fork's own request."""
    return {**status_row(container), **_compared(container, host, settings), "timestamp": instant()}


def _compared(container: AnyContainer, host: AnyEngine, settings: Settings) -> RunningContainer:
    if settings.no_pull or container.no_pull:
        local = host.local(container.image)
        stale = local.image_id != container.build.image_id
        return {"update_available": stale, "latest_image_id": local.image_id, "latest_digest": local.digest}
    if is_pinned(container.image):
        return {"update_available": False, "latest_image_id": container.build.image_id, "latest_digest": ""}
    try:
        latest = host.registry.resolve(container.image)
    except (RegistryError, TagMissingError) as trouble:
        return {"update_available": False, "latest_image_id": "", "latest_digest": "", "error": error_text(trouble)}
    stale = latest.digest not in container.digests
    current = "" if stale else container.build.image_id
    return {"update_available": stale, "latest_image_id": current, "latest_digest": latest.digest}


def error_text(trouble: RegistryError | TagMissingError) -> str:
    """The messages of `digest.go`, `auth.go` and `bearer.go` for errors of the fork's own request to the registry."""
    if isinstance(trouble, TagMissingError):
        return "manifest not found: registry responded with invalid HEAD request: status 404 Not Found"
    if trouble.words:
        return (
            f"failed to get token: failed to execute challenge request: failed to execute HTTP request: {trouble.words}"
        )
    if trouble.status == 429:
        return f"failed to get token: registry rate limited: {_RATE_LIMIT_PAGE}"
    if trouble.of_realm:
        status = f"{trouble.status} {HTTPStatus(trouble.status).phrase}"
        return (
            f"failed to get token: failed to decode response: failed to execute bearer token request: status {status}"
        )
    if trouble.status == 401:
        return "failed to get token: no credentials available: no credentials available"
    return f"failed to get token: unexpected status with empty WWW-Authenticate header: status {trouble.status}"


def by_reference(images: Iterable[str], names: Iterable[str]) -> Filter:
    """The fork's filter: `image=` with or without a tag, `container=` an anchored expression; both may be empty."""
    references, patterns = [_familiar(one) for one in images], [re.compile(name) for name in names]

    def matches(container: AnyContainer) -> bool:
        name, tag = _familiar(container.image)
        of_image = not references or any(name == wanted and asked in ("", tag) for wanted, asked in references)
        of_name = not patterns or any(pattern.fullmatch(container.name) for pattern in patterns)
        return of_image and of_name

    return matches


def _familiar(reference: str) -> tuple[str, str]:
    """A reference's name as people write it, and its tag: Docker Hub and its `library/` are left out (`FamiliarName`)."""
    rest = reference.partition("@")[0]
    colon = rest.rfind(":")
    name, tag = (rest[:colon], rest[colon + 1 :]) if colon > rest.rfind("/") else (rest, "")
    for hub in ("index.docker.io/", "docker.io/"):
        name = name.removeprefix(hub)
    return name.removeprefix("library/"), tag
