"""`requirements/install.py` with a package index on loopback that has a newer release of everything."""

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.package_index import serving, wheel

INSTALL = Path(__file__).resolve().parents[2] / "requirements" / "install.py"
BASE = [wheel("a-tool", "1.0", ["a-base[more]"]), wheel("a-base", "1.0")]


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with serving(dict(BASE)) as url:
        yield url


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return write(tmp_path / "demo.txt", *BASE)


def write(path: Path, *wheels: tuple[str, bytes]) -> Path:
    lines = []
    for name, content in wheels:
        project, version, *_ = name.split("-")
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f"{project.replace('_', '-')}=={version} \\\n    --hash=sha256:{digest}\n")
    path.write_text("".join(lines))
    return path


def set_up(
    lock: Path, index: str, *flags: str, python: tuple[str, ...] = (sys.executable,)
) -> "subprocess.CompletedProcess[str]":
    variables = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1"}
    command = [*python, str(INSTALL), *flags, str(lock.parent / "venv"), str(lock)]
    return subprocess.run(
        command, env={**variables, "NO_PROXY": "127.0.0.1", "PIP_NO_CACHE_DIR": "1"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def installed(lock: Path) -> list[str]:
    return sorted(path.name for path in (lock.parent / "venv").glob("lib/*/site-packages/a_*.dist-info"))


@pytest.mark.parametrize("flags", [(), ("--lean",)], ids=["whole", "lean"])
def test_the_locked_versions_are_installed_although_all_have_newer_releases(
    lock: Path, index: str, flags: tuple[str, ...]
) -> None:
    ran = set_up(lock, index, *flags)
    assert ran.returncode == 0, ran.stderr
    assert installed(lock) == ["a_base-1.0.dist-info", "a_tool-1.0.dist-info"]
    assert "the 2 packages of" in ran.stderr
    again = set_up(lock, "http://127.0.0.1:9/", *flags)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_python_without_ensurepip_uses_its_own_pip(lock: Path, index: str) -> None:
    without = "import runpy, sys; sys.modules['ensurepip'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    ran = set_up(lock, index, "--lean", python=(sys.executable, "-c", without))
    assert ran.returncode == 0, ran.stderr
    assert installed(lock) == ["a_base-1.0.dist-info", "a_tool-1.0.dist-info"]
    assert not list((lock.parent / "venv").glob("lib/*/site-packages/pip"))


def test_files_in_the_working_directory_are_never_imported(
    lock: Path, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pip", "venv", "ensurepip"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is not the module that was meant')\n")
    monkeypatch.chdir(tmp_path)
    ran = set_up(lock, index, "--lean")
    assert ran.returncode == 0, ran.stderr


def test_a_failed_set_up_says_what_to_do_and_can_be_run_again(lock: Path, index: str) -> None:
    failed = set_up(lock, "http://127.0.0.1:9/simple/", "--lean")
    assert failed.returncode == 1
    assert "HTTPS_PROXY=" in failed.stderr
    assert failed.stderr.endswith("Nothing has to be removed before it is run again.\n")
    assert set_up(lock, index, "--lean").returncode == 0
    assert installed(lock) != []


def test_an_interrupted_set_up_starts_over_and_a_new_lock_replaces_everything(lock: Path, index: str) -> None:
    assert set_up(lock, index, "--lean").returncode == 0
    (lock.parent / "venv" / "lock.txt").unlink()  # which is written last
    left = next(lock.parent.glob("venv/lib/*/site-packages/a_tool.py"))
    left.unlink()
    assert set_up(lock, index, "--lean").returncode == 0
    assert left.exists()
    write(lock, BASE[1])
    assert set_up(lock, index, "--lean").returncode == 0
    assert installed(lock) == ["a_base-1.0.dist-info"]


def test_an_environment_whose_python_is_missing_is_replaced(lock: Path, index: str) -> None:
    assert set_up(lock, index, "--lean").returncode == 0
    python = lock.parent / "venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert set_up(lock, index, "--lean").returncode == 0
    assert subprocess.run([python, "-c", ""], check=False).returncode == 0


def test_a_lock_that_lacks_a_dependency_fails_the_set_up(lock: Path, index: str) -> None:
    write(lock, BASE[0])
    failed = set_up(lock, index, "--lean")
    assert failed.returncode == 1
    assert "a-tool 1.0 requires a-base" in failed.stderr
    assert "`make lock`" in failed.stderr
    assert not (lock.parent / "venv" / "lock.txt").exists()


@pytest.fixture
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", INSTALL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "PIP_INDEX_URL="),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: No matching distribution found for rpds-py==1.0", "PYTHON=/path/to/python3"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: No matching distribution found for idna==1",
            "HTTPS_PROXY=",
        ),
        ("ERROR: something that never was", "HTTPS_PROXY="),
    ],
)
def test_the_advice_fits_the_output_of_pip(program: ModuleType, output: str, advice: str) -> None:
    assert advice in program.advice(output)
