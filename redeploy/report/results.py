"""How a run ends, as values that are ready to be shown: one of four kinds of result.

Texts from outside are one harmless line each. Times are seconds since the first trigger, unless they are called wall.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from redeploy.decision.verdict import Conclusion
from redeploy.remedies.remedy import Remedy
from redeploy.remedies.subject import NOTHING_KNOWN, Subject
from redeploy.report.check_results import NOTHING_CHECKED, Checked
from redeploy.report.facts import Facts
from redeploy.report.timeline import Timeline
from redeploy.settings.reading import Problem
from redeploy.text.untrusted import code
from redeploy.verdicts import Verdict

if TYPE_CHECKING:  # few runs name a branch, and only doctor has a chain
    from redeploy.branch.standing import Position
    from redeploy.report.chain import Chain


@dataclass(frozen=True)
class Change:
    """Versions or digests: the expected one, the one before the trigger, and the one that is live."""

    expected: str = ""
    before: str = ""
    live: str = ""


NOT_REPORTED = Change()


@dataclass(frozen=True)
class ImageFound:
    """What the registry has of the image."""

    reference: str = ""
    digest: str = ""
    """The digest that the tag points to."""
    revision: str = ""
    """The commit that the image's label names."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """The trigger, and what Watchtower responded."""

    result: str = "none"
    said: str = ""
    reply: str = ""
    """The response of the update URL as text; not yet harmless, but without secrets."""
    sent: float | None = None
    sent_wall: float = 0.0
    """When the trigger was sent by our clock, in seconds since 1970."""
    answered: float | None = None

    @property
    def triggered(self) -> bool:
        """Whether the trigger was sent."""
        return self.sent is not None


class State(StrEnum):
    """How far a rollback came."""

    NOT_TRIED = "not-tried"
    """A rollback does not help against this failure."""
    REFUSED = "refused"
    """Nothing was written: it was impossible, or not safe."""
    CUT_SHORT = "cut-short"
    FAILED = "failed"
    """The tag was put back, but the previous build is not proven live."""
    PROVEN = "proven"


@dataclass(frozen=True, kw_only=True)
class RollbackResult:
    """The result of a rollback."""

    state: State
    why: str = ""
    """Why it stopped: the end of a sentence."""
    fix: str = ""
    """How to make it possible the next time, in Markdown."""
    tag: str = ""
    """The image's reference with the tag that is put back."""
    target: str = ""
    """The digest that is put back; empty if none was found."""
    source: str = ""
    """Where the digest comes from."""
    failed: str = ""
    """The reference of the image that failed, with its digest; empty if that is not known."""
    tag_moved: bool = False
    """Whether the tag was written; else it pointed there already, or was not touched."""
    update: Update = field(default_factory=Update)
    """The trigger that was sent for it."""
    proof: str = "none"
    """The proof of the build that was put back."""
    replaced: bool = False
    """Whether it put another build live."""
    by_hand: str = ""
    """The commands to do it by hand if it failed, in Markdown."""
    deploy: "RunResult | None" = None
    """The result of the deploy that failed; None in mode rollback."""

    @property
    def done(self) -> bool:
        """Whether the previous image was put back and is proven live."""
        return self.state is State.PROVEN and (self.tag_moved or self.replaced)

    @property
    def sentence(self) -> str:
        """The result, in whole sentences."""
        again = " again" if self.tag_moved else ", as it did already"
        points = f"{code(self.tag)} points to {code(self.target)}{again}"
        match self.state:
            case State.NOT_TRIED:
                return f"No rollback was tried: {self.why}."
            case State.REFUSED:
                return f"Nothing was put back: {self.why}. {self.fix}".rstrip()
            case State.CUT_SHORT:
                return f"The rollback was cut short: {self.why or points}."
            case State.FAILED:
                return f"{points} ({self.source}), but {self.why}"
            case State.PROVEN:
                proven = f"{points} ({self.source}), and the build of that image is proven live."
                if not self.failed:
                    return proven
                lost = "The container that failed is gone, and its log too"
                return f"{proven} {lost}; {code(f'docker run --rm {self.failed}')} starts its image."


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The result of a run of one service, and what is known of it if the run was cut short."""

    conclusion: Conclusion
    service: str = ""
    """The service's key, if a config file names it."""
    mode: str = ""
    url: str = ""
    watchtower_origin: str = ""
    subject: Subject = NOTHING_KNOWN
    """What its remedies name: the addresses and the container."""
    version: Change = NOT_REPORTED
    digest: Change = NOT_REPORTED
    digest_as_declared: bool = False
    """Whether the live digest is of the expected image, if by another digest."""
    image: ImageFound = field(default_factory=ImageFound)
    update: Update = field(default_factory=Update)
    timeline: Timeline = field(default_factory=Timeline)
    rollout_seconds: float | None = None
    downtime_seconds: float | None = None
    """None if the service never came back, or the run ended before the trigger."""
    down: bool = False
    """Whether the service does not respond at the end."""
    looks: int = 0
    facts: Facts = field(default_factory=Facts)
    checked: Checked = NOTHING_CHECKED
    remedy: Remedy | None = None
    """A remedy that fits what was seen, if there is one; it replaces the reason's own."""
    rollback: RollbackResult | None = None
    """The result of the rollback, if one was requested and the run came so far."""
    branch: "Position | None" = None
    """How far the live build is behind its branch; None if no branch is named, or the branch was not read."""
    seen: Mapping[str, object] = field(default_factory=dict)
    """What was seen of the service, as JSON values, for a later run to compare with."""

    def caused_by(self, sentence: str) -> "RunResult":
        """Return the result with another cause, which comes before everything else that was seen."""
        return replace(self, facts=self.facts.caused_by(sentence))


@dataclass(frozen=True)
class InvalidInputs:
    """The result of a run with invalid inputs: nothing was sent."""

    problems: Sequence[Problem]
    chain: "Chain | None" = None
    """In mode doctor, the chain of which nothing was examined."""

    @property
    def conclusion(self) -> Conclusion:
        """How the run ends."""
        return Conclusion(Verdict.INVALID_CONFIG)


@dataclass(frozen=True)
class Examination:
    """The result of mode doctor."""

    chain: "Chain"
    seen: RunResult
    """The service as the examination saw it."""

    @property
    def conclusion(self) -> Conclusion:
        """How the run ends."""
        return self.seen.conclusion


OneResult = RunResult | Examination
"""The result of one service."""


@dataclass(frozen=True)
class SeveralResults:
    """The result of a run of several services."""

    services: Mapping[str, OneResult]
    """By their keys, in the order of wave, host and file."""
    worst: OneResult
    """The first of the worst, which stands for all; with the longest downtime and, if all are green, the weakest proof."""

    @property
    def conclusion(self) -> Conclusion:
        """How the run ends."""
        return self.worst.conclusion


Result = RunResult | InvalidInputs | Examination | SeveralResults


def representative(result: Result) -> RunResult:
    """Return the result of the service that stands for all; an empty one if the inputs are invalid."""
    match result:
        case RunResult():
            return result
        case Examination():
            return result.seen
        case SeveralResults():
            return representative(result.worst)
        case InvalidInputs():
            return RunResult(conclusion=result.conclusion)


def chain_of(result: Result) -> "Chain | None":
    """Return the chain that doctor examined; None in other modes."""
    match result:
        case RunResult():
            return None
        case SeveralResults():
            return chain_of(result.worst)
        case Examination() | InvalidInputs():
            return result.chain
