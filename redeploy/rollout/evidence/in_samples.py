"""Evidence in the responses of the service: the declared version, build names, the start of the process.

`redeploy/service/history.py` folds the samples, and decides from which build each came.
"""

from collections.abc import Sequence
from functools import cached_property

from redeploy.rollout.evidence.kind import Evidence
from redeploy.service.identity import Build
from redeploy.settings.plan import Mode
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof


class InSamples(Evidence):
    """What the samples show."""

    in_samples = True

    @property
    def says(self) -> Build:
        """The build of the last response that shows one."""
        return self._state.history.build

    @cached_property
    def since(self) -> float | None:
        """Since when the current window is open, if it is one of the new build."""
        window = self._state.history.window
        return window.opened if window.build is Build.NEW else None

    @property
    def seen_new(self) -> bool:
        """Whether the new build has responded, healthy or not."""
        return self._state.history.new_seen

    @property
    def _reports(self) -> str:
        return "reported" if self._state.history.in_gap else "reports"

    def _listed(self, paths: Sequence[str]) -> str:
        return ", ".join(code(self._state.redact(path), 80) for path in paths) + "."


class DeclaredVersion(InSamples):
    """The service names the declared version."""

    proof = Proof.VERSION

    @property
    def declared(self) -> bool:
        """Whether a version is declared."""
        return bool(self._state.plan.expect_version)

    @property
    def sentence(self) -> str:
        """That the service reports the declared version."""
        if not self.declared or self.says is not Build.NEW:
            return ""
        back = self._state.plan.mode is Mode.ROLLBACK
        return f"The service {self._reports} the {'version that goes with it' if back else 'declared version'}."


class BuildNames(InSamples):
    """The fields that name the build have other values than before."""

    @property
    def known_before(self) -> bool:
        """Whether a name was seen before."""
        return bool(self._state.record.before.names)

    @property
    def comparable(self) -> bool:
        """Whether a name was seen both before the trigger and after it."""
        like = self._state.history.like
        return bool(like.changed or like.same)

    @property
    def sentence(self) -> str:
        """That the names have changed."""
        changed = self._state.history.like.changed
        if self._state.plan.expect_version or not changed:
            return ""
        return f"The service reports a different build: {self._listed(changed)}"

    @property
    def contradiction(self) -> str:
        """That the names are the same."""
        same = self._state.history.like.same
        if self.says is not Build.OLD or not same:
            return ""
        return f"The service {self._reports} the same build as before: {self._listed(same)}"


class ProcessStart(InSamples):
    """The process was started after the trigger."""

    @property
    def known_before(self) -> bool:
        """Whether a start time was seen before."""
        return bool(self._state.record.before.starts)

    @property
    def comparable(self) -> bool:
        """Whether a start time was seen both before the trigger and after it."""
        state = self._state
        like, before, window = state.history.like, state.record.before, state.history.window
        waited_for = state.plan.awaits_build and bool(before.starts.keys() & window.starts.keys())
        return bool(like.restarted or like.running_on) or waited_for

    @property
    def sentence(self) -> str:
        """That another process responds."""
        restarted = self._state.history.like.restarted
        after = "the step before the deploy" if self._state.plan.baseline else "the trigger"
        return f"A new process responds, started after {after}: {self._listed(restarted)}" if restarted else ""
