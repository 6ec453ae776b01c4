"""GitHub's own parser accepts what GitHub will read: every workflow, every example, every `action.yml`."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).resolve().parents[1] / "github_parser" / "parse.mjs"
FILES = sorted(
    path
    for pattern in ("action.yml", "*/action.yml", ".github/workflows/*.yml", "examples/*.yml")
    for path in ROOT.glob(pattern)
)
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    NODE is None or not (PROGRAM.parent / "node_modules").is_dir(),
    reason="GitHub's parser is not installed: `make parser`, which needs Node.js 20 and npm",
)


def errors(*paths: Path) -> dict[str, list[str]]:
    """The parser's errors in files, by path."""
    command = [str(NODE), str(PROGRAM), *map(str, paths)]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return {path: list(messages) for path, messages in json.loads(found).items()}


@cache
def of_the_tree() -> dict[str, list[str]]:
    return errors(*FILES)


@pytest.mark.parametrize("name", NAMES)
def test_github_accepts(name: str) -> None:
    assert of_the_tree()[str(ROOT / name)] == []


def test_github_accepts_the_workflows_that_init_writes(tmp_path: Path) -> None:
    answers = ["--domain", "api.example.com", "--image", "ghcr.io/owner/app", "--into", str(tmp_path)]
    command = ["python3", "-m", "redeploy", "init", *answers]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    written = sorted((tmp_path / ".github" / "workflows").glob("*.yml"))
    assert len(written) >= 2
    assert set(map(tuple, errors(*written).values())) == {()}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("action.yml", "name: a\ndescription: b\nruns:\n  using: docker\n", "image"),
        ("action.yml", "name: a\nruns:\n  using: docker\n  image: Dockerfile\n", "description"),
        (
            "action.yml",
            "inputs: {x: {description: a, default: '${{ secrets.X }}'}}\nruns: {using: docker, image: Dockerfile}\n",
            "secrets",
        ),
        ("workflow.yml", "on: push\njobs:\n  a:\n    runs-on: x\n    step: []\n", "step"),
        ("workflow.yml", "on: push\njobs:\n  a:\n    needs: b\n    runs-on: x\n    steps:\n    - run: y\n", "b"),
    ],
)
def test_the_parser_reports_errors(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    [found] = errors(tmp_path / name).values()
    assert any(message in each for each in found), found
