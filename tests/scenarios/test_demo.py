"""The demo, as a new user runs it."""

import re
import subprocess
import sys
from pathlib import Path

from sandbox.scenarios import SCENARIOS

PROJECT = Path(__file__).resolve().parents[2]


def demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=60, check=False)


def test_the_demo_deploys_a_new_build() -> None:
    shown = demo()
    assert shown.returncode == 0, shown.stdout
    for part in ("▼ ", "\nSummary\n", "\nOutputs\n", "verdict", "deployed", "1 trigger,", "v2 is live at the end"):
        assert part in shown.stdout
    assert "\x1b" not in shown.stdout
    assert shown.stderr == ""


def test_a_scenario_that_fails_returns_its_exit_code() -> None:
    shown = demo("invalid-inputs")
    assert shown.returncode == 2
    assert "Error: " in shown.stdout


def test_with_the_demo_flag_a_red_scenario_returns_0_and_prints_its_result() -> None:
    shown = demo("--demo", "invalid-inputs")
    assert (shown.returncode, shown.stderr) == (0, "")
    last = shown.stdout.splitlines()[-1]
    assert last == "The action ended with `invalid-config` and exit code 2, as this scenario should."


def test_the_list_names_every_scenario_with_its_result() -> None:
    shown = demo("list")
    assert shown.returncode == 0
    rows = [re.split(r"  +", row) for row in shown.stdout.splitlines()]
    assert [row[0] for row in rows] == list(SCENARIOS)
    assert ["happy-path", "deployed", "A new build goes live"] in rows
    assert ["wrong-token", "trigger-failed (auth)", "The token is wrong"] in rows


def test_a_misspelt_name_gets_a_suggestion() -> None:
    shown = demo("happy-paht")
    assert shown.returncode == 2
    assert "Did you mean happy-path" in shown.stderr
