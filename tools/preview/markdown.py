"""The HTML that GitHub makes of a summary's Markdown, and what it changes."""

from dataclasses import dataclass

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]

from tools.preview.accidents import Accident, mark_accidents
from tools.preview.alerts import show_alerts
from tools.preview.sanitise import sanitise
from tools.preview.tree import read, write


@dataclass(frozen=True)
class Rendered:
    """A summary as HTML. Diagrams are still `pre` elements of the language `mermaid`, which the page draws."""

    html: str
    accidents: tuple[Accident, ...]
    removed: tuple[str, ...]
    """The parts that GitHub's sanitiser removes."""
    links: tuple[str, ...]
    """The targets of its links, including deliberate ones."""


def render(markdown: str) -> Rendered:
    """Render with cmark-gfm and GitHub's extensions, and apply GitHub's later filters."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
    root = read(cmarkgfm.github_flavored_markdown_to_html(markdown, options))
    removed = sanitise(root)
    show_alerts(root)
    accidents = mark_accidents(root)
    links = [each.attributes["href"] for each in root.elements() if each.tag == "a" and "href" in each.attributes]
    away = dict.fromkeys(link for link in links if not link.startswith("#"))
    return Rendered(write(root), tuple(accidents), tuple(removed), tuple(away))
