"""What another image can mend, what is put back, and when a tag is left alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.core.image import is_tag
from redeploy.core.plan import Breaking, Checks, Mode, OnFailure, Proof
from redeploy.core.reasons import Reason, Verdict
from redeploy.core.rollback import MENDABLE, Seen, Tag, hindrance, plan_back, references, refusal, telling_version
from redeploy.core.verdict import Conclusion
from sandbox.simulation import plan
from tests.unit.making import D1, D2, D3, HEALTH, NEW, OLD, THIRD, VERSION, Told, ready, reply, rows, summary

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
def test_only_what_an_image_can_mend_is_rolled_back(verdict: Verdict) -> None:
    whys = {reason.value: hindrance(ended(verdict, reason), Seen(replaced=True)) for reason in Reason}
    assert {(verdict.value, reason) for reason, why in whys.items() if not why} == {
        each for each in MENDED if each[0] == verdict
    }
    assert all("\n" not in why and not why.endswith(".") for why in whys.values())


def test_the_table_names_no_failure_twice() -> None:
    assert {(verdict.value, reason.value) for verdict, reasons in MENDABLE.items() for reason in reasons} == MENDED


NEVER_READY = ended(Verdict.UNHEALTHY, Reason.NEVER_READY)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Seen(replaced=False), "nothing shows that the container was replaced"),
        (Seen(replaced=True, sick_before=True), "not healthy before the trigger either"),
        (Seen(replaced=True, sick_before=True, named=True), ""),
        (Seen(replaced=True, document_before=False), ""),
    ],
    ids=["kept", "sick", "sick-but-named", "no-document"],
)
def test_a_rollback_that_would_bring_nothing_back_is_not_tried(seen: Seen, why: str) -> None:
    assert why in hindrance(NEVER_READY, seen)
    assert bool(hindrance(NEVER_READY, seen)) is bool(why)


def test_a_document_that_never_was_is_not_brought_back_by_another_image() -> None:
    missing = ended(Verdict.CHECKS_FAILED, Reason.OPENAPI)
    assert "no OpenAPI document before" in hindrance(missing, Seen(replaced=True, document_before=False))
    assert hindrance(missing, Seen(replaced=True)) == ""


# what was seen


def deployed(answer: Any, **inputs: str) -> Told:  # noqa: ANN401 - an exchange
    """A deploy whose old build was seen with its name and digest, and that Watchtower has answered."""
    told = Told(image="ghcr.io/o/api", **inputs)
    told.look(0.1, ready(OLD)).containers(0.2, rows(("api", "ghcr.io/o/api:latest", D1))).look(0.5, ready(OLD))
    return told.trigger(1.0).answer(2.0, answer)


UPDATED, NOTHING, FAILED = summary(updated=1), summary(), summary(failed=1)


@pytest.mark.parametrize(
    ("told", "replaced"),
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
def test_what_was_seen_tells_whether_the_container_was_replaced(told: Told, replaced: bool) -> None:
    assert Seen.of(told.watch, 10.0).replaced is replaced


def test_a_service_that_was_sick_before_is_known_to_have_been() -> None:
    sick = Told().look(0.1, reply(503)).trigger(1.0)
    assert Seen.of(sick.watch, 2.0).sick_before
    assert not Seen.of(Told().trigger(1.0).watch, 2.0).sick_before


def test_a_version_that_is_told_all_the_same_does_not_make_a_sick_service_healthy() -> None:
    told = Told(version_path="/version").look(0.1, reply(503), HEALTH).look(0.2, ready(OLD), VERSION).trigger(1.0)
    assert Seen.of(told.watch, 2.0).sick_before


# what is put back


def test_what_is_named_comes_first_and_alone() -> None:
    assert list(references(plan(image="o/api", on_failure="rollback", rollback_to=D3), "latest", D1, OLD)) == [D3]


def test_the_digest_that_ran_comes_before_tags_of_the_version_that_answered() -> None:
    found = references(plan(), "latest", D1, OLD)
    assert list(found) == [D1, OLD, f"sha-{OLD}", f"sha-{OLD[:7]}", OLD[:7]]


@pytest.mark.parametrize(
    ("version", "tags"),
    [
        ("1.2.3", ["1.2.3", "v1.2.3"]),
        ("v1.2.3", ["v1.2.3", "1.2.3"]),
        ("sha-1a2b3c4", ["1a2b3c4", "sha-1a2b3c4"]),
        ("build-7", ["build-7"]),
        ("latest", []),
        ("no tag: a sentence", []),
        ("", []),
    ],
)
def test_a_version_is_looked_for_as_tags_spell_it(version: str, tags: list[str]) -> None:
    assert list(references(plan(), "latest", "", version)) == tags


@given(st.text(max_size=140), st.sampled_from(["", D1]))
def test_nothing_is_asked_for_that_is_neither_tag_nor_digest(version: str, running: str) -> None:
    found = references(plan(), "latest", running, version)
    assert all(each == running or is_tag(each) for each in found)
    assert "latest" not in found
    assert len(found) <= 5


# when the tag is left alone


def tag(before: str = "", running: str = "", now: str = "") -> Tag:
    return Tag(before=frozenset({before} - {""}), running=running, now=frozenset({now} - {""}))


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (tag(before=D2, running=D2, now=D2), ""),
        (tag(before=D2, now=D2), ""),
        (tag(running=D2, now=D2), ""),
        (tag(before=D2, now=D1), ""),
        (tag(before=D2, now=D3), "somebody else moved the tag"),
        (tag(running=D2, now=D3), "somebody else moved the tag"),
        (tag(now=D2), "not known what the tag pointed at"),
        (tag(before=D2), "somebody else moved the tag"),
    ],
)
def test_a_tag_is_moved_only_where_it_is_what_it_was(seen: Tag, why: str) -> None:
    assert why in refusal(D1, seen, frozenset({D2}))
    assert bool(refusal(D1, seen, frozenset({D2}))) is bool(why)


def test_an_index_and_its_platforms_are_one_image() -> None:
    index = frozenset({D2, D3})
    assert refusal(D1, Tag(before=index, running=D3, now=index), frozenset({D3})) == ""
    assert "failed" in refusal(D3, Tag(before=index, now=index), index)


SEEN = st.sets(st.sampled_from([D1, D2, D3]), max_size=2).map(frozenset)


@given(st.sampled_from([D1, D2, D3]), SEEN, st.sampled_from(["", D1, D2]), SEEN, SEEN)
def test_nothing_is_written_without_a_compare_nor_what_failed(
    target: str, before: frozenset[str], running: str, now: frozenset[str], failed: frozenset[str]
) -> None:
    if not refusal(target, Tag(before=before, running=running, now=now), failed):
        assert target not in failed
        assert target in now or (before or {running}) & now


# how it is proven


def test_the_previous_build_is_proven_as_a_deploy_is_by_what_tells_it() -> None:
    failed = plan(
        image="o/api",
        on_failure="rollback",
        expect_version=NEW,
        require_proof="version",
        required_routes="GET /x",
        smoke="GET /y",
    )
    back = plan_back(failed, D1, OLD, told=True)
    assert (back.expect_digest, back.expect_version, back.require_proof) == (D1, OLD, Proof.NONE)
    assert (back.checks, back.on_failure, back.timeout) == (Checks(), OnFailure.KEEP, failed.timeout)
    assert plan_back(failed, D1, "", told=False).declared is False


def test_mode_rollback_keeps_its_checks_and_does_not_warn_of_operations_that_were_not_there_yet() -> None:
    asked = plan(mode="rollback", image="o/api", smoke="GET /y", require_proof="change")
    back = plan_back(asked, D1, "", told=True)
    assert (back.mode, back.expect_digest, back.require_proof) == (Mode.ROLLBACK, D1, Proof.CHANGE)
    assert back.checks.smoke == asked.checks.smoke
    assert back.checks.breaking is Breaking.IGNORE


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
def test_the_version_from_before_is_expected_only_if_the_failed_build_has_another(
    after: list[Any], version: str
) -> None:
    told = Told(version_path="/api/ready").look(0.1, ready(OLD)).look(0.5, ready(OLD)).trigger(1.0)
    for number, exchange in enumerate(after):
        told.look(2.0 + number, exchange)
    assert telling_version(told.watch) == version


def test_noise_is_no_version() -> None:
    told = Told().look(0.1, ready("a1")).look(0.5, ready("a2")).trigger(1.0)
    assert telling_version(told.watch) == ""
