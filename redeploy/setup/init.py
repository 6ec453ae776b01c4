"""How a service's repository gets its files: all of them or none, and existing ones are replaced only on request."""

from dataclasses import dataclass
from pathlib import Path

from redeploy.setup import disk, files, places
from redeploy.setup.questionnaire import Answers
from redeploy.text.secret import Secret

SHIPPED = Path(__file__).resolve().parents[2]
"""The checkout of this project. The action's image holds no kit."""


class NoKitError(Exception):
    """The files to fill in are missing."""


@dataclass(frozen=True)
class File:
    """One file, as it is and as it should be."""

    path: str
    before: str | None
    after: str

    @property
    def is_new(self) -> bool:
        """Whether the file does not exist yet."""
        return self.before is None

    @property
    def differs(self) -> bool:
        """Whether the file exists with other content."""
        return not self.is_new and self.before != self.after


def drafted(answers: Answers, repository: Path, token: Secret, shipped: Path = SHIPPED) -> list[File]:
    """Return the files for a repository; the token that its environment file holds stays.

    Raises:
        NoKitError: if this project's own files are missing.
        OSError: if a file cannot be read.
    """

    def read(path: str) -> str:
        text = disk.read(shipped / path)
        if text is None:
            raise NoKitError(path)
        return text

    wanted = files.files(answers, read, token, lambda path: disk.read(repository / path))
    return [File(path, disk.read(repository / path), text) for path, text in sorted(wanted.items())]


def write(drafts: list[File], repository: Path) -> None:
    """Write what is new or different; only its owner may read the environment file, even if it existed before.

    Raises:
        OSError: if a file cannot be written.
    """
    for draft in drafts:
        place, private = repository / draft.path, draft.path == places.ENVIRONMENT
        if draft.before != draft.after or (private and not disk.is_private(place)):
            disk.write(place, draft.after, disk.PRIVATE if private else disk.PUBLIC)
