"""A rollback in a simulated world: what is put back, when nothing is, and what the run reports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.decision.verdict import Conclusion
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.lookup import FromRegistry
from redeploy.registry.manifest import Manifest
from redeploy.report import outputs, wording
from redeploy.report.collect import result_of
from redeploy.report.facts import About
from redeploy.report.gantt import rows as rows_of
from redeploy.report.results import RunResult
from redeploy.report.summary import Repository, page
from redeploy.report.timeline import What
from redeploy.rollback.attempt import Attempt
from redeploy.rollback.collect import cut_short
from redeploy.rollback.run import put_back, undo
from redeploy.rollout.requests import FetchManifest, FetchRevision, FetchTag, Probe, PutManifest, SendSmoke, SendTrigger
from redeploy.rollout.run import redeploy
from redeploy.rollout.service_state import ServiceState
from redeploy.settings.plan import Mode
from redeploy.verdicts import Verdict
from sandbox.simulation import WALL, Log, World, plan
from tests.unit.factories import D1, D2, D3, NEW, OLD, THIRD, ready, reply, rows, summary

IMAGE = "ghcr.io/o/api:latest"
SWAP = 1.0
"""Seconds from a trigger to the first response of its image."""

NAMES = {D1: OLD, D2: NEW, D3: THIRD}
SICK = reply(503, {"status": "starting"})
GONE = TransportError(ErrorKind.REFUSED)


def manifest(digest: str, *platforms: str) -> Manifest:
    return Manifest(digest, "application/vnd.oci.image.index.v1+json", digest.encode(), platforms)


def came(found: Manifest | Trouble | str) -> HttpResult:
    return FromRegistry(200, found=found)


@dataclass
class Server:
    """A host whose container follows a tag, and the registry that holds it; moments are monotonic seconds."""

    kept: dict[str, str] = field(default_factory=lambda: {D1: D1, D2: D2, "latest": D2})
    """What the registry has under each digest and tag."""
    platforms: dict[str, str] = field(default_factory=dict)
    """The digest of the platform manifest that an index lists, by the digest of the index."""
    runs: str = D1
    """The digest that runs at first."""
    answers: dict[str, HttpResult] = field(default_factory=lambda: {D2: SICK})
    """The responses of the builds that are not healthy."""
    reports_digests: bool = True
    reports_names: bool = True
    trigger: HttpResult = field(default_factory=lambda: summary(updated=1))
    in_reach: Callable[[str], bool] = lambda _: True
    """Whether Watchtower sees the container while a digest runs."""
    labels: dict[str, str] = field(default_factory=dict)
    """The commit that an image's label names, by digest."""
    promises: dict[str, HttpResult] = field(default_factory=dict)
    """The OpenAPI document of a build, by its digest."""
    smoke: dict[str, HttpResult] = field(default_factory=dict)
    """The response of a build to smoke requests, by its digest."""
    local: str = ""
    """The digest that the tag names on the host, if another image was pulled there."""
    on_put: Trouble | None = None
    silently: bool = False
    """Whether a write is carried out although its response is an error."""
    trouble: Trouble | None = None
    """The error of every read, if any."""
    meanwhile: Callable[["Server"], object] = lambda _: None
    """What another deployer does once the first trigger has been sent."""
    world: World = field(init=False)
    puts: list[str] = field(default_factory=list)
    _history: list[tuple[float, str]] = field(default_factory=list)
    _seen: int = 0

    def __post_init__(self) -> None:
        self.world = World(
            service=lambda _, __: self.service(),
            trigger=[self.trigger],
            containers=lambda _: self.containers(),
            registry=lambda _, request: self.tag(request),
            manifests=lambda _, request: self.manifests(request),
            document=lambda _: self.promises.get(self.running(), reply(404)),
            smoke=lambda _, __: self.smoke.get(self.running(), reply(200)),
        )

    def running(self) -> str:
        """The digest that runs now: each trigger deploys the one that the tag pointed at when the trigger arrived."""
        for sent in self.world.sent(SendTrigger)[self._seen :]:
            self._seen += 1
            if self.in_reach(self.current()):
                pulled = self.kept["latest"] != self.current()
                self._history.append((sent + SWAP, self.kept["latest"] if pulled or not self.local else self.local))
            self.meanwhile(self)
        return self.current()

    def current(self) -> str:
        return [self.runs, *(digest for at, digest in self._history if at <= self.world.clock)][-1]

    def service(self) -> HttpResult:
        digest = self.running()
        return self.answers.get(digest, ready(NAMES[digest] if self.reports_names else ""))

    def containers(self) -> HttpResult:
        digest = self.running()
        if not self.reports_digests:
            return reply(404)
        return rows(("api", IMAGE, digest)) if self.in_reach(digest) else rows()

    def tag(self, request: FetchTag | FetchRevision) -> HttpResult:
        if isinstance(request, FetchTag):
            return self.manifests(FetchManifest("latest"))
        return came(self.labels.get(request.manifest.digest, ""))

    def manifests(self, request: FetchManifest | PutManifest) -> HttpResult:
        self.running()
        if isinstance(request, PutManifest):
            self.puts.append(request.manifest.digest)
            if self.on_put is None or self.silently:
                self.kept["latest"] = request.manifest.digest
            return came(self.on_put or request.manifest)
        if self.trouble:
            return came(self.trouble)
        digest = self.kept.get(request.reference)
        if digest is None:
            return came(Trouble(Kind.ABSENT, f"it has no `{request.reference}`"))
        return came(manifest(digest, *(platform for index, platform in self.platforms.items() if index == digest)))


@dataclass
class Finished:
    """A run that has ended."""

    server: Server
    outcome: RunResult
    log: Log
    attempts: list[Attempt]

    @property
    def verdict(self) -> tuple[str, str]:
        return self.outcome.conclusion.verdict.value, self.outcome.conclusion.reason.value

    @property
    def sentence(self) -> str:
        return self.outcome.rollback.sentence if self.outcome.rollback else ""


def run(server: Server | None = None, **inputs: str) -> Finished:
    """A deploy that is rolled back on failure, or mode rollback."""
    server = server or Server()
    world, log, attempts = server.world, Log(), list[Attempt]()
    given: dict[str, Any] = {"image": IMAGE, "timeout": "60s", "openapi_path": "off"} | inputs
    if inputs.get("mode") != "rollback":
        given = {"on_failure": "rollback"} | given
    state = ServiceState(plan(**given), began=world.now())
    if state.plan.mode is Mode.ROLLBACK:
        outcome = put_back(state, world, lambda: 0.5, log, begun=attempts.append, under_way=lambda: None)
    else:
        conclusion = redeploy(state, world, lambda: 0.5, log)
        deploy = result_of(state, conclusion, world.now())
        outcome = undo(deploy, state, world, lambda: 0.5, log, begun=attempts.append)
    return Finished(server, outcome, log, attempts)


def test_a_build_that_is_never_ready_is_rolled_back_to_the_digest_that_ran() -> None:
    finished = run(expect_version=NEW)
    assert finished.verdict == ("rolled-back", "never-ready")
    assert finished.outcome.conclusion.exit_code == 1
    assert finished.server.puts == [D1]
    assert finished.server.current() == D1
    assert (finished.outcome.version.live, finished.outcome.digest.live) == (OLD, D1)
    assert (finished.outcome.version.before, finished.outcome.digest.before) == (OLD, D1)
    rolled = finished.outcome.rollback
    assert rolled is not None
    assert (rolled.done, rolled.proof, rolled.source) == (True, "digest", "the digest that ran before")
    assert f"`docker run --rm ghcr.io/o/api@{D2}` starts its image" in rolled.sentence


def test_the_timeline_shows_the_deploy_and_the_rollback_in_order() -> None:
    finished = run(expect_version=NEW)
    assert [row.what for row in rows_of(finished.outcome)] == [
        "Watchtower",
        "Old build",
        "Not healthy",
        "Tag put back",
        "Watchtower again",
        "Old build again",
        "Stable",
    ]


def test_downtime_lasts_until_the_previous_build_is_healthy_again() -> None:
    outcome = run(expect_version=NEW).outcome
    assert outcome.downtime_seconds is not None
    back = next(each.at for each in outcome.timeline.moments if each.what is What.GOOD_AGAIN)
    assert outcome.downtime_seconds == pytest.approx(back, abs=3.0)
    assert outcome.downtime_seconds > 60  # all of `timeout`, and the rollback
    assert [each.what for each in outcome.timeline.moments].count(What.PUT_BACK) == 1


def test_the_deploys_own_facts_are_kept() -> None:
    deploy = run(expect_version=NEW).outcome.rollback
    assert deploy is not None
    assert deploy.deploy is not None
    assert deploy.deploy.conclusion.verdict is Verdict.UNHEALTHY
    assert deploy.deploy.digest.live == D2


@pytest.mark.parametrize("pull", [True, False])
def test_a_container_that_crashes_is_rolled_back_where_watchtower_sees_it(pull: bool) -> None:
    server = Server(answers={D2: GONE}, in_reach=lambda digest: pull or digest != D2)
    server.world.trigger = [server.trigger, server.trigger if pull else summary(scanned=0)]
    finished = run(server, expect_version=NEW)
    assert finished.verdict == ("rolled-back" if pull else "rollback-failed", "down")
    assert server.puts == [D1]  # either way the next poll, or a manual recreate of the container, finds the good image
    if not pull:
        assert "does not reach" in finished.sentence
        assert finished.outcome.rollback is not None
        assert "docker compose up -d --force-recreate your-service" in finished.outcome.rollback.by_hand
        assert "imagetools" not in finished.outcome.rollback.by_hand


def test_a_version_names_the_image_where_no_digest_is_reported() -> None:
    kept = {D1: D1, D2: D2, "latest": D2, f"sha-{OLD[:7]}": D1}
    finished = run(Server(kept=kept, reports_digests=False), expect_version=NEW)
    assert finished.verdict == ("rolled-back", "never-ready")
    assert finished.outcome.conclusion.proof.word == "version"
    assert finished.outcome.rollback is not None
    assert "previous version" in finished.outcome.rollback.source
    assert f"`docker run --rm ghcr.io/o/api@{D2}` starts its image" in finished.outcome.rollback.sentence


def test_a_rollback_without_proof_fails() -> None:
    server = Server(reports_digests=False, reports_names=False, answers={D2: SICK}, trigger=reply(200))
    finished = run(server, rollback_to=D1)
    assert finished.verdict[0] == "rollback-failed"
    assert "not proven live" in finished.sentence


def test_a_rollback_fails_if_the_previous_build_is_unhealthy_too() -> None:
    server = Server()
    server.meanwhile = lambda one: one.answers.update({D1: SICK}) if len(one.world.sent(SendTrigger)) > 1 else None
    finished = run(server, expect_version=NEW)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert finished.outcome.downtime_seconds is None
    assert outputs.outputs(finished.outcome)["rolled-back"] == "false"


def test_a_failed_build_that_stays_live_is_not_called_the_old_build() -> None:
    broken = ready(NEW)
    server = Server(answers={D2: broken}, trigger=summary(updated=1))
    server.world.trigger = [summary(updated=1), summary(updated=0)]
    server.in_reach = lambda digest: digest != D2
    finished = run(server, smoke="GET /api/items 404", expect_version=NEW)
    assert finished.verdict == ("rollback-failed", "smoke")
    assert "the failed build is still live" in finished.sentence
    assert "from before" not in finished.sentence


def test_a_pruned_digest_is_looked_up_by_its_version() -> None:
    server = Server(kept={D2: D2, "latest": D2, OLD: D3, D3: D3}, answers={D2: SICK, D3: ready(OLD)})
    finished = run(server, expect_version=NEW)
    assert finished.verdict == ("rolled-back", "never-ready")
    assert server.puts == [D3]


def test_a_missing_rollback_target_is_reported_before_the_trigger_and_the_deploy_continues() -> None:
    finished = run(Server(kept={D2: D2, "latest": D2}, answers={}), expect_version=NEW)
    assert finished.verdict == ("deployed", "")
    assert any("could not have been rolled back" in warning for warning in finished.outcome.facts.of(About.WARNING))
    assert any("a rollback is not possible" in line for line in finished.log.lines)
    assert finished.server.puts == []


def test_a_deploy_that_succeeds_says_nothing_of_rollbacks() -> None:
    finished = run(Server(answers={}), expect_version=NEW)
    assert finished.verdict == ("deployed", "")
    assert (finished.outcome.rollback, list(finished.outcome.facts.of(About.WARNING))) == (None, [])
    assert finished.attempts == []


def test_a_missing_rollback_target_makes_a_failed_deploy_a_failed_rollback() -> None:
    finished = run(Server(kept={D2: D2, "latest": D2}), expect_version=NEW)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert "Nothing was put back" in finished.sentence
    assert len(finished.server.world.sent(SendTrigger)) == 1


def test_a_tag_that_another_push_moved_is_left_alone() -> None:
    server = Server(kept={D1: D1, D2: D2, D3: D3, "latest": D2})
    server.meanwhile = lambda one: one.kept.update(latest=D3)
    finished = run(server, expect_version=NEW)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert "another push moved the tag" in finished.sentence
    assert (server.puts, server.kept["latest"]) == ([], D3)


def test_a_tag_that_is_already_back_is_not_written_again() -> None:
    server = Server()
    server.meanwhile = lambda one: one.kept.update(latest=D1)
    finished = run(server, expect_version=NEW)
    assert finished.verdict == ("rolled-back", "never-ready")
    assert "as it did already" in finished.sentence
    assert server.puts == []


def test_a_refused_write_to_the_registry_is_reported_with_its_fix() -> None:
    refused = Trouble(Kind.REFUSED, "the registry does not let anybody write `o/api`", "Give `packages: write`.")
    finished = run(Server(on_put=refused), expect_version=NEW)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert "write `o/api`" in finished.sentence
    assert "Give `packages: write`." in finished.sentence


def test_after_a_lost_response_to_the_write_the_tag_shows_whether_it_was_carried_out() -> None:
    lost = Trouble(Kind.UNREACHABLE, "the registry does not answer")
    assert run(Server(on_put=lost, silently=True), expect_version=NEW).verdict[0] == "rolled-back"
    finished = run(Server(on_put=lost), expect_version=NEW)
    assert "the tag has not moved so far" in finished.sentence
    assert finished.verdict[0] == "rollback-failed"
    assert len(finished.server.puts) == 1


def test_a_registry_that_is_slow_to_show_the_new_tag_is_read_again() -> None:
    server = Server()
    shown = server.manifests
    late = iter([True, True])

    def registry(request: FetchManifest | PutManifest) -> HttpResult:
        if server.puts and isinstance(request, FetchManifest) and next(late, False):
            return came(manifest(D2))
        return shown(request)

    server.world.manifests = lambda _, request: registry(request)
    assert run(server, expect_version=NEW).verdict[0] == "rolled-back"


def test_a_failure_that_another_image_cannot_fix_keeps_its_verdict_and_says_why_no_rollback_was_tried() -> None:
    finished = run(Server(trigger=reply(401)), expect_version=NEW)
    assert finished.verdict == ("trigger-failed", "auth")
    assert finished.sentence.startswith("No rollback was tried: ")
    assert finished.server.puts == []


def test_a_version_that_all_builds_share_does_not_prove_the_previous_one() -> None:
    same = ready("1.0.0")
    server = Server(answers={D1: same, D2: same}, reports_digests=False)
    server.kept["1.0.0"] = D1
    finished = run(server, required_routes="GET /missing", openapi_path="/openapi.json")
    assert finished.verdict[0] not in ("rolled-back", "deployed")


@pytest.mark.parametrize("silence", [reply(404), GONE], ids=["absent", "failing"])
def test_if_digests_are_no_longer_reported_the_version_proves_the_rollback(silence: HttpResult) -> None:
    server = Server()
    rows_before = server.world.containers
    server.world.containers = lambda moment: rows_before(moment) if moment < 0 else silence
    ended = run(server, expect_version=NEW)
    assert ended.verdict == ("rolled-back", "never-ready")
    assert ended.outcome.rollback is not None
    assert ended.outcome.rollback.proof == "version"


def test_the_build_that_failed_is_never_put_back() -> None:
    finished = run(expect_version=NEW, rollback_to=D2)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert "the one that failed" in finished.sentence
    assert finished.server.puts == []


@pytest.mark.parametrize("platforms", [{D2: D3}, {D3: D2}], ids=["its-platform", "its-index"])
def test_the_build_that_failed_is_not_put_back_under_another_digest_either(platforms: dict[str, str]) -> None:
    server = Server(kept={D1: D1, D2: D2, D3: D3, "latest": D2}, platforms=platforms)
    finished = run(server, expect_version=NEW, rollback_to=D3)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert "the one that failed" in finished.sentence
    assert server.puts == []
    assert finished.outcome.rollback is not None
    assert D3 not in finished.outcome.rollback.by_hand


def test_deploy_and_rollback_together_stay_within_the_request_rate() -> None:
    finished = run(expect_version=NEW)
    looks = finished.server.world.sent(Probe)
    for first, start in enumerate(looks):
        for last in range(first, len(looks)):
            assert last - first + 1 <= 15 + 0.5 * (looks[last] - start) + 1


DIGESTS = st.sampled_from([D1, D2, D3])


@given(
    tag=DIGESTS, moved=st.none() | DIGESTS, runs=DIGESTS, to=st.sampled_from(["", D1, D2, D3]), reported=st.booleans()
)
def test_only_an_unmoved_tag_is_written_and_never_with_the_failed_image(
    tag: str, moved: str | None, runs: str, to: str, reported: bool
) -> None:
    server = Server(kept={D1: D1, D2: D2, D3: D3, "latest": tag, OLD: D1}, runs=runs, reports_digests=reported)
    server.answers = {tag: SICK} if tag != runs else {}
    server.meanwhile = lambda one: one.kept.update(latest=moved or tag) if not one.puts else None
    ended = run(server, timeout="20s", **({"rollback_to": to} if to else {}))
    assert len(server.puts) <= 1
    for put in server.puts:
        assert put != tag
        assert moved in (None, tag)
    if ended.verdict[0] == "rolled-back":
        assert server.current() == server.kept["latest"] != tag


def test_a_late_response_to_the_deploys_trigger_is_not_taken_for_the_rollbacks() -> None:
    world = World(service=lambda _, __: ready(OLD), trigger=[(summary(failed=1), 3.0), (summary(updated=1), 9.0)])
    world.start(SendTrigger(), 0.0, 10.0)
    world.clock = 1.0
    state = ServiceState(plan(expect_version=OLD), began=1.0)
    assert redeploy(state, world, lambda: 0.5, Log()).verdict is Verdict.ALREADY_CURRENT
    assert [each.result.value for each in state.trigger.answers] == ["updated"]


# what may identify the image, and what proves it


def test_a_tag_that_moves_is_never_taken_for_the_version_that_ran() -> None:
    main = ready("", version="main")
    server = Server(kept={D1: D1, D2: D2, D3: D3, "latest": D2, "main": D3}, reports_digests=False)
    server.answers = {D1: main, D2: SICK, D3: main}
    finished = run(server)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert "it is not known which image ran before" in finished.sentence
    assert (server.puts, server.kept["latest"]) == ([], D2)


def test_an_image_whose_label_names_another_commit_is_not_what_ran() -> None:
    kept = {D1: D1, D2: D2, D3: D3, "latest": D2, OLD: D3}
    finished = run(Server(kept=kept, labels={D3: THIRD}, reports_digests=False), expect_version=NEW)
    assert finished.verdict == ("rollback-failed", "never-ready")
    assert f"labelled with the commit `{THIRD}`" in finished.sentence
    assert finished.server.puts == []


def test_an_image_whose_label_names_the_commit_that_ran_is_put_back() -> None:
    kept = {D1: D1, D2: D2, "latest": D2, OLD: D1}
    finished = run(Server(kept=kept, labels={D1: OLD[:12]}, reports_digests=False), expect_version=NEW)
    assert finished.verdict == ("rolled-back", "never-ready")


def test_a_version_that_both_builds_report_does_not_identify_the_image_that_ran() -> None:
    same = ready("", version="1.0.0")
    server = Server(kept={D1: D1, D2: D2, D3: D3, "latest": D2, "1.0.0": D3}, reports_digests=False)
    server.answers, server.smoke = {D1: same, D2: same, D3: same}, {D2: reply(500)}
    server.trigger = summary(updated=1)
    server.world.trigger = [server.trigger]
    finished = run(server, smoke="GET /pay")
    assert finished.verdict[0] != "rolled-back"
    assert server.puts == []


def test_a_new_process_does_not_prove_the_image_that_was_put_back() -> None:
    server = Server(reports_digests=False, reports_names=False, trigger=reply(200))
    server.world.trigger = [server.trigger]
    server.in_reach = lambda digest: digest != D2
    server.smoke = {D2: reply(500)}
    server.answers = {}

    def answers(_: float, __: Probe) -> HttpResult:
        server.running()
        began = [WALL - 5000, *(WALL + sent + SWAP for sent in server.world.sent(SendTrigger))]
        passed = [each for each in began if each <= WALL + server.world.clock]
        return ready("", started_at=passed[-1])

    server.world.service = answers
    finished = run(server, smoke="GET /pay", rollback_to=D1)
    assert finished.verdict == ("rollback-failed", "smoke")
    assert outputs.outputs(finished.outcome)["rolled-back"] == "false"


def test_a_commit_in_the_tag_to_put_back_is_proven_by_the_service() -> None:
    kept = {D1: D1, D2: D2, "latest": D2, f"sha-{OLD[:7]}": D1}
    finished = run(Server(kept=kept, reports_digests=False), expect_version=NEW, rollback_to=f"sha-{OLD[:7]}")
    assert finished.verdict == ("rolled-back", "never-ready")
    assert finished.outcome.conclusion.proof.word == "version"


# repeating the check that failed

LOST = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/b": {"get": {}}}}
WHOLE = {**LOST, "paths": {"/a": {"get": {}}, "/b": {"get": {}}}}


def test_the_smoke_request_that_failed_is_sent_again_to_the_restored_build() -> None:
    server = Server(answers={}, smoke={D2: reply(500)})
    finished = run(server, expect_version=NEW, smoke="GET /pay\nGET /other")
    assert finished.verdict == ("rolled-back", "smoke")
    server = Server(answers={}, smoke={D2: reply(500), D1: reply(500)})
    finished = run(server, expect_version=NEW, smoke="GET /pay")
    assert finished.verdict == ("rollback-failed", "smoke")
    assert "the checks that failed the deploy fail on the live build, too: `smoke GET /pay`" in finished.sentence


def test_an_unsafe_smoke_request_is_not_sent_again() -> None:
    server = Server(answers={}, smoke={D2: reply(500), D1: reply(500)})
    finished = run(server, expect_version=NEW, smoke="!POST /pay")
    assert finished.verdict == ("rolled-back", "smoke")
    sent = [at for at in server.world.sent(SendSmoke) if at > server.world.sent(SendTrigger)[1]]
    assert sent == []


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"breaking_changes": "fail"}, "breaking-change"),
        ({"required_routes": "GET /a"}, "routes"),
    ],
)
@pytest.mark.parametrize("back", [True, False], ids=["restored", "still missing"])
def test_removed_operations_must_be_back_after_the_rollback(inputs: dict[str, str], reason: str, back: bool) -> None:
    promises: dict[str, HttpResult] = {D1: reply(200, WHOLE), D2: reply(200, LOST)}
    server = Server(answers={}, promises=promises)
    if not back:
        server.meanwhile = lambda one: promises.update({D1: reply(200, LOST)})
    finished = run(server, expect_version=NEW, openapi_path="/openapi.json", **inputs)
    assert finished.verdict == ("rolled-back" if back else "rollback-failed", reason)


# the final result


@pytest.mark.parametrize("mode", ["deploy", "rollback"])
def test_a_tag_that_moves_while_the_build_is_being_proven_fails_the_rollback(mode: str) -> None:
    server = Server(kept={D1: D1, D2: D2, D3: D3, "latest": D2})
    reads = server.manifests

    def registry(request: FetchManifest | PutManifest) -> HttpResult:
        if len(server.world.sent(SendTrigger)) == (2 if mode == "deploy" else 1):
            server.kept["latest"] = D3 if isinstance(request, FetchManifest) else server.kept["latest"]
        return reads(request)

    server.world.manifests = lambda _, request: registry(request)
    finished = run(server, **({"expect_version": NEW} if mode == "deploy" else {"mode": "rollback"}))
    assert finished.verdict == (("rollback-failed", "never-ready") if mode == "deploy" else ("unproven", "weak-proof"))
    assert finished.outcome.conclusion.exit_code == 1
    assert "another push has moved the tag since" in finished.sentence
    assert outputs.outputs(finished.outcome)["rolled-back"] == "false"


def test_a_local_image_of_the_host_that_goes_live_instead_is_reported_with_the_docker_pull_that_fixes_it() -> None:
    server = Server(runs=D1, kept={D1: D1, D2: D2, "latest": D2}, local=D3, answers={})
    finished = run(server, mode="rollback", rollback_to=D1)
    assert finished.verdict[0] not in ("deployed", "already-current")
    assert "`docker pull ghcr.io/o/api:latest` on the server" in finished.sentence
    assert outputs.outputs(finished.outcome)["rolled-back"] == "false"


# mode rollback


def test_mode_rollback_is_red_where_nothing_proves_the_image() -> None:
    server = Server(runs=D2, answers={}, reports_digests=False, reports_names=False, trigger=reply(200))
    server.kept["stable"] = D1
    finished = run(server, mode="rollback", rollback_to="stable")
    assert finished.verdict == ("unproven", "weak-proof")
    assert finished.outcome.conclusion.exit_code == 1
    assert outputs.outputs(finished.outcome)["rolled-back"] == "false"


@pytest.mark.parametrize("named", ["tag", "label"])
def test_mode_rollback_is_proven_by_the_commit_in_the_tag_or_label_of_the_image(named: str) -> None:
    tag = f"sha-{OLD[:7]}" if named == "tag" else "stable"
    server = Server(runs=D2, answers={}, reports_digests=False, labels={D1: OLD} if named == "label" else {})
    server.kept[tag] = D1
    finished = run(server, mode="rollback", rollback_to=tag)
    assert finished.verdict == ("deployed", "")
    assert finished.outcome.conclusion.proof.word == "version"
    assert outputs.outputs(finished.outcome)["rolled-back"] == "true"


def test_without_a_target_mode_rollback_points_the_tag_to_the_running_image() -> None:
    finished = run(mode="rollback")
    assert finished.verdict == ("already-current", "")
    assert (finished.server.puts, finished.outcome.digest.live) == ([D1], D1)
    assert outputs.outputs(finished.outcome)["rolled-back"] == "true"


def test_a_named_image_is_put_back_and_proven() -> None:
    server = Server(runs=D2, answers={}, kept={D1: D1, D2: D2, "latest": D2, "stable": D1})
    finished = run(server, mode="rollback", rollback_to="stable")
    assert finished.verdict == ("deployed", "")
    assert finished.outcome.conclusion.proof.word == "digest"
    assert (server.puts, finished.outcome.version.live, finished.outcome.version.before) == ([D1], OLD, NEW)
    assert outputs.outputs(finished.outcome)["rolled-back"] == "true"
    assert finished.outcome.mode == "rollback"


def test_an_image_that_is_already_live_is_proven_and_no_tag_is_written() -> None:
    server = Server(runs=D1, kept={D1: D1, "latest": D1})
    finished = run(server, mode="rollback", rollback_to=D1)
    assert finished.verdict == ("already-current", "")
    assert server.puts == []
    assert outputs.outputs(finished.outcome)["rolled-back"] == "false"


@pytest.mark.parametrize(
    ("server", "inputs", "why"),
    [
        (Server(runs=D2), {}, "`rollback-to`"),
        (Server(reports_digests=False), {}, "`rollback-to`"),
        (Server(), {"rollback_to": "gone"}, "has no image under `gone`"),
        (Server(on_put=Trouble(Kind.REFUSED, "nobody may write")), {}, "nobody may write"),
        (Server(trouble=Trouble(Kind.UNREACHABLE, "nobody answers")), {"rollback_to": D1}, "nobody answers"),
        (Server(kept={D1: D1}), {"rollback_to": D1}, "it has no `latest`"),
    ],
    ids=["tag-at-running", "no-digest", "absent", "read-only", "unreachable", "no-tag"],
)
def test_without_an_image_to_put_back_nothing_is_triggered(server: Server, inputs: dict[str, str], why: str) -> None:
    finished = run(server, mode="rollback", **inputs)
    assert finished.verdict == ("not-started", "rollback-impossible")
    assert why in wording.happened(finished.outcome)
    assert finished.outcome.digest.before == (server.runs if server.reports_digests else "")
    assert server.world.sent(SendTrigger) == []


def test_an_ordinary_failure_keeps_its_ordinary_verdict() -> None:
    server = Server(runs=D2, answers={D1: SICK}, kept={D1: D1, D2: D2, "latest": D2})
    finished = run(server, mode="rollback", rollback_to=D1)
    assert finished.verdict == ("unhealthy", "never-ready")
    assert outputs.outputs(finished.outcome)["rolled-back"] == "false"


# interrupted


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({}, "`latest` was not moved"),
        ({"writing": True}, "`latest` may have been moved"),
        ({"settled": True, "moved": True}, f"`{IMAGE}` points to `{D1}` again"),
    ],
    ids=["before the write", "during the write", "after the write"],
)
def test_an_interrupted_rollback_reports_where_the_tag_points(state: dict[str, bool], sentence: str) -> None:
    ended = run(expect_version=NEW)
    [attempt] = ended.attempts
    attempt.state, attempt.settled, attempt.moved = None, False, False
    for name, value in state.items():
        setattr(attempt, name, value)
    outcome = cut_short(attempt, Conclusion(Verdict.CANCELLED, signal=2), ended.server.world.now())
    assert outcome.conclusion.verdict is Verdict.CANCELLED
    assert sentence in wording.happened(outcome)
    assert outputs.outputs(outcome)["rolled-back"] == "false"
    assert page(outcome, Repository())
