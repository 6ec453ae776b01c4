"""Names of branches and of commits, as git writes them."""

import re

LONGEST = 255
"""Characters of a name that GitHub takes."""

_COMMIT = re.compile(r"(?:sha-)?([0-9a-f]{7,40})", re.IGNORECASE)
_WRONG = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^[-./]|[./]$|\.lock(?:/|$)")
"""What a branch name cannot contain (git-check-ref-format(1))."""


def check_branch(name: str) -> None:
    """Reject what cannot be the name of a branch.

    Raises:
        ValueError: with what is wrong, as the end of a sentence.
    """
    if not name:
        msg = "does not name a branch; write `branch:main`"
        raise ValueError(msg)
    if name.startswith("refs/heads/"):
        msg = "is a reference; write only the name of the branch, such as `branch:main`"
        raise ValueError(msg)
    if _WRONG.search(name) or not name.isprintable() or len(name) > LONGEST:
        msg = "is not the name of a branch; write `branch:main`, or `branch:release/2.x`"
        raise ValueError(msg)


def commit_of(version: str) -> str:
    """Return a version as a commit: 7 to 40 hexadecimal digits, in lower case; empty if it is not one."""
    found = _COMMIT.fullmatch(version.strip())
    return found[1].lower() if found else ""
