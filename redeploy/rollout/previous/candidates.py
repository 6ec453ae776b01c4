"""What may name the image that ran before: digests, commits and full version numbers, never a tag that moves."""

import re
from collections.abc import Collection

from redeploy.registry.image import is_tag
from redeploy.service.declared import same_version
from redeploy.settings.plan import Plan

SHORT, WHOLE = 7, 40
"""Digits of a commit as docker/metadata-action writes it in a tag, and of a full one."""

_COMMIT = re.compile(rf"(?:sha-)?([0-9a-f]{{{SHORT},64}})", re.IGNORECASE)
_NUMBER = re.compile(r"v?(\d+\.\d+\.\d+(?:\.\d+)*(?:[-+.][0-9A-Za-z][0-9A-Za-z.+-]*)?)")
"""A version with all its parts: docker/metadata-action moves `1` and `1.2` to the newest release (`type=semver`)."""

_PRERELEASE = re.compile(r"[0-9A-Za-z.+-]*\d")
"""What follows a number must end in a digit: `-rc.1` names one build, `-rc`, `-SNAPSHOT` and `-nightly` the newest."""

_MOVES = re.compile(r"(?i)(?:^|[^a-z])(?:dev|snapshot|nightly|latest|edge|main|master|canary|next|head)(?:[^a-z]|$)")


def commit_of(text: str) -> str:
    """Return a text as a commit, in lower case and without `sha-`; empty if it is not one."""
    found = _COMMIT.fullmatch(text.strip())
    return found[1].lower() if found and set(found[1]) != {"0"} else ""


def number_of(text: str) -> str:
    """Return a text as a full version number, without `v`; empty if it is not one, or if it may move to another build."""
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        return ""
    plain = re.match(r"\d+(?:\.\d+)+", found[1])
    numbers = plain[0] if plain else ""
    rest = found[1][len(numbers) :]
    fixed = not rest or (_PRERELEASE.fullmatch(rest) and not _MOVES.search(rest))
    return found[1] if fixed and set(numbers) - set(".0") else ""


def references(plan: Plan, tag: str, running: str, version: str) -> dict[str, str]:
    """Return the references to try for the image to put back, in order, each with the reason.

    Args:
        plan: the plan; if it has `rollback-to`, that is the only reference.
        tag: the tag of the container, which names the image that was pushed last.
        running: the digest that ran before the trigger; empty if it was not reported.
        version: the version before the trigger; empty if there was none.
    """
    if plan.rollback_to:
        return {plan.rollback_to: "`rollback-to`"}
    found = {running: "the digest that ran before"} if running else {}
    for each in _spelled(version):
        if is_tag(each) and each != tag:
            found.setdefault(each, f"the tag `{each}`, named like the previous version")
    return found


def contradicts(label: str, named: Collection[str]) -> bool:
    """Return whether an image's revision label contradicts the names of a build.

    Only a commit contradicts a commit: a label may hold something else, and so may a name.
    """
    commits = [each for each in map(commit_of, named) if each]
    return bool(commit_of(label) and commits) and not any(same_commit(label, each) for each in commits)


def same_commit(one: str, other: str) -> bool:
    """Return whether two texts mean the same commit: the shorter may be the beginning of the longer."""
    short, long = sorted((commit_of(one), commit_of(other)), key=len)
    return bool(short) and (long.startswith(short) or same_version(one, other))


def _spelled(version: str) -> list[str]:
    """Return the tags that may name a version (docker/metadata-action: `type=sha`, `type=semver`)."""
    if commit := commit_of(version):
        short = [f"sha-{commit[:SHORT]}", commit[:SHORT]] if len(commit) >= WHOLE else []
        return [commit, f"sha-{commit}", *short]
    number = number_of(version)
    bare = [number, f"v{number}"] if number else []
    return bare[::-1] if version.strip().startswith("v") else bare
