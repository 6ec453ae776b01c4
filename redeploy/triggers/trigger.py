"""What a trigger is, and what it reports about the update, for any deployer."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from redeploy.http.fetch import HttpRequest
from redeploy.http.response import ErrorKind, HttpResult
from redeploy.http.sender import UNKNOWN_SENDER, Sender, SenderKind
from redeploy.triggers.watchtower.containers import Look
from redeploy.triggers.watchtower.endpoints import ContainerFilter
from redeploy.verdicts import Reason


class Result(StrEnum):
    """What Watchtower reports that it did; the words of the output `watchtower-result`."""

    UPDATED = "updated"
    NOTHING = "nothing"
    PARTIAL = "partial"
    FAILED = "failed"
    BLOCKED = "blocked"
    ACCEPTED = "accepted"
    BUSY = "busy"
    UNKNOWN = "unknown"
    NONE = "none"


class Again(StrEnum):
    """Why a trigger may be retried: it certainly did not run."""

    UNREACHED = "unreached"
    BUSY = "busy"
    RATE_LIMITED = "rate-limited"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Counts:
    """The containers that Watchtower counted; `skipped` is None in variants and versions that do not report it."""

    scanned: int = 0
    updated: int = 0
    failed: int = 0
    restarted: int = 0
    skipped: int | None = None

    def __str__(self) -> str:
        counts = {"scanned": self.scanned, "updated": self.updated, "failed": self.failed, "restarted": self.restarted}
        if self.skipped is not None:
            counts["skipped"] = self.skipped
        return ", ".join(f"{name} {count}" for name, count in counts.items())


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is known of the trigger."""

    result: Result
    seen: str
    """What came back, in our own words."""
    counts: Counts | None = None
    refusal: Reason | None = None
    """Why it was refused, if waiting cannot help."""
    again: Again | None = None
    """Set if the trigger certainly did not run and may be retried."""
    wait: float | None = None
    """Seconds that the server asks to wait before that."""
    error_kind: ErrorKind | None = None
    """Why there was no response, if there was none."""
    status: int = 0
    """The status of the response; 0 if there was none."""
    sender: Sender = UNKNOWN_SENDER
    """Who responded, if it was a refusal or a failure."""

    @property
    def of_watchtower(self) -> bool:
        """Whether Watchtower itself responded, as far as is known."""
        accepted = self.refusal is None and 200 <= self.status < 300
        return accepted or self.result is Result.BUSY or self.sender.kind is SenderKind.WATCHTOWER

    @property
    def lost(self) -> bool:
        """Whether the outcome is unknown because the response was lost on its way."""
        return self.result is Result.UNKNOWN and self.counts is None

    @property
    def scanned_nothing(self) -> bool:
        """Whether Watchtower looked at no container: a hidden error, or a filter that matches nothing."""
        return self.result is Result.UNKNOWN and self.counts is not None


class Trigger(Protocol):
    """What starts an update: what it sends, how it reads the response, and what else it can report.

    Its requests are values, which the performer sends; reading the responses is a function of values, too. What a trigger
    does not support is never requested.
    """

    @property
    def lists_running(self) -> bool:
        """Whether it may list the running images."""

    @property
    def explains(self) -> bool:
        """Whether it may say why nothing was updated."""

    @property
    def narrows_doubtfully(self) -> bool:
        """Whether the update is narrowed in a way that the trigger must be checked for first."""

    def update(self) -> HttpRequest:
        """Return the request that starts the update."""

    def read(self, http_result: HttpResult) -> Answer:
        """Return what the response to the update says; total: every HTTP result becomes an answer."""

    def list_running(self) -> HttpRequest:
        """Return the request for the running images."""

    def read_running(
        self,
        http_result: HttpResult,
        wanted: ContainerFilter,
        *,
        sent: float,
        at: float,
        redact: Callable[[str], str],
    ) -> Look:
        """Return what the list says of the containers that count; `sent` and `at` are monotonic seconds."""

    def explain(self) -> HttpRequest:
        """Return the request for why nothing was updated."""

    def read_explanation(
        self, http_result: HttpResult, result: Result, redact: Callable[[str], str]
    ) -> tuple[str, ...]:
        """Return why nothing was updated, as lines without secrets; `result` is what the update itself reported."""

    def ask_support(self) -> HttpRequest:
        """Return the request that shows whether the update can be narrowed as planned; it must not update anything."""

    def read_support(self, http_result: HttpResult) -> bool:
        """Return whether the update can be narrowed as planned."""
