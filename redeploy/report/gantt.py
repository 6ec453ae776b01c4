"""A run as a mermaid Gantt chart. All its words are our own: a diagram cannot quote untrusted text."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from redeploy.report.results import RunResult, Update
from redeploy.report.timeline import During, Stretch
from redeploy.service.identity import Build
from redeploy.text.markdown import folded, table

WORTH_A_PICTURE = 1.0
"""Seconds; a shorter run has no chart."""

MOST_STRETCHES = 12
"""Bars of the service; if there are more, as in a crash loop, the middle is left out."""

SHORTEST = 0.05
"""Seconds; less would read `0.0 s`, and checks that passed in less time have no row."""

UNNAMED = "Service"
"""The label of a bar if nothing shows which build responded."""

_NAMES = {Build.OLD: "Old build", Build.OTHER: "Another build", Build.UNNAMED: "Unnamed build"}
_FINE = ("updated", "accepted", "nothing")
"""Results of Watchtower without trouble."""


_BLUE, _GREY, _GREEN, _RED = "#0969da", "#818b98", "#2da44e", "#cf222e"
_CLEAR = "transparent"
_SHADES = {"task": _BLUE, "doneTask": _GREY, "activeTask": _GREEN, "crit": _RED}
_THEME = {f"{name}{part}": shade for name, shade in _SHADES.items() for part in ("BkgColor", "BorderColor")}
_THEME |= {"sectionBkgColor": _CLEAR, "altSectionBkgColor": _CLEAR, "sectionBkgColor2": _CLEAR}
_TOP, _BAR, _GAP = 50, 16, 4
"""Pixels. Mermaid draws the axis 50 above the lower edge, and leaves as much room above the bars as below them."""


def _settings(lines: int, *, compact: bool) -> str:
    """Return the directive for a chart, with GitHub's own colours: those of mermaid's themes look alike in dark mode.

    Mermaid draws its grid lines in the colour of the text. If they begin at the axis, they have no length. In a `compact`
    chart, bars of one section share a line.
    """
    sizes: dict[str, object] = {
        "leftPadding": 150,
        "rightPadding": 20,
        "topPadding": _TOP,
        "barHeight": _BAR,
        "barGap": _GAP,
    }
    sizes["gridLineStartPadding"] = _TOP + lines * (_BAR + _GAP)
    sizes |= {"displayMode": "compact"} if compact else {}
    return f"%%{{init: {json.dumps({'gantt': sizes, 'themeVariables': _THEME})}}}%%"


@dataclass(frozen=True)
class Bar:
    """Something that took time, in seconds since the trigger; `kind` is mermaid's word for how to draw it."""

    what: str
    kind: str
    begin: float
    end: float
    said: str = ""
    """The result."""


def rows(run: RunResult) -> list[Bar]:
    """Return the bars in the order of the chart."""
    ended, rolled, back = run.timeline.ended, run.rollback, run.timeline.span(During.PUTTING_BACK)
    found = [*_watchtower("Watchtower", run.update, ended), *_service(run), *_proof(run)]
    if rolled is None or rolled.deploy is None:
        return found
    found += [Bar("Tag put back", "", back.begin, back.end)] if back else []
    found += _watchtower("Watchtower again", rolled.update, ended)
    return sorted(found, key=lambda row: row.begin)


def timeline_section(run: RunResult) -> list[str]:
    """Return the section of the job summary with the chart and its figures; empty if the run was too short for one."""
    if not run.timeline.stretches or run.timeline.ended < WORTH_A_PICTURE:
        return []
    took = [
        (f"{row.begin:.1f}", f"{row.end:.1f}", f"{row.what}: {row.said}" if row.said else row.what) for row in rows(run)
    ]
    figures = folded("The same in figures", table(("From (s):", "To (s):", "What"), took))
    return ["### When", "", "```mermaid", *gantt(run), "```", "", *figures]


def gantt(run: RunResult) -> list[str]:
    """Return the lines of a Gantt chart in seconds since the trigger.

    Labels are the titles of sections, one for each bar: beside short bars they would collide, and in dark mode some
    could not be read. A label must not be empty, so it is a non-breaking space.
    """
    return drawn([(each.what, [each]) for each in rows(run)], run.timeline.ended)


def phases(run: RunResult) -> list[Bar]:
    """Return which build responded from when to when, one bar after the other; none if the service was not watched."""
    if not run.timeline.stretches and run.update.triggered:
        return [Bar("Not known", "", 0.0, run.timeline.ended)]
    return [replace(each, kind="") if each.what == UNNAMED else each for each in _service(run)]


def drawn(labelled: Sequence[tuple[str, Sequence[Bar]]], ended: float) -> list[str]:
    """Return the lines of a chart in seconds until `ended`; each row has a label, and bars one after the other."""
    lines = [
        _settings(len(labelled), compact=any(len(bars) > 1 for _, bars in labelled)),
        "gantt",
        "  dateFormat x",
        "  axisFormat %s s",
        f"  tickInterval {_tick(ended)}",
    ]
    for label, bars in labelled:
        lines.append(f"  section {label} {_seconds(bars[-1].end - bars[0].begin)}")
        for bar in bars:
            begin = max(0, round(bar.begin * 1000))
            marks = f"{bar.kind}, " if bar.kind else ""
            lines.append(f"  #160; :{marks}{begin}, {max(begin + 1, round(bar.end * 1000))}")
    return lines


def _seconds(took: float) -> str:
    return f"{took:.1f} s" if took >= SHORTEST else "under 0.1 s"


def _tick(seconds: float) -> str:
    """Return an interval of the axis that gives about ten ticks; a time axis has whole seconds only below a minute."""
    fitting = next((each for each in (1, 2, 5, 10, 30) if seconds / each <= 10), None)
    return f"{fitting}second" if fitting else f"{max(1, round(seconds / 600))}minute"


def _watchtower(what: str, update: Update, ended: float) -> list[Bar]:
    if update.sent is None:
        return []
    if update.answered is None:
        return [Bar(what, "crit", update.sent, ended)]
    return [Bar(what, "" if update.result in _FINE else "crit", update.sent, update.answered, update.result)]


def _service(run: RunResult) -> list[Bar]:
    found = [Bar(*_of_stretch(run, each), each.begin, each.end) for each in run.timeline.stretches]
    half = MOST_STRETCHES // 2
    return found if len(found) <= MOST_STRETCHES else [*found[:half], *found[-half:]]


def _of_stretch(run: RunResult, stretch: Stretch) -> tuple[str, str]:
    if not stretch.good:
        return ("Gone" if stretch.gone else "Not healthy"), "crit"
    if run.rollback and run.rollback.deploy:
        window = run.timeline.span(During.WINDOW)
        again = window is not None and stretch.end >= window.begin
        if stretch.build is Build.NEW:
            return "New build", "crit"
        if again and stretch.build is Build.OLD:
            return "Old build again", "active"
    elif stretch.build is Build.NEW:
        expected = run.mode == "verify" and (run.version.expected or run.digest.expected)
        declared = expected or run.conclusion.verdict == "already-current"
        back = "Image put back" if run.mode == "rollback" else "New build"
        return ("Declared build" if declared else back), "active"
    return _NAMES.get(stretch.build, UNNAMED), "done"


def _proof(run: RunResult) -> list[Bar]:
    window, checks, failed = run.timeline.span(During.WINDOW), run.timeline.span(During.CHECKS), run.checked.failed
    found = [Bar("Stable", "active", window.begin, window.end)] if window else []
    if checks and not run.checked.unasked and (failed or checks.end - checks.begin >= SHORTEST):
        found.append(Bar("Checks", "crit" if failed else "active", checks.begin, checks.end))
    return found
