"""Checks that an image of the action has all that a run needs, and nothing else: `python3 -m tools.image.check TAG`.

Needs only the engine's client and the standard library.
"""

import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import PurePath

from tools.image.files import files_of

PYTHON = "/opt/redeploy/bin/python"

_MISSING = """
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
                print(source, "imports", name, "which is not there")
if not socket.getaddrinfo("localhost", 443):
    print("no host name is resolved")
if not ssl.create_default_context().get_ca_certs():
    print("no certificate authority is trusted")
import github, nacl.public
"""
"""Prints the modules that cannot be imported. An import inside a function fails only in a run that needs it."""


def problems(image: str) -> list[str]:
    """Return the problems of an image, one sentence each.

    Raises:
        subprocess.CalledProcessError: if the engine does not know the image, or its interpreter does not start.
    """
    with files_of(image) as files:
        listed = list(files)
    return [*_programs(listed), *_without_licence(listed), *_missing(image)]


def _programs(listed: Sequence[tarfile.TarInfo]) -> list[str]:
    runnable = [each.name for each in listed if each.isfile() and each.mode & 0o111 and each.size]
    programs = [each for each in runnable if ".so" not in PurePath(each).name]
    if [PurePath(each).name.rstrip("0123456789.") for each in programs] == ["python"]:
        return []
    return [f"The interpreter should be the only program; there are {', '.join(programs) or 'none'}."]


def _without_licence(listed: Sequence[tarfile.TarInfo]) -> list[str]:
    licences = {PurePath(each.name).parts[-2] for each in listed if PurePath(each.name).name == "copyright"}
    owned = {"libc.so.6": "libc6", "libssl.so.3": "libssl3"}
    there = {PurePath(each.name).name for each in listed}
    return [
        f"{library} is there without the licence of {package}."
        for library, package in owned.items()
        if library in there and not any(each.startswith(package) for each in licences)
    ]


def _missing(image: str) -> list[str]:
    isolated = ("--rm", "--interactive", "--network", "none", "--read-only", "--entrypoint", PYTHON)
    command = ["docker", "run", *isolated, image, "-I", "-"]
    run = subprocess.run(command, input=_MISSING, check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout.splitlines()


if __name__ == "__main__":
    wrong = problems(sys.argv[1])
    sys.stderr.write("".join(f"{each}\n" for each in wrong))
    sys.exit(bool(wrong))
