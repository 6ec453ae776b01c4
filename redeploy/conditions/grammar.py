"""The lines of conditions that inputs have: `FIELD OP VALUE [and FIELD OP VALUE]...`."""

import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

from redeploy.conditions import pattern
from redeploy.conditions.clause import Clause, Operator, number
from redeploy.conditions.expectation import Expectation
from redeploy.conditions.source import check_source
from redeploy.text.untrusted import code

_FIELD = re.compile(r"[^\s=!<>]*+")
_SYMBOL = re.compile(r"!=|<=|>=|=|<|>")
_FOREIGN = re.compile(r"!==|===|==|=~|!~|<>|~=")
_WORD = re.compile(r"\S++")
_SPACE = re.compile(r"\s*+")
_AND = re.compile(r"\sand(?=\s|$)")
_WORDS = tuple(each for each in Operator if each.lstrip("!").isalpha())
_INSTEAD = {"!==": "!=", "===": "=", "==": "=", "=~": "matches", "~=": "matches", "!~": "!matches", "<>": "!="}
_OPERATORS = ", ".join(f"`{each}`" for each in Operator)


class GrammarError(ValueError):
    """A line is not made of conditions; the message names the place and a correct example."""


class LinesError(GrammarError):
    """Some lines of a text are wrong."""

    def __init__(self, wrong: Sequence[tuple[int, ValueError]]) -> None:
        """Take the lines' numbers, counted from 1, each with what is wrong with it."""
        said = (f"line {number}{', ' if isinstance(error, GrammarError) else ': '}{error}" for number, error in wrong)
        super().__init__("; ".join(said))
        self.wrong = tuple(wrong)


def expectation(text: str) -> Expectation:
    """Return the expectation that the lines of `health-expect` state.

    Raises:
        GrammarError: if no line has a condition.
        LinesError: with every wrong line.
    """
    found: list[Clause] = []
    wrong: list[tuple[int, ValueError]] = []
    lines = list(numbered(text))
    if [line for _, line in lines] == ["any"]:
        return Expectation(anything=True)
    for number_of_line, line in lines:
        try:
            if line.strip().lower() == "any":
                _refuse(1, "`any` must be the only line, in lower case and without conditions", "any")
            found += clauses(line)
        except GrammarError as error:
            wrong.append((number_of_line, error))
    if wrong:
        raise LinesError(wrong)
    if not found:
        msg = "has only comments; write a condition, such as `status=UP`, or leave it out"
        raise GrammarError(msg)
    return Expectation(clauses=tuple(found))


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text with their numbers, without empty lines and comments, which begin with `#`."""
    for place, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield place, line.rstrip()


def clauses(line: str, start: int = 0) -> tuple[Clause, ...]:
    """Return the conditions of a line from a place on; all of them must hold.

    Raises:
        GrammarError: with the column, counted from 1, and a correct example.
    """
    found: list[Clause] = []
    place = _spaced(line, start)
    while True:
        clause, place = _clause(line, place)
        found.append(clause)
        if place == len(line):
            return tuple(found)
        place = _spaced(line, place)


def _clause(line: str, start: int) -> tuple[Clause, int]:
    """Return the condition at a place, and where the next begins: after the last, the end of the line."""
    source, place = _source(line, start)
    operator, place = _operator(line, source, place)
    values, end = _values(line, operator, _spaced(line, place), example=f"{source} {operator} ")
    clause = Clause(source, operator, values, line[start:end].strip())
    if operator.orders and number(values[0]) is None:
        column = _spaced(line, place) + 1
        _refuse(
            column, f"`{operator}` compares numbers, and {code(values[0], 40)} is not one", f"{source} {operator} 250"
        )
    if operator in (Operator.MATCHES, Operator.MATCHES_NOT):
        try:
            pattern.check(values[0])
        except ValueError as error:
            _refuse(_spaced(line, place) + 1, f"{code(values[0], 40)} {error}", f'{source} {operator} "^v[0-9]+"')
    following = _AND.match(line, end)
    return clause, following.end() if following else end


def _source(line: str, start: int) -> tuple[str, int]:
    if line[start : start + 1] in ('"', "'"):
        source, place = _quoted(line, start, example='"my status" = UP')
    else:
        match = _FIELD.match(line, start)
        source, place = (match[0], match.end()) if match else ("", start)
    if not source:
        _refuse(start + 1, "a field is missing before the operator", "status=UP")
    try:
        check_source(source)
    except ValueError as error:
        _refuse(start + 1, f"{code(source, 40)} {error}", "status=UP")
    return source, place


def _operator(line: str, source: str, end: int) -> tuple[Operator, int]:
    """Return the operator after a field that ends at a place; the longest symbol wins."""
    place = _spaced(line, end)
    if foreign := _FOREIGN.match(line, place):
        instead, value = _INSTEAD[foreign[0]], line[foreign.end() :].strip() or "UP"
        space = " " if instead in _WORDS else ""
        _refuse(place + 1, f"`{foreign[0]}` is not an operator", f"{source}{space}{instead}{space}{value}")
    if symbol := _SYMBOL.match(line, place):
        return Operator(symbol[0]), symbol.end()
    word = _WORD.match(line, place)
    if word is None:
        _refuse(
            len(line.rstrip()) + 1,
            f"{code(source, 40)} is not a condition: an operator and a value are missing",
            "status=UP",
        )
    if word[0] in _WORDS and place > end:
        if word.end() == len(line):
            _refuse(word.end() + 1, f"a value is missing after `{word[0]}`", f'{source} {word[0]} "ok"')
        return Operator(word[0]), word.end()
    if word[0].lower() in _WORDS and place > end:
        _refuse(place + 1, f"write {code(word[0])} in lower case", f'{source} {word[0].lower()} "ok"')
    near = next((each for each in _WORDS if word[0].lower().startswith(each)), None)
    if near is None:
        _refuse(place + 1, f"{code(word[0], 20)} is not an operator; write one of {_OPERATORS}", "status=UP")
    return _refuse(place + 1, f"`{near}` needs white space before and after it", f'{source} {near} "ok"')


def _values(line: str, operator: Operator, start: int, *, example: str) -> tuple[tuple[str, ...], int]:
    """Return the alternatives of a value, and where it ends."""
    several = operator in (Operator.EQUAL, Operator.NOT_EQUAL)
    found: list[str] = []
    place = start
    while True:
        if line[place : place + 1] in ('"', "'"):
            value, place = _quoted(line, place, example=f"{line.rstrip()}{line[place]}")
        else:
            value, place = _bare(line, place, several=several, example=example)
        found.append(value)
        after = _spaced(line, place)
        if after == len(line):
            return tuple(found), after
        if after > place and _AND.match(line, after - 1):
            return tuple(found), after - 1
        if not (several and line[after] == "|"):
            what = "`and` or `|`" if several else "`and`"
            _refuse(after + 1, f"only {what} may follow a value in quotes", f'{example}"ok" and status=UP')
        place = _spaced(line, after + 1)


def _bare(line: str, start: int, *, several: bool, example: str) -> tuple[str, int]:
    """Return a value without quotes, and where it ends: at ` and `, at `|` where that separates alternatives, or last."""
    following = _AND.search(line, start)
    end = following.start() if following else len(line)
    bar = line.find("|", start, end) if several else -1
    value = line[start : bar if bar >= 0 else end].strip()
    if not value:
        _refuse(start + 1, 'a value is missing; write an empty one as `""`', f'{example}""')
    if following and bar < 0:
        try:
            _operator(line, *_source(line, _spaced(line, following.end())))
        except GrammarError:
            text = line[start:].strip()
            quote = "'" if '"' in text else '"'
            _refuse(
                following.start() + 2,
                "a condition must follow `and`; if `and` belongs to the value, put the value in quotes",
                f"{example}{quote}{text}{quote}",
            )
    return value, bar if bar >= 0 else end


def _quoted(line: str, start: int, *, example: str) -> tuple[str, int]:
    quote = line[start]
    end = line.find(quote, start + 1)
    if end < 0:
        _refuse(start + 1, f"the quote {quote} is not closed", example)
    return line[start + 1 : end], end + 1


def _spaced(line: str, place: int) -> int:
    match = _SPACE.match(line, place)
    return match.end() if match else place


def _refuse(column: int, what: str, example: str) -> NoReturn:
    msg = f"column {column}: {what}. Correct: {code(example, 120)}"
    raise GrammarError(msg)
