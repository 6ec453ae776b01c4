"""Manifests: what a registry stores under a tag, and what a run reads from one.

Media types and fields are those of the OCI image specification (`manifest.md`, `image-index.md`) and of Docker's
"Image Manifest Version 2, Schema 2".
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from redeploy.http.response import Response
from redeploy.registry.image import is_digest
from redeploy.text.untrusted import code

CAP = 4 * 1024 * 1024
"""Bytes of a manifest (distribution's own limit, `handlers/manifests.go`), and of a configuration."""

REVISION = "org.opencontainers.image.revision"
"""The label that names the commit (OCI image specification, `annotations.md`)."""

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
IMAGES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
ACCEPT = ", ".join((*INDEXES, *IMAGES))

_OTHERS = frozenset(
    {
        "application/json",
        "application/octet-stream",
        "application/problem+json",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.oci.artifact.manifest.v1+json",
        "application/xml",
        "text/html",
        "text/plain",
        "text/xml",
    }
)
"""Types of responses that may come instead of a readable manifest."""

_MOST_CHILDREN = 1000


@dataclass(frozen=True)
class Manifest:
    """The exact bytes of a manifest, and their meaning."""

    digest: str
    media_type: str
    body: bytes
    children: tuple[str, ...] = ()
    """Of an index: the digests of its platforms' manifests, that of linux/amd64 first."""
    config: str = ""
    """Of an image: the digest of its configuration."""

    def is_of(self, digest: str) -> bool:
        """Return whether a digest is that of this manifest or, if it is an index, of one of its platforms."""
        return digest == self.digest or digest in self.children


def digest_of(body: bytes) -> str:
    """Return the digest of some bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def read(reply: Response, wanted: str = "") -> Manifest:
    """Return the manifest in a response, which must have the `wanted` digest, if one is given.

    Raises:
        ValueError: with what the registry sent instead.
    """
    digest, reported = digest_of(reply.body), reply.headers.get("docker-content-digest", "")
    document = reply.json
    media_type = reply.media_type
    if not isinstance(document, dict) or media_type not in (*INDEXES, *IMAGES):
        msg = f"it sends {_kind_of(reply)} instead of a manifest"
        raise ValueError(msg)
    if digest != (wanted or reported or digest):
        expected = wanted or (reported if is_digest(reported) else "")  # otherwise it may be anything, even our token
        msg = (
            f"what it sends has the digest `{digest}` instead of {code(expected) if expected else 'the one it reports'}"
        )
        raise ValueError(msg)
    children = tuple(_platforms(document)) if media_type in INDEXES else ()
    config = document.get("config") if media_type in IMAGES else None
    configured = config.get("digest") if isinstance(config, dict) else None
    return Manifest(
        digest,
        media_type,
        reply.body,
        children,
        configured if isinstance(configured, str) and is_digest(configured) else "",
    )


def revision_of(body: bytes) -> str:
    """Return the commit in an image's configuration; empty if it names none."""
    configuration = Response(200, {}, body).json  # whichever type a store gives it
    config = configuration.get("config") if isinstance(configuration, dict) else None
    labels = config.get("Labels") if isinstance(config, dict) else None
    label = labels.get(REVISION) if isinstance(labels, dict) else None
    return label.strip() if isinstance(label, str) and label.isprintable() and len(label) <= 256 else ""


def _kind_of(reply: Response) -> str:
    """Return what came instead of a manifest. A type that is not listed is not quoted: it may be anything, even a secret."""
    if reply.is_html:
        return "a web page"
    if reply.media_type in (*INDEXES, *IMAGES, *_OTHERS):
        return code(reply.media_type)
    return "a document of another type" if reply.media_type else "a document without a type"


def _platforms(index: dict[str, Any]) -> Iterator[str]:
    """Yield the digests of an index that are images: BuildKit puts attestations under the platform `unknown`."""
    listed = index.get("manifests")
    rows = [row for row in listed[:_MOST_CHILDREN] if isinstance(row, dict)] if isinstance(listed, list) else []

    def platform(row: dict[str, Any]) -> tuple[object, object]:
        named = row.get("platform")
        return (named.get("os"), named.get("architecture")) if isinstance(named, dict) else (None, None)

    for row in sorted(rows, key=lambda each: platform(each) != ("linux", "amd64")):
        digest = row.get("digest")
        if isinstance(digest, str) and is_digest(digest) and platform(row)[0] != "unknown":
            yield digest
