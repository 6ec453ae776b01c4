"""Whether the service is up now: the first sentence of every message."""

import itertools
from collections.abc import Sequence

from redeploy.http.condition import Condition
from redeploy.remedies.by_sender import LastResponses
from redeploy.report.timeline import Stretch
from redeploy.rollout.service_state import ServiceState
from redeploy.service.endpoint import Endpoint
from redeploy.service.identity import Build
from redeploy.service.sample import Sample
from redeploy.settings.plan import Mode
from redeploy.text.untrusted import code

_WHICH = {Build.OLD: "the build from before", Build.NEW: "the new build", Build.OTHER: "another build"}
_WHICH_IN_ROLLBACK = {Build.OLD: "the build that was to be replaced", Build.NEW: "the build that was put back"}


def last_conclusive(state: ServiceState) -> Sample | None:
    """Return the last conclusive sample of the service; if there are several URLs, an unhealthy one."""
    history = state.history
    before = [each for each in state.baseline if not each.condition.is_inconclusive]
    return history.failing or history.last or (before[-1] if before else None)


def service_now(state: ServiceState, now: float) -> str:
    """Say whether the service is up at `now`, in monotonic seconds; empty if it was never probed."""
    last = last_conclusive(state)
    service = state.plan.service
    if last is None:
        only = state.history.mute or (state.baseline[-1].condition if state.baseline else None)
        where = code(state.redact(service.health_url))
        return f"It is not known whether the service at {where} is up: every response was {only}." if only else ""
    asked = service.health_url if Endpoint.HEALTH in last.endpoints else service.version_url
    where = code(state.redact(asked))
    if last.healthy:
        return f"The service at {where} is up: {_which_build(state)} responded with {last.seen}."
    good = [each.at for each in (*state.baseline, *state.samples) if each.healthy and each.endpoints & last.endpoints]
    since = f"; the last healthy response came {now - good[-1]:.1f} s ago" if good else "; it was never seen healthy"
    if last.condition is Condition.DOWN:
        return f"The service at {where} is down: {last.seen}{since}."
    if last.condition in (Condition.NOT_READY, Condition.HTML):
        return f"The service at {where} is not healthy: it responded with {last.seen}{since}."
    return f"It is not known whether the service at {where} is up: {last.seen}{since}."


def _which_build(state: ServiceState) -> str:
    """Say which build responded, if its responses show it."""
    words = _WHICH_IN_ROLLBACK if state.plan.mode is Mode.ROLLBACK else _WHICH
    if state.triggered is None and not state.plan.awaits_build:
        return "it"
    build = _live_build(state)
    if state.live_before and build is Build.NEW:
        return "the declared build"
    return words.get(build, "it")


def _live_build(state: ServiceState) -> Build:
    """Return the build of the last response; where a digest is declared, one that runs instead is another build."""
    looks = state.running.looks_since if state.plan.expect_digest else []
    other = bool(looks) and state.running.says(looks[-1]) is Build.OTHER
    return Build.OTHER if other else state.history.build


def before_build(state: ServiceState) -> Build:
    """Return which build responded before the trigger: the declared one if it was live already."""
    if state.live_before:
        return Build.NEW
    before, noise = state.record.before, state.record.learnt.noise
    names, starts = before.names.keys() - noise, before.starts.keys() - noise
    known = bool(names or starts or state.running.before)
    return Build.OLD if known else Build.UNKNOWN


def last_responses(state: ServiceState, course: Sequence[Stretch]) -> LastResponses:
    """Return the last responses to the trigger and of the service."""
    last = last_conclusive(state)
    before = [each for each in state.baseline if not each.condition.is_inconclusive]
    same = [each for each in before if last and each is not last and each.endpoints & last.endpoints]
    builds = [each.build for each in course if each.good and each.build in (Build.OLD, Build.NEW)]
    after = state.answered - state.started if state.answered is not None else None
    return LastResponses(
        answer=state.answer,
        after=after,
        last=last,
        before=same[-1] if same else None,
        turns=sum(one is not other for one, other in itertools.pairwise(builds)),
        overtaken=last is not None and last.healthy and _live_build(state) is Build.OTHER,
    )
