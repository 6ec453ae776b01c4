"""How long a whole job takes beyond the rollout itself, in the sandbox: ours, and the steps of the guide."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from sandbox.play import play
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Runner
from sandbox.scenarios import SCENARIOS
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import World

_PROJECT = Path(__file__).resolve().parents[3]
_STABLE_FOR = 5.0
"""Seconds; the default of the input, which the scenario does not set."""


def measure(rounds: int) -> dict[str, float]:
    """Return the median seconds that are neither rollout nor `stable-for`, of ours and of the guide's steps.

    The rollout lasts from the trigger to the first response of the new build, as the action measures it.
    """
    scenario, ours, guides = SCENARIOS["happy-path"], [], []
    runner = Runner(_PROJECT, FromCheckout(Path(sys.executable)))
    with ProcessPool() as pool:
        for _ in range(rounds):
            with World(pool, scenario.scene) as world:
                run = play(scenario, world, runner)
                rollout = float(run.outputs["rollout-seconds"])
                ours.append(run.seconds - rollout - _STABLE_FOR)
            with World(pool, scenario.scene) as world:
                guides.append(_guide(world) - rollout)
    return {"ours": statistics.median(ours), "guide": statistics.median(guides)}


def _guide(world: World) -> float:
    """Return the seconds that the guide's steps take, with its own waits."""
    environment = {
        "PATH": os.environ["PATH"],
        "UPDATE_URL": world.fill("{update}"),
        "TOKEN": world.fill("{token}"),
        "BASE_URL": world.fill("{origin}"),
        "SCALE": "1",
    }
    began = time.monotonic()
    script = _PROJECT / "tools" / "gauntlet" / "guide.sh"
    subprocess.run(["bash", str(script)], env=environment, check=True, capture_output=True)
    return time.monotonic() - began
