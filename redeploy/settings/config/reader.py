"""Reads the inputs of one service out of a file: what is wrong with one is noted at its line."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from redeploy.conditions.grammar import LinesError
from redeploy.settings.config.faults import Faults, Words, joined
from redeploy.settings.config.tree import Node
from redeploy.settings.config.values import Value
from redeploy.settings.defaults import DEFAULTS, NAMED_VALUES, OF_RUN, SECRET_INPUTS
from redeploy.settings.reading import Problem, Reader

_Value = TypeVar("_Value")

_GIVEN = "?"
"""Stands for a value that is given but wrong, so that it is not reported as missing."""


class FileReader(Reader):
    """A reader whose texts come from a file and, if the file gives none, from the inputs."""

    commit = "${GITHUB_SHA}"

    def __init__(
        self,
        texts: dict[str, str],
        values: Mapping[str, Value],
        owners: Callable[[str], tuple[Node, Words] | None],
        faults: Faults,
    ) -> None:
        """Take the texts.

        Args:
            texts: the inputs, for keys that the file does not give.
            values: the values in the file.
            owners: what an input belongs to that the file could give but does not; None if the inputs give it.
            faults: collects the problems.
        """
        self._known = {name for name, value in values.items() if value.faulty}
        given = {name: value.text or DEFAULTS[name] for name, value in values.items()}
        for name in self._known:
            if not values[name].listed:
                given[name] = "" if name in NAMED_VALUES else _GIVEN
        super().__init__(texts | given, lambda: faults.redact)
        self._values = values
        self._owners = owners
        self._faults = faults
        self.sent = values["smoke"].sent if "smoke" in values else {}

    def known(self, name: str) -> None:
        """Record that a problem of this input is already noted."""
        self._known.add(name)

    def clean(self, name: str, cleaner: Callable[[str], _Value], fallback: _Value) -> _Value:
        """Return the cleaned input; problems are noted at their lines, if these are known."""
        text = self.texts[name]
        value = self._values.get(name)
        if not text or (name in self._known and not (value and value.listed)):
            return fallback
        try:
            return cleaner(text)
        except ValueError:
            for line, said in self._wrong_lines(name, cleaner, text):
                self.wrong(name, said, line=line)
            return fallback

    def _wrong_lines(self, name: str, cleaner: Callable[[str], _Value], text: str) -> list[tuple[int, str]]:
        shown = text if name in SECRET_INPUTS else self._faults.redact(text)
        found = _errors(cleaner, shown) or [(0, "contains a secret")]
        value = self._values.get(name)
        if value is None or not value.listed or found[0][0]:
            return found
        items = enumerate(shown.split("\n"), 1)
        each = [
            (number, said) for number, item in items for _, said in (_errors(cleaner, item) if item.strip() else [])
        ]
        return each or found

    def wrong(self, name: str, message: str, *, line: int = 0) -> None:
        """Note a problem at the place where the file gives the input, or could give it; else as a problem of the input."""
        self._known.add(name)
        if value := self._values.get(name):
            node, words = value.place(line)
            lost = (
                "; what follows ` #` is a comment: put the value in quotes if it belongs to it"
                if value.commented
                else ""
            )
            self._faults.at(node, joined(words, message), message + lost)
        elif name not in OF_RUN and (owner := self._owners(name)):
            self._faults.at(owner[0], joined(lambda: f"`{name}` of {owner[1]()}", message), message)
        else:
            self._faults.add(Problem(name, f"line {line} {message}" if line else message))

    def has_problem(self, name: str) -> bool:
        """Whether something is wrong with one input."""
        return name in self._known


def _errors(cleaner: Callable[[str], object], text: str) -> list[tuple[int, str]]:
    """Return what is wrong with a text, by line; line 0 is the whole text."""
    try:
        cleaner(text)
    except LinesError as error:
        return [(line, str(each)) for line, each in error.wrong]
    except ValueError as error:
        return [(0, str(error))]
    return []
