"""The commands of a release for the container engine, and for a registry through the engine's client.

Images are pushed for one platform each, under their own tags, and joined in an index. `docker manifest` does that
without the engine, so a rehearsal with a registry on loopback runs the same commands as a release.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence

from tools.release.version import RefusedError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def runs() -> bool:
    """Whether a container engine responds."""
    return shutil.which("docker") is not None and _docker("info", "--format", "{{.ServerVersion}}", check=False) != ""


def platform() -> str:
    """Return the platform that the engine builds for, such as `amd64`, as images name it."""
    machine = _docker("info", "--format", "{{.Architecture}}").strip()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def here(image: str) -> bool:
    """Whether the engine has an image."""
    return _docker("image", "inspect", "--format", "here", image, check=False) != ""


def obtain(image: str) -> bool:
    """Pull an image if it is missing; return whether it is there now."""
    return here(image) or _docker("pull", "--quiet", image, check=False) != ""


def pull(image: str) -> None:
    """Pull an image as a runner does: without credentials.

    Raises:
        RefusedError: if it cannot be pulled.
    """
    if not _docker("pull", "--quiet", image, check=False):
        raise RefusedError(
            f"{image} cannot be pulled without a login, and a runner has none. Make the package public: on GitHub, Package "
            "settings, Change visibility."
        )


def push(image: str, tag: str) -> str:
    """Push an image under a tag, and return the digest of its manifest."""
    _docker("tag", image, tag)
    found = re.findall(rf"digest: ({_DIGEST.pattern})", _docker("push", tag))
    if len(found) != 1:
        raise RefusedError(f"`docker push {tag}` reported no digest.")
    return str(found[0])


def push_index(tag: str, digests: Sequence[str], *, insecure: bool = False) -> str:
    """Join the manifests of one repository, one per platform, in an index, and return the index's digest.

    `insecure` is for a registry on loopback, which has no certificate.
    """
    repository = tag.rpartition(":")[0]
    loose = ["--insecure"] if insecure else []
    _docker("manifest", "create", *loose, "--amend", tag, *(f"{repository}@{each}" for each in digests))
    output = _docker("manifest", "push", *loose, "--purge", tag)
    found = _DIGEST.findall(output)
    if not found:
        raise RefusedError(f"`docker manifest push {tag}` reported no digest.")
    return str(found[-1])


def platforms(reference: str, *, insecure: bool = False) -> set[str]:
    """Return the platforms of an index in its registry, such as `{"linux/amd64", "linux/arm64"}`."""
    loose = ["--insecure"] if insecure else []
    document = json.loads(_docker("manifest", "inspect", *loose, reference))
    each = [entry["platform"] for entry in document.get("manifests", [])]
    return {f"{one['os']}/{one['architecture']}" for one in each}


def forget(*images: str) -> None:
    """Remove images that a rehearsal made or pulled."""
    for image in images:
        _docker("image", "rm", "--force", image, check=False)


def _docker(*arguments: str, check: bool = True) -> str:
    """Return the client's output; empty if it failed and `check` is false."""
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    if done.returncode and check:
        raise RefusedError(f"`docker {' '.join(arguments)}` failed:\n{done.stderr.strip()}")
    return "" if done.returncode else done.stdout
