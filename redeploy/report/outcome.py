"""The result of a run, as values that are ready to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from redeploy.decision.verdict import Conclusion
from redeploy.remedies.remedy import Remedy
from redeploy.remedies.subject import NOTHING_KNOWN, Subject
from redeploy.report.check_results import NOTHING_CHECKED, Checked
from redeploy.report.timeline import Stretch
from redeploy.settings.reading import Problem
from redeploy.text.untrusted import code
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Verdict

if TYPE_CHECKING:  # few runs name one image, fewer put one back, and only doctor has a chain
    from redeploy.branch.standing import Position
    from redeploy.report.chain import Chain


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
    """The facts. Texts from outside are one harmless line each; moments are seconds since the first trigger."""

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
    put: tuple[float, float] | None = None
    """Start and end of the work at the registry."""
    triggered: tuple[float, float | None] | None = None
    """When Watchtower was triggered for it, and when it responded."""
    watchtower_result: str = "none"
    watchtower_said: str = ""
    proof: str = "none"
    replaced: bool = False
    """Whether it put another build live."""
    evidence: Sequence[str] = ()
    by_hand: str = ""
    """The commands to do it by hand if it failed, in Markdown."""
    deploy: "Outcome | None" = None
    """The outcome of the deploy that failed; None in mode rollback."""

    @property
    def done(self) -> bool:
        """Whether the previous image was put back and is proven live."""
        return self.state is State.PROVEN and (self.tag_moved or self.replaced)

    @property
    def told(self) -> str:
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
class Outcome:
    """The facts, ready to be shown: texts from outside are one harmless line each. Moments are seconds since the trigger."""

    conclusion: Conclusion
    service: str = ""
    """The service's key, where a config file names it."""
    mode: str = ""
    url: str = ""
    watchtower_origin: str = ""
    expected_version: str = ""
    expected_digest: str = ""
    image: str = ""
    """The image whose tag was looked up in its registry."""
    image_digest: str = ""
    """The digest that the tag points to."""
    revision: str = ""
    """The commit that the image's label names."""
    version: str = ""
    previous_version: str = ""
    digest: str = ""
    previous_digest: str = ""
    digest_as_declared: bool = False
    watchtower_result: str = Result.NONE.value
    watchtower_said: str = ""
    watchtower_replied: bool = True
    """Whether there was a response, and not an error instead."""
    triggered: bool = False
    triggered_at: float = 0.0
    """When the trigger was sent, by our clock, in seconds since 1970."""
    answered_after: float | None = None
    rollout_seconds: float | None = None
    downtime_seconds: float | None = None
    """None if the service never came back, or the run ended before the trigger."""
    moments: Sequence[tuple[float, str]] = ()
    stretches: Sequence[Stretch] = ()
    """Which build responded from when to when."""
    stable: tuple[float, float] | None = None
    """Start and end of the window that passed."""
    checks_ran: tuple[float, float] | None = None
    ended: float = 0.0
    broken: int = 0
    """Windows of the new build that failed."""
    watchtower_reply: str = ""
    """The response of the update URL as text; not yet harmless, but without secrets."""
    evidence: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    """Remarks that are less than a warning."""
    told_reasons: Sequence[str] = ()
    """What Watchtower's check endpoint says of containers that were not updated."""
    watchtower_itself: bool = True
    """Whether Watchtower itself responded, and not something else."""
    service_now: str = ""
    """Whether the service is up now, in one sentence; empty if a later outcome says so."""
    last_seen: str = ""
    """The service's last response."""
    in_turn: bool = False
    """Whether the old and the new build took turns."""
    down: bool = False
    """Whether the service does not respond at the end."""
    remedy: Remedy | None = None
    """The remedy at the door that responded, if that is known; it replaces the reason's own."""
    looks: int = 0
    loopback_refused: bool = False
    checked: Checked = NOTHING_CHECKED
    rollback: "RollbackResult | None" = None
    """The result of the rollback, if one was requested and the run came so far."""
    branch: "Position | None" = None
    """How far the live build is behind its branch; None if no branch is named, or the branch was not read."""
    problems: Sequence[Problem] = ()
    services: "Mapping[str, Outcome]" = field(default_factory=dict)
    """Each of several services, by its key; empty where there is one. All else is then the first worst one's."""
    chain: "Chain | None" = None
    """The result of mode doctor."""
    seen: Mapping[str, object] = field(default_factory=dict)
    """What was seen of the service, as JSON values."""
    detail: str = ""
    """A sentence that comes before everything else that was seen."""
    named: str = ""
    """What the fields that name the build say, if the version is not the expected one or nothing changed."""
    subject: Subject = NOTHING_KNOWN
    """The subject of its messages."""


def invalid(problems: Sequence[Problem]) -> Outcome:
    """Return the outcome of a run with invalid inputs."""
    return Outcome(conclusion=Conclusion(Verdict.INVALID_CONFIG), problems=problems)
