"""How GitHub reads a log: workflow commands in both spellings, their escapes, annotations, output files.

The rules are actions/runner's (src/Runner.Common/ActionCommand.cs, src/Runner.Worker/ActionCommandManager.cs and
FileCommandManager.cs), read strictly.
"""

from collections.abc import Iterator
from dataclasses import dataclass

REGISTERED = frozenset(
    {
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)
# What .NET's Char.IsWhiteSpace accepts: Python's str.strip() also drops U+001C to U+001F.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True)
class Command:
    """A workflow command. `spelling` is 2 for `::name::data`, 1 for `##[name]data`."""

    name: str
    properties: dict[str, str]
    data: str
    spelling: int


def parse(line: str, names: frozenset[str] = REGISTERED) -> Command | None:
    """Return the command on a line, or None if the line is text."""
    return _second(line, names) or _first(line, names)


def _second(line: str, names: frozenset[str]) -> Command | None:
    line = line.lstrip(WHITE_SPACE)
    if not line.startswith("::") or (end := line.find("::", 2)) < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    if name.lower() not in names:
        return None
    escapes = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    return Command(name.lower(), _properties(properties.strip(), ",", escapes), unescape(line[end + 2 :]), 2)


def _first(line: str, names: frozenset[str]) -> Command | None:
    start = line.find("##[")
    if start < 0 or (end := line.find("]", start)) < 0:
        return None
    name, _, properties = line[start + 3 : end].partition(" ")
    if name.lower() not in names:
        return None
    escapes = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%25": "%"}
    return Command(name.lower(), _properties(properties.strip(), ";", escapes), unescape(line[end + 1 :], escapes), 1)


def _properties(text: str, separator: str, escapes: dict[str, str]) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in text.split(separator) if "=" in part)
    return {name.lower(): unescape(value, escapes) for name, value in pairs}


def unescape(text: str, escapes: dict[str, str] | None = None) -> str:
    """Undo the escapes in order, that of the percent sign last."""
    for escaped, plain in (escapes or {"%0D": "\r", "%0A": "\n", "%25": "%"}).items():
        text = text.replace(escaped, plain)
    return text


@dataclass(frozen=True)
class Annotation:
    """An annotation as the run page lists it; its message is masked, its title never is."""

    level: str
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None
    end_line: int | None = None
    column: int | None = None
    end_column: int | None = None


def annotation(command: Command, message: str) -> Annotation:
    """Return the annotation of an error, warning or notice command, without invalid positions."""

    def number(name: str) -> int | None:
        text = command.properties.get(name, "").strip()
        return int(text) if text.isdecimal() else None

    line, end_line, column, end_column = number("line"), number("endline"), number("col"), number("endcolumn")
    line = end_line if line is None else line
    column = end_column if column is None else column
    if line is None:
        column = end_column = None
    if None not in (line, end_line) and line != end_line:
        column = end_column = None
    if line is not None and end_line is not None and end_line < line:
        line = end_line = None
    if column is not None and end_column is not None and end_column < column:
        column = end_column = None
    properties = command.properties
    return Annotation(
        command.name,
        message,
        properties.get("title", ""),
        properties.get("file", ""),
        line,
        end_line,
        column,
        end_column,
    )


class MalformedFileError(Exception):
    """An output file that makes the runner fail the step."""


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """The entries of GITHUB_OUTPUT, in order; lines end at LF only. Raises `MalformedFileError` where the runner fails."""
    rest = text.removeprefix("\ufeff")
    while rest:
        line, ended, rest = rest.partition("\n")
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line[:equals], line[equals + 1 :]
        elif heredoc >= 0:
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            if not name or not delimiter:
                raise MalformedFileError(f"Invalid format {line!r}")
            value, rest = _until(delimiter, rest if ended else "")
        else:
            raise MalformedFileError(f"Invalid format {line!r}")
        if not name:
            raise MalformedFileError(f"an entry without a name: {line!r}")
        yield name, value


def _until(delimiter: str, rest: str) -> tuple[str, str]:
    """The value up to a line that equals the delimiter, and the text after that line."""
    lines: list[str] = []
    while rest:
        line, ended, rest = rest.partition("\n")
        if line == delimiter:
            return "\n".join(lines), rest
        if not ended:
            break
        lines.append(line)
    raise MalformedFileError(f"no line equals the delimiter {delimiter!r}")


class LineSplitter:
    """Cuts a stream's text into lines at LF, CR LF and a bare CR, as .NET's StreamReader does."""

    def __init__(self) -> None:
        self._partial = ""
        self._after_return = False

    def feed(self, text: str) -> Iterator[str]:
        """Add text, and yield the lines that are now complete."""
        for character in text:
            if character == "\n" and self._after_return:
                self._after_return = False
                continue
            self._after_return = character == "\r"
            if character in "\r\n":
                line, self._partial = self._partial, ""
                yield line
            else:
                self._partial += character

    def end(self) -> Iterator[str]:
        """Yield the last line, if it has no line end."""
        if self._partial:
            yield self._partial
