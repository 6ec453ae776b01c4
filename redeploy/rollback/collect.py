"""The outcome of a run with a rollback: one outcome from two rollouts."""

from collections.abc import Sequence
from dataclasses import replace

from redeploy.decision.verdict import Conclusion
from redeploy.registry.image import Image
from redeploy.report.collect import moments, outcome_of
from redeploy.report.outcome import Outcome, RollbackResult, State
from redeploy.report.service_now import before_build
from redeploy.report.timeline import Stretch, stretches
from redeploy.report.wording import happened
from redeploy.rollback.attempt import Attempt
from redeploy.rollback.policy import PROVEN, proves
from redeploy.rollout.previous.build_before import impossible
from redeploy.rollout.service_state import ServiceState
from redeploy.service.gaps import downtime, gaps
from redeploy.service.identity import Build
from redeploy.service.sample import Sample
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof, Reason, Verdict

_UNPROVEN = Conclusion(Verdict.UNPROVEN, Reason.WEAK_PROOF, Proof.NONE, proof_suffices=False)
"""How mode rollback ends if the service is healthy, but nothing proves that the image that was put back is live."""
_OUT_OF_REACH = (
    "Watchtower lists only containers that run, so it does not reach one that restarts over and over, or was only created. "
    "With `WATCHTOWER_INCLUDE_RESTARTING` set to `true` on the server it reaches the first kind."
)
_NO_PROOF = (
    "the build of that image is not proven live. The service is healthy, but only a running digest, or a version that the "
    "other build does not have, would show which of them is live."
)


def untried(deploy: Outcome, state: ServiceState, why: str) -> Outcome:
    """Return the outcome of a deploy without a rollback, with the reason, or with a warning if none was possible."""
    if deploy.conclusion.exit_code:
        return replace(deploy, rollback=RollbackResult(state=State.NOT_TRIED, why=why))
    warning = impossible(state)
    return replace(deploy, warnings=(*deploy.warnings, warning)) if warning else deploy


def of_mode(attempt: Attempt, conclusion: Conclusion, now: float) -> Outcome:
    """Return the outcome of mode rollback, whether it finished or was cut short."""
    state = attempt.state or attempt.first
    if conclusion.verdict is Verdict.UNPROVEN or (attempt.lost and conclusion.verdict in PROVEN):
        conclusion = replace(_UNPROVEN, proof=conclusion.proof)
    outcome = outcome_of(state, conclusion, now)
    started = state.started
    return replace(outcome, rollback=_rolled(attempt, conclusion, outcome, started))


def cut_short(attempt: Attempt, conclusion: Conclusion, now: float) -> Outcome:
    """Return the outcome of a rollback that was cut short."""
    if attempt.deploy is None:
        return of_mode(attempt, conclusion, now)
    return _joined(attempt.deploy, attempt, conclusion, conclusion, now)


def mended(deploy: Outcome, attempt: Attempt, back: Conclusion | None, now: float) -> Outcome:
    """Return the outcome of a failed deploy and its rollback; `back` is how the proof ended."""
    proven = back is not None and proves(back, attempt.lost)
    verdict = Verdict.ROLLED_BACK if proven else Verdict.ROLLBACK_FAILED
    proof = back.proof if back is not None and proven else deploy.conclusion.proof
    return _joined(deploy, attempt, Conclusion(verdict, deploy.conclusion.reason, proof), back, now)


def _joined(deploy: Outcome, attempt: Attempt, conclusion: Conclusion, back: Conclusion | None, now: float) -> Outcome:
    """Return both as one: what is live is the rollback's, why it failed the deploy's, the course that of both."""
    first, second = attempt.first, attempt.state
    started = first.started
    if second is None:
        rolled = _rolled(attempt, back, None, started)
        return replace(deploy, conclusion=conclusion, rollback=replace(rolled, deploy=deploy), ended=now - started)
    proof = outcome_of(second, back or conclusion, now)
    shift = second.started - started
    later = [each for each in (*second.baseline, *second.samples) if each.sent >= second.began]
    found = gaps(first.baseline, [*first.samples, *later], started)
    course = [each for each in moments(first, found, started, None, now) if each[1] != "end"]
    course += [(attempt.ended - started, "the tag was put back")] if attempt.moved and attempt.ended else []
    course += [
        (at + shift, "trigger sent again" if what == "trigger sent" else what)
        for at, what in proof.moments
        if "gap" not in what and "after it" not in what
    ]
    stable = (proof.stable[0] + shift, proof.stable[1] + shift) if proof.stable else None
    return replace(
        deploy,
        conclusion=conclusion,
        version=proof.version or deploy.version,
        digest=proof.digest,
        rollout_seconds=None,
        downtime_seconds=downtime(found),
        moments=sorted(course, key=lambda moment: moment[0]),
        stretches=_stretches(first, second, later, held=started + stable[0] if stable else now, now=now),
        stable=stable,
        ended=now - started,
        looks=deploy.looks + len(later),
        service_now=proof.service_now,
        down=proof.down,
        rollback=replace(_rolled(attempt, back, proof, started), deploy=replace(deploy, service_now="")),
    )


def by_hand(image: Image, digest: str, *, settled: bool) -> str:
    """Return the commands that put an image back without Watchtower, in Markdown.

    `imagetools create` would wrap a manifest that is no index in one, and so give it another digest. Without
    `--force-recreate`, Compose would take the failed container for the right one: Watchtower has copied the label from the
    one before, which says of what image Compose made that.
    """
    follow = (
        "# your-service is the name in the compose file\n"
        "docker compose pull your-service\ndocker compose up -d --force-recreate your-service"
    )
    if settled:
        return f"The tag is right already, so on the server:\n\n```sh\n{follow}\n```"
    look = "" if digest else f"# on the server: which images it still has\ndocker image ls --digests {image.name}\n"
    retag = (
        f"docker buildx imagetools create --prefer-index=false \\\n  --tag {image.under(image.tag)} \\\n  "
        f"{image.name}@{digest or 'sha256:...'}"
    )
    return f"Once you know that the tag may be moved:\n\n```sh\n{look}{retag}\n# on the server\n{follow}\n```"


def _rolled(attempt: Attempt, back: Conclusion | None, proof: Outcome | None, started: float) -> RollbackResult:
    state, why = _state(attempt, back, proof)
    put = None
    if attempt.settled and attempt.began is not None and attempt.ended is not None:
        put = (attempt.began - started, attempt.ended - started)
    second = attempt.state
    triggered = None
    if second is not None and second.triggered is not None:
        answered = second.answered - started if second.answered is not None else None
        triggered = (second.triggered - started, answered)
    if state is State.FAILED and proof is not None and attempt.mends:
        why += " " + happened(replace(proof, service_now="", last_seen=""), brief=True)
    if state is State.FAILED and proof is not None and _out_of_reach(proof):
        why += f" {_OUT_OF_REACH}"
    if state is State.FAILED and second is not None and _replaced_what_was_right(attempt, second):
        why += (
            " It ran already before Watchtower was triggered. Where the registry has the digest that runs, Watchtower pulls "
            "nothing and starts what the tag names on the server, and that is another image there: run "
            f"{code(f'docker pull {attempt.image.under(attempt.image.tag)}')} on the server, then try again."
        )
    failed = attempt.deploy.digest or attempt.deploy.image_digest if attempt.deploy else ""
    settled = attempt.settled and (back is None or back.reason is not Reason.IMAGE_MISSING)  # somebody pushed since
    helpless = state is State.FAILED or (state is State.REFUSED and attempt.mends)
    return RollbackResult(
        state=state,
        why=why,
        fix=attempt.fix,
        tag=str(attempt.image.under(attempt.image.tag)),
        target=attempt.digest,
        source=attempt.target.source,
        failed=str(attempt.image.at(failed)) if failed not in ("", attempt.digest) else "",
        tag_moved=attempt.moved,
        put=put,
        triggered=triggered,
        watchtower_result=proof.watchtower_result if proof else "none",
        watchtower_said=proof.watchtower_said if proof else "",
        proof=back.proof.word if back else "none",
        replaced=back is not None and back.verdict is Verdict.DEPLOYED,
        evidence=proof.evidence if proof and attempt.mends else (),
        by_hand=by_hand(attempt.image, "" if attempt.unfit else attempt.digest, settled=settled) if helpless else "",
    )


def _state(attempt: Attempt, back: Conclusion | None, proof: Outcome | None) -> tuple[State, str]:
    """Return how far it came, and why no further."""
    if attempt.stopped:
        return State.REFUSED, attempt.stopped
    cut = back is None or back.verdict in (Verdict.CANCELLED, Verdict.INTERNAL_ERROR)
    if cut and not attempt.settled:
        tag = code(attempt.image.tag)
        return State.CUT_SHORT, f"{tag} may have been moved" if attempt.writing else f"{tag} was not moved"
    if cut:
        return State.CUT_SHORT, ""
    if attempt.lost:
        return State.FAILED, f"{attempt.lost}."
    if proves(back):
        return State.PROVEN, ""
    if back is not None and back.verdict is Verdict.UNPROVEN:
        return State.FAILED, _NO_PROOF
    if back is not None and back.verdict is Verdict.CHECKS_FAILED and attempt.mends and proof is not None:
        again = ", ".join(code(each.check) for each in proof.checked.failed)
        return State.FAILED, f"the checks that failed the deploy fail on the live build, too: {again}."
    if back is not None and back.verdict is Verdict.STALE and attempt.mends:
        return State.FAILED, "the failed build is still live."
    named = code(back.reason or back.verdict) if back else ""
    return State.FAILED, f"the build of that image is not proven live ({named})."


def _replaced_what_was_right(attempt: Attempt, proof: ServiceState) -> bool:
    """Tell whether what was put back ran before the second trigger, and another build does since."""
    running = proof.running
    ran = running.kin.same(running.before, attempt.digest)
    other = ran and bool(running.looks_since) and not running.is_of(attempt.digest)
    named = proof.met_before and proof.history.build in (Build.OTHER, Build.UNNAMED)
    return other or named


def _out_of_reach(proof: Outcome) -> bool:
    """Tell whether Watchtower most likely did not see the container that was to be replaced."""
    unseen = proof.conclusion.reason is Reason.NOTHING_SCANNED
    silent = proof.conclusion.reason is Reason.DOWN and proof.watchtower_result in ("accepted", "unknown")
    return unseen or silent


def _stretches(
    first: ServiceState, second: ServiceState, later: Sequence[Sample], *, held: float, now: float
) -> tuple[Stretch, ...]:
    """Return who answered from when to when, in the deploy's terms: the old build is the one that is put back.

    `later` are the second watch's samples; from `held` on, a window of what was put back held.
    """
    started = first.started
    failed = first.history.build if first.history.build in (Build.OTHER, Build.UNNAMED) else Build.NEW
    terms = {Build.NEW: Build.OLD, Build.OLD: failed}
    telling = [each for each in first.baseline if not each.condition.tells_nothing]
    seen = first.record.builds
    for sample, told in second.record.builds:
        if later and sample.at >= later[0].at:
            whose = Build.NEW if sample.at >= held else told
            seen.append((sample, terms.get(whose, whose)))
    found = stretches(telling[-1] if telling else None, seen, started, now, whose=before_build(first))
    return tuple(replace(each, begin=each.begin - started, end=each.end - started) for each in found)
