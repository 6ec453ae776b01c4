"""Which references may name the image that ran before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.registry.image import is_tag
from redeploy.rollout.previous.candidates import commit_of, contradicts, number_of, references
from sandbox.simulation import plan
from tests.unit.factories import D1, D3, NEW, OLD


def test_an_explicit_rollback_target_is_the_only_candidate() -> None:
    assert list(references(plan(image="o/api", on_failure="rollback", rollback_to=D3), "latest", D1, OLD)) == [D3]


def test_the_digest_that_ran_comes_before_tags_of_the_version_that_responded() -> None:
    found = references(plan(), "latest", D1, OLD)
    assert list(found) == [D1, OLD, f"sha-{OLD}", f"sha-{OLD[:7]}", OLD[:7]]


@pytest.mark.parametrize(
    ("version", "tags"),
    [
        ("1.2.3", ["1.2.3", "v1.2.3"]),
        ("v1.2.3", ["v1.2.3", "1.2.3"]),
        ("1.2.3-rc.1", ["1.2.3-rc.1", "v1.2.3-rc.1"]),
        ("2026.1.20", ["2026.1.20", "v2026.1.20"]),
        ("1.2.3.4", ["1.2.3.4", "v1.2.3.4"]),
        ("sha-1a2b3c4", ["1a2b3c4", "sha-1a2b3c4"]),
        ("1A2B3C4", ["1a2b3c4", "sha-1a2b3c4"]),
        ("no tag: a sentence", []),
        ("", []),
    ],
)
def test_a_version_is_looked_for_as_tags_spell_it(version: str, tags: list[str]) -> None:
    assert list(references(plan(), "latest", "", version)) == tags


@pytest.mark.parametrize(
    "word",
    [
        *("latest", "main", "master", "edge", "stable", "production", "release", "nightly", "dev", "HEAD", "pr-12"),
        *("1", "v1", "1.2", "v1.2", "build-7", "1.2.3-SNAPSHOT", "1.2.3-nightly", "1.2.3-rc", "1.2.3-dev.0"),
        *("0.0.0", "0000000", "unknown", "1a2b3c"),
    ],
)
def test_a_moving_tag_or_a_placeholder_is_not_a_candidate(word: str) -> None:
    assert references(plan(), "latest", "", word) == {}


@given(st.text(max_size=140), st.sampled_from(["", D1]))
def test_only_a_digest_a_commit_or_a_version_number_is_looked_up(version: str, running: str) -> None:
    found = references(plan(), "latest", running, version)
    assert all(each == running or (is_tag(each) and (commit_of(each) or number_of(each))) for each in found)
    assert len(found) <= 5


@pytest.mark.parametrize(
    ("label", "named", "contradicted"),
    [
        (NEW, {OLD}, True),
        (OLD, {OLD}, False),
        (OLD[:7], {OLD}, False),
        (OLD, {OLD[:8], "1.2.3"}, False),
        (NEW, {OLD, NEW}, False),
        (NEW, {"1.2.3"}, False),
        ("v1.2.3", {OLD}, False),
        ("", {OLD}, False),
        (NEW, set[str](), False),
    ],
    ids=[
        "another commit",
        "the same",
        "the same in short",
        "a short name",
        "one of two names",
        "a number beside a commit",
        "no commit in the label",
        "no label",
        "no name",
    ],
)
def test_only_another_commit_in_the_label_contradicts_the_build(
    label: str, named: set[str], contradicted: bool
) -> None:
    assert contradicts(label, named) is contradicted
