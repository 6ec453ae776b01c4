"""The looks before the trigger: all addresses in parallel, the service's twice, and its OpenAPI document once.

If one image is named, its registry is requested as well, and the trigger waits for an image that is not there yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from redeploy.rollout.requests import (
    FetchContainers,
    FetchDocument,
    FetchManifest,
    FetchRevision,
    FetchTag,
    Probe,
    ProbeContainerSupport,
    Request,
    Step,
)
from redeploy.rollout.service_state import LOOKS_BEFORE, ServiceState
from redeploy.settings.plan import OnFailure
from redeploy.verdicts import Reason

SECONDS = 3.0
"""How long they may take in total; a look that fails, or comes too late, is a fact and not an error."""

DOCUMENT_SECONDS = 15.0
"""Seconds between two looks at the document."""

SECOND_LOOK = 0.3
"""Seconds from the first response of an address to the second look."""


@dataclass
class Baseline:
    """Decides what to request before the trigger. Times are monotonic seconds."""

    state: ServiceState
    waited: bool = False
    """Whether so much time has passed that the running build must be looked at again."""
    _looked_again: float | None = None

    def step(self, now: float) -> Step | None:
        """Return what to do at `now`; None when the trigger may be sent."""
        state = self.state
        if state.trigger.not_started is not None:
            return Step((), now, finished=True)
        ends = state.began + SECONDS
        requests: list[Request] = []
        wake = ends
        for request, due in self._wanted(now):
            if due <= now:
                state.budget.note_sent(request, now)  # at once: the next one draws from the same bucket
                requests.append(request)
            wake = min(wake, due)
        if requests:
            return Step(tuple(requests), now)
        waited_for = (Probe, FetchContainers, FetchDocument, FetchTag)
        target = state.target.next if state.target else None
        waiting = wake < ends or any(state.budget.under_way(kind) for kind in waited_for)
        waiting = waiting or (target is not None and state.budget.is_under_way(target))
        if waiting and now < ends:
            return Step((), wake)
        if state.trigger.kind.narrows_doubtfully and state.trigger.supported is None:
            return Step((), inf)
        return self.look_up(now) or self._look_again(now)

    def look_up(self, now: float) -> Step | None:
        """Return what to do for an image that the run needs; None if it needs none, or has it."""
        state = self.state
        if state.lookup is None or not state.lookup.holds_up:
            return None
        state.wait_for_image(now)
        self.waited = True
        if state.lookup.hopeless or now >= state.deadline:
            state.trigger.not_started = Reason.IMAGE_MISSING
            return Step((), now, finished=True)
        found = self.registry_requests()
        due_now = [request for request, due in found if due <= now]
        return self._send(due_now, now, wake=min([state.deadline, *(due for _, due in found)]))

    def _look_again(self, now: float) -> Step | None:
        """Look again at what runs, after a wait: otherwise the time since the last look would count as a gap."""
        state = self.state
        if not self.waited:
            return None
        if self._looked_again is None:
            self._looked_again = now
            state.target = None  # another build may run by now
            requests: list[Request] = [state.budget.probe(endpoints, url) for endpoints, url in state.addresses]
            requests += [FetchContainers()] if state.trigger.kind.lists_running else []
            return self._send(requests, now, wake=now)
        ends = self._looked_again + SECONDS
        waiting = any(state.budget.under_way(kind) for kind in (Probe, FetchContainers)) and now < ends
        return Step((), ends) if waiting else None

    def _send(self, requests: list[Request], now: float, *, wake: float) -> Step:
        for request in requests:
            self.state.budget.note_sent(request, now)
        return Step(tuple(requests), wake)

    def registry_requests(self) -> list[tuple[Request, float]]:
        """Return the requests to the registry, and when each is due."""
        lookup, budget, image = self.state.lookup, self.state.budget, self.state.plan.image
        if lookup is None or image is None:
            return []
        if self.state.tag_open:  # the running container shows the tag
            sent = budget.last_sent(FetchContainers) >= self.state.began
            return [] if sent else [(FetchContainers(), -inf)]
        found: list[tuple[Request, float]] = []
        if self.state.triggered is None and not budget.under_way(FetchTag):
            found.append((FetchTag(lookup.manifest, image.tag), lookup.tag_due))
        unread = map(FetchManifest, dict.fromkeys((*lookup.unread, *self.state.running.unread)))
        found += [(request, -inf) for request in unread if not budget.is_under_way(request)]
        if lookup.manifest and lookup.needs_revision and not budget.under_way(FetchRevision):
            found.append((FetchRevision(lookup.manifest), -inf))
        return found

    def due(self, now: float, *, document: bool) -> list[Request]:
        """Return what to request at `now` besides the looks; `document`: whether the document may show the new build."""
        found = self.registry_requests() + self._document(now, matters=document)
        return [request for request, due in found if due <= now]

    def _document(self, now: float, *, matters: bool) -> list[tuple[Request, float]]:
        """Return the request for the OpenAPI document, and when it is due, if it may show that another deployer is done."""
        state, url = self.state, self.state.plan.checks.document_url
        if url is None or not matters or state.budget.under_way(FetchDocument):
            return []
        request = FetchDocument(url, state.checking.past_caches, state.plan.checks.smoke)
        due = state.budget.last_sent(FetchDocument) + DOCUMENT_SECONDS
        return [(request, max(due, state.budget.ready(url, now)))]

    def _wanted(self, now: float) -> Iterator[tuple[Request, float]]:
        """Yield the requests still to be sent, and when each is due; another service may have emptied the bucket."""
        state, budget, plan = self.state, self.state.budget, self.state.plan
        for endpoints, url in state.addresses:
            looks = [sample for sample in state.baseline if sample.endpoints == endpoints]
            probe = budget.probe(endpoints, url)
            if len(looks) < LOOKS_BEFORE and not budget.is_under_way(probe):
                yield probe, max(budget.ready(url, now), looks[0].at + SECOND_LOOK if looks else now)
        document = plan.checks.document_url
        if state.trigger.kind.lists_running and budget.last_sent(FetchContainers) < state.began:
            yield FetchContainers(), now
        if document and budget.last_sent(FetchDocument) < state.began:
            yield FetchDocument(document), budget.ready(document, now)
        elif document and not budget.under_way(FetchDocument) and state.checking.needs_fresh_before:
            yield FetchDocument(document, past_caches=True), budget.ready(document, now)
        if state.trigger.kind.narrows_doubtfully and budget.last_sent(ProbeContainerSupport) < state.began:
            yield ProbeContainerSupport(), now
        yield from self.registry_requests()
        if plan.on_failure is OnFailure.ROLLBACK and (request := self._target()) and not budget.is_under_way(request):
            yield request, now

    def _target(self) -> FetchManifest | FetchRevision | None:
        """Return the next request to the registry for the image that a rollback would put back."""
        state, budget = self.state, self.state.budget
        if state.target is None:
            ready = state.plan.rollback_to or not (budget.under_way(FetchContainers) or self._unnamed)
            if not ready:
                return None
            from redeploy.rollout.previous.build_before import target_of  # few runs roll back

            state.target = target_of(state)
        return state.target.next

    @property
    def _unnamed(self) -> bool:
        """Whether the address that names the version was not looked at yet."""
        named = [sample.endpoints for sample in self.state.baseline]
        return any(endpoints not in named for endpoints, _ in self.state.addresses[-1:])
