"""What is worth saying about a run: one list of sentences. Texts from outside in them are harmless."""

from dataclasses import dataclass
from enum import Enum, auto


class About(Enum):
    """What a sentence is about; every form of a result takes those that it shows, in this order."""

    NOW = auto()
    """Whether the service is up now; missing if a later result says so."""
    CAUSE = auto()
    """What comes before everything else that was seen."""
    UPDATE = auto()
    """What the response to the trigger was."""
    REASON = auto()
    """What Watchtower says of a container that it did not update, after the words "it says about"."""
    UNSTABLE = auto()
    """That builds took turns, or that the new one failed over and over."""
    LAST = auto()
    """The service's last response, for a time when it does not say whether the service is up now."""
    NAMES = auto()
    """What the fields that name the build say."""
    EVIDENCE = auto()
    """Which build is live, and how that is known; the strongest first."""
    EVIDENCE_AFTER = auto()
    """The same after a tag was put back; `EVIDENCE` is then that of the failed deploy."""
    WARNING = auto()
    NOTE = auto()
    """A remark that is less than a warning."""
    NOTE_ON_CHECKS = auto()


@dataclass(frozen=True)
class Fact:
    """One sentence."""

    about: About
    sentence: str


@dataclass(frozen=True)
class Facts:
    """The sentences of a result."""

    all: tuple[Fact, ...] = ()

    def of(self, *about: About) -> tuple[str, ...]:
        """Return the sentences about these, one after the other."""
        return tuple(each.sentence for one in about for each in self.all if each.about is one)

    def plus(self, about: About, *sentences: str) -> "Facts":
        """Return these and more; an empty sentence says nothing."""
        return Facts((*self.all, *(Fact(about, each) for each in sentences if each)))

    def __add__(self, other: "Facts") -> "Facts":
        return Facts((*self.all, *other.all))

    def without(self, *about: About) -> "Facts":
        """Return those about anything else."""
        return Facts(tuple(each for each in self.all if each.about not in about))

    def caused_by(self, sentence: str) -> "Facts":
        """Return these with another cause; none if the sentence is empty."""
        return self.without(About.CAUSE).plus(About.CAUSE, sentence)
