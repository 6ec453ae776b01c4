"""The running digest, as the containers endpoint of nicholas-fedor/watchtower (1.18 and newer) tells it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from redeploy.http.response import Exchange, Reply


class Endpoint(StrEnum):
    """What the containers endpoint turned out to be."""

    TOLD = "told"
    ABSENT = "absent"
    """Not enabled, not routed, or not for this token: asking again is pointless."""
    FAILED = "failed"
    """It did not answer this time."""


@dataclass(frozen=True)
class Row:
    """A running container: its name, its image reference and the digest that the image was pulled by."""

    name: str
    image: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the endpoint; `sent` and `at` are monotonic seconds."""

    sent: float
    at: float
    endpoint: Endpoint
    digest: str = ""
    """The one digest of all rows that count; empty where there is none, or they differ."""
    differ: bool = False
    """Whether rows that count run different digests."""
    untold: str = ""
    """Why rows tell no digest; empty where they do."""
    container: str = ""
    """The name of the one row that counts; empty where several do, or none."""


@dataclass
class Looks:
    """All looks of a run, in the order in which they were answered."""

    all: list[Look] = field(default_factory=list)
    index: str = ""
    """A digest that is known to be an index's."""
    platforms: frozenset[str] = frozenset()
    """Those of the manifests for one platform each that it lists."""

    def add(self, look: Look) -> None:
        """Enter one more look."""
        self.all.append(look)

    @property
    def last(self) -> Look | None:
        """The last look, if there was one."""
        return self.all[-1] if self.all else None

    @property
    def told(self) -> list[Look]:
        """The looks that brought rows."""
        return [look for look in self.all if look.endpoint is Endpoint.TOLD]

    @property
    def absent(self) -> bool:
        """Whether there is no such endpoint."""
        return any(look.endpoint is Endpoint.ABSENT for look in self.all)

    def same(self, one: str, other: str) -> bool:
        """Tell whether two digests are of one image: an index, and the manifest of a platform that it lists, are."""
        return one == other or (self.index in (one, other) and bool({one, other} & self.platforms))

    @property
    def container(self) -> str:
        """The name of the container that counts, as last told; empty where there is not one."""
        return next((look.container for look in reversed(self.all) if look.container), "")

    def before(self, triggered: float | None) -> str:
        """Return the digest that ran before the trigger; empty where it was not told, or nothing is triggered."""
        told = [look for look in self.told if triggered is not None and look.at <= triggered]
        return told[-1].digest if told else ""

    def now(self, triggered: float | None) -> str:
        """Return the digest that runs, as last told since the trigger."""
        told = [look for look in self.told if triggered is None or look.sent >= triggered]
        return told[-1].digest if told else ""

    def wanted_since(self, triggered: float | None, declared: str) -> float | None:
        """Return when the first of the latest looks was asked for that all told a wanted digest.

        Wanted is the declared digest or, where none is declared, another than before.
        """
        since = None
        for look in self.told:
            since = (look.sent if since is None else since) if self._wanted(look, triggered, declared) else None
        return since

    def was_wanted(self, triggered: float | None, declared: str) -> bool:
        """Tell whether any look since the trigger told a wanted digest."""
        since = [look for look in self.told if triggered is None or look.sent >= triggered]
        return any(self._wanted(look, triggered, declared) for look in since)

    def _wanted(self, look: Look, triggered: float | None, declared: str) -> bool:
        before = self.before(triggered)
        if declared:
            return self.same(look.digest, declared)
        return bool(before and look.digest and not self.same(look.digest, before))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows count."""

    containers: Sequence[str]
    images: Sequence[str]
    digest: str


def read_look(exchange: Exchange, wanted: Wanted, *, sent: float, at: float) -> Look:
    """Return what one exchange with the containers endpoint tells."""
    if not isinstance(exchange, Reply):
        return Look(sent=sent, at=at, endpoint=Endpoint.FAILED)
    rows = rows_of(exchange.json) if exchange.status == 200 else None
    if rows is None:
        absent = exchange.status in (401, 404, 405) or (exchange.is_html and exchange.status < 500)
        return Look(sent=sent, at=at, endpoint=Endpoint.ABSENT if absent else Endpoint.FAILED)
    counting = rows_that_count(rows, wanted)
    digests = {row.digest for row in counting}
    return Look(
        sent=sent,
        at=at,
        endpoint=Endpoint.TOLD,
        digest=next(iter(digests)) if len(digests) == 1 else "",
        differ=len(digests) > 1,
        untold=_untold(digests, several=len(rows) > 1 and not (wanted.containers or wanted.images)),
        container=counting[0].name if len(counting) == 1 else "",
    )


def _untold(digests: Collection[str], *, several: bool) -> str:
    if len(digests) > 1:
        return "containers run different digests"
    if digests:
        return "" if any(digests) else "not told; the image was not pulled from a registry"
    return (
        "several containers run; name one with `image` or `container`"
        if several
        else "not told; no such container runs"
    )


def rows_that_count(rows: Sequence[Row], wanted: Wanted) -> list[Row]:
    """Return the rows of the named containers, else of the image's repository, else of the declared digest's.

    Where nothing names any, the only row counts, if it is the only one.
    """
    from redeploy.core.image import full_repository  # what reads answers is loaded after the first request

    if wanted.containers:
        return [row for row in rows if row.name.removeprefix("/") in wanted.containers]
    if wanted.images:
        repositories = {full_repository(image) for image in wanted.images}
        return [row for row in rows if full_repository(row.image) in repositories]
    if wanted.digest:
        repositories = {full_repository(row.image) for row in rows if row.digest == wanted.digest}
        if repositories:
            return [row for row in rows if full_repository(row.image) in repositories]
    return list(rows) if len(rows) == 1 else []


def rows_of(document: Any) -> list[Row] | None:  # noqa: ANN401 - whatever the server sent
    """Return the rows of the answer; `containers` is null where a filter matches none. None: no such answer."""
    from redeploy.core.image import is_digest  # as above

    if not isinstance(document, dict) or "containers" not in document:
        return None
    listed = document["containers"] or []
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        return None
    rows = []
    for row in listed:
        texts = [text if isinstance(text := row.get(name), str) else "" for name in ("name", "image", "digest")]
        rows.append(Row(texts[0], texts[1], texts[2] if is_digest(texts[2]) else ""))
    return rows
