"""The responses of `/openapi.json` that are not FastAPI's own document."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from sandbox.network.attacks import hostile_contract
from sandbox.server.builds import Build

PLACEHOLDER = "<!doctype html><html><head><title>Portfolio</title></head><body><div id=root></div></body></html>"
JSON = "application/json"
BEYOND = 17 << 20
"""The size of a document that is too large: the action reads 16 MiB."""
DEEP = 200_000
"""Nesting levels that are too many for a recursive parser."""

_HERE = Path(__file__).resolve().parent


def document(build: Build, own: Mapping[str, object]) -> tuple[str, str]:
    """Return the body and media type of a build's document; `own` is FastAPI's."""
    match build.document:
        case "2.0" | "3.0":
            return (_HERE / f"openapi-{build.document}.json").read_text(), JSON
        case "html":
            return PLACEHOLDER, "text/html"
        case "other":
            return json.dumps({"name": "portfolio", "version": "0.1.0", "routes": list(own)}), JSON
        case "truncated":
            whole = json.dumps(own)
            return whole[: len(whole) // 2], JSON
        case "deep":
            return f'{{"openapi": "3.1.0", "info": {{}}, "paths": {"[" * DEEP}{"]" * DEEP}}}', JSON
        case "huge":
            return json.dumps({**own, "x-history": "-" * BEYOND}), JSON
        case "yaml":
            return yaml.safe_dump(json.loads(json.dumps(own))), "application/yaml"
        case "odd":
            return json.dumps(_odd(own)), JSON
        case "hostile":
            return json.dumps({**own, **hostile_contract()}), JSON
        case "own" | "none":
            return json.dumps(own), JSON


def _odd(own: Mapping[str, object]) -> dict[str, object]:
    """What careless generators and bundlers write, and clients still accept."""
    paths = json.loads(json.dumps(own["paths"]))
    paths["/api/ready"] |= {"post": None, "parameters": None}
    paths |= {"pets": {"get": {}}, "/api/elsewhere": {"$ref": "./elsewhere.yaml"}}
    return {**own, "info": {"title": "portfolio", "version": 1.0}, "servers": None, "paths": paths}
