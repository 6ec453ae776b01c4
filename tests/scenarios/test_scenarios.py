"""Every scenario of the sandbox through the real entrypoint, checked by what the runner read and the servers saw."""

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
    """The schema, with all fields forbidden that it does not describe."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(each) for name, each in schema.items()}
    return closed | {"additionalProperties": False} if schema.get("type") == "object" else closed


BURST = 15
WITH_TOKEN = (UPDATE, CONTAINERS, DETAILS, CHECK, METRICS)
"""Paths that the token may be sent to."""
PER_SECOND = {"s": 1.0, "m": 1 / 60}
CODE = re.compile(r"^(`{3,}).*?^\1$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
"""Code blocks and spans, in which Markdown does not interpret HTML."""
REPORT = Draft202012Validator(strict(json.loads((PROJECT / "docs" / "report.schema.json").read_text())))
MEASURING = {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}


@pytest.fixture
def runner(scenario: Scenario) -> Runner:
    """GitHub's runner.

    Measuring coverage doubles the time that a run takes to start; and if a signal arrives while coverage holds its lock,
    the run deadlocks.
    """
    environment = MEASURING if scenario.name in MEASURED and scenario.interrupt is None else {}
    return Runner(PROJECT, FromCheckout(Path(sys.executable)), patience=45, environment=environment)


def family(chapter: str, scenario: Scenario) -> tuple[object, ...]:
    """What a scenario has in common with its variations, which end the same way for the same kind of cause."""
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
    """The first scenario of each family and all attacks, or with `SCENARIOS=all` every scenario.

    What distinguishes the variations of a family is tested in `tests/unit/`, by value and in the simulation.
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
def test_a_scenario_ends_as_the_interface_says(scenario: Scenario, pool: ProcessPool, runner: Runner) -> None:
    with played(scenario, pool, runner) as (run, world):
        log = f"{run.outputs}\n{run.annotations}\n{run.log}"
        assert run.problems == (), log
        ended = (run.outputs["verdict"], run.outputs["reason"])
        assert ended in scenario.endings(), log
        assert run.exit_code == scenario.code(), log
        if scenario.result is not None:
            assert run.outputs["watchtower-result"] == scenario.result, log
        if scenario.proof is not None:
            assert run.outputs["proof"] == scenario.proof, log
        for name, value in scenario.outputs.items():
            assert run.outputs[name] == value, log
        _assert_report(scenario, run)
        _assert_requests(scenario, world)
        _assert_true(run, world)
        _assert_recorded(scenario, world)
        if scenario.inputs.get("mode") == "doctor":
            _assert_examined(scenario, run, world)


def _assert_report(scenario: Scenario, run: Run) -> None:
    """Check what sections 3 and 4 of the interface promise for every run."""
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
    assert render(run.summary).accidents == (), "GitHub would turn some text into a link, a mention or an image"
    if run.outputs["verdict"] == "unproven" and run.exit_code == 0:
        assert run.messages("warning")


def _assert_requests(scenario: Scenario, world: World) -> None:
    """Check what the servers saw: the triggers, the token only where it belongs, no more requests than the rate allows."""
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
    """Requests per second that the scenario allows; 0 for an invalid value, with which no requests are sent."""
    match = re.fullmatch(r"(\d+)/([sm])", scenario.inputs.get("request-rate", "30/m"))
    return int(match[1]) * PER_SECOND[match[2]] if match else 0.0


def _assert_within_bucket(front: Front, rate: float, burst: int) -> None:
    """Check that requests without the token, which has its own bounds, never exceed the rate in any interval."""
    times = [one.at for one in front.seen if one.header("Authorization") is None and one.path != UPDATE]
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            # The delay between sending a request and seeing it varies.
            assert last - first + 1 <= burst + rate * (times[last] - start) + 1


def _assert_true(run: Run, world: World) -> None:
    """Check that a green run which names a build names the one that responds."""
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
    """Check that GitHub gets only configured requests, and at most one Deployment, which agrees with the run."""
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
    """Check that doctor found what is wrong and nothing else, and changed nothing."""
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
