"""The inputs about GitHub: the branch to compare with, a Deployment, an issue, and the token for all three."""

from redeploy.settings import parsers
from redeploy.settings.reading import Reader
from redeploy.text.untrusted import one_line

BRANCH = "branch:"
"""What `expect-version` begins with if it names a branch."""

LONGEST_TITLE = 255
"""Characters of an issue's title; GitHub allows 256."""


def token(reader: Reader) -> str:
    """Return the token, which is only read if the run reads or writes something at GitHub with it."""
    named = (each for each in ("deployment-environment", "issue-on-failure") if reader.texts[each])
    needs = next(named, "")
    if reader.texts["expect-version"].startswith(BRANCH):
        needs = needs or "expect-version: branch:NAME"
    if not needs:
        return ""
    if not reader.texts["github-token"]:
        reader.wrong(
            "github-token", f"is empty, but `{needs}` needs it; leave it out, or pass `${{{{ github.token }}}}`"
        )
    return reader.clean("github-token", parsers.token, "")


def branch(text: str) -> str:
    """Return the branch that `branch:NAME` names."""
    from redeploy.branch.names import check_branch  # few runs name one

    name = text.removeprefix(BRANCH).strip()
    check_branch(name)
    return name


def environment(text: str) -> str:
    """Return the name of a GitHub environment: one line of at most 255 characters."""
    if not text.isprintable() or len(text) > 255:
        msg = "must be one line of at most 255 printable characters"
        raise ValueError(msg)
    return text


def title(text: str) -> str:
    """Return the title of an issue: one visible line, cut at 255 characters."""
    line = one_line(text, LONGEST_TITLE)
    if not line:
        msg = "has no visible character; write a title, such as `Production is not what main is`"
        raise ValueError(msg)
    return line
