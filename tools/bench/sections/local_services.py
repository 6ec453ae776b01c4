"""How long a run of many services takes in the sandbox: real processes and sockets on one machine, one Watchtower."""

import json
import statistics
import sys
from pathlib import Path

from sandbox.play import play
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Runner
from sandbox.scenarios.config_files import FILE
from sandbox.scenarios.scenario import Scenario, story
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import Neighbour, Scene, World

_PROJECT = Path(__file__).resolve().parents[3]
_STABLE_FOR = 5.0
"""Seconds; the default."""


def measure(number: int, rounds: int) -> dict[str, float]:
    """Measure runs of so many services, each with an origin of its own.

    `beyond` is the median of what a run takes beyond `stable-for` and the rollout of its slowest service, in seconds; a
    rollout lasts from the trigger until the new process listens. `not green` are the services that did not go live.
    """
    scenario = _scenario(number)
    runner = Runner(_PROJECT, FromCheckout(Path(sys.executable)))
    beyond, green = [], 0
    for _ in range(rounds):
        with ProcessPool() as pool, World(pool, scenario.scene) as world:
            run = play(scenario, world, runner)
            slowest = max(each.moments[-1].at for each in world.host.containers) - world.watchtower.triggers[0].at
        beyond.append(run.seconds - slowest - _STABLE_FOR)
        ended = json.loads(run.outputs["services"] or "{}") if number > 1 else {"": {"verdict": run.outputs["verdict"]}}
        green += sum(each["verdict"] == "deployed" for each in ended.values())
    return {"beyond": statistics.median(beyond), "not green": rounds * number - green}


def _scenario(number: int) -> Scenario:
    names = [f"s{each}" for each in range(1, number)]
    rows = "\n".join(f'  {name}: {{base-url: "${{{name.upper()}}}", container: {name}}}' for name in names)
    text = f"""\
defaults: {{version-path: /api/dev/status, timeout: 90s, openapi-path: "off"}}
services:
  api: {{base-url: "${{API}}", container: api}}
{rows}
hosts:
  eu: {{watchtower-url: "${{EU_URL}}", watchtower-token: "${{EU_TOKEN}}"}}
"""
    addresses = {name.upper(): f"{{{name}:origin}}" for name in names}
    own = {"API": "{origin}", "EU_URL": "{update}", "EU_TOKEN": "{token}"}
    scene = Scene(details=True, neighbours={name: Neighbour() for name in names})
    return (
        story(f"{number}-services", f"{number} services behind one Watchtower", "Each is proven side by side.")
        .plays(scene, {"config": FILE})
        .ends("deployed", proof="change", result="updated", files={FILE: text}, variables={**addresses, **own})
    )
