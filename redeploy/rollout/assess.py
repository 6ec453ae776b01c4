"""The state of a run, summed up at one moment."""

from dataclasses import replace
from functools import cached_property
from itertools import takewhile

from redeploy.decision.facts import Facts
from redeploy.decision.stop import GRACE, should_stop
from redeploy.decision.verdict import conclude
from redeploy.rollout.evidence.weighing import UNNAMED_WINDOW, Weighing
from redeploy.rollout.pace import SAVING, WINDOW_MOST
from redeploy.rollout.requests import FetchContainers, FetchDocument, Probe
from redeploy.service.endpoint import Endpoint
from redeploy.service.gaps import certain_downtime, gaps
from redeploy.service.identity import Build
from redeploy.service.window import FEWEST
from redeploy.triggers.trigger import Again
from redeploy.verdicts import Reason, Verdict

OVERTIME = 5.0
"""Seconds that a window which began in time may take beyond its end, besides one request: responses may be inconclusive."""

WELL = frozenset({Verdict.DEPLOYED, Verdict.ALREADY_CURRENT, Verdict.VERIFIED, Verdict.UNPROVEN})
"""Verdicts about a service that is healthy."""


class Assessment(Weighing):
    """The state of a run, summed up at one moment. Times are monotonic seconds."""

    @cached_property
    def opening(self) -> bool:
        """Whether there was a good response, and only the look past caches at health is missing to open the window."""
        health, begun = self._history.health, self._window.begun
        if not self.may_open or begun is None:
            return False
        return not self._window.apart or health is None or health.sent < begun

    @cached_property
    def may_open(self) -> bool:
        """Whether a window may open; not one of the old build while that is expected to be replaced."""
        window, state = self._window, self._state
        awaited = bool(self._plan.expect_version) or not (self.answer_final or state.plan.awaits_build)
        replaced = not state.plan.inspects and window.build is Build.OLD and awaited
        return window.candidate and window.opened is None and not replaced and not self.too_early

    @cached_property
    def version_outdated(self) -> bool:
        """Whether a window would open for the old build, whose version was last asked for before Watchtower responded."""
        answered = self._state.answered
        if answered is None or not self._window.apart or self._window.build is not Build.OLD:
            return False
        since = takewhile(lambda each: each.sent >= answered, reversed(self._state.samples))
        return not any(Endpoint.VERSION in each.endpoints for each in since)

    @property
    def _expected_opening(self) -> bool:
        return self.opening and (self._window.build is Build.NEW or not self._plan.expect_version)

    @cached_property
    def counts_from(self) -> float | None:
        """From when a window counts, if that may be later than its start; None: from its start."""
        beside = self.beside_since if self._window.build is not Build.NEW else None
        if self._state.live_before and self.answer_final:  # what was live before must still be live after the response
            return max(beside or 0.0, self._state.answered or 0.0)
        return beside

    @cached_property
    def window_length(self) -> float:
        """Seconds from the first sample of the current window to its end, as far as is known."""
        length, opened = self._window.span_needed, self._window.opened or 0.0
        if self.expected_under_way or self._plan.declared:
            since = self.counts_from
        else:
            since, length = self.unnamed_window
        return length + max(0.0, (since or 0.0) - opened)

    @property
    def window_ends(self) -> float:
        """When the current window ends, as far as is known."""
        return (self._window.opened or 0.0) + self.window_length

    @property
    def confirmed(self) -> bool:
        """Whether the window goes on after Watchtower's response: until then, the old image may still be put back."""
        window, answered = self._window, self._state.answered
        latest = min(window.latest, window.version_asked) if window.apart else window.latest
        return answered is not None and latest > answered

    @property
    def unconfirmed(self) -> bool:
        """Whether all that is missing is a look after Watchtower's response, or one after the last check."""
        ended = self._window.opened is not None and self._window.latest >= self.window_ends
        unlooked = self._state.checking.done(self.checks_from) and not self.checked
        return (self.answer_final and self.held and not self.confirmed) or (ended and unlooked)

    @cached_property
    def needs_closing_look(self) -> bool:
        """Whether the window has held, except that the running digest was not requested after its end."""
        return self._needs_closing(FetchContainers)

    @cached_property
    def needs_closing_document(self) -> bool:
        """Whether the window has held, except that the OpenAPI document was not requested after its end.

        This matters if only the document distinguishes builds, or might: one may replace the other without a gap.
        """
        state = self._state
        if self._plan.declared or state.plan.inspects or state.checking.known_before is None:
            return False
        if self.expected_under_way:
            return self._needs_closing(FetchDocument)
        since = max(state.answered or 0.0, self._window.opened or 0.0)
        needed = self.unnamed_length
        unnamed = self.checkable and not self._history.like.visible and self._window.holds(since=since, length=needed)
        return unnamed and not state.checking.closed(since + needed)

    @property
    def held(self) -> bool:
        """Whether the window of the expected build has held."""
        return self.expected_under_way and self._holds(since=self.counts_from)

    def _holds(self, *, since: float | None = None, length: float | None = None) -> bool:
        """Return whether the window has held, and no look in it still waits for its response: that may be a bad one."""
        under_way = self._state.budget.under_way(Probe)
        overtaken = any((self._window.opened or 0.0) <= sent < self._window.latest for sent in under_way)
        return not overtaken and self._window.holds(since=since, length=length)

    def _needs_closing(self, request: type[FetchContainers | FetchDocument]) -> bool:
        """Return whether the window has held, but some evidence needs this request again after its end."""
        closing = ((place, each) for place, each in enumerate(self.evidence) if each.closes_with is request)
        return self.held and any(each.needs_closing(self.window_ends, alone=self.alone(at)) for at, each in closing)

    @cached_property
    def checkable(self) -> bool:
        """Whether the build in the current window is one that the verdict may be about, so that it can be checked."""
        state, window = self._state, self._window
        released = self.answer_final or self._history.gap_seen or state.plan.awaits_build
        unproven = not self._plan.declared and not state.plan.inspects and released
        if window.build is Build.OLD:  # it may still be replaced, and an unsafe request must not be sent twice
            unproven = unproven and window.holds(since=state.answered)
        return window.opened is not None and (self.expected_under_way or unproven)

    @cached_property
    def checking(self) -> bool:
        """Whether checks of the current window are still missing."""
        return self.checkable and not self._state.checking.done(self.checks_from)

    @cached_property
    def checked(self) -> bool:
        """Whether all checks are done, and the service was looked at after them."""
        checking = self._state.checking
        looked_after = checking.done(self.checks_from) and self._window.latest >= checking.answered
        return not checking.any_needed or (looked_after and not self.needs_closing_document)

    @cached_property
    def answer_final(self) -> bool:
        """Whether Watchtower's response is final: the trigger is not sent again."""
        answer = self._state.answer
        return answer is not None and (answer.again is None or self._live_without_it(answer.again))

    def _live_without_it(self, again: Again) -> bool:
        """Return whether the expected build is live, so that a trigger that did not run need not be sent again.

        An update that is running already is as good as ours. A rate limit is not, if the expected build was live before.
        """
        history, stayed = self._history, self._state.live_before
        live = history.healthy and self.expected_under_way
        undisturbed = stayed and history.failing is None and history.build in (Build.NEW, Build.UNKNOWN)
        return (
            (live or undisturbed) and again is not Again.UNREACHED and (again is not Again.RATE_LIMITED or not stayed)
        )

    def lacks_only_checks(self, now: float) -> bool:
        """Return whether the run would end now, and well, if its checks had passed.

        Only then are requests sent that may change something on the server: once, and to the proven build.
        """
        would_be = replace(self.facts(now), checking=False, checked=True, check_failure=None)
        return should_stop(would_be) and conclude(would_be).verdict in WELL

    @property
    def _refusal(self) -> Reason | None:
        answer = self._state.answer
        if answer is None or answer.again is None:
            return answer.refusal if answer else None
        return None if self.answer_final else self._state.trigger.given_up

    @property
    def _window_in_time(self) -> bool:
        began, under_way = self._window.begun, self._window.opened is not None or self.opening
        return under_way and began is not None and began <= self._state.deadline

    @property
    def _old_build_stayed(self) -> bool:
        """Whether the old build was healthy for long enough after Watchtower's response, and no other build was seen."""
        state, history, running = self._state, self._history, self._state.running
        if state.answered is None or not history.healthy or history.last is None or self.new_build_seen:
            return False
        gap = history.gap_ended is not None and history.gap_ended > state.answered
        other = history.build in (Build.NEW, Build.OTHER) or (bool(running.now) and not running.is_old)
        long_enough = history.last.sent >= state.answered + self._plan.stable_for + GRACE
        seen = not gap and not other and not history.version_cached  # behind a cache, the build may be another
        return long_enough and seen and not self._window.broken

    @property
    def _wrong_build_held(self) -> bool:
        """Whether, in mode verify, a window of another build has held, and the digest was looked at meanwhile."""
        state, looks = self._state, self._state.running.reported
        looked = not self.digest_matters or (bool(looks) and looks[-1].at > (self._window.opened or 0.0))
        return (
            state.plan.inspects
            and self._plan.declared
            and self._window.holds()
            and not self.expected_under_way
            and looked
        )

    @property
    def _patience_ends(self) -> float:
        """When the time is up for a window that began before the deadline, and for its checks.

        Checks may go on after the deadline while they make progress: at a low rate, the bucket has a token now and then.
        """
        state, rate = self._state, self._plan.rate
        ends = max(state.deadline, self.window_ends)
        if state.checking.any_needed:
            token = SAVING * state.budget.highest_cost / rate.per_second if rate else 0.0
            ends = max(ends, state.deadline + token, state.checking.answered + token)
        if self._window.looks_needed > FEWEST:
            pause = SAVING * state.budget.highest_cost / rate.per_second if rate else WINDOW_MOST
            named = self._window.version_at if self._window.apart else self._window.latest
            ends = max(ends, named) + self._window.looks_missing * max(pause, WINDOW_MOST)
        return ends + self._plan.request_timeout + OVERTIME

    def facts(self, now: float) -> Facts:
        """Return the facts that stop rules and verdict depend on."""
        state, plan, history, window = self._state, self._plan, self._history, self._window
        right_build = self.expected_under_way or self._expected_opening
        return Facts(
            verifying=state.verifying,
            awaiting=state.plan.awaits_build,
            referenced=self.referenced,
            now=now,
            deadline=state.deadline,
            stable_for=plan.stable_for,
            version_declared=bool(plan.expect_version),
            digest_declared=bool(plan.expect_digest),
            require_proof=plan.require_proof,
            answer=state.answer,
            answered_at=state.answered,
            answer_final=self.answer_final,
            refusal=self._refusal,
            not_started=state.trigger.not_started,
            live_before=state.live_before,
            held=self.held and not self.needs_closing_look and not self.needs_closing_document,
            confirmed=self.confirmed,
            window_in_time=self._window_in_time,
            patience_ends=self._patience_ends,
            right_build_under_way=right_build,
            healthy_long_enough=self._holds(
                since=state.answered, length=None if self.registry_unchanged else UNNAMED_WINDOW
            ),
            registry_unchanged=self.registry_unchanged,
            claim_held=self.claims and self._holds(since=state.answered),
            gap_seen=history.gap_seen,
            held_after_gap=history.gap_ended is not None and self._holds(since=history.gap_ended),
            new_build_seen=self.new_build_seen,
            build=history.build,
            version_cached=history.version_cached,
            condition=history.condition,
            window_broke=window.broken > 0,
            broke_late=window.broke_at is not None and window.broke_at > state.deadline,
            flapping=window.flapping,
            throttled_past_deadline=now < state.deadline < state.budget.throttled_until(state.addresses[-1:]),
            starved=self.is_starved(now, judged=right_build or not (plan.declared or window.build is Build.OLD)),
            blocked=history.walled(pages=state.plan.inspects) is not None,
            unobservable=not state.addresses and not state.running.can_list,
            builds_visible=self.builds_visible,
            old_build_stayed=self._old_build_stayed,
            wrong_build_held=self._wrong_build_held,
            digest_reported=bool(state.running.now),
            digests_differ=state.running.last is not None and state.running.last.differ,
            old_digest_runs=state.running.is_old,
            reverted=any(each.reverted for each in self.evidence),
            checking=self.checking,
            checked=self.checked,
            check_failure=state.checking.failure(self.checks_from)
            or (Reason.DOWNTIME if self._down_too_long else None),
        )

    @property
    def _down_too_long(self) -> bool:
        """Whether the service was certainly unhealthy for longer than `max-downtime` allows."""
        state, most = self._state, self._plan.max_downtime
        return most is not None and certain_downtime(gaps(state.baseline, state.samples, state.started)) > most
