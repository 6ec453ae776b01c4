"""All evidence, folded: what any of it shows, and whether the declared build is live."""

from functools import cached_property

from redeploy.http.condition import Condition
from redeploy.rollout.evidence.claim import Claim
from redeploy.rollout.evidence.digests import UnchangedTag
from redeploy.rollout.evidence.kind import Evidence
from redeploy.rollout.evidence.row import KINDS
from redeploy.rollout.pace import longest_pause
from redeploy.rollout.requests import Probe
from redeploy.rollout.service_state import ServiceState
from redeploy.service.gaps import longest_wait
from redeploy.service.identity import Build
from redeploy.service.window import FEWEST
from redeploy.verdicts import Proof

UNNAMED_WINDOW = 10.0
"""Seconds that an unproven build must be healthy at least: nothing shows when the old build stopped responding."""

LAST_LOOK = 5.0
"""Seconds before the last window that may open in time: in these, at least one look is certain."""

HELD_UP = 2
"""If looks are this many times further apart than the longest pause, the bucket is too small to watch the service."""


class Weighing:
    """All evidence about the build that is live. Times are monotonic seconds."""

    def __init__(self, state: ServiceState) -> None:
        """Sum up `state`, which must not change while this is used."""
        self._state = state
        self._plan = state.plan
        self._history = state.history
        self._window = state.history.window

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """All kinds of evidence about this state, the strongest first."""
        return tuple(kind(self._state) for kind in KINDS)

    @cached_property
    def _deciding(self) -> list[Evidence]:
        """The evidence that must show the build: all that is declared or, if nothing is, any."""
        return [each for each in self.evidence if each.declared] or list(self.evidence)

    def sentences(self, proof: Proof) -> list[str]:
        """Return what shows which build is live, the strongest first; a claim is included only if it is the `proof`."""
        worth_saying = [each for each in self.evidence if each.proof is not Proof.CLAIM or proof is Proof.CLAIM]
        return list(
            filter(None, [*(each.sentence for each in worth_saying), *(each.contradiction for each in worth_saying)])
        )

    def shows(self, kind: type[Evidence], build: Build) -> bool:
        """Return whether one kind of evidence shows this build."""
        return any(each.says is build for each in self.evidence if isinstance(each, kind))

    @cached_property
    def beside_since(self) -> float | None:
        """Since when something other than the samples shows the expected build: the digest, or another contract."""
        moments = (each.since for each in self._deciding if not each.in_samples)
        return min((each for each in moments if each is not None), default=None)

    @cached_property
    def checks_from(self) -> float | None:
        """From when checks count: from the start of the window or, if the digest or the contract shows its build, later.

        Without a gap, the old build may have responded in the same window until then.
        """
        opened = self._window.opened
        if opened is None or self._window.build is Build.NEW or self._history.gap_seen:
            return opened
        return max(opened, self.beside_since or opened)

    @cached_property
    def builds_visible(self) -> bool:
        """Whether anything distinguishes builds or processes: what was seen before the trigger and since."""
        return any(each.comparable for each in self.evidence)

    @cached_property
    def referenced(self) -> bool:
        """Whether an earlier step saw something, so that a change can be seen."""
        return self._plan.awaits_build and any(each.known_before for each in self.evidence)

    @cached_property
    def expected_under_way(self) -> bool:
        """Whether the current window is one of the expected build."""
        if self._window.opened is None:
            return False
        shown = [each.since is not None for each in self._deciding]
        return all(shown) if self._plan.declared else self._plan.inspects or any(shown)

    @cached_property
    def new_build_seen(self) -> bool:
        """Whether any evidence has shown the new build since the trigger."""
        return any(each.seen_new for each in self.evidence)

    @cached_property
    def claims(self) -> bool:
        """Whether Watchtower claims the update, and nothing visible contradicts it."""
        return any(each.stands for each in self.evidence if isinstance(each, Claim))

    @cached_property
    def registry_unchanged(self) -> bool:
        """Whether, with nothing declared, the image that the tag points to ran before and still runs after the response."""
        return self.shows(UnchangedTag, Build.OLD)

    def alone(self, place: int) -> bool:
        """Return whether the evidence at a place of the row is the only proof: no response is one, and none before it."""
        if self.evidence[place].declared:
            return True
        if self._plan.declared or self._plan.inspects:
            return False
        others = (other for at, other in enumerate(self.evidence) if at != place and (other.in_samples or at < place))
        return all(other.since is None for other in others)

    @property
    def contract_matters(self) -> bool:
        """Whether to read the OpenAPI document before a window is open: it may have changed."""
        return self._state.checking.recalled is not None and self.beside_since is None and self._window.opened is None

    @cached_property
    def too_early(self) -> bool:
        """Whether no window may open yet: until shortly before the deadline, the live build may still be replaced."""
        state = self._state
        if not state.plan.awaits_build or self._plan.declared or not self.referenced:
            return False
        changed = self._window.build is Build.NEW or self.beside_since is not None
        latest = max((each.at for each in state.samples[-1:]), default=state.began)
        return not changed and latest < state.deadline - max(UNNAMED_WINDOW, self._window.span_needed) - LAST_LOOK

    @property
    def digest_matters(self) -> bool:
        """Whether looks at the containers endpoint can show anything."""
        return self._state.running.can_list and bool(self._plan.expect_digest or self._state.running.before)

    @property
    def unnamed_window(self) -> tuple[float | None, float]:
        """From when a window counts if nothing names its build, and its length in seconds."""
        answer, gap_ended = self._state.answer, self._history.gap_ended
        if answer is not None and answer.lost and gap_ended is not None:  # the gap says more than when it was lost
            return gap_ended, self._window.span_needed
        return self._state.answered, self.unnamed_length

    @property
    def unnamed_length(self) -> float:
        """The length of such a window after Watchtower's response, in seconds."""
        length = self._window.span_needed
        return length if self.claims or self.registry_unchanged else max(length, UNNAMED_WINDOW)

    def is_starved(self, now: float, *, judged: bool) -> bool:
        """Return whether, at the deadline, too few requests were possible to judge the service.

        Either there were too few looks since the update; or the verdict is about the current window (`judged`), and its
        looks were too far apart for it to hold. A rate limit of the service itself is not meant.
        """
        state, rate, samples = self._state, self._plan.rate, self._state.samples
        limited = any(each.condition is Condition.THROTTLED for each in samples)
        if now < state.deadline or rate is None or limited or not state.addresses:
            return False
        most = HELD_UP * longest_pause(rate, state.budget.highest_cost)
        until = 0.0 if state.budget.under_way(Probe) else now
        since, begun = max(state.started, state.answered or 0.0), self._window.begun
        few = sum(each.sent >= since for each in samples) < FEWEST * len(state.addresses)
        if few and longest_wait(samples, since, until) > most:
            return True
        return judged and begun is not None and longest_wait(samples, begun, until) > most
