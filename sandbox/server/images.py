"""The image of a build as a registry keeps it: a configuration, a manifest for each platform, and an index over them.

Every byte follows from the build's name, so that digests can be named before anything is pushed.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True)
class Blob:
    """Bytes with their media type."""

    media_type: str
    body: bytes

    @property
    def digest(self) -> str:
        """The digest of the bytes."""
        return "sha256:" + hashlib.sha256(self.body).hexdigest()

    @property
    def descriptor(self) -> dict[str, object]:
        """The descriptor by which other documents refer to them."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}


@dataclass(frozen=True)
class Image:
    """One image for two platforms, with the attestation that BuildKit adds."""

    index: Blob
    manifests: tuple[Blob, ...]
    configurations: tuple[Blob, ...]

    @property
    def platform(self) -> Blob:
        """The manifest for linux/amd64."""
        return self.manifests[-1]


@cache
def image_of(name: str, revision: str, *, attested: str = "", media_type: str = INDEX) -> Image:
    """The image of a build; its label names the commit, if there is one. Another attestation makes another index."""
    manifests, configurations, rows = [], [], []
    for architecture in ("arm64", "amd64"):
        labels = {"org.opencontainers.image.revision": revision} if revision else {}
        configuration = _document(
            CONFIGURATION,
            created="2026-01-01T00:00:00Z",
            architecture=architecture,
            os="linux",
            config={"Cmd": ["serve", name], "Labels": labels},
            rootfs={"type": "layers", "diff_ids": []},
        )
        manifest = _document(MANIFEST, mediaType=MANIFEST, config=configuration.descriptor, layers=[])
        configurations.append(configuration)
        manifests.append(manifest)
        rows.append({**manifest.descriptor, "platform": {"architecture": architecture, "os": "linux"}})
    attestation = _document(
        CONFIGURATION, architecture="unknown", os="unknown", config={"Cmd": [attested]} if attested else {}
    )
    manifest = _document(MANIFEST, mediaType=MANIFEST, config=attestation.descriptor, layers=[])
    rows.insert(0, {**manifest.descriptor, "platform": {"architecture": "unknown", "os": "unknown"}})
    index = _document(media_type, mediaType=media_type, manifests=rows)
    return Image(index, (manifest, *manifests), (attestation, *configurations))


def _document(media_type: str, **fields: object) -> Blob:
    return Blob(media_type, json.dumps({"schemaVersion": 2, **fields}).encode())
