"""Random rollouts of the real decision on a simulated clock, each compared with what really happened."""

import concurrent.futures
import json
from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.report.outputs import outputs
from redeploy.report.several.forms import forms
from redeploy.report.summary import Repository
from sandbox.runner.masks import leaked
from sandbox.simulation import TOKEN, Story, simulate
from tools.gauntlet.scripts import FOR_EVER, NAMELESS, Script, script
from tools.gauntlet.truth import QUIET

TIME_TO_SEE = 45.0
"""Seconds after the new build is permanently live within which a run must have detected it: a probe may come late,
a window may have to restart, and a refused probe is delayed."""
OVERTIME = 60.0
"""Seconds beyond its `timeout` after which a run hangs."""


@dataclass(frozen=True)
class Result:
    """How one random run ended."""

    seed: int
    rollout: str
    ending: str
    green: bool
    unproven: bool
    false_green: bool
    false_red: bool
    hangs: bool
    leaks: tuple[str, ...]
    shown: bool
    """Whether anything distinguishes the builds, or a probe came in the gap between them."""
    late: bool = False
    """Whether a probe failed so late that there was no time for another window before the deadline."""

    @property
    def is_wrong(self) -> bool:
        """Whether the result is wrong in any way."""
        return bool(self.false_green or self.false_red or self.hangs or self.leaks)


def run(seeds: Sequence[int], jobs: int) -> list[Result]:
    """Run the rollouts of these seeds."""
    with concurrent.futures.ProcessPoolExecutor(jobs) as workers:
        return list(workers.map(judge, seeds, chunksize=25))


def judge(seed: int) -> Result:
    """Run the rollout of a seed, and compare its result with the truth."""
    chosen = script(seed)
    try:
        story = play(chosen)
    except AssertionError as endless:  # the simulation stops a run that would never end
        return Result(seed, chosen.rollout, str(endless), False, False, False, False, True, (), True)  # noqa: FBT003
    return of_story(chosen, story)


def play(chosen: Script) -> Story:
    """Run a rollout. Raises `AssertionError` if it does not end."""
    return simulate(chosen.world, **chosen.inputs)


def of_story(chosen: Script, story: Story) -> Result:
    """Compare a run with what really happened."""
    ended = story.seconds if story.world.triggered is not None else -FOR_EVER
    green, window = story.conclusion.exit_code == 0, story.state.history.window
    unproven = green and story.verdict[0] == "unproven"
    live = chosen.is_live(ended, ended + QUIET)
    well = chosen.at(ended).healthy and chosen.at(ended).build != ""
    return Result(
        chosen.seed,
        chosen.rollout,
        "/".join(filter(None, story.verdict)),
        green,
        unproven,
        false_green=green and not (well if unproven else live),
        false_red=not green and chosen.lasts_from + TIME_TO_SEE < chosen.timeout,
        hangs=ended > chosen.timeout + OVERTIME,
        leaks=_leaks(story),
        shown=chosen.identity != NAMELESS or story.state.history.gap_seen,
        late=window.broke_at is not None and window.broke_at + window.span_needed > story.state.deadline,
    )


def written(story: Story) -> str:
    """Return everything that a run writes: log, annotations, summary, outputs."""
    headline, annotations, page = forms(story.outcome, Repository.of({}))
    shown = [*story.log.groups, *story.log.lines, *story.log.details, headline, page]
    shown += [f"{one.title} {one.message}" for one in annotations]
    return "\n".join([*shown, json.dumps(outputs(story.outcome))])


def _leaks(story: Story) -> tuple[str, ...]:
    form = leaked(written(story), TOKEN)
    return (f"the token, {form}",) if form else ()
