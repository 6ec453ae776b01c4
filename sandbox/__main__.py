"""The demo: `python -m sandbox` plays one scenario and shows it as GitHub's run page would."""

import argparse
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from sandbox.play import play
from sandbox.runner.launchers import FromCheckout, FromImage, Launcher
from sandbox.runner.results import Run
from sandbox.runner.runner import Runner
from sandbox.scenarios import SCENARIOS, Scenario
from sandbox.scenarios.near import near_misses
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import World

_PROJECT = Path(__file__).resolve().parent.parent
_WIDTH = 100


def main() -> int:
    """Play a scenario, or list them; return the action's exit code, or with `--demo` 0 if it ends as it should."""
    options = _options()
    try:
        return _obey(options)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader has closed the pipe; buffered text must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _obey(options: argparse.Namespace) -> int:
    if options.scenario == "list":
        _list()
        return 0
    scenario = SCENARIOS.get(options.scenario)
    if scenario is None:
        near = near_misses(options.scenario, SCENARIOS)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        every = "make demo SCENARIO=list" if options.demo else "python -m sandbox list"
        print(f"There is no scenario {options.scenario}.{meant} `{every}` names them all.", file=sys.stderr)
        return 2
    launcher: Launcher = FromImage(options.image) if options.image else FromCheckout(Path(sys.executable))
    run = _play(scenario, Runner(_PROJECT, launcher))
    return _judge(run, scenario) if options.demo else run.exit_code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Plays a deployment on loopback: service, Watchtower, proxy, and the action as GitHub runs it.",
    )
    parser.add_argument("scenario", nargs="?", default="happy-path", help="a name, or `list` (default: happy-path)")
    parser.add_argument("--image", metavar="TAG", help="run this Docker image instead of the checkout")
    parser.add_argument(
        "--demo", action="store_true", help="end with 0 if the scenario ends as it should, even where that is red"
    )
    return parser.parse_args()


def _list() -> None:
    rows = [
        (name, f"{scenario.verdict} ({scenario.reason})" if scenario.reason else scenario.verdict, scenario.title)
        for name, scenario in SCENARIOS.items()
    ]
    names, endings = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, ending, title in rows:
        print(f"{name:{names}}  {ending:{endings}}  {title}")


def _play(scenario: Scenario, runner: Runner) -> Run:
    with ProcessPool() as pool, World(pool, scenario.scene) as world:
        _heading(scenario.title)
        print(scenario.shows)
        print(f"\nservice     {world.service_front.origin}\nWatchtower  {scenario.scene.variant}, {world.update_url}")
        _heading("Run redeploy-action")
        print("with:")
        for name, text in scenario.inputs.items():
            secret = any(mark in text for mark in ("{token}", "{header-secret}", "{update}", "{registry-password}"))
            shown = "the report of the step before" if text == "{baseline}" else world.fill(text)
            lines = ("***" if secret else shown).splitlines() or [""]
            print(f"  {name}: {lines[0]}{' ...' if lines[1:] else ''}")
        for name in scenario.files:
            print(f"the workspace holds {name}")
        run = play(scenario, world, runner, lambda line: print(line, flush=True))
        _report(run, world)
    return run


def _judge(run: Run, scenario: Scenario) -> int:
    """Print how the action ended, and whether it should; a scenario that is meant to fail does not fail the demo."""
    ended = run.outputs.get("verdict", ""), run.outputs.get("reason", "")
    right = ended in scenario.endings() and run.exit_code == scenario.code()
    stopped = not right and run.exit_code == 128 + signal.SIGINT
    if stopped:
        should = "since it was interrupted"
    else:
        should = "as this scenario should" if right else f"but this scenario should end with {_end(scenario.endings())}"
    print(f"\nThe action ended with {_end([ended])} and exit code {run.exit_code}, {should}.", flush=True)
    return 0 if right else run.exit_code if stopped else 1


def _end(ends: Iterable[tuple[str, str]]) -> str:
    return " or ".join(f"`{verdict}`" + (f" ({reason})" if reason else "") for verdict, reason in sorted(ends))


def _report(run: Run, world: World) -> None:
    _heading("Summary")
    print(run.summary.strip() or "(none)")
    _heading("Outputs")
    width = max(map(len, run.outputs), default=0)
    for name, value in run.outputs.items():
        shown = value if len(value) < _WIDTH else f"{value[:_WIDTH]} ... ({len(value)} characters)"
        print(f"{name:{width}}  {shown}".rstrip())
    if places := [one for one in run.annotations if one.file]:
        _heading("Annotations in files")
        for one in places:
            print(f"{one.file}:{one.line}  {one.level}: {one.message}")
    _heading("What the server saw")
    now = world.host.service.answers_with() or "no build"
    triggers, requests = len(world.front.triggers()), len(world.service_front.seen)
    print(f"{triggers} {'trigger' if triggers == 1 else 'triggers'}, {requests} requests; {now} is live at the end")
    print(f"exit code {run.exit_code} after {run.seconds:.1f} s")
    if world.github.seen:
        states = [" -> ".join(one.states) for one in world.github.deployments]
        print(f"GitHub: {len(world.github.seen)} requests; Deployments: {', '.join(states) or 'none'}")
        for issue in world.github.issues.documents:
            number, state = issue["number"], issue["state"]
            print(f"issue #{number}, {state}: {issue['title']}\n\n{issue['body']}")
            for comment in world.github.issues.comments.get(number, []):
                print(f"\ncomment on #{number}:\n\n{comment}")
    for problem in run.problems:
        print(f"breach of the contract with the runner: {problem}")


def _heading(text: str) -> None:
    bold = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold[0]}{text}{bold[1]}\n{'-' * len(text)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
