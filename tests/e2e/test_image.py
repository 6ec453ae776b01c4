"""The action's own image: what a run needs, nothing else, and quick to pull."""

import json
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import PurePath

import docker

from tests.deploy_files import ROOT
from tests.e2e.parts.images import ACTION
from tests.e2e.parts.registry import Registry
from tools.image import check
from tools.image.files import files_of

MOST = 28_000_000
"""The maximum number of bytes of a pull: a job waits for it before its first step."""
ROUNDS = 5
SLOWER_AT_MOST = 1.3


def test_the_image_contains_what_a_run_needs_and_no_other_program() -> None:
    assert check.problems(ACTION) == []


def test_a_pull_is_small(hub: Registry) -> None:
    reference = hub.reference("the-action:weighed")
    hub.push(reference, ACTION)
    layers = json.loads(hub.manifest(reference).body)["layers"]
    transferred = sum(each["size"] for each in layers)
    assert transferred <= MOST, f"{transferred / 1e6:.1f} MB; its largest parts, before compression:\n{_parts()}"


def test_a_container_sends_its_first_request_about_as_soon_as_the_checkout(client: docker.DockerClient) -> None:
    in_container, outside = [], []
    for _ in range(ROUNDS):  # in turn, so that a machine that slows down slows both
        in_container.append(_first_request_of_a_container(client))
        outside.append(_first_request_of_the_checkout())
    assert statistics.median(in_container) <= SLOWER_AT_MOST * statistics.median(outside), (in_container, outside)


class _Listener:
    """Notes when the first connection comes, and answers nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(30)
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1/update"
        self.inputs = {"INPUT_WATCHTOWER-URL": url, "INPUT_WATCHTOWER-TOKEN": "a" * 32}

    def first(self) -> float:
        """Return when it came, in seconds since 1970."""
        with self._socket, self._socket.accept()[0]:
            return time.time()


def _first_request_of_a_container(client: docker.DockerClient) -> float:
    """Return the seconds from the start of the container."""
    listener = _Listener()
    container = client.containers.create(ACTION, network_mode="host", environment=listener.inputs)
    try:
        container.start()
        came = listener.first()
        container.reload()
        return came - datetime.fromisoformat(container.attrs["State"]["StartedAt"]).timestamp()
    finally:
        container.remove(force=True)


def _first_request_of_the_checkout() -> float:
    """Return the seconds from the start of the process."""
    listener, began = _Listener(), time.time()
    command = [sys.executable, "-I", "-u", str(ROOT / "entrypoint.py")]
    with subprocess.Popen(command, env=listener.inputs, stdout=subprocess.DEVNULL) as process:
        try:
            return listener.first() - began
        finally:
            process.kill()


def _parts() -> str:
    """The parts of the image, largest first: packages, and folders two levels below the root."""
    parts = Counter[str]()
    with files_of(ACTION) as files:
        for each in files:
            parts["/".join(PurePath(each.name).parts[: 6 if "site-packages" in each.name else 3])] += each.size
    return "\n".join(f"{size / 1e6:6.1f} MB  {name}" for name, size in parts.most_common(20))
