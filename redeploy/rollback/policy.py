"""Whether a failed deploy can be rolled back, to which image, and what proves it. Nothing is written here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from redeploy.contract.reference import Reference
from redeploy.contract.settings import Breaking, Checks
from redeploy.decision.verdict import Conclusion
from redeploy.rollout.assess import Assessment
from redeploy.rollout.checks import Checking
from redeploy.rollout.service_state import ServiceState
from redeploy.service.build_fields import names_nothing
from redeploy.service.endpoint import Endpoint
from redeploy.service.identity import Build
from redeploy.settings.plan import Mode, OnFailure, Plan
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Proof, Reason, Verdict

FIXABLE: Mapping[Verdict, frozenset[Reason]] = {
    Verdict.TRIGGER_FAILED: frozenset({Reason.UPDATE_FAILED}),
    Verdict.WRONG_BUILD: frozenset({Reason.WRONG_VERSION, Reason.WRONG_DIGEST, Reason.VERSION_UNAVAILABLE}),
    Verdict.UNHEALTHY: frozenset({Reason.NEVER_READY, Reason.FLAPPING, Reason.DOWN, Reason.HTML}),
    Verdict.CHECKS_FAILED: frozenset({Reason.OPENAPI, Reason.ROUTES, Reason.BREAKING_CHANGE, Reason.SMOKE}),
}
"""Failures that another image can fix."""

_BEYOND: Mapping[Verdict | Reason, str] = {
    Reason.THROTTLED: "too few requests got through to know whether the live build is bad",
    Verdict.UNPROVEN: "the service is healthy, and nothing shows that the live build is bad",
    Verdict.NOT_STARTED: "nothing was triggered",
    Verdict.TRIGGER_FAILED: "Watchtower did not replace the container",
    Verdict.STALE: "the previous build is live",
    Verdict.WRONG_BUILD: "Watchtower does not report which image runs, and would not after a rollback either",
    Verdict.UNHEALTHY: "the responses come from something in front of the service, which another image does not change",
    Verdict.CHECKS_FAILED: "the new build is live, and a rollback would be one more interruption",
    Verdict.INVALID_CONFIG: "nothing was triggered",
    Verdict.CANCELLED: "the run was cancelled",
    Verdict.INTERNAL_ERROR: "it is not known how the deploy ended",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a failed deploy has shown, as far as a rollback depends on it."""

    replaced: bool
    """Whether another build is running than before, or the previous container is gone."""
    unhealthy_before: bool = False
    """Whether the service was seen before the trigger, and was not healthy."""
    document_before: bool = True
    """Whether there was an OpenAPI document before the trigger."""
    named: bool = False
    """Whether `rollback-to` names the image to put back."""

    @classmethod
    def of(cls, state: ServiceState, now: float) -> "Seen":
        """Return it from the state at the end of the deploy."""
        health = [each for each in state.baseline if Endpoint.HEALTH in each.endpoints]
        conclusive = [each for each in health if not each.condition.is_inconclusive]
        return cls(
            replaced=_replaced(state, now),
            unhealthy_before=bool(conclusive) and not conclusive[-1].healthy,
            document_before=state.checking.before is not None,
            named=bool(state.plan.rollback_to),
        )


def _replaced(state: ServiceState, now: float) -> bool:
    """Return whether the container was replaced: by the builds that were seen, otherwise by what Watchtower reports."""
    assessed, history = Assessment(state), state.history
    known = assessed.facts(now)
    differs = bool(state.running.before and state.running.now and not known.old_digest_runs)
    named_before = any(not names_nothing(name) for names in state.record.before.names.values() for name in names)
    other = named_before and history.build in (Build.OTHER, Build.UNNAMED)
    if differs or other or bool(history.like.changed) or (known.new_build_seen and not known.live_before):
        return True
    if known.old_digest_runs or (known.healthy and history.build is Build.OLD):
        return False
    result = state.answer.result if state.answer else Result.UNKNOWN
    updated = result in (Result.UPDATED, Result.PARTIAL, Result.ACCEPTED)
    return updated or (not known.healthy and result not in (Result.NOTHING, Result.BLOCKED))


def hindrance(conclusion: Conclusion, seen: Seen) -> str:
    """Return why a rollback would not help against this failure; empty if it would."""
    verdict, reason = conclusion.verdict, conclusion.reason
    if not conclusion.exit_code:
        return "nothing failed"
    if reason not in FIXABLE.get(verdict, ()):
        return _BEYOND.get(reason) or _BEYOND.get(verdict, "another image would not help")
    if not seen.replaced:
        return "nothing shows that the container was replaced"
    if seen.unhealthy_before and not seen.named:
        return "the service was not healthy before the trigger either; name a healthy image with `rollback-to`"
    if reason is Reason.OPENAPI and not seen.document_before:
        return "there was no OpenAPI document before the trigger either"
    return ""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """What a tag points to, as digests; empty if it is not known."""

    before: str = ""
    """Before the trigger."""
    running: str = ""
    """The running digest, if Watchtower reports it."""
    now: str = ""
    """Just before the write."""
    holds: frozenset[str] = frozenset()
    """The digests of the platforms in the tag's index."""


PROVEN = (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT)
"""Verdicts that prove the image that was put back."""


def proves(back: Conclusion | None, lost: str = "") -> bool:
    """Return whether the image that was put back is proven live, by digest or version; `lost`: why that does not count."""
    return back is not None and back.verdict in PROVEN and back.proof >= Proof.VERSION and not lost


def refusal(target: str, tag: Tag, failed: Collection[str]) -> str:
    """Return why the tag may not be moved to `target`; empty if it may, or points there already.

    A failed image is never put back, and another push is never overwritten: a tag that has changed, or was never seen, is
    not touched. An index that shares a platform with the previous one is another push.
    """
    if target in failed:
        return "the image to put back is the one that failed"
    if target in (tag.now, *tag.holds):
        return ""
    expected = tag.before or tag.running
    if not expected:
        return "it is not known where the tag pointed before, so another push may have moved it since"
    return "" if expected == tag.now else "another push moved the tag meanwhile"


def plan_back(plan: Plan, target: str, version: str, *, digests_reported: bool, checks: Checks) -> Plan:
    """Return the plan that proves the image that was put back, by its digest or its version only.

    Args:
        plan: the run's own plan.
        target: the digest that was put back.
        version: the version that must be live then; empty if none is known.
        digests_reported: whether the containers endpoint reports running digests.
        checks: the checks that the build must pass.
    """
    return replace(
        plan,
        mode=Mode.ROLLBACK,
        on_failure=OnFailure.KEEP,
        checks=checks,
        expect_digest=target if digests_reported else "",
        expect_version=version,
        version_of_image=plan.version_of_image and plan.mode is Mode.ROLLBACK,
        max_downtime=None,
        require_proof=max(Proof.VERSION, plan.require_proof if plan.mode is Mode.ROLLBACK else Proof.NONE),
    )


def checks_again(checking: Checking) -> Checks:
    """Return the failed checks, to be repeated on the build that was put back.

    A request that is not safe to send twice is not sent again. Removed operations are searched as before: compared with
    the reference, or with the document that was live before the trigger.
    """
    plan, failed = checking.plan, {each.check for each in checking.findings() if each.failed}
    kinds = {each.kind for each in checking.findings() if each.failed}
    gone = Reason.BREAKING_CHANGE in kinds
    from_before = Reference("the document from before", checking.before, {}) if checking.before is not None else None
    return Checks(
        document_url=plan.document_url if kinds else None,
        document_needed=Reason.OPENAPI in kinds,
        required=tuple(each for each in plan.required if f"required-route {each}" in failed),
        forbidden=tuple(each for each in plan.forbidden if f"forbidden-route {each}" in failed),
        reference=(plan.reference or from_before) if gone else None,
        breaking=Breaking.FAIL if gone else Breaking.IGNORE,
        smoke=tuple(each for each in plan.smoke if each.safe and f"smoke {each}" in failed),
    )


def checks_of_mode(checks: Checks) -> Checks:
    """Return the checks of mode rollback: a previous build may lack operations, which is not worth a warning."""
    return checks if checks.reference is not None else replace(checks, breaking=Breaking.IGNORE)
