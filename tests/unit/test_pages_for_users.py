"""README and the pages of docs/: their links work, and GitHub and the action accept their YAML."""

import re
import subprocess
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from redeploy.settings.inputs import parse
from redeploy.settings.plan import Mode
from redeploy.settings.reading import Workspace
from tests.github_schemas import github_schema

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*.md")),
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")),
    "tests/README.md",
]
INPUTS = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]

OURS = re.compile(r"leok974/redeploy-action(/slim)?@|docker://ghcr\.io/leok974/redeploy-action:")
"""How a step names the action."""

USUAL = {
    "secrets.WATCHTOWER_UPDATE_URL": "https://api.example.com/ops/watchtower/update",
    "secrets.WATCHTOWER_HTTP_API_TOKEN": "a-token-of-the-pages-0123456789",
    "github.sha": "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d",
    "github.ref_name": "v1.4.2",
    "needs.publish.outputs.digest": "sha256:" + "ab" * 32,
}
"""Values for the expressions of the pages; any word will do for all others."""

DEPLOY = {
    "watchtower-url": USUAL["secrets.WATCHTOWER_UPDATE_URL"],
    "watchtower-token": USUAL["secrets.WATCHTOWER_HTTP_API_TOKEN"],
}
SERVICE = {"base-url": "https://api.example.com"}
"""The required inputs that a block about one input leaves out."""


@pytest.mark.parametrize("page", PAGES)
def test_every_link_points_to_an_existing_file_and_heading(page: str) -> None:
    links = re.findall(r"\]\((?!https?://|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)", _prose(page))
    assert [target for target, _ in links if target and not _linked(page, target).exists()] == []
    assert [
        f"{target}#{anchor}"
        for target, anchor in links
        if anchor and anchor not in _anchors(_linked(page, target) if target else ROOT / page)
    ] == []


def _blocks(language: str) -> list[Any]:
    return [
        pytest.param(textwrap.dedent(block), id=f"{page}-{number}")
        for page in PAGES
        for number, (_, block) in enumerate(
            re.findall(rf"(?ms)^( *)```{language}\n(.*?)^ *```", (ROOT / page).read_text(encoding="utf-8")), 1
        )
    ]


@pytest.mark.parametrize("block", _blocks("sh"))
def test_commands_on_a_page_are_valid_shell(block: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=block, check=False, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("block", _blocks("yaml"))
def test_yaml_on_a_page_is_valid_for_github_and_the_action(block: str) -> None:
    content = yaml.safe_load(block)
    if isinstance(content, dict) and "jobs" in content:
        workflow = {"on" if key is True else key: value for key, value in content.items()}
        jsonschema.validate(workflow, github_schema("github-workflows"))
    for given in _given(content):
        usual = SERVICE if given.get("mode") == "verify" else DEPLOY
        inputs = {**usual, "github-token": "a-token", **given}
        # The report of an earlier step is not a plain word.
        texts = {f"INPUT_{name.upper()}": _filled(text) for name, text in inputs.items() if name != "baseline"}
        workspace = Workspace(lambda path, _: path, lambda _: None)
        assert parse({"GITHUB_REPOSITORY": "owner/app", **texts}, workspace).mode in Mode


def _given(content: object) -> list[dict[str, object]]:
    """The inputs of every use of the action in a block; a block may be nothing but some of them."""
    match content:
        case dict() if content.keys() <= INPUTS.keys() and not any(isinstance(each, dict) for each in content.values()):
            return [content]
        case _:
            return [*_uses(content)]


def _uses(content: object) -> Iterator[dict[str, object]]:
    match content:
        case {"uses": str(action), "with": dict(given)} if OURS.match(action):
            yield given
        case dict() | list():
            for each in content.values() if isinstance(content, dict) else content:
                yield from _uses(each)


def _filled(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: USUAL.get(found[1], "a-word"), text)


def _prose(page: str) -> str:
    """The page without its code, in which there are no links."""
    text = re.sub(r"(?ms)^ *```.*?^ *```", "", (ROOT / page).read_text(encoding="utf-8"))
    return re.sub(r"`[^`\n]*`", "code", text)


def _linked(page: str, target: str) -> Path:
    return (ROOT / page).parent / target


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    text = re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text(encoding="utf-8"))
    named: list[str] = []
    for heading in re.findall(r"(?m)^#{1,6} +(.+?) *$", text):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        named.append(f"{slug}-{named.count(slug)}" if slug in named else slug)
    return set(named)
