"""action.yml, the Dockerfile, the code and the README agree."""

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from redeploy.settings import defaults
from tests.github_schemas import github_schema

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SLIM: dict[str, Any] = yaml.safe_load((ROOT / "slim" / "action.yml").read_text(encoding="utf-8"))
INPUTS: dict[str, dict[str, str]] = ACTION["inputs"]
OUTPUTS: dict[str, dict[str, str]] = ACTION["outputs"]
FILLED_IN_BY_GITHUB = {"github-token": "${{ github.token }}"}
"""Defaults that are expressions, which the code never sees: without them the input is empty."""


@pytest.mark.parametrize("action", [ACTION, SLIM], ids=["action", "slim"])
def test_the_description_fits_the_marketplace(action: dict[str, Any]) -> None:
    assert 0 < len(action["description"].strip()) <= 124
    assert "\n" not in action["description"].strip()


def test_the_marketplace_finds_one_action_at_the_root_under_a_name_of_its_own() -> None:
    assert [path.name for path in ROOT.iterdir() if path.name in {"action.yml", "action.yaml"}] == ["action.yml"]
    assert re.fullmatch(r"[A-Z][A-Za-z ]{3,49}", ACTION["name"])
    # It must not be a feature, category or program of GitHub or its partners.
    assert not {"github", "actions", "deployment", "marketplace", "docker", "watchtower"} & set(
        ACTION["name"].lower().split()
    )
    assert SLIM["name"] != ACTION["name"]


def test_the_action_without_docker_has_the_same_inputs_and_outputs() -> None:
    assert SLIM["inputs"] == INPUTS
    assert {name: each["description"] for name, each in SLIM["outputs"].items()} == {
        name: each["description"] for name, each in OUTPUTS.items()
    }


def test_the_action_without_docker_passes_every_input_in_and_every_output_back() -> None:
    set_up, redeploy = SLIM["runs"]["steps"]
    handed = {name: value for name, value in redeploy["env"].items() if name.startswith("INPUT_")}
    assert handed == {f"INPUT_{name.upper()}": f"${{{{ inputs.{name} }}}}" for name in INPUTS}
    assert {name: each["value"] for name, each in SLIM["outputs"].items()} == {
        name: f"${{{{ steps.{redeploy['id']}.outputs.{name} }}}}" for name in OUTPUTS
    }
    assert "env" not in set_up, "what installs knows no secret"
    assert "${{" not in set_up["run"] + redeploy["run"]


@pytest.mark.parametrize("number", [0, 1])
def test_the_steps_of_the_action_without_docker_are_bash(number: int) -> None:
    step = SLIM["runs"]["steps"][number]
    assert step["shell"] == "bash"
    subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True, timeout=10)


@pytest.mark.parametrize("part", ["icon", "color"])
def test_the_branding_is_valid_on_github(part: str) -> None:
    known = github_schema("github-actions")["properties"]["branding"]["properties"][part]["enum"]
    assert ACTION["branding"][part] in known


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_is_described_and_its_default_is_text(name: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert name not in {"args", "entrypoint"}, "the runner has these for itself"
    assert set(INPUTS[name]) == {"description", "default"}
    assert INPUTS[name]["description"].strip()
    assert isinstance(INPUTS[name]["default"], str)


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_is_described(name: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert set(OUTPUTS[name]) == {"description"}
    assert OUTPUTS[name]["description"].strip()


def test_the_code_reads_the_declared_inputs_with_the_declared_defaults() -> None:
    texts = {name: declared["default"] for name, declared in INPUTS.items() if name not in FILLED_IN_BY_GITHUB}
    assert texts | dict.fromkeys(FILLED_IN_BY_GITHUB, "") == dict(defaults.DEFAULTS)


def test_only_the_jobs_token_is_filled_in_by_github() -> None:
    # An expression is evaluated everywhere: in a description it stops the action from loading.
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert re.findall(r"\$\{\{.*", text) == list(FILLED_IN_BY_GITHUB.values())
    assert {name: INPUTS[name]["default"] for name in FILLED_IN_BY_GITHUB} == FILLED_IN_BY_GITHUB


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_code_names_every_declared_output(name: str) -> None:
    assert name in _texts(ROOT / "redeploy")


def test_the_action_runs_the_image_of_this_tree() -> None:
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile"}


def test_the_image_starts_an_isolated_python_without_a_shell() -> None:
    starts = [line for line in _dockerfile().splitlines() if line.startswith(("ENTRYPOINT", "CMD"))]
    assert len(starts) == 1
    python, *arguments = json.loads(starts[0].removeprefix("ENTRYPOINT "))
    assert re.fullmatch(r"/.*/python[0-9.]*", python)
    assert arguments == ["-I", "-u", "/app/entrypoint.py"]


def test_the_image_runs_as_the_user_that_can_write_the_runners_files() -> None:
    assert not re.search(r"(?m)^USER\b", _dockerfile())


def test_the_base_image_is_pinned_by_digest() -> None:
    assert re.search(r"(?m)^ARG BASE_IMAGE=python:\S+@sha256:[0-9a-f]{64}$", _dockerfile())
    assert re.findall(r"(?m)^FROM (\S+)", _dockerfile()) == ["${BASE_IMAGE}", "scratch"]


def _dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


@cache
def _texts(folder: Path) -> set[str]:
    """Every string literal in the sources of a folder."""
    return {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
