"""Which failures another image can fix, what is put back, and when a tag is left alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract.settings import Breaking, Checks
from redeploy.decision.facts import Facts
from redeploy.decision.verdict import Conclusion, conclude
from redeploy.rollback.policy import FIXABLE, Seen, Tag, checks_of_mode, hindrance, plan_back, proves, refusal
from redeploy.rollout.previous.build_before import distinguishing_version, version_before
from redeploy.settings.plan import Mode, OnFailure
from redeploy.verdicts import Proof, Reason, Verdict
from sandbox.simulation import plan
from tests.unit.factories import D1, D2, D3, HEALTH, NEW, OLD, THIRD, VERSION, Run, ready, reply, rows, summary
from tools.docs.decision_walk import walk

MENDED = {
    ("trigger-failed", "update-failed"),
    ("wrong-build", "wrong-version"),
    ("wrong-build", "wrong-digest"),
    ("wrong-build", "version-unavailable"),
    ("unhealthy", "never-ready"),
    ("unhealthy", "flapping"),
    ("unhealthy", "down"),
    ("unhealthy", "html"),
    ("checks-failed", "openapi"),
    ("checks-failed", "routes"),
    ("checks-failed", "breaking-change"),
    ("checks-failed", "smoke"),
}


def ended(verdict: Verdict, reason: Reason) -> Conclusion:
    signal = 2 if verdict is Verdict.CANCELLED else 0
    return Conclusion(verdict, reason, proof_suffices=False, signal=signal)


@pytest.mark.parametrize("verdict", Verdict)
def test_only_failures_that_another_image_can_fix_are_rolled_back(verdict: Verdict) -> None:
    whys = {reason.value: hindrance(ended(verdict, reason), Seen(replaced=True)) for reason in Reason}
    assert {(verdict.value, reason) for reason, why in whys.items() if not why} == {
        each for each in MENDED if each[0] == verdict
    }
    assert all("\n" not in why and not why.endswith(".") for why in whys.values())


def test_the_table_names_no_failure_twice() -> None:
    assert {(verdict.value, reason.value) for verdict, reasons in FIXABLE.items() for reason in reasons} == MENDED


NEVER_READY = ended(Verdict.UNHEALTHY, Reason.NEVER_READY)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Seen(replaced=False), "nothing shows that the container was replaced"),
        (Seen(replaced=True, unhealthy_before=True), "not healthy before the trigger either"),
        (Seen(replaced=True, unhealthy_before=True, named=True), ""),
        (Seen(replaced=True, document_before=False), ""),
    ],
    ids=["kept", "sick", "sick-but-named", "no-document"],
)
def test_a_rollback_that_could_not_help_is_not_tried(seen: Seen, why: str) -> None:
    assert why in hindrance(NEVER_READY, seen)
    assert bool(hindrance(NEVER_READY, seen)) is bool(why)


def test_a_document_that_was_missing_before_the_deploy_is_not_a_reason_to_roll_back() -> None:
    missing = ended(Verdict.CHECKS_FAILED, Reason.OPENAPI)
    assert "no OpenAPI document before" in hindrance(missing, Seen(replaced=True, document_before=False))
    assert hindrance(missing, Seen(replaced=True)) == ""


# whether the container was replaced


def deployed(answer: Any, **inputs: str) -> Run:  # noqa: ANN401 - an exchange
    """A deploy whose old build was seen with its name and digest, after the response of Watchtower."""
    run = Run(image="ghcr.io/o/api", **inputs)
    run.look(0.1, ready(OLD)).containers(0.2, rows(("api", "ghcr.io/o/api:latest", D1))).look(0.5, ready(OLD))
    return run.trigger(1.0).answer(2.0, answer)


UPDATED, NOTHING, FAILED = summary(updated=1), summary(), summary(failed=1)


@pytest.mark.parametrize(
    ("run", "replaced"),
    [
        (deployed(UPDATED).look(3.0, ready(NEW)), True),
        (deployed(UPDATED, expect_version=NEW).look(3.0, ready(THIRD)), True),
        (deployed(UPDATED).look(3.0, reply(503)), True),
        (deployed(NOTHING).look(3.0, reply(503)), False),
        (deployed(NOTHING, expect_version=NEW).look(3.0, ready(OLD)), False),
        (deployed(FAILED, expect_version=NEW).look(3.0, ready(OLD)), False),
        (deployed(FAILED).look(3.0, reply(503)), True),
        (deployed(UPDATED).containers(3.0, rows(("api", "ghcr.io/o/api:latest", D2))), True),
        (deployed(UPDATED).containers(3.0, rows(("api", "ghcr.io/o/api:latest", D1))), False),
        (deployed(UPDATED, expect_version=NEW).look(3.0, reply(200, {"status": "ready"})), True),
    ],
    ids=[
        "another-name",
        "a-third-name",
        "updated-and-sick",
        "nothing-and-sick",
        "nothing",
        "failed-and-old",
        "failed-and-sick",
        "another-digest",
        "same-digest",
        "no-name-any-more",
    ],
)
def test_a_replaced_container_is_recognised_by_what_was_seen(run: Run, replaced: bool) -> None:
    assert Seen.of(run.state, 10.0).replaced is replaced


def test_a_service_that_was_unhealthy_before_the_trigger_is_recognised() -> None:
    sick = Run().look(0.1, reply(503)).trigger(1.0)
    assert Seen.of(sick.state, 2.0).unhealthy_before
    assert not Seen.of(Run().trigger(1.0).state, 2.0).unhealthy_before


def test_an_unhealthy_service_that_reports_a_version_is_still_unhealthy() -> None:
    run = Run(version_path="/version").look(0.1, reply(503), HEALTH).look(0.2, ready(OLD), VERSION).trigger(1.0)
    assert Seen.of(run.state, 2.0).unhealthy_before


# when the tag is left alone


def tag(before: str = "", running: str = "", now: str = "") -> Tag:
    return Tag(before=before, running=running, now=now)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (tag(before=D2, running=D2, now=D2), ""),
        (tag(before=D2, now=D2), ""),
        (tag(running=D2, now=D2), ""),
        (tag(before=D2, now=D1), ""),
        (tag(before=D2, now=D3), "another push moved the tag"),
        (tag(running=D2, now=D3), "another push moved the tag"),
        (tag(now=D2), "not known where the tag pointed"),
        (tag(before=D2), "another push moved the tag"),
    ],
)
def test_a_tag_is_moved_only_if_no_other_push_has_moved_it(seen: Tag, why: str) -> None:
    assert why in refusal(D1, seen, frozenset({D2}))
    assert bool(refusal(D1, seen, frozenset({D2}))) is bool(why)


def test_the_tag_is_compared_by_its_exact_digest() -> None:
    pushed = Tag(before=D2, running=D2, now=D3, holds=frozenset({D2}))
    assert "another push moved the tag" in refusal(D1, pushed, frozenset({D2}))


def test_an_index_that_holds_the_target_need_not_be_written() -> None:
    assert refusal(D1, Tag(before=D2, now=D3, holds=frozenset({D1})), frozenset({D2})) == ""
    assert "failed" in refusal(D1, Tag(before=D2, now=D2, holds=frozenset({D1})), frozenset({D2, D1}))


SEEN = st.sampled_from(["", D1, D2, D3])


@given(st.sampled_from([D1, D2, D3]), SEEN, SEEN, SEEN, st.sets(st.sampled_from([D1, D2, D3]), max_size=2))
def test_no_tag_is_written_without_a_comparison_or_with_the_failed_image(
    target: str, before: str, running: str, now: str, failed: set[str]
) -> None:
    if not refusal(target, Tag(before=before, running=running, now=now), failed):
        assert target not in failed
        assert now in (target, before or running)


# the plan that proves a rollback


def test_a_rollback_requires_a_digest_or_a_version_as_proof() -> None:
    failed = plan(image="o/api", on_failure="rollback", expect_version=NEW)
    back = plan_back(failed, D1, OLD, digests_reported=True, checks=Checks())
    assert (back.expect_digest, back.expect_version, back.require_proof) == (D1, OLD, Proof.VERSION)
    assert (back.checks, back.on_failure, back.timeout) == (Checks(), OnFailure.KEEP, failed.timeout)
    bare = plan_back(failed, D1, "", digests_reported=False, checks=Checks())
    assert (bare.declared, bare.require_proof) == (False, Proof.VERSION)


def test_mode_rollback_may_require_more_proof_but_not_less() -> None:
    asked = {"mode": "rollback", "image": "o/api"}
    for proof, needed in (("change", Proof.VERSION), ("digest", Proof.DIGEST)):
        back = plan_back(plan(**asked, require_proof=proof), D1, "", digests_reported=True, checks=Checks())
        assert (back.mode, back.expect_digest, back.require_proof) == (Mode.ROLLBACK, D1, needed)


def test_mode_rollback_keeps_its_checks_but_does_not_warn_about_removed_operations() -> None:
    asked = plan(mode="rollback", image="o/api", smoke="GET /y").checks
    assert checks_of_mode(asked) == replace(asked, breaking=Breaking.IGNORE)


@pytest.mark.parametrize(
    ("after", "version"),
    [
        ([ready(OLD), reply(503)], OLD),
        ([ready(NEW)], OLD),
        ([ready(OLD)], ""),
        ([reply(503), ready(OLD)], ""),
        ([], OLD),
    ],
    ids=["old-then-sick", "new", "the-same", "the-same-after-a-fault", "nothing"],
)
def test_the_previous_version_is_expected_only_if_the_failed_build_has_another_one(
    after: list[Any], version: str
) -> None:
    run = Run(version_path="/api/ready").look(0.1, ready(OLD)).look(0.5, ready(OLD)).trigger(1.0)
    for number, http_result in enumerate(after):
        run.look(2.0 + number, http_result)
    assert distinguishing_version(run.state, version_before(run.state)) == version


def test_noise_is_not_a_version() -> None:
    run = Run().look(0.1, ready("a1")).look(0.5, ready("a2")).trigger(1.0)
    assert version_before(run.state) == ""


# what proves a rollback


@pytest.mark.parametrize("lost", ["", "the tag was moved"], ids=["", "lost"])
@pytest.mark.parametrize("proof", Proof, ids=lambda each: each.word)
@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_digest_or_a_version_that_is_live_proves_a_rollback(verdict: Verdict, proof: Proof, lost: str) -> None:
    live = verdict in (Verdict.DEPLOYED, Verdict.ALREADY_CURRENT)
    assert proves(Conclusion(verdict, proof=proof), lost) is (
        live and proof in (Proof.VERSION, Proof.DIGEST) and not lost
    )


def test_nothing_proves_a_rollback_that_was_not_watched() -> None:
    assert not proves(None)


def test_a_rollback_is_only_ever_proven_by_the_build_that_was_declared() -> None:
    def holds(known: Facts) -> bool:
        return not proves(conclude(known)) or (known.held and known.declared and known.check_failure is None)

    assert all(kept for kept, _ in walk(holds, verifying=False, require_proof=Proof.VERSION))
