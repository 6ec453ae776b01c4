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
    known: float | None = None
    """The most that is known and explained, where the maximum cannot be kept."""

    @property
    def missed(self) -> bool:
        """Whether it exceeds its limit."""
        return self.bar is not None and self.value > self.bar

    @property
    def worse(self) -> bool:
        """Whether it exceeds its limit by more than is known."""
        return self.missed and (self.known is None or self.value > self.known)

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
