"""A real nginx, with the kit's files laid out as in /etc/nginx."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.ports import free_port

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
WITH_NGINX = pytest.mark.skipif(
    PROGRAM is None, reason="nginx is not installed (on Debian: apt-get install nginx-light)"
)

_PUBLISHED = {"backend": 8001, "watchtower": 8083}
"""The ports at which the kit's nginx on the host reaches service and Watchtower."""


def lay(folder: Path, variant: Path, ports: Mapping[str, int], page: bytes = b"<!doctype html>") -> None:
    """Lay out a variant and the snippets beside it, with a certificate, a page, and other ports of the two behind it."""
    for included in filter(Path.is_dir, variant.parent.iterdir()):
        shutil.copytree(included, folder / included.name)
        (folder / included.name / "certs").symlink_to(folder / "certs")
    (folder / "certs").mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "certs" / "privkey.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "certs" / "fullchain.pem", append=True)
    (folder / "html").mkdir()
    (folder / "html" / "index.html").write_bytes(page)
    (folder / "conf.d").mkdir()
    text = variant.read_text(encoding="utf-8")
    # Ports below 1024 need privileges, even when nginx only checks the file.
    listens = {"80": free_port(), "443": free_port()}
    text = re.sub(r"listen (?:127\.0\.0\.1:)?(\d+)", lambda match: f"listen 127.0.0.1:{listens[match[1]]}", text)
    for name, usual in _PUBLISHED.items():
        text = text.replace(f"127.0.0.1:{usual};", f"127.0.0.1:{ports.get(name, usual)};")
    (folder / "conf.d" / "portfolio.conf").write_text(text, encoding="utf-8")
    for included in folder.glob("*/*.conf"):  # no file in conf.d serves pages
        named = included.read_text(encoding="utf-8")
        included.write_text(re.sub(r"/usr/share/nginx/html|/var/www/[\w-]+", str(folder / "html"), named))
    scratch = "".join(
        f"  {kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder / 'pid'};\nevents {{}}\nhttp {{\n  access_log off;\n{scratch}  include conf.d/*.conf;\n}}\n"
    )
    (folder / "listens").write_text(f"{listens['80']} {listens['443']}")


def complaints(folder: Path) -> str:
    """What nginx reports about the files; empty if it accepts them without a warning."""
    tried = subprocess.run(_command(folder, "-t"), capture_output=True, text=True, check=False, timeout=30)
    return tried.stderr if tried.returncode or "warn" in tried.stderr else ""


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, int]]:
    """Run nginx with the files, and yield its ports without and with TLS."""
    port, tls_port = map(int, (folder / "listens").read_text().split())
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(_command(folder, "-g", "daemon off; master_process off;"), stderr=log)
    try:
        _wait_for(port, process)
        yield port, tls_port
    finally:
        process.terminate()
        process.wait(10)


def _command(folder: Path, *arguments: str) -> list[str]:
    assert PROGRAM
    return [PROGRAM, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf"), *arguments]


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert process.poll() is None, "nginx has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError
