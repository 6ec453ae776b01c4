"""Measures, prints every figure with its limit, and writes the page.

The exit code says whether a limit was exceeded by more than is known.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tools.bench.sections import reliability, speed
from tools.bench.sections.figure import Section
from tools.bench.sections.page import chart, in_readme, page

_PROJECT = Path(__file__).resolve().parents[2]
_README = _PROJECT / "README.md"
_PAGE, _CHART = _PROJECT / "docs" / "performance.md", _PROJECT / "docs" / "images" / "performance.svg"

_SPEED: Mapping[str, Callable[[int], Section]] = {
    "start": speed.start,
    "detection": speed.detection,
    "job": speed.job,
    "documents": speed.documents,
    "services": speed.services,
}
"""The sections of the page, in order."""

_FURTHER: Mapping[str, Callable[[int], Section]] = {
    "responses": speed.responses,
    "loops": reliability.loops,
    "windows": reliability.windows,
}
"""Sections that are only printed."""


def main() -> int:
    """Measure the chosen sections, print them, and return 1 if a limit was exceeded by more than is known."""
    options = _options()
    began, names = time.monotonic(), options.only or [*_SPEED, *_FURTHER]
    sections: dict[str, Section] = {}
    for number, name in enumerate(names, 1):
        print(f"{number} of {len(names)}: {name} ...", end="", flush=True)
        started = time.monotonic()
        sections[name] = {**_SPEED, **_FURTHER}[name](options.rollouts)
        print(f" {time.monotonic() - started:.0f} s", flush=True)
        for figure in sections[name].figures:
            print(f"  {figure}", flush=True)
    if all(name in sections for name in _SPEED):
        shown = [sections[name] for name in _SPEED]
        _PAGE.write_text(page(shown, _made(options.rollouts, time.monotonic() - began)), encoding="utf-8")
        _CHART.write_text(chart([each.chart for each in shown if each.chart]), encoding="utf-8")
        _README.write_text(in_readme(_README.read_text(encoding="utf-8"), shown), encoding="utf-8")
        print(f"wrote README, {_PAGE.relative_to(_PROJECT)} and {_CHART.relative_to(_PROJECT)}")
    return int(any(figure.worse for section in sections.values() for figure in section.figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=2000, metavar="N", help="simulated rollouts (default: 2000)")
    parser.add_argument(
        "--only", nargs="+", choices=[*_SPEED, *_FURTHER], help="only these sections; the page needs all of its own"
    )
    return parser.parse_args()


def _made(rollouts: int, seconds: float) -> str:
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `python -m tools.bench --rollouts {rollouts}`: Python "
        f"{platform.python_version()}, requests {version('requests')}, {platform.system()} on {platform.machine()} with "
        f"{os.cpu_count()} cores and a load of {os.getloadavg()[0]:.0f}, in {seconds / 60:.0f} minutes. "
        "`make bench` measures it again."
    )


if __name__ == "__main__":
    sys.exit(main())
