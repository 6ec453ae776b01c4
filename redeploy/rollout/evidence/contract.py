"""Evidence in the OpenAPI document: it has other operations, or another version."""

from functools import cached_property

from redeploy.rollout.evidence.kind import Evidence
from redeploy.rollout.requests import FetchDocument
from redeploy.service.identity import Build
from redeploy.triggers.trigger import Result


class ContractChange(Evidence):
    """The service promises something other than before; it counts only if nothing is declared."""

    closes_with = FetchDocument

    @property
    def known_before(self) -> bool:
        """Whether an earlier step saw a document."""
        return self._state.checking.recalled is not None

    @property
    def comparable(self) -> bool:
        """Whether both an earlier step and this run saw a document."""
        return self.known_before and bool(self._state.checking.documents)

    @property
    def says(self) -> Build:
        """The new build after a change; the old one if the service promised something else, and then the same as before."""
        return Build.NEW if self.since is not None else Build.OLD if self.reverted else Build.UNKNOWN

    @cached_property
    def since(self) -> float | None:
        """Since when the service promises something else, if that counts as a change."""
        return self._state.checking.changed_since(operations=self._replaced) if self._counts else None

    @property
    def seen_new(self) -> bool:
        """Whether it promised something else at any time."""
        return self.since is not None or self.reverted

    @cached_property
    def reverted(self) -> bool:
        """Whether it promised something else, and then the same as before."""
        return self._counts and self._state.checking.reverted(operations=self._replaced)

    def needs_closing(self, ends: float, *, alone: bool) -> bool:
        """Return whether the document must be read again: one build may replace another without a gap."""
        return alone and self.since is not None and not self._state.checking.closed(ends)

    @property
    def _counts(self) -> bool:
        """Whether another contract can be a change: not if a commit or a build number stayed the same."""
        state = self._state
        return not state.plan.declared and state.contract_counts and not state.history.like.pinned

    @property
    def _replaced(self) -> bool:
        """Whether a gap, a new process, another image, or Watchtower's `updated` shows that something was replaced."""
        state, answer = self._state, self._state.answer
        updated = answer is not None and answer.result is Result.UPDATED
        return updated or state.history.gap_seen or bool(state.history.like.restarted) or state.running.expected_seen

    @property
    def sentence(self) -> str:
        """That the document changed."""
        changed = "Its OpenAPI document changed: it has other operations, or another version."
        return changed if self.since is not None else ""
