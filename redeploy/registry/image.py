"""Image references, parsed to the standard and completed as Docker completes them.

The grammar is that of distribution/reference (`reference.go`, `regexp.go`), the completion that of its `normalize.go`.
"""

import re
from dataclasses import dataclass, field, replace

HUB = "docker.io"
"""The registry of a reference without one."""

LONGEST_PATH = 255
"""Characters of a repository within its registry (`RepositoryNameTotalLengthMax`)."""

_LABEL = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_COMPONENT = r"[a-z0-9]+(?:(?:[_.]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HUBS = frozenset({HUB, "index.docker.io", "registry-1.docker.io"})


@dataclass(frozen=True)
class Image:
    """An image reference: the repository as written, a tag, and a digest if one was given."""

    name: str
    tag: str = "latest"
    digest: str = ""
    bare: bool = field(default=False, compare=False)
    """Whether the reference has no tag, so that `latest` is a guess."""

    @property
    def registry(self) -> str:
        """The registry, such as `docker.io` or `localhost:5000`."""
        return _split(self.name)[0]

    @property
    def path(self) -> str:
        """The repository within its registry, such as `library/nginx`."""
        return _split(self.name)[1]

    @property
    def repository(self) -> str:
        """The repository with its registry."""
        return f"{self.registry}/{self.path}"

    @property
    def host(self) -> str:
        """Host and port of the registry."""
        return "registry-1.docker.io" if self.registry == HUB else self.registry

    def at(self, digest: str) -> "Image":
        """Return the image of this repository that has this digest."""
        return replace(self, digest=digest)

    def same_as(self, other: "Image") -> bool:
        """Return whether both name the same image, in any spelling of their repositories."""
        return (self.repository, self.tag, self.digest) == (other.repository, other.tag, other.digest)

    def under(self, reference: str) -> "Image":
        """Return the image of this repository that a digest or a tag names."""
        return self.at(reference) if is_digest(reference) else replace(self, tag=reference, digest="", bare=False)

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


def parse(text: str) -> Image:
    """Return the image that a reference names; raises `ValueError` with what is wrong."""
    rest, at, digest = text.partition("@")
    colon = rest.rfind(":")
    name, tag = (rest[:colon], rest[colon + 1 :]) if colon > rest.rfind("/") else (rest, "latest")
    registry, path = _split(name)
    fit = _DOMAIN.fullmatch(registry) and _PATH.fullmatch(path) and _TAG.fullmatch(tag)
    if not fit or (at and not is_digest(digest)) or re.fullmatch(r"[0-9a-f]{64}", name):
        lower = f"{registry}/{path.lower()}"
        hint = (
            f"; repositories are in lower case: `{lower}`"
            if _PATH.fullmatch(path.lower()) and path.lower() != path
            else ""
        )
        msg = f"{text!r:.80} is not an image reference; write `ghcr.io/owner/app` or `ghcr.io/owner/app:tag`{hint}"
        raise ValueError(msg)
    if len(path) > LONGEST_PATH:
        msg = f"{text!r:.80} is longer than the {LONGEST_PATH} characters that a repository may have"
        raise ValueError(msg)
    return Image(name, tag, digest, bare=name == rest)


def is_digest(text: str) -> bool:
    """Return whether a text is a `sha256:` digest; registries and engines use no other."""
    return bool(_DIGEST.fullmatch(text))


def is_tag(text: str) -> bool:
    """Return whether a text can be a tag."""
    return bool(_TAG.fullmatch(text))


def full_repository(reference: str) -> str:
    """Return the repository of any image reference, valid or not, with its registry."""
    rest = reference.partition("@")[0]
    colon = rest.rfind(":")
    return "/".join(_split(rest[:colon] if colon > rest.rfind("/") else rest))


def tag_of(reference: str) -> str:
    """Return the tag of any image reference, as Docker completes it; empty if only a digest pins the image."""
    rest, pinned, _ = reference.partition("@")
    colon = rest.rfind(":")
    if colon > rest.rfind("/"):
        return rest[colon + 1 :]
    return "" if pinned else "latest"


def _split(name: str) -> tuple[str, str]:
    """Return the registry of a name, and the path in it.

    The first part is a registry if nothing else could look like it: it has a dot, a port or an upper-case letter, or is
    `localhost` (`splitDockerDomain`).
    """
    first, slash, path = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        first, path = HUB, name
    if first in _HUBS:
        return HUB, path if "/" in path else f"library/{path}"
    return first, path
