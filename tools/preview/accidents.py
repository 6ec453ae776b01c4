"""Links, mentions and images that GitHub makes from plain text: found, and marked in the page.

Its filters see text as it is shown: an entity or a backslash before `@` does not stop them, a code span does.
Whether a user, an issue or a commit of that name exists is not known here, so each one counts.
"""

import re
from dataclasses import dataclass

from tools.preview.tree import Element

_UNTOUCHED = {"pre", "code", "tt", "a"}
_NAME = r"[\w.-]{1,100}"
_SHA = r"(?=[0-9a-f]{0,40}[0-9])(?=[0-9]{0,40}[a-f])[0-9a-f]{7,40}"
_PATTERNS = {
    "link": r"(?:https?://|ftp://|\bwww\.)[^\s<>]+",
    "mail_link": r"[\w.+-]{1,64}@[\w-]{1,100}(?:\.[\w-]{1,100})+",
    "commit": rf"(?:\b{_NAME}(?:/{_NAME})?@|(?<![\w@/.#-])){_SHA}(?![\w-])",
    "mention": r"(?<!\w)@[a-z0-9][a-z0-9-]{0,100}(?:/[\w.-]{1,100})?",
    "issue": rf"(?:\b{_NAME}(?:/{_NAME})?|(?<![\w&]))\#\d+\b|\bgh-\d+\b",
    "emoji": r"(?<![\w:]):[a-z0-9_+-]{0,60}[a-z][a-z0-9_+-]{0,60}:(?![\w:])",
    "formula": r"\$\$[^$]{1,400}\$\$|(?<![\w$\\])\$(?=[^\s$])[^$\n]{1,400}(?<=\S)\$(?![\w$])",
}
_ANY = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()), re.IGNORECASE)


@dataclass(frozen=True)
class Accident:
    """A link, mention or image that GitHub makes by itself."""

    kind: str
    text: str


def mark_accidents(root: Element) -> list[Accident]:
    """Mark in a tree all text that GitHub would turn into something else, and return it."""
    found: list[Accident] = []
    _mark(root, found)
    return found


def _mark(parent: Element, found: list[Accident]) -> None:
    children: list[Element | str] = []
    for child in parent.children:
        if isinstance(child, str):
            children += _split(child, found)
        elif child.tag == "a" and _is_bare(child):
            children.append(_marked(child, Accident("link", child.text()), found))
        elif child.tag == "img":
            children.append(_marked(child, Accident("image", child.attributes.get("src", "")), found))
        else:
            if child.tag in _UNTOUCHED:
                _mark_images(child, found)
            else:
                _mark(child, found)
            children.append(child)
    parent.children = children


def _mark_images(parent: Element, found: list[Accident]) -> None:
    """Mark images in a link; the other filters ignore the content of links."""
    for index, child in enumerate(parent.children):
        if isinstance(child, Element) and child.tag == "img":
            parent.children[index] = _marked(child, Accident("image", child.attributes.get("src", "")), found)
        elif isinstance(child, Element):
            _mark_images(child, found)


def _split(text: str, found: list[Accident]) -> list[Element | str]:
    pieces: list[Element | str] = []
    end = 0
    for match in _ANY.finditer(text):
        pieces.append(text[end : match.start()])
        kind = str(match.lastgroup).replace("_", " ")
        pieces.append(_marked(match[0], Accident(kind, match[0]), found))
        end = match.end()
    pieces.append(text[end:])
    return [piece for piece in pieces if piece]


def _marked(what: Element | str, accident: Accident, found: list[Accident]) -> Element:
    found.append(accident)
    return Element("mark", {"class": "accident", "title": f"GitHub makes this: {accident.kind}"}, [what])


def _is_bare(link: Element) -> bool:
    """Whether its text is its own URL, as for an automatic link."""
    text, target = link.text().strip(), link.attributes.get("href", "")
    return bool(text) and target in {text, f"http://{text}", f"https://{text}", f"mailto:{text}"}
