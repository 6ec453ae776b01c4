"""A summary's Markdown as the HTML that GitHub makes of it, and what is remarkable about it."""

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
    """What GitHub's sanitiser takes out."""
    links: tuple[str, ...]
    """Where its links lead, those that were written on purpose included."""


def render(markdown: str) -> Rendered:
    """Renders with cmark-gfm and GitHub's extensions, and passes the result through what GitHub does after that."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
    root = read(cmarkgfm.github_flavored_markdown_to_html(markdown, options))
    removed = sanitise(root)
    show_alerts(root)
    accidents = mark_accidents(root)
    links = [each.attributes["href"] for each in root.elements() if each.tag == "a" and "href" in each.attributes]
    away = dict.fromkeys(link for link in links if not link.startswith("#"))
    return Rendered(write(root), tuple(accidents), tuple(removed), tuple(away))
