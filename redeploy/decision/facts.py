"""All that is known at one moment, as one value, from which stop rules and verdict follow."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.triggers.trigger import Answer, Result
from redeploy.verdicts import Proof, Reason

if TYPE_CHECKING:  # few runs name a branch
    from redeploy.branch.standing import Standing


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known. Times are monotonic seconds.

    The right build is the declared one or, if nothing is declared, one that certainly differs from the build before the
    trigger. In mode verify, if nothing is declared or awaited, it is the live build.
    """

    verifying: bool = False
    """Whether the mode is verify: nothing is triggered."""
    awaiting: bool = False
    """Whether a run in mode verify waits for the build of another deployer; otherwise verify has no build before."""
    referenced: bool = False
    """Whether such a run has anything from an earlier step that a change can be compared with."""
    now: float
    deadline: float
    patience_ends: float = float("inf")
    """When the time is up for a window that began before the deadline, and for its checks."""
    stable_for: float
    version_declared: bool
    digest_declared: bool
    require_proof: Proof = Proof.NONE

    not_started: Reason | None = None
    """Why nothing was triggered."""
    refusal: Reason | None = None
    """Why the trigger was finally refused, or given up."""
    answer: Answer | None = None
    """Watchtower's last response; None if there is none yet."""
    answered_at: float | None = None
    answer_final: bool = False
    """Whether that response is final: the trigger is not sent again."""

    live_before: bool = False
    """Whether the declared build was live before the trigger."""
    right_build_under_way: bool = False
    """Whether a window of the right build is open, or about to open."""
    held: bool = False
    """Whether a window of the right build has held."""
    confirmed: bool = False
    """Whether a sample of that window was requested after Watchtower's response."""
    window_in_time: bool = False
    """Whether a window is open, of any build, that began before the deadline."""
    healthy_long_enough: bool = False
    """Whether the service has been healthy since Watchtower's response for as long as an unproven build needs."""
    claim_held: bool = False
    """Whether Watchtower's summary claims the update, nothing visible contradicts it, and the service has been healthy for
    `stable_for` since."""
    held_after_gap: bool = False
    """Whether a window has held that began after a gap."""
    old_build_stayed: bool = False
    """Whether the old build has been healthy for `stable_for` and `GRACE` since Watchtower's response, without a gap."""
    wrong_build_held: bool = False
    """Whether, in mode verify, a window of another build than the declared one has held."""
    registry_unchanged: bool = False
    """Whether, with nothing declared, the tag's image ran before the trigger and still runs after the response."""

    unobservable: bool = False
    """Whether nothing shows what runs: the service has no address, and no endpoint lists its container."""
    condition: Condition | None = None
    """The condition of the service's last response, the worse of health and version; None if there was never a response."""
    blocked: bool = False
    """Whether this is certainly something in front of the service, which waiting does not remove."""
    throttled_past_deadline: bool = False
    """Whether the service asked to wait until after the deadline."""
    starved: bool = False
    """Whether the service, or the current window, could not be watched, because `request-rate` left too few requests."""
    gap_seen: bool = False
    build: Build = Build.UNKNOWN
    """The build of the last response that shows one."""
    version_cached: bool = False
    """Whether the last response of the version address came from a cache."""
    new_build_seen: bool = False
    window_broke: bool = False
    """Whether a window of the new build broke."""
    broke_late: bool = False
    """Whether a window of the new build broke after the deadline."""
    flapping: bool = False
    """Whether so many windows broke that waiting for another is pointless."""
    builds_visible: bool = False
    """Whether a build name, a running digest or a start time distinguishes builds or processes."""
    digest_reported: bool = False
    digests_differ: bool = False
    """Whether the containers that count run different digests."""
    old_digest_runs: bool = False
    """Whether the image from before is still running, as last reported."""
    reverted: bool = False
    """Whether other evidence, such as the OpenAPI document, changed and changed back."""

    branch: "Standing | None" = None
    """Where production is compared with its branch; None if no branch is declared, or GitHub was not asked yet."""

    checking: bool = False
    """Whether checks of the build in the open window are still missing."""
    checked: bool = True
    """Whether all checks are done, and the service was looked at after them."""
    check_failure: Reason | None = None
    """The first kind of check that failed; missing checks count as failed."""

    @property
    def declared(self) -> bool:
        """Whether the inputs say what must be live."""
        return self.version_declared or self.digest_declared

    @property
    def held_proof(self) -> Proof:
        """The strongest proof that a window of the right build provides."""
        if self.digest_declared:
            return Proof.DIGEST
        if self.version_declared:
            return Proof.VERSION
        return Proof.NONE if self.inspecting else Proof.CHANGE

    @property
    def inspecting(self) -> bool:
        """Whether the run only inspects what is live: any healthy build is right, or the declared one."""
        return self.verifying and not self.awaiting

    @property
    def healthy(self) -> bool:
        """Whether the last responses were good."""
        return self.condition is Condition.HEALTHY

    @property
    def old_build_back(self) -> bool:
        """Whether the old build is live again after a new one was, by its name, its digest or other evidence."""
        old = self.build is Build.OLD
        old_beside = (self.old_digest_runs or self.reverted) and self.build is not Build.NEW
        return self.new_build_seen and self.healthy and (old or old_beside)

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self.now >= self.deadline

    @property
    def answer_lost(self) -> bool:
        """Whether Watchtower's response was lost, or never came."""
        return self.answer is None or self.answer.lost

    @property
    def watchtower_failure_wins(self) -> bool:
        """Whether a failure that Watchtower reports outweighs a change: always, if nothing is declared."""
        if self.declared or self.answer is None:
            return False
        failed = self.answer.counts is not None and self.answer.counts.failed > 0
        return failed or self.answer.result in (Result.FAILED, Result.BLOCKED)
