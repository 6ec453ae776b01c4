"""The keys of a config file, as a JSON Schema: editors complete by it, and the action judges files by it."""

from collections.abc import Callable
from typing import Any

from redeploy.settings.defaults import DEFAULTS, LISTED, NAMED_VALUES, OF_HOST, of_service

NAME = r"^[a-z0-9-]{1,40}$(?!\n)"
"""The name of a service or a host; in Python `$` holds before a last line end, too."""

ID = "https://raw.githubusercontent.com/leok974/redeploy-action/main/docs/config.schema.json"

SMOKE = ("request", "status", "expect", "headers", "body", "max-latency", "warn")
"""Keys of a smoke request that do not fit into one line."""

_TEXT = ["string", "number", "boolean"]
_OR_NOTHING = [*_TEXT, "null"]


def schema(described: Callable[[str], str] = lambda _: "") -> dict[str, Any]:
    """Return the schema.

    A text may look like a number or a boolean to an editor, and be nothing at all; here all of them are texts.

    Args:
        described: what each input means, in words; empty if the schema only judges.
    """

    def of_input(name: str) -> dict[str, Any]:
        default = DEFAULTS[name]
        words = {"description": described(name)} if described(name) else {}
        words |= {"default": default} if default else {}
        if name == "smoke":
            return words | {"type": [*_OR_NOTHING, "array"], "items": {"$ref": "#/$defs/smoke"}}
        if name in LISTED:
            return words | {"type": [*_OR_NOTHING, "array"], "items": {"type": _TEXT}}
        if name in NAMED_VALUES:
            return words | {"$ref": "#/$defs/headers"}
        return words | {"type": _OR_NOTHING}

    own = {name: of_input(name) for name in of_service()}
    of_host = {name: of_input(name) for name in OF_HOST}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Services and hosts that one run redeploys",
        "type": "object",
        "additionalProperties": False,
        "required": ["services"],
        "properties": {
            "defaults": {
                "$ref": "#/$defs/service",
                "description": "Keys of all services; a service can set its own value.",
            },
            "services": {
                "description": "The services by name.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"$ref": "#/$defs/service"},
            },
            "hosts": {
                "description": "The Watchtowers by name. Left out: the only one is named by the inputs.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"$ref": "#/$defs/host"},
            },
            "waves": {
                "description": "Lists of hosts; a wave starts once the one before is proven. Left out: one wave.",
                "type": "array",
                "minItems": 1,
                "items": {"type": "array", "minItems": 1, "items": {"type": _TEXT}},
            },
            "max-parallel": {
                "description": "How many hosts of a wave are updated in parallel.",
                "type": _TEXT,
                "default": "4",
            },
        },
        "$defs": {
            "service": {"type": ["object", "null"], "additionalProperties": False, "properties": own},
            "host": {
                "type": "object",
                "additionalProperties": False,
                "properties": of_host
                | {
                    "services": {
                        "description": "Services of this host; a mapping can set keys for this host alone. Left out: all.",
                        "type": ["array", "object"],
                        "minItems": 1,
                        "minProperties": 1,
                        "items": {"type": _TEXT},
                        "additionalProperties": {"$ref": "#/$defs/service"},
                    }
                },
            },
            "headers": {"type": [*_OR_NOTHING, "object"], "additionalProperties": {"type": _TEXT}},
            "smoke": {
                "type": [*_TEXT, "object"],
                "additionalProperties": False,
                "required": ["request"],
                "properties": {
                    "request": {
                        "type": _TEXT,
                        "description": "`METHOD PATH`, with `!` before it if the request may change something.",
                    },
                    "status": {
                        "description": "The accepted statuses.",
                        "type": [*_TEXT, "array"],
                        "minItems": 1,
                        "items": {"type": _TEXT},
                    },
                    "expect": {
                        "description": "Conditions that the response must meet.",
                        "type": [*_TEXT, "array"],
                        "minItems": 1,
                        "items": {"type": _TEXT},
                    },
                    "headers": {
                        "description": "Headers of this request; they override all others.",
                        "type": "object",
                        "additionalProperties": {"type": _TEXT},
                    },
                    "body": {"description": "The request body: text is sent as it is, anything else as JSON."},
                    "max-latency": {"description": "The longest time that the response may take.", "type": _TEXT},
                    "warn": {"description": "Whether a failure is only a warning.", "type": _TEXT},
                },
            },
        },
    }
