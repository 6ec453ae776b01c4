"""The workflow of a release: which job may write what and when, and that its steps are valid."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
SCRIPTS = [(name, step["run"]) for name, job in JOBS.items() for step in job.get("steps", []) if "run" in step]
WRITES = {
    "image": {"packages"},
    "index": {"packages", "id-token", "attestations"},
    "publish": {"contents", "packages"},
}
"""The jobs that may write, and their permissions."""


@cache
def before(job: str) -> frozenset[str]:
    """The jobs that have succeeded when this one starts."""
    needs = JOBS[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return frozenset(direct.union(*map(before, direct)))


def test_no_job_has_more_permissions_than_it_needs() -> None:
    assert WORKFLOW["permissions"] == {}
    granted = {name: job.get("permissions", {}) for name, job in JOBS.items()}
    writing = {name: {scope for scope, kind in each.items() if kind == "write"} for name, each in granted.items()}
    assert {name: scopes for name, scopes in writing.items() if scopes} == WRITES
    assert {kind for each in granted.values() for kind in each.values()} <= {"read", "write"}


@pytest.mark.parametrize("job", WRITES)
def test_nothing_is_written_before_all_checks_passed_and_a_person_approved(job: str) -> None:
    assert {"check", "checks", "approve"} <= before(job)
    assert JOBS["approve"]["environment"] == "release"


def test_nothing_is_announced_before_the_image_is_attested_and_used_on_both_platforms() -> None:
    assert {"image", "index", "smoke"} <= before("publish")
    assert sorted(JOBS["smoke"]["strategy"]["matrix"]["runner"]) == ["ubuntu-24.04", "ubuntu-24.04-arm"]
    platforms = {each["platform"]: each["runner"] for each in JOBS["image"]["strategy"]["matrix"]["include"]}
    assert platforms == {"amd64": "ubuntu-24.04", "arm64": "ubuntu-24.04-arm"}
    names = [step.get("uses", step.get("run", "")).split("@")[0] for step in JOBS["index"]["steps"]]
    assert names.count("actions/attest") == 2
    assert "gh attestation verify" in JOBS["index"]["steps"][-1]["run"]


def test_the_exact_tag_is_a_release_and_only_then_the_moving_tag_moves() -> None:
    text = "\n".join(script for job, script in SCRIPTS if job == "publish")
    order = [text.index(part) for part in ("refs/tags/v$VERSION", "gh release create", ".immutable", "--force")]
    assert order == sorted(order)
    assert text.count("--force") == 1
    assert 'refs/tags/v${VERSION%%.*}"' in text[order[-1] :]


def test_the_smoke_test_pulls_the_image_like_a_runner() -> None:
    assert [script for job, script in SCRIPTS if job == "smoke" and "login" in script] == []


@pytest.mark.parametrize(("job", "script"), SCRIPTS)
def test_every_step_is_valid_for_bash_and_the_tools(job: str, script: str) -> None:
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=10)
    source = (ROOT / "tools/release/__main__.py").read_text(encoding="utf-8")
    known = set(re.findall(r'step\("(\w+)"', source))
    assert set(re.findall(r"tools\.release (\w+)", script)) <= known
    assert set(re.findall(r"(?m)^(?:make|run: make) ([\w-]+)", script)) <= set(
        re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
    )
    assert "${{" not in script, f"{job}: a value reaches a script by its environment"
