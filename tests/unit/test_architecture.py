"""Imports run one way: entrypoint -> cli -> commands -> stories -> adapters -> core -> http."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

IMPURE = {
    "asyncio",
    "concurrent",
    "ctypes",
    "fileinput",
    "ftplib",
    "getpass",
    "glob",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "platform",
    "random",
    "secrets",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uuid",
    "webbrowser",
}
"""Modules of the standard library that reach the world: files, sockets, clocks, chance, processes, the environment."""

PURE = {
    "redeploy.core.promise": {"jsonschema"},
    "redeploy.core.document_text": {"yaml"},
}
"""Libraries that modules of the core lean on: values in, values out, like the core itself."""

IMPURE_CALLS = {"breakpoint", "input", "open", "print"}

PURE_ROOMS = {"core", "http"}
"""Rooms of values in, values out."""

ALLOWED = {
    "entrypoint": {"cli"},
    "cli": {"command", "story", "adapter", "core", "http", "package"},
    "command": {"story", "adapter", "core", "http", "package"},
    "story": {"story", "adapter", "core", "http", "package"},
    "adapter": {"wire", "core", "http", "package"},
    "wire": set[str](),
    "core": {"core", "http", "package"},
    "http": {"http", "package"},
    "package": set[str](),
}
"""Which rooms each room may import from. `package` is `redeploy` itself, whose `__init__` imports nothing of ours."""


def room_of(module: str) -> str:
    """The room that a module of ours lives in."""
    match module.split("."):
        case ["entrypoint"]:
            return "entrypoint"
        case ["redeploy"]:
            return "package"
        case ["redeploy", "core", *_]:
            return "core"
        case ["redeploy", "http", *_]:
            return "http"
        case ["redeploy", "adapters", "dial"]:
            return "wire"  # connections, which several adapters make
        case ["redeploy", "adapters", *_]:
            return "adapter"
        case ["redeploy", "cli" | "__main__"]:
            return "cli"
        case ["redeploy", "commands", *_]:
            return "command"
        case ["redeploy", _]:
            return "story"
        case _:
            return "outside"


def imports(module: str, source: str, ours: Mapping[str, str]) -> Iterator[str]:
    """Every module that a source imports, wherever in it; `from package import module` names the module."""
    package = module.split(".") if _is_package(module, ours) else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield name if name in ours or name in IMPURE else base


def _is_package(module: str, ours: Mapping[str, str]) -> bool:
    return any(other.startswith(f"{module}.") for other in ours)


def violations(ours: Mapping[str, str]) -> list[str]:
    """What the sources of these modules do against the rules, one sentence each."""
    found: list[str] = []
    for module, source in ours.items():
        for name in sorted(set(imports(module, source, ours))):
            fault = _fault_of_import(module, name)
            if fault:
                found.append(f"{module} imports {name}: {fault}")
        if room_of(module) in PURE_ROOMS:
            found += [f"{module} calls {name}(), which reaches the world" for name in _impure_calls(source)]
    return found


def _fault_of_import(module: str, name: str) -> str | None:
    room = room_of(module)
    top = name.partition(".")[0]
    fault = None
    if top in {"sandbox", "tests", "bench", "preview"}:
        fault = "it is not shipped"
    elif top in {"redeploy", "entrypoint"}:
        if room_of(name) not in ALLOWED[room] and name != module:
            fault = f"{room} may not import {room_of(name)}"
    elif top in {"requests", "urllib3"}:
        if module not in ("redeploy.adapters.http", "redeploy.adapters.dial"):
            fault = "only redeploy.adapters.http may"
    elif top == "github":
        if module != "redeploy.adapters.github":
            fault = "only redeploy.adapters.github may"
    elif room in PURE_ROOMS and top not in sys.stdlib_module_names and top not in PURE.get(module, ()):
        fault = "it is not of the standard library"
    elif room in PURE_ROOMS and {name, top} & IMPURE:
        fault = "it reaches the world"
    return fault


def _impure_calls(source: str) -> list[str]:
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return sorted({function.id for function in calls if isinstance(function, ast.Name)} & IMPURE_CALLS)


def shipped_sources() -> dict[str, str]:
    """The source of every module that the image holds, by the module's name."""
    sources = {"entrypoint": (ROOT / "entrypoint.py").read_text(encoding="utf-8")}
    for path in sorted((ROOT / "redeploy").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


def test_imports_run_one_way() -> None:
    assert violations(shipped_sources()) == []


def test_every_shipped_module_is_looked_at() -> None:
    sources = shipped_sources()
    assert {"entrypoint", "redeploy", "redeploy.core", "redeploy.adapters", "redeploy.core.inputs"} <= sources.keys()


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("redeploy.core.plan", "from redeploy.adapters import http", "core may not import adapter"),
        ("redeploy.core.plan", "from redeploy.adapters.http import Client", "core may not import adapter"),
        ("redeploy.core.plan", "from ..adapters import http", "core may not import adapter"),
        ("redeploy.core.plan", "from .. import deploy", "core may not import story"),
        ("redeploy.core.plan", "import time", "reaches the world"),
        ("redeploy.core.plan", "from os import environ", "reaches the world"),
        ("redeploy.core.plan", "import os.path", "reaches the world"),
        ("redeploy.core.plan", "from urllib import request", "reaches the world"),
        ("redeploy.core.plan", "def late():\n    import socket", "reaches the world"),
        ("redeploy.core.plan", "import yaml", "not of the standard library"),
        ("redeploy.core.plan", "import requests", "only redeploy.adapters.http may"),
        ("redeploy.core.plan", "print('hello')", "calls print()"),
        ("redeploy.http.response", "from redeploy.core.plan import Plan", "http may not import core"),
        ("redeploy.http.response", "from redeploy.adapters.http import Client", "http may not import adapter"),
        ("redeploy.http.response", "import socket", "reaches the world"),
        ("redeploy.http.response", "import requests", "only redeploy.adapters.http may"),
        ("redeploy.adapters.service", "from redeploy.adapters.http import Client", "adapter may not import adapter"),
        ("redeploy.adapters.service", "from . import http", "adapter may not import adapter"),
        ("redeploy.adapters.service", "import redeploy.deploy", "adapter may not import story"),
        ("redeploy.adapters.service", "import urllib3.util", "only redeploy.adapters.http may"),
        ("redeploy.deploy", "from redeploy import cli", "story may not import cli"),
        ("redeploy.deploy", "from requests import Session", "only redeploy.adapters.http may"),
        ("redeploy.adapters.http", "from github import Github", "only redeploy.adapters.github may"),
        ("redeploy.adapters.github", "import requests", "only redeploy.adapters.http may"),
        ("redeploy.deploy", "import sandbox.world", "not shipped"),
        ("redeploy.cli", "from tests import conftest", "not shipped"),
        ("redeploy.cli", "from preview.page import page", "not shipped"),
        ("redeploy", "from redeploy import cli", "package may not import cli"),
        ("entrypoint", "from redeploy.deploy import deploy", "entrypoint may not import story"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str, expected: str) -> None:
    found = violations(_house() | {module: source})
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("redeploy.core.plan", "import json\nfrom urllib.parse import urlsplit\nfrom redeploy.core import window"),
        ("redeploy.core.plan", "from . import window\nfrom redeploy import __version__"),
        ("redeploy.core.plan", "from redeploy.http.response import Reply"),
        ("redeploy.http.response", "import json\nfrom redeploy import __version__"),
        ("redeploy.adapters.http", "import socket\nimport requests\nfrom urllib3.util import Retry"),
        ("redeploy.adapters.github", "def late():\n    from github.GithubException import GithubException"),
        ("redeploy.adapters.service", "import time\nfrom ..core import plan"),
        ("redeploy.deploy", "from redeploy.adapters import http, service\nfrom redeploy.core.plan import Plan"),
        ("redeploy.cli", "import os\nfrom redeploy import deploy\nfrom redeploy.adapters.http import Client"),
        ("entrypoint", "import sys\nfrom redeploy.cli import main"),
    ],
)
def test_an_allowed_import_is_not(module: str, source: str) -> None:
    assert violations(_house() | {module: source}) == []


def _house() -> dict[str, str]:
    modules = [
        "entrypoint",
        "redeploy",
        "redeploy.cli",
        "redeploy.deploy",
        "redeploy.adapters",
        "redeploy.adapters.github",
        "redeploy.adapters.http",
        "redeploy.adapters.service",
        "redeploy.core",
        "redeploy.core.plan",
        "redeploy.core.window",
        "redeploy.http",
        "redeploy.http.response",
    ]
    return dict.fromkeys(modules, "")


PLAIN_DEPLOY = """
import subprocess
import sys
from redeploy.adapters import crew, http, service, watchtower
from redeploy import action
from redeploy.core import report, summary
from sandbox.simulation import World, tell
story = tell(World(lambda moment, _: http.Reply(200, {}, b'{"commit": "%d"}' % (1 + (moment > 2)))))
assert story.verdict == ("deployed", ""), story.verdict
report.outputs(story.outcome), summary.page(story.outcome, summary.Repository())
print(*sys.modules)
"""


def test_a_plain_deploy_loads_nothing_that_only_some_runs_need() -> None:
    command = [sys.executable, "-c", PLAIN_DEPLOY]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(ran.stdout.split())
    assert {"redeploy.action", "redeploy.core.verdict", "requests"} <= loaded
    libraries = {"asyncio", "backoff", "github", "jsonschema", "yaml"}
    ours = {
        "adapters.github",
        "adapters.registry",
        "rollback",
        *(f"core.{name}" for name in ("challenge", "image", "lookup", "manifest")),
        *(f"core.{name}" for name in ("aftermath", "attempt", "rollback", "rolled")),
    }
    assert loaded & (libraries | {f"redeploy.{name}" for name in ours}) == set()
