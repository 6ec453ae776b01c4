"""Makes a virtual environment with exactly the packages of a lock: `python3 requirements/install.py FOLDER LOCK`.

It needs only the standard library, because it runs before anything is installed. An environment that was made from the same
lock is kept; otherwise it is made from scratch, so that a set-up that failed or was interrupted can be run again.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

MARK = "lock.txt"
"""The copy of the lock in a virtual environment. It is written last."""
_LOCKED = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
"""The lock names every package, so nothing is looked up that may change from day to day: no dependency, and nothing to build
a package with."""
_VERSION = "python{}.{}".format(*sys.version_info)


class SetUpError(Exception):
    """A step failed; the message says what to do about it."""


def main(arguments: Sequence[str]) -> int:
    """Make the virtual environment if it is not there, and return the exit code."""
    parser = argparse.ArgumentParser(description="Makes a virtual environment with exactly the packages of a lock.")
    parser.add_argument("folder", type=Path, help="where to make it")
    parser.add_argument("lock", type=Path, help="a file of pinned versions with their hashes")
    parser.add_argument("--lean", action="store_true", help="skip what only a developer needs in it")
    options = parser.parse_args(arguments)
    if is_ready(options.folder, options.lock):
        return 0
    try:
        _make(options.folder, options.lock, lean=options.lean)
    except SetUpError as failed:
        _say(f"\nSetting up {options.folder} failed. {failed}\nNothing has to be removed before it is run again.")
        return 1
    except KeyboardInterrupt:
        _say(f"\nSetting up {options.folder} was interrupted. Run it again; it starts over.")
        return 130
    return 0


def is_ready(folder: Path, lock: Path) -> bool:
    """Return whether the environment is complete, with its interpreter, which an update of the system may have removed."""
    mark = folder / MARK
    if not mark.is_file() or mark.read_bytes() != lock.read_bytes():
        return False
    try:
        return subprocess.run([_python(folder), "-c", ""], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def advice(said: str) -> str:
    """Return what to do about a `pip install` that failed with the message `said`."""
    if "DO NOT MATCH THE HASHES" in said:
        return (
            "The package index sent another file than the one that is locked, as a mirror or a proxy may. Name another "
            "index with PIP_INDEX_URL=https://... and run it again."
        )
    if "No space left on device" in said:
        return "The disk is full. Free about 500 MB, or move the checkout, and run it again."
    unreached = ("Retrying (", "Connection", "SSLError", "CERTIFICATE_VERIFY_FAILED", "Temporary failure", "timed out")
    if not any(sign in said for sign in unreached) and "No matching distribution found" in said:
        return (
            f"The package index has no build of that package for {_VERSION} on {sysconfig.get_platform()}. Add "
            "PYTHON=/path/to/python3 with another Python (3.11 or newer) to the same command or, if your index is a mirror, "
            "name a more complete one with PIP_INDEX_URL=https://..., and run it again."
        )
    return (
        "If pip could not reach the package index, name your network's proxy with HTTPS_PROXY=http://..., its mirror with "
        "PIP_INDEX_URL=https://... or its certificate authority with PIP_CERT=/path/to/ca.pem in the environment, and run "
        "it again."
    )


def _make(folder: Path, lock: Path, *, lean: bool) -> None:
    _say(f"Setting up {folder} with Python {sys.version.split()[0]}, which is needed only once:")
    (folder / MARK).unlink(missing_ok=True)
    _say("- a virtual environment")
    try:
        _make_empty(folder, lean=lean)
    except (ImportError, subprocess.CalledProcessError) as failed:
        raise SetUpError(
            f"{sys.executable} cannot make a virtual environment: {failed}. On Debian and Ubuntu its venv module is a "
            f"package of its own: apt-get install {_VERSION}-venv"
        ) from failed
    except OSError as failed:
        raise SetUpError(f"{failed.filename or folder}: {failed.strerror}.") from failed
    count = sum("==" in line and "sys_platform == 'win32'" not in line for line in lock.read_text().splitlines())
    _say(f"- the {count} packages of {lock}")
    _install(folder, lock, lean=lean)
    _say("- a check that they fit together")
    checked = subprocess.run(_pip(folder, "check"), check=False, stdout=subprocess.PIPE, text=True)
    if checked.returncode:
        raise SetUpError(
            f"{checked.stdout}The packages of {lock} do not fit together; lock them again with `make lock`."
        )
    (folder / MARK).write_bytes(lock.read_bytes())


def _make_empty(folder: Path, *, lean: bool) -> None:
    """Make a new virtual environment, with pip if this Python can provide it; what was there is removed."""
    command = [sys.executable, "-P", "-m", "venv", "--clear"]
    try:
        import ensurepip
    except ImportError:  # Debian's Python without its package for venv
        if importlib.util.find_spec("pip") is None:
            raise
        subprocess.run([*command, "--without-pip", str(folder)], check=True)
        return
    # ensurepip takes seconds to compile pip; unpacked, it is compiled as far as it is used.
    bundled = [
        Path(ensurepip.__file__).parent / "_bundled",
        Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or os.devnull),
    ]
    wheel = next((path for place in bundled for path in place.glob("pip-*.whl")), None) if lean else None
    if wheel is None:
        subprocess.run([*command, str(folder)], check=True)
        return
    subprocess.run([*command, "--without-pip", str(folder)], check=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(_place(folder, "purelib"))


def _install(folder: Path, lock: Path, *, lean: bool) -> None:
    flags = ["--quiet", "--no-input", *_LOCKED, *(["--no-compile"] if lean else []), "--requirement", str(lock)]
    said = []
    with subprocess.Popen(_pip(folder, "install", *flags), stderr=subprocess.PIPE, text=True) as installing:
        for line in installing.stderr or ():
            sys.stderr.write(line)
            said.append(line)
    if installing.returncode:
        raise SetUpError(advice("".join(said)))


def _pip(folder: Path, *arguments: str) -> list[str]:
    inside = (_place(folder, "purelib") / "pip").is_dir()
    python = (
        [_python(folder), "-P", "-m", "pip"] if inside else [sys.executable, "-P", "-m", "pip", "--python", str(folder)]
    )
    return [*python, "--disable-pip-version-check", *arguments]


def _python(folder: Path) -> str:
    return str(_place(folder, "scripts") / ("python.exe" if sys.platform == "win32" else "python"))


def _place(folder: Path, kind: str) -> Path:
    """Return where a virtual environment on this system has its packages (`purelib`) or its programs (`scripts`)."""
    return Path(sysconfig.get_path(kind, "venv", {"base": str(folder)}))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
