"""Which fonts a browser lacks, by the characters that it would draw as boxes."""

import unicodedata

_NAMED = 8
"""So many characters are named in a message."""


def fonts_for(boxes: str) -> str:
    """Return what to install so that these characters are drawn, as a sentence that says which they are."""
    named = ", ".join(f"{each} (U+{ord(each):04X})" for each in boxes[:_NAMED])
    more = f" and {len(boxes) - _NAMED} more" if len(boxes) > _NAMED else ""
    packages = " ".join(sorted({_package(each) for each in boxes}))
    return f"The browser has no font for {named}{more} and would draw boxes. On Debian: apt-get install {packages}."


def _package(character: str) -> str:
    if unicodedata.category(character) in ("So", "Sk"):
        return "fonts-noto-color-emoji"
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return "fonts-noto-cjk"
    return "fonts-noto-core"
