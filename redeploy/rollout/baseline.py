"""The looks before the trigger: all addresses side by side, the service's twice, and its OpenAPI document once.

Where one image is named, its registry is asked beside them, and the trigger waits for an image that is not there yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from redeploy.rollout.requests import (
    Ask,
    AskContainers,
    AskDocument,
    AskManifest,
    AskRevision,
    AskTag,
    AskWhetherForked,
    Probe,
    Step,
)
from redeploy.rollout.service_state import LOOKS_BEFORE, Watch
from redeploy.settings.plan import OnFailure
from redeploy.verdicts import Reason

SECONDS = 3.0
"""How long they may take in all; one that fails, or comes too late, is a fact and no error."""

SECOND_LOOK = 0.3
"""Seconds from the first answer of an address to the second look."""


@dataclass
class Baseline:
    """Decides what to ask before the trigger. Times are monotonic seconds."""

    watch: Watch
    _waited: bool = False
    _looked_again: float | None = None

    def step(self, now: float) -> Step | None:
        """Return what to do at `now`; None when the trigger may go out."""
        watch = self.watch
        if watch.not_started is not None:
            return Step((), now, finished=True)
        ends = watch.began + SECONDS
        asks: list[Ask] = []
        wake = ends
        for ask, due in self._wanted(now):
            if due <= now:
                watch.books.note_sent(ask, now)  # at once: the next one draws from the same bucket
                asks.append(ask)
            wake = min(wake, due)
        if asks:
            return Step(tuple(asks), now)
        waited_for = (Probe, AskContainers, AskDocument, AskTag)
        target = watch.target.next if watch.target else None
        waiting = wake < ends or any(watch.books.under_way(kind) for kind in waited_for)
        waiting = waiting or (target is not None and watch.books.is_under_way(target))
        if waiting and now < ends:
            return Step((), wake)
        if watch.plan.watchtower.containers and watch.forked is None:
            return Step((), inf)
        return self.look_up(now) or self._look_again(now)

    def look_up(self, now: float) -> Step | None:
        """Return what to do for an image that the run cannot do without; None where there is no such, or it is there."""
        watch = self.watch
        if watch.lookup is None or not watch.lookup.holds_up:
            return None
        watch.wait_for_image(now)
        self._waited = True
        if watch.lookup.hopeless or now >= watch.deadline:
            watch.not_started = Reason.IMAGE_MISSING
            return Step((), now, finished=True)
        errands = self.errands()
        due_now = [ask for ask, due in errands if due <= now]
        return self._send(due_now, now, wake=min([watch.deadline, *(due for _, due in errands)]))

    def _look_again(self, now: float) -> Step | None:
        """Look once more at what runs, after a wait: the time since the last look would count as a gap."""
        watch = self.watch
        if not self._waited:
            return None
        if self._looked_again is None:
            self._looked_again = now
            watch.target = None  # another build may run by now
            asks: list[Ask] = [watch.books.probe(endpoints, url) for endpoints, url in watch.addresses]
            asks += [AskContainers()] if watch.plan.watchtower.containers_url else []
            return self._send(asks, now, wake=now)
        ends = self._looked_again + SECONDS
        waiting = any(watch.books.under_way(kind) for kind in (Probe, AskContainers)) and now < ends
        return Step((), ends) if waiting else None

    def _send(self, asks: list[Ask], now: float, *, wake: float) -> Step:
        for ask in asks:
            self.watch.books.note_sent(ask, now)
        return Step(tuple(asks), wake)

    def errands(self) -> list[tuple[Ask, float]]:
        """Return what is to be asked of the registry, and when."""
        lookup, books, image = self.watch.lookup, self.watch.books, self.watch.plan.image
        if lookup is None or image is None:
            return []
        if self.watch.tag_open:  # the container that runs tells the tag
            sent = books.last_sent(AskContainers) >= self.watch.began
            return [] if sent else [(AskContainers(), -inf)]
        found: list[tuple[Ask, float]] = []
        if self.watch.triggered is None and not books.under_way(AskTag):
            found.append((AskTag(lookup.manifest, image.tag), lookup.tag_due))
        unread = map(AskManifest, dict.fromkeys((*lookup.unread, *self.watch.running.unread)))
        found += [(ask, -inf) for ask in unread if not books.is_under_way(ask)]
        if lookup.manifest and lookup.wants_revision and not books.under_way(AskRevision):
            found.append((AskRevision(lookup.manifest), -inf))
        return found

    def _wanted(self, now: float) -> Iterator[tuple[Ask, float]]:
        """Yield what is still to be asked, and from when on; another watch may have emptied the bucket."""
        watch, books, plan = self.watch, self.watch.books, self.watch.plan
        for endpoints, url in watch.addresses:
            looks = [sample for sample in watch.baseline if sample.endpoints == endpoints]
            probe = books.probe(endpoints, url)
            if len(looks) < LOOKS_BEFORE and not books.is_under_way(probe):
                yield probe, max(books.ready(url, now), looks[0].at + SECOND_LOOK if looks else now)
        document = plan.checks.document_url
        if plan.watchtower.containers_url and books.last_sent(AskContainers) < watch.began:
            yield AskContainers(), now
        if document and books.last_sent(AskDocument) < watch.began:
            yield AskDocument(document), books.ready(document, now)
        elif document and not books.under_way(AskDocument) and watch.checking.wants_fresh_before:
            yield AskDocument(document, past_caches=True), books.ready(document, now)
        if plan.watchtower.containers and books.last_sent(AskWhetherForked) < watch.began:
            yield AskWhetherForked(), now
        yield from self.errands()
        if plan.on_failure is OnFailure.ROLLBACK and (ask := self._target()) and not books.is_under_way(ask):
            yield ask, now

    def _target(self) -> AskManifest | AskRevision | None:
        """Return what to look for in the registry next: the image that a rollback would put back."""
        watch, books = self.watch, self.watch.books
        if watch.target is None:
            tells = watch.plan.rollback_to or not (books.under_way(AskContainers) or self._unnamed)
            if not tells:
                return None
            from redeploy.rollout.build_before import target_of  # few runs roll back

            watch.target = target_of(watch)
        return watch.target.next

    @property
    def _unnamed(self) -> bool:
        """Whether a first look at the address that names the version is still to come."""
        endpoints, _ = self.watch.addresses[-1]
        return not any(sample.endpoints == endpoints for sample in self.watch.baseline)
