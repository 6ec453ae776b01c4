"""The tables of inputs and outputs in README, rendered from action.yml."""

import re
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).parents[2]


def readme() -> str:
    """Return README with its two tables rendered."""
    action: dict[str, Any] = yaml.safe_load((_ROOT / "action.yml").read_text(encoding="utf-8"))
    inputs = [
        f"| `{name}` | {_default(each['default'])} | {_cell(each['description'])} |"
        for name, each in action["inputs"].items()
    ]
    outputs = [f"| `{name}` | {_cell(each['description'])} |" for name, each in action["outputs"].items()]
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    text = filled(text, "inputs", "\n".join(["| input | default | meaning |", "|---|---|---|", *inputs]))
    return filled(text, "outputs", "\n".join(["| output | meaning |", "|---|---|", *outputs]))


def filled(text: str, name: str, table: str) -> str:
    """Return README's text with a table between the marks of that name, which name what renders it."""
    marks = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    found, count = marks.subn(lambda each: f"{each[1]}\n{table}\n\n{each[2]}", text)
    if count != 1:
        msg = f"README has {count} places for the table `{name}`"
        raise ValueError(msg)
    return found


def _default(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(description: str) -> str:
    """Return the description in one line, with a link instead of a final `See docs/...`."""
    line = " ".join(description.split()).replace("|", "\\|")
    line = re.sub(r" See (docs/[\w./#-]*\w)\.$", r" [More](\1)", line)
    return re.sub(r" (docs/[\w./#-]*\w)", r" [\1](\1)", line)
