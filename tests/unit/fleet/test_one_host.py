"""Several services behind one Watchtower: one trigger, and each service's own evidence, window and verdict."""

import itertools

import pytest

from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.lookup import FromRegistry
from redeploy.registry.manifest import Manifest
from redeploy.report import outputs
from redeploy.report.facts import About
from redeploy.report.results import representative
from redeploy.report.several.page import page, timeline
from redeploy.report.several.texts import annotations_of, headline
from redeploy.report.summary import Repository
from redeploy.report.timeline import What
from redeploy.rollout.requests import FetchContainers, Probe, SendTrigger
from redeploy.settings.plan import HostPlan, RunPlan
from tests.unit.factories import D1, D2, NEW, OLD, reply, rows, summary
from tests.unit.fleet.stage import SWAP, at_one_host, name_of, run_to_end, service, sick, stays, swapped, worker, world
from tests.unit.settings.config.loading import run_of

BOTH = [service("api"), service("web")]


def test_one_trigger_updates_all_services_and_each_is_proven() -> None:
    finished = at_one_host(BOTH)
    assert finished.verdicts == {"api": ("deployed", ""), "web": ("deployed", "")}
    assert finished.verdict == ("deployed", "")
    assert len(finished.worlds.hosts[""].sent(SendTrigger)) == 1


def test_a_stale_service_does_not_stop_the_proof_of_the_others() -> None:
    finished = at_one_host([*BOTH, service("old", expect_version=NEW)], {"old": stays})
    assert finished.verdicts["old"] == ("stale", "old-build")
    assert finished.verdicts["api"] == finished.verdicts["web"] == ("deployed", "")
    assert finished.verdict == ("stale", "old-build")
    assert finished.outcome.conclusion.exit_code == 1


def test_the_worst_verdict_is_the_verdict_of_the_run() -> None:
    finished = at_one_host(
        [service("old", expect_version=NEW, timeout="20s"), service("sick", expect_version=NEW, timeout="20s")],
        {"old": stays, "sick": sick},
    )
    assert finished.verdict == ("unhealthy", "never-ready")
    assert representative(finished.outcome).url == "https://sick.example.com"


@pytest.mark.no_cover  # takes long, and other tests reach the same lines
def test_services_are_watched_side_by_side() -> None:
    slow = [service(f"s{number}", expect_version=NEW, stable_for="5s") for number in range(30)]
    many, one = at_one_host(slow), at_one_host(slow[:1])
    assert many.verdict == one.verdict == ("deployed", "")
    assert many.worlds.clock <= one.worlds.clock + 1.0
    assert many.worlds.most_under_way <= 64 + 10


def test_services_of_one_origin_share_one_request_rate() -> None:
    shared = [
        service(f"s{number}", base_url="https://all.example.com", health_path=f"/s{number}") for number in range(6)
    ]
    finished = at_one_host(shared, {"all": swapped})
    sent = finished.worlds.hosts[""].sent(Probe)
    allowed = [15 + (moment - sent[0]) / 2 for moment in sent]
    assert all(place < most + 1 for place, most in enumerate(allowed, 1))
    assert finished.verdict == ("deployed", "")


def test_the_lowest_rate_of_an_origin_counts() -> None:
    fast, slow = (
        service(name, base_url="https://all.example.com", health_path=f"/{name}", request_rate=rate)
        for name, rate in (("fast", "10/s"), ("slow", "20/m"))
    )
    finished = at_one_host([fast, slow], {"all": swapped})
    assert {each.rate and each.rate.per_second for each in finished.fleet.plan.services} == {20 / 60}


def test_one_response_serves_all_services_with_the_same_request() -> None:
    alike = [service(name, base_url="https://all.example.com") for name in ("api", "web")]
    two, one = at_one_host(alike, {"all": swapped}), at_one_host(alike[:1], {"all": swapped})
    assert two.verdicts == {"api": ("deployed", ""), "web": ("deployed", "")}
    asked = [len(finished.worlds.hosts[""].sent(Probe)) for finished in (two, one)]
    assert asked[0] < 1.5 * asked[1]


def test_the_containers_are_listed_once_for_all() -> None:
    def listed(moment: float) -> HttpResult:
        digest = D2 if moment > SWAP else D1
        return rows(("api", "ghcr.io/o/api:latest", digest), ("web", "ghcr.io/o/web:latest", digest))

    finished = at_one_host(
        [service(name, image=f"ghcr.io/o/{name}:latest") for name in ("api", "web")], containers=listed
    )
    assert finished.verdicts == {"api": ("deployed", ""), "web": ("deployed", "")}
    assert {each.digest.live for each in finished.services.values()} == {D2}
    looks = finished.worlds.hosts[""].sent(FetchContainers)
    assert len(looks) <= 2 + finished.worlds.clock / 5


def test_a_host_is_not_triggered_if_one_of_its_services_could_not_be_proven() -> None:
    finished = at_one_host([service("api"), service("web", expect_digest=D2)], containers=lambda _: reply(404))
    assert finished.verdicts == dict.fromkeys(("api", "web"), ("not-started", "digest-unavailable"))
    assert not finished.worlds.hosts[""].sent(SendTrigger)
    assert "because of web" in finished.services["api"].facts.of(About.CAUSE)[0]


def test_a_response_of_watchtower_after_the_end_of_a_service_is_not_in_its_result() -> None:
    finished = at_one_host([service("api"), service("hasty", timeout="1s")], trigger=((summary(), 4.0),))
    hasty = finished.services["hasty"]
    assert finished.verdicts == {"api": ("deployed", ""), "hasty": ("trigger-failed", "no-answer")}
    assert (hasty.update.answered, hasty.update.said) == (None, "")
    assert [each.what for each in hasty.timeline.moments] == [What.TRIGGERED, What.ENDED]


def test_each_line_of_the_log_names_its_service_and_the_trigger_is_logged_once() -> None:
    finished = at_one_host(BOTH)
    lines = [line.partition("s  ")[2] for line in finished.log.lines]
    assert lines.count("trigger sent") == 1
    assert all(line.startswith(("api: ", "web: ", "trigger", "Watchtower: ")) for line in lines)


def test_outputs_and_report_have_every_service() -> None:
    finished = at_one_host([service("api"), service("old", expect_version=NEW)], {"old": stays})
    assert finished.outputs["services"] == {
        "api": {
            "verdict": "deployed",
            "reason": "",
            "proof": "change",
            "version": NEW,
            "digest": "",
            "url": "https://api.example.com",
        },
        "old": {
            "verdict": "stale",
            "reason": "old-build",
            "proof": "none",
            "version": OLD,
            "digest": "",
            "url": "https://old.example.com",
        },
    }
    assert finished.outputs["report"]["services"]["api"]["verdict"] == "deployed"
    assert finished.outputs["report"]["services"]["api"]["seen"]["names"]


def test_failed_checks_are_named_with_their_services() -> None:
    finished = at_one_host([service("api", smoke="GET /x"), service("web")], smoke=lambda _, __: reply(500))
    assert finished.verdict == ("checks-failed", "smoke")
    assert finished.outputs["failed-checks"] == ["api: smoke GET /x"]


def test_the_proof_of_a_green_run_is_the_weakest() -> None:
    finished = at_one_host([service("api", expect_version=NEW), service("web")])
    assert finished.outputs["proof"] == "change"


def test_the_summary_has_one_table_one_timeline_and_the_pages_of_services_that_are_not_green() -> None:
    finished = at_one_host([service("api"), service("old", expect_version=NEW)], {"old": stays})
    shown = page(finished.outcome, Repository())
    assert shown.startswith("## ❌ stale: 1 of 2 services is not green: old")
    assert shown.count("```mermaid") == 2
    assert shown.count("| Service | Before |") == 1
    assert "<summary>old: stale: " in shown
    assert "<summary>api: " not in shown
    assert headline(finished.outcome).startswith("stale: 1 of 2")


def test_the_timeline_has_the_phases_of_each_service_in_one_line() -> None:
    def gone(moment: float) -> HttpResult:
        return TransportError(ErrorKind.REFUSED) if 1.0 < moment < SWAP else swapped(moment)

    def listed(moment: float) -> HttpResult:
        return rows(("worker-1", "ghcr.io/o/worker:latest", D2 if moment > SWAP else D1))

    services = [service("api"), worker("jobs", image="ghcr.io/o/worker:latest")]
    finished = at_one_host(services, {"api": gone}, containers=listed)
    lines = timeline({key: representative(each) for key, each in finished.outcome.services.items()})
    assert [(bar.what, bar.kind) for bar in lines["api"]] == [
        ("Old build", "done"),
        ("Gone", "crit"),
        ("New build", "active"),
    ]
    assert all(one.end == other.begin for one, other in itertools.pairwise(lines["api"]))
    assert [(bar.what, bar.kind) for bar in lines["jobs"]] == [("Old build", "done"), ("New build", "active")]
    shown = page(finished.outcome, Repository())
    assert shown.count("  section ") == 2
    assert '"displayMode": "compact"' in shown
    assert "Grey: the build from before. Red: no healthy response" in shown


def test_each_service_that_is_not_green_has_an_annotation() -> None:
    finished = at_one_host([service("api"), service("old", expect_version=NEW)], {"old": stays})
    assert [(each.kind, each.title.partition(":")[0]) for each in annotations_of(finished.outcome.services)] == [
        ("error", "old")
    ]


@pytest.mark.no_cover  # takes long, and other tests reach the same lines
def test_many_services_fit_into_the_annotations_that_a_runner_keeps() -> None:
    many = [service(f"s{number}", expect_version=NEW) for number in range(20)]
    finished = at_one_host(many, {each.name: stays for each in many}, trigger=(summary(scanned=1),))
    found = annotations_of(finished.outcome.services)
    assert len(found) <= 9
    assert all(any(f"s{number}:" in f"{each.title}\n{each.message}" for each in found) for number in range(20))


@pytest.mark.parametrize(("number", "kept"), [(2, 2), (100, 100), (200, 100)])
def test_the_report_fits_into_an_output_and_a_later_step_reads_what_was_seen(number: int, kept: int) -> None:
    finished = at_one_host([service(f"s{each}", mode="verify") for each in range(number)])
    assert all(len(str(each)) <= 96 * 1024 for each in finished.outputs.values())
    assert len(finished.outputs["report"]["services"]) == number
    names = "".join(f"  s{each}: {{base-url: 'https://s{each}.example.com'}}\n" for each in range(number))
    earlier = outputs.outputs(finished.outcome)["report"]
    later = run_of(f"defaults: {{health-path: /ready}}\nservices:\n{names}", mode="verify", baseline=earlier)
    seen = [each.baseline.names for each in later.services if each.baseline]
    assert len(seen) >= kept
    assert all(each == {"commit": (OLD,)} for each in seen[:1])
    assert len(later.warnings) == number - len(seen)


def test_a_worker_is_proven_by_its_row() -> None:
    def listed(moment: float) -> HttpResult:
        return rows(("worker-1", "ghcr.io/o/worker:latest", D2 if moment > SWAP else D1))

    finished = at_one_host([service("api"), worker("jobs", image="ghcr.io/o/worker:latest")], containers=listed)
    assert finished.verdicts["jobs"] == ("deployed", "")
    assert finished.services["jobs"].digest.live == D2
    assert finished.services["jobs"].conclusion.proof.word == "change"
    assert any("watching it for 10 s" in line for line in finished.log.lines), "three rows, five seconds apart"


def test_a_worker_whose_container_is_gone_is_down() -> None:
    def listed(moment: float) -> HttpResult:
        return rows(("worker-1", "ghcr.io/o/worker:latest", D1)) if moment < SWAP else rows()

    jobs = worker("jobs", image="ghcr.io/o/worker:latest", timeout="20s")
    finished = at_one_host([service("api"), jobs], containers=listed)
    assert finished.verdicts["jobs"] == ("unhealthy", "down")
    assert finished.verdicts["api"] == ("deployed", "")


def test_a_worker_that_is_not_listed_is_unproven() -> None:
    finished = at_one_host([service("api"), worker("jobs", container="jobs")])
    assert finished.verdicts == {"api": ("deployed", ""), "jobs": ("unproven", "no-identity")}


def test_a_worker_that_must_be_proven_but_is_not_listed_triggers_nothing() -> None:
    finished = at_one_host([service("api"), worker("jobs", image="ghcr.io/o/jobs", require_proof="change")])
    assert finished.verdicts["jobs"] == ("not-started", "digest-unavailable")
    assert not finished.worlds.hosts[""].sent(SendTrigger)


def test_the_baseline_is_repeated_if_another_service_delayed_the_trigger() -> None:
    host = world()
    absent, there = Trouble(Kind.ABSENT, "it has no `latest`"), Manifest(D2, "application/json", b"{}")
    host.registry = lambda _, __: FromRegistry(200, found=there if host.clock > 20 else absent)
    services = [service("api"), service("web", image="ghcr.io/o/web:latest")]
    finished = run_to_end(RunPlan(waves=((HostPlan.of("", services),),)), {"": host})
    assert finished.verdicts["api"] == ("deployed", "")
    assert host.triggered is not None
    assert host.triggered > 20
    before = [moment for moment, request in host.asked if isinstance(request, Probe) and name_of(request) == "api"]
    assert any(host.triggered - 3 < moment < host.triggered for moment in before)
    assert finished.services["api"].downtime_seconds == 0


def test_services_are_verified_side_by_side_without_a_trigger() -> None:
    finished = at_one_host(
        [service("api", mode="verify"), service("old", mode="verify", expect_version=NEW)], {"old": stays}
    )
    assert finished.verdicts == {"api": ("verified", ""), "old": ("wrong-build", "wrong-version")}
    assert not finished.worlds.hosts[""].sent(SendTrigger)


def test_a_worker_is_verified_by_its_row() -> None:
    jobs = worker("jobs", mode="verify", image="ghcr.io/o/jobs:latest")
    finished = at_one_host(
        [service("api", mode="verify"), jobs], containers=lambda _: rows(("j", "ghcr.io/o/jobs:latest", D1))
    )
    assert finished.verdicts["jobs"] == ("verified", "")
    assert at_one_host([service("api", mode="verify"), jobs]).verdicts["jobs"] == ("unproven", "no-identity")
