"""What every kind of evidence about the live build can be asked. Times are monotonic seconds."""

from redeploy.rollout.requests import FetchContainers, FetchDocument
from redeploy.rollout.service_state import ServiceState
from redeploy.service.identity import Build
from redeploy.verdicts import Proof


class Evidence:
    """One kind of evidence, for the state of a run, which must not change while this is used.

    A kind overrides what it can say something about. If an input declares what must be live, only the kinds that are
    `declared` prove it; otherwise any kind does.
    """

    proof = Proof.CHANGE
    """The proof that it is."""
    in_samples = False
    """Whether the responses of the service show it: then the current window counts from its start."""
    closes_with: type[FetchContainers | FetchDocument] | None = None
    """The request that it may need again after a window."""

    def __init__(self, state: ServiceState) -> None:
        self._state = state

    @property
    def declared(self) -> bool:
        """Whether an input declares it."""
        return False

    @property
    def known_before(self) -> bool:
        """Whether anything was seen before, so that a change can be seen."""
        return False

    @property
    def comparable(self) -> bool:
        """Whether it distinguishes builds or processes: something was seen both before the trigger and after it."""
        return False

    @property
    def says(self) -> Build:
        """Which build is live, by this evidence; the expected one, or a changed one, is new."""
        return Build.NEW if self.since is not None else Build.UNKNOWN

    @property
    def since(self) -> float | None:
        """Since when it has shown the new build without interruption; None if it does not."""
        return None

    @property
    def seen_new(self) -> bool:
        """Whether it has shown the new build at any time since the trigger."""
        return self.since is not None

    @property
    def reverted(self) -> bool:
        """Whether it showed the new build, and now shows the old one again."""
        return False

    def needs_closing(self, ends: float, *, alone: bool) -> bool:
        """Return whether one more request is needed after a window; `alone`: whether nothing else shows the build."""
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
