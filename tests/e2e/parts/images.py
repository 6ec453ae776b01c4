"""The images that the tests build themselves: the sandbox in containers."""

import contextlib
import io
import os
import tarfile

import docker
from docker.errors import ImageNotFound

from sandbox.watchtower.variants import VARIANTS, Variant
from tests.deploy_files import ROOT
from tests.e2e.parts.registry import CHECKOUT, SANDBOX

ACTION = os.environ.get("E2E_ACTION_IMAGE", "redeploy-action:local")
"""The action's image, as `make image` builds it."""


def build_sandbox(client: docker.DockerClient) -> None:
    """Build the sandbox's image, and from it one for each product line of Watchtower."""
    client.images.build(
        fileobj=_context(),
        custom_context=True,
        dockerfile="sandbox/Dockerfile",
        tag=SANDBOX,
        network_mode="host",
        rm=True,
    )
    for variant in VARIANTS:
        stand_in = f'FROM {SANDBOX}\nENV SANDBOX_VARIANT={variant}\nENTRYPOINT ["/watchtower"]'
        client.images.build(fileobj=io.BytesIO(stand_in.encode()), tag=watchtower(variant), rm=True)


def remove_sandbox(client: docker.DockerClient) -> None:
    """Remove all images that still exist: another run of the same checkout may have removed some."""
    for name in [*map(watchtower, VARIANTS), SANDBOX]:
        with contextlib.suppress(ImageNotFound):  # an error here would hide the report of the failure
            client.images.remove(name, force=True)


def watchtower(variant: Variant) -> str:
    """The image of the sandbox's Watchtower of this product line."""
    return f"redeploy-sandbox-{variant}:{CHECKOUT}"


def _context() -> io.BytesIO:
    """The files that the sandbox's Dockerfile copies; the action's .dockerignore would leave them out."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        for path in ("sandbox", "requirements/e2e.txt"):
            tar.add(ROOT / path, path, filter=lambda one: None if "__pycache__" in one.name else one)
    context.seek(0)
    return context
