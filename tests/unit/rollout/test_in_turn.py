"""Several instances behind one address, and readiness that comes and goes, in whole simulated runs."""

import random

import pytest

from redeploy.http.response import HttpResult
from redeploy.report.facts import About
from redeploy.rollout.requests import Probe
from sandbox.simulation import World, simulate
from tests.unit.factories import HEALTH, NEW, OLD, VERSION, ready, reply

pytestmark = pytest.mark.no_cover  # these runs take long, and other tests reach the same lines


@pytest.mark.parametrize("path", [{}, {"version_path": "/api/version"}], ids=["one address", "two addresses"])
def test_after_builds_alternated_20_looks_in_a_row_are_needed_and_a_green_run_reports_it(
    path: dict[str, str],
) -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 2 or 4 < moment < 8 else ready(NEW)

    story = simulate(World(service, (reply(200),)), expect_version=NEW, timeout="3m", **path)
    assert story.verdict == ("deployed", "")
    window = story.state.history.window
    assert (window.versions if path else window.samples) >= 20
    assert any("Several instances take turns" in each for each in story.outcome.facts.of(About.WARNING))


@pytest.mark.parametrize("apart", [True, False])
def test_readiness_that_alternates_under_a_constant_version_is_flapping(apart: bool) -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        if moment < 0.5 or (apart and probe.endpoints == VERSION):
            return ready(OLD if moment < 0.5 else NEW)
        return ready(NEW) if (moment - 0.5) % 5 < 3 else reply(503, {"status": "no database", "commit": NEW})

    path = {"version_path": "/api/version"} if apart else {}
    assert simulate(World(service, (reply(200),)), expect_version=NEW, **path).verdict == ("unhealthy", "flapping")


def test_a_stale_instance_is_found_if_instances_are_declared() -> None:
    chance = random.Random(5)  # noqa: S311 - which instance answers

    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 1 or chance.random() < 0.5 else ready(NEW)

    ends = [
        simulate(World(service, (reply(200),), seed=seed), expect_version=NEW, instances="2", timeout="60")
        for seed in range(20)
    ]
    assert all(story.conclusion.exit_code for story in ends)


@pytest.mark.parametrize(
    ("instances", "path"), [("10", {}), ("10", {"version_path": "/v"}), ("4", {"version_path": "/v"})]
)
def test_a_window_of_many_looks_that_began_in_time_may_end_after_the_deadline(
    instances: str, path: dict[str, str]
) -> None:
    world = World(lambda moment, _: ready(OLD if moment < 2 else NEW), (reply(200),))
    story = simulate(world, expect_version=NEW, instances=instances, timeout="30", **path)
    assert story.verdict == ("deployed", "")
    assert story.state.history.window.looks_missing == 0


def test_an_address_that_rejects_a_random_query_is_proven_without_one_and_the_log_reports_it() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return reply(400) if probe.past_caches else ready(OLD if moment < 2 else NEW)

    story = simulate(World(service, (reply(200),)), expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert any("refuses a random query parameter" in line for line in story.log.lines)


def test_a_rate_below_one_look_per_second_is_noted_at_the_start() -> None:
    story = simulate(
        World(lambda moment, _: ready(OLD if moment < 2 else NEW), (reply(200),)),
        request_rate="6/m",
        expect_version=NEW,
    )
    assert any("too low for a probe every second" in line for line in story.log.lines)


def test_a_separate_health_address_is_probed_throughout_the_window() -> None:
    story = simulate(
        World(lambda moment, _: ready(OLD if moment < 2 else NEW), (reply(200),)), expect_version=NEW, version_path="/v"
    )
    looks = [sample for sample in story.state.samples if sample.endpoints == HEALTH]
    assert len(looks) >= 6
    assert looks[0].beyond_caches
    assert looks[-1].beyond_caches
