"""An engine that restarts; run alone, since that stops every stack on it."""

import os
import shlex
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Runner
from sandbox.server.builds import V1, V2
from tests.deploy_files import ROOT
from tests.e2e.conftest import Action
from tests.e2e.parts.stack import Stack

RESTART = os.environ.get("E2E_ENGINE_RESTART", "")
"""The command that restarts the engine."""


@pytest.fixture
def distant_action() -> Action:
    """The action as a process of this machine, which a restart of the engine does not affect."""
    return Action(Runner(ROOT, FromCheckout(Path(sys.executable)), patience=240))


@pytest.mark.skipif(not RESTART, reason="E2E_ENGINE_RESTART does not say how this engine is restarted")
def test_an_engine_restart_during_an_update_is_red_unless_the_new_build_runs(
    stack: Stack, distant_action: Action
) -> None:
    stack.serve(replace(V1, ignores_term=8.0))
    after = stack.push(V2)
    with stack.seen_stopping() as stopping:
        restarting = threading.Thread(target=_restart, args=(stopping,))
        restarting.start()
        run = distant_action(
            stack,
            ("deployed", ""), ("unhealthy", "down"), ("stale", "old-build"), ("trigger-failed", "no-answer"),
            expect_version=V2.git_sha, timeout="40s",
        )  # fmt: skip
        restarting.join()
    assert (run.exit_code == 0) == stack.runs(after)
    stack.up()  # as the documentation says
    stack.wait_for_watchtower()
    distant_action(stack, ("deployed", ""), ("already-current", ""), expect_version=V2.git_sha)
    assert stack.runs(after)


def _restart(stopping: threading.Event) -> None:
    assert stopping.wait(60)
    subprocess.run(shlex.split(RESTART), check=True, cwd=ROOT)
