"""Random rollouts of the real decision on a simulated clock, each judged beside what really happened."""

import concurrent.futures
import json
from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.report.outputs import outputs
from redeploy.report.several.forms import forms
from redeploy.report.summary import Repository
from sandbox.runner.masks import leaked
from sandbox.simulation import TOKEN, Story, tell
from tools.gauntlet.scripts import FOR_EVER, NAMELESS, Script, script
from tools.gauntlet.truth import QUIET

TIME_TO_SEE = 45.0
"""Seconds from the moment that the new build is live for good after which a run must have seen it: a look may come late,
a window may have to begin again, and a refused look waits."""
OVERTIME = 60.0
"""Seconds beyond its `timeout` after which a run hangs."""


@dataclass(frozen=True)
class Result:
    """How one random run ended."""

    seed: int
    rollout: str
    said: str
    green: bool
    unproven: bool
    false_green: bool
    false_red: bool
    hangs: bool
    leaks: tuple[str, ...]
    shown: bool
    """Whether anything tells the builds apart, or a look fell into the time between them."""
    late: bool = False
    """Whether a look failed so late that no further window had time before the deadline."""

    @property
    def is_wrong(self) -> bool:
        """Whether anything is to be said against it."""
        return bool(self.false_green or self.false_red or self.hangs or self.leaks)


def run(seeds: Sequence[int], jobs: int) -> list[Result]:
    """Run the rollouts of these seeds."""
    with concurrent.futures.ProcessPoolExecutor(jobs) as workers:
        return list(workers.map(judge, seeds, chunksize=25))


def judge(seed: int) -> Result:
    """Run the rollout of a seed, and judge its end."""
    chosen = script(seed)
    try:
        story = play(chosen)
    except AssertionError as endless:  # the simulation ends a run that would never end by itself
        return Result(seed, chosen.rollout, str(endless), False, False, False, False, True, (), True)  # noqa: FBT003
    return of_story(chosen, story)


def play(chosen: Script) -> Story:
    """Run a rollout. Raises `AssertionError` where it has no end."""
    return tell(chosen.world, **chosen.inputs)


def of_story(chosen: Script, story: Story) -> Result:
    """Judge a run by what really happened."""
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


def told(story: Story) -> str:
    """Everything that a run writes: log, annotations, summary, outputs."""
    headline, annotations, page = forms(story.outcome, Repository.of({}))
    shown = [*story.log.groups, *story.log.lines, *story.log.details, headline, page]
    shown += [f"{one.title} {one.message}" for one in annotations]
    return "\n".join([*shown, json.dumps(outputs(story.outcome))])


def _leaks(story: Story) -> tuple[str, ...]:
    form = leaked(told(story), TOKEN)
    return (f"the token, {form}",) if form else ()
