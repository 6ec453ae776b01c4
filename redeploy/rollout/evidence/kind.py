"""The questions that every kind of evidence about the live build has an answer to. Times are monotonic seconds."""

from redeploy.rollout.requests import FetchContainers, FetchDocument
from redeploy.rollout.service_state import ServiceState
from redeploy.service.identity import Build
from redeploy.verdicts import Proof


class Evidence:
    """One kind of evidence, asked about the state of a run, which must not change while this is used.

    A kind overrides the questions that it has an answer to. Where an input declares what must be live, only the kinds that
    are `declared` prove it; else any kind does.
    """

    proof = Proof.CHANGE
    """What it proves."""
    in_samples = False
    """Whether the responses of the service show it: then the window under way counts whole."""
    closes_with: type[FetchContainers | FetchDocument] | None = None
    """The request that it may need once more after a window."""

    def __init__(self, state: ServiceState) -> None:
        self._state = state

    @property
    def declared(self) -> bool:
        """Whether an input declares what it must show."""
        return False

    @property
    def known_before(self) -> bool:
        """Whether anything was seen before, so that a change can be seen."""
        return False

    @property
    def comparable(self) -> bool:
        """Whether it distinguishes builds or processes: something was seen before, and since."""
        return False

    @property
    def says(self) -> Build:
        """Which build is live by it: the expected or a changed one is new."""
        return Build.NEW if self.since is not None else Build.UNKNOWN

    @property
    def since(self) -> float | None:
        """Since when it has shown the new build, without a break; None if it does not."""
        return None

    @property
    def seen_new(self) -> bool:
        """Whether it has shown the new build at any time since the trigger."""
        return self.since is not None

    @property
    def reverted(self) -> bool:
        """Whether it showed the new build, and shows the old one again."""
        return False

    def needs_closing(self, ends: float, *, alone: bool) -> bool:
        """Return whether one more request is needed once a window has ended; `alone` if nothing else shows the build."""
        del ends, alone
        return False

    @property
    def sentence(self) -> str:
        """What shows the new build; empty if it does not."""
        return ""

    @property
    def contradiction(self) -> str:
        """What shows the old build instead; empty if it does not."""
        return ""
