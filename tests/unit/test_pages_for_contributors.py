"""The pages for contributors name rooms and files that exist, and every room has a line."""

import re
from pathlib import Path

import pytest

from tests.unit.test_architecture import ROOMS

ROOT = Path(__file__).resolve().parents[2]

PAGES = ("CONTRIBUTING.md", "docs/architecture.md", "docs/threat-model.md", "tests/README.md", "SECURITY.md")

RUN_OR_PATTERN = re.compile(r"[ *=<>]|NAME")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_map_lists_the_packages_in_their_order() -> None:
    named = re.findall(r"(?m)^\| `([a-z_]+)(?:/|\.py)` \|", read("docs/architecture.md"))
    assert named == list(ROOMS)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = {
        name
        for name in re.findall(r"`([\w./-]+(?:/|\.(?:py|md|yml|txt)))`", read(page))
        if not RUN_OR_PATTERN.search(name)
    }
    roots = (
        ROOT,
        ROOT / "redeploy",
        (ROOT / page).parent,
        ROOT / "redeploy/doctor",
        ROOT / "redeploy/triggers",
        ROOT / "tests",
    )
    missing = [name for name in sorted(named) if not any((root / name).exists() for root in roots)]
    assert missing == []


def test_every_row_of_the_threat_model_names_tests_that_exist() -> None:
    rows = re.findall(r"(?m)^\| (?!it could|what |---)(.+) \|$", read("docs/threat-model.md"))
    assert len(rows) > 30
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row.split(" | ")[-1])
        assert named, row
        assert [name for file, name in named if f"\ndef {name}(" not in read(file)] == []
