"""Every kind of evidence has the same few methods: a new kind is one class and one entry in the list."""

from functools import cached_property

import pytest

from redeploy.http.response import HttpResult
from redeploy.report import outputs
from redeploy.report.facts import About
from redeploy.rollout.evidence.kind import Evidence
from redeploy.rollout.evidence.row import KINDS
from redeploy.rollout.requests import Probe
from redeploy.verdicts import Proof
from sandbox.simulation import Story, World, simulate
from tests.unit.factories import NEW, OLD, ready, reply

ORDER = (Proof.DIGEST, Proof.VERSION, Proof.CHANGE, Proof.CLAIM)


class StatusChange(Evidence):
    """The service responds with another status than before the trigger."""

    @cached_property
    def since(self) -> float | None:
        before, since = {each.seen for each in self._state.baseline}, None
        for each in self._state.samples:
            since = None if each.seen in before else since or each.at
        return since

    @cached_property
    def seen_new(self) -> bool:
        before = {each.seen for each in self._state.baseline}
        return any(each.seen not in before for each in self._state.samples)

    @property
    def reverted(self) -> bool:
        return self.seen_new and self.since is None

    @property
    def sentence(self) -> str:
        return "The status of the health check changed." if self.since is not None else ""


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redeploy.rollout.evidence.weighing.KINDS", (*KINDS, StatusChange))


def run(until: float = 1e9, **inputs: str) -> Story:
    """A service that names no build, and responds with 201 from a moment on, until another."""

    def answers(moment: float, _: Probe) -> HttpResult:
        return reply(201 if 3 < moment < until else 200, {"ok": True})

    return simulate(World(answers, (reply(200),)), **inputs)


def test_a_change_that_no_kind_of_evidence_recognises_proves_nothing() -> None:
    assert run().verdict == ("unproven", "no-identity")


@pytest.mark.usefixtures("registered")
def test_a_registered_kind_of_evidence_decides_a_run_and_appears_in_its_report() -> None:
    story = run()
    assert story.verdict == ("deployed", "")
    assert story.conclusion.proof is Proof.CHANGE
    assert story.outcome.facts.of(About.EVIDENCE) == ("The status of the health check changed.",)
    assert "The status of the health check changed." in outputs.outputs(story.outcome)["report"]


@pytest.mark.usefixtures("registered")
def test_the_window_of_a_build_begins_when_its_only_evidence_does() -> None:
    assert run(stable_for="5s").world.clock >= 3 + 5


@pytest.mark.usefixtures("registered")
def test_the_run_is_stale_if_the_evidence_shows_the_old_build_again() -> None:
    assert run(until=6, stable_for="5s").verdict == ("stale", "old-build")


@pytest.mark.usefixtures("registered")
def test_a_change_never_replaces_a_declared_identity() -> None:
    assert run(expect_version=NEW, timeout="20s").verdict[0] == "wrong-build"


def test_declared_evidence_comes_first_and_a_claim_last() -> None:
    kinds = [kind.proof for kind in KINDS if kind.proof is not Proof.NONE]
    assert kinds == sorted(kinds, key=ORDER.index)


def test_names_that_stayed_contradict_a_change() -> None:
    story = simulate(World(lambda *_: ready(OLD), (reply(200),)))
    assert story.verdict == ("unproven", "no-change")
    assert story.outcome.facts.of(About.EVIDENCE) == ("The service reports the same build as before: `commit`.",)
