"""A registry on loopback for a rehearsal: a program of this machine, otherwise a container."""

import contextlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.release import engine
from tools.release.version import RefusedError

_CONTAINER = "registry:2"
_PATIENCE = 20.0
"""Seconds within which it must respond."""
_SETTINGS = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}}}
http:
  addr: 127.0.0.1:{port}
"""


def obtainable() -> bool:
    """Whether a registry can be started here."""
    return shutil.which("docker-registry") is not None or engine.obtain(_CONTAINER)


@contextmanager
def standing(folder: Path, port: int) -> Iterator[str]:
    """Run a registry for a while, with its data in `folder`, and yield its address.

    Raises:
        RefusedError: if it does not respond in time.
    """
    address = f"127.0.0.1:{port}"
    program = shutil.which("docker-registry")
    if program:
        settings = folder / "registry.yml"
        settings.write_text(_SETTINGS.format(folder=folder / "data", port=port), encoding="utf-8")
        command = [program, "serve", str(settings)]
    else:
        command = ["docker", "run", "--rm", "--publish", f"{address}:5000", _CONTAINER]
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(process, address)
            yield address
        finally:
            process.terminate()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/v2/", timeout=2):
            return
        time.sleep(0.1)
    raise RefusedError(f"The registry at {address} did not respond within {_PATIENCE:g} s.")
