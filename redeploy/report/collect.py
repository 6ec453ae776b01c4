"""From the state of a run to its outcome."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from redeploy.decision.verdict import Conclusion
from redeploy.http.condition import Condition
from redeploy.http.response import Fault, Reply
from redeploy.http.urls import is_loopback, origin_of
from redeploy.remedies.by_door import TURNS, remedy_at
from redeploy.remedies.remedy import WATCHTOWER_LOG
from redeploy.remedies.subject import subject_of
from redeploy.report.check_results import NOTHING_CHECKED, checked
from redeploy.report.names_told import told_of_names, version_named
from redeploy.report.outcome import Outcome
from redeploy.report.seen import seen
from redeploy.report.service_now import before_build, last_telling, service_now, what_was_met
from redeploy.report.timeline import Gap, Stretch, downtime, gaps, stretches
from redeploy.rollout.assess import Assessment
from redeploy.rollout.service_state import Watch
from redeploy.service.identity import Build
from redeploy.service.sample import Endpoint
from redeploy.settings.cross_checks import UNMATCHED
from redeploy.settings.plan import Mode
from redeploy.text.secret import shows_secret
from redeploy.text.untrusted import code, one_line
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Reason, Verdict

if TYPE_CHECKING:  # few runs name one image, fewer put one back, and only doctor has a chain
    from redeploy.registry.lookup import Lookup


_NOT_REPLACED = (Verdict.UNPROVEN, Verdict.STALE, Verdict.WRONG_BUILD, Verdict.TRIGGER_FAILED)

_LIVE = (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT, Verdict.VERIFIED, Verdict.UNPROVEN, Verdict.CHECKS_FAILED)
"""Verdicts about a build that is live and stayed so."""


def outcome_of(watch: Watch, conclusion: Conclusion, now: float) -> Outcome:
    """Gather the facts of a run, whether it came to its end or was cancelled."""
    plan, track, answer, weighed, lookup = watch.plan, watch.track, watch.answer, Assessment(watch), watch.lookup
    started = watch.started
    begun = watch.triggered is not None or watch.verifying
    found = gaps(watch.baseline, watch.samples, started) if begun else []
    live = conclusion.verdict in _LIVE
    opened = track.window.opened if live else None
    found_by_checks = checked(watch.checking, verifying=watch.verifying) if live else NOTHING_CHECKED
    last, course = last_telling(watch), _stretches(watch, started, now)
    met = what_was_met(watch, course)
    if opened is not None and weighed.counts_from is not None:
        counted = (each.at for each in watch.samples if each.at >= opened and each.sent >= weighed.counts_from)
        opened = next(counted, opened)
    return Outcome(
        conclusion=conclusion,
        mode=plan.mode,
        url=plan.service.base_url,
        watchtower_origin=origin_of(plan.watchtower.update_url) if plan.watchtower.update_url else "",
        expected_version=plan.expect_version,
        expected_digest=plan.expect_digest,
        image=str(lookup.image) if lookup else "",
        image_digest=lookup.manifest.digest if lookup and lookup.manifest else "",
        revision=one_line(watch.redact(lookup.revision)) if lookup else "",
        version=version_named(watch, watch.samples),
        previous_version=version_named(watch, watch.baseline),
        digest=weighed.digest_now,
        previous_digest=weighed.digest_before if begun else weighed.digest_now,
        digest_as_declared=watch.running.is_of(plan.expect_digest),
        watchtower_result=_result(watch),
        watchtower_said=answer.seen if answer else "",
        watchtower_replied=answer is None or answer.fault is None,
        triggered=watch.triggered is not None,
        triggered_at=watch.triggered_wall,
        answered_after=watch.answered - started if watch.answered is not None else None,
        rollout_seconds=opened - started if opened is not None and watch.triggered is not None else None,
        downtime_seconds=downtime(found) if begun else None,
        moments=moments(watch, found, started, opened, now),
        stretches=course,
        stable=_stable(watch, weighed, started) if opened is not None else None,
        checks_ran=_since(started, watch.checking.began, watch.checking.answered) if live else None,
        ended=now - started,
        broken=track.window.broken,
        watchtower_reply=_shown(watch.reply, watch.redact) if watch.reply else "",
        evidence=_evidence(watch, conclusion),
        warnings=(*_warnings(watch, conclusion), *_calls_itself_ill(watch), *found_by_checks.warnings),
        notes=(*plan.warnings, *((lookup.note,) if begun and lookup and lookup.note else ())),
        detail=(_missing(lookup, conclusion, plan.timeout) if lookup else "") or _unmatched(watch, conclusion),
        named=told_of_names(watch, conclusion),
        told_reasons=watch.told_reasons,
        watchtower_itself=answer is None or answer.of_watchtower,
        service_now=service_now(watch, now),
        last_seen=last.seen if last else (track.mute or ""),
        seen=seen(watch, now),
        down=last is not None and last.condition is Condition.DOWN,
        in_turn=met.turns >= TURNS,
        remedy=remedy_at(conclusion.reason, met),
        looks=len(watch.baseline) + len(watch.samples),
        checked=found_by_checks,
        loopback_refused=_loopback_refused(watch, conclusion.reason),
        subject=subject_of(
            plan,
            blames_service=conclusion.verdict not in (Verdict.NOT_STARTED, Verdict.TRIGGER_FAILED),
            container=watch.redact(watch.running.container),
        ),
    )


def _missing(lookup: "Lookup", conclusion: Conclusion, timeout: float) -> str:
    """Say what was missing of the image, where that ended the run."""
    if conclusion.reason is not Reason.IMAGE_MISSING:
        return ""
    waited = "" if lookup.hopeless else f" It was waited for, {timeout:g} s."
    return f"{lookup.told}{waited}"


def _unmatched(watch: Watch, conclusion: Conclusion) -> str:
    """Say why nothing was updated, where Watchtower may know the image by no such name."""
    answer = watch.answer
    ported = any(":" in each.partition("/")[0] for each in watch.plan.watchtower.images)
    shown = answer is not None and answer.counts is not None and answer.counts.scanned > 0
    if not ported or shown or answer is None or answer.refusal or conclusion.verdict not in _NOT_REPLACED:
        return ""
    return f"The update was narrowed to an image whose registry has a port: {UNMATCHED}"


def _loopback_refused(watch: Watch, reason: Reason) -> bool:
    """Tell whether nothing listens on an address that is this container itself."""
    plan, last, answer = watch.plan, watch.track.last, watch.answer
    if reason is Reason.UNREACHABLE:
        return answer is not None and answer.fault is Fault.REFUSED and is_loopback(plan.watchtower.update_url or "")
    if reason is Reason.DOWN:
        answered = any(each.fault is None for each in (*watch.baseline, *watch.samples))
        refused = last is not None and last.fault is Fault.REFUSED
        return refused and not answered and is_loopback(plan.service.health_url)
    return False


def _result(watch: Watch) -> str:
    if watch.answer is None:
        return Result.UNKNOWN if watch.triggered is not None else Result.NONE
    return watch.answer.result


def moments(
    watch: Watch, found: Sequence[Gap], started: float, opened: float | None, now: float
) -> list[tuple[float, str]]:
    """Return what happened when, in seconds since `started`; a window that held `opened` then."""
    told = [] if watch.triggered is None else [(0.0, "trigger sent")]
    if watch.answered is not None:
        replied = watch.answer is None or watch.answer.fault is None
        told.append(
            (watch.answered - started, "Watchtower answered" if replied else "the request to Watchtower failed")
        )
    for gap in found:
        told.append((max(0.0, gap.last_good - started), "last good answer before a gap"))
        if gap.first_good is not None:
            told.append((gap.first_good - started, "first good answer after it"))
    if opened is not None:
        told.append((opened - started, "first answer of the window that held"))
    told.append((now - started, "end"))
    return sorted(told, key=lambda moment: moment[0])


def _stretches(watch: Watch, started: float, now: float) -> tuple[Stretch, ...]:
    telling = [each for each in watch.baseline if not each.condition.tells_nothing]
    found = stretches(telling[-1] if telling else None, watch.builds, started, now, whose=before_build(watch))
    return tuple(replace(each, begin=each.begin - started, end=each.end - started) for each in found)


def _stable(watch: Watch, weighed: Assessment, started: float) -> tuple[float, float]:
    """Return from when to when the window that held was watched, as far as it counts."""
    window = watch.track.window
    begin = max(window.opened or 0.0, weighed.counts_from or 0.0)
    return begin - started, max(begin, window.latest) - started


def _since(started: float, begin: float | None, end: float) -> tuple[float, float] | None:
    return None if begin is None else (begin - started, end - started)


def _shown(reply: Reply, redact: Callable[[str], str]) -> str:
    """Return a reply as text: status, type, and a body that is JSON; of another only how long it is."""
    head = f"HTTP {reply.status} {reply.headers.get('content-type', '')}".rstrip()
    if reply.json is None:
        body = f"(a body of {len(reply.body):,} bytes)" if reply.body else "(an empty body)"
        return f"HTTP {reply.status}\n\n{body}" if shows_secret(head, redact) else f"{head}\n\n{body}"
    # Its indents are no part of it: nested deeply, they are a hundred times as long.
    if shows_secret(f"{head}\n{reply.text}\n{json.dumps(reply.json, ensure_ascii=False)}", redact):
        return f"HTTP {reply.status}\n\n(withheld: it repeats a secret)"
    return f"{head}\n\n{json.dumps(reply.json, indent=2, ensure_ascii=False)}"


def _evidence(watch: Watch, conclusion: Conclusion) -> list[str]:
    """Say how it is known what answers, strongest first; only what was really seen."""
    plan, track, weighed, found = watch.plan, watch.track, Assessment(watch), list[str]()
    back = plan.mode is Mode.ROLLBACK
    running = watch.running.evidence
    if running and plan.expect_digest:
        found.append(running.replace("declared digest", "digest that was put back") if back else running)
    if weighed.registry_unchanged:
        found.append("The running container has the digest that the image's tag points to in the registry.")
    if plan.expect_version and track.build is Build.NEW:
        which = "version that goes with it" if back else "declared version"
        found.append(f"The service {'reported' if track.in_gap else 'reports'} the {which}.")
    if running and not plan.expect_digest:
        found.append(running)
    if not plan.expect_version and track.like.changed:
        found.append("It reports another build than before: " + _listed(track.like.changed, watch.redact))
    if not plan.declared and watch.checking.changed_since is not None:
        found.append("Its OpenAPI document changed: it has other operations, or another version.")
    if track.like.restarted:
        found.append("A new process answers, started after the trigger: " + _listed(track.like.restarted, watch.redact))
    if track.build is Build.OLD and track.like.same:
        verb = "named" if track.in_gap else "names"
        found.append(f"It {verb} the same build as before: " + _listed(track.like.same, watch.redact))
    if conclusion.proof.word == "claim":
        found.append("Watchtower reports that it updated this container, and nothing that was seen contradicts it.")
    if track.in_gap:
        found.insert(0, "The service is unhealthy.")
    elif track.gap_seen:
        away = downtime(gaps(watch.baseline, watch.samples, watch.started)) or 0.0
        found.append(f"The service was unhealthy or unreachable for at most {away:.1f} s after the trigger.")
    return found


def _listed(paths: Sequence[str], redact: Callable[[str], str]) -> str:
    return ", ".join(code(redact(path), 80) for path in paths) + "."


def _calls_itself_ill(watch: Watch) -> list[str]:
    """Warn where the last look at health counts as good and its JSON says otherwise."""
    looks = [each for each in (*watch.baseline, *watch.samples) if Endpoint.HEALTH in each.endpoints and each.healthy]
    if not looks or not looks[-1].ill:
        return []
    line, url = looks[-1].ill, code(watch.redact(watch.plan.service.health_url))
    says = f"The response at {url} is healthy by its status, but its JSON says that the service is not well."
    return [f"{says} To make that count, give `health-expect` the line {code(line, 120)}."]


def _warnings(watch: Watch, conclusion: Conclusion) -> list[str]:
    """Return what a green run should still tell."""
    if conclusion.exit_code:
        return []
    told, answer = [watch.running.warning] if watch.running.warning else [], watch.answer
    if turns := watch.track.turns:
        told.append(
            f"Several instances answer in turn: another build answered {turns} times after the new one, before "
            f"{watch.track.window.looks_needed} looks in a row found the new one. `instances` says how many there are."
        )
    if watch.triggered is not None and answer is None:
        told.append("Watchtower's answer never came; the new build was proven without it.")
    elif answer is not None and answer.lost and conclusion.proof:
        told.append(f"Watchtower's answer was lost ({answer.seen}); the new build was proven without it.")
    elif answer is not None and answer.result in (Result.PARTIAL, Result.FAILED, Result.BLOCKED):
        told.append(
            f"Watchtower did not update everything: {answer.seen}. Its log on the server says why: `{WATCHTOWER_LOG}`"
        )
    return told
