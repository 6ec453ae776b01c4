"""The verdict: each row of the table of verdicts, and the properties of all of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.decision.facts import Facts
from redeploy.decision.verdict import Conclusion, conclude
from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.triggers.trigger import Answer
from redeploy.verdicts import Proof, Reason, Verdict, exit_code
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

V, D = {"version_declared": True}, {"digest_declared": True}
OLD = {"build": Build.OLD, "condition": Condition.HEALTHY}
NEW = {"build": Build.NEW, "condition": Condition.HEALTHY, "new_build_seen": True}
HELD = NEW | {"held": True, "right_build_under_way": True, "confirmed": True}
HEALTHY = {"condition": Condition.HEALTHY}
VERIFY = {"verifying": True}
END = {"now": 300.0}


def case(verdict: Verdict, reason: Reason, name: str, **known: Any) -> Any:  # noqa: ANN401 - a pytest parameter
    return pytest.param(known, verdict, reason, id=f"{verdict}: {name}")


@pytest.mark.parametrize(
    ("known", "verdict", "reason"),
    [
        # deployed
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "declared version met",
            answer=UPDATED,
            **V,
            **HELD,
        ),
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "declared digest met",
            answer=UPDATED,
            **D,
            **HELD,
        ),
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "undeclared change",
            answer=UPDATED,
            **HELD,
        ),
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "undeclared change, lost response",
            answer=LOST,
            **HELD,
        ),
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "undeclared change, scanned nothing",
            answer=SCANNED_NOTHING,
            **HELD,
        ),
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "undeclared change, nothing updated",
            answer=NOTHING,
            **HELD,
        ),
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "no response until the deadline",
            **END,
            **V,
            **HELD,
        ),
        case(Verdict.DEPLOYED, Reason.NONE, "claim", answer=UPDATED, **HEALTHY, claim_held=True),
        *(
            case(
                Verdict.DEPLOYED,
                Reason.NONE,
                f"declared and met though {each.counts}",
                answer=each,
                **V,
                **HELD,
            )
            for each in (FAILED, BLOCKED, PARTIAL_FAILED, PARTIAL_SKIPPED, NOTHING)
        ),
        case(
            Verdict.DEPLOYED,
            Reason.NONE,
            "after windows that broke",
            answer=UPDATED,
            **V,
            **HELD,
            window_broke=True,
        ),
        # already-current
        case(
            Verdict.ALREADY_CURRENT,
            Reason.NONE,
            "declared was live before",
            answer=NOTHING,
            **V,
            **HELD,
            live_before=True,
        ),
        case(
            Verdict.ALREADY_CURRENT,
            Reason.NONE,
            "declared digest was live before",
            answer=UPDATED,
            **D,
            **HELD,
            live_before=True,
        ),
        # verified
        case(
            Verdict.VERIFIED,
            Reason.NONE,
            "declared version",
            **VERIFY,
            **V,
            **HELD,
        ),
        case(Verdict.VERIFIED, Reason.NONE, "nothing declared", **VERIFY, **HEALTHY, held=True),
        # unproven
        case(
            Verdict.UNPROVEN,
            Reason.NOTHING_TO_DO,
            "nothing",
            answer=NOTHING,
            **OLD,
            healthy_long_enough=True,
            builds_visible=True,
        ),
        case(Verdict.UNPROVEN, Reason.NO_IDENTITY, "accepted", answer=ACCEPTED, **HEALTHY, healthy_long_enough=True),
        case(
            Verdict.UNPROVEN,
            Reason.NO_CHANGE,
            "accepted, same name",
            answer=ACCEPTED,
            **OLD,
            healthy_long_enough=True,
            builds_visible=True,
        ),
        case(
            Verdict.UNPROVEN,
            Reason.NO_CHANGE,
            "updated, same name",
            answer=UPDATED,
            **OLD,
            healthy_long_enough=True,
            builds_visible=True,
        ),
        case(
            Verdict.UNPROVEN, Reason.NO_IDENTITY, "partial", answer=PARTIAL_SKIPPED, **HEALTHY, healthy_long_enough=True
        ),
        case(
            Verdict.UNPROVEN,
            Reason.NO_IDENTITY,
            "lost, but a gap",
            answer=LOST,
            **HEALTHY,
            gap_seen=True,
            held_after_gap=True,
        ),
        case(
            Verdict.UNPROVEN,
            Reason.NO_IDENTITY,
            "never came, but a gap",
            **END,
            **HEALTHY,
            gap_seen=True,
            held_after_gap=True,
        ),
        case(
            Verdict.UNPROVEN,
            Reason.WEAK_PROOF,
            "change where more is required",
            answer=UPDATED,
            **HELD,
            require_proof=Proof.VERSION,
        ),
        case(
            Verdict.UNPROVEN,
            Reason.WEAK_PROOF,
            "claim where change is required",
            answer=UPDATED,
            **HEALTHY,
            claim_held=True,
            require_proof=Proof.CHANGE,
        ),
        # not-started
        case(Verdict.NOT_STARTED, Reason.UNSUPPORTED, "container not understood", not_started=Reason.UNSUPPORTED),
        case(
            Verdict.NOT_STARTED,
            Reason.DIGEST_UNAVAILABLE,
            "no containers endpoint",
            not_started=Reason.DIGEST_UNAVAILABLE,
            **D,
        ),
        # trigger-failed
        *(
            case(Verdict.TRIGGER_FAILED, each, "refused", answer=LOST, refusal=each)
            for each in (
                Reason.AUTH,
                Reason.MISROUTED,
                Reason.METHOD,
                Reason.BUSY,
                Reason.RATE_LIMITED,
                Reason.UNREACHABLE,
                Reason.TLS,
                Reason.REDIRECT,
                Reason.ACCESS_WALL,
                Reason.CHALLENGE,
            )
        ),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_FAILED,
            "failed, undeclared",
            answer=FAILED,
            **OLD,
            healthy_long_enough=True,
        ),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_FAILED,
            "failed, a change was seen",
            answer=FAILED,
            **HELD,
        ),
        case(Verdict.TRIGGER_FAILED, Reason.UPDATE_FAILED, "failed, declared and unmet", answer=FAILED, **V, **OLD),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_FAILED,
            "partial with a failure, undeclared",
            answer=PARTIAL_FAILED,
            **HEALTHY,
            healthy_long_enough=True,
        ),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_FAILED,
            "partial with a failure, declared and unmet",
            **END,
            answer=PARTIAL_FAILED,
            **V,
            **OLD,
        ),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_FAILED,
            "failed, and the service is down",
            answer=FAILED,
            condition=Condition.DOWN,
        ),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_FAILED,
            "failed, the old build is back",
            answer=FAILED,
            **OLD,
            new_build_seen=True,
        ),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_BLOCKED,
            "blocked, undeclared",
            answer=BLOCKED,
            **OLD,
            healthy_long_enough=True,
        ),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.UPDATE_BLOCKED,
            "blocked, a change was seen",
            answer=BLOCKED,
            **HELD,
        ),
        case(Verdict.TRIGGER_FAILED, Reason.UPDATE_BLOCKED, "blocked, declared and unmet", answer=BLOCKED, **V, **OLD),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.NOTHING_SCANNED,
            "undeclared",
            answer=SCANNED_NOTHING,
            **OLD,
            healthy_long_enough=True,
        ),
        case(Verdict.TRIGGER_FAILED, Reason.NOTHING_SCANNED, "declared and unmet", answer=SCANNED_NOTHING, **V, **OLD),
        case(
            Verdict.TRIGGER_FAILED,
            Reason.NO_ANSWER,
            "lost, no gap",
            **END,
            answer=LOST,
            **OLD,
            healthy_long_enough=True,
        ),
        case(Verdict.TRIGGER_FAILED, Reason.NO_ANSWER, "never came, no gap", **END, **OLD),
        # stale
        case(Verdict.STALE, Reason.OLD_BUILD, "declared, the old one responds", **END, answer=ACCEPTED, **V, **OLD),
        case(Verdict.STALE, Reason.OLD_BUILD, "declared, nothing updated", answer=NOTHING, **V, **OLD),
        case(Verdict.STALE, Reason.OLD_BUILD, "declared, lost response", **END, answer=LOST, **V, **OLD),
        case(
            Verdict.STALE,
            Reason.OLD_BUILD,
            "declared, the old build responds again",
            **END,
            answer=UPDATED,
            **V,
            **OLD,
            new_build_seen=True,
            window_broke=True,
        ),
        case(
            Verdict.STALE,
            Reason.OLD_BUILD,
            "undeclared, the old build responds again",
            **END,
            answer=UPDATED,
            **OLD,
            new_build_seen=True,
            window_broke=True,
            healthy_long_enough=True,
        ),
        case(
            Verdict.STALE,
            Reason.OLD_BUILD,
            "undeclared, the old build responds again, lost response and no gap",
            **END,
            answer=LOST,
            **OLD,
            new_build_seen=True,
            window_broke=True,
        ),
        case(
            Verdict.STALE,
            Reason.OLD_BUILD,
            "undeclared, the old build responds again, no response and no gap",
            **END,
            **OLD,
            new_build_seen=True,
            window_broke=True,
        ),
        case(
            Verdict.STALE,
            Reason.OLD_BUILD,
            "the old build responds again after the deadline",
            **END,
            answer=UPDATED,
            **V,
            **OLD,
            new_build_seen=True,
            broke_late=True,
            window_broke=True,
        ),
        case(
            Verdict.STALE,
            Reason.OLD_BUILD,
            "declared digest, the old one runs",
            **END,
            answer=UPDATED,
            **D,
            **HEALTHY,
            digest_reported=True,
            old_digest_runs=True,
        ),
        case(
            Verdict.STALE,
            Reason.OLD_BUILD,
            "undeclared, the old digest runs again",
            **END,
            answer=UPDATED,
            **HEALTHY,
            new_build_seen=True,
            digest_reported=True,
            old_digest_runs=True,
            builds_visible=True,
            healthy_long_enough=True,
        ),
        # wrong-build
        case(
            Verdict.WRONG_BUILD,
            Reason.WRONG_VERSION,
            "a third build",
            **END,
            answer=UPDATED,
            **V,
            **HEALTHY,
            build=Build.OTHER,
        ),
        case(
            Verdict.WRONG_BUILD,
            Reason.VERSION_UNAVAILABLE,
            "none is named",
            **END,
            answer=UPDATED,
            **V,
            **HEALTHY,
            build=Build.UNNAMED,
        ),
        case(
            Verdict.WRONG_BUILD,
            Reason.WRONG_DIGEST,
            "another digest",
            **END,
            answer=UPDATED,
            **D,
            **HEALTHY,
            digest_reported=True,
        ),
        case(
            Verdict.WRONG_BUILD, Reason.DIGEST_UNAVAILABLE, "digest not reported", **END, answer=UPDATED, **D, **HEALTHY
        ),
        case(
            Verdict.WRONG_BUILD,
            Reason.WRONG_DIGEST,
            "the version, but another digest",
            **END,
            answer=UPDATED,
            **V,
            **D,
            **NEW,
            digest_reported=True,
        ),
        case(
            Verdict.WRONG_BUILD,
            Reason.WRONG_VERSION,
            "verify, another version",
            **VERIFY,
            **V,
            **HEALTHY,
            build=Build.OTHER,
            wrong_build_held=True,
        ),
        case(
            Verdict.WRONG_BUILD,
            Reason.VERSION_UNAVAILABLE,
            "verify, none is named",
            **VERIFY,
            **V,
            **HEALTHY,
            build=Build.UNNAMED,
            wrong_build_held=True,
        ),
        case(
            Verdict.WRONG_BUILD,
            Reason.WRONG_DIGEST,
            "verify, another digest",
            **VERIFY,
            **D,
            **HEALTHY,
            digest_reported=True,
            wrong_build_held=True,
        ),
        case(
            Verdict.WRONG_BUILD,
            Reason.DIGEST_UNAVAILABLE,
            "verify, digest not reported",
            **VERIFY,
            **D,
            **HEALTHY,
            wrong_build_held=True,
        ),
        # unhealthy
        case(
            Verdict.UNHEALTHY,
            Reason.FLAPPING,
            "the fifth crash",
            answer=UPDATED,
            **V,
            flapping=True,
            window_broke=True,
            new_build_seen=True,
            condition=Condition.DOWN,
        ),
        case(
            Verdict.UNHEALTHY,
            Reason.FLAPPING,
            "the fifth crash before any response, by restarts alone",
            flapping=True,
            window_broke=True,
            **NEW,
        ),
        case(
            Verdict.UNHEALTHY,
            Reason.FLAPPING,
            "the fifth crash after a lost response, by restarts alone",
            answer=LOST,
            flapping=True,
            window_broke=True,
            **NEW,
        ),
        case(
            Verdict.UNHEALTHY,
            Reason.FLAPPING,
            "a window broke",
            **END,
            answer=UPDATED,
            **V,
            new_build_seen=True,
            window_broke=True,
            condition=Condition.DOWN,
            build=Build.NEW,
        ),
        case(
            Verdict.UNHEALTHY,
            Reason.FLAPPING,
            "a window broke after the deadline",
            **END,
            answer=UPDATED,
            **V,
            **NEW,
            window_broke=True,
            broke_late=True,
        ),
        case(
            Verdict.UNHEALTHY,
            Reason.FLAPPING,
            "undeclared, a window broke after the deadline",
            **END,
            answer=UPDATED,
            **NEW,
            window_broke=True,
            broke_late=True,
            healthy_long_enough=True,
        ),
        *(
            case(
                Verdict.UNHEALTHY,
                reason,
                f"at the end {condition.name}",
                **END,
                answer=UPDATED,
                **V,
                condition=condition,
            )
            for condition, reason in (
                (Condition.NOT_READY, Reason.NEVER_READY),
                (Condition.DOWN, Reason.DOWN),
                (Condition.HTML, Reason.HTML),
                (Condition.CACHED, Reason.CACHED),
                (Condition.THROTTLED, Reason.THROTTLED),
            )
        ),
        *(
            case(
                Verdict.UNHEALTHY,
                reason,
                f"a wall{', verify' if verifying else ''}",
                **END,
                verifying=verifying,
                answer=UPDATED,
                condition=condition,
                blocked=True,
            )
            for verifying in (False, True)
            for condition, reason in (
                (Condition.ACCESS_WALL, Reason.ACCESS_WALL),
                (Condition.CHALLENGE, Reason.CHALLENGE),
                (Condition.TLS, Reason.TLS),
                (Condition.REDIRECT, Reason.REDIRECT),
            )
        ),
        case(
            Verdict.UNHEALTHY,
            Reason.HTML,
            "verify, a web page",
            **VERIFY,
            condition=Condition.HTML,
            blocked=True,
        ),
        case(Verdict.UNHEALTHY, Reason.DOWN, "verify, nothing ever responded", **VERIFY, **END),
        case(
            Verdict.UNHEALTHY,
            Reason.DOWN,
            "undeclared, updated, and down",
            **END,
            answer=UPDATED,
            condition=Condition.DOWN,
        ),
    ],
)
def test_a_situation_has_its_verdict(known: dict[str, Any], verdict: Verdict, reason: Reason) -> None:
    found = conclude(facts(**known))
    assert (found.verdict, found.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("proof", "known"),
    [
        (Proof.DIGEST, {"answer": UPDATED, **D, **HELD}),
        (Proof.VERSION, {"answer": UPDATED, **V, **HELD}),
        (Proof.CHANGE, {"answer": UPDATED, **HELD}),
        (Proof.CLAIM, {"answer": UPDATED, **HEALTHY, "claim_held": True}),
        (Proof.NONE, {"answer": ACCEPTED, **HEALTHY, "healthy_long_enough": True}),
    ],
    ids=lambda value: value.word if isinstance(value, Proof) else "",
)
@pytest.mark.parametrize("required", Proof, ids=lambda value: f"{value.word} required")
def test_green_needs_the_required_proof(proof: Proof, known: dict[str, Any], required: Proof) -> None:
    found = conclude(facts(require_proof=required, **known))
    assert found.proof is proof
    assert found.exit_code == (0 if proof >= required else 1)
    assert found.verdict is (Verdict.DEPLOYED if proof and proof >= required else Verdict.UNPROVEN)


@pytest.mark.parametrize(
    ("verdict", "codes"),
    [
        (Verdict.DEPLOYED, {0}),
        (Verdict.ALREADY_CURRENT, {0}),
        (Verdict.VERIFIED, {0}),
        (Verdict.UNPROVEN, {0, 1}),
        (Verdict.NOT_STARTED, {1}),
        (Verdict.TRIGGER_FAILED, {1}),
        (Verdict.STALE, {1}),
        (Verdict.WRONG_BUILD, {1}),
        (Verdict.UNHEALTHY, {1}),
        (Verdict.INVALID_CONFIG, {2}),
        (Verdict.INTERNAL_ERROR, {70}),
    ],
)
def test_a_verdict_has_its_exit_code(verdict: Verdict, codes: set[int]) -> None:
    assert {exit_code(verdict, proof_suffices=suffices) for suffices in (True, False)} == codes


@pytest.mark.parametrize(("signal", "code"), [(2, 130), (15, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_cancelled_run_exits_as_its_signal_would(signal: int, code: int) -> None:
    assert Conclusion(Verdict.CANCELLED, signal=signal).exit_code == code


# properties for all possible facts

ANSWERS = [None, UPDATED, ACCEPTED, NOTHING, FAILED, BLOCKED, PARTIAL_FAILED, PARTIAL_SKIPPED, SCANNED_NOTHING, LOST]
GREEN = {Verdict.DEPLOYED, Verdict.ALREADY_CURRENT, Verdict.VERIFIED}


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Situations whose facts do not contradict each other."""
    verifying = draw(st.booleans())
    version, digest = draw(st.booleans()), draw(st.booleans())
    declared = version or digest
    answer: Answer | None = None if verifying else draw(st.sampled_from(ANSWERS))
    healthy = draw(st.booleans())
    window_open = healthy and draw(st.booleans())
    wanted = window_open and draw(st.booleans())
    held = wanted and draw(st.booleans())
    broke = draw(st.booleans())
    claim = answer is UPDATED and not declared and draw(st.booleans())
    gap = draw(st.booleans()) or not healthy
    return facts(
        verifying=verifying,
        now=draw(st.sampled_from([20.0, 100.0, 300.0, 310.0])),
        version_declared=version,
        digest_declared=digest,
        require_proof=draw(st.sampled_from(Proof)),
        answer=answer,
        live_before=declared and not verifying and draw(st.booleans()),
        held=held,
        confirmed=held and answer is not None and draw(st.booleans()),
        window_in_time=window_open,
        right_build_under_way=wanted,
        healthy_long_enough=window_open and draw(st.booleans()),
        claim_held=claim and window_open and draw(st.booleans()),
        gap_seen=gap,
        held_after_gap=gap and window_open and draw(st.booleans()),
        new_build_seen=(wanted and not digest) or draw(st.booleans()),
        build=Build.NEW if version and wanted else draw(st.sampled_from(Build)),
        condition=Condition.HEALTHY
        if healthy
        else draw(st.sampled_from([each for each in Condition if each is not Condition.HEALTHY])),
        window_broke=broke,
        broke_late=broke and draw(st.booleans()),
        flapping=broke and not held and draw(st.booleans()),
        blocked=not healthy and draw(st.booleans()),
        builds_visible=draw(st.booleans()),
        wrong_build_held=verifying and declared and window_open and not wanted and draw(st.booleans()),
        digest_reported=draw(st.booleans()),
        old_digest_runs=draw(st.booleans()),
    )


@given(any_facts())
def test_any_facts_have_one_verdict_that_fits_the_mode(known: Facts) -> None:
    found = conclude(known)
    assert found.exit_code in (0, 1)
    if known.verifying:
        assert found.verdict in (Verdict.VERIFIED, Verdict.UNPROVEN, Verdict.WRONG_BUILD, Verdict.UNHEALTHY)
    else:
        assert found.verdict is not Verdict.VERIFIED
    assert (found.reason is Reason.NONE) is (found.verdict in GREEN)


@given(any_facts())
def test_nothing_is_deployed_without_a_proof(known: Facts) -> None:
    found = conclude(known)
    if found.verdict in (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT):
        assert found.proof > Proof.NONE
        assert found.proof >= known.require_proof
        assert known.healthy
        assert known.held or known.claim_held


@given(any_facts())
def test_a_declared_expectation_is_never_met_by_a_weaker_proof(known: Facts) -> None:
    found = conclude(known)
    if known.declared and found.exit_code == 0:
        assert known.held
        assert found.proof >= (Proof.DIGEST if known.digest_declared else Proof.VERSION)


@given(any_facts())
def test_no_unhealthy_service_is_green(known: Facts) -> None:
    if not known.healthy:
        assert conclude(known).exit_code == 1


WORSE: dict[str, dict[str, Any]] = {
    "it flaps": {
        "flapping": True,
        "window_broke": True,
        "held": False,
        "claim_held": False,
        "healthy_long_enough": False,
        "held_after_gap": False,
    },
    "a window broke late": {"window_broke": True, "broke_late": True, "held": False},
    "the trigger was refused": {"refusal": Reason.AUTH},
    "nothing was started": {"not_started": Reason.UNSUPPORTED},
    "the service fell ill": {
        "condition": Condition.DOWN,
        "held": False,
        "claim_held": False,
        "healthy_long_enough": False,
        "held_after_gap": False,
        "wrong_build_held": False,
    },
    "a wall stands before it": {
        "condition": Condition.TLS,
        "blocked": True,
        "held": False,
        "claim_held": False,
        "healthy_long_enough": False,
        "held_after_gap": False,
        "wrong_build_held": False,
    },
    "the old build is back": {"new_build_seen": True, "build": Build.OLD, "held": False, "claim_held": False},
    "more proof is required": {"require_proof": Proof.DIGEST},
    "the window is lost": {"held": False},
}


@pytest.mark.parametrize("worse", WORSE.values(), ids=WORSE.keys())
@given(known=any_facts())
def test_evidence_of_failure_never_turns_red_to_green(worse: dict[str, Any], known: Facts) -> None:
    if conclude(known).exit_code:
        assert conclude(replace(known, **worse)).exit_code


@pytest.mark.parametrize(
    "failed", [FAILED, BLOCKED, PARTIAL_FAILED, SCANNED_NOTHING, LOST], ids=lambda each: str(each.counts or "lost")
)
@given(known=any_facts())
def test_a_worse_response_never_turns_red_to_green(failed: Answer, known: Facts) -> None:
    worse = replace(known, answer=failed, claim_held=False)
    if known.answer in (UPDATED, ACCEPTED, NOTHING, PARTIAL_SKIPPED) and conclude(worse).exit_code == 0:
        assert conclude(known).exit_code == 0


@pytest.mark.parametrize(
    ("failed", "reason"),
    [(FAILED, Reason.UPDATE_FAILED), (BLOCKED, Reason.UPDATE_BLOCKED), (PARTIAL_FAILED, Reason.UPDATE_FAILED)],
)
@given(known=any_facts())
def test_a_failure_is_believed_unless_a_declared_expectation_is_met(
    failed: Answer, reason: Reason, known: Facts
) -> None:
    found = conclude(replace(known, answer=failed, claim_held=False, verifying=False))
    if not (known.declared and known.held):
        assert (found.verdict, found.reason) == (Verdict.TRIGGER_FAILED, reason)


@given(any_facts())
def test_a_run_whose_windows_broke_and_never_held_is_red(known: Facts) -> None:
    if not known.verifying and known.flapping:
        assert conclude(known).exit_code == 1


# the checks


@pytest.mark.parametrize("reason", [Reason.OPENAPI, Reason.ROUTES, Reason.BREAKING_CHANGE, Reason.SMOKE])
@pytest.mark.parametrize(
    "known",
    [
        pytest.param(END | V | HELD | {"answer": UPDATED}, id="deployed"),
        pytest.param(END | V | HELD | {"answer": UPDATED, "live_before": True}, id="already-current"),
        pytest.param(END | HEALTHY | {"answer": UPDATED, "claim_held": True}, id="claim"),
        pytest.param(END | HEALTHY | {"answer": UPDATED, "healthy_long_enough": True}, id="unproven"),
        pytest.param(END | HELD | {"verifying": True}, id="verified"),
    ],
)
def test_a_failed_check_turns_green_to_red(known: dict[str, Any], reason: Reason) -> None:
    assert conclude(facts(**known)).exit_code == 0
    failed = conclude(facts(**known, check_failure=reason))
    assert (failed.verdict, failed.reason, failed.exit_code) == (Verdict.CHECKS_FAILED, reason, 1)


@given(any_facts(), st.sampled_from([Reason.OPENAPI, Reason.SMOKE]))
def test_a_failed_check_is_never_green_and_replaces_no_other_red_verdict(known: Facts, reason: Reason) -> None:
    before, after = conclude(replace(known, check_failure=None)), conclude(replace(known, check_failure=reason))
    assert after.exit_code != 0
    assert after == before or after.verdict is Verdict.CHECKS_FAILED
    if after.verdict is Verdict.CHECKS_FAILED:
        assert before.verdict in (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT, Verdict.VERIFIED, Verdict.UNPROVEN)


@pytest.mark.parametrize(
    ("build", "verdict"), [(Build.UNKNOWN, Verdict.STALE), (Build.OLD, Verdict.STALE), (Build.NEW, Verdict.DEPLOYED)]
)
def test_a_contract_that_changed_and_changed_back_is_the_old_build_unless_a_name_says_otherwise(
    build: Build, verdict: Verdict
) -> None:
    known = END | HEALTHY | {"answer": UPDATED, "new_build_seen": True, "reverted": True, "claim_held": True}
    assert conclude(facts(**known | {"build": build})).verdict is verdict
