"""Certificates of a private authority, in the folder from which nginx reads them."""

from datetime import datetime
from pathlib import Path

import trustme


def issue(authority: trustme.CA, folder: Path, name: str = "localhost", *, until: datetime | None = None) -> None:
    """Put a certificate for a host name, and its key, into the folder that TLS_CERTS names."""
    issued = authority.issue_cert(name, not_after=until)
    folder.mkdir(exist_ok=True)
    issued.private_key_pem.write_to_path(folder / "privkey.pem")
    (folder / "fullchain.pem").write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
