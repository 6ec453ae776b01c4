"""Every story of the sandbox through the real entrypoint, judged by what the runner read and what the servers saw."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from redeploy.triggers.watchtower.endpoints import NO_IMAGE
from sandbox.network.faults import Limit
from sandbox.network.front import Front
from sandbox.play import played
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.results import Run
from sandbox.runner.runner import Runner
from sandbox.scenarios import CHAPTERS, SCENARIOS, Scenario, hostility
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import CHECK, CONTAINERS, DETAILS, METRICS, UPDATE, World
from tests import schema_checks
from tools.preview.markdown import render

PROJECT = Path(__file__).resolve().parents[2]


def strict(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """The schema, with every field forbidden that it does not describe."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(each) for name, each in schema.items()}
    return closed | {"additionalProperties": False} if schema.get("type") == "object" else closed


BURST = 15
WITH_TOKEN = (UPDATE, CONTAINERS, DETAILS, CHECK, METRICS)
"""Paths that the token may be shown to."""
PER_SECOND = {"s": 1.0, "m": 1 / 60}
CODE = re.compile(r"^(`{3,}).*?^\1$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
"""Blocks and spans in which Markdown makes nothing of HTML."""
REPORT = Draft202012Validator(strict(json.loads((PROJECT / "docs" / "report.schema.json").read_text())))
MEASURING = {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}


@pytest.fixture
def runner(scenario: Scenario) -> Runner:
    """GitHub's runner.

    To measure what a run covers takes as long again as to start it; and where a signal comes while coverage holds its lock,
    the run would wait for it for ever.
    """
    environment = MEASURING if scenario.name in MEASURED and scenario.interrupt is None else {}
    return Runner(PROJECT, FromCheckout(Path(sys.executable)), patience=45, environment=environment)


def family(chapter: str, scenario: Scenario) -> tuple[object, ...]:
    """What a scenario has in common with its variations, which end in the same way for a cause of the same kind."""
    scene = scenario.scene
    return (
        chapter,
        scenario.verdict,
        scenario.reason,
        scenario.proof,
        scenario.interrupt,
        scenario.records,
        scenario.issues,
        "issue-on-failure" in scenario.inputs,
        bool(scenario.files),
        next(iter(scenario.found), ""),
        scenario.verdict == "deployed" and scene.variant,
        scene.certificate,
    )


def played_here() -> list[Scenario]:
    """The first scenario of each family and all that attack, or with `SCENARIOS=all` every one.

    What tells the variations of a family apart is held in `tests/unit/`, by value and in the simulation.
    """
    if os.environ.get("SCENARIOS") == "all":
        return list(SCENARIOS.values())
    first: dict[tuple[object, ...], Scenario] = {}
    for chapter in CHAPTERS:
        for scenario in chapter.SCENARIOS:
            attacks = chapter is hostility or any(word in scenario.name for word in ("echo", "hostile", "endless"))
            alone = (scenario.name,) if attacks else ()
            first.setdefault((*family(chapter.__name__, scenario), *alone), scenario)
    return list(first.values())


MEASURED = frozenset({scenario.verdict: scenario.name for scenario in reversed(SCENARIOS.values())}.values())
"""The first scenario of each verdict."""


@pytest.mark.parametrize("scenario", played_here(), ids=lambda scenario: scenario.name)
def test_a_story_ends_as_the_interface_says(scenario: Scenario, pool: ProcessPool, runner: Runner) -> None:
    with played(scenario, pool, runner) as (run, world):
        told = f"{run.outputs}\n{run.annotations}\n{run.log}"
        assert run.problems == (), told
        ended = (run.outputs["verdict"], run.outputs["reason"])
        assert ended in scenario.endings(), told
        assert run.exit_code == scenario.code(), told
        if scenario.result is not None:
            assert run.outputs["watchtower-result"] == scenario.result, told
        if scenario.proof is not None:
            assert run.outputs["proof"] == scenario.proof, told
        for name, value in scenario.outputs.items():
            assert run.outputs[name] == value, told
        _assert_told(scenario, run)
        _assert_manners(scenario, world)
        _assert_true(run, world)
        _assert_recorded(scenario, world)
        if scenario.inputs.get("mode") == "doctor":
            _assert_examined(scenario, run, world)


def _assert_told(scenario: Scenario, run: Run) -> None:
    """What section 3 and 4 of the interface promise of every run."""
    assert run.summary.strip()
    assert "<script" not in CODE.sub("", run.summary)
    messages = "\n".join(one.message for one in run.annotations)
    assert [text for text in scenario.says if text not in messages] == []
    assert [text for text in scenario.shown if text not in run.summary] == []
    remarks = [
        one for one in run.annotations if one.title != "Inputs" or "whose registry has a port" not in one.message
    ]
    assert not (scenario.unremarked and remarks), messages
    if scenario.failed is not None:
        assert json.loads(run.outputs["failed-checks"]) == list(scenario.failed)
    assert [(one.file, one.line) for one in run.annotations if one.file] == list(scenario.places)
    assert len(run.outputs["version"]) <= 256
    assert [each.message for each in REPORT.iter_errors(json.loads(run.outputs["report"]))] == []
    assert render(run.summary).accidents == (), "GitHub would make a link, a mention or an image of something"
    if run.outputs["verdict"] == "unproven" and run.exit_code == 0:
        assert run.messages("warning")


def _assert_manners(scenario: Scenario, world: World) -> None:
    """What the servers saw: so many triggers, the token where it belongs, never more requests than the bucket gives."""
    assert len(world.front.triggers()) == scenario.triggers
    if scenario.silent:
        assert world.front.seen == world.foreign.seen == []
    assert world.foreign.seen == []
    limit = world.service_front.on_service
    assert not isinstance(limit, Limit) or limit.refused == 0
    puts = [one for one in world.registry.seen if one.method == "PUT"]
    by_file = any("on-failure: rollback" in text for text in scenario.files.values())
    rolls_back = by_file or "rollback" in (scenario.inputs.get("on-failure"), scenario.inputs.get("mode"))
    assert len({one.body for one in puts}) <= (1 if rolls_back else 0)
    for asked, count in scenario.asked.items():
        assert [f"{one.method} {one.path}" for one in world.service_front.seen].count(asked) == count, asked
    shown = [one for one in world.registry.seen if one.header("Authorization")]
    assert not shown or "registry-password" in scenario.inputs
    assert not any(one.header("Authorization") for one in world.registry.stored)
    for front in {world.front, world.service_front}:
        for request in front.seen:
            carried = world.token in "\n".join(value for _, value in request.headers)
            assert not carried or (front is world.front and request.path in WITH_TOKEN)
        _assert_within_bucket(front, _rate(scenario), BURST * (1 + len(scenario.earlier)))


def _rate(scenario: Scenario) -> float:
    """Requests a second that the scenario allows; where what it says makes no sense, none are sent."""
    told = re.fullmatch(r"(\d+)/([sm])", scenario.inputs.get("request-rate", "30/m"))
    return int(told[1]) * PER_SECOND[told[2]] if told else 0.0


def _assert_within_bucket(front: Front, rate: float, burst: int) -> None:
    """Requests with the token have bounds of their own; of the others, no stretch holds more than the bucket gives."""
    times = [one.at for one in front.seen if one.header("Authorization") is None and one.path != UPDATE]
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            # A request is sent a moment before it is seen, later ones perhaps after a shorter one.
            assert last - first + 1 <= burst + rate * (times[last] - start) + 1


def _assert_true(run: Run, world: World) -> None:
    """A green run that names a build names the one that answers in truth."""
    if run.outputs["verdict"] in ("deployed", "already-current", "verified", "rolled-back") and run.outputs[
        "proof"
    ] in (
        "version",
        "digest",
    ):
        assert world.host.service.answers_with() == world.host.service.build.name
        if run.outputs["proof"] == "version":
            assert run.outputs["version"] == world.host.service.build.git_sha


def _assert_recorded(scenario: Scenario, world: World) -> None:
    """GitHub is asked for nothing that was not wished for, and has at most one Deployment, which agrees with the run."""
    github = world.github
    assert [tuple(one.states) for one in github.deployments] == ([scenario.records] if scenario.records else [])
    assert [(each["state"], each["comments"]) for each in github.issues.documents] == list(scenario.issues)
    of_branch = scenario.inputs.get("expect-version", "").startswith("branch:")
    if not of_branch and not {"deployment-environment", "issue-on-failure"} & set(scenario.inputs):
        assert github.seen == []
        return
    if scenario.inputs.get("mode") == "doctor":
        assert {one.method for one in github.seen} == {"GET"}
    schema_checks.check(github)
    tokens = {(one.header("Authorization") or "").partition(" ")[2] for one in github.seen}
    assert len(tokens) <= 1 + len(scenario.earlier)
    assert all(token.startswith("ghs_") for token in tokens)
    assert not any(token in value for token in tokens for one in world.front.seen for _, value in one.headers)
    assert all(one.at > trigger.at for one in github.seen for trigger in world.front.triggers()[:1])


def _assert_examined(scenario: Scenario, run: Run, world: World) -> None:
    """Doctor found what is wrong, and that alone; and nothing is otherwise than before."""
    links = json.loads(run.outputs["report"])["links"]
    weak = {each["link"]: each["finding"] for each in links if each["state"] in ("warning", "broken")}
    assert weak == dict(scenario.found), run.summary
    broken = [each["link"] for each in links if each["state"] == "broken"]
    assert all(each["behind"] in broken for each in links if each["behind"])
    assert len(run.messages("error")) == len(broken) or scenario.verdict == "invalid-config"
    for request in world.front.seen:
        if request.method != "GET":
            assert request.method == "POST"
            assert request.path == CHECK or request.query == {"image": [NO_IMAGE]}
    assert all(one.target == f"/v1/update?image={NO_IMAGE}" for one in world.watchtower.triggers)
    assert [one.build for one in world.host.service.moments].count(scenario.scene.before.name) <= 1
    assert world.host.service.build == scenario.scene.before
