"""Files on this machine: read as text, written as a whole or not at all."""

import contextlib
import errno
import os
import stat
import sys
import tempfile
from pathlib import Path

PRIVATE = 0o600
PUBLIC = 0o644


def read(path: Path) -> str | None:
    """Return the text of a file, None if there is none.

    Raises:
        OSError: if it cannot be read, or is not text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise OSError(errno.EILSEQ, "not UTF-8 text", str(path)) from error


def is_private(path: Path) -> bool:
    """Return whether only its owner may read or write a file."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def write(path: Path, text: str, mode: int = PUBLIC) -> None:
    """Write a file so that readers find either the old text or the new one, even after a crash, and never a wider mode.

    A link is followed, not replaced. The owner of a file stays, if the system allows that.

    Raises:
        OSError: if it cannot be written; the old file is unchanged.
    """
    place = path.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f"{place.name}.", dir=place.parent)  # for its owner only, whatever the umask
    try:
        with os.fdopen(number, "wb") as file:
            file.write(text.encode("utf-8"))
            if sys.platform != "win32":  # on which a file has neither
                with contextlib.suppress(FileNotFoundError, PermissionError):
                    before = place.stat()
                    os.fchown(number, before.st_uid, before.st_gid)
                os.fchmod(number, mode)
            file.flush()
            os.fsync(number)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink()
        raise
    if sys.platform != "win32":  # which opens no folder
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
