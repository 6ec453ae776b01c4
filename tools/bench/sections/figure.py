"""One measured figure, and a comparison of several."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured figure and its limit."""

    what: str
    value: float
    bar: float | None = None
    """The maximum; None if it is only shown."""
    means: str = ""
    """One sentence that explains the figure to a new reader."""

    @property
    def missed(self) -> bool:
        """Whether it exceeds its limit."""
        return self.bar is not None and self.value > self.bar

    def __str__(self) -> str:
        bar = "" if self.bar is None else f"  (at most {self.bar:g}){'  MISSED' if self.missed else ''}"
        return f"{self.what:72} {self.value:8.2f}{bar}"


@dataclass(frozen=True)
class Chart:
    """The same figure for several alternatives, in one unit."""

    title: str
    unit: str
    bars: Mapping[str, float]
    """By the name of the alternative; ours first."""


@dataclass(frozen=True)
class Section:
    """The figures of one subject."""

    title: str
    words: str
    figures: tuple[Figure, ...]
    chart: Chart | None = None
