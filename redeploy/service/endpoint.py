"""Where the service answers, and what a healthy response is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where the service answers, what healthy means, and where it names its build."""

    base_url: str
    health_url: str
    version_url: str
    names_itself: bool
    """Whether `version-path` was given: only then is a one-line body a version."""
    health_expect: str = ""
    version_field: str = ""
