"""The fonts that a browser lacks, by the characters that it would draw as boxes."""

import unicodedata

_NAMED = 8
"""The maximum number of characters that a message names."""


def fonts_for(boxes: str) -> str:
    """Return a sentence that names these characters and the fonts to install for them."""
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
