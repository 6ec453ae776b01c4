"""One measured figure, and a comparison of several."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, and the bar that it has to reach."""

    what: str
    value: float
    bar: float | None = None
    """The most that it may be; None where it is only shown."""
    means: str = ""
    """One sentence for a reader who has never seen it."""

    @property
    def missed(self) -> bool:
        """Whether it is above its bar."""
        return self.bar is not None and self.value > self.bar

    def __str__(self) -> str:
        bar = "" if self.bar is None else f"  (at most {self.bar:g}){'  MISSED' if self.missed else ''}"
        return f"{self.what:72} {self.value:8.2f}{bar}"


@dataclass(frozen=True)
class Chart:
    """The same figure of several ways to do something, in one unit."""

    title: str
    unit: str
    bars: Mapping[str, float]
    """By the name of the way; ours first."""


@dataclass(frozen=True)
class Section:
    """What was measured of one subject."""

    title: str
    words: str
    figures: tuple[Figure, ...]
    chart: Chart | None = None
