"""What a run came to, as values that are ready to be shown."""

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
    """The failure is none that a rollback mends."""
    REFUSED = "refused"
    """Nothing was written: it was not possible, or not safe."""
    CUT_SHORT = "cut-short"
    FAILED = "failed"
    """The tag was put back, and the previous build is not proven to be live."""
    PROVEN = "proven"


@dataclass(frozen=True, kw_only=True)
class RollbackResult:
    """The facts. Texts from outside are one harmless line each; moments are seconds since the first trigger."""

    state: State
    why: str = ""
    """Why it came no further: the end of a sentence."""
    fix: str = ""
    """What lets it come about the next time, in Markdown."""
    tag: str = ""
    """The image's reference with the tag that is put back."""
    target: str = ""
    """The digest that is put back; empty where none was found."""
    source: str = ""
    """What named it."""
    failed: str = ""
    """The reference of the image that failed, with its digest; empty where that is not known."""
    tag_moved: bool = False
    """Whether the tag was written; else it pointed there already, or was left alone."""
    put: tuple[float, float] | None = None
    """From when to when the registry was asked."""
    triggered: tuple[float, float | None] | None = None
    """When Watchtower was triggered for it, and when it answered."""
    watchtower_result: str = "none"
    watchtower_said: str = ""
    proof: str = "none"
    replaced: bool = False
    """Whether another build went live by it."""
    evidence: Sequence[str] = ()
    by_hand: str = ""
    """What to do on the server or in a shell where it did not come about, in Markdown."""
    deploy: "Outcome | None" = None
    """How the deploy ended that it was to mend; None in mode rollback."""

    @property
    def done(self) -> bool:
        """Whether the previous image was put back and is proven live."""
        return self.state is State.PROVEN and (self.tag_moved or self.replaced)

    @property
    def told(self) -> str:
        """What became of it, in whole sentences."""
        again = " again" if self.tag_moved else ", as it did already"
        points = f"{code(self.tag)} points at {code(self.target)}{again}"
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
                told = f"{points} ({self.source}), and the build of that image is proven live."
                lost = "The container that failed is gone, and its log with it"
                return (
                    f"{told} {lost}; {code(f'docker run --rm {self.failed}')} starts its image."
                    if self.failed
                    else told
                )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The facts, ready to be shown: texts from outside are one harmless line each. Moments are seconds since the trigger."""

    conclusion: Conclusion
    mode: str = ""
    url: str = ""
    watchtower_origin: str = ""
    expected_version: str = ""
    expected_digest: str = ""
    image: str = ""
    """The image whose tag was looked up in its registry."""
    image_digest: str = ""
    """What the tag pointed to."""
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
    """Whether what it said was a reply, and not the want of one."""
    triggered: bool = False
    triggered_at: float = 0.0
    """When the trigger was sent, by our clock, in seconds since 1970."""
    answered_after: float | None = None
    rollout_seconds: float | None = None
    downtime_seconds: float | None = None
    """None where the service never came back, or the run ended before the trigger."""
    moments: Sequence[tuple[float, str]] = ()
    stretches: Sequence[Stretch] = ()
    """Who answered from when to when."""
    stable: tuple[float, float] | None = None
    """From the first to the last look of the window that held."""
    checks_ran: tuple[float, float] | None = None
    ended: float = 0.0
    broken: int = 0
    """Windows of the new build that broke."""
    watchtower_reply: str = ""
    """What the update URL answered, as text; hostile, but without secrets."""
    evidence: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    """What is worth a line, and no warning."""
    told_reasons: Sequence[str] = ()
    """What Watchtower's check endpoint says of containers that were not updated."""
    watchtower_itself: bool = True
    """Whether Watchtower answered, and not another in its place."""
    service_now: str = ""
    """Whether the service is up now, in one sentence; empty where that is told by a later outcome."""
    last_seen: str = ""
    """What the service answered last."""
    in_turn: bool = False
    """Whether old and new build took over from each other again and again."""
    down: bool = False
    """Whether nothing answers there at the end."""
    remedy: Remedy | None = None
    """What mends it at the door that answered, where that is known; it takes the place of the reason's own."""
    looks: int = 0
    loopback_refused: bool = False
    checked: Checked = NOTHING_CHECKED
    rollback: "RollbackResult | None" = None
    """What became of putting an image back, where that was asked for and the run came as far."""
    branch: "Position | None" = None
    """Where production stands beside its branch; None where no branch is named, or it was not asked for."""
    problems: Sequence[Problem] = ()
    chain: "Chain | None" = None
    """What mode doctor found."""
    seen: Mapping[str, object] = field(default_factory=dict)
    """What was seen of the service, as JSON values."""
    detail: str = ""
    """What else there is to say, before all that was seen."""
    named: str = ""
    """What the fields that name the build say, where the version is not as declared or nothing changed."""
    subject: Subject = NOTHING_KNOWN
    """What its messages speak of."""


def invalid(problems: Sequence[Problem]) -> Outcome:
    """Return the outcome of inputs that are wrong."""
    return Outcome(conclusion=Conclusion(Verdict.INVALID_CONFIG), problems=problems)
