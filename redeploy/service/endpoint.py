"""Where the service answers, and what a healthy response is."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.conditions.expectation import NOTHING_EXPECTED, Expectation


class Endpoint(StrEnum):
    """Which of the service's addresses was asked; one with both meanings counts as `HEALTH` and `VERSION`."""

    HEALTH = "health"
    VERSION = "version"


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where the service answers, what healthy means, and where it names its build."""

    base_url: str
    """Empty for a worker, which answers no requests."""
    health_url: str
    version_url: str
    names_itself: bool
    """Whether `version-path` was given: only then is a one-line body a version."""
    health_expect: Expectation = NOTHING_EXPECTED
    version_field: str = ""
    """Where the version stands: as in a condition, or `attr:NAME`, `match:REGEX`, a template; empty: the usual names."""

    @property
    def apart(self) -> bool:
        """Whether the version has an address of its own."""
        return self.version_url != self.health_url

    @property
    def answers(self) -> bool:
        """Whether it answers requests; a worker is known by its container alone."""
        return bool(self.base_url)


WORKER = Service(base_url="", health_url="", version_url="", names_itself=False)
"""A service that no address leads to."""
