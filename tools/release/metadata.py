"""The image in `action.yml`: the Dockerfile in the tree, an image by its digest in a release."""

import re

from tools.release.version import RefusedError

IMAGE = "ghcr.io/leok974/redeploy-action"
"""The repository in which releases are published."""

_OF_TREE = re.compile(r"(?m)^  image: Dockerfile$")
_OF_RELEASE = re.compile(r"(?m)^  image: docker://(\S+)$")
_BY_DIGEST = re.compile(r"[a-z0-9.:/_-]+@sha256:[0-9a-f]{64}")


def with_image(text: str, reference: str) -> str:
    """Return an `action.yml` that runs an image instead of building the Dockerfile beside it.

    Raises:
        RefusedError: if `reference` names no digest, or the text does not build the Dockerfile.
    """
    if not _BY_DIGEST.fullmatch(reference):
        raise RefusedError(f"{reference!r} does not name an image by its digest: write name@sha256:<64 hex digits>.")
    written, count = _OF_TREE.subn(f"  image: docker://{reference}", text)
    if count != 1:
        raise RefusedError(f"action.yml has {count} lines `  image: Dockerfile`, and a release replaces exactly one.")
    return written


def image_of(text: str) -> str:
    """Return the image that the `action.yml` of a release runs.

    Raises:
        RefusedError: if it does not run one by its digest.
    """
    found = _OF_RELEASE.findall(text)
    if len(found) != 1 or not _BY_DIGEST.fullmatch(found[0]):
        raise RefusedError("This action.yml does not run an image by its digest, so it is not that of a release.")
    return str(found[0])


def builds_tree(text: str) -> bool:
    """Whether this `action.yml` builds the Dockerfile beside it."""
    return len(_OF_TREE.findall(text)) == 1
