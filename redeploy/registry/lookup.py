"""The look-up of the expected image: what the registry has reported so far, and whether to wait."""

from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf

from redeploy.http.response import HttpResult, Response
from redeploy.registry.errors import Kind, Scope, Trouble, trouble_of
from redeploy.registry.image import Image
from redeploy.registry.known_manifests import KnownManifests
from redeploy.registry.manifest import REVISION, Manifest

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 2.0, 15.0, 1.5
"""Seconds from a response without the expected image to the next look-up; each pause is longer than the last."""


@dataclass(frozen=True)
class FromRegistry(Response):
    """The result of a request to a registry, as one response."""

    found: Manifest | Trouble | str = ""

    @property
    def came(self) -> str:
        """What came, in a word or two."""
        if isinstance(self.found, Trouble):
            return self.found.sentence
        return self.found.digest if isinstance(self.found, Manifest) else f"revision {self.found or 'not named'}"


class Standing(Enum):
    """How far the look-up has come."""

    OPEN = auto()
    """The registry has not responded yet."""
    READY = auto()
    """It has the expected image."""
    AWAITED = auto()
    """It does not have it yet: the build may still be pushing."""
    UNKNOWN = auto()
    """It does not say, but the run does not need it."""
    IMPOSSIBLE = auto()
    """It does not say, and the run needs it."""


@dataclass
class Lookup:
    """What is known of an image's tag. Times are monotonic seconds."""

    image: Image
    declared: str = ""
    """The digest that the tag must point to, directly or through an index; empty if any digest is right."""
    names_version: bool = False
    """Whether the image says which version is expected."""
    patient: bool = True
    """Whether the run waits for the image."""
    manifests: KnownManifests = field(default_factory=KnownManifests)
    """What the registry has shown about digests."""
    manifest: Manifest | None = None
    """What the tag points to, as last reported."""
    absent: bool = False
    """Whether the registry does not have the tag, as last reported."""
    trouble: Trouble | None = None
    """Why the last look-up failed."""
    revision: str = ""
    """The commit that the image's label names."""
    no_revision: Trouble | None = None
    """Why it names none."""
    _looks: int = 0
    _next: float = -inf

    @property
    def as_declared(self) -> bool:
        """Whether the tag points to the expected digest."""
        return self.manifest is not None and (
            not self.declared
            or self.manifest.is_of(self.declared)
            or self.manifests.same_image(self.manifest.digest, self.declared)
        )

    @property
    def standing(self) -> Standing:
        """How far it has come."""
        if self.as_declared:
            if not self.names_version or self.revision:
                return Standing.READY
            trouble = self.no_revision
        else:
            trouble = self.trouble
        missing = not self.as_declared and (self.absent or self.manifest is not None)
        if not missing and trouble is None:
            return Standing.OPEN
        passing = missing or (self.names_version and trouble and trouble.kind is Kind.UNREACHABLE)
        if passing and self.patient:
            return Standing.AWAITED
        return Standing.IMPOSSIBLE if self.names_version else Standing.UNKNOWN

    @property
    def holds_up(self) -> bool:
        """Whether the run cannot continue yet, or at all."""
        standing = self.standing
        return standing in (Standing.AWAITED, Standing.IMPOSSIBLE) or (standing is Standing.OPEN and self.names_version)

    @property
    def hopeless(self) -> bool:
        """Whether waiting does not help."""
        return self.standing is Standing.IMPOSSIBLE

    @property
    def tag_due(self) -> float:
        """When to look the tag up: at once, later, or never."""
        return self._next if not self._looks or self.standing is Standing.AWAITED else inf

    @property
    def unread(self) -> list[str]:
        """The digests to read, because the tag may point to the declared image through another index."""
        if self.manifest is None or self.as_declared:
            return []
        return self.manifests.unread(self.manifest.digest, self.declared)

    @property
    def needs_revision(self) -> bool:
        """Whether the image's commit still has to be read."""
        return self.as_declared and not self.revision and self.no_revision is None

    def take(self, http_result: HttpResult, at: float) -> None:
        """Take in what the tag points to. If the registry fails while the run waits, nothing changes."""
        self._next = at + min(LONGEST_PAUSE, FIRST_PAUSE * GROWTH**self._looks)
        self._looks += 1
        found = found_in(http_result, self.image)
        if isinstance(found, Manifest):
            if self.manifest is None or found.digest != self.manifest.digest:
                self.revision = ""
            self.manifest, self.absent, self.trouble, self.no_revision = found, False, None, None
        elif isinstance(found, Trouble):
            self.trouble = found
            if found.kind is Kind.ABSENT:
                self.manifest, self.absent = None, True

    def take_revision(self, manifest: Manifest, http_result: HttpResult) -> None:
        """Take in which commit the image names."""
        found = found_in(http_result, self.image)
        if self.manifest is None or manifest.digest != self.manifest.digest:
            return
        if isinstance(found, str) and not found:
            fix = (
                "Label it when you build it, as docker/metadata-action does "
                f"(`labels: {REVISION}=${{{{ github.sha }}}}`), or set the version itself."
            )
            self.no_revision = Trouble(Kind.ABSENT, f"the image `{self.image}` has no label `{REVISION}`", fix)
        elif isinstance(found, Trouble):
            self.no_revision = found
        elif isinstance(found, str):
            self.revision = found

    @property
    def note(self) -> str:
        """What a run without the registry's response should report; empty if it has the response."""
        if self.standing is Standing.OPEN:
            return f"The registry `{self.image.registry}` did not respond in time."
        return self.sentence if self.standing is Standing.UNKNOWN else ""

    @property
    def sentence(self) -> str:
        """What is wrong, in whole sentences; empty if nothing is."""
        trouble = self.no_revision if self.as_declared and self.names_version else self.trouble
        points = ""
        if self.manifest is not None and not self.as_declared:
            now = f"`{self.image}` points to `{self.manifest.digest}` in the registry"
            points = f"{now}, and not to the expected `{self.declared}`."
        wrong = f"{trouble.sentence[:1].upper()}{trouble.sentence[1:]}. {trouble.fix}".strip() if trouble else ""
        return f"{points} {wrong}".strip()


def manifest_in(http_result: HttpResult, image: Image) -> Manifest | Trouble:
    """Return the manifest in a registry's response, or why it has none."""
    found = found_in(http_result, image)
    if isinstance(found, str):
        msg = "a commit is not a manifest"
        raise TypeError(msg)
    return found


def found_in(http_result: HttpResult, image: Image) -> Manifest | Trouble | str:
    """Return the content of a registry's response: a manifest, the commit in a label, or why neither came."""
    if isinstance(http_result, FromRegistry):
        return http_result.found
    return trouble_of(http_result, image, Scope.PULL, known=False)
