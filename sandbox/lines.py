"""The product lines by name, each with what it waits for by default."""

from dataclasses import replace
from typing import Any, Literal

from sandbox.containrrr import Containrrr, Openserbia
from sandbox.engine import Engine, ImageT
from sandbox.fork import NicholasFedor
from sandbox.updater import Settings
from sandbox.watchtower import Watchtower

Line = Literal["containrrr", "nicholas-fedor", "openserbia"]
LINES: dict[Line, tuple[type[Watchtower[Any]], Settings]] = {
    "containrrr": (Containrrr, Settings(stop_timeout=10, engine_patience=0)),
    "nicholas-fedor": (NicholasFedor, Settings(stop_timeout=30, engine_patience=15)),
    "openserbia": (Openserbia, Settings(stop_timeout=10, engine_patience=3)),
}


def watchtower(line: Line, host: Engine[ImageT], token: str, **flags: object) -> Watchtower[ImageT]:
    """A Watchtower of one product line; `flags` are fields of `Settings`."""
    kind, defaults = LINES[line]
    return kind(host, token, replace(defaults, **flags))  # type: ignore[arg-type]  # checked by the dataclass itself
