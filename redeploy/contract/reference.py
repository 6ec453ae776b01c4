"""An OpenAPI file in the workspace, JSON or YAML, and the lines of its operations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from redeploy.contract.document_text import UnfitError, value_of
from redeploy.contract.openapi import contract_of
from redeploy.contract.routes import METHODS, Operation
from redeploy.contract.snapshot import Contract


@dataclass(frozen=True)
class Reference:
    """An OpenAPI file in the workspace, and the lines of its operations."""

    path: str
    contract: Contract
    lines: Mapping[Operation, int]


CAP = 16 * 1024 * 1024
"""Bytes of the file."""

_KEY = re.compile(r"""^([ \t]*+)["']?(\\?/[^"'\n]*?|[A-Za-z]{3,7})["']?[ \t]{0,9}:(?=\s|$|\{)""", re.MULTILINE)


def read(path: str, text: str) -> Reference:
    """Return the reference in the file at `path` in the workspace.

    Raises:
        ValueError: if the file is not an OpenAPI document, with what is wrong.
    """
    try:
        bare = text.removeprefix("\ufeff")
        contract = contract_of(value_of(bare) if bare.strip() else None)
    except UnfitError as error:
        msg = f"names a file that cannot be used as a reference: {error}"
        raise ValueError(msg) from None
    return Reference(path, contract, _lines(text, contract.operations))


def _lines(text: str, operations: tuple[Operation, ...]) -> dict[Operation, int]:
    """Return the line of each operation's method, if the file has a line for each key."""
    by_key = {(each.path, each.method.lower()): each for each in operations}
    paths = {each.path for each in operations}
    methods = {method.lower() for method in METHODS}
    found: dict[Operation, tuple[int, int]] = {}  # a schema or a callback may have keys of that name at a deeper level
    path, indent, line, counted = "", 0, 1, 0
    for match in _KEY.finditer(text):
        line += text.count("\n", counted, match.start(2))
        counted = match.start(2)
        deep, name = len(match[1]), match[2].replace("\\/", "/")
        if name in paths and (not path or deep <= indent):
            path, indent = name, deep
        elif path and deep > indent and name in methods and (path, name) in by_key:
            operation = by_key[path, name]
            found[operation] = min(found.get(operation, (deep, line)), (deep, line))
    return {operation: line for operation, (_, line) in found.items()}
