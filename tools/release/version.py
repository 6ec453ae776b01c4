"""Versions of releases: their format, their tags, and which may follow which."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_WRITTEN = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class RefusedError(Exception):
    """The release cannot be made; the message says why, and how to fix it."""


@dataclass(frozen=True, order=True)
class Version:
    """A version as Semantic Versioning orders it, without pre-releases."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """The tag that never moves, such as `v1.2.3`."""
        return f"v{self}"

    @property
    def moving_tag(self) -> str:
        """The tag that moves to every release of the same major version, such as `v1`."""
        return f"v{self.major}"

    def successors(self) -> tuple["Version", "Version", "Version"]:
        """Return the versions that may come next: the next fix, the next feature, the next breaking change."""
        return (
            Version(self.major, self.minor, self.patch + 1),
            Version(self.major, self.minor + 1, 0),
            Version(self.major + 1, 0, 0),
        )


def parse(text: str) -> Version:
    """Parse a version.

    Raises:
        RefusedError: if it is not three numbers separated by dots.
    """
    found = _WRITTEN.fullmatch(text)
    if not found:
        meant = text.strip().removeprefix("v")
        hint = f" Did you mean {meant}?" if _WRITTEN.fullmatch(meant) else ""
        raise RefusedError(f"{text!r} is not a version: write three numbers, such as 1.2.3.{hint}")
    return Version(*map(int, found.groups()))


def released(tags: Iterable[str]) -> tuple[Version, ...]:
    """Return the versions of exact tags, oldest first. Moving tags and other tags are ignored."""
    return tuple(sorted(parse(tag[1:]) for tag in tags if tag.startswith("v") and _WRITTEN.fullmatch(tag[1:])))


def refuse_unless_next(version: Version, before: tuple[Version, ...]) -> None:
    """Check that a version may be released after those of `before`.

    Raises:
        RefusedError: if it is already released, or is not one of the next versions.
    """
    if version in before:
        raise RefusedError(
            f"{version} is released already: the tag {version.tag} exists, and a release never changes. Release "
            f"{before[-1].successors()[0]} instead."
        )
    if before and version not in before[-1].successors():
        following = ", ".join(map(str, before[-1].successors()))
        raise RefusedError(f"{version} cannot follow {before[-1]}, the newest release. Next is one of {following}.")
