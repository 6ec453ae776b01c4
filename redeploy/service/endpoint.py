"""The addresses of the service, and what a healthy response is."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.conditions.expectation import NOTHING_EXPECTED, Expectation


class Endpoint(StrEnum):
    """Which of the service's addresses was requested; one with both meanings counts as `HEALTH` and `VERSION`."""

    HEALTH = "health"
    VERSION = "version"


@dataclass(frozen=True, kw_only=True)
class Service:
    """The addresses of the service, what healthy means, and where it names its build."""

    base_url: str
    """Empty for a worker, which does not serve requests."""
    health_url: str
    version_url: str
    names_itself: bool
    """Whether `version-path` was given: only then is a one-line body a version."""
    health_expect: Expectation = NOTHING_EXPECTED
    version_field: str = ""
    """Where to find the version: as in a condition, or `attr:NAME`, `match:REGEX`, a template; empty: the usual names."""

    @property
    def apart(self) -> bool:
        """Whether the version has its own address."""
        return self.version_url != self.health_url

    @property
    def answers(self) -> bool:
        """Whether it serves requests; a worker is known only by its container."""
        return bool(self.base_url)


WORKER = Service(base_url="", health_url="", version_url="", names_itself=False)
"""A service without an address."""
