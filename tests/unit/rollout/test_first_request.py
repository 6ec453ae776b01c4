"""What happens before the first request is sent: few modules are loaded, and the plan alone decides what is sent."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from redeploy.rollout.requests import Probe, opening
from redeploy.rollout.schedule import Schedule
from redeploy.rollout.service_state import ServiceState
from sandbox.simulation import WALL, plan

ROOT = Path(__file__).resolve().parents[3]

LOADED = """
import os
import sys
from redeploy.rollout.workers import Workers

def first(*_: object) -> None:
    print(*sys.modules, file=sys.stderr, flush=True)
    os._exit(0)

Workers.start = first
from redeploy.cli import main
main()
"""

MOST_OF_OURS = 42
"""Modules of the action, including empty packages, that are loaded before the first request is sent."""

NEEDED = "import dataclasses, requests, secrets, signal"
"""Other modules that are loaded by then, with everything that they load themselves."""


def _loaded(code: str, **inputs: str) -> set[str]:
    environment = {f"INPUT_{name.upper().replace('_', '-')}": text for name, text in inputs.items()}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(ran.stderr.split())


def test_few_modules_are_loaded_before_the_first_request() -> None:
    deploy = {"watchtower_url": "https://api.example.com/v1/update", "watchtower_token": "a" * 32}
    needed = _loaded(f"{NEEDED}, sys; print(*sys.modules, file=sys.stderr)")
    loaded = _loaded(LOADED, **deploy)
    ours = {each for each in loaded if each.partition(".")[0] == "redeploy"}
    assert loaded - needed - ours == set()
    assert len(ours) <= MOST_OF_OURS, "\n".join(sorted(ours))


ADDRESSES: tuple[dict[str, str], ...] = (
    {},
    {"version_path": "/version"},
    {"base_url": "https://one.example.com"},
    {"openapi_path": "off"},
)
MODES: tuple[dict[str, str], ...] = (
    {},
    {"image": "ghcr.io/o/api"},
    {"container": "api"},
    {"request_rate": "1/m"},
    {"mode": "verify"},
    {"mode": "verify", "wait_for_build": "true"},
    {"mode": "verify", "image": "ghcr.io/o/api"},
    {"mode": "rollback", "image": "ghcr.io/o/api", "registry_username": "u", "registry_password": "p" * 12},
)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("addresses", ADDRESSES)
def test_the_first_requests_are_those_that_the_schedule_wants(addresses: dict[str, str], mode: dict[str, str]) -> None:
    asked = plan(expect_version="1.2.3", **addresses, **mode)
    schedule = Schedule(ServiceState(asked, began=0.0), lambda: 0.5)
    first = opening(asked)
    looks = tuple(each for each in schedule.step(0.0, WALL).requests if isinstance(each, Probe))
    assert first in (looks, ())
    assert first or mode.get("mode") in ("rollback", "verify")


def test_a_request_that_was_sent_early_is_not_sent_again() -> None:
    asked = plan(version_path="/version")
    state = ServiceState(asked, began=0.0)
    for request in opening(asked):
        state.budget.note_sent(request, 0.0)
    again = [each for each in Schedule(state, lambda: 0.5).step(0.1, WALL).requests if isinstance(each, Probe)]
    assert (len(opening(asked)), again) == (2, [])
