"""The running image as evidence: what ran before the trigger, and what each look at the rows has shown since."""

from dataclasses import dataclass, field

from redeploy.registry.known_manifests import KnownManifests
from redeploy.service.identity import Build
from redeploy.text.untrusted import code
from redeploy.triggers.watchtower.containers import Endpoint, Look, RunningContainer

MOST_NAMED = 4
"""Containers that one sentence names."""


@dataclass
class RunningImage:
    """All looks of a run, in the order of their responses. Times are monotonic seconds."""

    declared: str = ""
    """The digest that must run; empty if none is declared."""
    triggered: float | None = None
    all: list[Look] = field(default_factory=list)
    recalled: Look | None = None
    """What an earlier step saw, before another deployer was asked."""
    images: frozenset[str] = frozenset()
    """The image references of its rows."""
    manifests: KnownManifests = field(default_factory=KnownManifests)
    """What the registry has shown about digests."""
    asks_registry: bool = False
    """Whether the registry can be asked which image a digest belongs to."""
    listed: bool = True
    """Whether the trigger may list the running containers at all."""

    def add(self, look: Look) -> None:
        """Add one more look."""
        self.all.append(look)

    def recall(self, look: Look | None, images: frozenset[str]) -> None:
        """Take in what an earlier step saw: the rows, and the `images` that these were created with."""
        self.recalled, self.images = look, images

    @property
    def last(self) -> Look | None:
        """The last look, if there was one."""
        return self.all[-1] if self.all else None

    @property
    def reported(self) -> list[Look]:
        """The looks that brought rows."""
        return [look for look in self.all if look.endpoint is Endpoint.REPORTED]

    @property
    def absent(self) -> bool:
        """Whether there is no such endpoint."""
        return any(look.endpoint is Endpoint.ABSENT for look in self.all)

    @property
    def can_list(self) -> bool:
        """Whether it is worth asking which containers run."""
        return self.listed and not self.absent

    @property
    def container(self) -> str:
        """The name of the container that counts, as last reported; empty unless there is exactly one."""
        return next((look.container for look in reversed(self.all) if look.container), "")

    # before and since the trigger

    @property
    def looks_before(self) -> list[Look]:
        """The looks before the trigger that brought rows."""
        own = [look for look in self.reported if self.triggered is not None and look.at <= self.triggered]
        return [self.recalled, *own] if self.recalled else own

    @property
    def looks_since(self) -> list[Look]:
        """The looks since the trigger that brought rows."""
        return [look for look in self.reported if self.triggered is None or look.sent >= self.triggered]

    @property
    def before(self) -> str:
        """The digest that ran before the trigger; empty if it was not reported, or nothing is triggered."""
        return self.looks_before[-1].digest if self.looks_before else ""

    @property
    def now(self) -> str:
        """The running digest, as last reported since the trigger."""
        return self.looks_since[-1].digest if self.looks_since else ""

    # what one look shows

    def says(self, look: Look) -> Build:
        """Return which image is running in a look: the declared or a changed one is new.

        If the digest changed but the engine's id of the image did not, the same image was pushed again.
        """
        if not look.digest:
            return Build.UNKNOWN
        if self.declared:
            if self.is_declared(look):
                return Build.NEW
            if self._unread(self.declared, look):
                return Build.UNKNOWN
            return Build.OLD if self._ran_before(look) else Build.OTHER
        seen = [each for each in self.looks_before if each.digest and self._compares(each, look)]
        if not seen:
            return Build.UNKNOWN
        if self._ran_before(look):
            return Build.OLD
        return Build.UNKNOWN if any(self._unread(each.digest, look) for each in seen) else Build.NEW

    def is_declared(self, look: Look) -> bool:
        """Return whether the declared digest is running in a look."""
        return bool(self.declared) and self.manifests.same_image(look.digest, self.declared, _one_id(look))

    def is_of(self, digest: str) -> bool:
        """Return whether the image of a digest is running, as last reported since the trigger."""
        last = self.looks_since[-1] if self.looks_since else None
        return last is not None and self.manifests.same_image(last.digest, digest, _one_id(last))

    @property
    def declared_before(self) -> bool:
        """Whether the declared digest ran before the trigger."""
        return bool(self.looks_before) and self.is_declared(self.looks_before[-1])

    @property
    def is_old(self) -> bool:
        """Whether the image from before is still running, as last reported."""
        return bool(self.before and self.looks_since) and self._ran_before(self.looks_since[-1])

    @property
    def kept(self) -> bool:
        """Whether a container that counts still runs the image that it had before the trigger, or is gone."""
        if not self.looks_before or not self.looks_since:
            return False
        now = {row.name: row for row in self.looks_since[-1].rows}
        if self.is_old:
            return True
        return any(row.name not in now or now[row.name].kept(row) for row in self.looks_before[-1].rows)

    @property
    def unchanged(self) -> bool:
        """Whether all rows that count kept their image, as last reported."""
        before = {row.name: row for row in self.looks_before[-1].rows} if self.looks_before else {}
        now = self.looks_since[-1].rows if self.looks_since else ()
        return self.is_old or (bool(now) and all(row.name in before and row.kept(before[row.name]) for row in now))

    @property
    def expected_since(self) -> float | None:
        """Since when all looks have shown the declared image or, if none is declared, a new one."""
        since = None
        for look in reversed(self.reported):
            if self.says(look) is not Build.NEW:
                break
            since = look.at
        return since

    @property
    def expected_seen(self) -> bool:
        """Whether any look since the trigger showed that image."""
        return any(self.says(look) is Build.NEW for look in self.looks_since)

    # what must still be requested

    def needs_closing_look(self, ends: float, *, alone: bool) -> bool:
        """Return whether a window that ends then needs one more look: these `alone` prove it, or containers differ."""
        last = self.last
        late = last is None or last.sent < ends
        proves = alone and (self.expected_since is not None or bool(self.declared))
        differs = last is not None and bool(last.split)
        return late and (proves or differs)

    @property
    def unread(self) -> list[str]:
        """The digests to look up in the registry: they may belong to the declared image, or to the one from before."""
        last = self.reported[-1] if self.reported else None
        if last is None or not last.digest:
            return []
        against = [self.declared] if self.declared else [each.digest for each in self.looks_before]
        return [each for digest in dict.fromkeys(against) for each in self._unread(digest, last)]

    # sentences

    def evidence(self, declared_as: str = "declared digest") -> str:
        """Return the proof of the build as a sentence; empty if there is none. `declared_as` names what is declared."""
        last = self.looks_since[-1] if self.looks_since else None
        if last is None or self.says(last) is not Build.NEW:
            return ""
        if not self.declared:
            return "The running digest changed."
        if last.digest == self.declared:
            return f"Watchtower reports the {declared_as} for the running container."
        return (
            f"Watchtower reports {code(last.digest)} for the running container: the registry says that this and the "
            f"{declared_as} are one image, under another index or as the manifest of its platform."
        )

    @property
    def warning(self) -> str:
        """What contradicts a build that is proven in another way, as a sentence; empty if nothing does."""
        split = self.reported[-1].split if self.reported else ()
        if not split:
            return ""
        runs = [f"{code(row.name)} runs {_shown(row)}" for row in split[:MOST_NAMED]]
        more = f", and {len(split) - len(runs)} more" if len(split) > len(runs) else ""
        return (
            f"Containers of {code(split[0].repository)} run different digests: {', '.join(runs)}{more}. So not every one of "
            "them was replaced, or they follow different tags; name those of this service with `container`, or with the tag "
            "in `image`."
        )

    def _ran_before(self, look: Look) -> bool:
        return any(
            self.manifests.same_image(look.digest, each.digest, _one_id(look))
            or (look.image_ids and look.image_ids == each.image_ids)
            for each in self.looks_before
            if each.digest and self._compares(each, look)
        )

    def _compares(self, before: Look, look: Look) -> bool:
        """Return whether both looks are at the same containers: an earlier step may have looked at others."""
        if before is not self.recalled:
            return True
        names = {row.name for row in before.rows} == {row.name for row in look.rows}
        return names or self.images == {row.image for row in look.rows}

    def _unread(self, digest: str, look: Look) -> list[str]:
        return self.manifests.unread(digest, look.digest, _one_id(look)) if self.asks_registry else []


def _one_id(look: Look) -> str:
    return next(iter(look.image_ids)) if len(look.image_ids) == 1 else ""


def _shown(row: RunningContainer) -> str:
    return code(row.digest) if row.digest else "an image without a digest"
