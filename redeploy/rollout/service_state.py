"""The state of one run: takes in what happened."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from redeploy.http.response import NEVER_SENT, HttpResult, Response, TransportError
from redeploy.rollout.budget import RequestBudget
from redeploy.rollout.pace import watched_needed
from redeploy.rollout.requests import (
    BOTH,
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
)
from redeploy.service.doubt import Doubts
from redeploy.service.history import Rules, SampleHistory, builds, follow, met_by
from redeploy.service.identity import Before, Build, Counting, Learnt, Noise
from redeploy.service.sample import Endpoint, Sample, read_sample
from redeploy.service.stock_pages import StockPages, as_down
from redeploy.service.window import Window, looks_for
from redeploy.settings.plan import Mode, Plan
from redeploy.triggers.trigger import Result
from redeploy.triggers.trigger_state import TriggerState
from redeploy.triggers.watchtower.answer import is_fork_with_containers, told_reasons
from redeploy.triggers.watchtower.containers import ContainerFilter, read_look
from redeploy.triggers.watchtower.containers import Endpoint as ContainersEndpoint
from redeploy.triggers.watchtower.running_image import RunningImage
from redeploy.verdicts import Reason

if TYPE_CHECKING:
    from redeploy.registry.lookup import Lookup
    from redeploy.rollout.checks import Checking
    from redeploy.rollout.target import RestoreTarget

LOOKS_BEFORE = 2
"""So many looks at each address of the service before the trigger: what differs meanwhile is noise."""


@dataclass
class ServiceState(TriggerState):
    """Everything that happened so far. Times are monotonic seconds unless they are called wall."""

    plan: Plan
    began: float
    redact: Callable[[str], str] = str
    baseline: list[Sample] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    """Those since the trigger or, in mode verify, all."""
    target: "RestoreTarget | None" = None
    """The image that a rollback would put back."""

    def __post_init__(self) -> None:
        self.budget = RequestBudget(self.plan.rate)
        self.running = RunningImage(declared=self.plan.expect_digest, asks_registry=self.plan.image is not None)
        self._noise = Noise()
        self._counting = Counting()
        self.doubts = Doubts()
        self._stock_pages = StockPages()
        self.history = SampleHistory(window=self._fresh_window())
        if self.verifying:
            self.deadline = self.began + self.plan.timeout

    def go_on_from(self, earlier: "ServiceState") -> None:
        """Begin where an earlier watch of the same service ended: with its bucket, and its last looks as the baseline."""
        self.budget = earlier.budget.carried_on()
        for sample in (*earlier.baseline, *earlier.samples):
            if not sample.condition.tells_nothing:
                self._noise.learn(sample, before=sample in earlier.baseline)
        for endpoints, _ in self.addresses:
            self.baseline += [each for each in earlier.samples if each.endpoints == endpoints][-LOOKS_BEFORE:]
        self.baseline.sort(key=lambda sample: sample.at)

    @property
    def verifying(self) -> bool:
        """Whether nothing is triggered."""
        return self.plan.mode is Mode.VERIFY

    @property
    def started(self) -> float:
        """When the trigger went out or, where none did, the run began: what moments are told from."""
        return self.began if self.triggered is None else self.triggered

    @property
    def apart(self) -> bool:
        """Whether the version has an address of its own."""
        return self.plan.service.version_url != self.plan.service.health_url

    @property
    def addresses(self) -> list[tuple[frozenset[Endpoint], str]]:
        """What the service is asked by, the address that names the version last."""
        service = self.plan.service
        if not self.apart:
            return [(BOTH, service.health_url)]
        return [
            (frozenset({Endpoint.HEALTH}), service.health_url),
            (frozenset({Endpoint.VERSION}), service.version_url),
        ]

    def trigger(self, now: float, wall: float) -> None:
        """Enter that the trigger goes out; the first time starts the clock of the deadline."""
        self.resend_at = None
        if self.triggered is None:
            self.triggered, self.triggered_wall = now, wall
            self.running.triggered = now
            self.deadline = min(self.deadline, now + self.plan.timeout)

    def wait_for_image(self, now: float) -> None:
        """Enter that the image is waited for, which starts the clock of the deadline."""
        self.deadline = min(self.deadline, now + self.plan.timeout)

    def take(self, event: Event) -> None:
        """Take in what came of an ask."""
        self.budget.note_answered(event)
        match event.request:
            case Probe():
                self._take_sample(event, event.request)
            case FetchContainers():
                self._take_look(event)
            case FetchDocument() | SendSmoke():
                self._take_check(event, event.request)
            case ProbeContainerSupport():
                unreached = isinstance(event.http_result, TransportError) and event.http_result.error_kind in NEVER_SENT
                self.forked = unreached or is_fork_with_containers(event.http_result)
                if not self.forked:
                    self.not_started = Reason.UNSUPPORTED
            case CheckContainers():
                self.told_reasons = told_reasons(
                    event.http_result, self.answer.result if self.answer else Result.UNKNOWN, self.redact
                )
            case FetchTag() if self.lookup:
                self.lookup.take(event.http_result, event.at)
                if found := self.lookup.manifest:
                    self.running.kin.learn(found)
            case FetchRevision() | FetchManifest():
                self._take_errand(event.request, event.http_result)
            case SendTrigger():
                self._take_answer(event)

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
        down = [] if before else self._stock_pages.take(sample)
        sample = as_down(sample) if down else sample
        self.budget.note_sample(probe, sample)
        earlier = self.baseline if before else self.samples
        out_of_turn = any(each.sent > sample.sent for each in earlier[-2:] if each.endpoints & sample.endpoints)
        if out_of_turn or (self.triggered is not None and sample.sent < self.triggered):
            return
        if before:
            self._enter(sample, earlier, before=True)
            return
        settled = self.doubts.take(sample, past_caches=probe.past_caches)
        if settled.cached:
            self.budget.note_cached(probe.endpoints)
        if settled.takes_no_query:
            self.budget.note_takes_no_query(probe.endpoints)
        for each in settled.samples:
            self._enter(each, earlier, before=False)
        if len(down) > 1:
            self.samples = [as_down(each) if each in down else each for each in self.samples]
            self._follow_anew()

    def _enter(self, sample: Sample, earlier: list[Sample], *, before: bool) -> None:
        """Enter what a look at the service showed."""
        earlier.append(sample)
        known = self._noise.learnt
        if not sample.condition.tells_nothing:
            self._noise.learn(sample, before=before)
        if before or self._noise.learnt.units != known.units:
            self.__dict__.pop("before", None)
        if before:
            return
        if self._noise.learnt == known:
            self.history = self.history.step(sample, self._rules())
        else:
            self._follow_anew()

    def _take_look(self, event: Event) -> None:
        wanted = ContainerFilter(
            containers=self.plan.containers,
            images=self.plan.images,
            digest=self.plan.expect_digest,
        )
        look = read_look(event.http_result, wanted, sent=event.sent, at=event.at, redact=self.redact)
        self.running.add(look)
        self.settle_tag(look.tag)
        self._count()
        if (
            look.endpoint is ContainersEndpoint.ABSENT
            and self.plan.expect_digest
            and self.triggered is None
            and not self.verifying
        ):
            self.not_started = Reason.DIGEST_UNAVAILABLE

    def _take_errand(self, request: FetchRevision | FetchManifest, http_result: HttpResult) -> None:
        """Take in what a registry says of the image that should run, and of the one that a rollback would put back."""
        from redeploy.registry.errors import Trouble
        from redeploy.registry.lookup import found_in

        if isinstance(request, FetchRevision) and self.lookup:
            self.lookup.take_revision(request.manifest, http_result)
            if self.plan.version_of_image:
                self.plan = replace(self.plan, expect_version=self.lookup.revision)
        if self.plan.image is None:
            return
        found = found_in(http_result, self.plan.image)
        if self.target is not None:
            self.target.take(request, found)
        if isinstance(request, FetchRevision):
            return
        if isinstance(found, Trouble):
            self.running.kin.give_up(request.reference)
        elif not isinstance(found, str):
            self.running.kin.learn(found)

    @property
    def tag_open(self) -> bool:
        """Whether the image's tag is still to be told by the container that runs it, since no input writes one."""
        image = self.plan.image
        return image is not None and image.bare and bool(self.plan.watchtower.containers_url) and not self.running.all

    def settle_tag(self, tag: str) -> None:
        """Take the image's tag from the container that runs it, where no input writes one; `latest` where none tells."""
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
            return  # else the document from before came too late
        asked = event.http_result.retry_after if isinstance(event.http_result, Response) else None
        again_at = event.at + (asked or 0.0)
        hopeless = event.at < self.deadline <= again_at
        result = self.checking.take(event, patient=again_at < self.deadline, hopeless=hopeless)
        self.budget.note_check(request, event, throttled=result.again == "throttled")

    def _take_answer(self, event: Event) -> None:
        self.take_answer(event.http_result, sent=event.sent, at=event.at)
        self._count()

    @property
    def contract_counts(self) -> bool:
        """Whether another contract is a change: not where Watchtower did nothing, or the container kept its image."""
        return not self._counting.only_commits

    def _count(self) -> None:
        """Find out what counts as a change, by Watchtower's answer and by whether the container kept its image."""
        result = self.answer.result if self.answer else None
        kept = self.answered is not None and self.running.unchanged
        counting = Counting(
            processes=not kept and result not in (Result.NOTHING, Result.BLOCKED, Result.FAILED),
            only_commits=kept or result is Result.NOTHING,
        )
        if counting != self._counting:
            self._counting = counting
            self._follow_anew()

    def _follow_anew(self) -> None:
        self.history = follow(self.samples, self._rules(), self._fresh_window())

    def _fresh_window(self) -> Window:
        needed = watched_needed(self.plan.rate, self.plan.stable_for)
        return Window(
            length=self.plan.stable_for,
            watched_needed=needed,
            apart=self.apart,
            looks_needed=looks_for(self.plan.instances),
        )

    def _rules(self) -> Rules:
        return Rules(
            before=self.before,
            learnt=self._noise.learnt,
            expected=self.plan.expect_version,
            triggered=self.triggered_wall,
            counting=self._counting,
            met_before=self.met_before,
            verifying=self.verifying,
            instances=self.plan.instances,
        )

    @cached_property
    def lookup(self) -> "Lookup | None":
        """The look-up of the image in its registry; None where no one image is named."""
        plan = self.plan
        if plan.image is None:
            return None
        from redeploy.registry.lookup import Lookup  # as in `checking`

        return Lookup(
            plan.image,
            plan.expect_digest,
            names_version=plan.version_of_image,
            patient=not self.verifying,
            kin=self.running.kin,
        )

    @cached_property
    def checking(self) -> "Checking":
        """The checks."""
        from redeploy.rollout.checks import Checking  # what it needs must not be loaded before the first request

        return Checking(self.plan.checks, self.redact)

    @property
    def builds(self) -> list[tuple[Sample, Build]]:
        """The samples, each with whose answer it is by all that is known now."""
        return list(builds(self.samples, self._rules(), self._fresh_window()))

    @property
    def learnt(self) -> Learnt:
        """What is known by now of the service's fields: which are noise, which uptimes tick."""
        return self._noise.learnt

    @cached_property
    def before(self) -> Before:
        """What answered before the trigger."""
        return Before.of(self.baseline, self._noise.learnt.units)

    @property
    def met_before(self) -> bool:
        """Whether what is declared was live before the trigger."""
        if self.verifying or not self.plan.declared:
            return False
        digest = self.running.declared_before or not self.plan.expect_digest
        return digest and (not self.plan.expect_version or met_by(self.baseline, self.plan.expect_version))
