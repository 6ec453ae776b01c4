"""The state of one service in a run: takes in what happened."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from redeploy.rollout.budget import Buckets, RequestBudget
from redeploy.rollout.pace import watched_needed
from redeploy.rollout.requests import (
    CheckContainers,
    Event,
    FetchContainers,
    FetchDocument,
    FetchManifest,
    FetchRevision,
    FetchTag,
    Probe,
    ProbeContainerSupport,
    SendSmoke,
    SendTrigger,
    addresses_of,
)
from redeploy.service.endpoint import Endpoint
from redeploy.service.history import Rules, SampleHistory
from redeploy.service.identity import Counting
from redeploy.service.record import SampleRecord
from redeploy.service.sample import Sample, read_sample
from redeploy.service.window import Window, looks_for
from redeploy.settings.plan import Mode, Plan
from redeploy.triggers.trigger import Answer, Result
from redeploy.triggers.trigger_state import TriggerState
from redeploy.triggers.watchtower.row_sample import row_sample
from redeploy.triggers.watchtower.running_image import RunningImage
from redeploy.triggers.watchtower.trigger import WatchtowerTrigger
from redeploy.verdicts import Reason

if TYPE_CHECKING:
    from redeploy.registry.lookup import Lookup
    from redeploy.rollout.checks import Checking
    from redeploy.rollout.previous.target import RestoreTarget

LOOKS_BEFORE = 2
"""Looks at each address of the service before the trigger: what differs between them is noise."""


@dataclass
class ServiceState:
    """Everything that happened to one service so far. Times are monotonic seconds unless they are called wall."""

    plan: Plan
    began: float
    redact: Callable[[str], str] = str
    shared_trigger: TriggerState | None = None
    """The trigger, if other services share it, or if it is not Watchtower."""
    shared_buckets: Buckets | None = None
    """The buckets of all origins, if other services draw from them, too."""
    target: "RestoreTarget | None" = None
    """The image that a rollback would put back."""

    def __post_init__(self) -> None:
        self.trigger = self.shared_trigger or TriggerState(kind=WatchtowerTrigger(self.plan.watchtower))
        self.budget = RequestBudget(self.shared_buckets or Buckets(self.plan.rate))
        asks, listed = self.plan.image is not None, self.trigger.kind.lists_running
        self.running = RunningImage(declared=self.plan.expect_digest, asks_registry=asks, listed=listed)
        self._counting, earlier, service = Counting(), self.plan.baseline, self.plan.service
        self.record = SampleRecord(
            self._rules,
            self._fresh_window,
            recalled=earlier.samples(service, self.redact, self.began) if earlier else (),
            noisy=earlier.noise(service, self.redact) if earlier else frozenset(),
        )
        if earlier:
            self.running.recall(earlier.look(self.began), earlier.images)
        self.deadline = self.began + self.plan.timeout if self.verifying else float("inf")

    def continue_from(self, earlier: "ServiceState") -> None:
        """Continue from an earlier state of the same service, with its buckets, and its last looks as the baseline."""
        self.budget = earlier.budget.for_next_state()
        by_address = ([each for each in earlier.samples if each.endpoints == one] for one, _ in self.addresses)
        self.record.continue_from(earlier.record, [sample for found in by_address for sample in found[-LOOKS_BEFORE:]])

    @property
    def verifying(self) -> bool:
        """Whether nothing is triggered."""
        return self.plan.mode is Mode.VERIFY

    @property
    def triggered(self) -> float | None:
        """When the trigger was first sent."""
        return self.trigger.triggered

    @property
    def answered(self) -> float | None:
        """When the last response to the trigger came."""
        return self.trigger.answered

    @property
    def answer(self) -> Answer | None:
        """The last response to the trigger."""
        return self.trigger.answer

    @property
    def started(self) -> float:
        """When the trigger was sent or, without a trigger, the run began: all times are reported relative to this."""
        return self.began if self.triggered is None else self.triggered

    @cached_property
    def addresses(self) -> list[tuple[frozenset[Endpoint], str]]:
        """The addresses of the service; the last one names the version."""
        return addresses_of(self.plan.service)

    def record_trigger(self, now: float, wall: float) -> None:
        """Record that the trigger is sent; the first time, this sets the deadline."""
        self.trigger.send(now, wall)
        if self.running.triggered is None:
            self.running.triggered = now
            self.deadline = min(self.deadline, now + self.plan.timeout)
            self.trigger.deadline = max(self.trigger.deadline, self.deadline)

    def wait_for_image(self, now: float) -> None:
        """Record that the run waits for the image, which sets the deadline."""
        self.deadline = min(self.deadline, now + self.plan.timeout)

    def take(self, event: Event) -> None:
        """Take in the result of a request for this service, or of its trigger."""
        self.budget.note_answered(event)
        match event.request:
            case Probe():
                self._take_sample(event, event.request)
            case FetchContainers():
                self._take_look(event)
            case FetchDocument() | SendSmoke():
                self._take_check(event, event.request)
            case FetchTag() if self.lookup:
                self.lookup.take(event.http_result, event.at)
                if found := self.lookup.manifest:
                    self.running.manifests.learn(found)
            case FetchRevision() | FetchManifest():
                from redeploy.rollout.image_lookups import take_response  # as in `lookup`

                expected = self.plan.expect_version
                self.plan = take_response(
                    event.request,
                    event.http_result,
                    plan=self.plan,
                    lookup=self.lookup,
                    target=self.target,
                    manifests=self.running.manifests,
                )
                if self.plan.expect_version != expected:
                    self.record.follow()
            case ProbeContainerSupport():
                self.trigger.take_support(event.http_result)
            case CheckContainers():
                self.trigger.take_explanation(event.http_result, self.redact)
            case SendTrigger():
                self.trigger.take_answer(event.http_result, sent=event.sent, at=event.at)
                self.count()

    def _take_sample(self, event: Event, probe: Probe) -> None:
        sample = read_sample(
            event.http_result,
            self.plan.service,
            probe.endpoints,
            sent=event.sent,
            at=event.at,
            wall=event.wall,
            redact=self.redact,
            beyond_caches=self.budget.is_beyond_caches(probe),
        )
        before = self.triggered is None and not self.verifying
        sample, down = (sample, []) if before else self.record.as_down(sample)
        self.budget.note_sample(probe, sample)
        overtaken = self.triggered is not None and sample.sent < self.triggered
        if overtaken or self.record.is_out_of_turn(sample, before=before):
            return
        if before:
            self.record.take_before(sample)
            return
        settled = self.record.take(sample, down, past_caches=probe.past_caches)
        if settled.cached:
            self.budget.note_cached(probe.endpoints)
        if settled.takes_no_query:
            self.budget.note_takes_no_query(probe.endpoints)

    def _take_look(self, event: Event) -> None:
        read, wanted = self.trigger.kind.read_running, self.plan.rows_that_count
        look = read(event.http_result, wanted, sent=event.sent, at=event.at, redact=self.redact)
        self.running.add(look)
        self.settle_tag(look.tag)
        self.count()
        before = self.triggered is None and not self.verifying
        if self.running.absent and self.plan.needs_rows and before:
            self.trigger.not_started = Reason.DIGEST_UNAVAILABLE
        if not self.addresses and (sample := row_sample(look, event.wall)):
            (self.record.take_before if before else self.record.take)(sample)

    @property
    def tag_open(self) -> bool:
        """Whether the running container must still show the image's tag, because no input has one."""
        image = self.plan.image
        return image is not None and image.bare and self.trigger.kind.lists_running and not self.running.all

    def settle_tag(self, tag: str) -> None:
        """Take the image's tag from the running container, if no input has one; `latest` if no container shows it."""
        image = self.plan.image
        if image is not None and image.bare:
            image = image.under(tag or image.tag)
            self.plan = replace(self.plan, image=image, images=(image,))
            self.__dict__.pop("lookup", None)

    def _take_check(self, event: Event, request: FetchDocument | SendSmoke) -> None:
        before = self.triggered is None and not self.verifying
        if before or (self.triggered is not None and event.sent < self.triggered):
            self.budget.note_check(request, event, throttled=False)
            if before and isinstance(request, FetchDocument):
                self.checking.take_before(request, event.http_result)
            return  # for a document from before, it is too late now
        result = self.checking.take(event, self.deadline)
        self.budget.note_check(request, event, throttled=result.again == "throttled")

    @property
    def contract_counts(self) -> bool:
        """Whether another contract is a change: not if Watchtower did nothing, or the container kept its image."""
        return not self._counting.only_commits

    def count(self) -> None:
        """Decide what counts as a change, by Watchtower's response and by whether the container kept its image."""
        result = self.answer.result if self.answer else None
        kept = (self.answered is not None or self.plan.awaits_build) and self.running.unchanged
        counting = Counting(
            processes=not kept and result not in (Result.NOTHING, Result.BLOCKED, Result.FAILED),
            only_commits=kept or result is Result.NOTHING,
        )
        if counting != self._counting:
            self._counting = counting
            self.record.follow()

    def _fresh_window(self) -> Window:
        return Window(
            length=self.plan.stable_for,
            watched_needed=watched_needed(self.plan.rate, self.plan.stable_for) if self.addresses else 0.0,
            apart=self.plan.service.apart,
            looks_needed=looks_for(self.plan.instances),
        )

    def _rules(self) -> Rules:
        return Rules(
            before=self.record.before,
            learnt=self.record.learnt,
            expected=self.plan.expect_version,
            triggered=self.plan.baseline.ended if self.plan.baseline else self.trigger.triggered_wall,
            counting=self._counting,
            live_before=self.live_before,
            verifying=self.plan.inspects,
            instances=self.plan.instances,
        )

    @cached_property
    def lookup(self) -> "Lookup | None":
        """The look-up of the image in its registry; None unless exactly one image is named."""
        if self.plan.image is None:
            return None
        from redeploy.rollout.image_lookups import lookup_of  # as in `checking`

        return lookup_of(self.plan, self.running.manifests, patient=not self.verifying)

    @cached_property
    def checking(self) -> "Checking":
        """The checks of the live build."""
        from redeploy.rollout.checks import Checking  # what it needs must not be loaded before the first request

        earlier = self.plan.baseline if self.plan.checks.document_url and not self.plan.declared else None
        recalled = earlier.promised if earlier else None
        return Checking(self.plan.checks, self.redact, recalled=recalled, reports_contract=self.verifying)

    @property
    def samples(self) -> list[Sample]:
        """The samples since the trigger or, in mode verify, all."""
        return self.record.samples

    @property
    def baseline(self) -> list[Sample]:
        """The samples before the trigger."""
        return self.record.baseline

    @property
    def history(self) -> SampleHistory:
        """The state that follows from the samples."""
        return self.record.history

    @property
    def live_before(self) -> bool:
        """Whether the declared build was live before the trigger."""
        if self.plan.inspects or not self.plan.declared:
            return False
        digest = self.running.declared_before or not self.plan.expect_digest
        return digest and (not self.plan.expect_version or self.record.live_before(self.plan.expect_version))
