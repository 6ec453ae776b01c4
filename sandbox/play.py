"""Plays a scenario: starts its world, runs the action in it, and returns both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sandbox.runner.results import Run
from sandbox.runner.runner import Interrupt, Runner
from sandbox.scenarios import Scenario
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import World


@contextmanager
def played(
    scenario: Scenario, pool: ProcessPool, runner: Runner, on_line: Callable[[str], object] | None = None
) -> Iterator[tuple[Run, World]]:
    """Play a scenario; yield the run, and the world while it still runs."""
    with World(pool, scenario.scene) as world:
        yield play(scenario, world, runner, on_line), world


def play(scenario: Scenario, world: World, runner: Runner, on_line: Callable[[str], object] | None = None) -> Run:
    """Run the action with the scenario's inputs in a running world."""
    interrupt = None
    if scenario.interrupt is not None:
        interrupt = Interrupt(scenario.interrupt_after, scenario.interrupt, lambda: bool(world.front.triggers()))
    own = {name: world.fill(text) for name, text in scenario.variables.items()}
    github = {"GITHUB_API_URL": world.github.api_url, **runner.github}
    runner = replace(runner, github=github, environment={**runner.environment, **own})
    known = world.secrets
    problems: list[str] = []
    for each in scenario.earlier:
        inputs = {name: world.fill(text) for name, text in each.inputs.items()}
        earlier = runner.run(inputs, secrets=known, files=scenario.files, on_line=on_line)
        problems += earlier.problems
        world.baseline = earlier.outputs.get("report", "")
        line = each.then(world)
        if on_line and isinstance(line, str):
            on_line(line)
    inputs = {name: world.fill(text) for name, text in scenario.inputs.items()}
    run = runner.run(inputs, interrupt=interrupt, secrets=known, files=scenario.files, on_line=on_line)
    return replace(run, problems=(*problems, *run.problems))
