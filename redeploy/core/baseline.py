"""The looks before the trigger: all addresses side by side, the service's twice, and its OpenAPI document once."""

from dataclasses import dataclass

from redeploy.core.asking import Ask, AskContainers, AskDocument, AskWhetherForked, Probe, Step
from redeploy.core.watch import Watch

SECONDS = 3.0
"""How long they may take in all; one that fails, or comes too late, is a fact and no error."""

SECOND_LOOK = 0.3
"""Seconds from the first answer of an address to the second look: what differs meanwhile is noise."""


@dataclass
class Baseline:
    """Decides what to ask before the trigger. Times are monotonic seconds."""

    watch: Watch

    def step(self, now: float) -> Step | None:
        """Return what to do at `now`; None when the trigger may go out."""
        watch = self.watch
        if watch.not_started is not None:
            return Step((), now, finished=True)
        ends = watch.began + SECONDS
        asks = self._first() if watch.books.last_sent(Probe) < watch.began else []
        wake = ends
        for ask, due in [] if asks else self._second():
            if due <= now:
                asks.append(ask)
            wake = min(wake, due)
        if asks:
            for ask in asks:
                watch.books.note_sent(ask, now)
            return Step(tuple(asks), now)
        waiting = wake < ends or any(watch.books.under_way(kind) for kind in (Probe, AskContainers, AskDocument))
        if waiting and now < ends:
            return Step((), wake)
        unsure = bool(watch.plan.watchtower.containers) and watch.forked is None
        return Step((), float("inf")) if unsure else None

    def _first(self) -> list[Ask]:
        watch = self.watch
        asks: list[Ask] = [watch.books.probe(endpoints, url) for endpoints, url in watch.addresses]
        asks += [AskContainers()] if watch.plan.watchtower.containers_url else []
        asks += [AskDocument(watch.plan.checks.document_url)] if watch.plan.checks.document_url else []
        return asks + ([AskWhetherForked()] if watch.plan.watchtower.containers else [])

    def _second(self) -> list[tuple[Ask, float]]:
        """Return the second looks that are still to go out, and when."""
        watch, found = self.watch, list[tuple[Ask, float]]()
        for endpoints, url in watch.addresses:
            looks = [sample for sample in watch.baseline if sample.endpoints == endpoints]
            again = watch.books.probe(endpoints, url)
            if len(looks) == 1 and not watch.books.is_under_way(again):
                found.append((again, looks[0].at + SECOND_LOOK))
        return found
