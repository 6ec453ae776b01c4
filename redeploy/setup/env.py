"""How secrets reach the server: render the environment file, write it, recreate the containers that use it."""

import contextlib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redeploy.setup import disk, git
from redeploy.setup.dotenv import TemplateError, changes, rendered
from redeploy.text.secret import Secret

_OUT_OF_GIT = "take it out with `git rm --cached`, and put it into .gitignore"


@dataclass(frozen=True)
class Brought:
    """What happened to the file."""

    changed: tuple[str, ...]
    """Names of the settings that are new, removed or have another value."""
    pending: bool
    """Whether an earlier change had not been applied completely."""
    code: int = 0
    """The exit code of applying it."""

    @property
    def anything(self) -> bool:
        """Whether the containers that use the file have, or had, an old value."""
        return bool(self.changed) or self.pending


def bring(
    template: Path,
    output: Path,
    secrets: dict[str, Secret],
    apply: Callable[[], int] | None,
    report: Callable[[Brought], None],
) -> Brought:
    """Render the template into the file, and apply it if a value has changed; the file is for its owner alone.

    A change that was not applied completely is remembered beside the file, and applied the next time.

    Args:
        template: has a line `NAME=` for each secret.
        output: what is written.
        secrets: by name.
        apply: recreates the containers that use the file, and returns an exit code.
        report: gets what changed, before that is applied.

    Raises:
        TemplateError: if something is missing, or git tracks the file; nothing is changed then.
        OSError: where a file cannot be read or written.
    """
    asked = disk.read(template)
    if asked is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(template))
    text = rendered(asked, secrets)
    with contextlib.suppress(git.UnknownError):  # on a server, the repository is another one or does not matter
        if git.tracked(output):
            raise TemplateError([f"git tracks {output}, so the next commit would publish the secrets: {_OUT_OF_GIT}."])
    before = disk.read(output)
    mark = output.with_name(f"{output.name}.pending")
    brought = Brought(tuple(changes(before or "", text)), pending=mark.exists())
    if apply and brought.anything:
        disk.write(mark, "")
    if text != before or not disk.is_private(output):
        disk.write(output, text, disk.PRIVATE)
    report(brought)
    if not apply or not brought.anything:
        return brought
    code = apply()
    if code == 0:
        mark.unlink()
    return Brought(brought.changed, brought.pending, code)
