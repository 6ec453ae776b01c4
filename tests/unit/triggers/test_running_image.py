"""What the relevant rows show about the running image."""

from redeploy.registry.known_manifests import KnownManifests
from redeploy.registry.manifest import INDEXES, Manifest
from redeploy.service.identity import Build
from redeploy.triggers.watchtower.containers import Endpoint, Look, RunningContainer
from redeploy.triggers.watchtower.running_image import RunningImage
from tests.unit.factories import D1, D2, D3

INDEX, OTHER_INDEX = "sha256:" + "a" * 64, "sha256:" + "b" * 64
IMAGE_ID = "sha256:" + "c" * 64


def look(at: float, *rows: tuple[str, str], image_id: str = "") -> Look:
    """A listing whose response came at `at`, with a row for each name and digest."""
    found = tuple(RunningContainer(name, "ghcr.io/o/api:latest", digest, image_id) for name, digest in rows)
    return Look(sent=at - 0.1, at=at, endpoint=Endpoint.REPORTED, rows=found)


def running(*looks: Look, declared: str = "", asks_registry: bool = False) -> RunningImage:
    """The evidence of listings around a trigger at 1 s."""
    found = RunningImage(declared=declared, triggered=1.0, asks_registry=asks_registry)
    for each in looks:
        found.add(each)
    return found


def index(digest: str, *platforms: str) -> Manifest:
    return Manifest(digest, INDEXES[0], b"", platforms)


OLD = look(0.5, ("api", D1))


def test_another_digest_than_before_is_a_new_image_from_that_response_on() -> None:
    found = running(OLD, look(3.0, ("api", D2)))
    assert found.says(found.all[-1]) is Build.NEW
    assert (found.expected_since, found.expected_seen, found.is_old) == (3.0, True, False)
    assert found.evidence() == "The running digest changed."


def test_a_digest_that_changed_while_the_image_id_did_not_is_the_same_image() -> None:
    found = running(look(0.5, ("api", D1), image_id=IMAGE_ID), look(3.0, ("api", D2), image_id=IMAGE_ID))
    assert found.says(found.all[-1]) is Build.OLD
    assert (found.expected_since, found.is_old, found.unchanged, found.kept) == (None, True, True, True)


def test_without_a_digest_from_before_a_digest_proves_nothing() -> None:
    found = running(look(3.0, ("api", D2)))
    assert (found.says(found.all[-1]), found.evidence()) == (Build.UNKNOWN, "")


def test_rows_that_differ_prove_nothing_and_are_reported_by_name() -> None:
    found = running(OLD, look(3.0, ("app-1", D2), ("app-2", D1)), declared=D2)
    assert found.says(found.all[-1]) is Build.UNKNOWN
    assert f"`app-1` runs `{D2}`, `app-2` runs `{D1}`" in found.warning
    assert running(OLD).warning == ""


def test_rows_that_differ_are_listed_again_when_the_window_ends() -> None:
    found = running(OLD, look(3.0, ("app-1", D2), ("app-2", D1)))
    assert found.needs_closing_look(8.0, alone=False)
    found.add(look(8.5, ("app-1", D2), ("app-2", D2)))
    assert not found.needs_closing_look(8.0, alone=False)
    assert found.warning == ""


def test_containers_of_several_images_are_not_a_contradiction() -> None:
    api, web = RunningContainer("api", "ghcr.io/o/api:1", D1), RunningContainer("web", "ghcr.io/o/web:1", D2)
    found = running(Look(sent=2.0, at=2.1, endpoint=Endpoint.REPORTED, rows=(api, web)))
    assert (found.warning, found.now) == ("", "")


def test_a_row_that_kept_its_image_or_is_gone_is_seen_beside_one_that_was_replaced() -> None:
    before = look(0.5, ("app-1", D1), ("app-2", D1))
    partly = running(before, look(3.0, ("app-1", D2), ("app-2", D1)))
    assert (partly.kept, partly.unchanged) == (True, False)
    assert running(before, look(3.0, ("app-1", D2))).kept
    assert not running(before, look(3.0, ("app-1", D2), ("app-2", D2))).kept


def test_an_index_and_its_platform_are_one_image() -> None:
    found = running(OLD, look(3.0, ("api", D2)), declared=INDEX)
    found.manifests.learn(index(INDEX, D2))
    assert found.says(found.all[-1]) is Build.NEW
    assert "one image" in found.evidence()


def test_two_indexes_of_the_same_platforms_are_one_image() -> None:
    found = running(look(0.5, ("api", INDEX)), look(3.0, ("api", OTHER_INDEX)))
    for each in (INDEX, OTHER_INDEX):
        found.manifests.learn(index(each, D1, D2))
    assert found.says(found.all[-1]) is Build.OLD
    assert found.is_old


def test_two_indexes_that_share_one_platform_are_one_image_only_where_that_one_runs() -> None:
    found = KnownManifests()
    found.learn(index(INDEX, D1, D2))
    found.learn(index(OTHER_INDEX, D1, D3))
    assert not found.same_image(INDEX, OTHER_INDEX)
    assert found.unread(INDEX, OTHER_INDEX, IMAGE_ID) == [D1]
    found.learn(Manifest(D1, "", b"", config=IMAGE_ID))
    assert found.same_image(INDEX, OTHER_INDEX, IMAGE_ID)
    assert found.same_image(INDEX, OTHER_INDEX, D1)  # containerd's image store names an image by its manifest
    assert not found.same_image(INDEX, OTHER_INDEX, D3)


def test_a_digest_that_may_be_the_same_image_is_looked_up_before_it_counts_as_another() -> None:
    found = running(look(0.5, ("api", INDEX)), look(3.0, ("api", OTHER_INDEX)), asks_registry=True)
    assert found.says(found.all[-1]) is Build.UNKNOWN
    assert found.unread == [INDEX, OTHER_INDEX]
    found.manifests.learn(index(OTHER_INDEX, D2))
    found.manifests.give_up(INDEX)
    assert found.unread == []
    assert found.says(found.all[-1]) is Build.NEW


def test_a_declared_digest_that_does_not_run_is_distinguished_from_the_one_before() -> None:
    found = running(OLD, look(3.0, ("api", D1)), declared=D2)
    assert found.says(found.all[-1]) is Build.OLD
    found.add(look(4.0, ("api", D3)))
    assert found.says(found.all[-1]) is Build.OTHER
    found.add(look(5.0, ("api", D2)))
    assert found.evidence() == "Watchtower reports the declared digest for the running container."
