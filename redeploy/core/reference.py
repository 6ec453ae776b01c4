"""An OpenAPI file of the workspace, JSON or YAML, and the lines on which its operations stand."""

import re
from typing import Any

from redeploy.core.openapi import MOST_NODES, UnfitError, contract_of, parsed
from redeploy.core.plan import Reference
from redeploy.core.routes import METHODS, Operation

CAP = 16 * 1024 * 1024
"""Bytes of the file."""

MOST_VALUES = 4 * MOST_NODES
"""Values of a YAML document, those counted again that an alias repeats."""

MOST_NESTED = 200
"""Levels of a YAML document: it is composed in C, where no recursion limit holds."""

_KEY = re.compile(r"""^([ \t]*+)["']?(\\?/[^"'\n]*?|[A-Za-z]{3,7})["']?[ \t]{0,9}:(?=\s|$|\{)""", re.MULTILINE)


def read(path: str, text: str) -> Reference:
    """Return what the file at `path` in the workspace holds.

    Raises:
        ValueError: where it is no OpenAPI document, with what is wrong.
    """
    try:
        bare = text.removeprefix("\ufeff")
        contract = contract_of(parsed(bare) if bare.lstrip().startswith("{") else _yaml(bare))
    except UnfitError as error:
        msg = f"names a file that cannot be compared with: {error}"
        raise ValueError(msg) from None
    return Reference(path, contract, _lines(text, contract.operations))


def _yaml(text: str) -> Any:  # noqa: ANN401 - a JSON value
    import yaml  # few runs compare with a YAML file

    # The base loader takes every scalar as text and makes no objects; that is all that a contract needs.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    opened: list[list[Any]] = [["", 0, 0]]  # of each level its anchor, the values in it, and how deeply they nest
    anchors: dict[str | None, tuple[int, int]] = {}
    try:
        for event in yaml.parse(text, Loader=loader):
            values, levels = 1, 0
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append([event.anchor, 1, 1])
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, values, levels = opened.pop()
                anchors[anchor] = values, levels
            elif isinstance(event, yaml.AliasEvent):  # counts for all that it stands for: aliases multiply
                values, levels = anchors.get(event.anchor, (1, 0))
            elif not isinstance(event, yaml.ScalarEvent):
                continue
            inner = opened[-1]
            inner[1], inner[2] = inner[1] + values, max(inner[2], levels + 1)
            if len(opened) + inner[2] > MOST_NESTED or inner[1] > MOST_VALUES:
                msg = f"it has more than {MOST_NESTED} levels, or more than {MOST_VALUES:,} values"
                raise UnfitError(msg)
        return yaml.load(text, Loader=loader)  # noqa: S506 - the base loader is the safest of all
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1} cannot be read" if mark else "it cannot be read"
        msg = f"it is no valid YAML: {where}"
        raise UnfitError(msg) from None


def _lines(text: str, operations: tuple[Operation, ...]) -> dict[Operation, int]:
    """Return the line of each operation's method, as far as the file is written with a line for each key."""
    wanted = {(each.path, each.method.lower()): each for each in operations}
    paths = {each.path for each in operations}
    methods = {method.lower() for method in METHODS}
    found: dict[Operation, tuple[int, int]] = {}  # a schema or a callback may have keys of that name, further inside
    path, indent, line, counted = "", 0, 1, 0
    for match in _KEY.finditer(text):
        line += text.count("\n", counted, match.start(2))
        counted = match.start(2)
        deep, name = len(match[1]), match[2].replace("\\/", "/")
        if name in paths and (not path or deep <= indent):
            path, indent = name, deep
        elif path and deep > indent and name in methods and (path, name) in wanted:
            operation = wanted[path, name]
            found[operation] = min(found.get(operation, (deep, line)), (deep, line))
    return {operation: line for operation, (_, line) in found.items()}
