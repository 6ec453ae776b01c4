"""The log of one step: commands executed, secrets masked, lines rendered as the run page shows them."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable

from sandbox.runner.commands import REGISTERED, Annotation, Command, annotation, parse
from sandbox.runner.masks import Masker

# The commands that our action may use. set-output and the like still work for anyone who gets text into a
# log, so our action uses none of them.
ALLOWED = frozenset({"add-mask", "debug", "endgroup", "error", "group", "notice", "stop-commands", "warning"})
ANNOTATIONS_OF_A_LEVEL = 10
MESSAGE_LENGTH = 4096
# Control characters except the tab, and characters that reorder or hide text.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class StepLog:
    """Processes a step's lines in order, from both streams."""

    def __init__(
        self,
        masker: Masker,
        must_be_masked: Iterable[str],
        *,
        debug: bool = False,
        on_line: Callable[[str], object] | None = None,
    ) -> None:
        self.annotations: list[Annotation] = []
        self.problems: list[str] = []
        self.lines: list[str] = []
        self._masker = masker
        self._unmasked = set(must_be_masked)
        self._debug = debug
        self._on_line = on_line
        self._dropped: Counter[str] = Counter()
        self._grouped = False
        self._stopped_by: str | None = None
        self._lock = threading.Lock()

    def add(self, line: str) -> None:
        """Add a line of either stream."""
        with self._lock:
            self._add(line)

    def caution(self, message: str) -> None:
        """Add a warning of the runner itself."""
        self._annotate(Command("warning", {}, message, 2))

    def end(self) -> None:
        """End the step."""
        if self._grouped:
            self.problems.append("a group was never ended")
        if self._stopped_by is not None:
            self.problems.append("commands were stopped and never resumed")
        self.problems += [f"{count} {level} annotations beyond the tenth" for level, count in self._dropped.items()]

    def _add(self, line: str) -> None:
        if self._stopped_by is not None:
            resumed = parse(line, frozenset({self._stopped_by}))
            if resumed is not None:
                self._stopped_by = None
            else:
                self._text(line)
            return
        command = parse(line)
        if command is None or command.name != "add-mask":
            for value in sorted(self._unmasked):
                self.problems.append(
                    f"a secret input of {len(value)} characters was not masked before the first output"
                )
            self._unmasked.clear()
        if command is None:
            self._text(line)
        elif command.spelling == 1:
            self.problems.append(f"a command in the old spelling: {self._masker.mask(line)!r}")
        elif command.name not in ALLOWED:
            self.problems.append(f"the command {command.name}: {self._masker.mask(line)!r}")
        else:
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command.name:
            case "add-mask":
                self._mask(command.data)
            case "group":
                self._group(command.data)
            case "endgroup":
                if not self._grouped:
                    self.problems.append("a group was ended that was not begun")
                self._grouped = False
            case "debug":
                if self._debug:
                    self._show(f"Debug: {command.data}")
            case "stop-commands":
                self._stop(command.data)
            case _:
                self._annotate(command)

    def _mask(self, value: str) -> None:
        if not value.strip():
            self.problems.append("a mask of white space")
        self._masker.add(value)
        self._unmasked -= self._masker.values

    def _group(self, title: str) -> None:
        if self._grouped:
            self.problems.append("a group within a group")
        self._grouped = True
        self._show(f"▼ {title}", indented=False)

    def _stop(self, token: str) -> None:
        if not token or token.lower() in REGISTERED | {"pause-logging"}:
            self.problems.append(f"commands stopped until {token!r}, which the runner refuses")
        self._stopped_by = token.lower()

    def _annotate(self, command: Command) -> None:
        message = self._masker.mask(command.data)[:MESSAGE_LENGTH]
        if not message.strip():
            return
        self._check(message)
        self._check(command.properties.get("title", ""))
        self._show(f"{command.name.capitalize()}: {message}")
        if sum(one.level == command.name for one in self.annotations) >= ANNOTATIONS_OF_A_LEVEL:
            self._dropped[command.name] += 1
            return
        self.annotations.append(annotation(command, message))

    def _text(self, line: str) -> None:
        if line.startswith("Traceback (most recent call last)") and not self._debug:
            self.problems.append("a traceback")
        self._check(line)
        self._show(line)

    def _check(self, text: str) -> None:
        if "##[" in text:
            self.problems.append(f"the log's own markup in text: {self._masker.mask(text)!r}")
        if found := _UNPRINTABLE.search(text.replace("\n", " ")):
            self.problems.append(f"the character U+{ord(found[0]):04X} in text: {self._masker.mask(text)!r}")

    def _show(self, text: str, *, indented: bool = True) -> None:
        for line in text.split("\n"):
            shown = ("  " if self._grouped and indented else "") + self._masker.mask(line)
            self.lines.append(shown)
            if self._on_line is not None:
                self._on_line(shown)
