"""Files of the machine that a command runs on: read as text, written as a whole or not at all."""

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
        OSError: where it cannot be read, or is no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise OSError(errno.EILSEQ, "No UTF-8 text", str(path)) from error


def is_private(path: Path) -> bool:
    """Tell whether nobody but its owner may read or write a file."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def write(path: Path, text: str, mode: int = PUBLIC) -> None:
    """Write a file so that whoever looks, also after a crash, finds the old text or the new one, under no wider mode.

    What a link names is written, not the link. The owner of a file stays, where the system allows that.

    Raises:
        OSError: where it cannot be written; the old file is as it was.
    """
    place = path.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f"{place.name}.", dir=place.parent)  # for nobody else, whatever the umask
    try:
        with os.fdopen(number, "wb") as file:
            file.write(text.encode("utf-8"))
            if sys.platform != "win32":  # where a file has neither
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
