"""The state of one run: takes in what happened, and says what is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from redeploy.core.answer import Again, Answer, Result, is_fork_with_containers, read_answer
from redeploy.core.asking import AskContainers, AskWhetherForked, Books, Event, Probe, SendTrigger
from redeploy.core.digests import Endpoint as ContainersEndpoint
from redeploy.core.digests import Look, Wanted, read_look
from redeploy.core.exchange import NEVER_SENT, NoReply
from redeploy.core.identity import Before, Build, Noise, same_version
from redeploy.core.plan import Mode, Plan, Proof
from redeploy.core.reasons import Reason
from redeploy.core.resend import Resend, next_try
from redeploy.core.sample import Sample, read_sample
from redeploy.core.situation import Situation
from redeploy.core.track import Rules, Track, follow
from redeploy.core.window import Window

UNNAMED_WINDOW = 10.0
"""Seconds of health that an unproven build needs at least: nothing tells when the old one stopped answering."""


@dataclass
class Watch:
    """Everything that happened so far. Times are monotonic seconds unless they are called wall."""

    plan: Plan
    began: float
    redact: Callable[[str], str] = str
    baseline: list[Sample] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    """Those since the trigger or, in mode verify, all."""
    looks: list[Look] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    answered: float | None = None
    triggered: float | None = None
    triggered_wall: float = 0.0
    deadline: float = float("inf")
    forked: bool | None = None
    """Whether the line understands `container=`; None as long as that is not known."""
    not_started: Reason | None = None
    resend_at: float | None = None
    given_up: Reason | None = None

    def __post_init__(self) -> None:
        self.books = Books(self.plan.rate)
        self._noise = Noise()
        self._processes_count = True
        self.track = Track(window=self._fresh_window())
        if self.verifying:
            self.deadline = self.began + self.plan.timeout

    @property
    def verifying(self) -> bool:
        """Whether nothing is triggered."""
        return self.plan.mode is Mode.VERIFY

    @property
    def apart(self) -> bool:
        """Whether the version has an address of its own."""
        return self.plan.service.version_url != self.plan.service.health_url

    @property
    def answer(self) -> Answer | None:
        """Watchtower's last answer."""
        return self.answers[-1] if self.answers else None

    def trigger(self, now: float, wall: float) -> None:
        """Enter that the trigger goes out; the first time starts the clock of the deadline."""
        self.resend_at = None
        if self.triggered is None:
            self.triggered, self.triggered_wall = now, wall
            self.deadline = now + self.plan.timeout

    def take(self, event: Event) -> None:
        """Take in what came of an ask."""
        self.books.note_answered(event)
        match event.ask:
            case Probe():
                self._take_sample(event, event.ask)
            case AskContainers():
                self._take_look(event)
            case AskWhetherForked():
                unreached = isinstance(event.exchange, NoReply) and event.exchange.fault in NEVER_SENT
                self.forked = unreached or is_fork_with_containers(event.exchange)
                if not self.forked:
                    self.not_started = Reason.UNSUPPORTED
            case SendTrigger():
                self._take_answer(event)

    def _take_sample(self, event: Event, probe: Probe) -> None:
        sample = read_sample(
            event.exchange,
            self.plan.service,
            probe.endpoints,
            sent=event.sent,
            at=event.at,
            wall=event.wall,
            redact=self.redact,
        )
        self.books.note_sample(probe, sample)
        before = self.triggered is None and not self.verifying
        earlier = self.baseline if before else self.samples
        out_of_turn = any(each.sent > sample.sent for each in earlier[-2:] if each.endpoints & sample.endpoints)
        if out_of_turn or (self.triggered is not None and sample.sent < self.triggered):
            return
        earlier.append(sample)
        known_noise = self._noise.paths
        if not sample.condition.tells_nothing:
            self._noise.learn(sample, before=before)
        if before:
            self.__dict__.pop("before", None)
        elif self._noise.paths == known_noise:
            self.track = self.track.step(sample, self._rules())
        else:
            self._follow_anew()

    def _take_look(self, event: Event) -> None:
        wanted = Wanted(
            containers=self.plan.watchtower.containers, images=self.plan.watchtower.images, digest=self.plan.expect_digest
        )
        look = read_look(event.exchange, wanted, sent=event.sent, at=event.at)
        self.looks.append(look)
        if look.endpoint is ContainersEndpoint.ABSENT and self.plan.expect_digest and self.triggered is None and not self.verifying:
            self.not_started = Reason.DIGEST_UNAVAILABLE

    def _take_answer(self, event: Event) -> None:
        answer = read_answer(event.exchange)
        self.answers.append(answer)
        self.answered = event.at
        counts = answer.result not in (Result.NOTHING, Result.BLOCKED, Result.FAILED)
        if counts != self._processes_count:
            self._processes_count = counts
            self._follow_anew()
        if answer.again:
            again = next_try(self.answers, now=event.at, first_sent=self.triggered or event.sent, deadline=self.deadline)
            self.resend_at = again.at if isinstance(again, Resend) else None
            self.given_up = None if isinstance(again, Resend) else again

    def _follow_anew(self) -> None:
        self.track = follow(self.samples, self._rules(), self._fresh_window())

    def _fresh_window(self) -> Window:
        return Window(length=self.plan.stable_for, apart=self.apart)

    def _rules(self) -> Rules:
        return Rules(
            before=self.before,
            noise=self._noise.paths,
            expected=self.plan.expect_version,
            triggered=self.triggered_wall,
            processes_count=self._processes_count,
            met_before=self.met_before,
            verifying=self.verifying,
        )

    @cached_property
    def before(self) -> Before:
        """What answered before the trigger."""
        return Before.of(self.baseline)

    @property
    def digest_before(self) -> str:
        """The digest that ran before the trigger; empty where it was not told."""
        told = [look for look in self.looks if self.triggered is not None and look.at <= self.triggered]
        return told[-1].digest if told else ""

    @property
    def digest_now(self) -> str:
        """The digest that runs, as last told since the trigger."""
        told = [look for look in self.looks if look.endpoint is ContainersEndpoint.TOLD]
        return told[-1].digest if told and (self.triggered is None or told[-1].sent >= self.triggered) else ""

    @property
    def digest_wanted_since(self) -> float | None:
        """When the first of the latest looks that all told a wanted digest was asked for."""
        before, since = self.digest_before, None
        for look in self.looks:
            if look.endpoint is not ContainersEndpoint.TOLD:
                continue
            declared = self.plan.expect_digest
            wanted = look.digest == declared if declared else bool(before and look.digest and look.digest != before)
            since = (look.sent if since is None else since) if wanted else None
        return since

    @property
    def met_before(self) -> bool:
        """Whether what is declared was live before the trigger."""
        if self.verifying or not self.plan.declared:
            return False
        named = [each for each in self.baseline if each.names_itself and each.healthy and each.names]
        version = bool(named) and all(
            any(same_version(self.plan.expect_version, name) for name in each.names.values()) for each in named
        )
        digest = self.digest_before == self.plan.expect_digest
        return (version or not self.plan.expect_version) and (digest or not self.plan.expect_digest)

    @property
    def digest_matters(self) -> bool:
        """Whether looks at the containers endpoint can tell anything."""
        absent = any(look.endpoint is ContainersEndpoint.ABSENT for look in self.looks)
        return bool(self.plan.watchtower.containers_url) and not absent and bool(self.plan.expect_digest or self.digest_before)

    @property
    def wanted_under_way(self) -> bool:
        """Whether the window under way is one of what is wanted."""
        window, digest = self.track.window, self.digest_wanted_since is not None
        if window.opened is None:
            return False
        if self.plan.declared:
            version = window.build is Build.NEW or not self.plan.expect_version
            return version and (digest or not self.plan.expect_digest)
        return self.verifying or window.build is Build.NEW or digest

    @property
    def counts_from(self) -> float | None:
        """From when a window counts that only the digest tells to be of what is wanted; None where it counts whole."""
        by_name = self.track.window.build is Build.NEW
        by_digest = bool(self.plan.expect_digest) or not self.plan.declared
        return self.digest_wanted_since if by_digest and not by_name else None

    @property
    def needs_closing_look(self) -> bool:
        """Whether the window has held but for a look at the running digest that was asked for after its end."""
        window = self.track.window
        if not self.wanted_under_way or not window.holds(since=self.counts_from) or window.opened is None:
            return False
        last = self.looks[-1].sent if self.looks else float("-inf")
        if self.plan.expect_digest or window.build is not Build.NEW:
            return last < max(window.opened, self.counts_from or window.opened) + window.span_needed
        return last < window.opened

    def situation(self, now: float) -> Situation:
        """Return all that is known, as one value."""
        track, window, plan, answer = self.track, self.track.window, self.plan, self.answer
        final = answer is not None and (answer.again is None or self._live_without_it(answer.again))
        digest_decides = bool(plan.expect_digest) or (not plan.declared and window.build is not Build.NEW)
        held = (
            self.wanted_under_way
            and window.holds(since=self.counts_from)
            and not (digest_decides and not self.verifying_undeclared and self.needs_closing_look)
        )
        claim = self._claims()
        return Situation(
            mode=plan.mode,
            now=now,
            deadline=self.deadline,
            stable_for=plan.stable_for,
            declared=plan.declared,
            version_declared=bool(plan.expect_version),
            digest_declared=bool(plan.expect_digest),
            require_proof=plan.require_proof,
            answer=answer,
            answered=self.answered,
            answer_final=final,
            refusal=None if answer is None else answer.refusal if answer.again is None else None if final else self.given_up,
            not_started=self.not_started,
            met_before=self.met_before,
            held=held,
            held_proof=self._held_proof(),
            confirmed=self.answered is not None and window.latest > self.answered,
            window_open=window.opened is not None,
            window_began=window.opened,
            wanted_under_way=self.wanted_under_way,
            well_enough=window.holds(since=self.answered, length=max(UNNAMED_WINDOW, plan.stable_for)),
            claim=claim,
            claim_held=claim and window.holds(since=self.answered),
            gap_seen=track.gap_seen,
            held_after_gap=track.gap_ended is not None and window.holds(since=track.gap_ended),
            new_seen=track.new_seen or (self.digest_wanted_since is not None and not self.met_before),
            build=track.build,
            healthy=track.healthy,
            ill=track.ill.condition if track.ill else None if track.last else track.mute,
            window_broke=window.broken > 0,
            broke_late=window.broke_at is not None and window.broke_at > self.deadline,
            flapping=window.flapping,
            walled=track.walled(pages=self.verifying),
            visible=track.like.visible or bool(self.digest_before and self.digest_now),
            wrong_held=self.verifying and plan.declared and window.holds() and not self.wanted_under_way and not self._look_due_first(),
            digest=self.digest_now,
            digest_old=bool(plan.expect_digest) and bool(self.digest_before) and self.digest_now == self.digest_before,
        )

    def _live_without_it(self, again: Again) -> bool:
        """Whether what is wanted is live, so that a trigger that did not run need not go out again.

        An update that runs already is as good as ours. A rate limit is not, where what is wanted was live before.
        """
        live = self.wanted_under_way and self.track.healthy
        return live and again is not Again.UNREACHED and (again is not Again.RATE_LIMITED or not self.met_before)

    @property
    def verifying_undeclared(self) -> bool:
        """Whether health is all that is asked for."""
        return self.verifying and not self.plan.declared

    def _held_proof(self) -> Proof:
        if self.plan.expect_digest:
            return Proof.DIGEST
        if self.plan.expect_version:
            return Proof.VERSION
        return Proof.NONE if self.verifying else Proof.CHANGE

    def _look_due_first(self) -> bool:
        """Whether, in mode verify, the digest was not yet looked at since the window began."""
        opened = self.track.window.opened
        return self.digest_matters and opened is not None and not any(look.at > opened for look in self.looks)

    def _claims(self) -> bool:
        """Whether Watchtower's summary claims an update of this service, and nothing that is visible speaks against it."""
        answer, like = self.answer, self.track.like
        if answer is None or answer.result is not Result.UPDATED or answer.counts is None or answer.counts.skipped is None:
            return False
        one = answer.counts.scanned == 1 or self.plan.watchtower.narrowed_to_one
        noisy = self._noise.paths & self.before.names.keys()
        same_digest = bool(self.digest_before) and self.digest_now == self.digest_before
        return one and not like.same and not like.running_on and not noisy and not same_digest
