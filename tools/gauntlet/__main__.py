"""Runs every gate in every world and writes the page; the exit code says whether the action was wrong anywhere."""

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import World
from tools.gauntlet import simulated, trials
from tools.gauntlet.choice import Setup, alone, one_of_each, pairs
from tools.gauntlet.contestants import ACTION, CONTESTANTS
from tools.gauntlet.page import Findings, page, wrong
from tools.gauntlet.scripts import script
from tools.gauntlet.truth import watch

_PROJECT = Path(__file__).resolve().parents[2]
_PAGE = _PROJECT / "docs" / "reliability.md"
_PAIRS, _RUNS, _RUNS_QUICK = 66, 2000, 200
_FIRST_SEED = 1
_SIDE_BY_SIDE = 8
"""Concurrent trials per core: a trial mostly waits."""


def main() -> int:
    """Run the chosen trials; return 1 if the action is wrong without a known reason."""
    options = _options()
    if options.seed is not None:
        return _replay(options.seed)
    if options.world:
        return _show(options.world)
    setups = one_of_each() if options.quick else alone() + pairs(_PAIRS, options.first_seed)
    names = [ACTION] if options.quick else list(CONTESTANTS)
    cores = os.cpu_count() or 1
    seeds = range(options.first_seed, options.first_seed + (_RUNS_QUICK if options.quick else _RUNS))
    print(f"{len(setups)} worlds, {len(names)} gates; then simulated runs, seeds {seeds[0]} to {seeds[-1]}", flush=True)
    tried = trials.run(setups, names, options.jobs or _SIDE_BY_SIDE * cores, _say)
    results = simulated.run(seeds, cores)
    found = Findings(setups, tried, results)
    if not options.quick:
        _PAGE.write_text(page(found, _made()), encoding="utf-8")
        print(f"wrote {_PAGE.relative_to(_PROJECT)}")
    faults = wrong(found)
    print("\n".join(faults) or "The action was never wrong without a known reason.")
    return int(bool(faults))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.gauntlet", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the action, one world of each kind; writes no page")
    parser.add_argument("--jobs", type=int, default=0, help="concurrent trials")
    parser.add_argument("--first-seed", type=int, default=_FIRST_SEED, metavar="N", help="the first seed")
    parser.add_argument("--seed", type=int, metavar="N", help="show one simulated run")
    parser.add_argument(
        "--world", default="", metavar="NAME", help="show one world, as the page and the messages name it"
    )
    return parser.parse_args()


def _say(number: int, count: int) -> None:
    if number % 25 == 0 or number == count:
        print(f"{number} of {count} trials", flush=True)


def _replay(seed: int) -> int:
    """Show a simulated run: what really happened, its log, and whether it was right."""
    chosen = script(seed)
    print(f"SEED={seed}: {chosen.rollout}; {chosen.identity}; in the way of the looks: {chosen.noise}")
    print(f"Watchtower: {chosen.answer}\ninputs: {chosen.inputs}")
    for each in chosen.stretches[:20]:
        print(f"  from {each.start:.1f} s: {each.build[:7] or 'nothing'}{'' if each.healthy else ', not healthy'}")
    story = simulated.play(chosen)
    result = simulated.of_story(chosen, story)
    print("\n".join(story.log.lines))
    print(result)
    return int(result.is_wrong)


def _show(name: str) -> int:
    """Run every gate in one world, and show how each ended."""
    known = {setup.name: setup for setup in [*alone(), *pairs(_PAIRS, _FIRST_SEED)]}
    if name not in known:
        print(f"There is no world {name}; the page and the messages name worlds as `nicholas-fedor + slow-stop`.")
        return 2
    return _each(known[name])


def _each(setup: Setup) -> int:
    faults = 0
    with ProcessPool() as pool:
        for gate in CONTESTANTS.values():
            with World(pool, setup.scene) as world:
                end = gate.run(world, {key: world.fill(text) for key, text in setup.inputs.items()})
                truth = watch(world, declared=setup.declares)
            trial = trials.Trial(0, gate.name, end, truth.at_the_end, truth.settled)
            faults += gate.name == ACTION and trial.is_wrong
            live = "the expected build is live" if truth.settled else "the expected build is not live"
            print(f"{gate.name}: {end.colour}, {end.ending}; {live}{'; WRONG' if trial.is_wrong else ''}")
    return int(bool(faults))


def _made() -> str:
    """The command, the time and the versions of this run."""
    commit = _first_line("git", "-C", str(_PROJECT), "rev-parse", "--short", "HEAD")
    curl, bash = (_first_line(tool, "--version").split(" (")[0] for tool in ("curl", "bash"))
    made = f"Made by `make gauntlet` on {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, at commit {commit}"
    return f"{made}, with Python {platform.python_version()}, {curl} and {bash.replace(', version', '')}."


def _first_line(*command: str) -> str:
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout
    return output.splitlines()[0].strip()


if __name__ == "__main__":
    sys.exit(main())
