"""What a rollback came to, ready to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from redeploy.core.hostile import code

if TYPE_CHECKING:
    from redeploy.core.outcome import Outcome


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
class Rolled:
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
