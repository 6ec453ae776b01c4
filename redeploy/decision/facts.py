"""All that is known at one moment, as one value: the stop rules and the verdict are decided from it."""

from dataclasses import dataclass

from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.settings.plan import Mode
from redeploy.triggers.trigger import Answer, Result
from redeploy.verdicts import Proof, Reason


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known. Times are monotonic seconds."""

    mode: Mode
    now: float
    deadline: float
    stable_for: float
    version_declared: bool
    digest_declared: bool
    require_proof: Proof = Proof.NONE

    answer: Answer | None = None
    """Watchtower's last answer; None as long as none came."""
    answered_at: float | None = None
    answer_final: bool = False
    """Whether it stands: it will not be asked for again."""
    refusal: Reason | None = None
    """Why the trigger was refused, or given up, for good."""
    not_started: Reason | None = None
    """Why nothing was triggered."""

    met_before: bool = False
    """Whether what is declared was live before the trigger."""
    held: bool = False
    """Whether a window of what is expected has held: of what is declared or, where nothing is, of a changed build."""
    held_proof: Proof = Proof.NONE
    """The strongest proof that this window has."""
    confirmed: bool = False
    """Whether a sample of that window was asked for after Watchtower's answer."""
    window_began: float | None = None
    """When the window under way, of whatever build, began; None where there is none."""
    patience_ends: float = float("inf")
    """When a window that began before the deadline has had all the time that it may have."""
    right_build_under_way: bool = False
    """Whether that one is of what is expected."""
    healthy_long_enough: bool = False
    """Whether good answers since Watchtower's suffice where nothing tells builds apart."""
    registry_unchanged: bool = False
    """Whether, with nothing declared, the registry and the containers endpoint tell that there was nothing to deploy."""
    claim_held: bool = False
    """Whether Watchtower's summary claims the update, nothing visible speaks against it, and the service has been healthy
    for `stable-for` since."""
    gap_seen: bool = False
    held_after_gap: bool = False
    new_build_seen: bool = False
    build: Build = Build.UNKNOWN
    """Whose answer the last telling one was."""
    healthy: bool = False
    """Whether the last answers were good ones."""
    unhealthy_condition: Condition | None = None
    """What was wrong with the last answer that was not a good one, if no better came since."""
    window_broke: bool = False
    """Whether a window of the new build broke."""
    broke_late: bool = False
    """Whether one broke after the deadline, and not by the old build."""
    flapping: bool = False
    throttled_past_deadline: bool = False
    """Whether the service asked for a wait that reaches beyond the deadline."""
    blocked_by: Condition | None = None
    visible: bool = False
    """Whether a build name, a running digest or a start time tells builds or processes apart."""
    wrong_build_held: bool = False
    """Whether a window of a build that is not what is declared has held (mode verify)."""
    digest: str = ""
    """The running digest as last told; empty where it is not told."""
    digests_differ: bool = False
    """Whether containers that count run different digests."""
    old_digest_runs: bool = False
    """Whether the digest from before still runs."""

    old_contract_back: bool = False
    """Whether the contract had changed, and is again the one from before."""
    checking: bool = False
    """Whether checks of the build in the window under way are still to be made."""
    checked: bool = True
    """Whether all of them are made, and the service was looked at after them."""
    check_failure: Reason | None = None
    """The first kind of check that failed; one that was not made counts as failed."""

    @property
    def declared(self) -> bool:
        """Whether the inputs say what must be live."""
        return self.version_declared or self.digest_declared

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self.now >= self.deadline

    @property
    def answer_lost(self) -> bool:
        """Whether Watchtower's answer was lost, or never came."""
        return self.answer is None or self.answer.lost

    @property
    def watchtower_failure_wins(self) -> bool:
        """Whether Watchtower's word of a failure outweighs a change: always where nothing is declared."""
        if self.declared or self.answer is None:
            return False
        failed = self.answer.counts is not None and self.answer.counts.failed > 0
        return failed or self.answer.result in (Result.FAILED, Result.BLOCKED)
