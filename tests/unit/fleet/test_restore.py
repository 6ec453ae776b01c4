"""What is rolled back when a run of several services failed: an image reference and every service updated to it."""

from dataclasses import replace

from redeploy.report.facts import About
from redeploy.rollout.requests import SendTrigger
from redeploy.settings.plan import HostPlan, Plan, RunPlan
from tests.unit.factories import D1, D2, D3, NEW, ready
from tests.unit.fleet.stage import Finished, run_to_end, service
from tests.unit.rollback.test_run import IMAGE, SICK, Server


def api(host: str, **inputs: str) -> tuple[str, Plan]:
    """Return the service `api` at a host; it follows the tag that all hosts share."""
    given = {"image": IMAGE, "expect_version": NEW, "on_failure": "rollback", "timeout": "30s"} | inputs
    return host, service("api", **given)


def run(servers: dict[str, Server], waves: list[list[str]], **inputs: str) -> Finished:
    """Run `api` at every host; the hosts share one registry."""
    kept = next(iter(servers.values())).kept
    for server in servers.values():
        server.kept = kept
    hosts = {name: HostPlan.of(name, [api(name, **inputs)[1]]) for name in servers}
    plan = RunPlan(waves=tuple(tuple(hosts[name] for name in wave) for wave in waves))
    return run_to_end(plan, {name: server.world for name, server in servers.items()})


def healthy() -> Server:
    return Server(answers={})


def test_a_canary_that_fails_is_rolled_back_and_the_rest_is_left_alone() -> None:
    servers = {"canary": Server(), "eu": healthy()}
    finished = run(servers, [["canary"], ["eu"]])
    assert finished.verdicts == {
        "canary/api": ("rolled-back", "never-ready"),
        "eu/api": ("not-started", "earlier-wave"),
    }
    assert finished.verdict == ("rolled-back", "never-ready")
    assert servers["canary"].puts == [D1]
    assert servers["canary"].current() == D1
    assert not servers["eu"].world.sent(SendTrigger)
    assert finished.outputs["rolled-back"] == "true"


def test_a_green_service_of_an_earlier_wave_is_rolled_back_with_its_shared_image() -> None:
    servers = {"canary": healthy(), "eu": Server()}
    finished = run(servers, [["canary"], ["eu"]])
    assert finished.verdicts == {
        "canary/api": ("rolled-back", "never-ready"),
        "eu/api": ("rolled-back", "never-ready"),
    }
    assert sum(len(each.puts) for each in servers.values()) == 1
    assert [each.current() for each in servers.values()] == [D1, D1]
    last = {name: server.world.sent(SendTrigger)[-1] for name, server in servers.items()}
    assert last["eu"] < last["canary"], "the last wave goes back first"
    assert "went back with `eu/api`" in finished.services["canary/api"].facts.of(About.CAUSE)[0]


def test_no_tag_is_written_if_hosts_ran_different_images() -> None:
    servers = {"canary": Server(runs=D3, answers={}), "eu": Server()}
    servers["canary"].kept |= {D3: D3}
    finished = run(servers, [["canary"], ["eu"]])
    assert finished.verdicts["eu/api"] == ("rollback-failed", "never-ready")
    assert finished.verdicts["canary/api"] == ("deployed", "")
    assert not any(each.puts for each in servers.values())
    rolled = finished.services["eu/api"].rollback
    assert rolled is not None
    assert "different digests" in rolled.sentence


def test_nothing_is_rolled_back_unless_the_failed_service_asks_for_it() -> None:
    servers = {"eu": Server()}
    finished = run(servers, [["eu"]], on_failure="keep")
    assert finished.verdicts == {"eu/api": ("unhealthy", "never-ready")}
    assert not servers["eu"].puts


def test_a_service_with_another_image_is_not_rolled_back() -> None:
    server = Server()
    web = service("web", image="ghcr.io/o/web:latest", timeout="30s")
    server.world.service = lambda moment, probe: (
        server.service() if "api" in probe.url else ready(NEW if moment > 1 else D2)
    )
    finished = run_to_end(RunPlan(waves=((HostPlan.of("eu", [api("eu")[1], web]),),)), {"eu": server.world})
    assert finished.verdicts == {"eu/api": ("rolled-back", "never-ready"), "eu/web": ("deployed", "")}


def test_a_service_that_cannot_be_rolled_back_is_reported_and_does_not_stop_the_others() -> None:
    good, bad = Server(), Server(reports_digests=False, reports_names=False)
    other = service("api", image="ghcr.io/o/other:latest", on_failure="rollback", expect_version=NEW, timeout="30s")
    hosts = (HostPlan.of("bad", [replace(other, name="other")]), HostPlan.of("good", [api("good")[1]]))
    finished = run_to_end(RunPlan(waves=(hosts,)), {"bad": bad.world, "good": good.world})
    assert finished.verdicts["good/api"] == ("rolled-back", "never-ready")
    assert finished.verdicts["bad/other"][0] == "rollback-failed"
    assert SICK is not None
