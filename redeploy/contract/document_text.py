"""The text of an OpenAPI document, JSON or YAML, read into a value within bounds of time and memory."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_NODES = 1_000_000
"""Objects and arrays of a YAML document."""

MOST_MEMORY = 200 * 1024 * 1024
"""Bytes that a JSON document may take in memory, which can be many times its length."""

MOST_VALUES = 2 * MOST_NODES
"""Values of a YAML document, including those that aliases repeat."""

MOST_NESTED = 200
"""Levels of a YAML document, aliases followed."""

LONGEST_NUMBER = 300
"""Characters of a number in YAML; a longer one is a text."""

_HALF = re.compile(r"-?|\.|[eE][-+]?|t(?:ru?)?|f(?:a|al|als)?|n(?:ul?)?|u[0-9a-fA-F]{0,3}")
"""What remains if a JSON text is cut off within a word, a number or an escape."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{80,}={0,2}")

_AS_WRITTEN = frozenset({"openapi", "swagger", "version"})
"""Keys of YAML whose values stay text: as a number, `version: 1.10` would be 1.1."""

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""Plain scalars of YAML 1.2's core schema (10.3.2) that are not text; `yes` and dates are text there."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


class UnfitError(Exception):
    """A text is not an OpenAPI document; the message says why, in one line."""


def value_of(text: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value of a document's text: JSON if it begins like JSON, else YAML.

    Raises:
        UnfitError: if it is neither, too large or too deep, or an encoded document.
    """
    as_json = not text.strip() or text.lstrip()[0] in '{["'
    found = parsed_json(text) if as_json else parsed_yaml(text)
    if isinstance(found, str):
        inner = found.strip()
        if inner.startswith("{") or re.match(r"(?:openapi|swagger)\s*:", inner):
            msg = "it is a document inside a JSON string: send the object itself, and encode it once"
            raise UnfitError(msg)
        if _BASE64.fullmatch(re.sub(r"\s", "", inner)):
            msg = "it is base64: decode it before it is sent (behind API Gateway, set `isBase64Encoded`)"
            raise UnfitError(msg)
    return found


def parsed_json(text: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return a JSON text's value; a version that is a fractional number keeps its digits.

    Raises:
        UnfitError: if it is not JSON, or too large or too deep to be a document.
    """
    if not _takes_at_most(MOST_MEMORY, text):
        msg = f"it has so many values that they would take more than {MOST_MEMORY // 1024 // 1024} MiB of memory"
        raise UnfitError(msg)
    try:
        found = json.loads(text)
        info = found.get("info") if isinstance(found, dict) else None
        if isinstance(info, dict) and isinstance(info.get("version"), float) and _takes_at_most(MOST_MEMORY // 2, text):
            info["version"] = json.loads(text, parse_float=Number)["info"]["version"]
    except json.JSONDecodeError as error:
        rest = error.doc[error.pos :].rstrip()
        cut = error.msg.startswith("Unterminated") or _HALF.fullmatch(rest)
        what = "it is cut off" if cut else f"line {error.lineno}, column {error.colno} cannot be read"
        msg = f"it is not valid JSON: {what}"
        raise UnfitError(msg) from None
    except ValueError:
        msg = "a number in it has thousands of digits"
        raise UnfitError(msg) from None
    except RecursionError:
        msg = "it is nested too deeply"
        raise UnfitError(msg) from None
    return found


def _takes_at_most(limit: int, text: str) -> bool:
    """Return whether a JSON text and its value certainly take no more bytes than that, in CPython with 64 bits."""
    own = len(text) * (1 if text.isascii() else 4)
    if own + 100 * len(text) <= limit:  # no text is denser than one of brackets in brackets
        return True
    objects = 200 * (text.count("{") + text.count("["))
    if own + objects + 52 * len(text) <= limit:  # nor, besides objects, than one of `"",`
        return True
    of_text = 80 if text.isascii() else 104
    return own + objects + of_text * text.count('"') // 2 + 41 * text.count(",") <= limit


class Number(str):
    """A number, as written."""

    __slots__ = ()


@dataclass(slots=True)
class _Level:
    """A list or mapping of YAML that is still open."""

    holder: Any
    anchor: str | None = None
    key: str | None = None
    values: int = 1
    levels: int = 1
    merging: bool = False
    merged: list[dict[str, Any]] = field(default_factory=list)
    """The mappings under its merge keys."""

    @property
    def expects_key(self) -> bool:
        return self.key is None and isinstance(self.holder, dict)

    def put(self, value: Any) -> None:  # noqa: ANN401 - a JSON value
        if self.key is None:
            self.holder.append(value)
            return
        merged = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
        if self.merging and merged:
            self.merged += merged
        else:
            self.holder[self.key] = value
        self.key, self.merging = None, False

    def closed(self) -> Any:  # noqa: ANN401 - a JSON value
        if not self.merged:
            return self.holder
        found: dict[str, Any] = {}
        for each in (*reversed(self.merged), self.holder):  # the first of several counts most (yaml.org/type/merge)
            found.update(each)
        return found


def parsed_yaml(text: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return a YAML text's value by the core schema; keys are text, tags have no effect, merge keys are followed.

    It is built from the parser's events in one pass, so that aliases can be counted before anything follows them.

    Raises:
        UnfitError: if it is not YAML, or beyond the bounds.
    """
    import yaml  # few documents are YAML

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return _built(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        raise _unreadable(getattr(error, "problem_mark", None)) from None


def _unreadable(mark: Any) -> UnfitError:  # noqa: ANN401 - the class differs with the parser
    where = f"line {mark.line + 1}, column {mark.column + 1} cannot be read" if mark else "it cannot be read"
    return UnfitError(f"it is not valid YAML: {where}")


def _too_much() -> UnfitError:
    return UnfitError(
        f"it has more than {MOST_NESTED} levels, {MOST_NODES:,} objects and arrays, or {MOST_VALUES:,} values"
    )


def _built(events: Iterator[Any]) -> Any:  # noqa: ANN401 - a JSON value
    import yaml

    opened = [_Level([])]
    anchors: dict[str, tuple[Any, str | None, int, int]] = {}  # value, text of a scalar, values and levels in it
    nodes = documents = 0
    for event in events:
        level, word, values, levels = opened[-1], None, 1, 0
        if isinstance(event, yaml.ScalarEvent):
            word, plain = event.value, event.implicit[0]
            if level.expects_key and not event.anchor:
                level.key, level.merging = word, plain and word == "<<"
                level.values += 1
                continue
            value = scalar(word) if plain and level.key not in _AS_WRITTEN else word
            if event.anchor:
                anchors[event.anchor] = value, word, values, levels
        elif isinstance(event, yaml.CollectionStartEvent):
            nodes += 1
            opened.append(_Level({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor))
            if nodes > MOST_NODES or len(opened) > MOST_NESTED:
                raise _too_much()
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            value, values, levels = level.closed(), level.values, level.levels
            if level.anchor:
                anchors[level.anchor] = value, None, values, levels
            opened.pop()
            level = opened[-1]
        elif isinstance(event, yaml.AliasEvent):  # counts with all that it repeats: aliases multiply
            if event.anchor not in anchors:
                raise _unreadable(event.start_mark)
            value, word, values, levels = anchors[event.anchor]
        else:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise _unreadable(event.start_mark)
            continue
        level.values += values
        level.levels = max(level.levels, levels + 1)
        if level.values > MOST_VALUES or len(opened) + level.levels > MOST_NESTED:
            raise _too_much()
        if not level.expects_key:
            level.put(value)
        elif word is None:  # a list or a mapping as a key
            raise _unreadable(event.start_mark)
        else:
            level.key = word
    return opened[0].holder[0] if opened[0].holder else None


def scalar(word: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value of a plain YAML scalar."""
    if word in _WORDS:
        return _WORDS[word]
    if word[:1] not in "+-.0123456789" or len(word) > LONGEST_NUMBER:
        return word
    if _INTEGER.fullmatch(word):
        return int(word)
    return float(word) if _FLOAT.fullmatch(word) else word
