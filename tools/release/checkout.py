"""A git checkout: its files, and the commit and tags of a release."""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.release.version import RefusedError

_RELEASER = {"GIT_AUTHOR_NAME": "redeploy-action", "GIT_AUTHOR_EMAIL": "redeploy-action@users.noreply.github.com"}
_RELEASER |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in _RELEASER.items()}


class Checkout:
    """A checkout of this project."""

    def __init__(self, folder: Path) -> None:
        """Read and write in `folder`."""
        self.folder = folder

    def refuse_changes(self) -> None:
        """Check that the tree has no uncommitted changes.

        Raises:
            RefusedError: with the changes.
        """
        changed = self._git("status", "--porcelain", "--untracked-files=normal").splitlines()
        if changed:
            shown = "\n".join(f"  {line}" for line in changed[:10])
            raise RefusedError(
                f"The tree has changes that are in no commit, and a release is made of a commit:\n{shown}\nCommit or stash "
                "them, and run it again."
            )

    def read(self, patterns: Iterable[str]) -> dict[str, str]:
        """Return the texts of the files that match, by their path."""
        places = {place for pattern in patterns for place in self.folder.glob(pattern) if place.is_file()}
        return {str(each.relative_to(self.folder)): each.read_text(encoding="utf-8") for each in sorted(places)}

    def tags(self) -> list[str]:
        """Return the tags of this checkout."""
        return self._git("tag", "--list").split()

    def published_tags(self, remote: str = "origin") -> list[str]:
        """Return the tags that the remote repository has.

        Raises:
            RefusedError: if it does not respond.
        """
        try:
            lines = self._git("ls-remote", "--tags", remote).splitlines()
        except subprocess.CalledProcessError as failed:
            raise RefusedError(f"The tags of {remote} cannot be read: {failed.stderr.strip()}") from failed
        return [line.rpartition("refs/tags/")[2].removesuffix("^{}") for line in lines]

    def head(self) -> str:
        """Return the full hash of the checked-out commit."""
        return self._git("rev-parse", "HEAD").strip()

    def show(self, commit: str, path: str) -> str:
        """Return the text of a file in a commit."""
        return self._git("show", f"{commit}:{path}")

    def changed(self, commit: str) -> list[str]:
        """Return the paths that a commit changed."""
        return self._git("diff-tree", "--no-commit-id", "--name-only", "-r", commit).splitlines()

    def commit(self, path: str, text: str, message: str) -> str:
        """Make a commit on top of the head that changes the text of one file, and return its hash.

        Neither the tree nor a branch changes: only a tag will point to that commit. It has the head's date, so that the same
        text always makes the same commit.
        """
        date = self._git("show", "--no-patch", "--format=%cI", "HEAD").strip()
        dated = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            blob = self._git("hash-object", "-w", "--stdin", given=text).strip()
            self._git("read-tree", "HEAD", **index)
            self._git("update-index", "--cacheinfo", f"100644,{blob},{path}", **index)
            tree = self._git("write-tree", **index).strip()
        return self._git("commit-tree", tree, "-p", "HEAD", given=message, **_RELEASER, **dated).strip()

    def _git(self, *arguments: str, given: str | None = None, **environment: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            input=given,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout
