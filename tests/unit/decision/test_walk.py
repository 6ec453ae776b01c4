"""Properties of every decision, checked for every combination of facts that a run can have."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from redeploy.decision.facts import Facts
from redeploy.decision.stop import next_check_at, should_stop
from redeploy.decision.verdict import conclude
from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.triggers.trigger import Result
from redeploy.verdicts import Proof, Reason, Verdict
from tests.unit.factories import facts
from tools.docs.decision_space import ANSWERS, AXES, GRACE_ENDS, PATIENCE_ENDS, RULES, broken_rules
from tools.docs.decision_walk import completed, described, facts_of, walk

pytestmark = pytest.mark.no_cover  # the tests of the tables reach every line; a walk would reach each a thousand times

LEFT_OUT = {"require_proof": Proof.NONE, "check_failure": None, "not_started": None, "refusal": None}
"""Facts that decide alone; they are walked with the verdict and fixed here for the stop rules."""


def fails(holds: Callable[[Facts], bool], **given: object) -> Iterator[str]:
    """Every combination for which something does not hold, in readable words."""
    for kept, domains in walk(holds, **given):
        if not kept:
            full = completed(domains)
            assert full is not None
            yield f"{conclude(facts_of(full)).verdict}/{conclude(facts_of(full)).reason} where {described(domains)}"


def assert_always(holds: Callable[[Facts], bool], **given: object) -> None:
    found = [text for text, _ in zip(fails(holds, **given), range(5), strict=False)]
    assert not found, "\n".join(found)


@cache
def conclusions() -> dict[tuple[Verdict, Reason], int]:
    """The ways in which a run can end, and how many paths through the rules lead there."""
    found: dict[tuple[Verdict, Reason], int] = {}
    for conclusion, _ in walk(conclude):
        key = conclusion.verdict, conclusion.reason
        found[key] = found.get(key, 0) + 1
    return found


def green(known: Facts) -> bool:
    return conclude(known).exit_code == 0


# the walk itself


def test_facts_that_a_branch_leaves_open_do_not_change_the_verdict() -> None:
    ways = 0
    for conclusion, domains in walk(conclude):
        first, last = completed(domains), completed(domains, first=False)
        assert first is not None
        assert last is not None
        assert conclude(facts_of(first)) == conclude(facts_of(last)) == conclusion, described(domains)
        ways += 1
    assert ways > 1000


def test_facts_that_a_branch_leaves_open_do_not_change_the_stop() -> None:
    for stops, domains in walk(should_stop):
        first, last = completed(domains), completed(domains, first=False)
        assert first is not None
        assert last is not None
        assert should_stop(facts_of(first)) == should_stop(facts_of(last)) == stops, described(domains)


def test_the_branches_cover_every_combination_exactly_once() -> None:
    def some(known: Facts) -> tuple[object, ...]:
        return known.answer, known.verifying, known.answer_final, known.claim_held, known.confirmed

    ends = [each for each, _ in walk(some)]
    by_hand = [
        (answer, verifying, final, claim, confirmed)
        for answer in AXES["answer"]
        for verifying in (False, True)
        for final in (False, True)
        for claim in (False, True)
        for confirmed in (False, True)
        if (answer is None or not verifying)
        and (final or answer is None or answer.again is not None)
        and (answer is not None or not (final or claim or confirmed))
        and (not claim or (answer is not None and answer.result is Result.UPDATED))
    ]
    assert len(ends) == len(set(ends)) == len(by_hand)
    assert set(ends) == set(by_hand)


def test_every_rule_excludes_something() -> None:
    for why, clauses in RULES.items():
        assert clauses, why
        for clause in clauses:
            for name, values in clause:
                assert values < frozenset(AXES[name]), (why, name)


def test_a_broken_rule_is_named() -> None:
    assert broken_rules(facts(answer=ANSWERS["nothing"], claim_held=True, condition=Condition.HEALTHY)) == [
        "only a response is final, confirms a window, refuses, claims, or leaves an old build alone"
    ]
    assert broken_rules(facts(held=True, condition=Condition.HEALTHY)) == [
        "a window of the right build that held is still under way",
        "a window of the right build shows a new build, unless it was live before or nothing is triggered",
    ]


# the verdict


def test_every_verdict_and_reason_of_a_watched_service_is_reachable() -> None:
    found = conclusions()
    assert {verdict for verdict, _ in found} == set(REASONS)
    for verdict, reasons in REASONS.items():
        assert {reason for each, reason in found if each is verdict} == reasons, verdict


REASONS: dict[Verdict, set[Reason]] = {
    Verdict.DEPLOYED: {Reason.NONE},
    Verdict.ALREADY_CURRENT: {Reason.NONE},
    Verdict.VERIFIED: {Reason.NONE},
    Verdict.UNPROVEN: {
        Reason.NOTHING_TO_DO,
        Reason.NO_IDENTITY,
        Reason.NO_CHANGE,
        Reason.WEAK_PROOF,
        Reason.NO_REFERENCE,
    },
    Verdict.NOT_STARTED: set(AXES["not_started"]) - {None},
    Verdict.TRIGGER_FAILED: (set(AXES["refusal"]) - {None})
    | {Reason.UPDATE_FAILED, Reason.UPDATE_BLOCKED, Reason.NOTHING_SCANNED, Reason.NO_ANSWER},
    Verdict.STALE: {Reason.OLD_BUILD, Reason.BEHIND},
    Verdict.WRONG_BUILD: {
        Reason.WRONG_VERSION,
        Reason.WRONG_DIGEST,
        Reason.VERSION_UNAVAILABLE,
        Reason.DIGEST_UNAVAILABLE,
    },
    Verdict.UNHEALTHY: {
        Reason.NEVER_READY,
        Reason.FLAPPING,
        Reason.DOWN,
        Reason.HTML,
        Reason.CACHED,
        Reason.ACCESS_WALL,
        Reason.CHALLENGE,
        Reason.TLS,
        Reason.THROTTLED,
        Reason.REDIRECT,
    },
    Verdict.CHECKS_FAILED: {Reason.OPENAPI, Reason.ROUTES, Reason.BREAKING_CHANGE, Reason.SMOKE, Reason.DOWNTIME},
}
"""The reasons that each verdict has; a red one has exactly one of them."""


def test_a_declaration_is_met_only_by_a_window_that_held_with_its_own_proof() -> None:
    def holds(known: Facts) -> bool:
        if not green(known) or not known.declared:
            return True
        least = Proof.DIGEST if known.digest_declared else Proof.VERSION
        return known.held and conclude(known).proof >= least

    assert_always(holds)


def test_nothing_is_green_without_a_window_that_held() -> None:
    assert_always(
        lambda known: (
            not green(known)
            or known.held
            or (known.unobservable and conclude(known).verdict is Verdict.UNPROVEN)
            or (
                not known.declared
                and (known.claim_held or known.healthy_long_enough or known.held_after_gap)
                and known.window_open  # type: ignore[attr-defined]
            )
        )
    )


def test_nothing_is_green_if_it_is_unhealthy_or_its_checks_failed() -> None:
    assert_always(
        lambda known: (
            not green(known)
            or (known.healthy and known.check_failure is None)
            or (known.unobservable and conclude(known).verdict is Verdict.UNPROVEN)
        )
    )


def test_nothing_is_green_if_a_failure_of_watchtower_stands() -> None:
    def holds(known: Facts) -> bool:
        if not green(known) or known.answer is None:
            return True
        if known.declared and known.held:
            return True
        failed = known.answer.counts is not None and known.answer.counts.failed
        lost = known.answer.lost and not (known.gap_seen or known.new_build_seen)
        believed = failed or lost or known.answer.result in (Result.FAILED, Result.BLOCKED)
        return not (believed or (known.answer.scanned_nothing and not known.held))

    assert_always(holds, verifying=False)


def test_a_failure_that_watchtower_reports_is_the_verdict_unless_what_is_declared_is_met() -> None:
    def holds(known: Facts) -> bool:
        if known.answer is None or (known.declared and known.held) or known.throttled_past_deadline:
            return True
        failed = known.answer.counts is not None and known.answer.counts.failed
        if failed or known.answer.result in (Result.FAILED, Result.BLOCKED):
            return conclude(known).verdict is Verdict.TRIGGER_FAILED
        return True

    assert_always(holds, verifying=False, not_started=None, refusal=None)


def test_nothing_is_green_if_the_old_build_responds_after_a_new_one() -> None:
    def holds(known: Facts) -> bool:
        if known.held or not known.new_build_seen or not known.healthy or known.build is not Build.OLD:
            return True
        ended = conclude(known)
        return ended.verdict in (Verdict.STALE, Verdict.TRIGGER_FAILED) or ended.reason is Reason.THROTTLED

    assert_always(holds, verifying=False, not_started=None, refusal=None)
    assert_always(holds, awaiting=True, not_started=None)


def test_already_current_is_only_a_build_that_was_live_before() -> None:
    def holds(known: Facts) -> bool:
        if conclude(known).verdict is not Verdict.ALREADY_CURRENT:
            return True
        return known.held and known.live_before if known.declared else known.registry_unchanged

    assert_always(holds)


def test_green_has_the_proof_that_is_required() -> None:
    assert_always(lambda known: not green(known) or conclude(known).proof >= known.require_proof)


def test_each_mode_has_its_verdicts() -> None:
    of_verify = {Verdict.VERIFIED, Verdict.UNPROVEN, Verdict.WRONG_BUILD, Verdict.UNHEALTHY, Verdict.CHECKS_FAILED}
    of_verify |= {Verdict.STALE}  # production is behind its branch, or the old build still responds
    for verifying, awaiting in ((False, False), (True, False), (True, True)):
        found = {each.verdict for each, _ in walk(conclude, verifying=verifying, awaiting=awaiting, not_started=None)}
        assert found == of_verify if verifying else Verdict.VERIFIED not in found


def test_a_build_of_another_deployer_is_verified_only_if_it_is_declared_or_differs_from_before() -> None:
    def holds(known: Facts) -> bool:
        ended = conclude(known)
        if ended.verdict is not Verdict.VERIFIED:
            return True
        return known.held and (known.declared or (known.new_build_seen and ended.proof is Proof.CHANGE))

    assert_always(holds, awaiting=True)


def test_a_run_waits_until_the_deadline_for_the_build_of_another_deployer() -> None:
    def holds(known: Facts) -> bool:
        if known.late or decided_at_once(known) or not should_stop(known):
            return True
        return known.held or not (known.declared or known.referenced)

    assert_always(holds, awaiting=True, **LEFT_OUT)


# the stop rules


def test_every_run_stops_when_its_patience_ends() -> None:
    assert_always(should_stop, now=PATIENCE_ENDS)


def test_after_the_deadline_a_run_waits_only_for_a_window_or_the_look_after_it() -> None:
    assert_always(lambda known: not known.late or should_stop(known) or known.window_in_time or known.held)


def test_a_run_that_would_stop_now_would_stop_later_too() -> None:
    def holds(known: Facts) -> bool:
        if not should_stop(known):
            return True
        return all(should_stop(later(known, moment)) for moment in AXES["now"] if moment > known.now)

    assert_always(holds, throttled_past_deadline=False, **LEFT_OUT)


def test_a_run_wakes_when_it_may_stop() -> None:
    def holds(known: Facts) -> bool:
        if should_stop(known):
            return True
        wake = next_check_at(known)
        return wake > known.now and not any(
            should_stop(later(known, moment)) for moment in AXES["now"] if known.now < moment < wake
        )

    assert_always(holds, **LEFT_OUT)


class Later:
    """The same facts at another moment."""

    def __init__(self, known: Facts, now: float) -> None:
        self.known, self.now = known, now

    def __getattr__(self, name: str) -> object:
        if name == "late":
            return self.now >= self.known.deadline
        return getattr(self.known, name)


def later(known: Facts, now: float) -> Facts:
    return Later(known, now)  # type: ignore[return-value]


# verdict and stop rules together


def decided_at_once(known: Facts) -> bool:
    """Whether a failure that waiting cannot fix ends the run."""
    return bool(known.throttled_past_deadline or known.blocked or known.flapping)


def test_every_stop_before_the_deadline_matches_a_row_of_the_table() -> None:
    def holds(known: Facts) -> bool:
        if not should_stop(known) or known.late or decided_at_once(known):
            return True
        ended = conclude(known)
        if known.unobservable:
            return ended.verdict in (Verdict.UNPROVEN, Verdict.TRIGGER_FAILED)
        if known.verifying:
            nothing_to_see = known.awaiting and not known.referenced and not known.declared
            return known.wrong_build_held or ((known.held or nothing_to_see) and known.checked)
        if not known.answer_final:
            return False
        if green(known):
            return known.checked and (known.confirmed or not known.held)
        if ended.verdict is Verdict.TRIGGER_FAILED:
            return known.now >= GRACE_ENDS
        if known.declared:
            return known.old_build_stayed and ended.verdict in (Verdict.STALE, Verdict.WRONG_BUILD)
        return ended.verdict is Verdict.STALE and known.new_build_seen

    assert_always(holds, **LEFT_OUT)


def test_nothing_stops_green_before_its_checks_are_made() -> None:
    assert_always(lambda known: known.checked or known.late or not (should_stop(known) and green(known)), **LEFT_OUT)


def test_a_run_does_not_wait_once_the_build_is_proven() -> None:
    def holds(known: Facts) -> bool:
        if not (known.held and known.checked) or known.watchtower_failure_wins:
            return True
        return should_stop(known) or not (known.verifying or (known.answer_final and known.confirmed))

    assert_always(holds, **LEFT_OUT)


def test_every_response_ends_a_run_without_further_samples() -> None:
    assert_always(lambda known: should_stop(known) or known.window_in_time or known.held, now=PATIENCE_ENDS - 20)


def test_a_failed_check_changes_only_green_verdicts() -> None:
    def holds(known: Facts) -> bool:
        ended = conclude(known)
        green_without = ended.exit_code == 0 or ended.reason is Reason.WEAK_PROOF or ended.verdict is Verdict.UNPROVEN
        for reason in (Reason.OPENAPI, Reason.SMOKE, Reason.DOWNTIME):
            failed = conclude(with_failure(known, reason))
            expected = (Verdict.CHECKS_FAILED, reason) if green_without else (ended.verdict, ended.reason)
            if (failed.verdict, failed.reason) != expected or not (green_without or failed == ended):
                return False
        return True

    assert_always(holds, check_failure=None)


def with_failure(known: Facts, reason: Reason) -> Facts:
    return Failed(known, reason)  # type: ignore[return-value]


class Failed:
    """The same facts with a check that failed."""

    def __init__(self, known: Facts, reason: Reason) -> None:
        self.known, self.check_failure = known, reason

    def __getattr__(self, name: str) -> object:
        return getattr(self.known, name)
