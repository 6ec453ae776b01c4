"""A release in a real git repository: what is refused, and the commit that it makes."""

import subprocess
from pathlib import Path

import pytest

from tools.release import metadata, steps
from tools.release.checkout import Checkout
from tools.release.rehearsal import Rehearsal
from tools.release.version import RefusedError, Version

VERSION = Version(1, 0, 1)
REFERENCE = f"{metadata.IMAGE}@sha256:{'0a' * 32}"
ACTION = "name: An action\nruns:\n  using: docker\n  image: Dockerfile\n"
FILES = {
    "pyproject.toml": '[project]\nversion = "1.0.1"\n',
    "redeploy/__init__.py": '__version__ = "1.0.1"\n',
    "CHANGELOG.md": "## [Unreleased]\n\n- Later.\n\n## [1.0.1] - 2026-01-31\n\n- A fix.\n",
    "action.yml": ACTION,
    "README.md": "uses: leok974/redeploy-action@v1\n",
}


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=someone", "-c", "user.email=someone@localhost", "-c", "commit.gpgSign=false")
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A tree that is ready for release after 1.0.0, and its published repository beside it."""
    folder = tmp_path / "checkout"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First")
    git(tmp_path, "init", "--quiet", "--bare", "published")
    git(folder, "remote", "add", "origin", str(tmp_path / "published"))
    git(folder, "tag", "v1.0.0")
    git(folder, "tag", "--annotate", "v1", "--message", "moves")
    git(folder, "push", "--quiet", "origin", "main", "--tags")
    return Checkout(folder)


def test_a_clean_tree_may_be_released(checkout: Checkout) -> None:
    checks = steps.check(checkout, VERSION, checkout.published_tags())
    assert checks[1:] == [
        "1.0.1 follows 1.0.0.",
        "pyproject.toml, the code, CHANGELOG.md and 1 other files agree on it.",
        "Note: CHANGELOG.md has 1 entries under Unreleased, which the notes will not have.",
    ]


@pytest.mark.parametrize("name", ["README.md", "left-behind.txt"])
def test_a_tree_with_changes_may_not_be_released(checkout: Checkout, name: str) -> None:
    (checkout.folder / name).write_text("another text\n")
    with pytest.raises(RefusedError, match=f"changes that are in no commit(.|\n)*{name}"):
        steps.check(checkout, VERSION, [])


def test_a_version_whose_tag_is_only_in_the_published_repository_may_not_be_released(checkout: Checkout) -> None:
    git(checkout.folder, "push", "--quiet", "origin", "main:refs/tags/v1.0.1")
    assert "v1.0.1" not in checkout.tags()
    with pytest.raises(RefusedError, match=r"1\.0\.1 is released already"):
        steps.check(checkout, VERSION, checkout.published_tags())


def test_all_problems_are_reported_at_once(checkout: Checkout) -> None:
    (checkout.folder / "pyproject.toml").write_text('[project]\nversion = "0.9.0"\n')
    (checkout.folder / "README.md").write_text("uses: leok974/redeploy-action@v0\n")
    git(checkout.folder, "commit", "--quiet", "--all", "--message", "Second")
    with pytest.raises(RefusedError) as refused:
        steps.check(checkout, VERSION, [])
    assert len(str(refused.value).splitlines()) == 3


def test_an_unreachable_repository_is_not_taken_for_one_without_releases(checkout: Checkout) -> None:
    git(checkout.folder, "remote", "set-url", "origin", str(checkout.folder / "nowhere"))
    with pytest.raises(RefusedError, match="tags of origin cannot be read"):
        checkout.published_tags()


def test_the_commit_of_a_release_changes_only_the_image_and_moves_no_branch(checkout: Checkout) -> None:
    before = checkout.head()
    commit = steps.release_commit(checkout, VERSION, REFERENCE)
    assert checkout.changed(commit) == ["action.yml"]
    assert metadata.image_of(checkout.show(commit, "action.yml")) == REFERENCE
    assert git(checkout.folder, "rev-parse", f"{commit}^").strip() == before == checkout.head()
    assert git(checkout.folder, "branch", "--contains", commit) == ""
    assert git(checkout.folder, "log", "-1", "--format=%s", commit) == "Release 1.0.1\n"
    assert (checkout.folder / "action.yml").read_text() == ACTION
    assert steps.release_commit(checkout, VERSION, REFERENCE) == commit
    checkout.refuse_changes()


def test_a_rehearsal_without_an_engine_does_the_rest_and_names_the_skipped_steps(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{checkout.folder}/nothing-listens-here.sock")
    git(checkout.folder, "remote", "remove", "origin")
    before, lines = checkout.head(), list[str]()
    rehearsal = Rehearsal(checkout, VERSION, 0, lines.append)
    rehearsal.run("", "", checks=False)
    assert "- A fix.\n" in lines
    reasons = ("tags of origin cannot be read", "CHECKS=off", "no container engine responds", "GHCR", "GitHub signs")
    for reason in reasons:
        assert [each for each in rehearsal.skipped if reason in each] != [], reason
        assert [line for line in lines if line.startswith("- ") and reason in line] != []
    assert (checkout.head(), checkout.tags()) == (before, ["v1", "v1.0.0"])


def test_a_rehearsal_stops_where_a_release_would(checkout: Checkout) -> None:
    with pytest.raises(RefusedError, match="released already"):
        Rehearsal(checkout, Version(1, 0, 0), 0, print).run("", "", checks=False)
