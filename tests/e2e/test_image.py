"""The action's own image: all that a run needs, nothing else, and soon pulled."""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from typing import cast

import docker
import pytest

from tests.e2e.parts.images import ACTION
from tests.e2e.parts.registry import Registry

MOST = 28_000_000
"""Bytes that a pull may transfer: a job waits for them before its first step."""

PYTHON = "/opt/redeploy/bin/python"

MISSING = """
import ast, importlib.util, os, pathlib, socket, ssl, sys

sys.path.insert(0, "/app")
for source in pathlib.Path("/app").rglob("*.py"):
    if not os.path.exists(importlib.util.cache_from_source(str(source))):
        print(source, "has no bytecode")
    for node in ast.walk(ast.parse(source.read_bytes())):
        named = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        for name in [*named, *([node.module] if isinstance(node, ast.ImportFrom) else [])]:
            try:
                found = importlib.util.find_spec(name)
            except ModuleNotFoundError:
                found = None
            if found is None:
                print(source, "imports", name)
if not socket.getaddrinfo("localhost", 443):
    print("no name is resolved")
if not ssl.create_default_context().get_ca_certs():
    print("no authority is trusted")
import github, nacl.public
"""
"""Prints what of the action could not run in the image. An import inside a function fails only in a run that needs it."""


@pytest.fixture(scope="module")
def files(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tarfile.TarInfo]]:
    """What is in the image, as a container without a process shows it."""
    held = tmp_path_factory.mktemp("image") / "image.tar"
    container = client.containers.create(ACTION)
    try:
        with held.open("wb") as archive:
            archive.writelines(cast("Iterator[bytes]", container.export()))
    finally:
        container.remove()
    with tarfile.open(held) as tar:
        yield tar.getmembers()


def test_the_interpreter_is_the_only_program(files: list[tarfile.TarInfo]) -> None:
    runnable = [PurePath(each.name).name for each in files if each.isfile() and each.mode & 0o111 and each.size]
    programs = [each for each in runnable if ".so" not in each]
    assert [each.rstrip("0123456789.") for each in programs] == ["python"]


def test_every_import_of_the_action_is_there(client: docker.DockerClient) -> None:
    missing = client.containers.run(
        ACTION, ["-I", "-c", MISSING], entrypoint=PYTHON, network_mode="none", read_only=True, remove=True
    )
    assert missing.decode() == ""


def test_libraries_come_with_their_licences(files: list[tarfile.TarInfo]) -> None:
    licences = {each.name for each in files if PurePath(each.name).name == "copyright"}
    assert {"usr/share/doc/libc6/copyright", "usr/share/doc/libssl3/copyright"} <= licences


def test_a_pull_transfers_little(hub: Registry, files: list[tarfile.TarInfo]) -> None:
    reference = hub.reference("the-action:weighed")
    hub.push(reference, ACTION)
    layers = json.loads(hub.manifest(reference).body)["layers"]
    transferred = sum(each["size"] for each in layers)
    assert transferred <= MOST, f"{transferred / 1e6:.1f} MB; its largest parts, before compression:\n{_parts(files)}"


def _parts(files: list[tarfile.TarInfo]) -> str:
    """What is in the image, largest first: a package, or a folder two levels below the root."""
    parts = Counter[str]()
    for each in files:
        parts["/".join(PurePath(each.name).parts[: 6 if "site-packages" in each.name else 3])] += each.size
    return "\n".join(f"{size / 1e6:6.1f} MB  {name}" for name, size in parts.most_common(20))
