"""The progress of the checks in one window."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from redeploy.contract.smoke import TRIES, Again, Result, Smoke

PAUSE = 1.0
"""Seconds before a failed request is retried once."""


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """The progress of one request."""

    tries: int = 0
    again_at: float = 0.0
    past_caches: bool = False
    result: Result | None = None
    """The result that counts; None as long as it is unknown."""

    @property
    def passed(self) -> bool:
        """Whether its response was as expected."""
        return self.result is not None and self.result.passed

    def step(self, result: Result, at: float, *, patient: bool) -> "Attempts":
        """Return the progress after one more response; `patient`: whether an inconclusive one leads to a retry."""
        fresh = result.again is Again.CACHED and not self.past_caches
        if not result.final and (fresh or (result.again is Again.THROTTLED and patient)):
            return replace(self, again_at=at, past_caches=self.past_caches or fresh)
        tries = self.tries + 1
        counts = result.passed or result.final or tries >= TRIES
        return replace(self, tries=tries, again_at=at + PAUSE, result=result if counts else None)


_UNTRIED = Attempts()


@dataclass(kw_only=True)
class BuildChecks:
    """The checks of one build. They start over once another build, or an unknown one, responds."""

    opened: float
    """When the window of the build opened that they belong to."""
    names: Mapping[str, str]
    document: Attempts = field(default_factory=Attempts)
    smoke: dict[Smoke, Attempts] = field(default_factory=dict)

    def kept(self, opened: float, names: Mapping[str, str], *, alone: bool) -> "BuildChecks":
        """Return what a new window keeps: the checks that passed, if the build is certainly the same.

        If builds responded in turn (not `alone`), it is not: a check may have reached any of them. What failed is tried
        again, because it may have failed with the window.
        """
        common = self.names.keys() & names.keys()
        unread = Attempts(past_caches=self.document.past_caches)
        if not alone or not common or any(self.names[path] != names[path] for path in common):
            return BuildChecks(opened=opened, names=names, document=unread)
        return BuildChecks(
            opened=opened,
            names=names,
            document=self.document if self.document.passed else unread,
            smoke={each: got for each, got in self.smoke.items() if got.passed},
        )
