"""The verdict: a total function of what is known when the run stops."""

from dataclasses import dataclass

from redeploy.decision.facts import Situation
from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.settings.plan import Mode
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Proof, Reason, Verdict, exit_code


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


ILLNESS = {
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


def conclude(known: Situation) -> Conclusion:
    """Return the one verdict of a situation. Rows in the order in which they decide."""
    if known.not_started:
        return Conclusion(Verdict.NOT_STARTED, known.not_started)
    if known.refusal:
        return Conclusion(Verdict.TRIGGER_FAILED, known.refusal)
    if known.turned_away and not (known.held and known.checked):
        return Conclusion(Verdict.UNHEALTHY, Reason.THROTTLED)
    if known.mode is Mode.VERIFY:
        return _verified(known)
    if known.held and not known.overruled:
        return _proven(known, Verdict.ALREADY_CURRENT if known.met_before else Verdict.DEPLOYED, known.held_proof)
    if failure := _failure_that_watchtower_told(known):
        return Conclusion(Verdict.TRIGGER_FAILED, failure)
    old_told = known.digest_old or known.contract_old
    old_again = known.build is Build.OLD or (old_told and known.build is not Build.NEW)
    if known.new_seen and known.healthy and old_again:
        return Conclusion(Verdict.STALE, Reason.OLD_BUILD)
    if known.flapping or known.broke_late:
        return Conclusion(Verdict.UNHEALTHY, Reason.FLAPPING)
    if not known.declared and known.claim_held:
        return _proven(known, Verdict.DEPLOYED, Proof.CLAIM)
    if not known.declared and not known.new_seen and (known.well_enough or known.held_after_gap):
        return _proven(known, Verdict.UNPROVEN, Proof.NONE)
    return _unfinished(known)


def _proven(known: Situation, verdict: Verdict, proof: Proof) -> Conclusion:
    """Weigh a healthy service's proof against the one that is required, once its checks have passed."""
    if known.check_failure:
        return Conclusion(Verdict.CHECKS_FAILED, known.check_failure, proof)
    suffices = proof >= known.require_proof
    if verdict is Verdict.UNPROVEN:
        nothing = known.answer is not None and known.answer.result is Result.NOTHING
        if nothing and known.current and suffices:
            return Conclusion(Verdict.ALREADY_CURRENT)
        seen = Reason.NO_CHANGE if known.visible else Reason.NO_IDENTITY
        return Conclusion(verdict, Reason.NOTHING_TO_DO if nothing else seen, proof, suffices)
    return (
        Conclusion(verdict, Reason.NONE, proof)
        if suffices
        else Conclusion(Verdict.UNPROVEN, Reason.WEAK_PROOF, proof, suffices)
    )


def _verified(known: Situation) -> Conclusion:
    if known.held:
        return _proven(known, Verdict.VERIFIED, known.held_proof)
    steady = known.healthy and known.declared and not known.wanted_under_way and not known.window_broke
    if known.wrong_held or (known.late and steady):
        return Conclusion(Verdict.WRONG_BUILD, _mismatch(known))
    return _unhealthy(known)


def _failure_that_watchtower_told(known: Situation) -> Reason | None:
    """Return the failure that Watchtower reports, which is believed unless a declared expectation is met."""
    answer = known.answer
    if answer is None or answer.lost:
        nothing_seen = not known.gap_seen and not known.new_seen
        return Reason.NO_ANSWER if nothing_seen and not known.declared else None
    if answer.result is Result.FAILED or (answer.counts is not None and answer.counts.failed):
        return Reason.UPDATE_FAILED
    if answer.result is Result.BLOCKED:
        return Reason.UPDATE_BLOCKED
    return Reason.NOTHING_SCANNED if answer.scanned_nothing else None


def _unfinished(known: Situation) -> Conclusion:
    """Judge where the table names no verdict."""
    by_digest = known.digest_declared and not known.version_declared and bool(known.digest)
    old = known.digest_old if by_digest else known.build is Build.OLD
    if known.healthy and old:
        return Conclusion(Verdict.STALE, Reason.OLD_BUILD)
    if known.window_broke:
        return Conclusion(Verdict.UNHEALTHY, Reason.FLAPPING)
    if known.healthy and known.declared and not known.wanted_under_way:
        return Conclusion(Verdict.WRONG_BUILD, _mismatch(known))
    return _unhealthy(known)


def _mismatch(known: Situation) -> Reason:
    """Say what is not as declared: the version first, then the digest."""
    if known.version_declared and known.build is not Build.NEW:
        return Reason.WRONG_VERSION if known.build in (Build.OTHER, Build.OLD) else Reason.VERSION_UNAVAILABLE
    if known.digest_declared:
        return Reason.WRONG_DIGEST if known.digest or known.digests_differ else Reason.DIGEST_UNAVAILABLE
    return Reason.VERSION_UNAVAILABLE


def _unhealthy(known: Situation) -> Conclusion:
    if known.walled or not known.window_broke:
        return Conclusion(
            Verdict.UNHEALTHY,
            ILLNESS[known.ill or known.walled or (Condition.HEALTHY if known.healthy else Condition.DOWN)],
        )
    return Conclusion(Verdict.UNHEALTHY, Reason.FLAPPING)
