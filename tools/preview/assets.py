"""The page's third-party parts: mermaid, and GitHub's style for Markdown.

Both are npm packages, which npm fetches once, from its configured registry. The tarballs are kept in a
folder that git ignores, and their hashes are checked at each use.
"""

import base64
import hashlib
import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "assets"


class MissingError(Exception):
    """This machine lacks something; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """A pinned npm package."""

    name: str
    version: str
    sha512: str

    @property
    def tarball(self) -> str:
        """The file name that `npm pack` gives it."""
        return f"{self.name}-{self.version}.tgz"


MERMAID = Package(
    "mermaid", "11.12.0", "ZudVx73BwrMJfCFmSSJT84y6u5brEoV8DOItdHomNLz32uBjNrelm7mg95X7g+C6UoQH/W6mBLGDEDv73JdxBg=="
)
"""GitHub does not document its version: a fenced block `info` shows it."""
STYLE = Package(
    "github-markdown-css",
    "5.9.0",
    "tmT5sY+zvg2302XLYEfH2mtkViIM1SWf2nvYoF5N1ZsO0V6B2qZTiw3GOzw4vpjLygK/KG35qRlPFweHqfzz5w==",
)


@dataclass(frozen=True)
class Assets:
    """The third-party parts of the page."""

    mermaid: str
    light: str
    dark: str


def load(folder: Path = FOLDER) -> Assets:
    """Read the assets, after npm has fetched the missing ones.

    Raises:
        MissingError: if npm is missing or fails, or if it fetched another package than the pinned one.
    """
    mermaid, style = (_tarball(package, folder) for package in (MERMAID, STYLE))
    return Assets(
        _member(mermaid, "dist/mermaid.min.js"),
        _member(style, "github-markdown-light.css"),
        _member(style, "github-markdown-dark.css"),
    )


def _tarball(package: Package, folder: Path) -> bytes:
    path = folder / package.tarball
    if not path.exists():
        _fetch(package, folder)
    data = path.read_bytes()
    found = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != package.sha512:
        path.unlink()
        raise MissingError(
            f"{package.tarball} has the SHA-512 {found}, not the pinned {package.sha512}, so it was deleted."
        )
    return data


def _fetch(package: Package, folder: Path) -> None:
    npm = shutil.which("npm")
    by_hand = f"Without it, put {package.tarball} from the npm registry into {folder}."
    if npm is None:
        raise MissingError(f"npm is missing, which fetches {package.name} {package.version} once. {by_hand}")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"{package.name}@{package.version}"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, cwd=folder)
    except subprocess.TimeoutExpired as slow:
        raise MissingError(f"npm did not fetch {package.name} within {slow.timeout:g} s. {by_hand}") from slow
    except subprocess.CalledProcessError as failed:
        why = (failed.stderr or failed.stdout).strip()
        raise MissingError(f"npm could not fetch {package.name} {package.version}: {why}\n{by_hand}") from failed


def _member(tarball: bytes, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        file = archive.extractfile(f"package/{name}")
        if file is None:
            raise MissingError(f"{name} is no file of its package.")
        return file.read().decode()
