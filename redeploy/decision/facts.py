"""All that is known at one moment, as one value: the stop rules and the verdict are decided from it."""

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

    The right build is the declared one or, where nothing is declared, one that is shown to differ from the build before
    the trigger. In mode verify with nothing declared and nothing waited for, it is the build that answers.
    """

    verifying: bool = False
    """Whether the mode is verify: nothing is triggered."""
    awaiting: bool = False
    """Whether a run in mode verify waits for the build of another deployer; without one, verify knows no build before."""
    referenced: bool = False
    """Whether then, of an earlier step, anything is known beside which a change can be seen."""
    now: float
    deadline: float
    patience_ends: float = float("inf")
    """When a window that began before the deadline, and its checks, have had all the time that they may have."""
    stable_for: float
    version_declared: bool
    digest_declared: bool
    require_proof: Proof = Proof.NONE

    not_started: Reason | None = None
    """Why nothing was triggered."""
    refusal: Reason | None = None
    """Why the trigger was refused, or given up, for good."""
    answer: Answer | None = None
    """Watchtower's last response; None as long as there is none."""
    answered_at: float | None = None
    answer_final: bool = False
    """Whether that response stands: the trigger is not sent again."""

    met_before: bool = False
    """Whether what is declared was live before the trigger."""
    right_build_under_way: bool = False
    """Whether a window of the right build is open, or about to open."""
    held: bool = False
    """Whether a window of the right build has held."""
    confirmed: bool = False
    """Whether a sample of that window was requested after Watchtower's response."""
    window_in_time: bool = False
    """Whether a window, of whatever build, is open that began before the deadline."""
    healthy_long_enough: bool = False
    """Whether the service has been healthy since Watchtower's response for as long as an unproven build needs."""
    claim_held: bool = False
    """Whether Watchtower's summary claims the update, nothing visible speaks against it, and the service has been healthy
    for `stable_for` since."""
    held_after_gap: bool = False
    """Whether a window has held that began after a gap."""
    old_build_stayed: bool = False
    """Whether the old build has been healthy for `stable_for` and `GRACE` since Watchtower's response, without a gap."""
    wrong_build_held: bool = False
    """Whether, in mode verify, a window of another build than the declared one has held."""
    registry_unchanged: bool = False
    """Whether, with nothing declared, what the tag points at ran before the trigger and runs on after the response."""

    unobservable: bool = False
    """Whether nothing shows what runs: no address leads to it, and no endpoint lists its container."""
    condition: Condition | None = None
    """What the service's last response is: the worse one of health and version. None where nothing ever came back."""
    blocked: bool = False
    """Whether that condition stands in front of the service for certain: waiting does not move it."""
    throttled_past_deadline: bool = False
    """Whether the service asks to wait until after the deadline."""
    starved: bool = False
    """Whether the service, or the window under way, could not be watched, since `request-rate` left too few requests."""
    gap_seen: bool = False
    build: Build = Build.UNKNOWN
    """The build of the last response that shows one."""
    version_cached: bool = False
    """Whether the last response of the address that names the version came out of a cache."""
    new_build_seen: bool = False
    window_broke: bool = False
    """Whether a window of the new build broke."""
    broke_late: bool = False
    """Whether one broke after the deadline."""
    flapping: bool = False
    """Whether so many of them broke that waiting for another is pointless."""
    builds_visible: bool = False
    """Whether a build name, a running digest or a start time distinguishes builds or processes."""
    digest_reported: bool = False
    digests_differ: bool = False
    """Whether containers that count run different digests."""
    old_digest_runs: bool = False
    """Whether the image from before still runs, as last reported."""
    reverted: bool = False
    """Whether other evidence, such as the OpenAPI document, had changed, and is as before again."""

    branch: "Standing | None" = None
    """Where production stands beside its branch; None where no branch is declared, or GitHub was not asked yet."""

    checking: bool = False
    """Whether checks of the build in the open window are still to be made."""
    checked: bool = True
    """Whether all checks are made, and the service was looked at after them."""
    check_failure: Reason | None = None
    """The first kind of check that failed; a check that was not made has failed."""

    @property
    def declared(self) -> bool:
        """Whether the inputs say what must be live."""
        return self.version_declared or self.digest_declared

    @property
    def held_proof(self) -> Proof:
        """The strongest proof that a window of the right build is."""
        if self.digest_declared:
            return Proof.DIGEST
        if self.version_declared:
            return Proof.VERSION
        return Proof.NONE if self.inspecting else Proof.CHANGE

    @property
    def inspecting(self) -> bool:
        """Whether every build that is healthy will do, or none but the declared one, and there was none before."""
        return self.verifying and not self.awaiting

    @property
    def healthy(self) -> bool:
        """Whether the last responses were good ones."""
        return self.condition is Condition.HEALTHY

    @property
    def old_build_back(self) -> bool:
        """Whether the build from before responds again after a new one did, by its name, its digest or other evidence."""
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
        """Whether a failure that Watchtower reports outweighs a change: always where nothing is declared."""
        if self.declared or self.answer is None:
            return False
        failed = self.answer.counts is not None and self.answer.counts.failed > 0
        return failed or self.answer.result in (Result.FAILED, Result.BLOCKED)
