"""GitHub's own schemas, as the linter brings them."""

import importlib.resources
import json
from functools import cache
from typing import Any


@cache
def github_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of `github-actions` or `github-workflows`."""
    schemas = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    read: dict[str, Any] = json.loads((schemas / f"{name}.json").read_text(encoding="utf-8"))
    return read
