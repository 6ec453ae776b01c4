"""`python -m tools.preview`: the summaries of scenarios as one page, and with `--screenshots` as pictures."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.scenarios import SCENARIOS
from sandbox.scenarios.near import near_misses
from tools.preview import assets
from tools.preview.browser import Browser, find
from tools.preview.fonts import fonts_for
from tools.preview.page import page
from tools.preview.sheets import PROJECT, Sheet, play, read

THEMES = ("light", "dark")
WIDTHS = ("wide", "narrow")
PICTURED = (
    "happy-path",
    "already-current",
    "nothing-declared",
    "old-build",
    "wrong-build",
    "crash-loop",
    "missing-route",
    "rollback",
    "behind",
    "issue-opens-and-closes",
    "doctor-watchtower-stopped",
    "never-ready",
    "wrong-token",
    "start-failed",
    "invalid-inputs",
    "cancelled-int",
    "hostile-version",
    "services-one-sick",
    "fleet",
)
"""The scenarios of which pictures are taken by default."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the chosen sheets; return 1 if something is missing, 2 if a chosen sheet does not exist."""
    options = _options(arguments)
    unknown = [name for name in options.scenario if name not in SCENARIOS] if options.folder is None else []
    for name in unknown:
        near = near_misses(name, SCENARIOS)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        print(f"There is no scenario {name}.{meant} `python -m sandbox list` names them all.", file=sys.stderr)
    if unknown:
        return 2
    try:
        borrowed = assets.load()
        if options.screenshots:
            find()
    except assets.MissingError as missing:
        print(missing, file=sys.stderr)
        return 1
    sheets = _sheets(options)
    if not sheets:
        print(f"There is nothing to render in {options.folder}.", file=sys.stderr)
        return 2
    html = page(sheets, borrowed)
    if options.screenshots:
        try:
            _take(options, sheets, html)
        except assets.MissingError as missing:
            print(missing, file=sys.stderr)
            return 1
    else:
        options.output.mkdir(parents=True, exist_ok=True)
        target = options.output / "index.html"
        target.write_text(html, encoding="utf-8")
        print(f"{target} shows {len(sheets)} summaries.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.preview", description="Shows job summaries as GitHub does.")
    add = parser.add_argument
    add("scenario", nargs="*", help="names; all of them if none is given, and for pictures a choice")
    add("--from", dest="folder", type=Path, metavar="FOLDER", help="render the *.md files of a folder instead")
    add("--output", type=Path, default=PROJECT / "build" / "preview", metavar="FOLDER", help="where to write")
    add("--at-once", type=int, default=4, metavar="N", help="how many scenarios run at once (default: 4)")
    add("--patience", type=float, default=60.0, metavar="SECONDS", help="time-out of a scenario (default: 60)")
    add("--screenshots", action="store_true", help="take pictures instead of writing the page")
    add("--theme", choices=THEMES, help="only pictures in this theme")
    add("--width", choices=WIDTHS, help="only pictures of this width")
    add("--scale", type=float, default=1.0, metavar="FACTOR", help="pixels of a picture for each of the page")
    return parser.parse_args(arguments)


def _sheets(options: argparse.Namespace) -> list[Sheet]:
    if options.folder is not None:
        chosen = set(options.scenario)
        return [sheet for sheet in read(options.folder) if not chosen or sheet.name in chosen]
    names = options.scenario or (PICTURED if options.screenshots else SCENARIOS)

    def on_end(sheet: Sheet) -> None:
        print(f"{sheet.name}: {', '.join((*sheet.facts, *sheet.problems))}", flush=True)

    return play([SCENARIOS[name] for name in names], options.at_once, options.patience, on_end)


def _take(options: argparse.Namespace, sheets: Sequence[Sheet], html: str) -> None:
    """Take pictures of every sheet, and print what does not fit a page beside its name."""
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index.html"
        file.write_text(html, encoding="utf-8")
        with Browser(file, options.scale) as browser:
            if boxes := browser.boxes("".join(sheet.markdown for sheet in sheets)):
                raise assets.MissingError(fonts_for(boxes))
            for sheet in sheets:
                for theme in [options.theme] if options.theme else THEMES:
                    for width in [options.width] if options.width else WIDTHS:
                        _take_one(browser, options.output, sheet.name, theme, width)


def _take_one(browser: Browser, folder: Path, name: str, theme: str, width: str) -> None:
    box = browser.evaluate(f"preview.shot({name!r}, {theme!r}, {width!r})")
    notes = box.pop("notes")
    target = folder / f"{name}.{theme}.{width}.png"
    target.write_bytes(browser.picture(**box))
    print(f"{target}{''.join(f'{chr(10)}  {note}' for note in notes)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
