"""The gates: the action by its real entrypoint, and typical scripts with bash and curl."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.runner.launchers import FromCheckout
from sandbox.runner.masks import Masker, leaked
from sandbox.runner.runner import Runner
from sandbox.server.builds import V2
from sandbox.worlds import World

_PROJECT = Path(__file__).resolve().parents[2]
_HERE = Path(__file__).parent
SCALE = 0.2
"""The factor for every wait of a script. The worlds are faster than real ones, too: a build boots in 0.4 s, and
the action watches for 1 s where its default is 5 s."""
HANGS_AFTER = 45.0
"""Seconds; the longest wait of a script is 32."""
_MOST_OUTPUT = 1 << 20

Colour = Literal["green", "unproven", "red"]


@dataclass(frozen=True)
class End:
    """How a gate ended."""

    colour: Colour
    """`unproven` is a green job with a warning that nothing was proven."""
    ending: str
    hangs: bool = False
    leaks: tuple[str, ...] = ()
    breaches: tuple[str, ...] = ()
    """Other breaches of the runner's rules by the action."""


@dataclass(frozen=True)
class Contestant:
    """One gate: its name, what it does, and how it is run."""

    name: str
    does: str
    run: Callable[[World, Mapping[str, str]], End]


def _action(world: World, inputs: Mapping[str, str]) -> End:
    runner = Runner(_PROJECT, FromCheckout(Path(sys.executable)), patience=HANGS_AFTER)
    run = runner.run(inputs, secrets=world.secrets)
    hangs = any(problem.startswith("still running") for problem in run.problems)
    leaks = tuple(problem for problem in run.problems if problem.startswith("secret "))
    others = tuple(problem for problem in run.problems if problem not in leaks) if not hangs else ()
    verdict = run.outputs.get("verdict", "")
    green: Colour = "unproven" if verdict == "unproven" else "green"
    return End(
        "red" if run.exit_code else green,
        f"{verdict}/{run.outputs.get('reason', '')}".rstrip("/"),
        hangs,
        leaks + _strayed(world),
        others,
    )


def _script(name: str) -> Callable[[World, Mapping[str, str]], End]:
    def run(world: World, inputs: Mapping[str, str]) -> End:
        environment = {
            "PATH": os.environ["PATH"],
            "UPDATE_URL": inputs["watchtower-url"],
            "TOKEN": inputs["watchtower-token"],
            "BASE_URL": inputs["base-url"],
            "EXPECTED": V2.git_sha,
            "SCALE": str(SCALE),
        }
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                ["bash", str(_HERE / name)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            hangs = False
            try:
                process.wait(HANGS_AFTER)
            except subprocess.TimeoutExpired:
                hangs = True
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            log.seek(0)
            text = log.read(_MOST_OUTPUT).decode("utf-8", "replace")
        lines = text.strip().splitlines() or ["(nothing)"]
        colour: Colour = "red" if process.returncode else "green"
        return End(colour, lines[-1][:100], hangs, _shown(text, world.secrets) + _strayed(world))

    return run


def _shown(log: str, secrets: Iterable[str]) -> tuple[str, ...]:
    """The secrets that a log shows although GitHub's runner masks secrets."""
    known, masker = list(secrets), Masker()
    for secret in known:
        masker.add(secret)
    masked = "\n".join(masker.mask(line) for line in log.splitlines())
    found = ((number, leaked(masked, secret)) for number, secret in enumerate(known))
    return tuple(f"secret {number} in the log, {form}" for number, form in found if form)


def _strayed(world: World) -> tuple[str, ...]:
    """The breach, if the token was sent to an origin that it is not for."""
    shown = any(world.token in value for request in world.foreign.seen for _, value in request.headers)
    return ("the token went to another host",) if shown else ()


ACTION = "this action"
CONTESTANTS: Mapping[str, Contestant] = {
    each.name: each
    for each in (
        Contestant(ACTION, "its real entrypoint, with `timeout: 20s` and `stable-for: 1s`", _action),
        Contestant("the guide", "trigger, sleep 10, poll health, list the routes", _script("guide.sh")),
        Contestant("curl, sleep 30", "trigger, sleep 30, one look at health", _script("sleep-30.sh")),
        Contestant(
            "a strict gate",
            "trigger, fail unless it was accepted, poll until health and the commit are right, else fail",
            _script("strict-gate.sh"),
        ),
    )
}
"""By name, the action first."""
