"""The rows of running containers, as the containers endpoint of nicholas-fedor/watchtower (1.18 and newer) lists them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from redeploy.http.response import HttpResult, Response
from redeploy.triggers.watchtower.endpoints import ContainerFilter

if TYPE_CHECKING:  # few runs name images
    from redeploy.registry.image import Image


class Endpoint(StrEnum):
    """What the containers endpoint turned out to be."""

    REPORTED = "reported"
    ABSENT = "absent"
    """Not enabled, not routed, or not for this token: a retry is pointless."""
    FAILED = "failed"
    """It did not respond this time."""


@dataclass(frozen=True)
class RunningContainer:
    """A running container: its name, its image reference, the digest that it was pulled by, and the engine's image id."""

    name: str
    image: str
    digest: str
    image_id: str = ""

    @property
    def repository(self) -> str:
        """The repository of its image, with the registry."""
        from redeploy.registry.image import full_repository  # what reads responses is loaded after the first request

        return full_repository(self.image)

    @property
    def tag(self) -> str:
        """The tag that it was created with; empty if it is pinned by its digest alone."""
        from redeploy.registry.image import tag_of  # as above

        return tag_of(self.image)

    def without_secrets(self, redact: Callable[[str], str]) -> "RunningContainer":
        """Return the row with its texts redacted; a digest that contains a secret is dropped."""
        digest = self.digest if redact(self.digest) == self.digest else ""
        return RunningContainer(redact(self.name), redact(self.image), digest, redact(self.image_id))

    def kept(self, before: "RunningContainer") -> bool:
        """Return whether it runs the same image as before: by its digest, or by the engine's id of it."""
        digest = bool(self.digest) and self.digest == before.digest
        return digest or (bool(self.image_id) and self.image_id == before.image_id)


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the endpoint; `sent` and `at` are monotonic seconds."""

    sent: float
    at: float
    endpoint: Endpoint
    rows: tuple[RunningContainer, ...] = ()
    """The rows that count."""
    no_digest: str = ""
    """Why the rows report no digest; empty if they report one."""
    tag: str = ""
    """The tag of the only container of an image's repository, if the input has no tag."""

    @property
    def digest(self) -> str:
        """The one digest of all rows that count; empty if there is none, or they differ."""
        digests = {row.digest for row in self.rows}
        return next(iter(digests)) if len(digests) == 1 else ""

    @property
    def container(self) -> str:
        """The name of the container that counts; empty unless there is exactly one."""
        return self.rows[0].name if len(self.rows) == 1 else ""

    @property
    def differ(self) -> bool:
        """Whether rows that count run different digests."""
        return len({row.digest for row in self.rows}) > 1

    @property
    def split(self) -> tuple[RunningContainer, ...]:
        """The rows of one repository that run different digests, if there are any."""
        by_repository: dict[str, list[RunningContainer]] = {}
        for row in self.rows:
            by_repository.setdefault(row.repository, []).append(row)
        differing = (rows for rows in by_repository.values() if len({row.digest for row in rows}) > 1)
        return tuple(next(differing, ()))

    @property
    def image_ids(self) -> frozenset[str]:
        """The engine's ids of the images of all rows that count; empty if one is not reported."""
        ids = frozenset(row.image_id for row in self.rows)
        return frozenset() if "" in ids else ids


def read_look(
    http_result: HttpResult, wanted: ContainerFilter, *, sent: float, at: float, redact: Callable[[str], str] = str
) -> Look:
    """Return what one response of the containers endpoint reports; its rows contain no secrets."""
    if not isinstance(http_result, Response):
        return Look(sent=sent, at=at, endpoint=Endpoint.FAILED)
    rows = rows_of(http_result.json) if http_result.status == 200 else None
    if rows is None:
        absent = http_result.status in (401, 404, 405) or (http_result.is_html and http_result.status < 500)
        return Look(sent=sent, at=at, endpoint=Endpoint.ABSENT if absent else Endpoint.FAILED)
    counting = rows_that_count(rows, wanted)
    bare = [image for image in wanted.images if image.bare]
    alone = [row for row in rows if bare and row.repository == bare[0].repository]
    return Look(
        sent=sent,
        at=at,
        endpoint=Endpoint.REPORTED,
        rows=tuple(row.without_secrets(redact) for row in counting),
        no_digest=_why_no_digest(rows, counting, wanted),
        tag=alone[0].tag if len(alone) == 1 else "",
    )


def _why_no_digest(
    rows: Sequence[RunningContainer], counting: Sequence[RunningContainer], wanted: ContainerFilter
) -> str:
    digests = {row.digest for row in counting}
    if len(digests) > 1:
        return "containers run different digests"
    if digests:
        return "" if any(digests) else "not reported; the image was not pulled from a registry"
    if missing := missing_containers(rows, wanted):
        return f"not reported; no container {', '.join(f'`{name}`' for name in missing)} runs"
    if wanted.containers or wanted.images or not rows:
        return "not reported; no such container runs"
    return "several containers run; name one with `image` or `container`"


def missing_containers(rows: Sequence[RunningContainer], wanted: ContainerFilter) -> list[str]:
    """Return the named containers that are not running."""
    running = {row.name.removeprefix("/") for row in rows}
    return [name for name in wanted.containers if name not in running]


def rows_that_count(rows: Sequence[RunningContainer], wanted: ContainerFilter) -> list[RunningContainer]:
    """Return the rows of the named containers, if all are there; else of the images; else of the declared digest's.

    If nothing names any, the rows count if all have the same image: a single one, or several instances.
    """
    if wanted.containers:
        named = [row for row in rows if row.name.removeprefix("/") in wanted.containers]
        return [] if missing_containers(rows, wanted) else named
    if wanted.images:
        found = [row for image in wanted.images for row in _rows_of_image(rows, image)]
        return list(dict.fromkeys(found))
    repositories = {row.repository for row in rows if wanted.digest and row.digest == wanted.digest}
    if repositories:
        return [row for row in rows if row.repository in repositories]
    return list(rows) if len({(row.repository, row.tag) for row in rows}) == 1 else []


def _rows_of_image(rows: Sequence[RunningContainer], image: "Image") -> list[RunningContainer]:
    """Return the rows of an image: of its repository and tag.

    Without a tag, the tag of the repository's only container is meant. Where no row has the tag, all rows of the
    repository count, and prove nothing if they run different digests.
    """
    of_repository = [row for row in rows if row.repository == image.repository]
    if image.bare and len(of_repository) == 1:
        return of_repository
    tagged = [row for row in of_repository if row.tag == image.tag]
    return tagged or of_repository


def rows_of(document: Any) -> list[RunningContainer] | None:  # noqa: ANN401 - whatever the server sent
    """Return the rows of the response; `containers` is null if a filter matches none. None: not such a response."""
    from redeploy.registry.image import is_digest  # as above

    if not isinstance(document, dict) or "containers" not in document:
        return None
    listed = document["containers"] or []
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        return None
    rows = []
    for row in listed:
        name, image, digest, image_id = (
            text if isinstance(text := row.get(field), str) else "" for field in ("name", "image", "digest", "image_id")
        )
        rows.append(RunningContainer(name, image, digest if is_digest(digest) else "", image_id))
    return rows
