"""A package index on loopback that has a newer release of everything that it serves.

`python -m tests.package_index WHEELS ADDRESS` serves a folder of wheels, writes the index's URL to the file ADDRESS, and
runs until it is stopped.
"""

import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

NEWEST = "99999.0"
"""The version of every newer release, which is empty."""


def normalized(name: str) -> str:
    """A project's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wheel(name: str, version: str, requires: Iterable[str] = ()) -> tuple[str, bytes]:
    """The file name and content of a wheel with one empty module."""
    stem = normalized(name).replace("-", "_")
    about = f"{stem}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{stem}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: more\n{needs}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{stem}-{version}-py3-none-any.whl", held.getvalue()


@contextmanager
def serving(wheels: Mapping[str, bytes | Path]) -> Iterator[str]:
    """Serve wheels, and a newer release of each project, for a while; yield the index URL for pip.

    Args:
        wheels: File names, and the content or where it is.
    """
    files: dict[str, bytes | Path] = {**wheels, **dict(wheel(name.partition("-")[0], NEWEST) for name in wheels)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, kind, name, *_ = f"{self.path}/".split("/")
            if kind == "simple" and (page := _page(name, files)):
                self._answer("text/html", page)
            elif kind == "files" and name in files:
                self._answer("application/octet-stream", _read(files[name]))
            else:
                self.send_error(404)

        def _answer(self, media_type: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()


def _page(project: str, files: Mapping[str, bytes | Path]) -> bytes:
    links = "".join(
        f'<a href="/files/{name}#sha256={hashlib.sha256(_read(content)).hexdigest()}">{name}</a>\n'
        for name, content in sorted(files.items())
        if normalized(name.partition("-")[0]) == project
    )
    return links.encode()


def _read(content: bytes | Path) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content


if __name__ == "__main__":
    with serving({path.name: path for path in Path(sys.argv[1]).glob("*.whl")}) as url:
        Path(sys.argv[2]).write_text(url)
        sys.stdin.read()
