"""The variants of Watchtower by name, each with its default settings."""

from dataclasses import replace
from typing import Any, Literal

from sandbox.server.engine import Engine, ImageT
from sandbox.watchtower.containrrr import Containrrr, Openserbia
from sandbox.watchtower.fork import NicholasFedor
from sandbox.watchtower.updater import Settings
from sandbox.watchtower.watchtower import Watchtower

Variant = Literal["containrrr", "nicholas-fedor", "openserbia"]
VARIANTS: dict[Variant, tuple[type[Watchtower[Any]], Settings]] = {
    "containrrr": (Containrrr, Settings(stop_timeout=10, engine_patience=0)),
    "nicholas-fedor": (NicholasFedor, Settings(stop_timeout=30, engine_patience=15)),
    "openserbia": (Openserbia, Settings(stop_timeout=10, engine_patience=3)),
}


def watchtower(variant: Variant, host: Engine[ImageT], token: str, **flags: object) -> Watchtower[ImageT]:
    """Return a Watchtower of one product line; `flags` are fields of `Settings`."""
    kind, defaults = VARIANTS[variant]
    return kind(host, token, replace(defaults, **flags))  # type: ignore[arg-type]  # checked by the dataclass itself
