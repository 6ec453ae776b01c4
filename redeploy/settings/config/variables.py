"""`${NAME}` in a value: a variable of the step's environment, put in once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from redeploy.text.untrusted import code

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)\})?")
ALONE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
"""A value that is one variable and nothing else."""

_OF_THE_RUNNER = ("INPUT_", "ACTIONS_", "RUNNER_", "STATE_")
"""Beginnings of names that the runner sets for the action itself, secrets among them."""


MOST_HINTS = 100
"""Missing variables for which a similar name is searched, which takes time."""

_EXPRESSION = (
    "contains `${{`, which GitHub expands in a workflow only: give the step `env: NAME: ...` with that expression, and "
    "write `${NAME}` here"
)


@dataclass(frozen=True)
class Expanded:
    """A text with its variables put in."""

    text: str
    wrong: tuple[str, ...] = ()
    """What is wrong with it, each as the end of a sentence."""
    unset: tuple[str, ...] = ()
    """The variables that are not set: a problem only if the value is used."""
    varied: bool = False
    """Whether a variable is in it."""


class Variables:
    """The step's environment, as far as a file may read it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the environment."""
        self._environment = environment
        self._names = [name for name in environment if not name.upper().startswith(_OF_THE_RUNNER)]
        self._said: dict[str, str] = {}
        """What is wrong with a missing variable, by its name."""

    def expand(self, text: str) -> Expanded:
        """Return a text with its variables put in; variables in their values are not replaced."""
        if "${" not in text:
            return Expanded(text)
        if "${{" in text:
            return Expanded("", (_EXPRESSION,))
        wrong: dict[str, None] = {}
        unset: dict[str, None] = {}
        varied = False

        def value(found: re.Match[str]) -> str:
            nonlocal varied
            if found[0] == "$${":
                return "${"
            name = found["name"]
            if name is None:
                said = "contains `${` without a name and `}` after it; a variable is `${NAME}`, and a literal `${` is `$${`"
                wrong[said] = None
                return ""
            varied = True
            if name.upper().startswith(_OF_THE_RUNNER):
                begin = next(each for each in _OF_THE_RUNNER if name.upper().startswith(each))
                said = (
                    f"reads {_shown(name)}, and names that begin with `{begin}` are the runner's own; take another name"
                )
                wrong[said] = None
                return ""
            if not (held := self._environment.get(name, "").strip()):
                unset[name] = None
            elif "${{" in held:
                wrong[f"reads {_shown(name)}, which contains `${{{{`: an expression that was not expanded"] = None
            return held

        return Expanded(_REFERENCE.sub(value, text), tuple(wrong), tuple(map(self._missing, unset)), varied)

    def _missing(self, name: str) -> str:
        if name not in self._said:
            hinting = name not in self._environment and len(self._said) < MOST_HINTS
            near = _near(name, self._names) if hinting else ""
            empty = "is empty" if name in self._environment else "is not set"
            self._said[name] = f"reads {_shown(name)}, which {empty}{near}; give the step `env: {name[:60]}: ...`"
        return self._said[name]


def _near(name: str, known: list[str]) -> str:
    """Return a variable that was probably meant, in brackets; empty if none is similar."""
    import difflib  # only a wrong name needs it

    near = difflib.get_close_matches(name, known[:500], n=1) if len(name) <= 80 else []
    return f" ({near[0]!r} is)".replace("'", "`") if near else ""


def _shown(name: str) -> str:
    return code(f"${{{name}}}", 60)
