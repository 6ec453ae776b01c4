"""A run as a mermaid diagram. Every word in it is our own: a diagram cannot quote what came from outside."""

from collections.abc import Sequence

from redeploy.core.identity import Build
from redeploy.core.outcome import Outcome
from redeploy.core.timeline import Stretch

MOST_STRETCHES = 12
"""Bars of the service; a crash loop has more, and its middle is left out."""

_NAMES = {Build.OLD: "old build", Build.OTHER: "another build", Build.UNNAMED: "no version named"}
_FINE = ("updated", "accepted", "nothing")
"""Words of Watchtower that tell of no trouble."""


def gantt(outcome: Outcome) -> list[str]:
    """Return the lines of a Gantt chart in seconds since the trigger; empty where nothing took any time."""
    sections = [("Watchtower", _watchtower(outcome)), ("Service", _service(outcome)), ("Proof", _proof(outcome))]
    if not any(bars for _, bars in sections) or outcome.ended <= 0:
        return []
    lines = ["gantt", "  dateFormat x", "  axisFormat %s s", f"  tickInterval {_tick(outcome.ended)}"]
    for name, bars in sections:
        if bars:
            lines += [f"  section {name}", *(f"  {bar}" for bar in bars)]
    return lines


def _tick(seconds: float) -> str:
    """Return an interval of the axis that gives some ten ticks; a time axis has whole seconds below a minute only."""
    fitting = next((each for each in (1, 2, 5, 10, 30) if seconds / each <= 10), None)
    return f"{fitting}second" if fitting else f"{max(1, round(seconds / 600))}minute"


def _watchtower(outcome: Outcome) -> list[str]:
    if not outcome.triggered:
        return []
    if outcome.answered_after is None:
        return [_bar("no answer", "crit", 0.0, outcome.ended)]
    kind = "" if outcome.watchtower_result in _FINE else "crit"
    return [_bar(outcome.watchtower_result, kind, 0.0, outcome.answered_after)]


def _service(outcome: Outcome) -> list[str]:
    shown: Sequence[Stretch] = outcome.stretches
    if len(shown) > MOST_STRETCHES:
        half = MOST_STRETCHES // 2
        shown = [*shown[:half], *shown[-half:]]
    return [_bar(*_of_stretch(outcome, each), each.begin, each.end) for each in shown]


def _of_stretch(outcome: Outcome, stretch: Stretch) -> tuple[str, str]:
    if not stretch.good:
        return "gone", "crit"
    declared = outcome.mode == "verify" or outcome.conclusion.verdict == "already-current"
    if stretch.build is Build.NEW:
        return ("declared build" if declared else "new build"), "active"
    return _NAMES.get(stretch.build, "answers"), "done"


def _proof(outcome: Outcome) -> list[str]:
    bars = []
    if outcome.stable:
        bars.append(_bar("stable", "active", *outcome.stable))
    if outcome.checks_ran:
        failed = bool(outcome.checked.failed)
        bars.append(_bar("checks failed" if failed else "checks", "crit" if failed else "active", *outcome.checks_ran))
    return bars


def _bar(label: str, kind: str, begin: float, end: float) -> str:
    """Return one bar with its length in its label; mermaid draws none that is shorter than a millisecond."""
    first = max(0, round(begin * 1000))
    marks = f"{kind}, " if kind else ""
    return f"{label}, {max(0.0, end - begin):.1f} s :{marks}{first}, {max(first + 1, round(end * 1000))}"
