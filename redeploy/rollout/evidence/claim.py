"""Evidence in Watchtower's response: its summary claims an update."""

from functools import cached_property

from redeploy.rollout.evidence.kind import Evidence
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Proof


class Claim(Evidence):
    """Watchtower claims an update of all that it looked at, and nothing visible contradicts it.

    A start time or a build name that was seen before contradicts it: that process was not replaced. So do names and start
    times that are gone, and a row that kept its image. A claim opens no window: `decision/` uses it only if nothing else
    shows the build.
    """

    proof = Proof.CLAIM

    @cached_property
    def stands(self) -> bool:
        """Whether there is such a claim."""
        state, answer, like = self._state, self._state.answer, self._state.history.like
        if answer is None or answer.result is not Result.UPDATED or not answer.counts or answer.counts.skipped is None:
            return False
        all_of_them = answer.counts.updated == answer.counts.scanned
        before, noise, window = state.record.before, state.record.learnt.noise, state.history.window
        noisy = noise & before.names.keys()
        gone = before.names.keys() - window.names.keys() | before.starts.keys() - window.starts.keys()
        uncontradicted = not like.same and not like.running_on and not noisy and not gone - noise
        return all_of_them and uncontradicted and not state.running.kept

    @property
    def sentence(self) -> str:
        """That Watchtower reports the update."""
        claim = "Watchtower reports that it updated this container, and no response contradicts it."
        return claim if self.stands else ""
