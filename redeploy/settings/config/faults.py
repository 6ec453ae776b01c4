"""What is wrong with a file, collected with the place of each problem."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from redeploy.settings.config.tree import Mapping, Node, Scalar
from redeploy.settings.reading import Place, Problem
from redeploy.text.untrusted import code

MOST = 1000
"""Problems after which the search stops."""

MOST_HINTS = 100
"""Problems after which no near misses are searched for, which takes time."""

INPUT = "config"
"""The input to which the problems of the file belong."""


Words = Callable[[], str]
"""Says what something is, to begin a sentence with; called only if something is wrong, because hiding secrets takes time."""


@dataclass
class Faults:
    """The problems of one file."""

    file: str
    redact: Callable[[str], str] = str
    """Hides secrets in what is quoted; before anything cuts it."""
    found: dict[Problem, None] = field(default_factory=dict)
    """In the order in which they were found; a problem that several services share counts once."""

    @property
    def full(self) -> bool:
        """Whether so much is wrong that the search stops."""
        return len(self.found) >= MOST

    def at(self, node: Node, words: Words, message: str) -> None:
        """Note a problem of the value at a place."""
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
        """All problems, in the order of the file; those of inputs come first."""
        problems = sorted(self.found, key=lambda each: (each.place.line, each.place.column) if each.place else (0, 0))
        if self.full:
            problems.append(Problem(INPUT, f"names a file with more than {MOST:,} problems; the others are not listed"))
        return tuple(problems)

    def near(self, name: str, known: Iterable[str]) -> str:
        """Return a suggestion for a name, after a semicolon; empty if no name is similar, or too much is wrong."""
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
    """Return words with what belongs between them and a message that does not start with a verb."""
    between = "," if message.startswith("column ") else ":" if message[:1] in "'\"`" else ""
    return lambda: words() + between


def kind_of(node: Node) -> str:
    """Return the kind of a value in words."""
    match node:
        case Mapping():
            return "a mapping"
        case Scalar():
            return "text" if node.text or not node.plain else "empty"
        case _:
            return "a list"
