"""Gather what a run of the action needs below one folder, which becomes the whole image.

The build stage of the Dockerfile runs it with only the standard library: `assemble.py VENV APP FOLDER`. The folder
gets the interpreter and its standard library, the packages of the virtual environment, the shared libraries that these load,
the certificates of the system, and no other program: no shell, no package manager.
"""

import compileall
import os
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

UNUSED_LIBRARY = frozenset(
    {
        *("idlelib", "tkinter", "turtle.py", "turtledemo"),  # windows
        *("curses", "pdb.py", "pydoc.py", "pydoc_data", "rlcompleter.py"),  # a person at a terminal
        *("dbm", "sqlite3", "wsgiref", "xmlrpc"),  # databases and servers
        *("distutils", "ensurepip", "lib2to3", "venv"),  # installation
        *("doctest.py", "test", "unittest"),
        *("dist-packages", "site-packages"),  # a run uses those of the virtual environment
    }
)
"""Names in the standard library that no run imports."""

UNUSED_EXTENSIONS = re.compile(
    r"(readline|nis|xx\w+|_?(tkinter|curses|curses_panel|dbm|gdbm|sqlite3|test\w*|ctypes_test))\."
)
"""The compiled modules of those, and the ones that only Python's own tests load."""

UNUSED_PACKAGES = frozenset(
    {
        "pycparser",  # cffi uses it to compile modules; here they are compiled already
        *("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth"),
    }
)
"""Installed packages that no run imports."""

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LOADED_BY_NAME = ("libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2")
"""Libraries that the C library loads when a thread ends or a name is resolved, if they are separate files."""


def assemble(environment: Path, app: Path, image: Path) -> None:
    """Fill `image` with what `environment`, a virtual environment, and `app`, the action, need.

    Raises:
        FileNotFoundError: if a library that something loads is missing.
    """
    library = Path(sysconfig.get_path("stdlib"))
    packages = next(environment.glob("lib/python3*/site-packages"))
    _copy(library, image, _unused_in_library)
    _copy(packages, image, _unused_in_packages)
    _copy(app, image, _bytecode)
    for module in image.rglob("*.py"):
        module.chmod(0o644)  # not executable
    for kept in (environment / "pyvenv.cfg", CERTIFICATES, Path("/etc/ld.so.cache"), Path("/etc/nsswitch.conf")):
        if kept.exists():
            _put(kept, image)
    _put(CERTIFICATES, image, Path(ssl.get_default_verify_paths().openssl_cafile))
    for link in sorted((environment / "bin").glob("python*")):
        _put_link(link, image)
    loading = [Path(sys.executable).resolve(), *image.rglob("*.so"), *image.rglob("*.so.*")]
    libraries = sorted(_libraries(loading))
    for shared in libraries:
        _put(shared, image)
    _declare(_owners([Path(sys.executable).resolve(), *libraries]), image)
    (image / "tmp").mkdir(mode=0o1777)
    (image / "tmp").chmod(0o1777)  # regardless of the umask
    for folder in (library, packages, app):
        _compile(image / folder.relative_to("/"), folder)


def _bytecode(_: str, names: list[str]) -> set[str]:
    return {each for each in names if each == "__pycache__"}


def _unused_in_library(folder: str, names: list[str]) -> set[str]:
    unused = _bytecode(folder, names)
    if folder == sysconfig.get_path("stdlib"):
        unused |= UNUSED_LIBRARY.intersection(names)
        unused |= {each for each in names if each.startswith("config-")}  # for compiling against the interpreter
    return unused | {each for each in names if folder.endswith("lib-dynload") and UNUSED_EXTENSIONS.match(each)}


def _unused_in_packages(folder: str, names: list[str]) -> set[str]:
    unused = _bytecode(folder, names) | {each for each in names if each.endswith(".pyi") or each == "tests"}
    unused |= {
        each for each in names if each.startswith("_yaml.")
    }  # libyaml; the config file is read by Python's parser
    return unused | (UNUSED_PACKAGES.intersection(names) if folder.endswith("site-packages") else set())


def _copy(folder: Path, image: Path, unused: Callable[[str, list[str]], set[str]]) -> None:
    shutil.copytree(folder, image / folder.relative_to("/"), symlinks=True, ignore=unused)


def _put(file: Path, image: Path, named: Path | None = None) -> None:
    """Copy a file below `image`, to its own path or another one, without the links on the way to it."""
    place = image / (named or file).relative_to("/")
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file.resolve(), place)


def _put_link(link: Path, image: Path) -> None:
    """Copy a link, what it points to, and so on to the file."""
    if not link.is_symlink():
        _put(link, image)
        return
    place = image / link.relative_to("/")
    target = link.readlink()
    if not place.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    _put_link(Path(os.path.normpath(link.parent / target)), image)


def _owners(files: list[Path]) -> set[str]:
    """Return the Debian packages of `files`; files that Python's image compiles itself have none."""
    searched = {path for file in files for path in (file, file.resolve())}  # dpkg knows one of the two paths
    return set(re.findall(r"(?m)^([\w.+-]+)(?::\w+)?: ", _output("dpkg-query", "--search", *sorted(searched))))


def _declare(packages: set[str], image: Path) -> None:
    """Copy the packages' licences, and write their names and versions where scanners look for them."""
    for package in sorted(packages):
        _put(Path("/usr/share/doc", package, "copyright"), image)
    status = image / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text(_output("dpkg-query", "--status", *sorted(packages)), encoding="utf-8")


def _libraries(files: list[Path]) -> Iterator[Path]:
    """Yield the shared libraries that `files` load, directly or indirectly."""
    found: set[Path] = set()
    for file in files:
        listed = _output("ldd", file)
        if missing := re.findall(r"^\s*(\S+) => not found", listed, re.MULTILINE):
            raise FileNotFoundError(f"{file} loads {', '.join(missing)}, which is not here")
        found |= {Path(each) for each in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listed, re.MULTILINE)}
    folders = {each.parent for each in found}
    named = (folder / name for folder in folders for name in LOADED_BY_NAME)
    yield from found | {each for each in named if each.exists()}


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def _compile(folder: Path, named: Path) -> None:
    """Compile the modules once; otherwise each run would, since its container starts from the image."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    done = compileall.compile_dir(folder, quiet=1, stripdir=folder, prependdir=named, invalidation_mode=mode)
    if not done:
        raise SystemExit(f"not everything below {named} could be compiled")


if __name__ == "__main__":
    assemble(*map(Path, sys.argv[1:]))
