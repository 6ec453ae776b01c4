"""What git knows about a file, from the installed git."""

import subprocess
from pathlib import Path


class UnknownError(Exception):
    """There is a repository, but git cannot be asked; the message is git's, or says why git cannot run."""


def tracked(path: Path) -> Path | None:
    """Return the file if git tracks it, or the target of a link of this name if git tracks that; else None.

    For what is tracked `.gitignore` has no effect. The file need not exist any more: if it is in the index, it goes into the
    next commit once it is back.

    Raises:
        UnknownError: if that cannot be found out.
    """
    return next(filter(_tracks, (path.absolute(), path.resolve())), None)


def _tracks(path: Path) -> bool:
    folder = next(each for each in path.parents if each.is_dir())
    if not any((each / ".git").exists() for each in (folder, *folder.parents)):
        return False
    command = ["git", "-C", str(folder), "--literal-pathspecs", "ls-files", "--", str(path.relative_to(folder))]
    try:
        asked = subprocess.run(  # noqa: S603 - a fixed program, and a path that is not an option
            command, capture_output=True, text=True, errors="replace", check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnknownError(str(error)) from error
    if asked.returncode:
        raise UnknownError(asked.stderr.strip())
    return bool(asked.stdout.strip())
