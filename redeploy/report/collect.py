"""From the state of a run to its result."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from redeploy.contract.results import Finding
from redeploy.decision.verdict import Conclusion
from redeploy.http.condition import Condition
from redeploy.http.response import ErrorKind, Response
from redeploy.http.urls import is_loopback, origin_of
from redeploy.remedies.by_sender import remedy_by_sender
from redeploy.remedies.of_requests import of_too_few_requests
from redeploy.remedies.remedy import LOOPBACK, Remedy
from redeploy.remedies.subject import subject_of
from redeploy.report.build_names import version_named
from redeploy.report.check_results import NOTHING_CHECKED, checked, downtime_check, facts_of_checks
from redeploy.report.facts import About
from redeploy.report.results import Change, ImageFound, RunResult, Update
from redeploy.report.seen import seen
from redeploy.report.sentences import facts_of
from redeploy.report.service_now import before_build, last_conclusive, last_responses
from redeploy.report.timeline import During, Moment, Span, Stretch, Timeline, What, renewed, stretches
from redeploy.rollout.assess import Assessment
from redeploy.rollout.service_state import ServiceState
from redeploy.service.gaps import Gap, downtime, gaps
from redeploy.text.untrusted import one_line
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Reason, Verdict

_LIVE = (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT, Verdict.VERIFIED, Verdict.UNPROVEN, Verdict.CHECKS_FAILED)
"""Verdicts about a build that is live and stayed healthy."""


def result_of(state: ServiceState, conclusion: Conclusion, now: float) -> RunResult:
    """Gather the result of a run, whether it finished or was cut short. `now` is in monotonic seconds."""
    plan, assessed, lookup, last = state.plan, Assessment(state), state.lookup, last_conclusive(state)
    running = state.running
    begun, live = state.triggered is not None or state.verifying, conclusion.verdict in _LIVE
    found = gaps(state.baseline, state.samples, state.started) if begun else []
    opened = _opened(state, assessed) if live else None
    timeline = _timeline(state, assessed, found, opened, now, live=live)
    responses = last_responses(state, timeline.stretches)
    facts, results = facts_of(state, conclusion, responses, now), NOTHING_CHECKED
    if live:
        facts += facts_of_checks(state.checking, verifying=state.verifying)
        beside: list[Finding] = []
        if plan.max_downtime is not None:
            check, doubt = downtime_check(found, plan.max_downtime)
            facts, beside = facts.plus(About.WARNING, doubt), [check]
        results = checked(state.checking, *beside)
    return RunResult(
        conclusion=conclusion,
        service=plan.key,
        mode=plan.mode,
        url=plan.service.base_url,
        watchtower_origin=origin_of(plan.watchtower.update_url) if plan.watchtower.update_url else "",
        subject=subject_of(
            plan,
            blames_service=conclusion.verdict not in (Verdict.NOT_STARTED, Verdict.TRIGGER_FAILED),
            container=state.redact(running.container),
        ),
        version=Change(
            expected=f"branch:{plan.branch}" if plan.branch else plan.expect_version,
            before=version_named(state, state.record.before_the_trigger),
            live=version_named(state, state.samples),
        ),
        digest=Change(
            expected=plan.expect_digest,
            before=running.before if begun else running.now,
            live=running.now,
        ),
        digest_as_declared=running.is_of(plan.expect_digest),
        image=ImageFound(
            str(lookup.image),
            lookup.manifest.digest if lookup.manifest else "",
            one_line(state.redact(lookup.revision)),
        )
        if lookup
        else ImageFound(),
        update=update_of(state, state.started),
        timeline=timeline,
        rollout_seconds=_rollout(state, opened) if opened is not None else None,
        downtime_seconds=downtime(found) if begun else None,
        down=last is not None and last.condition is Condition.DOWN,
        looks=len(state.baseline) + len(state.samples),
        facts=facts,
        checked=results,
        remedy=_of_this_run(state, conclusion.reason, now) or remedy_by_sender(conclusion.reason, responses),
        seen=seen(state, now),
    )


def update_of(state: ServiceState, zero: float) -> Update:
    """Return the trigger and the response to it, in seconds since `zero`."""
    answer, reply = state.answer, state.trigger.reply
    unknown = Result.UNKNOWN if state.triggered is not None else Result.NONE
    return Update(
        result=answer.result if answer else unknown,
        said=answer.seen if answer else "",
        reply=_shown(reply, state.redact) if reply else "",
        sent=state.triggered - zero if state.triggered is not None else None,
        sent_wall=state.trigger.triggered_wall,
        answered=state.answered - zero if state.answered is not None else None,
    )


def _opened(state: ServiceState, assessed: Assessment) -> float | None:
    """Return when the first response that counts came in the window that passed."""
    opened, since = state.history.window.opened, assessed.counts_from
    if opened is None or since is None:
        return opened
    return next((each.at for each in state.samples if each.at >= opened and each.sent >= since), opened)


def _rollout(state: ServiceState, opened: float) -> float | None:
    """Return the seconds from the trigger, or from the end of an earlier step, to the window that held."""
    if state.triggered is not None:
        return opened - state.started
    first = next((each for each in state.samples if each.at >= opened), None)
    return first.wall - state.plan.baseline.ended if first and state.plan.baseline else None


def _of_this_run(state: ServiceState, reason: Reason, now: float) -> Remedy | None:
    """Return the remedy for a loopback address, for too few requests, or for a build that another deployer should bring."""
    remedy = LOOPBACK if _loopback_refused(state, reason) else of_too_few_requests(state, reason, now)
    if remedy or not state.plan.awaits_build:
        return remedy
    from redeploy.remedies.of_other_deployers import OF_OTHER_DEPLOYERS  # few runs wait for one

    return OF_OTHER_DEPLOYERS.get(reason)


def _loopback_refused(state: ServiceState, reason: Reason) -> bool:
    plan, last, answer = state.plan, state.history.last, state.answer
    if reason is Reason.UNREACHABLE:
        refused = answer is not None and answer.error_kind is ErrorKind.REFUSED
        return refused and is_loopback(plan.watchtower.update_url or "")
    if reason is Reason.DOWN:
        answered = any(each.error_kind is None for each in (*state.baseline, *state.samples))
        refused = last is not None and last.error_kind is ErrorKind.REFUSED
        return refused and not answered and is_loopback(plan.service.health_url)
    return False


def _timeline(
    state: ServiceState, assessed: Assessment, found: Sequence[Gap], opened: float | None, now: float, *, live: bool
) -> Timeline:
    zero, spans = state.started, list[Span]()
    if opened is not None:
        spans.append(_window(state, assessed, zero))
    if live and state.checking.any_needed:
        spans += _checks(state, zero)
    conclusive = [each for each in state.baseline if not each.condition.is_inconclusive]
    course = stretches(
        conclusive[-1] if conclusive else None, state.record.builds, zero, now, whose=before_build(state)
    )
    named = state.record.before.names or state.record.before.starts
    changed = [each.since for each in assessed.evidence if each.since is not None and not each.in_samples]
    if changed and not named:
        course = renewed(course, min(changed))
    happened = [*moments(state, found, zero), Moment(now - zero, What.ENDED)]
    if opened is not None:
        happened.insert(-1, Moment(opened - zero, What.OPENED))
    return Timeline(
        moments=tuple(sorted(happened, key=lambda moment: moment.at)),
        stretches=since(zero, course),
        spans=tuple(spans),
        ended=now - zero,
    )


def moments(state: ServiceState, found: Sequence[Gap], zero: float) -> Iterator[Moment]:
    """Yield when the trigger was sent, when Watchtower responded, and when the service was gone, in seconds since `zero`."""
    if state.triggered is not None:
        yield Moment(0.0, What.TRIGGERED)
    if state.answered is not None:
        replied = state.answer is None or state.answer.error_kind is None
        yield Moment(state.answered - zero, What.RESPONDED if replied else What.NOT_REACHED)
    for gap in found:
        yield Moment(max(0.0, gap.last_good - zero), What.LAST_GOOD)
        if gap.first_good is not None:
            yield Moment(gap.first_good - zero, What.GOOD_AGAIN)


def since(zero: float, course: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches in seconds since `zero`."""
    return tuple(replace(each, begin=each.begin - zero, end=each.end - zero) for each in course)


def _window(state: ServiceState, assessed: Assessment, zero: float) -> Span:
    """Return when the window that passed began to count, and its last probe."""
    window = state.history.window
    begin = max(window.opened or 0.0, assessed.counts_from or 0.0)
    return Span(During.WINDOW, begin - zero, max(begin, window.latest) - zero)


def _checks(state: ServiceState, zero: float) -> list[Span]:
    """Return from when to when checks were done; fetching the document to find a new build is not a check."""
    begin, end, opened = state.checking.began, state.checking.answered, state.history.window.opened
    if begin is not None and opened is not None and state.plan.awaits_build:
        begin = max(begin, opened)
    return [] if begin is None else [Span(During.CHECKS, begin - zero, end - zero)]


def _shown(reply: Response, redact: Callable[[str], str]) -> str:
    """Return a response as text: status, type, and its JSON; of any other body only the length."""
    head = f"HTTP {reply.status} {reply.headers.get('content-type', '')}".rstrip()
    if reply.json is None:
        body = f"(a body of {len(reply.body):,} bytes)" if reply.body else "(an empty body)"
        return f"HTTP {reply.status}\n\n{body}" if redact(head) != head else f"{head}\n\n{body}"
    # Without indents, which can be a hundred times as long if it is nested deeply.
    whole = f"{head}\n{reply.text}\n{json.dumps(reply.json, ensure_ascii=False)}"
    if redact(whole) != whole:
        return f"HTTP {reply.status}\n\n(withheld: it repeats a secret)"
    return f"{head}\n\n{json.dumps(reply.json, indent=2, ensure_ascii=False)}"
