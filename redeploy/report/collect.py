"""From the state of a run to its outcome."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from redeploy.decision.verdict import Conclusion
from redeploy.http.condition import Condition
from redeploy.http.response import ErrorKind, Response
from redeploy.http.urls import is_loopback, origin_of
from redeploy.remedies.by_door import TURNS, remedy_at
from redeploy.remedies.of_requests import of_want
from redeploy.remedies.remedy import WATCHTOWER_LOG, Remedy
from redeploy.remedies.subject import subject_of
from redeploy.report.check_results import NOTHING_CHECKED, beside_downtime, checked
from redeploy.report.names_told import told_of_names, version_named
from redeploy.report.outcome import Outcome
from redeploy.report.seen import seen
from redeploy.report.service_now import before_build, last_telling, service_now, what_was_met
from redeploy.report.timeline import Stretch, stretches
from redeploy.rollout.assess import Assessment
from redeploy.rollout.service_state import ServiceState
from redeploy.service.endpoint import Endpoint
from redeploy.service.gaps import Gap, downtime, gaps
from redeploy.service.identity import Build
from redeploy.settings.cross_checks import UNMATCHED
from redeploy.settings.plan import Mode, Plan
from redeploy.text.secret import shows_secret
from redeploy.text.untrusted import code, one_line
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Reason, Verdict

if TYPE_CHECKING:  # few runs name one image, fewer put one back, and only doctor has a chain
    from redeploy.registry.lookup import Lookup


_NOT_REPLACED = (Verdict.UNPROVEN, Verdict.STALE, Verdict.WRONG_BUILD, Verdict.TRIGGER_FAILED)

_LIVE = (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT, Verdict.VERIFIED, Verdict.UNPROVEN, Verdict.CHECKS_FAILED)
"""Verdicts about a build that is live and stayed so."""


def outcome_of(state: ServiceState, conclusion: Conclusion, now: float) -> Outcome:
    """Gather the facts of a run, whether it finished or was cancelled."""
    plan, history, answer, weighed, lookup = state.plan, state.history, state.answer, Assessment(state), state.lookup
    started = state.started
    begun = state.triggered is not None or state.verifying
    found = gaps(state.baseline, state.samples, started) if begun else []
    live = conclusion.verdict in _LIVE
    opened = history.window.opened if live else None
    found_by_checks = checked(state.checking, verifying=state.verifying) if live else NOTHING_CHECKED
    if live and plan.max_downtime is not None:
        found_by_checks = beside_downtime(found_by_checks, found, plan.max_downtime)
    last, course = last_telling(state), _stretches(state, started, now)
    met = what_was_met(state, course)
    if opened is not None and weighed.counts_from is not None:
        counted = (each.at for each in state.samples if each.at >= opened and each.sent >= weighed.counts_from)
        opened = next(counted, opened)
    return Outcome(
        conclusion=conclusion,
        service=plan.key,
        mode=plan.mode,
        url=plan.service.base_url,
        watchtower_origin=origin_of(plan.watchtower.update_url) if plan.watchtower.update_url else "",
        expected_version=f"branch:{plan.branch}" if plan.branch else plan.expect_version,
        expected_digest=plan.expect_digest,
        image=str(lookup.image) if lookup else "",
        image_digest=lookup.manifest.digest if lookup and lookup.manifest else "",
        revision=one_line(state.redact(lookup.revision)) if lookup else "",
        version=version_named(state, state.samples),
        previous_version=version_named(state, state.record.before_the_trigger),
        digest=weighed.digest_now,
        previous_digest=weighed.digest_before if begun else weighed.digest_now,
        digest_as_declared=state.running.is_of(plan.expect_digest),
        watchtower_result=_result(state),
        watchtower_said=answer.seen if answer else "",
        watchtower_replied=answer is None or answer.error_kind is None,
        triggered=state.triggered is not None,
        triggered_at=state.trigger.triggered_wall,
        answered_after=state.answered - started if state.answered is not None else None,
        rollout_seconds=_rollout(state, opened, started) if opened is not None else None,
        downtime_seconds=downtime(found) if begun else None,
        moments=moments(state, found, started, opened, now),
        stretches=course,
        stable=_stable(state, weighed, started) if opened is not None else None,
        checks_ran=_checks_ran(state, started) if live and state.checking.wanted else None,
        ended=now - started,
        broken=history.window.broken,
        watchtower_reply=_shown(state.trigger.reply, state.redact) if state.trigger.reply else "",
        evidence=_evidence(state, conclusion),
        warnings=(*_warnings(state, conclusion), *_calls_itself_ill(state), *found_by_checks.warnings),
        notes=(*plan.warnings, *((lookup.note,) if begun and lookup and lookup.note else ())),
        detail=(_missing(lookup, conclusion, plan.timeout) if lookup else "") or _unmatched(state, conclusion),
        named=told_of_names(state, conclusion),
        told_reasons=state.trigger.explained,
        watchtower_itself=answer is None or answer.of_watchtower,
        service_now=service_now(state, now),
        last_seen=last.seen if last else (history.mute or ""),
        seen=seen(state, now),
        down=last is not None and last.condition is Condition.DOWN,
        in_turn=met.turns >= TURNS,
        remedy=of_want(state, conclusion.reason, now)
        or _of_other_deployer(plan, conclusion.reason)
        or remedy_at(conclusion.reason, met),
        looks=len(state.baseline) + len(state.samples),
        checked=found_by_checks,
        loopback_refused=_loopback_refused(state, conclusion.reason),
        subject=subject_of(
            plan,
            blames_service=conclusion.verdict not in (Verdict.NOT_STARTED, Verdict.TRIGGER_FAILED),
            container=state.redact(state.running.container),
        ),
    )


def _rollout(state: ServiceState, opened: float, started: float) -> float | None:
    """Return the seconds from the trigger, or from the end of an earlier step, to the window that held."""
    if state.triggered is not None:
        return opened - started
    first = next((each for each in state.samples if each.at >= opened), None)
    return first.wall - state.plan.baseline.ended if first and state.plan.baseline else None


def _of_other_deployer(plan: Plan, reason: Reason) -> Remedy | None:
    """Return what to do where another deployer was waited for, and did not bring the build."""
    if not plan.awaits_build:
        return None
    from redeploy.remedies.of_other_deployers import OF_OTHER_DEPLOYERS  # few runs wait for one

    return OF_OTHER_DEPLOYERS.get(reason)


def _missing(lookup: "Lookup", conclusion: Conclusion, timeout: float) -> str:
    """Say what was missing of the image, if that ended the run."""
    if conclusion.reason is not Reason.IMAGE_MISSING:
        return ""
    waited = "" if lookup.hopeless else f" The run waited {timeout:g} s for it."
    return f"{lookup.told}{waited}"


def _unmatched(state: ServiceState, conclusion: Conclusion) -> str:
    """Say why nothing was updated, if Watchtower may not match the image's name."""
    answer = state.answer
    ported = any(":" in each.partition("/")[0] for each in state.plan.watchtower.images)
    shown = answer is not None and answer.counts is not None and answer.counts.scanned > 0
    if not ported or shown or answer is None or answer.refusal or conclusion.verdict not in _NOT_REPLACED:
        return ""
    return f"The update was limited to an image whose registry has a port: {UNMATCHED}"


def _loopback_refused(state: ServiceState, reason: Reason) -> bool:
    """Tell whether nothing listens on an address that is this container itself."""
    plan, last, answer = state.plan, state.history.last, state.answer
    if reason is Reason.UNREACHABLE:
        return (
            answer is not None
            and answer.error_kind is ErrorKind.REFUSED
            and is_loopback(plan.watchtower.update_url or "")
        )
    if reason is Reason.DOWN:
        answered = any(each.error_kind is None for each in (*state.baseline, *state.samples))
        refused = last is not None and last.error_kind is ErrorKind.REFUSED
        return refused and not answered and is_loopback(plan.service.health_url)
    return False


def _result(state: ServiceState) -> str:
    if state.answer is None:
        return Result.UNKNOWN if state.triggered is not None else Result.NONE
    return state.answer.result


def moments(
    state: ServiceState, found: Sequence[Gap], started: float, opened: float | None, now: float
) -> list[tuple[float, str]]:
    """Return what happened when, in seconds since `started`; `opened` is the start of the window that passed."""
    events = [] if state.triggered is None else [(0.0, "trigger sent")]
    if state.answered is not None:
        replied = state.answer is None or state.answer.error_kind is None
        events.append(
            (state.answered - started, "Watchtower responded" if replied else "the request to Watchtower failed")
        )
    for gap in found:
        events.append((max(0.0, gap.last_good - started), "last healthy response before a gap"))
        if gap.first_good is not None:
            events.append((gap.first_good - started, "first healthy response after it"))
    if opened is not None:
        events.append((opened - started, "first response of the window that passed"))
    events.append((now - started, "end"))
    return sorted(events, key=lambda moment: moment[0])


def _stretches(state: ServiceState, started: float, now: float) -> tuple[Stretch, ...]:
    telling = [each for each in state.baseline if not each.condition.tells_nothing]
    found = stretches(telling[-1] if telling else None, state.record.builds, started, now, whose=before_build(state))
    return tuple(replace(each, begin=each.begin - started, end=each.end - started) for each in found)


def _stable(state: ServiceState, weighed: Assessment, started: float) -> tuple[float, float]:
    """Return when the window that passed began to count, and its last probe."""
    window = state.history.window
    begin = max(window.opened or 0.0, weighed.counts_from or 0.0)
    return begin - started, max(begin, window.latest) - started


def _checks_ran(state: ServiceState, started: float) -> tuple[float, float] | None:
    """Return from when to when checks were made; looks at the document that may tell of a new build are none."""
    begin, end, opened = state.checking.began, state.checking.answered, state.history.window.opened
    if begin is not None and opened is not None and state.plan.awaits_build:
        begin = max(begin, opened)
    return None if begin is None else (begin - started, end - started)


def _shown(reply: Response, redact: Callable[[str], str]) -> str:
    """Return a response as text: status, type, and its JSON; of any other body only the length."""
    head = f"HTTP {reply.status} {reply.headers.get('content-type', '')}".rstrip()
    if reply.json is None:
        body = f"(a body of {len(reply.body):,} bytes)" if reply.body else "(an empty body)"
        return f"HTTP {reply.status}\n\n{body}" if shows_secret(head, redact) else f"{head}\n\n{body}"
    # Its indents are no part of it: nested deeply, they are a hundred times as long.
    if shows_secret(f"{head}\n{reply.text}\n{json.dumps(reply.json, ensure_ascii=False)}", redact):
        return f"HTTP {reply.status}\n\n(withheld: it repeats a secret)"
    return f"{head}\n\n{json.dumps(reply.json, indent=2, ensure_ascii=False)}"


def _evidence(state: ServiceState, conclusion: Conclusion) -> list[str]:
    """Say how it is known which build is live, the strongest first; only what was really seen."""
    plan, history, weighed, found = state.plan, state.history, Assessment(state), list[str]()
    back = plan.mode is Mode.ROLLBACK
    running = state.running.evidence
    if running and plan.expect_digest:
        found.append(running.replace("declared digest", "digest that was put back") if back else running)
    if weighed.registry_unchanged:
        found.append("The running container has the digest that the image's tag points to in the registry.")
    if plan.expect_version and history.build is Build.NEW:
        which = "version that goes with it" if back else "declared version"
        found.append(f"The service {'reported' if history.in_gap else 'reports'} the {which}.")
    if running and not plan.expect_digest:
        found.append(running)
    if not plan.expect_version and history.like.changed:
        found.append("The service reports another build than before: " + _listed(history.like.changed, state.redact))
    if not plan.declared and weighed.contract_changed_since is not None:
        found.append("Its OpenAPI document changed: it has other operations, or another version.")
    if history.like.restarted:
        found.append(
            f"A new process responds, started after {_trigger(plan)}: " + _listed(history.like.restarted, state.redact)
        )
    if history.build is Build.OLD and history.like.same:
        verb = "reported" if history.in_gap else "reports"
        found.append(f"The service {verb} the same build as before: " + _listed(history.like.same, state.redact))
    if conclusion.proof.word == "claim":
        found.append("Watchtower reports that it updated this container, and no response contradicts it.")
    if history.in_gap:
        found.insert(0, "The service is unhealthy.")
    elif history.gap_seen:
        away = downtime(gaps(state.baseline, state.samples, state.started)) or 0.0
        found.append(f"The service was unhealthy or unreachable for at most {away:.1f} s after {_trigger(plan)}.")
    return found


def _trigger(plan: Plan) -> str:
    return "the step before the deploy" if plan.baseline else "the trigger"


def _listed(paths: Sequence[str], redact: Callable[[str], str]) -> str:
    return ", ".join(code(redact(path), 80) for path in paths) + "."


def _calls_itself_ill(state: ServiceState) -> list[str]:
    """Warn if the last probe of health counts as healthy, but its JSON says otherwise."""
    looks = [each for each in (*state.baseline, *state.samples) if Endpoint.HEALTH in each.endpoints and each.healthy]
    if not looks or not looks[-1].ill:
        return []
    line, url = looks[-1].ill, code(state.redact(state.plan.service.health_url))
    says = f"The response at {url} is healthy by its status, but its JSON says that the service is unhealthy."
    return [f"{says} To make that count, set `health-expect` to {code(line, 120)}."]


def _warnings(state: ServiceState, conclusion: Conclusion) -> list[str]:
    """Return the warnings of a green run."""
    if conclusion.exit_code:
        return []
    warnings, answer = [state.running.warning] if state.running.warning else [], state.answer
    if turns := state.history.turns:
        warnings.append(
            f"Several instances take turns: another build responded {turns} times after the new one, before "
            f"{state.history.window.looks_needed} probes in a row found the new one. Set `instances` to their number."
        )
    if state.triggered is not None and answer is None:
        warnings.append("Watchtower never responded; the new build was proven without it.")
    elif answer is not None and answer.lost and conclusion.proof:
        warnings.append(f"Watchtower's response was lost ({answer.seen}); the new build was proven without it.")
    elif answer is not None and answer.result in (Result.PARTIAL, Result.FAILED, Result.BLOCKED):
        warnings.append(
            f"Watchtower did not update everything: {answer.seen}. Its log on the server says why: `{WATCHTOWER_LOG}`"
        )
    return warnings
