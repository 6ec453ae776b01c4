"""The log of a run: one line for each change of state, and a heartbeat while nothing changes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redeploy.contract.smoke import Smoke
from redeploy.http.response import Response
from redeploy.rollout.assess import Assessment
from redeploy.rollout.pace import SAVING, kept_back, too_slow
from redeploy.rollout.requests import (
    Event,
    FetchContainers,
    FetchDocument,
    FetchRevision,
    FetchTag,
    Probe,
    SendSmoke,
    SendTrigger,
)
from redeploy.rollout.service_state import ServiceState
from redeploy.rollout.watchtower_looks import LOOK_SECONDS
from redeploy.service.identity import Build, version_of
from redeploy.service.window import FEWEST
from redeploy.settings.plan import Mode, Plan
from redeploy.text.untrusted import one_line
from redeploy.triggers.watchtower.containers import Endpoint

if TYPE_CHECKING:
    from redeploy.registry.lookup import Lookup
    from redeploy.rollout.checks import Checking

HEARTBEAT = 15.0
"""Seconds without a line after which the log says what the run is waiting for."""

WORTH_A_NOTE = 10.0
"""Seconds; if the checks take longer, the log says so at the start."""

LOOKED_BEFORE = 10
"""Requests from the bucket before the checks begin: at least the looks of the baseline and at the new build."""

_WHOSE = {
    Build.NEW: " (new)",
    Build.OLD: " (as before)",
    Build.OTHER: " (neither the expected nor the previous one)",
    Build.UNNAMED: " (reports no version)",
}


@dataclass
class ProgressLog:
    """Turns events into lines; it reads `state` and never changes it. Times are monotonic seconds."""

    state: ServiceState
    prefix: str = ""
    """Before each line about the service, if there are several."""
    of_trigger: str = ""
    """Before each line about the trigger, if there are several hosts."""
    said_of_trigger: dict[str, str] = field(default_factory=dict)
    """Lines about the trigger so far; services that share the trigger share them, so that each is written once."""
    alone: bool = True
    """Whether the log is about this service only, and has a heartbeat."""
    _said: dict[str, str] = field(default_factory=dict)
    _lines: list[str] = field(default_factory=list)
    _spoke: float | None = None
    _waits_for: str = ""
    _waits_since: float = 0.0

    def heartbeat_at(self, now: float) -> float:
        """Return when the next heartbeat is due."""
        return (self._spoke if self._spoke is not None else now) + HEARTBEAT

    def lines(self, now: float, event: Event | None) -> list[str]:
        """Return the new lines at `now`, after `event` was taken in."""
        state = self.state
        if event is not None:
            self._of_event(event)
        if state.triggered is not None:
            if state.lookup and state.lookup.note:
                self._on_change("image", f"note: {state.lookup.note}")
            self._say_of_trigger("trigger", "trigger sent")
            if state.target is not None and state.target.next is None:
                found = state.target.manifest
                able = f"a rollback is possible, to {found.digest}: {state.target.source}" if found else ""
                self._once("target", able or f"a rollback is not possible: {state.target.missing}")
        begun = state.triggered is not None or state.verifying
        if state.record.recalled:
            version = version_of(state.record.recalled[-1], state.plan.expect_version, {})
            recalled = f"version {one_line(version)} was live" if version else "a build without a version was live"
            self._once("recalled", f"{recalled} when `baseline` was recorded")
        if begun and (seconds := checks_duration(state.plan)) > WORTH_A_NOTE:
            self._once("checks", f"the checks will take about {seconds:.0f} s at this `request-rate`")
        if begun and too_slow(state.plan.rate):
            self._once(
                "rate",
                "note: this `request-rate` is too low for a probe every second; a crash between two probes may go unnoticed",
            )
        for endpoint in sorted(state.budget.takes_no_query):
            self._once(
                f"query {endpoint}",
                f"note: the {endpoint} address refuses a random query parameter, so it is requested without one",
            )
        if state.trigger.resend_at is not None and state.answer:
            wait = state.trigger.resend_at - now
            self._say_of_trigger(f"again {len(state.trigger.answers)}", f"trigger: sending it again in {wait:.0f} s")
        window = state.history.window
        assessed = Assessment(state)
        if assessed.expected_under_way:
            what = "the expected" if state.plan.declared else "a healthy" if state.plan.inspects else "the new"
            does = "build is answering" if state.addresses else "image is running"
            lasts = max(window.span_needed, 0.0 if state.addresses else (FEWEST - 1) * LOOK_SECONDS)
            self._once(f"window {window.broken}", f"{what} {does}; watching it for {lasts:g} s")
        if assessed.held and state.answered is None and not state.verifying:
            self._once("held", f"stable for {state.plan.stable_for:g} s; waiting for Watchtower's response")
        if window.broken:
            self._once(
                f"broken {window.broken}",
                f"the new build did not stay healthy: {state.history.last.seen if state.history.last else ''}",
            )
        awaited = self._awaited(assessed)
        if awaited != self._waits_for:
            self._waits_for, self._waits_since = awaited, now
        if self.alone and not self._lines and now >= self.heartbeat_at(now):
            self._lines.append(self.heartbeat(now))
        if self._lines or self._spoke is None:
            self._spoke = now
        lines, self._lines = [self.timed(line, now) for line in self._lines], []
        return lines

    def timed(self, line: str, now: float) -> str:
        """Return a line with its time before it."""
        return f"{now - self.state.started:6.1f} s  {line}"

    def heartbeat(self, now: float) -> str:
        """Return what the run is waiting for, because nothing has changed for a while."""
        state = self.state
        left = f"{state.deadline - now:.0f} s left" if now < state.deadline else "past the timeout"
        last = state.history.last or (state.baseline[-1] if state.baseline else None)
        seen = last.seen if last else "nothing yet"
        waited = f"{now - self._waits_since:.0f} s so far, {left}"
        return f"{self.prefix}waiting for {self._waits_for} ({waited}); last response: {seen}"

    def detail(self, event: Event) -> str:
        """Return a request with its result as a debug line: what was sent, what came back, and when, in seconds."""
        state, http_result = self.state, event.http_result
        since = state.started
        what = (
            " and ".join(sorted(event.request.endpoints))
            if isinstance(event.request, Probe)
            else type(event.request).__name__
        )
        came = (
            http_result.came
            if isinstance(http_result, Response)
            else f"{http_result.error_kind} {http_result.detail}".strip()
        )
        return f"{event.sent - since:.2f} s: {what}: {came}, after {event.at - event.sent:.3f} s"

    def _of_event(self, event: Event) -> None:
        state = self.state
        match event.request:
            case Probe():
                self._of_service(state)
            case SendTrigger() if state.answer:
                who = "Watchtower" if state.answer.of_watchtower else "update URL"
                self._say_of_trigger(f"answer {len(state.trigger.answers)}", f"{who}: {state.answer.seen}")
            case FetchDocument() if state.checking.round:
                self._of_document(state.checking)
            case SendSmoke():
                self._of_smoke(state.checking, event.request.smoke)
            case FetchTag() | FetchRevision() if state.lookup:
                self._of_image(state.lookup)
            case FetchContainers() if state.running.last:
                look = state.running.last
                if look.endpoint is Endpoint.ABSENT:
                    self._on_change(
                        "digest",
                        "running digest: not reported; the containers endpoint is missing or refuses the token",
                    )
                elif look.endpoint is Endpoint.FAILED:
                    self._on_change("digest", "running digest: not reported this time")
                else:
                    self._on_change("digest", f"running digest: {look.digest or look.no_digest}")

    def _of_image(self, lookup: "Lookup") -> None:
        if lookup.holds_up and lookup.sentence and self.state.triggered is None:
            self._on_change("image", f"{lookup.sentence}{'' if lookup.hopeless else ' Waiting for it.'}")
        elif lookup.manifest and lookup.as_declared:
            self._on_change("image", f"the registry has {lookup.image}: {lookup.manifest.digest}")
            if lookup.revision:
                self._on_change(
                    "revision", f"the image's label names the commit {one_line(self.state.redact(lookup.revision))}"
                )
        elif lookup.note:
            self._on_change("image", f"note: {lookup.note}")

    def _of_document(self, checking: "Checking") -> None:
        from redeploy.contract.results import counted

        contract, compared = checking.contract, checking.compared
        if contract is None:
            why = checking.unfit.why if checking.unfit else ""
            self._on_change("document", f"OpenAPI: no document, {one_line(why)}")
            return
        change = f", {len(compared.added)} added, {len(compared.removed)} removed" if compared else ""
        self._on_change("document", f"OpenAPI: {counted(contract.operations)}{change}")

    def _of_smoke(self, checking: "Checking", smoke: Smoke) -> None:
        found = checking.of_smoke(smoke)
        if found.seconds is not None and not found.passed:
            self._on_change(
                found.check, f"smoke failed{', which only warns' if found.only_warns else ''}: {found.sentence}"
            )
        if not checking.unanswered:
            made = [checking.of_smoke(each) for each in checking.plan.smoke]
            passed = sum(each.passed for each in made)
            self._on_change("smoke", f"smoke: {passed} of {len(made)} passed")

    def _of_service(self, state: ServiceState) -> None:
        samples = state.samples or state.baseline
        if not samples:
            return
        last = samples[-1]
        named = version_of(last, state.plan.expect_version, state.record.before.names) if last.names_itself else ""
        version = one_line(named)
        whose = _WHOSE.get(state.history.build, "") if state.samples and not state.plan.inspects else ""
        if state.history.build is Build.NEW and (state.live_before or state.plan.mode is Mode.ROLLBACK):
            whose = " (as expected)" if state.plan.mode is not Mode.ROLLBACK else " (put back)"
        where = next(iter(last.endpoints)).value if len(last.endpoints) == 1 else "service"
        line = f"{where}: {last.condition.value if last.healthy and last.seen.isdigit() else last.seen}"
        self._on_change(where, line + (f", version {version}{whose}" if version else ""))

    def _awaited(self, assessed: Assessment) -> str:
        state = self.state
        if state.lookup and state.lookup.holds_up and state.triggered is None:
            return f"the image {state.lookup.image}"
        if state.triggered is None and not state.verifying:
            return "the first response of the service"
        if assessed.checking and state.history.window.latest >= assessed.window_ends:
            left = len(state.checking.unanswered)
            return f"{left} of {len(state.plan.checks.smoke)} smoke requests" if left else "the document"
        if assessed.expected_under_way:
            return (
                "the new build to stay healthy"
                if state.answered is not None or state.verifying
                else "Watchtower's response"
            )
        if state.answered is None and not state.verifying:
            return "Watchtower's response"
        if state.plan.awaits_build and not state.plan.declared and assessed.referenced:
            return "a different build"
        return "the expected build" if state.plan.declared else "a healthy build"

    def _on_change(self, topic: str, line: str) -> None:
        if self._said.get(topic) != line:
            self._said[topic] = line
            self._lines.append(f"{self.prefix}{line}")

    def _say_of_trigger(self, topic: str, line: str) -> None:
        if topic not in self.said_of_trigger:
            self.said_of_trigger[topic] = line
            self._lines.append(f"{self.of_trigger}{line}")

    def _once(self, topic: str, line: str) -> None:
        if topic not in self._said:
            self._on_change(topic, line)


def checks_duration(plan: Plan) -> float:
    """Return the seconds that the smoke requests will take, except those that the bucket allows at once."""
    if plan.rate is None:
        return 0.0
    at_once = max(0.0, plan.rate.burst - LOOKED_BEFORE - kept_back(plan.rate, plan.stable_for))
    return max(0.0, len(plan.checks.smoke) - at_once) * SAVING / plan.rate.per_second  # looks continue meanwhile
