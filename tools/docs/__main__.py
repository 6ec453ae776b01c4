"""Writes the rendered pages."""

from pathlib import Path

from tools.docs.pages import PAGES

for name, render in PAGES.items():
    (Path(__file__).parents[2] / name).write_text(render(), encoding="utf-8")
