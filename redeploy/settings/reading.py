"""How inputs are read: each is cleaned once, and all problems are collected."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from redeploy.settings import parsers
from redeploy.settings.defaults import DEFAULTS, SECRET_INPUTS

if TYPE_CHECKING:  # few runs send smoke requests
    from redeploy.contract.smoke import Sent

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Place:
    """A place in a file of the workspace; lines and columns count from 1."""

    file: str
    line: int
    column: int
    words: str
    """What is at this place, in Markdown, as the beginning of a sentence."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one input, or with its value in a file."""

    input: str
    message: str
    place: Place | None = None

    @property
    def where(self) -> str:
        """The file with line and column, as editors and terminals understand it; else the input."""
        place = self.place
        return f"{place.file}:{place.line}:{place.column}" if place else self.input

    @property
    def described(self) -> str:
        """What is wrong, as a sentence without its full stop."""
        return f"{self.place.words if self.place else f'`{self.input}`'} {self.message}"

    @property
    def sentence(self) -> str:
        """What is wrong, as a whole sentence."""
        return self.described if self.described.endswith(("?", ".")) else f"{self.described}."


class InvalidInputsError(Exception):
    """Some inputs are invalid; no request was sent."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} invalid inputs")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Workspace:
    """What reading the inputs needs from outside."""

    read: Callable[[str, int], str]
    """The text of a file in the workspace that has at most so many bytes; raises `ValueError` with what is wrong."""
    check_certificate: Callable[[str], None]
    """Raises `ValueError` if PEM text has no usable certificate."""


class Reader:
    """Cleans one input after the other and collects the problems."""

    commit = "${{ github.sha }}"
    """How to write the commit that a workflow runs for, for suggestions in messages."""

    def __init__(self, texts: dict[str, str], redactor: Callable[[], Callable[[str], str]]) -> None:
        """`redactor` returns the function that hides secrets in texts; few runs need it here."""
        self.texts = texts
        self.problems: list[Problem] = []
        self.sent: Mapping[int, Sent] = {}
        """What smoke requests have besides their lines, by line number; only a file can give it."""
        self._redactor = redactor

    def refuse_expressions(self) -> None:
        """Reject an expression that GitHub did not expand."""
        for name, text in self.texts.items():
            said = text[: len("${{")] if name == "baseline" else text  # a report repeats texts of services
            if "${{" in said:
                self.wrong(
                    name,
                    "contains `${{`, an expression that was not expanded: GitHub expands it in a workflow's `with:`, but "
                    "not in a secret, a variable or a file",
                )
                self.texts[name] = DEFAULTS[name]

    def clean(self, name: str, cleaner: Callable[[str], _Value], fallback: _Value) -> _Value:
        """Return the cleaned input; `fallback` if it is empty, or if it is wrong, which is noted."""
        text = self.texts[name]
        if not text:
            return fallback
        try:
            return cleaner(text)
        except ValueError as error:
            self.wrong(name, str(error) if name in SECRET_INPUTS else self._said(cleaner, text, str(error)))
            return fallback

    def _said(self, cleaner: Callable[[str], _Value], text: str, message: str) -> str:
        """Return what is wrong with a text that may contain a secret: a message quotes it, and cuts what it quotes."""
        hidden = self._redactor()(text)
        if hidden == text:
            return message
        try:
            cleaner(hidden)
        except ValueError as error:
            return str(error)
        return "contains a secret"

    def wrong(self, name: str, message: str, *, line: int = 0) -> None:
        """Note a problem of one input, or of one of its lines; `message` continues the sentence after the name or line."""
        self.problems.append(Problem(name, f"line {line} {message}" if line else message))

    def has_problem(self, name: str) -> bool:
        """Whether something is wrong with one input."""
        return any(problem.input == name for problem in self.problems)


def each_line(text: str, read: Callable[[str], _Value]) -> tuple[_Value, ...]:
    """Return the values of an input's lines, each once; raises `ValueError` with all problems in them."""
    found: dict[_Value, None] = {}
    wrong: list[str] = []
    for line in parsers.lines(text):
        try:
            found[read(line)] = None
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(found)
