"""What is wrong with a file, gathered with the place of each problem."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from redeploy.settings.config.tree import Mapping, Node, Scalar
from redeploy.settings.reading import Place, Problem
from redeploy.text.untrusted import code

MOST = 1000
"""Problems after which no more are looked for."""

MOST_HINTS = 100
"""Problems after which no near misses are looked for, which takes time."""

INPUT = "config"
"""The input whose problems those of the file are."""


Words = Callable[[], str]
"""Says what something is, to begin a sentence with; asked only where something is wrong, since hiding secrets takes time."""


@dataclass
class Faults:
    """The problems of one file."""

    file: str
    redact: Callable[[str], str] = str
    """Hides secrets in what is quoted; before anything cuts it."""
    found: dict[Problem, None] = field(default_factory=dict)
    """In the order in which they were found; one that several services share counts once."""

    @property
    def full(self) -> bool:
        """Whether so much is wrong that no more is looked for."""
        return len(self.found) >= MOST

    def at(self, node: Node, words: Words, message: str) -> None:
        """Note a problem of what stands there."""
        said = words()
        self.add(Problem(INPUT, message, Place(self.file, node.line, node.column, f"{said[:1].upper()}{said[1:]}")))

    def at_line(self, line: int, column: int, message: str) -> None:
        """Note a problem of the file as a whole, found at a place."""
        self.add(Problem(INPUT, message, Place(self.file, line, column, "The file")))

    def add(self, problem: Problem) -> None:
        """Note a problem, once."""
        if not self.full:
            self.found[problem] = None

    @property
    def in_order(self) -> tuple[Problem, ...]:
        """All of them, as they stand in the file; those of inputs come first."""
        told = sorted(self.found, key=lambda each: (each.place.line, each.place.column) if each.place else (0, 0))
        if self.full:
            told.append(Problem(INPUT, f"names a file with more problems than the {MOST:,} that are listed here"))
        return tuple(told)

    def near(self, name: str, known: Iterable[str]) -> str:
        """Return what was probably meant by a name, after a semicolon; empty where nothing is near, or too much is wrong."""
        if len(name) > 80 or len(self.found) > MOST_HINTS:
            return ""
        import difflib  # only a wrong name needs it

        spelled, names = name.lower().replace("_", "-"), list(islice(known, 500))
        found = [spelled] if spelled in names else difflib.get_close_matches(spelled, names, n=1)
        return f"; did you mean `{found[0]}`?" if found else ""

    def shown(self, text: str) -> str:
        """Return a text of the file as a code span."""
        return code(self.redact(text), 60)


def joined(words: Words, message: str) -> Words:
    """Return words with what stands between them and a message that does not go on with a verb."""
    between = "," if message.startswith("column ") else ":" if message[:1] in "'\"`" else ""
    return lambda: words() + between


def kind_of(node: Node) -> str:
    """Say what a value is."""
    match node:
        case Mapping():
            return "a mapping"
        case Scalar():
            return "text" if node.text or not node.plain else "empty"
        case _:
            return "a list"
