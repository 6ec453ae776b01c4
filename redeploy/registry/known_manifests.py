"""Which digests belong to one image, from the manifests that a registry has shown."""

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # few runs name an image
    from redeploy.registry.manifest import Manifest

MOST_READ = 8
"""Manifests that a run reads to find out whether two digests belong to the same image."""


@dataclass
class KnownManifests:
    """The manifests that a run has read, by digest."""

    _children: dict[str, frozenset[str]] = field(default_factory=dict)
    _configs: dict[str, str] = field(default_factory=dict)
    _missing: set[str] = field(default_factory=set)

    def learn(self, found: "Manifest") -> None:
        """Add the manifest of a digest."""
        self._children[found.digest] = frozenset(found.children)
        self._configs[found.digest] = found.config

    def give_up(self, digest: str) -> None:
        """Record that the registry does not have the manifest of a digest."""
        self._missing.add(digest)

    def same_image(self, one: str, other: str, image_id: str = "") -> bool:
        """Return whether two digests are known to belong to the same image.

        They are where one is an index that lists the other as a platform's manifest; where both are indexes of the same
        platforms, as after a push with another attestation; or where both list the running manifest, known by the
        engine's id of the image: the digest of its configuration or, with containerd's image store, of a manifest.
        """
        if one == other:
            return bool(one)
        listed, also = self._children.get(one, frozenset()), self._children.get(other, frozenset())
        if other in listed or one in also or (listed and listed == also):
            return True
        common = listed & also
        return bool(image_id) and any(image_id in (each, self._configs.get(each)) for each in common)

    def unread(self, one: str, other: str, image_id: str = "") -> list[str]:
        """Return the digests to read before two can be said to belong to different images; empty if that is known."""
        if not one or not other or self.same_image(one, other, image_id):
            return []
        unknown = [each for each in (one, other) if self._is_unread(each)]
        if unknown or not image_id:
            return self._affordable(unknown)
        common = self._children.get(one, frozenset()) & self._children.get(other, frozenset())
        return self._affordable([each for each in sorted(common) if self._is_unread(each)])

    def _is_unread(self, digest: str) -> bool:
        return digest not in self._children and digest not in self._missing

    def _affordable(self, digests: list[str]) -> list[str]:
        left = MOST_READ - len(self._children) - len(self._missing)
        return list(islice(digests, max(0, left)))
