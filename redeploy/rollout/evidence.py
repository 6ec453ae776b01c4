"""What tells builds apart beside the samples: the running digest, the contract, Watchtower's claim, the registry."""

from functools import cached_property

from redeploy.http.condition import Condition
from redeploy.rollout.pace import longest_pause
from redeploy.rollout.requests import Probe
from redeploy.rollout.service_state import ServiceState
from redeploy.service.gaps import certain_downtime, gaps, longest_wait
from redeploy.service.identity import Build
from redeploy.service.window import FEWEST
from redeploy.triggers.trigger import Result

UNNAMED_WINDOW = 10.0
"""Seconds of health that an unproven build needs at least: nothing tells when the old one stopped answering."""

LAST_LOOK = 5.0
"""Seconds before the last window that may open in time, in which a look falls for certain."""


HELD_UP = 2
"""How many times longer than its longest pause a service has to wait for a look where its bucket is too small for it."""


class Evidence:
    """What speaks for a build beside its samples. Times are monotonic seconds."""

    def __init__(self, state: ServiceState) -> None:
        """Weigh `state`, which must not change while this is used."""
        self._watch = state
        self._plan = state.plan
        self._track = state.history
        self._window = state.history.window

    @cached_property
    def digest_before(self) -> str:
        """The digest that ran before the trigger."""
        return self._watch.running.before

    @cached_property
    def digest_now(self) -> str:
        """The digest that runs, as last told."""
        return self._watch.running.now

    @cached_property
    def digest_wanted_since(self) -> float | None:
        """Since when the digest that runs is a wanted one."""
        return self._watch.running.wanted_since

    @cached_property
    def told_since(self) -> float | None:
        """Since when something beside the samples tells that what runs is wanted: the digest, or another contract."""
        if self._plan.declared or self._plan.inspects:
            return self.digest_wanted_since
        moments = (self.digest_wanted_since, self.contract_changed_since)
        return min((each for each in moments if each is not None), default=None)

    @cached_property
    def contract_changed_since(self) -> float | None:
        """Since when the service promises something else, where that counts as a change."""
        return self._watch.checking.changed_since(operations=self._replaced) if self._contract_counts else None

    @cached_property
    def contract_reverted(self) -> bool:
        """Whether it promised something else, and again what it did before, where that counts."""
        return self._contract_counts and self._watch.checking.reverted(operations=self._replaced)

    @property
    def _contract_counts(self) -> bool:
        """Whether another contract can be a change: a commit or a build number that stayed is the same build."""
        return self._watch.contract_counts and not self._track.like.pinned

    @property
    def _replaced(self) -> bool:
        """Whether a gap, a new process, another image, or Watchtower's `updated` shows that something was replaced."""
        answer = self._watch.answer
        updated = answer is not None and answer.result is Result.UPDATED
        return updated or self._track.gap_seen or bool(self._track.like.restarted) or self._watch.running.was_wanted

    @property
    def builds_visible(self) -> bool:
        """Whether anything tells builds or processes apart: what was seen before the trigger and since."""
        checking, before, window = self._watch.checking, self._watch.record.before, self._window
        promised = checking.recalled is not None and bool(checking.documents)
        started = self._plan.awaits_build and bool(before.starts.keys() & window.starts.keys())
        return self._track.like.visible or bool(self.digest_before and self.digest_now) or promised or started

    @property
    def contract_matters(self) -> bool:
        """Whether the OpenAPI document is to be looked at before a window is open: it may have changed."""
        return self._watch.checking.recalled is not None and self.told_since is None and self._window.opened is None

    @cached_property
    def referenced(self) -> bool:
        """Whether an earlier step saw something beside which a change can be seen."""
        state = self._watch
        known = state.record.before.names or state.record.before.starts or state.running.before
        return self._plan.awaits_build and bool(known or state.checking.recalled)

    @cached_property
    def held_off(self) -> bool:
        """Whether no window is to be opened yet, since what answers is to be replaced until shortly before the deadline."""
        state = self._watch
        if not state.plan.awaits_build or self._plan.declared or not self.referenced:
            return False
        changed = self._window.build is Build.NEW or self.told_since is not None
        latest = max((each.at for each in state.samples[-1:]), default=state.began)
        return not changed and latest < state.deadline - max(UNNAMED_WINDOW, self._window.span_needed) - LAST_LOOK

    @cached_property
    def digest_matters(self) -> bool:
        """Whether looks at the containers endpoint can tell anything."""
        return self._watch.running.can_list and bool(self._plan.expect_digest or self.digest_before)

    @cached_property
    def claims(self) -> bool:
        """Whether Watchtower's summary claims an update of all that it looked at, and nothing visible speaks against it.

        A start time that was seen before speaks against it as a build name does: that process was not replaced. So does
        what was seen before and is gone, and a row that kept its image.
        """
        answer, like = self._watch.answer, self._track.like
        if answer is None or answer.result is not Result.UPDATED or not answer.counts or answer.counts.skipped is None:
            return False
        all_of_them = answer.counts.updated == answer.counts.scanned
        before = self._watch.record.before
        noisy = self._watch.record.learnt.noise & before.names.keys()
        gone = before.names.keys() - self._window.names.keys() | before.starts.keys() - self._window.starts.keys()
        unspoilt = not like.same and not like.running_on and not noisy and not gone - self._watch.record.learnt.noise
        return all_of_them and unspoilt and not self._watch.running.kept

    @cached_property
    def registry_unchanged(self) -> bool:
        """Whether, with nothing declared, what the image's tag points to ran before and runs on after the answer."""
        state, last = self._watch, self._watch.running.last
        found = state.lookup.manifest if state.lookup else None
        if self._plan.declared or found is None or state.answered is None or last is None or last.sent < state.answered:
            return False
        kin = state.running.kin
        return kin.same(found.digest, self.digest_before) and kin.same(found.digest, self.digest_now)

    @property
    def unnamed_window(self) -> tuple[float | None, float]:
        """From when a window counts where nothing names the build in it, and how many seconds it takes."""
        answer, gap_ended = self._watch.answer, self._track.gap_ended
        if answer is not None and answer.lost and gap_ended is not None:  # the gap says more than when it was lost
            return gap_ended, self._window.span_needed
        return self._watch.answered, self.unnamed_length

    @property
    def unnamed_length(self) -> float:
        """Seconds that such a window takes after Watchtower's response."""
        length = self._window.span_needed
        return length if self.claims or self.registry_unchanged else max(length, UNNAMED_WINDOW)

    @property
    def down_too_long(self) -> bool:
        """Whether the service was certainly without a good answer for longer than it may be."""
        state, most = self._watch, self._plan.max_downtime
        return most is not None and certain_downtime(gaps(state.baseline, state.samples, state.started)) > most

    def is_starved(self, now: float, *, judged: bool) -> bool:
        """Tell whether, at the deadline, nothing is known of the service for want of requests.

        It was looked at too rarely since the update to say how it is. Or, where the window under way is `judged`, one that
        the verdict is about, its looks were too far apart for it to hold. A limit of the service's own is another matter.
        """
        state, rate, samples = self._watch, self._plan.rate, self._watch.samples
        limited = any(each.condition is Condition.THROTTLED for each in samples)
        if now < state.deadline or rate is None or limited or not state.addresses:
            return False
        most = HELD_UP * longest_pause(rate, state.budget.dearest)
        until = 0.0 if state.budget.under_way(Probe) else now
        since, begun = max(state.started, state.answered or 0.0), self._window.begun
        few = sum(each.sent >= since for each in samples) < FEWEST * len(state.addresses)
        if few and longest_wait(samples, since, until) > most:
            return True
        return judged and begun is not None and longest_wait(samples, begun, until) > most
