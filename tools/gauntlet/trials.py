"""Every gate in every world, many concurrently: each trial has its own world."""

import concurrent.futures
import multiprocessing
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import World
from tools.gauntlet.choice import Setup
from tools.gauntlet.contestants import CONTESTANTS, End
from tools.gauntlet.truth import watch

_pool: ProcessPool | None = None
_setups: Sequence[Setup] = ()


@dataclass(frozen=True)
class Trial:
    """One gate in one world."""

    setup: int
    contestant: str
    end: End
    live_at_the_end: bool
    """Whether the expected build was live and healthy when the gate ended, and stayed so."""
    live_once_settled: bool
    """Whether it was so once the world had settled."""

    @property
    def false_green(self) -> bool:
        """Green, and the expected build was not live, not healthy, or did not stay so."""
        return self.end.colour == "green" and not self.live_at_the_end

    @property
    def too_early(self) -> bool:
        """A false green after which the expected build still went live."""
        return self.false_green and self.live_once_settled

    @property
    def false_red(self) -> bool:
        """Red, although the expected build went live and stayed healthy."""
        return self.end.colour == "red" and not self.end.hangs and self.live_once_settled

    @property
    def is_wrong(self) -> bool:
        """Whether the result is wrong in any way."""
        return bool(self.false_green or self.false_red or self.end.hangs or self.end.leaks or self.end.breaches)


def run(
    setups: Sequence[Setup],
    contestants: Iterable[str],
    jobs: int,
    on_trial: Callable[[int, int], object] = lambda *_: None,
) -> list[Trial]:
    """Run each contestant in each world; `on_trial` gets the number of finished trials and their total."""
    tasks = [(number, name) for number in range(len(setups)) for name in contestants]
    random.Random(0).shuffle(tasks)  # so that slow trials are not all at the end
    trials = []
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(jobs, context, _prepare, (setups,)) as workers:
        for done in concurrent.futures.as_completed([workers.submit(_try, *task) for task in tasks]):
            trials.append(done.result())
            on_trial(len(trials), len(tasks))
        for _ in range(jobs):
            workers.submit(_finish)
    places = {name: place for place, name in enumerate(CONTESTANTS)}
    return sorted(trials, key=lambda trial: (trial.setup, places[trial.contestant]))


def _prepare(setups: Sequence[Setup]) -> None:
    global _setups  # noqa: PLW0603  a separate process, which gets its work once
    _setups = setups


def _try(number: int, name: str) -> Trial:
    global _pool  # noqa: PLW0603  one for all trials of a process, since each imports a web framework first
    _pool = _pool or ProcessPool()
    setup = _setups[number]
    with World(_pool, setup.scene) as world:
        inputs = {key: world.fill(text) for key, text in setup.inputs.items()}
        end = CONTESTANTS[name].run(world, inputs)
        truth = watch(world, declared=setup.declares)
    return Trial(number, name, end, truth.at_the_end, truth.settled)


def _finish() -> None:
    if _pool is not None:
        _pool.close()
