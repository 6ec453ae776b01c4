"""The facts of one run, from its state: everything that is worth saying about it, except for its checks."""

from typing import TYPE_CHECKING

from redeploy.decision.verdict import Conclusion
from redeploy.http.urls import origin_of
from redeploy.remedies.by_sender import TURNS, LastResponses
from redeploy.remedies.remedy import WATCHTOWER_LOG
from redeploy.report.build_names import names_explained
from redeploy.report.facts import About, Facts
from redeploy.report.service_now import last_conclusive, service_now
from redeploy.rollout.assess import Assessment
from redeploy.rollout.service_state import ServiceState
from redeploy.service.endpoint import Endpoint
from redeploy.service.gaps import downtime, gaps
from redeploy.settings.cross_checks import UNMATCHED
from redeploy.settings.plan import Mode
from redeploy.text.untrusted import code
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Reason, Verdict

if TYPE_CHECKING:  # few runs name one image
    from redeploy.registry.lookup import Lookup

_NOT_REPLACED = (Verdict.UNPROVEN, Verdict.STALE, Verdict.WRONG_BUILD, Verdict.TRIGGER_FAILED)


def facts_of(state: ServiceState, conclusion: Conclusion, responses: LastResponses, now: float) -> Facts:
    """Return the facts of a run at `now`; `responses` are the last ones."""
    lookup, begun = state.lookup, state.triggered is not None or state.verifying
    return (
        Facts()
        .plus(About.NOW, service_now(state, now))
        .plus(About.CAUSE, (_of_image(lookup, conclusion, state) if lookup else "") or _unmatched(state, conclusion))
        .plus(About.UPDATE, _update(state))
        .plus(About.REASON, *state.trigger.explained)
        .plus(About.UNSTABLE, _unstable(state, responses))
        .plus(About.LAST, _last(state))
        .plus(About.NAMES, names_explained(state, conclusion))
        .plus(About.EVIDENCE, *_evidence(state, conclusion))
        .plus(About.WARNING, *_warnings(state, conclusion), _reports_itself_unhealthy(state))
        .plus(About.NOTE, *state.plan.warnings, lookup.note if begun and lookup else "")
    )


def _of_image(lookup: "Lookup", conclusion: Conclusion, state: ServiceState) -> str:
    """Return why the image ended the run: it was missing, or not a new one."""
    if conclusion.reason is Reason.OLD_BUILD:
        return _not_pushed(lookup, state)
    if conclusion.reason is not Reason.IMAGE_MISSING:
        return ""
    waited = "" if lookup.hopeless else f" The run waited {state.plan.timeout:g} s for it."
    return f"{lookup.sentence}{waited}"


def _not_pushed(lookup: "Lookup", state: ServiceState) -> str:
    """Return that the tag pointed to the image that was running already; empty if it did not, or if that is not known."""
    found, running = lookup.manifest, state.running
    if found is None or state.triggered is None or not running.manifests.same_image(found.digest, running.before):
        return ""
    commit = f", whose label names the commit {code(state.redact(lookup.revision))}" if lookup.revision else ""
    return (
        f"When this run looked, `{lookup.image}` pointed to the image that was running already{commit}: the push of a new "
        "one had not finished, had failed, or went to another tag."
    )


def _unmatched(state: ServiceState, conclusion: Conclusion) -> str:
    """Say why nothing was updated, if Watchtower may not match the image's name."""
    answer = state.answer
    ported = any(":" in each.partition("/")[0] for each in state.plan.watchtower.images)
    shown = answer is not None and answer.counts is not None and answer.counts.scanned > 0
    if not ported or shown or answer is None or answer.refusal or conclusion.verdict not in _NOT_REPLACED:
        return ""
    return f"The update was limited to an image whose registry has a port: {UNMATCHED}"


def _update(state: ServiceState) -> str:
    """Say what the response to the trigger was."""
    answer, url = state.answer, state.plan.watchtower.update_url
    where = code(origin_of(url) if url else "")
    if answer is None or not answer.seen:
        return f"Watchtower at {where} has not responded." if state.triggered is not None else ""
    after = f" after {state.answered - state.started:.1f} s" if state.answered is not None else ""
    if answer.error_kind is not None:
        return f"The request to Watchtower at {where} failed{after}: {answer.seen}."
    return f"{'Watchtower' if answer.of_watchtower else 'The update URL'} at {where} responded{after}: {answer.seen}."


def _unstable(state: ServiceState, responses: LastResponses) -> str:
    broken = state.history.window.broken
    if responses.turns >= TURNS:
        return "The old and the new build took turns."
    return f"The new build did not stay up: it was healthy and then failed {broken} times." if broken > 1 else ""


def _last(state: ServiceState) -> str:
    last = last_conclusive(state)
    seen = last.seen if last else (state.history.mute or "")
    when = "At the end of the deploy" if state.plan.mode is Mode.DEPLOY else "At the end"
    return (
        f"{when}, the last response of the service at {code(state.plan.service.base_url)} was {seen}." if seen else ""
    )


def _evidence(state: ServiceState, conclusion: Conclusion) -> list[str]:
    """Return how it is known which build is live, and whether it is healthy; only what was really seen."""
    found, history = Assessment(state).sentences(conclusion.proof), state.history
    if history.in_gap:
        return ["The service is unhealthy.", *found]
    if history.gap_seen:
        away = downtime(gaps(state.baseline, state.samples, state.started)) or 0.0
        after = "the step before the deploy" if state.plan.baseline else "the trigger"
        found.append(f"The service was unhealthy or unreachable for at most {away:.1f} s after {after}.")
    return found


def _reports_itself_unhealthy(state: ServiceState) -> str:
    """Warn if the last probe of health counts as healthy, but its JSON says otherwise."""
    looks = [each for each in (*state.baseline, *state.samples) if Endpoint.HEALTH in each.endpoints and each.healthy]
    if not looks or not looks[-1].reported_unhealthy:
        return ""
    line, url = looks[-1].reported_unhealthy, code(state.redact(state.plan.service.health_url))
    says = f"The response at {url} is healthy by its status, but its JSON says that the service is unhealthy."
    return f"{says} To make that count, set `health-expect` to {code(line, 120)}."


def _warnings(state: ServiceState, conclusion: Conclusion) -> list[str]:
    """Return the warnings of a green run."""
    if conclusion.exit_code:
        return []
    warnings, answer = [state.running.warning], state.answer
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
