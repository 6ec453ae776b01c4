"""Writes the rendered pages of this folder."""

from pathlib import Path

from docs.pages import PAGES

for name, render in PAGES.items():
    (Path(__file__).parent / name).write_text(render(), encoding="utf-8")
