"""A smoke request that is written as a mapping: the line that the input would have, and what does not fit into a line."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from redeploy.conditions.grammar import clauses
from redeploy.contract.document_text import scalar
from redeploy.contract.smoke import NOTHING_ELSE, Sent
from redeploy.settings import parsers
from redeploy.settings.config.faults import Words, joined
from redeploy.settings.config.tree import Mapping, Node, Scalar, Sequence, is_empty
from redeploy.text.secret import Secret

_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)(?:\|[1-5](?:[0-9]{2}|xx))*", re.IGNORECASE)


class Reads(Protocol):
    """Turns nodes into texts."""

    def one_line(self, node: Node, words: Words) -> str:
        """Return the text of a node, which may have one line."""

    def expanded(self, node: Node, raw: str, words: Words) -> str:
        """Return a text with its variables."""

    def headers(self, node: Mapping, words: Words) -> list[tuple[str, str]]:
        """Return the headers of a mapping."""

    def refuse(self, node: Node, words: Words, said: str) -> None:
        """Note a problem."""


@dataclass(frozen=True)
class Request:
    """A line of the input `smoke`, and what goes with it."""

    line: str
    sent: Sent


def request(node: Mapping, words: Words, reads: Reads) -> Request:
    """Return the request that a mapping describes, and note what is wrong with it."""

    def named(name: str) -> Words:
        return lambda: f"`{name}` of {words()}"

    asked = node.get("request")
    line = reads.one_line(asked, named("request")) if asked is not None else ""
    if asked is not None and len(re.sub(r"^[!?\s]+", "", line).split()) > 2:
        said = "has more than a method and a path; a status goes under `status`, a condition under `expect`"
        reads.refuse(asked, named("request"), said)
    if _is_true(node, "warn", named, reads):
        line = f"?{line}"
    statuses = _listed(node.get("status"), named("status"), reads)
    for place, text in statuses:
        if not _STATUS.fullmatch(text):
            reads.refuse(place, named("status"), "is not a status; write `200`, `2xx` or a list of them")
    if statuses:
        line += " " + "|".join(text for _, text in statuses)
    conditions: list[str] = []
    for place, text in _listed(node.get("expect"), named("expect"), reads):
        try:
            conditions += [text] if text and clauses(text) else []
        except ValueError as error:
            reads.refuse(place, joined(named("expect"), str(error)), str(error))
    if conditions:
        line += " " + " and ".join(conditions)
    return Request(line, _sent(node, named, reads))


def _sent(node: Mapping, named: Callable[[str], Words], reads: Reads) -> Sent:
    headers: list[tuple[str, str]] = []
    given = node.get("headers")
    if isinstance(given, Mapping):
        headers = _fit(given, reads.headers(given, named("headers")), named, reads)
    body = b""
    if (carried := node.get("body")) is not None:
        value = _value(carried, named("body"), reads)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        body = text.encode("utf-8", "replace")
        if "content-type" not in {name.lower() for name, _ in headers}:
            kind = "text/plain; charset=utf-8" if isinstance(value, str) else "application/json"
            headers.append(("Content-Type", kind))
    latency = _seconds(node.get("max-latency"), named("max-latency"), reads)
    found = Sent(body, tuple((name, Secret(value)) for name, value in headers), latency)
    return found if found != Sent() else NOTHING_ELSE


def _fit(
    node: Mapping, headers: list[tuple[str, str]], named: Callable[[str], Words], reads: Reads
) -> list[tuple[str, str]]:
    seen: set[str] = set()
    found = []
    for (key, _), (name, value) in zip(node.entries, headers, strict=True):
        try:
            found.append(parsers.header(f"{name}: {value}", of_service=True))
        except ValueError as error:
            reads.refuse(key, named("headers"), str(error))
        if name.lower() in seen:
            reads.refuse(key, named("headers"), f"gives `{name}` a second time")
        seen.add(name.lower())
    return found


def _is_true(node: Mapping, name: str, named: Callable[[str], Words], reads: Reads) -> bool:
    given = node.get(name)
    if given is None:
        return False
    try:
        return parsers.boolean(reads.one_line(given, named(name)))
    except ValueError as error:
        reads.refuse(given, named(name), str(error))
        return False


def _seconds(node: Node | None, words: Words, reads: Reads) -> float | None:
    if node is None:
        return None
    try:
        return parsers.duration(reads.one_line(node, words))
    except ValueError as error:
        reads.refuse(node, words, str(error))
        return None


def _listed(node: Node | None, words: Words, reads: Reads) -> list[tuple[Node, str]]:
    """Return the texts of a list, or a single text, each with its place."""
    if node is None or is_empty(node):
        return []
    items = node.items if isinstance(node, Sequence) else (node,)
    return [(each, reads.one_line(each, words)) for each in items]


def _value(node: Node, words: Words, reads: Reads) -> Any:  # noqa: ANN401 - a JSON value
    """Return a body as a JSON value: only here, a word without quotes may be a number, a boolean or null."""
    match node:
        case Mapping():
            return {key.text: _value(each, words, reads) for key, each in node.entries}
        case Sequence():
            return [_value(each, words, reads) for each in node.items]
        case Scalar():
            text = reads.expanded(node, node.text, words)
            value = scalar(text) if node.plain and "${" not in node.text else text
            return text if isinstance(value, float) and not math.isfinite(value) else value
        case _:
            return None
