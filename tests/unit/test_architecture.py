"""The architecture: packages in order, no import cycles, small modules, and few that touch the outside."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROOMS = (
    "entrypoint",
    "__main__",
    "cli",
    "commands",
    "app",
    "doctor",
    "fleet",
    "rollback",
    "github",
    "report",
    "remedies",
    "rollout",
    "decision",
    "settings",
    "triggers",
    "setup",
    "contract",
    "service",
    "conditions",
    "registry",
    "branch",
    "http",
    "verdicts",
    "text",
)
"""From the top down: a package (a room) imports only from itself and from the packages after it."""

OUTSIDE = {
    "redeploy.__main__",
    "redeploy.cli",
    "redeploy.app",
    "redeploy.commands.doctor",
    "redeploy.commands.env",
    "redeploy.commands.init",
    "redeploy.commands.token",
    "redeploy.doctor.connect",
    "redeploy.doctor.run",
    "redeploy.github.client",
    "redeploy.github.connection",
    "redeploy.github.issue_client",
    "redeploy.github.record",
    "redeploy.github.runner",
    "redeploy.http.client",
    "redeploy.http.dial",
    "redeploy.registry.client",
    "redeploy.rollout.perform",
    "redeploy.rollout.workers",
    "redeploy.setup.disk",
    "redeploy.setup.env",
    "redeploy.setup.git",
    "redeploy.setup.init",
    "entrypoint",
}
"""The modules that may read a clock, the environment, a file or chance, or open a socket. All others are values in, values
out."""

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
    "queue",
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
"""Modules of the standard library that touch the outside: files, sockets, clocks, randomness, processes, the environment."""

IMPURE_CALLS = {"breakpoint", "input", "open", "print"}

LIBRARIES = {
    "requests": {"redeploy.http.client"},
    "urllib3": {"redeploy.http.client", "redeploy.http.dial"},
    "certifi": {"redeploy.http.client"},
    "github": {"redeploy.github.client", "redeploy.github.connection"},
    "backoff": {"redeploy.registry.client"},
    "cryptography": {"redeploy.doctor.connect"},
    "jsonschema": {"redeploy.contract.response_schema", "redeploy.settings.config.shape"},
    "re2": {"redeploy.conditions.pattern"},
    "yaml": {"redeploy.contract.document_text", "redeploy.settings.config.source"},
}
"""Which modules use which library; any other library needs a row here first."""

NOT_SHIPPED = {"sandbox", "tests", "tools"}

LONGEST = 300
"""The limit of lines in a module."""

FULLEST = 16
"""The limit of modules in a folder."""


def room_of(module: str) -> str:
    """The room of one of our modules; empty for the package itself, which every room may import."""
    parts = module.split(".")
    return parts[0] if parts[0] == "entrypoint" else parts[1] if len(parts) > 1 else ""


def imports(module: str, source: str, ours: Mapping[str, str]) -> Iterator[str]:
    """Every module that a source imports, wherever in it; `from package import module` names the module."""
    package = module.split(".") if _is_package(module, ours) else module.split(".")[:-1]
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield name if name in ours or name in IMPURE else base


@cache
def _nodes(source: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(source)))


def _is_package(module: str, ours: Mapping[str, str]) -> bool:
    return any(other.startswith(f"{module}.") for other in ours)


def violations(ours: Mapping[str, str]) -> list[str]:
    """The violations of the rules in the sources of these modules, one sentence each."""
    found: list[str] = []
    for module, source in ours.items():
        if room_of(module) not in {"", *ROOMS}:
            found.append(f"{module} stands in no room of ROOMS")
            continue
        for name in sorted(set(imports(module, source, ours))):
            error_kind = _fault_of_import(module, name)
            if error_kind:
                found.append(f"{module} imports {name}: {error_kind}")
        if module not in OUTSIDE:
            found += [f"{module} calls {name}(), which reaches the world" for name in _impure_calls(source)]
        if (lines := source.count("\n")) > LONGEST:
            found.append(f"{module} has {lines} lines, more than {LONGEST}: is it still one room?")
    return found + _full_folders(ours) + [f"circle: {' -> '.join(circle)}" for circle in _circles(ours)]


def _fault_of_import(module: str, name: str) -> str | None:
    room, top = room_of(module), name.partition(".")[0]
    if top in NOT_SHIPPED:
        return "it is not shipped"
    if top in {"redeploy", "entrypoint"}:
        other = room_of(name)
        if room == "":
            return "the package itself imports nothing of ours"
        if other and (other not in ROOMS or ROOMS.index(other) < ROOMS.index(room)):
            return f"{room} may not import {other}, which stands above it"
        return None
    if top in sys.stdlib_module_names:
        return "it reaches the world" if module not in OUTSIDE and {name, top} & IMPURE else None
    return None if module in LIBRARIES.get(top, ()) else "no row of LIBRARIES lets it"


def _impure_calls(source: str) -> list[str]:
    calls = (node.func for node in _nodes(source) if isinstance(node, ast.Call))
    return sorted({function.id for function in calls if isinstance(function, ast.Name)} & IMPURE_CALLS)


def _full_folders(ours: Mapping[str, str]) -> list[str]:
    folders: dict[str, int] = {}
    for module in ours:
        if not _is_package(module, ours) and module.count("."):
            folder = module.rpartition(".")[0]
            folders[folder] = folders.get(folder, 0) + 1
    return [
        f"{folder} holds {count} modules, more than {FULLEST}" for folder, count in folders.items() if count > FULLEST
    ]


def _circles(ours: Mapping[str, str]) -> list[list[str]]:
    """Find one import cycle through each module that is part of one, whether imports are early, late or for types only."""
    edges = {
        module: {name for name in imports(module, source, ours) if name in ours} for module, source in ours.items()
    }
    for module, targets in edges.items():
        targets.discard(module)
    found: list[list[str]] = []
    on_one: set[str] = set()
    for start in sorted(ours):
        ways = {start: [start]}
        waiting = [start]
        while waiting and start not in on_one:
            here = waiting.pop(0)
            for there in sorted(edges[here]):
                if there == start:
                    found.append([*ways[here], start])
                    on_one.update(ways[here])
                    break
                if there not in ways:
                    ways[there] = [*ways[here], there]
                    waiting.append(there)
    return found


def shipped_sources() -> dict[str, str]:
    """The source of every module in the image, by the module's name."""
    return {"entrypoint": (ROOT / "entrypoint.py").read_text(encoding="utf-8")} | sources_of("redeploy")


def test_the_packages_keep_the_rules_of_the_architecture() -> None:
    assert violations(shipped_sources()) == []


SANDBOX = (
    "__main__",
    "play",
    "scenarios",
    "worlds",
    "runner",
    "watchtower",
    "server",
    "network",
    "simulated_hosts",
    "simulation",
)
"""The rooms of the sandbox, in the same order: a room imports only from itself and from the rooms after it."""


def sources_of(folder: str) -> dict[str, str]:
    """The source of every module below a folder of the checkout, by the module's name."""
    sources = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return sources


def test_the_packages_of_the_sandbox_keep_their_order() -> None:
    sources = sources_of("sandbox")
    upward = [
        f"{module} imports {name}"
        for module, source in sources.items()
        for name in imports(module, source, sources)
        if name.startswith("sandbox.") and SANDBOX.index(room_of(name)) < SANDBOX.index(room_of(module))
    ]
    assert upward == []
    assert {room_of(module) for module in sources} == {"", *SANDBOX}


@pytest.mark.parametrize("folder", ["sandbox", "tools", "tests"])
def test_code_that_is_not_shipped_has_no_overfull_folder_and_no_import_cycle(folder: str) -> None:
    sources = sources_of(folder)
    assert _full_folders(sources) + _circles(sources) == []


def test_every_listed_package_and_outside_module_exists() -> None:
    sources = shipped_sources()
    assert sources.keys() >= OUTSIDE
    assert {room_of(module) for module in sources} == {"", *ROOMS}
    assert sources.keys() >= set().union(*LIBRARIES.values())


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        (
            "redeploy.settings.plan",
            "from redeploy.rollout import run",
            "settings may not import rollout, which stands above",
        ),
        ("redeploy.settings.plan", "from redeploy.rollout.run import run_rollout", "settings may not import rollout"),
        ("redeploy.settings.plan", "from ..rollout import run", "settings may not import rollout"),
        ("redeploy.text.secret", "def late():\n    from redeploy.http import client", "text may not import http"),
        ("redeploy.decision.stop", "import time", "reaches the world"),
        ("redeploy.decision.stop", "from os import environ", "reaches the world"),
        ("redeploy.decision.stop", "import os.path", "reaches the world"),
        ("redeploy.decision.stop", "from urllib import request", "reaches the world"),
        ("redeploy.decision.stop", "def late():\n    import socket", "reaches the world"),
        ("redeploy.decision.stop", "print('hello')", "calls print()"),
        ("redeploy.decision.stop", "import yaml", "no row of LIBRARIES lets it"),
        ("redeploy.rollout.run", "from requests import Session", "no row of LIBRARIES lets it"),
        ("redeploy.http.client", "from github import Github", "no row of LIBRARIES lets it"),
        ("redeploy.rollout.run", "import sandbox.world", "not shipped"),
        ("redeploy.cli", "from tests import conftest", "not shipped"),
        ("redeploy", "from redeploy import cli", "the package itself imports nothing of ours"),
        ("redeploy.helpers.strings", "", "stands in no room of ROOMS"),
        ("redeploy.helper", "", "stands in no room of ROOMS"),
        ("redeploy.decision.stop", "\n" * 301, "has 301 lines"),
        ("redeploy.text.secret", "from redeploy.text import markdown", "circle: "),
    ],
)
def test_a_violation_of_the_architecture_is_reported(module: str, source: str, expected: str) -> None:
    found = violations(_house() | {module: source})
    assert len(found) == 1
    assert expected in found[0]


def test_an_overfull_folder_is_reported() -> None:
    modules = {f"redeploy.text.word{number}": "" for number in range(17)}
    assert violations(modules) == ["redeploy.text holds 17 modules, more than 16"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "redeploy.decision.stop",
            "import json\nfrom urllib.parse import urlsplit\nfrom redeploy.settings import plan",
        ),
        ("redeploy.decision.stop", "from . import verdict\nfrom redeploy import __version__"),
        ("redeploy.http.client", "import socket\nimport requests\nfrom urllib3.util import Retry"),
        ("redeploy.github.client", "def late():\n    from github.GithubException import GithubException"),
        ("redeploy.rollout.workers", "import time\nfrom ..settings import plan"),
        ("redeploy.cli", "import os\nfrom redeploy import app\nfrom redeploy.http.client import Client"),
        ("entrypoint", "import sys\nfrom redeploy.cli import main"),
    ],
)
def test_allowed_imports_are_not_reported(module: str, source: str) -> None:
    assert violations(_house() | {module: source}) == []


def _house() -> dict[str, str]:
    modules = [
        "entrypoint",
        "redeploy",
        "redeploy.cli",
        "redeploy.app",
        "redeploy.decision",
        "redeploy.decision.stop",
        "redeploy.decision.verdict",
        "redeploy.github",
        "redeploy.github.client",
        "redeploy.http",
        "redeploy.http.client",
        "redeploy.rollout",
        "redeploy.rollout.run",
        "redeploy.rollout.workers",
        "redeploy.settings",
        "redeploy.settings.plan",
        "redeploy.text",
        "redeploy.text.markdown",
        "redeploy.text.secret",
    ]
    return dict.fromkeys(modules, "") | {"redeploy.text.markdown": "from redeploy.text.secret import Secret"}


PLAIN_DEPLOY = """
import subprocess
import sys
from redeploy.http import client, response
from redeploy import app
from redeploy.report import outputs, summary
from redeploy.rollout import perform, workers
from redeploy.triggers.watchtower import requests as watchtower
from sandbox.simulation import World, simulate
story = simulate(World(lambda moment, _: response.Response(200, {}, b'{"commit": "%d"}' % (1 + (moment > 2)))))
assert story.verdict == ("deployed", ""), story.verdict
outputs.outputs(story.outcome), summary.page(story.outcome, summary.Repository())
print(*sys.modules)
"""


def test_a_plain_deploy_loads_nothing_that_only_some_runs_need() -> None:
    command = [sys.executable, "-c", PLAIN_DEPLOY]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(ran.stdout.split())
    assert {"redeploy.app", "redeploy.decision.verdict", "requests"} <= loaded
    libraries = {"asyncio", "backoff", "cryptography", "github", "jsonschema", "re2", "yaml"}
    rooms = (
        "redeploy.registry.",
        "redeploy.rollback.",
        "redeploy.fleet.",
        "redeploy.report.several",
        "redeploy.doctor.",
        "redeploy.setup.",
        "redeploy.branch.",
        "redeploy.settings.config.",
        "redeploy.github.client",
        "redeploy.github.connection",
        "redeploy.github.issue",
    )
    ours = {module for module in loaded if module.startswith(rooms)} - ALWAYS
    assert (loaded & libraries, ours) == (set(), set())


ALWAYS = {"redeploy.registry.access", "redeploy.registry.known_manifests"}
"""Settings that every plan has, and the test whether two digests are of one image."""
