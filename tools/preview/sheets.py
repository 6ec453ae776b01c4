"""The sources of summaries: scenarios that are really played, or files."""

import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.play import played
from sandbox.runner.commands import Annotation
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.results import Run
from sandbox.runner.runner import Runner
from sandbox.scenarios import Scenario
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import World

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sheet:
    """A summary with its annotations and facts."""

    name: str
    markdown: str
    title: str = ""
    about: str = ""
    sign: str = "·"
    facts: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    problems: tuple[str, ...] = ()


def play(
    scenarios: Iterable[Scenario], at_once: int, patience: float, on_end: Callable[[Sheet], object]
) -> list[Sheet]:
    """Play scenarios, a few at a time, each for at most `patience` seconds; the sheet of a failed one has the error.

    The issues of a scenario have their own sheets.
    """
    runner = Runner(PROJECT, FromCheckout(Path(sys.executable)), patience=patience)
    with ProcessPool() as processes, ThreadPoolExecutor(at_once) as pool:

        def sheets(scenario: Scenario) -> list[Sheet]:
            issues: list[Sheet] = []
            try:
                with played(scenario, processes, runner) as (run, world):
                    made = _of_run(scenario, run)
                    issues = [_of_issue(scenario, issue, world) for issue in world.github.issues.documents]
            except Exception as error_kind:  # noqa: BLE001  the other scenarios are still rendered
                problem = f"could not be played: {type(error_kind).__name__}: {error_kind}"
                made = Sheet(scenario.name, "", scenario.title, scenario.shows, "❌", problems=(problem,))
            on_end(made)
            return [made, *issues]

        return [each for made in pool.map(sheets, scenarios) for each in made]


def read(folder: Path) -> list[Sheet]:
    """Return a sheet for each Markdown file of a folder."""
    return [Sheet(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.md"))]


def _of_issue(scenario: Scenario, issue: Mapping[str, Any], world: World) -> Sheet:
    """The sheet of an issue, with its comments."""
    number, state = issue["number"], issue["state"]
    comments = world.github.issues.comments.get(number, [])
    text = "\n\n---\n\n".join([issue["body"], *comments])
    facts = (f"issue #{number}", state, f"{len(issue['body']):,} characters", f"{len(comments)} comments")
    return Sheet(f"{scenario.name}.issue-{number}", text, issue["title"], scenario.shows, facts=facts)


def _of_run(scenario: Scenario, run: Run) -> Sheet:
    verdict, reason = run.outputs.get("verdict", ""), run.outputs.get("reason", "")
    problems = list(run.problems)
    if (verdict, reason) not in scenario.endings():
        problems.append(f"ended as {verdict or 'nothing'} ({reason or 'no reason'}), not as the scenario promises")
    ended = " / ".join(filter(None, (verdict, reason)))
    facts = (ended, f"exit code {run.exit_code}", f"{run.seconds:.1f} s", f"{len(run.summary.encode()):,} bytes")
    sign = "❌" if run.exit_code else "⚠️" if verdict == "unproven" else "✅"
    return Sheet(
        scenario.name, run.summary, scenario.title, scenario.shows, sign, facts, run.annotations, tuple(problems)
    )
