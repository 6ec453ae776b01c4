"""The rollback: find the previous image, move the tag back to it, and prove it like a deploy."""

from collections.abc import Callable

from redeploy.decision.verdict import Conclusion, conclude
from redeploy.registry.lookup import found_in, manifest_in
from redeploy.report.results import RunResult
from redeploy.rollback.attempt import Attempt
from redeploy.rollback.collect import of_deploy, of_mode, untried
from redeploy.rollback.policy import PROVEN, Seen, hindrance
from redeploy.rollout.assess import Assessment
from redeploy.rollout.previous.target import ManifestResult
from redeploy.rollout.requests import Event, FetchContainers, FetchManifest, PutManifest, Request
from redeploy.rollout.run import Log, Outside, redeploy
from redeploy.rollout.service_state import ServiceState
from redeploy.verdicts import Reason

LOOKS = 3
"""How often the tag is read after the write: a registry may be slow to show it."""

PAUSE = 1.0
"""Seconds between these reads."""


def undo(
    deploy: RunResult,
    failed: ServiceState,
    outside: Outside,
    random: Callable[[], float],
    log: Log,
    *,
    begun: Callable[[Attempt], None],
) -> RunResult:
    """Roll a failed deploy back, if that can help, and return the result of both.

    `begun` gets the attempt, which knows everything that happened, even if the rollback is cut short.
    """
    why = hindrance(deploy.conclusion, Seen.of(failed, outside.now()))
    if why:
        return untried(deploy, failed, why)
    attempt = Attempt.after(failed, deploy)
    begun(attempt)
    back = _roll_back(attempt, outside, random, log)
    return of_deploy(deploy, attempt, back, outside.now())


def put_back(
    look: ServiceState,
    outside: Outside,
    random: Callable[[], float],
    log: Log,
    *,
    begun: Callable[[Attempt], None],
    under_way: Callable[[], None],
) -> RunResult:
    """Put an image back on request (mode rollback); the rest is as in `undo` and `redeploy`."""
    attempt = Attempt(look)
    begun(attempt)
    _choose(attempt, outside)
    back = _roll_back(attempt, outside, random, log, under_way)
    if back is None:
        look.trigger.not_started = Reason.ROLLBACK_IMPOSSIBLE
        back = conclude(Assessment(look).facts(outside.now()))
    return of_mode(attempt, back, outside.now())


def _roll_back(
    attempt: Attempt,
    outside: Outside,
    random: Callable[[], float],
    log: Log,
    under_way: Callable[[], None] = lambda: None,
) -> Conclusion | None:
    """Put the image back and prove it; None if nothing was put back."""
    if not restore(attempt, outside, log):
        return None
    if probe := attempt.needs_a_look:
        attempt.first.budget.note_sent(probe, outside.now())
        attempt.first.take(_answer(attempt, outside, probe))
    back = redeploy(attempt.prove(outside.now()), outside, random, log, under_way)
    if back.verdict in PROVEN:
        confirm(attempt, outside)
    return back


def restore(attempt: Attempt, outside: Outside, log: Log) -> bool:
    """Find the image and put it under its tag; return whether the tag points to it now."""
    log.open_group("Put the previous image back")
    attempt.began = outside.now()
    if not attempt.stopped and _find(attempt, outside):
        _write(attempt, outside)
    attempt.ended = outside.now()
    for line in attempt.lines:
        log.say(line)
    return attempt.settled


def confirm(attempt: Attempt, outside: Outside) -> None:
    """Read the tag again: it must still point to the live image."""
    for look in range(LOOKS):
        if look:
            _wait(outside, PAUSE)
        if attempt.confirm(_read(attempt, outside, attempt.image.tag)):
            return


def _choose(attempt: Attempt, outside: Outside) -> None:
    """Read which image runs and which the tag points to, and choose the one to put back."""
    if attempt.first.trigger.kind.lists_running:
        attempt.first.take(_answer(attempt, outside, FetchContainers()))
    attempt.begin(_read(attempt, outside, attempt.image.tag))


def _find(attempt: Attempt, outside: Outside) -> bool:
    """Look up the image to put back, unless it was found before the trigger."""
    while (request := attempt.target.next) is not None:
        found = found_in(_answer(attempt, outside, request).http_result, attempt.image)
        attempt.target.take(request, found)
    return attempt.found()


def _write(attempt: Attempt, outside: Outside) -> None:
    """Move the tag, if nothing else has moved it, and check that it has moved."""
    manifest = attempt.target.manifest
    if not attempt.compare(_read(attempt, outside, attempt.image.tag)) or manifest is None:
        return
    answer = _found(attempt, outside, PutManifest(manifest, attempt.image.tag))
    for look in range(LOOKS):
        if look:
            _wait(outside, PAUSE)
        if attempt.verify(answer, _read(attempt, outside, attempt.image.tag)):
            return


def _read(attempt: Attempt, outside: Outside, reference: str) -> ManifestResult:
    return _found(attempt, outside, FetchManifest(reference))


def _found(attempt: Attempt, outside: Outside, request: FetchManifest | PutManifest) -> ManifestResult:
    return manifest_in(_answer(attempt, outside, request).http_result, attempt.image)


def _answer(attempt: Attempt, outside: Outside, request: Request) -> Event:
    """Send a request, and wait for its result; results of earlier requests are ignored."""
    sent = outside.now()
    outside.start(request, sent, attempt.plan.request_timeout, attempt.plan.key)
    while True:
        event = outside.wait(float("inf"))
        if event is not None and (event.request, event.sent) == (request, sent):
            return event


def _wait(outside: Outside, seconds: float) -> None:
    until = outside.now() + seconds
    while outside.now() < until:
        outside.wait(until)
