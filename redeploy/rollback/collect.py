"""The result of a run with a rollback: one result of two rollouts."""

from collections.abc import Sequence
from dataclasses import replace

from redeploy.decision.verdict import Conclusion
from redeploy.registry.image import Image
from redeploy.report.collect import moments, result_of, since, update_of
from redeploy.report.facts import About
from redeploy.report.results import RollbackResult, RunResult, State, Update
from redeploy.report.service_now import before_build
from redeploy.report.timeline import During, Moment, Span, Stretch, Timeline, What, stretches
from redeploy.report.wording import happened
from redeploy.rollback.attempt import Attempt
from redeploy.rollback.policy import PROVEN, proves
from redeploy.rollout.previous.build_before import impossible
from redeploy.rollout.service_state import ServiceState
from redeploy.service.gaps import Gap, downtime, gaps
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


def untried(deploy: RunResult, state: ServiceState, why: str) -> RunResult:
    """Return the result of a deploy without a rollback, with the reason, or with a warning if none was possible."""
    if deploy.conclusion.exit_code:
        return replace(deploy, rollback=RollbackResult(state=State.NOT_TRIED, why=why))
    return replace(deploy, facts=deploy.facts.plus(About.WARNING, impossible(state)))


def of_mode(attempt: Attempt, conclusion: Conclusion, now: float) -> RunResult:
    """Return the result of mode rollback, whether it finished or was cut short."""
    state = attempt.state or attempt.first
    if conclusion.verdict is Verdict.UNPROVEN or (attempt.lost and conclusion.verdict in PROVEN):
        conclusion = replace(_UNPROVEN, proof=conclusion.proof)
    run, zero = result_of(state, conclusion, now), state.started
    timeline = replace(run.timeline, spans=(*run.timeline.spans, *_putting_back(attempt, zero)))
    return replace(run, timeline=timeline, rollback=_rolled(attempt, conclusion, run, zero))


def cut_short(attempt: Attempt, conclusion: Conclusion, now: float) -> RunResult:
    """Return the result of a rollback that was cut short."""
    if attempt.deploy is None:
        return of_mode(attempt, conclusion, now)
    return _joined(attempt.deploy, attempt, conclusion, conclusion, now)


def of_deploy(deploy: RunResult, attempt: Attempt, back: Conclusion | None, now: float) -> RunResult:
    """Return the result of a failed deploy and its rollback; `back` is how the proof ended."""
    proven = back is not None and proves(back, attempt.lost)
    verdict = Verdict.ROLLED_BACK if proven else Verdict.ROLLBACK_FAILED
    proof = back.proof if back is not None and proven else deploy.conclusion.proof
    return _joined(deploy, attempt, Conclusion(verdict, deploy.conclusion.reason, proof), back, now)


def _joined(
    deploy: RunResult, attempt: Attempt, conclusion: Conclusion, back: Conclusion | None, now: float
) -> RunResult:
    """Return both as one result: what is live from the rollback, why it failed from the deploy, the timeline from both."""
    first, second = attempt.first, attempt.state
    zero, course = first.started, deploy.timeline
    if second is None:
        spans = (*course.spans, *_putting_back(attempt, zero))
        return replace(
            deploy,
            conclusion=conclusion,
            timeline=replace(course, spans=spans, ended=now - zero),
            rollback=replace(_rolled(attempt, back, None, zero), deploy=deploy),
        )
    proof = result_of(second, back or conclusion, now)
    later = [each for each in (*second.baseline, *second.samples) if each.sent >= second.began]
    found = gaps(first.baseline, [*first.samples, *later], zero)
    evidence = proof.facts.of(About.EVIDENCE) if attempt.undoes_deploy else ()
    facts = deploy.facts.without(About.NOW).plus(About.NOW, *proof.facts.of(About.NOW))
    return replace(
        deploy,
        conclusion=conclusion,
        version=replace(deploy.version, live=proof.version.live or deploy.version.live),
        digest=replace(deploy.digest, live=proof.digest.live),
        rollout_seconds=None,
        downtime_seconds=downtime(found),
        timeline=_both(attempt, second, course, proof.timeline, found=found, later=later, now=now),
        looks=deploy.looks + len(later),
        facts=facts.plus(About.EVIDENCE_AFTER, *evidence),
        down=proof.down,
        rollback=replace(_rolled(attempt, back, proof, zero), deploy=deploy),
    )


def _both(
    attempt: Attempt,
    second: ServiceState,
    deploy: Timeline,
    proof: Timeline,
    *,
    found: Sequence[Gap],
    later: Sequence[Sample],
    now: float,
) -> Timeline:
    """Return the timeline of the deploy and its rollback, with the gaps that were `found` in both."""
    first = attempt.first
    zero, shift = first.started, second.started - first.started
    own = [each for each in proof.moments if each.what not in (What.LAST_GOOD, What.GOOD_AGAIN)]
    happened = [*moments(first, found, zero)]
    if attempt.moved and attempt.ended is not None:
        happened.append(Moment(attempt.ended - zero, What.PUT_BACK))
    again = {What.TRIGGERED: What.TRIGGERED_AGAIN}
    happened += [Moment(each.at + shift, again.get(each.what, each.what)) for each in own]
    window = proof.span(During.WINDOW)
    held = [Span(During.WINDOW, window.begin + shift, window.end + shift)] if window else []
    checks = deploy.span(During.CHECKS)
    return Timeline(
        moments=tuple(sorted(happened, key=lambda moment: moment.at)),
        stretches=_stretches(first, second, later, held=zero + held[0].begin if held else now, now=now),
        spans=(*held, *([checks] if checks else []), *_putting_back(attempt, zero)),
        ended=now - zero,
    )


def _putting_back(attempt: Attempt, zero: float) -> list[Span]:
    """Return the time that the work at the registry took, if the tag points to the image after it."""
    if not attempt.settled or attempt.began is None or attempt.ended is None:
        return []
    return [Span(During.PUTTING_BACK, attempt.began - zero, attempt.ended - zero)]


def by_hand(image: Image, digest: str, *, settled: bool) -> str:
    """Return the commands that put an image back without Watchtower, in Markdown.

    By default, `imagetools create` would wrap a single manifest in an index, which has another digest. Without
    `--force-recreate`, Compose would keep the failed container: Watchtower has copied the label by which Compose knows the
    image of the previous one.
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


def _rolled(attempt: Attempt, back: Conclusion | None, proof: RunResult | None, zero: float) -> RollbackResult:
    state, why = _state(attempt, back, proof)
    second = attempt.state
    if state is State.FAILED and proof is not None and attempt.undoes_deploy:
        why += " " + happened(replace(proof, facts=proof.facts.without(About.NOW, About.LAST)), brief=True)
    if state is State.FAILED and proof is not None and _out_of_reach(proof):
        why += f" {_OUT_OF_REACH}"
    if state is State.FAILED and second is not None and _replaced_the_right_one(attempt, second):
        why += (
            " It ran already before Watchtower was triggered. If the registry has the running digest, Watchtower pulls "
            "nothing and starts the image that the tag names on the server, which is another one there: run "
            f"{code(f'docker pull {attempt.image.under(attempt.image.tag)}')} on the server, then try again."
        )
    failed = attempt.deploy.digest.live or attempt.deploy.image.digest if attempt.deploy else ""
    settled = attempt.settled and (back is None or back.reason is not Reason.IMAGE_MISSING)  # there was a push since
    helpless = state is State.FAILED or (state is State.REFUSED and attempt.undoes_deploy)
    return RollbackResult(
        state=state,
        why=why,
        fix=attempt.fix,
        tag=str(attempt.image.under(attempt.image.tag)),
        target=attempt.digest,
        source=attempt.target.source,
        failed=str(attempt.image.at(failed)) if failed not in ("", attempt.digest) else "",
        tag_moved=attempt.moved,
        update=update_of(second, zero) if second else Update(),
        proof=back.proof.word if back else "none",
        replaced=back is not None and back.verdict is Verdict.DEPLOYED,
        by_hand=by_hand(attempt.image, "" if attempt.unfit else attempt.digest, settled=settled) if helpless else "",
    )


def _state(attempt: Attempt, back: Conclusion | None, proof: RunResult | None) -> tuple[State, str]:
    """Return how far the rollback got, and why not further."""
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
    if back is not None and back.verdict is Verdict.CHECKS_FAILED and attempt.undoes_deploy and proof is not None:
        again = ", ".join(code(each.check) for each in proof.checked.failed)
        return State.FAILED, f"the checks that failed the deploy fail on the live build, too: {again}."
    if back is not None and back.verdict is Verdict.STALE and attempt.undoes_deploy:
        return State.FAILED, "the failed build is still live."
    named = code(back.reason or back.verdict) if back else ""
    return State.FAILED, f"the build of that image is not proven live ({named})."


def _replaced_the_right_one(attempt: Attempt, proof: ServiceState) -> bool:
    """Return whether the image that was put back ran before the second trigger, and another one has run since."""
    running = proof.running
    ran = running.manifests.same_image(running.before, attempt.digest)
    other = ran and bool(running.looks_since) and not running.is_of(attempt.digest)
    named = proof.live_before and proof.history.build in (Build.OTHER, Build.UNNAMED)
    return other or named


def _out_of_reach(proof: RunResult) -> bool:
    """Return whether Watchtower probably did not see the container that it should have replaced."""
    unseen = proof.conclusion.reason is Reason.NOTHING_SCANNED
    silent = proof.conclusion.reason is Reason.DOWN and proof.update.result in ("accepted", "unknown")
    return unseen or silent


def _stretches(
    first: ServiceState, second: ServiceState, later: Sequence[Sample], *, held: float, now: float
) -> tuple[Stretch, ...]:
    """Return which build responded from when to when, in the deploy's terms: the old build is the one that is put back.

    `later` are the second state's samples; from `held` on, a window of the build that was put back held.
    """
    failed = first.history.build if first.history.build in (Build.OTHER, Build.UNNAMED) else Build.NEW
    terms = {Build.NEW: Build.OLD, Build.OLD: failed}
    conclusive = [each for each in first.baseline if not each.condition.is_inconclusive]
    seen = first.record.builds
    for sample, build in second.record.builds:
        if later and sample.at >= later[0].at:
            whose = Build.NEW if sample.at >= held else build
            seen.append((sample, terms.get(whose, whose)))
    found = stretches(conclusive[-1] if conclusive else None, seen, first.started, now, whose=before_build(first))
    return since(first.started, found)
