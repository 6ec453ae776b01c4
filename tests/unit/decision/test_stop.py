"""When a run stops waiting: the table of Watchtower responses, row by row.

All tests share one clock: Watchtower responded at 10 s, the deadline is at 300 s, a window takes 5 s.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.decision.facts import Facts
from redeploy.decision.stop import GRACE, next_check_at, should_stop
from redeploy.http.condition import Condition
from redeploy.triggers.trigger import Answer
from redeploy.verdicts import Reason
from tests.unit.factories import (
    ACCEPTED,
    BLOCKED,
    FAILED,
    LOST,
    NOTHING,
    PARTIAL_FAILED,
    PARTIAL_SKIPPED,
    SCANNED_NOTHING,
    UPDATED,
    facts,
)

HOPE = 10.0 + 5.0 + GRACE
D = 300.0
DECLARED = {"version_declared": True}


def ends(answer: Answer | None, **known: Any) -> float | None:  # noqa: ANN401 - the fields of a Facts
    """The first moment at which the run ends if nothing new is seen; None if it waits beyond the deadline."""
    for moment in (10.0, HOPE - 0.1, HOPE, D - 0.1, D, D + 100):
        if should_stop(facts(answer=answer, now=moment, **known)):
            return moment
    return None


# Watchtower's response decides how long to wait


@pytest.mark.parametrize(
    ("answer", "declared_unmet", "no_change"),
    [
        pytest.param(UPDATED, D, D, id="updated"),
        pytest.param(ACCEPTED, D, D, id="accepted"),
        pytest.param(PARTIAL_SKIPPED, D, D, id="partial, skipped"),
        pytest.param(PARTIAL_FAILED, D, HOPE, id="partial, failed"),
        pytest.param(NOTHING, D, D, id="nothing"),
        pytest.param(FAILED, HOPE, HOPE, id="failed"),
        pytest.param(BLOCKED, HOPE, HOPE, id="blocked"),
        pytest.param(SCANNED_NOTHING, HOPE, HOPE, id="unknown, scanned nothing"),
        pytest.param(LOST, D, D, id="unknown, lost"),
        pytest.param(None, D, D, id="unknown, never came"),
    ],
)
@pytest.mark.parametrize("column", ["declared, unmet", "nothing declared, no change"])
def test_watchtowers_response_decides_how_long_the_run_waits(
    answer: Answer | None, declared_unmet: float, no_change: float, column: str
) -> None:
    if column == "declared, unmet":
        assert ends(answer, **DECLARED) == declared_unmet
    else:
        assert ends(answer) == no_change


@pytest.mark.parametrize("answer", [UPDATED, ACCEPTED, PARTIAL_SKIPPED, NOTHING], ids=lambda each: each.result.value)
def test_undeclared_enough_good_responses_after_watchtowers_end_the_run(answer: Answer) -> None:
    assert ends(answer, healthy_long_enough=True, condition=Condition.HEALTHY) == 10.0


def test_declared_nothing_done_ends_the_run_once_the_old_build_has_stayed() -> None:
    assert ends(NOTHING, **DECLARED, old_build_stayed=True, condition=Condition.HEALTHY) == 10.0
    assert ends(UPDATED, **DECLARED, old_build_stayed=True, condition=Condition.HEALTHY) == D


@pytest.mark.parametrize("seen", [{"healthy_long_enough": True}, {"gap_seen": True, "held_after_gap": True}])
@pytest.mark.parametrize("answer", [UPDATED, NOTHING, LOST], ids=lambda each: each.result.value)
def test_undeclared_the_run_waits_for_a_new_build_that_was_seen(seen: dict[str, Any], answer: Answer) -> None:
    """The result would be red: only a window of that build proves it, and the service is healthy."""
    assert ends(answer, **seen, new_build_seen=True, condition=Condition.HEALTHY) == D


def test_undeclared_a_claim_that_held_ends_the_run() -> None:
    assert ends(UPDATED, claim_held=True) == 10.0
    assert ends(UPDATED) == D


def test_undeclared_a_lost_response_and_a_gap_need_one_window_after_it() -> None:
    assert ends(LOST, gap_seen=True, held_after_gap=True) == 10.0
    assert ends(LOST, gap_seen=True) == D
    assert ends(LOST, healthy_long_enough=True) == D, "no gap was seen, and health alone proves nothing"


@pytest.mark.parametrize("answer", [FAILED, BLOCKED, PARTIAL_FAILED], ids=["failed", "blocked", "partial, failed"])
def test_undeclared_a_failure_that_watchtower_reports_ends_the_run_even_where_a_change_was_seen(answer: Answer) -> None:
    assert ends(answer, held=True, right_build_under_way=True, confirmed=True) == HOPE


@pytest.mark.parametrize(
    "answer",
    [UPDATED, ACCEPTED, NOTHING, FAILED, BLOCKED, PARTIAL_FAILED, SCANNED_NOTHING, LOST],
    ids=lambda each: str(each.counts or each.result),
)
def test_declared_good_health_of_another_build_ends_nothing_before_its_time(answer: Answer) -> None:
    known = {"healthy_long_enough": True, "claim_held": True, "gap_seen": True, "held_after_gap": True}
    assert ends(answer, **DECLARED, **known) == ends(answer, **DECLARED)


# declared and met, or nothing declared and a change


@pytest.mark.parametrize("declared", [True, False], ids=["declared and met", "undeclared change"])
class TestHeld:
    @staticmethod
    def known(declared: bool, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"version_declared": declared, "held": True, "right_build_under_way": True} | more

    @pytest.mark.parametrize("answer", [UPDATED, ACCEPTED, PARTIAL_SKIPPED, NOTHING, SCANNED_NOTHING, LOST])
    def test_the_run_ends_with_one_more_sample_after_the_response(self, declared: bool, answer: Answer) -> None:
        assert ends(answer, **self.known(declared, confirmed=True)) == 10.0

    def test_the_run_waits_for_that_sample(self, declared: bool) -> None:
        assert not should_stop(facts(answer=UPDATED, now=200.0, **self.known(declared)))

    def test_the_run_waits_for_that_sample_beyond_the_deadline_too(self, declared: bool) -> None:
        known = self.known(declared, window_in_time=True)
        assert not should_stop(facts(answer=UPDATED, answered_at=299.9, now=300.1, **known))

    def test_the_run_waits_until_the_deadline_for_a_response_that_does_not_come(self, declared: bool) -> None:
        assert ends(None, **self.known(declared)) == D

    def test_the_run_waits_for_the_response_to_a_resent_trigger(self, declared: bool) -> None:
        assert not should_stop(
            facts(answer=UPDATED, answer_final=False, now=200.0, **self.known(declared, confirmed=True))
        )


@pytest.mark.parametrize("answer", [FAILED, BLOCKED, PARTIAL_FAILED])
def test_a_declared_expectation_that_is_met_outweighs_a_failure_that_watchtower_reports(answer: Answer) -> None:
    assert ends(answer, **DECLARED, held=True, right_build_under_way=True, confirmed=True) == 10.0


@pytest.mark.parametrize("answer", [NOTHING, FAILED, BLOCKED, SCANNED_NOTHING], ids=lambda each: str(each.counts))
def test_a_window_of_the_declared_build_may_end_even_after_the_wait_is_over(answer: Answer) -> None:
    known = {"right_build_under_way": True, "window_in_time": True}
    assert not should_stop(facts(answer=answer, now=HOPE + 1, **DECLARED, **known))


# the deadline


@pytest.mark.parametrize("verifying", [False, True], ids=["deploy", "verify"])
@pytest.mark.parametrize("in_time", [True, False], ids=["before D", "after D"])
def test_only_a_window_that_began_before_the_deadline_may_end_after_it(verifying: bool, in_time: bool) -> None:
    known = {"window_in_time": in_time, "right_build_under_way": True}
    assert should_stop(facts(verifying=verifying, now=D + 2, answer=UPDATED, **DECLARED, **known)) is not in_time


def test_the_run_does_not_wait_for_the_window_of_an_unexpected_build() -> None:
    known = {"window_in_time": True}
    assert should_stop(facts(now=D + 2, answer=UPDATED, **DECLARED, **known))


def test_undeclared_any_window_may_end_after_the_deadline() -> None:
    known = {"window_in_time": True}
    assert not should_stop(facts(now=D + 2, answer=UPDATED, **known))
    assert should_stop(facts(now=D + 2, answer=FAILED, **known))


# failures that end a run at once


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"not_started": Reason.UNSUPPORTED}, id="not started"),
        pytest.param({"refusal": Reason.AUTH, "answer": LOST}, id="refused"),
        pytest.param({"flapping": True}, id="flapping"),
        pytest.param({"flapping": True, "held": True}, id="flapping, whatever else"),
    ],
)
def test_a_failure_that_waiting_cannot_fix_ends_the_run_at_once(known: dict[str, Any]) -> None:
    assert should_stop(facts(now=1.0, **known))


@pytest.mark.parametrize(
    ("known", "over"),
    [
        pytest.param({"answer": None}, False, id="before the response"),
        pytest.param({"answer": UPDATED}, True, id="after the response"),
        pytest.param({"answer": UPDATED, "answer_final": False}, False, id="after one that will be sent again"),
        pytest.param({"answer": None, "now": D}, True, id="at the deadline"),
        pytest.param({"verifying": True}, True, id="in mode verify"),
    ],
)
def test_an_access_wall_ends_the_run_after_the_response_and_in_mode_verify_at_once(
    known: dict[str, Any], over: bool
) -> None:
    assert should_stop(facts(blocked=True, **known)) is over


# verify


@pytest.mark.parametrize(
    ("known", "over"),
    [
        ({"held": True}, True),
        ({"wrong_build_held": True}, True),
        ({}, False),
        ({"healthy_long_enough": True, "claim_held": True, "confirmed": True, "condition": Condition.HEALTHY}, False),
        ({"now": D}, True),
    ],
    ids=["held", "a healthy wrong build", "nothing yet", "facts that matter only to a deploy", "deadline"],
)
def test_verify_ends_with_one_window_of_any_build(known: dict[str, Any], over: bool) -> None:
    assert should_stop(facts(verifying=True, **known)) is over


# defined for all facts, and never asleep too long

SITUATIONS = st.builds(
    facts,
    verifying=st.booleans(),
    now=st.floats(0, 400),
    answer=st.sampled_from(
        [None, UPDATED, ACCEPTED, NOTHING, FAILED, BLOCKED, PARTIAL_FAILED, PARTIAL_SKIPPED, SCANNED_NOTHING, LOST]
    ),
    version_declared=st.booleans(),
    digest_declared=st.booleans(),
    held=st.booleans(),
    confirmed=st.booleans(),
    window_in_time=st.booleans(),
    right_build_under_way=st.booleans(),
    healthy_long_enough=st.booleans(),
    claim_held=st.booleans(),
    gap_seen=st.booleans(),
    held_after_gap=st.booleans(),
    flapping=st.booleans(),
    blocked=st.booleans(),
    wrong_build_held=st.booleans(),
)


@given(SITUATIONS)
def test_a_run_wakes_no_later_than_it_may_end(known: Facts) -> None:
    assert isinstance(should_stop(known), bool)
    wake = next_check_at(known)
    assert wake <= known.deadline or known.late
    if not should_stop(known) and known.now < wake < float("inf"):
        assert not should_stop(replace(known, now=known.now + (wake - known.now) / 2))


@given(SITUATIONS)
def test_a_run_waits_beyond_the_deadline_only_for_a_window_or_the_sample_after_the_response(known: Facts) -> None:
    if known.late and not should_stop(known):
        assert known.window_in_time or known.held


# the checks


@pytest.mark.parametrize("answer", [UPDATED, ACCEPTED, NOTHING, LOST])
@pytest.mark.parametrize("known", [{"held": True}, {"claim_held": True}, {"healthy_long_enough": True}])
def test_the_run_does_not_end_before_its_checks(answer: Answer, known: dict[str, Any]) -> None:
    base: dict[str, Any] = {"answer": answer, "confirmed": True, "gap_seen": True, "window_in_time": True} | known
    under_way = base | {"checked": False, "checking": True, "right_build_under_way": "held" in known}
    assert not should_stop(facts(**under_way))
    if "held" in known:
        assert should_stop(facts(**base, right_build_under_way=True))


def test_finished_checks_still_need_one_more_look() -> None:
    base: dict[str, Any] = {"answer": UPDATED, "held": True, "confirmed": True, "right_build_under_way": True}
    assert not should_stop(facts(**base, window_in_time=True, checked=False))
    assert should_stop(facts(**base, window_in_time=True, checked=True))


@pytest.mark.parametrize("verifying", [False, True], ids=["deploy", "verify"])
def test_checks_of_a_window_that_began_in_time_may_continue_beyond_the_deadline(verifying: bool) -> None:
    base: dict[str, Any] = {"verifying": verifying, "held": True, "right_build_under_way": True, "window_in_time": True}
    answer = None if verifying else UPDATED
    assert not should_stop(facts(answer=answer, now=D + 50, checking=True, checked=False, confirmed=True, **base))


@pytest.mark.parametrize("why", [{"flapping": True}, {"refusal": Reason.AUTH}, {"not_started": Reason.UNSUPPORTED}])
def test_a_hopeless_run_does_not_wait_for_checks(why: dict[str, Any]) -> None:
    assert should_stop(facts(answer=UPDATED, checking=True, checked=False, **why))
