"""The verdict: a total function of the facts when the run stops."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redeploy.decision.facts import Facts
from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Proof, Reason, Verdict, exit_code

if TYPE_CHECKING:
    from redeploy.branch.standing import Standing


@dataclass(frozen=True)
class Conclusion:
    """How the run ends, why, and the strongest proof that was found."""

    verdict: Verdict
    reason: Reason = Reason.NONE
    proof: Proof = Proof.NONE
    proof_suffices: bool = True
    signal: int = 0
    """The signal that cancelled the run."""

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        return exit_code(self.verdict, proof_suffices=self.proof_suffices, signal=self.signal)


UNHEALTHY_REASONS = {
    Condition.NOT_READY: Reason.NEVER_READY,
    Condition.DOWN: Reason.DOWN,
    Condition.HTML: Reason.HTML,
    Condition.REDIRECT: Reason.REDIRECT,
    Condition.ACCESS_WALL: Reason.ACCESS_WALL,
    Condition.CHALLENGE: Reason.CHALLENGE,
    Condition.TLS: Reason.TLS,
    Condition.CACHED: Reason.CACHED,
    Condition.THROTTLED: Reason.THROTTLED,
    Condition.HEALTHY: Reason.FLAPPING,
}


def conclude(facts: Facts) -> Conclusion:
    """Return the verdict that follows from the facts. The first condition that holds decides."""
    if facts.not_started:
        return Conclusion(Verdict.NOT_STARTED, facts.not_started)
    if facts.refusal:
        return Conclusion(Verdict.TRIGGER_FAILED, facts.refusal)
    if facts.unobservable and (facts.verifying or facts.answer_final):
        failure = None if facts.verifying else _failure_that_watchtower_reports(facts)
        return Conclusion(Verdict.TRIGGER_FAILED, failure) if failure else _proven(facts, Verdict.UNPROVEN, Proof.NONE)
    if facts.throttled_past_deadline and not (facts.held and facts.checked and (facts.confirmed or facts.verifying)):
        return Conclusion(Verdict.UNHEALTHY, Reason.THROTTLED)
    if facts.awaiting:
        return _awaited(facts)
    if facts.verifying:
        return _verified(facts)
    if facts.held and not facts.watchtower_failure_wins:
        return _proven(facts, Verdict.ALREADY_CURRENT if facts.live_before else Verdict.DEPLOYED, facts.held_proof)
    if failure := _failure_that_watchtower_reports(facts):
        return Conclusion(Verdict.TRIGGER_FAILED, failure)
    if facts.old_build_back:
        return Conclusion(Verdict.STALE, Reason.OLD_BUILD)
    if facts.flapping or facts.broke_late:
        return Conclusion(Verdict.UNHEALTHY, Reason.FLAPPING)
    if not facts.declared and facts.claim_held:
        return _proven(facts, Verdict.DEPLOYED, Proof.CLAIM)
    if not facts.declared and not facts.new_build_seen and (facts.healthy_long_enough or facts.held_after_gap):
        return _proven(facts, Verdict.UNPROVEN, Proof.NONE)
    return _unfinished(facts)


def _proven(facts: Facts, verdict: Verdict, proof: Proof) -> Conclusion:
    """Compare the proof for a healthy service with the required one, after its checks have passed."""
    if facts.check_failure:
        return Conclusion(Verdict.CHECKS_FAILED, facts.check_failure, proof)
    suffices = proof >= facts.require_proof
    if verdict is Verdict.UNPROVEN:
        nothing = facts.answer is not None and facts.answer.result is Result.NOTHING
        if nothing and facts.registry_unchanged and suffices:
            return Conclusion(Verdict.ALREADY_CURRENT)
        seen = Reason.NO_CHANGE if facts.builds_visible else Reason.NO_IDENTITY
        if facts.awaiting and not facts.referenced:
            seen = Reason.NO_REFERENCE
        return Conclusion(verdict, Reason.NOTHING_TO_DO if nothing else seen, proof, suffices)
    return (
        Conclusion(verdict, Reason.NONE, proof)
        if suffices
        else Conclusion(Verdict.UNPROVEN, Reason.WEAK_PROOF, proof, suffices)
    )


def _verified(facts: Facts) -> Conclusion:
    if facts.held:
        if facts.branch is not None:
            return _beside_branch(facts, facts.branch)
        return _proven(facts, Verdict.VERIFIED, facts.held_proof)
    steady = facts.healthy and facts.declared and not facts.right_build_under_way and not facts.window_broke
    if facts.wrong_build_held or (facts.late and steady):
        return _not_as_declared(facts)
    return _unhealthy(facts)


def _beside_branch(facts: Facts, standing: "Standing") -> Conclusion:
    """Judge a healthy build by its position on the branch; if GitHub could not be asked, that is never an alarm."""
    from redeploy.branch.standing import Standing  # few runs name a branch

    match standing:
        case Standing.BEHIND:
            return Conclusion(Verdict.STALE, Reason.BEHIND)
        case Standing.ELSEWHERE:
            return Conclusion(Verdict.WRONG_BUILD, Reason.WRONG_VERSION)
        case Standing.UNNAMED:
            return Conclusion(Verdict.WRONG_BUILD, Reason.VERSION_UNAVAILABLE)
        case Standing.UNKNOWN if not facts.check_failure:
            proof = facts.held_proof
            return Conclusion(Verdict.UNPROVEN, Reason.NO_REFERENCE, proof, proof >= facts.require_proof)
    return _proven(facts, Verdict.VERIFIED, max(Proof.VERSION, facts.held_proof))


def _awaited(facts: Facts) -> Conclusion:
    """Judge a deploy by another tool."""
    if facts.held:
        return _proven(facts, Verdict.VERIFIED, facts.held_proof)
    if facts.old_build_back:
        return Conclusion(Verdict.STALE, Reason.OLD_BUILD)
    if facts.flapping or facts.broke_late:
        return Conclusion(Verdict.UNHEALTHY, Reason.FLAPPING)
    if not facts.declared and not facts.new_build_seen and facts.healthy_long_enough:
        return _proven(facts, Verdict.UNPROVEN, Proof.NONE)
    return _unfinished(facts)


def _failure_that_watchtower_reports(facts: Facts) -> Reason | None:
    """Return the failure that Watchtower reports; it counts unless a declared expectation is met."""
    answer = facts.answer
    if answer is None or answer.lost:
        nothing_seen = not facts.gap_seen and not facts.new_build_seen
        return Reason.NO_ANSWER if nothing_seen and not facts.declared else None
    if answer.result is Result.FAILED or (answer.counts is not None and answer.counts.failed):
        return Reason.UPDATE_FAILED
    if answer.result is Result.BLOCKED:
        return Reason.UPDATE_BLOCKED
    return Reason.NOTHING_SCANNED if answer.scanned_nothing else None


def _unfinished(facts: Facts) -> Conclusion:
    """Judge a run that none of the conditions above decides."""
    if facts.starved and not facts.window_broke and not facts.old_build_stayed:
        return _unhealthy(facts)
    by_digest = facts.digest_declared and not facts.version_declared and facts.digest_reported
    old = facts.old_digest_runs if by_digest else facts.build is Build.OLD
    if facts.healthy and old:
        return Conclusion(Verdict.STALE, Reason.OLD_BUILD)
    if facts.window_broke:
        return Conclusion(Verdict.UNHEALTHY, Reason.FLAPPING)
    if facts.healthy and facts.declared and not facts.right_build_under_way:
        return _not_as_declared(facts)
    return _unhealthy(facts)


def _not_as_declared(facts: Facts) -> Conclusion:
    """Judge a healthy service whose build is not the declared one, or is hidden by a cache."""
    if facts.version_declared and facts.version_cached and facts.build is Build.UNKNOWN:
        return Conclusion(Verdict.UNHEALTHY, Reason.CACHED)
    return Conclusion(Verdict.WRONG_BUILD, _mismatch(facts))


def _mismatch(facts: Facts) -> Reason:
    """Say what is not as declared: the version first, then the digest."""
    if facts.version_declared and facts.build is not Build.NEW:
        return Reason.WRONG_VERSION if facts.build in (Build.OTHER, Build.OLD) else Reason.VERSION_UNAVAILABLE
    if facts.digest_declared:
        return Reason.WRONG_DIGEST if facts.digest_reported or facts.digests_differ else Reason.DIGEST_UNAVAILABLE
    return Reason.VERSION_UNAVAILABLE


def _unhealthy(facts: Facts) -> Conclusion:
    flapped = facts.window_broke and not facts.blocked
    if facts.starved and not flapped and not facts.blocked:  # the last response may be long out of date
        return Conclusion(Verdict.UNHEALTHY, Reason.THROTTLED)
    return Conclusion(
        Verdict.UNHEALTHY,
        Reason.FLAPPING if flapped else UNHEALTHY_REASONS[facts.condition or Condition.DOWN],
    )
