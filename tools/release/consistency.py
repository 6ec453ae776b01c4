"""Whether the files of the tree agree on the version that is to be released."""

import re
import tomllib
from collections.abc import Mapping

from tools.release import changelog, metadata
from tools.release.version import RefusedError, Version

OWN = ("pyproject.toml", "redeploy/__init__.py", "CHANGELOG.md", "action.yml")
"""Files that name the version themselves."""

NAMES_THE_ACTION = (
    "README.md",
    "docs/*.md",
    "examples/*.yml",
    "deploy/**/*",
    ".github/workflows/*.yml",
    "redeploy/setup/*.py",
)
"""Files with a line to copy that names the action by its moving tag."""

_MOVING = (
    re.compile(r"leok974/redeploy-action(?:/slim)?@(v[\w.]+)"),
    re.compile(r"raw\.githubusercontent\.com/leok974/redeploy-action/(v[\w.]+)/"),
    re.compile(r"repository: leok974/redeploy-action\n\s+ref: (v[\w.]+)"),
    re.compile(r"ghcr\.io/leok974/redeploy-action:([\w.]+)"),
)


def disagreements(version: Version, files: Mapping[str, str]) -> list[str]:
    """Return what in the files does not match a release of that version, one sentence each.

    Args:
        version: the version that is to be released.
        files: the texts of `OWN` and of the files that match `NAMES_THE_ACTION`, by path.
    """
    found = []
    declared = tomllib.loads(files["pyproject.toml"])["project"]["version"]
    if declared != str(version):
        found.append(f'pyproject.toml says version = "{declared}": write "{version}".')
    inside = re.findall(r'(?m)^__version__ = "(.*)"$', files["redeploy/__init__.py"])
    if inside != [str(version)]:
        named = ", ".join(inside) or "nothing"
        found.append(f'redeploy/__init__.py says {named} of its version: write __version__ = "{version}".')
    if not metadata.builds_tree(files["action.yml"]):
        found.append("action.yml does not say `image: Dockerfile`: only the commit of a release names an image.")
    try:
        changelog.notes(files["CHANGELOG.md"], version)
    except RefusedError as refused:
        found.append(str(refused))
    for path, text in files.items():
        if path not in OWN:
            found += _other_tags(version, path, text)
    return found


def _other_tags(version: Version, path: str, text: str) -> list[str]:
    named = {tag for pattern in _MOVING for tag in pattern.findall(text)}
    fitting = {version.moving_tag, version.moving_tag.removeprefix("v")}
    return [f"{path} names {tag} of the action: write {version.moving_tag}." for tag in sorted(named - fitting)]
