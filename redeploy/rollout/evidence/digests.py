"""Evidence in the list of running containers: the declared digest, another digest than before, the digest of the tag."""

from functools import cached_property

from redeploy.rollout.evidence.kind import Evidence
from redeploy.rollout.requests import FetchContainers
from redeploy.service.identity import Build
from redeploy.settings.plan import Mode
from redeploy.verdicts import Proof


class RunningDigest(Evidence):
    """The running container has another digest than before."""

    closes_with = FetchContainers

    @property
    def applies(self) -> bool:
        """Whether no digest is declared: then a change counts."""
        return not self._state.plan.expect_digest

    @property
    def known_before(self) -> bool:
        """Whether a digest was reported before."""
        return bool(self._state.running.before)

    @property
    def comparable(self) -> bool:
        """Whether a digest was reported before the trigger, and after it."""
        return bool(self._state.running.before and self._state.running.now)

    @property
    def says(self) -> Build:
        """Which build the last list of containers shows."""
        looks = self._state.running.looks_since
        return self._state.running.says(looks[-1]) if looks and self.applies else Build.UNKNOWN

    @cached_property
    def since(self) -> float | None:
        """Since when every list has shown the new digest."""
        return self._state.running.expected_since if self.applies else None

    @cached_property
    def seen_new(self) -> bool:
        """Whether any list since the trigger showed the new digest."""
        return self.applies and not self._state.live_before and self._state.running.expected_seen

    def needs_closing(self, ends: float, *, alone: bool) -> bool:
        """Return whether the containers must be listed again: if only that proves the build, or if they differ."""
        return self.applies and self._state.running.needs_closing_look(ends, alone=alone)

    @property
    def sentence(self) -> str:
        """What Watchtower reports about the running container."""
        declared_as = "digest that was put back" if self._state.plan.mode is Mode.ROLLBACK else "declared digest"
        return self._state.running.evidence(declared_as) if self.applies else ""


class DeclaredDigest(RunningDigest):
    """The running container has the declared digest."""

    proof = Proof.DIGEST

    @property
    def declared(self) -> bool:
        """Whether a digest is declared."""
        return self.applies

    @property
    def applies(self) -> bool:
        """Whether a digest is declared."""
        return bool(self._state.plan.expect_digest)


class UnchangedTag(Evidence):
    """With nothing declared: the image that the tag points to ran before, and still runs after Watchtower's response."""

    proof = Proof.NONE

    @cached_property
    def says(self) -> Build:
        """The old build, if it is the one that the tag points to."""
        state, running, last = self._state, self._state.running, self._state.running.last
        found = state.lookup.manifest if state.lookup else None
        if state.plan.declared or found is None or state.answered is None or last is None or last.sent < state.answered:
            return Build.UNKNOWN
        same = (running.manifests.same_image(found.digest, each) for each in (running.before, running.now))
        return Build.OLD if all(same) else Build.UNKNOWN

    @property
    def sentence(self) -> str:
        """Says that the registry has no newer image; empty if that is not known."""
        if self.says is not Build.OLD:
            return ""
        return "The running container has the digest that the image's tag points to in the registry."
