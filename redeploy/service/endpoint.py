"""Where the service answers, and what a healthy response is."""

from dataclasses import dataclass

from redeploy.conditions.expectation import NOTHING_EXPECTED, Expectation


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where the service answers, what healthy means, and where it names its build."""

    base_url: str
    health_url: str
    version_url: str
    names_itself: bool
    """Whether `version-path` was given: only then is a one-line body a version."""
    health_expect: Expectation = NOTHING_EXPECTED
    version_field: str = ""
    """Where the version stands: as in a condition, or `attr:NAME`, `match:REGEX`, a template; empty: the usual names."""
