"""Mode verify around the deploy of another tool: two steps, and what the second can prove with the report of the first."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.response import HttpResult, Response
from redeploy.report import annotations, outputs, wording
from redeploy.report.facts import About
from redeploy.report.timeline import During
from redeploy.rollout.requests import FetchContainers, FetchDocument, Probe
from sandbox.simulation import BASE, WALL, Story, World, bare_plan, simulate
from tests.unit.factories import D1, D2, D3, NEW, OLD, THIRD, bare_problems, page, ready, reply

BETWEEN = 30.0
"""Seconds from the end of the first step to the start of the second."""

VERIFY = {"mode": "verify", "base_url": BASE, "stable_for": "5s", "timeout": "2m"}

TOWER = {"watchtower_url": f"{BASE}/ops/watchtower/update", "watchtower_token": "tok-8d1f0c6b2a"}
WITHOUT_TOWER = dict.fromkeys(TOWER, "")

Script = Callable[[float], HttpResult]
"""The response of the service, by seconds after the start of the second step; negative during the first."""


class TwoSteps:
    """A first look, the deploy of another tool, and a run that waits for it, on one clock."""

    def __init__(
        self,
        service: Script,
        *,
        containers: Script = lambda _: Response(404),
        document: Script = lambda _: Response(404),
        towered: bool = False,
        **inputs: str,
    ) -> None:
        began = 100.0

        def world(clock: float) -> World:
            def at(moment: float) -> float:
                return moment + 1000.0 - began  # until something is triggered, the simulation counts from -1000

            return World(
                lambda moment, _: service(at(moment)),
                containers=lambda moment: containers(at(moment)),
                document=lambda moment: document(at(moment)),
                clock=clock,
            )

        common = VERIFY | (TOWER if towered else WITHOUT_TOWER)
        self.first = simulate(world(0.0), **common | {"timeout": "20s"})
        assert self.first.world.clock < began - BETWEEN
        self.report = outputs.outputs(self.first.outcome)["report"]
        self.second: Story = simulate(world(began), **common | {"baseline": self.report} | inputs)
        self.seconds = self.second.world.clock - began

    @property
    def verdict(self) -> tuple[str, str]:
        return self.second.verdict

    @property
    def proof(self) -> str:
        return self.second.conclusion.proof.word


def deployed_at(moment: float, before: HttpResult, after: HttpResult) -> Script:
    return lambda now: after if now >= moment else before


# a change is proven


@pytest.mark.parametrize("moment", [-10.0, 40.0])
def test_a_build_that_another_deployer_brings_is_proven_by_the_change(moment: float) -> None:
    ran = TwoSteps(deployed_at(moment, ready(OLD), ready(NEW)), require_proof="change")
    assert (ran.verdict, ran.proof) == (("verified", ""), "change")
    assert max(0.0, moment) + 5 <= ran.seconds < max(0.0, moment) + 15
    outcome = ran.second.outcome
    assert (outcome.version.before, outcome.version.live) == (OLD, NEW)
    assert wording.headline(outcome) == "verified: A different build is live and healthy"
    assert outcome.rollout_seconds == pytest.approx(100 - ran.first.world.clock + ran.seconds - 5, abs=2)


def test_the_run_waits_for_a_declared_version_and_ends_once_it_is_stable() -> None:
    ran = TwoSteps(deployed_at(30.0, ready(OLD), ready(NEW)), expect_version=NEW)
    assert (ran.verdict, ran.proof) == (("verified", ""), "version")
    assert 35 <= ran.seconds < 45


def test_the_run_waits_for_a_declared_version_even_without_an_earlier_step() -> None:
    script = deployed_at(30.0 - 1000.0, ready(OLD), ready(NEW))
    story = simulate(World(lambda now, _: script(now)), **VERIFY, wait_for_build="true", expect_version=NEW)
    assert (story.verdict, story.conclusion.proof.word) == (("verified", ""), "version")


def test_a_new_process_of_an_unnamed_build_is_a_change() -> None:
    def at(second: float) -> Response:
        return reply(200, {"status": "ok", "started_at": WALL + second})

    ran = TwoSteps(deployed_at(20.0, at(-5000.0), at(119.0)))
    assert (ran.verdict, ran.proof) == (("verified", ""), "change")
    assert any(
        "started after the step before the deploy" in each for each in ran.second.outcome.facts.of(About.EVIDENCE)
    )


def test_a_process_that_started_before_the_first_step_ended_is_not_a_change() -> None:
    def at(second: float) -> Response:
        return reply(200, {"status": "ok", "started_at": WALL + second})

    ran = TwoSteps(deployed_at(-10.0, at(-5000.0), at(-4000.0)))
    assert ran.verdict == ("unproven", "no-change")


def test_a_growing_uptime_is_the_same_process_and_a_reset_uptime_another_one() -> None:
    def since(began: float) -> Script:
        return lambda now: reply(200, {"status": "ok", "uptime_seconds": round(now + 100 - began, 2)})

    assert TwoSteps(since(-5000.0)).verdict == ("unproven", "no-change")
    old, new = since(-5000.0), since(95.0)
    ran = TwoSteps(lambda now: new(now) if now >= -5 else old(now))
    assert (ran.verdict, ran.proof) == (("verified", ""), "change")


def listed(digest: str, image_id: str = "", name: str = "api", image: str = "ghcr.io/o/api:latest") -> Response:
    row = {"name": name, "image": image, "digest": digest, "image_id": image_id}
    return reply(200, {"containers": [row]})


def test_a_running_image_that_changed_is_a_change_whatever_the_service_names() -> None:
    ran = TwoSteps(lambda _: ready(version="1.0"), containers=deployed_at(30.0, listed(D1), listed(D2)), towered=True)
    assert (ran.verdict, ran.proof) == (("verified", ""), "change")
    assert (ran.second.outcome.digest.before, ran.second.outcome.digest.live) == (D1, D2)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(listed(D1, "sha256:a"), id="nothing changed"),
        pytest.param(listed(D2, "sha256:a"), id="the same image was pushed again"),
        pytest.param(listed(D3, "sha256:c", "web", "ghcr.io/o/web:latest"), id="another container"),
    ],
)
def test_the_same_image_or_the_image_of_another_container_is_not_a_change(now: Response) -> None:
    ran = TwoSteps(
        lambda _: ready(version="1.0"),
        containers=deployed_at(-10.0, listed(D1, "sha256:a"), now),
        towered=True,
    )
    assert ran.verdict == ("unproven", "no-change")


def test_an_unchanged_image_is_stale_if_another_digest_is_declared() -> None:
    ran = TwoSteps(lambda _: ready(), containers=lambda _: listed(D1), towered=True, expect_digest=D2)
    assert ran.verdict == ("stale", "old-build")


def test_the_run_waits_for_a_declared_digest() -> None:
    ran = TwoSteps(
        lambda _: ready(), containers=deployed_at(30.0, listed(D1), listed(D2)), towered=True, expect_digest=D2
    )
    assert (ran.verdict, ran.proof) == (("verified", ""), "digest")


def openapi(version: str, *paths: str) -> Response:
    return reply(
        200,
        {
            "openapi": "3.1.0",
            "info": {"title": "t", "version": version},
            "paths": {path: {"get": {"responses": {}}} for path in paths},
        },
    )


def test_another_document_version_is_a_change_if_nothing_else_names_the_build() -> None:
    ran = TwoSteps(lambda _: reply(200, {"ok": 1}), document=deployed_at(20.0, openapi("1"), openapi("2")))
    assert (ran.verdict, ran.proof) == (("verified", ""), "change")


def test_other_operations_under_the_same_version_are_a_change_only_after_a_gap() -> None:
    document = deployed_at(20.0, openapi("1", "/a"), openapi("1", "/b"))
    assert TwoSteps(lambda _: reply(200, {"ok": 1}), document=document).verdict == ("unproven", "no-change")
    gap = TwoSteps(lambda now: reply(502) if 18 < now < 22 else reply(200, {"ok": 1}), document=document)
    assert (gap.verdict, gap.proof) == (("verified", ""), "change")


# changes that prove nothing


def test_without_a_change_the_run_waits_until_the_deadline_and_checks_the_running_build() -> None:
    ran = TwoSteps(lambda _: ready(OLD), smoke="GET /a")
    assert (ran.verdict, ran.second.conclusion.exit_code) == (("unproven", "no-change"), 0)
    assert 118 <= ran.seconds < 135
    assert [each.passed for each in ran.second.outcome.checked.findings] == [True]
    [warning] = annotations.annotations(ran.second.outcome)
    assert "any-deployer.md" in warning.message
    assert "Watchtower" not in warning.message


def test_no_change_is_red_if_a_change_is_required() -> None:
    ran = TwoSteps(lambda _: ready(OLD), require_proof="change")
    assert (ran.verdict, ran.second.conclusion.exit_code) == (("unproven", "no-change"), 1)


def test_an_unsafe_smoke_line_is_sent_only_to_the_new_build() -> None:
    ran = TwoSteps(deployed_at(30.0, ready(OLD), ready(NEW)), smoke="!POST /a")
    assert ran.verdict == ("verified", "")
    sent = [moment - 100 for moment, each in ran.second.world.asked if type(each).__name__ == "SendSmoke"]
    assert [moment > 30 for moment in sent] == [True]


@pytest.mark.parametrize(
    ("service", "ends"),
    [
        pytest.param(lambda _: ready(OLD), ("stale", "old-build"), id="old build"),
        pytest.param(deployed_at(20.0, ready(OLD), ready(THIRD)), ("wrong-build", "wrong-version"), id="third build"),
        pytest.param(deployed_at(20.0, ready(OLD), ready()), ("wrong-build", "version-unavailable"), id="unnamed"),
        pytest.param(deployed_at(20.0, ready(OLD), reply(503)), ("unhealthy", "never-ready"), id="unhealthy"),
        pytest.param(
            lambda now: ready(NEW) if 20 < now < 23 else ready(OLD), ("stale", "old-build"), id="old one again"
        ),
        pytest.param(deployed_at(20.0, ready(OLD), page()), ("unhealthy", "html"), id="a page until the deadline"),
    ],
)
def test_a_declaration_that_is_not_met_by_the_deadline_fails(service: Script, ends: tuple[str, str]) -> None:
    ran = TwoSteps(service, expect_version=NEW)
    assert ran.verdict == ends
    assert 118 <= ran.seconds < 140


def test_without_an_earlier_step_the_old_build_counts_as_another_version_at_the_deadline() -> None:
    story = simulate(World(lambda _, __: ready(OLD)), **VERIFY, wait_for_build="true", expect_version=NEW)
    assert story.verdict == ("wrong-build", "wrong-version")
    assert 118 <= story.world.clock < 130
    [error] = annotations.annotations(story.outcome)
    assert "With `baseline` the run can distinguish" in error.message


def test_a_change_that_is_undone_is_stale() -> None:
    ran = TwoSteps(lambda now: ready(NEW) if 20 < now < 23 else ready(OLD))
    assert ran.verdict == ("stale", "old-build")


def test_a_build_that_crashes_repeatedly_is_not_stable() -> None:
    ran = TwoSteps(lambda now: ready(OLD) if now < 20 else ready(NEW) if now % 6 < 3 else reply(502), stable_for="5s")
    assert ran.verdict == ("unhealthy", "flapping")


def test_a_cached_response_of_the_old_build_does_not_hide_the_new_one() -> None:
    def service(moment: float, probe: Probe) -> Response:
        if moment < -1000.0 + 10 or (not probe.past_caches and moment < -1000.0 + 60):
            return ready(OLD) if moment < -1000.0 + 10 else reply(200, {"commit": OLD}, age="5")
        return ready(NEW)

    first = simulate(World(lambda _, __: ready(OLD)), **VERIFY)
    story = simulate(World(service), **VERIFY, baseline=outputs.outputs(first.outcome)["report"])
    assert (story.verdict, story.conclusion.proof.word) == (("verified", ""), "change")


def test_an_access_wall_ends_the_wait_at_once() -> None:
    wall = reply(302, location="https://team.cloudflareaccess.com/login")
    ran = TwoSteps(deployed_at(-1.0, ready(OLD), wall), expect_version=NEW)
    assert ran.verdict == ("unhealthy", "access-wall")
    assert ran.seconds < 15


# what the first step saw


def test_a_service_that_was_down_before_cannot_prove_a_change_and_the_run_warns_at_its_start() -> None:
    ran = TwoSteps(deployed_at(-10.0, reply(502), ready(NEW)))
    assert ran.verdict == ("unproven", "no-reference")
    assert ran.seconds < 20
    [warning] = bare_plan(**VERIFY, baseline=ran.report).warnings
    assert "has nothing to compare with" in warning
    declared = TwoSteps(deployed_at(-10.0, reply(502), ready(NEW)), expect_version=NEW)
    assert (declared.verdict, declared.proof) == (("verified", ""), "version")
    assert bare_plan(**VERIFY, baseline=ran.report, expect_version=NEW).warnings == ()


def test_a_name_that_alternated_between_two_instances_before_proves_no_change() -> None:
    def service(now: float) -> Response:
        return ready(OLD if int(now * 3) % 2 else THIRD) if now < -1 else ready(NEW)

    ran = TwoSteps(service)
    assert json.loads(ran.report)["seen"]["noisy"] == ["commit"]
    assert ran.verdict == ("unproven", "no-reference")


def test_names_of_another_address_are_not_compared() -> None:
    ran = TwoSteps(deployed_at(-10.0, ready(OLD), ready(NEW)), version_path="/api/version")
    assert ran.verdict == ("verified", "")  # health still has the address from the first step
    ran = TwoSteps(deployed_at(-10.0, ready(OLD), ready(NEW)), health_path="/other")
    assert ran.verdict == ("unproven", "no-reference")


def test_a_verify_step_reads_the_document_for_its_report_without_waiting_for_it() -> None:
    story = simulate(World(lambda _, __: ready(OLD), document=lambda _: (openapi("1"), 9.0)), **VERIFY)
    assert story.verdict == ("verified", "")
    assert len(story.world.sent(FetchDocument)) == 1
    assert story.world.clock < 9.0
    assert story.outcome.timeline.span(During.CHECKS) is None


def test_looks_for_a_change_keep_to_the_request_rate() -> None:
    ran = TwoSteps(lambda _: ready(OLD), document=lambda _: openapi("1"), timeout="10m")
    asked = [moment for moment, each in ran.second.world.asked if not isinstance(each, FetchContainers)]
    for first, start in enumerate(asked):
        for last in range(first, len(asked)):
            assert last - first + 1 <= 15 + 0.5 * (asked[last] - start) + 1


# inputs that are rejected before anything is sent


def report_of(**inputs: str) -> str:
    return outputs.outputs(simulate(World(lambda _, __: ready(OLD)), **VERIFY, **inputs).outcome)["report"]


REPORT = report_of()


def changed(**fields: object) -> str:
    return json.dumps(json.loads(REPORT) | fields)


def seen(**fields: object) -> str:
    document = json.loads(REPORT)
    return json.dumps(document | {"seen": document["seen"] | fields})


NEEDED = set(json.loads(REPORT)["seen"]) - {"digests", "container"}
"""What is read from the part `seen`; the rest repeats it for people."""


def without(name: str) -> str:
    document = json.loads(REPORT)
    del document["seen"][name]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (REPORT[:-20], "is not a whole JSON document"),
        ("verified", "is not a whole JSON document"),
        ("{}", "is not a report of this action"),
        ("[]", "is not a report of this action"),
        ("null", "is not a report of this action"),
        ("[" * 50_000, "is not a report of this action"),
        ('{"schema": true, "verdict": "verified"}', "is not a report of this action"),
        (changed(schema=2), "is a report of version 2"),
        (changed(schema=10**400), "is a report of version 1000"),
        (changed(mode="deploy"), "is not the report of a step in mode `verify`"),
        (changed(mode=""), "invalid inputs"),
        (changed(seen={}), "ended before it looked"),
        (changed(seen=[]), "ended before it looked"),
        *((without(name), "was changed on the way") for name in sorted(NEEDED)),
        (seen(names=[{"field": "commit", "kind": "colour", "values": [OLD]}]), "was changed on the way"),
        (seen(names=[{"field": "a\nb", "kind": "commit", "values": [OLD]}]), "was changed on the way"),
        (seen(names=[{"field": "commit", "kind": "commit", "values": ["\ud800"]}]), "was changed on the way"),
        (seen(names={"field": 1}), "was changed on the way"),
        (seen(names=[7] * 2000), "was changed on the way"),
        (seen(starts=[{"field": "start", "seconds": 1e300}]), "was changed on the way"),
        (seen(starts=[{"field": "start", "seconds": True}]), "was changed on the way"),
        (seen(starts=[{"field": "start", "seconds": float("nan")}]), "was changed on the way"),
        (seen(rows=[{"container": "a", "digest": "sha256:1", "image-id": ""}]), "was changed on the way"),
        (seen(ended="yesterday"), "was changed on the way"),
        (seen(ended="2027-01-01T00:00:00"), "was changed on the way"),
        (seen(url="https://other.example.com"), "`https://other.example.com`, and this step looks at `https://api.example.com`"),
        ("x" * 200_000, "at most 96 KiB"),
        ("${{ steps.baseline.outputs.report }}", "not expanded"),
    ],
)  # fmt: skip
def test_an_unusable_baseline_is_rejected_with_its_reason(text: str, says: str) -> None:
    found = bare_problems(**VERIFY, baseline=text)
    assert list(found) == ["baseline"]
    assert says in found["baseline"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["field", "kind", "values"]), inner),
    max_leaves=6,
)


@given(st.sampled_from(sorted(NEEDED)), JSON)
def test_any_report_is_either_read_or_rejected(name: str, value: object) -> None:
    found = bare_problems(**VERIFY, baseline=seen(**{name: value}))
    assert set(found) <= {"baseline"}


def test_a_report_of_the_largest_size_is_read_and_so_is_one_that_repeats_an_unexpanded_variable() -> None:
    large = changed(notes=["x" * (95 * 1024 - len(changed()))], truncated=True)
    assert 90_000 < len(large) <= 96 * 1024
    for text in (large, changed(notes=["${{ github.sha }}"])):
        plan = bare_plan(**VERIFY, baseline=text)
        assert plan.baseline is not None
        assert dict(plan.baseline.names) == {"commit": (OLD,)}


@pytest.mark.parametrize(
    ("inputs", "wrong", "says"),
    [
        ({"wait_for_build": "true"}, "wait-for-build", "drops an output on its way to another job"),
        ({"wait_for_build": "maybe"}, "wait-for-build", "must be `true` or `false`"),
        (
            {"wait_for_build": "true", "expect_version": "branch:main", "github_token": "ghs_1"},
            "wait-for-build",
            "branch",
        ),
        ({"baseline": REPORT, "expect_version": "branch:main", "github_token": "ghs_1"}, "baseline", "branch"),
        ({"require_proof": "change"}, "require-proof", "`baseline`"),
        ({"require_proof": "claim", "baseline": REPORT}, "require-proof", "`claim`"),
    ],
)
def test_inputs_that_leave_nothing_to_wait_for_are_rejected(inputs: dict[str, str], wrong: str, says: str) -> None:
    found = bare_problems(**VERIFY, **inputs)
    assert list(found) == [wrong]
    assert says in found[wrong]


@pytest.mark.parametrize("mode", ["deploy", "doctor"])
@pytest.mark.parametrize("given", [{"baseline": REPORT}, {"wait_for_build": "true"}])
def test_only_mode_verify_waits_for_another_deployer(mode: str, given: dict[str, str]) -> None:
    found = bare_problems(mode=mode, **TOWER, **given)
    [(name, message)] = found.items()
    assert name == next(iter(given)).replace("_", "-")
    assert "is for mode `verify`" in message


def test_a_later_report_does_not_count_what_its_own_run_replaced_as_noise() -> None:
    ran = TwoSteps(deployed_at(20.0, ready(OLD), ready(NEW)))
    found = json.loads(outputs.outputs(ran.second.outcome)["report"])["seen"]
    assert found["noisy"] == []
    assert found["names"] == [{"field": "commit", "kind": "commit", "values": [OLD, NEW]}]
