"""The registry lookup before the trigger, in whole simulated runs."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.lookup import FIRST_PAUSE, LONGEST_PAUSE, FromRegistry
from redeploy.registry.manifest import Manifest
from redeploy.report.annotations import annotations
from redeploy.report.facts import About
from redeploy.report.wording import happened, headline
from redeploy.rollout.baseline import SECONDS
from redeploy.rollout.requests import (
    FetchContainers,
    FetchManifest,
    FetchRevision,
    FetchTag,
    Probe,
    PutManifest,
    SendTrigger,
)
from sandbox.simulation import Story, World, simulate
from tests.unit.factories import D1, D2, D3, NEW, OLD, THIRD, ready, reply, rows, summary
from tests.unit.rollout.test_schedule import digests, rollout, steady

pytestmark = pytest.mark.no_cover  # these runs take long, and other tests reach the same lines

IMAGE = "ghcr.io/o/api:1"
UPDATED, NOTHING = summary(updated=1), summary()
ABSENT = Trouble(Kind.ABSENT, "the registry `ghcr.io` has no `o/api:1`")
REFUSED = Trouble(Kind.REFUSED, "the registry `ghcr.io` does not let you", "Give it `packages: read`.")
DOWN = Trouble(Kind.UNREACHABLE, "the registry `ghcr.io` answers 503")
HOSTILE = Trouble(Kind.HOSTILE, "the registry `ghcr.io` redirects elsewhere")

LinkResult = Manifest | Trouble


def index(digest: str, *children: str) -> Manifest:
    return Manifest(digest, "application/vnd.oci.image.index.v1+json", b"{}", children)


def registry(
    *looks: LinkResult, revision: str | Trouble = ""
) -> Callable[[float, FetchTag | FetchRevision], HttpResult]:
    """A registry that responds with these one after the other, and from then on with the last."""
    left = list(looks)

    def answer(_: float, request: FetchTag | FetchRevision) -> HttpResult:
        if isinstance(request, FetchRevision):
            return FromRegistry(200, found=revision)
        return FromRegistry(200, found=left.pop(0) if len(left) > 1 else left[0])

    return answer


def run(*looks: LinkResult, revision: str | Trouble = "", **inputs: str) -> Story:
    """A rollout from the old build to the new, with this registry."""
    world = World(rollout(), (UPDATED,), containers=digests(3.0), registry=registry(*looks, revision=revision))
    return simulate(world, image=IMAGE, **inputs)


def said(story: Story) -> str:
    return "\n".join(story.log.lines)


def gaps(moments: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(moments)]


# the lookup succeeds or does not matter


def test_without_an_image_no_registry_is_contacted() -> None:
    for inputs in ({}, {"image": "ghcr.io/o/api,ghcr.io/o/web"}, {"image": "ghcr.io/o/api:1,ghcr.io/o/api:2"}):
        story = simulate(World(rollout(), (UPDATED,)), **inputs)
        assert (story.world.sent(FetchTag), story.state.lookup, story.outcome.image.reference) == ([], None, "")


def test_the_tag_is_looked_up_beside_the_baseline_and_its_commit_is_shown() -> None:
    story = run(index(D2), revision=NEW)
    assert story.verdict == ("deployed", "")
    assert (story.world.sent(FetchTag), len(story.world.sent(FetchRevision))) == ([0.0], 1)
    assert (story.world.triggered or 9.0) < 1.0
    outcome = story.outcome
    assert (outcome.image.reference, outcome.image.digest, outcome.image.revision, outcome.facts.of(About.NOTE)) == (
        IMAGE,
        D2,
        NEW,
        (),
    )
    assert f"the registry has {IMAGE}: {D2}" in said(story)


@pytest.mark.parametrize("trouble", [REFUSED, DOWN, HOSTILE])
def test_a_registry_that_gives_no_digest_is_a_note(trouble: Trouble) -> None:
    for inputs in ({}, {"expect_digest": D2}):
        story = run(trouble, **inputs)
        assert story.verdict == ("deployed", "")
        assert (story.world.triggered or 9.0) < 1.0
        assert len(story.world.sent(FetchTag)) == 1
        assert [
            trouble.sentence[1:] in note and trouble.fix in note for note in story.outcome.facts.of(About.NOTE)
        ] == [True]
        assert said(story).count(trouble.sentence[1:]) == 1
        assert annotations(story.outcome) == []


def test_a_slow_registry_is_a_note_and_delays_nothing() -> None:
    world = World(rollout(), (UPDATED,), registry=lambda _, __: (FromRegistry(200, found=index(D2)), 9.0))
    story = simulate(world, image=IMAGE)
    assert story.verdict == ("deployed", "")
    assert story.world.triggered == pytest.approx(SECONDS)
    assert "note: The registry `ghcr.io` did not respond in time." in said(story)


def test_a_late_response_of_the_registry_is_not_waited_for() -> None:
    world = World(rollout(), (UPDATED,), registry=lambda _, __: (FromRegistry(200, found=ABSENT), 5.0))
    story = simulate(world, image=IMAGE)
    assert (story.verdict, len(story.world.sent(FetchTag))) == (("deployed", ""), 1)


# an image that has not been pushed yet


def test_the_run_waits_for_a_missing_tag() -> None:
    story = run(*[ABSENT] * 6, index(D2), revision=NEW)
    assert story.verdict == ("deployed", "")
    looks = story.world.sent(FetchTag)
    pauses = gaps(looks)
    assert (len(looks), len(story.world.sent(SendTrigger))) == (7, 1)
    assert all(looks[-1] < moment for moment in story.world.sent(SendTrigger))
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(FIRST_PAUSE + 0.04)
    assert max(pauses) <= LONGEST_PAUSE + 0.05
    assert "has no `o/api:1`. Waiting for it." in said(story)
    assert f"waiting for the image {IMAGE}" in said(story)


def test_waiting_for_the_image_counts_towards_the_timeout() -> None:
    story = run(*[ABSENT] * 4, index(D2), timeout="60s")
    begun = story.world.sent(FetchTag)[0]
    assert begun < story.state.deadline - 60 < begun + SECONDS


def test_a_tag_that_never_appears_is_reported_as_missing() -> None:
    story = run(ABSENT, timeout="30s")
    assert story.verdict == ("not-started", "image-missing")
    assert story.world.sent(SendTrigger) == []
    assert 30 <= story.world.clock <= 30 + SECONDS
    [error] = annotations(story.outcome)
    assert "The registry `ghcr.io` has no `o/api:1`. The run waited 30 s for it." in error.message


def test_the_run_waits_for_a_tag_that_points_elsewhere_and_reports_both_digests() -> None:
    assert run(index(D1), index(D1), index(D2), expect_digest=D2).verdict == ("deployed", "")
    story = run(index(D1), expect_digest=D2, timeout="10s")
    assert story.verdict == ("not-started", "image-missing")
    [error] = annotations(story.outcome)
    assert f"`{IMAGE}` points to `{D1}` in the registry, and not to the expected `{D2}`." in error.message
    assert (story.outcome.image.digest, story.outcome.digest.expected) == (D1, D2)


def test_a_registry_failure_while_waiting_for_the_image_changes_nothing() -> None:
    story = run(ABSENT, DOWN, REFUSED, index(D1), DOWN, index(D2), expect_digest=D2)
    assert story.verdict == ("deployed", "")
    assert len(story.world.sent(FetchTag)) == 6
    assert run(ABSENT, DOWN, timeout="20s").verdict == ("not-started", "image-missing")


def test_after_a_wait_the_running_container_is_looked_at_again() -> None:
    story = run(*[ABSENT] * 6, index(D2))
    triggered = story.world.triggered or 0.0
    assert triggered - 1 < max(moment for moment in story.world.sent(Probe) if moment < triggered)
    assert triggered - 1 < max(moment for moment in story.world.sent(FetchContainers) if moment < triggered)
    assert (story.outcome.downtime_seconds or 99.0) < 5


@pytest.mark.parametrize(
    ("inputs", "verdict"),
    [({}, "already-current"), ({"expect_digest": D2}, "already-current"), ({"expect_version": NEW}, "deployed")],
)
def test_a_build_that_watchtower_deployed_by_itself_during_the_wait_counts_as_live(
    inputs: dict[str, str], verdict: str
) -> None:
    world = World(steady(ready(OLD)), (NOTHING,), registry=registry(*[ABSENT] * 5, index(D2)))
    world.service = lambda _, __: ready(NEW if world.clock > 15.0 else OLD)
    world.containers = lambda _: rows(("api", "ghcr.io/o/api", D2 if world.clock > 15.0 else D1))
    story = simulate(world, image=IMAGE, **inputs)
    assert (world.triggered or 0.0) > 15.0
    assert story.verdict == (verdict, "")


# one image under two digests


def test_the_tag_may_point_to_the_index_over_the_declared_digest() -> None:
    story = run(index(D3, D1, D2), expect_digest=D2)
    assert story.verdict == ("deployed", "")
    assert len(story.world.sent(FetchTag)) == 1


def test_the_running_platform_is_the_declared_index() -> None:
    story = run(index(D3, D2), expect_digest=D3)
    assert (story.verdict, story.conclusion.proof.word) == (("deployed", ""), "digest")
    assert story.outcome.digest.live == D2
    assert any("are one image" in evidence for evidence in story.outcome.facts.of(About.EVIDENCE))


def test_two_platforms_of_an_index_are_two_images() -> None:
    story = run(index(D3, D1, D2), expect_digest=D1, timeout="60s")
    assert story.verdict == ("wrong-build", "wrong-digest")


def test_the_same_image_under_another_digest_is_not_a_change() -> None:
    world = World(
        steady(ready()), (UPDATED,), containers=digests(3.0, D1, D2), registry=registry(index(D2, D1), revision=OLD)
    )
    assert simulate(world, image=IMAGE).verdict != ("deployed", "")


def test_an_image_that_the_index_shows_to_be_live_was_live_before() -> None:
    world = World(steady(ready(NEW)), (NOTHING,), containers=digests(3.0, D2, D2), registry=registry(index(D3, D2)))
    assert simulate(world, image=IMAGE, expect_digest=D3).verdict == ("already-current", "")


# no new image


def current(answer: HttpResult = NOTHING, after: str = D1, **inputs: str) -> Story:
    world = World(steady(ready(OLD)), (answer,), containers=digests(3.0, D1, after), registry=registry(index(D1)))
    return simulate(world, image=IMAGE, **inputs)


def test_an_image_that_already_runs_under_the_tag_is_current_without_annotations() -> None:
    story = current()
    assert (story.verdict, len(story.world.sent(SendTrigger))) == (("already-current", ""), 1)
    assert annotations(story.outcome) == []
    assert "The build that the image's tag points to was live before the trigger" in headline(story.outcome)
    assert story.seconds < 10


def test_a_running_image_is_not_current_if_more_proof_is_required_or_the_tag_points_elsewhere() -> None:
    assert current(require_proof="change").verdict == ("unproven", "nothing-to-do")
    world = World(steady(ready(OLD)), (NOTHING,), containers=digests(3.0, D1, D1), registry=registry(index(D2)))
    assert simulate(world, image=IMAGE).verdict == ("unproven", "nothing-to-do")
    world = World(steady(ready(OLD)), (NOTHING,), registry=registry(index(D1)))
    assert simulate(world, image=IMAGE).verdict == ("unproven", "nothing-to-do"), "nothing reports what runs"


# the version in the label of the image


def test_the_images_commit_is_the_version_that_must_be_live() -> None:
    story = run(index(D2), revision=NEW, expect_version="image")
    assert (story.verdict, story.conclusion.proof.word) == (("deployed", ""), "version")
    assert story.outcome.version.expected == NEW
    wrong = run(index(D2), revision=THIRD, expect_version="image", timeout="20s")
    assert wrong.verdict == ("wrong-build", "wrong-version")


def test_the_run_waits_for_the_images_commit_together_with_the_image() -> None:
    story = run(ABSENT, DOWN, index(D2), revision=NEW, expect_version="image")
    assert (story.verdict, story.outcome.version.expected) == (("deployed", ""), NEW)


@pytest.mark.parametrize(
    ("look", "revision", "message"),
    [
        (index(D2), "", "has no label `org.opencontainers.image.revision`"),
        (index(D2), HOSTILE, "redirects elsewhere"),
        (REFUSED, "", "does not let you. Give it `packages: read`."),
        (HOSTILE, "", "redirects elsewhere"),
    ],
)
def test_without_the_images_commit_nothing_is_triggered(
    look: LinkResult, revision: str | Trouble, message: str
) -> None:
    story = run(look, revision=revision, expect_version="image")
    assert story.verdict == ("not-started", "image-missing")
    assert story.world.sent(SendTrigger) == []
    assert story.world.clock < SECONDS
    assert message in annotations(story.outcome)[0].message


def test_the_run_waits_for_an_unavailable_registry_that_it_needs() -> None:
    assert run(DOWN, DOWN, index(D2), revision=NEW, expect_version="image").verdict == ("deployed", "")
    story = run(DOWN, revision=NEW, expect_version="image", timeout="20s")
    assert story.verdict == ("not-started", "image-missing")


def test_the_run_waits_for_a_hanging_registry_that_it_needs() -> None:
    world = World(rollout(), (UPDATED,), registry=lambda _, __: (TransportError(ErrorKind.CUT), 100.0))
    story = simulate(world, image=IMAGE, expect_version="image", timeout="30s")
    assert story.verdict == ("not-started", "image-missing")
    assert "no response came in time" in annotations(story.outcome)[0].message


# mode verify


def verified(*looks: LinkResult, revision: str | Trouble = "", running: str = D2, **inputs: str) -> Story:
    world = World(
        steady(ready(NEW)), containers=digests(0.0, running, running), registry=registry(*looks, revision=revision)
    )
    return simulate(world, image=IMAGE, mode="verify", **inputs)


def test_verify_expects_the_images_commit_and_does_not_wait() -> None:
    story = verified(index(D2), revision=NEW, expect_version="image")
    assert (story.verdict, story.conclusion.proof.word) == (("verified", ""), "version")
    assert verified(index(D2), revision=OLD, expect_version="image").verdict == ("wrong-build", "wrong-version")
    for look in (ABSENT, DOWN, REFUSED):
        story = verified(look, revision=NEW, expect_version="image")
        assert (story.verdict, story.world.clock < SECONDS) == (("not-started", "image-missing"), True)


def test_verify_knows_an_index_by_its_platform() -> None:
    assert verified(index(D3, D2), expect_digest=D3).verdict == ("verified", "")
    story = verified(index(D1), expect_digest=D3, timeout="10s")
    assert story.verdict == ("wrong-build", "wrong-digest")
    assert len(story.world.sent(FetchTag)) == 1
    assert f"points to `{D1}`" in story.outcome.facts.of(About.NOTE)[0]


def test_verify_notes_a_registry_that_gives_no_digest() -> None:
    for look in (ABSENT, DOWN, REFUSED):
        story = verified(look)
        assert (story.verdict, len(story.outcome.facts.of(About.NOTE))) == (("verified", ""), 1)
        assert said(story).count(look.sentence[1:]) == 1


# the tag, and indexes of one image


def test_without_a_written_tag_the_running_containers_tag_is_looked_up() -> None:
    main = lambda _: rows(("api", "ghcr.io/o/api:main", D1))  # noqa: E731 - a script of one line
    world = World(rollout(), (UPDATED,), containers=main, registry=registry(index(D2)))
    simulate(world, image="ghcr.io/o/api", expect_version=NEW)
    [asked] = {request.tag for _, request in world.asked if isinstance(request, FetchTag)}
    assert asked == "main"


@pytest.mark.parametrize("answer", [reply(404), TransportError(ErrorKind.REFUSED)], ids=["absent", "failing"])
def test_without_a_written_or_running_tag_latest_is_looked_up(answer: HttpResult) -> None:
    world = World(rollout(), (UPDATED,), containers=lambda _: answer, registry=registry(index(D2)))
    simulate(world, image="ghcr.io/o/api", expect_version=NEW)
    assert {request.tag for _, request in world.asked if isinstance(request, FetchTag)} == {"latest"}


def test_verify_with_the_version_of_the_image_first_lists_the_containers_for_its_tag() -> None:
    main = lambda _: rows(("api", "ghcr.io/o/api:main", D2))  # noqa: E731 - as above
    world = World(lambda _, __: ready(NEW), containers=main, registry=registry(index(D2), revision=NEW))
    story = simulate(world, mode="verify", image="ghcr.io/o/api", expect_version="image")
    assert story.verdict == ("verified", "")
    assert {request.tag for _, request in world.asked if isinstance(request, FetchTag)} == {"main"}


def manifests(*found: Manifest) -> Callable[[float, FetchManifest | PutManifest], HttpResult]:
    """A registry that has these manifests by digest."""
    kept = {each.digest: each for each in found}

    def answer(_: float, request: FetchManifest | PutManifest) -> HttpResult:
        assert isinstance(request, FetchManifest)
        absent = Trouble(Kind.ABSENT, f"it has no {request.reference}")
        return FromRegistry(200, found=kept.get(request.reference, absent))

    return answer


def test_the_declared_image_under_another_index_is_the_declared_one() -> None:
    """A push with another attestation moves the tag to another index, and Watchtower reports the digest of that one."""
    tagged, declared = index(D2, "sha256:" + "e" * 64), index(D3, "sha256:" + "e" * 64)
    world = World(
        rollout(), (UPDATED,), containers=digests(3.0), registry=registry(tagged), manifests=manifests(declared)
    )
    story = simulate(world, image=IMAGE, expect_digest=D3)
    assert story.verdict == ("deployed", "")
    assert story.conclusion.proof.word == "digest"


def test_the_same_image_pushed_again_is_not_a_change() -> None:
    platform = "sha256:" + "e" * 64
    before, after = index(D1, platform), index(D2, platform)
    world = World(
        steady(ready()), (UPDATED,), containers=digests(3.0), registry=registry(after), manifests=manifests(before)
    )
    story = simulate(world, image=IMAGE)
    assert story.verdict == ("unproven", "no-change")


def test_another_image_is_a_change_even_if_the_registry_does_not_know_the_previous_one() -> None:
    world = World(
        steady(ready()), (UPDATED,), containers=digests(3.0), registry=registry(index(D2)), manifests=manifests()
    )
    story = simulate(world, image=IMAGE)
    assert story.verdict == ("deployed", "")
    assert story.conclusion.proof.word == "change"


@pytest.mark.parametrize(("pointed_to", "said"), [(D1, True), (D2, False)])
def test_an_old_build_is_explained_by_a_tag_that_still_points_to_it(
    pointed_to: str,
    said: bool,
) -> None:
    world = World(
        steady(ready(OLD)),
        (NOTHING,),
        containers=digests(3.0, D1, D1),
        registry=registry(index(pointed_to), revision=OLD),
    )
    story = simulate(world, image=IMAGE, expect_version=NEW, timeout="20s")
    assert story.verdict == ("stale", "old-build")
    message = happened(story.outcome)
    cause = f"`{IMAGE}` pointed to the image that was running already, whose label names the commit `{OLD}`: the push"
    assert (cause in message) is said
