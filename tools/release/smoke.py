"""Plays scenarios with a release as a runner would run it: by its `action.yml` and the image in it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.play import played
from sandbox.runner.launchers import FromImage
from sandbox.runner.runner import Runner
from sandbox.scenarios import SCENARIOS
from sandbox.server.process_pool import ProcessPool
from tools.release import metadata
from tools.release.version import RefusedError

GREEN_AND_RED = ("happy-path", "old-build")
"""One scenario that must be green, and one that must be red."""


def play(folder: Path, names: Sequence[str], say: Callable[[str], object]) -> None:
    """Play scenarios with the action whose `action.yml` is in `folder`.

    Raises:
        RefusedError: if one does not end as it should, or breaks the runner's rules.
    """
    image = metadata.image_of((folder / "action.yml").read_text(encoding="utf-8"))
    with ProcessPool() as pool:
        for name in names:
            scenario = SCENARIOS[name]
            with played(scenario, pool, Runner(folder, FromImage(image))) as (run, _):
                ended = run.outputs.get("verdict", ""), run.outputs.get("reason", "")
            if ended not in scenario.endings() or run.exit_code != scenario.code() or run.problems:
                raise RefusedError(
                    f"{image} played {name} and ended with {ended}, exit code {run.exit_code} and these breaches of the "
                    f"runner's contract: {list(run.problems)}. Its log:\n{run.log}"
                )
            say(f"{name}: {' '.join(filter(None, ended))}, exit code {run.exit_code}, as it should")
