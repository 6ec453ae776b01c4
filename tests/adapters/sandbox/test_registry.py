"""The sandbox's registry, as the registry client sees it."""

from collections.abc import Callable, Iterator

import pytest

from redeploy.http.client import Http
from redeploy.registry.access import Access
from redeploy.registry.client import Registry
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import Image, parse
from redeploy.registry.manifest import Manifest
from redeploy.text.secret import Secret
from sandbox.server.builds import V1, V2
from sandbox.server.host import Registry as Content
from sandbox.server.registry import USER, Misbehaviour, RegistryServer, Ways

BOUND = 10.0


@pytest.fixture
def raised() -> Iterator[Callable[[Ways], RegistryServer]]:
    """Start registries that have `v1` tagged `latest`, and are closed after the test."""
    servers: list[RegistryServer] = []

    def start(ways: Ways) -> RegistryServer:
        server = RegistryServer(ways, password="s3cret-p4ss")
        server.content = Content({f"{server.name}/o/api:latest": V1})
        server.listen()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


Raise = Callable[[Ways], RegistryServer]


def client(password: str = "") -> Registry:
    access = Access(USER if password else "", Secret(password), allow_http=False)
    return Registry(Http(headers={}, origins=frozenset()).fetch, access)


def image_in(server: RegistryServer) -> Image:
    return parse(f"{server.name}/o/api:latest")


def digest(found: Manifest | Trouble) -> str:
    assert isinstance(found, Manifest), found
    return found.digest


def kind(found: Manifest | Trouble | str) -> Kind:
    assert isinstance(found, Trouble), found
    return found.kind


def test_it_serves_the_image_that_the_host_pulls(raised: Raise) -> None:
    server = raised(Ways())
    assert digest(client().resolve(image_in(server), BOUND)) == V1.digest
    server.content.push(str(image_in(server)), V2)
    found = client().resolve(image_in(server), BOUND)
    assert isinstance(found, Manifest)
    assert (found.digest, client().revision(image_in(server), found, BOUND)) == (V2.digest, V2.git_sha)
    server.content.tags.clear()
    assert kind(client().resolve(image_in(server), BOUND)) is Kind.ABSENT
    assert digest(client().resolve(image_in(server).at(V1.digest), BOUND)) == V1.digest
    server.content.pruned.add("v1")
    assert kind(client().resolve(image_in(server).at(V1.digest), BOUND)) is Kind.ABSENT


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_only_its_owner_is_let_in(raised: Raise, auth: str) -> None:
    server = raised(Ways(auth=auth))  # type: ignore[arg-type]
    owner = client(server.password)
    found = owner.resolve(image_in(server), BOUND)
    assert isinstance(found, Manifest)
    assert owner.revision(image_in(server), found, BOUND) == V1.git_sha
    assert bool(server.stored) is (auth == "token")
    assert owner.put(image_in(server), found, BOUND) == found
    assert kind(client().resolve(image_in(server), BOUND)) is Kind.REFUSED
    assert kind(client("another").resolve(image_in(server), BOUND)) is Kind.REFUSED


def test_a_tag_is_put_back_where_writing_is_allowed(raised: Raise) -> None:
    server = raised(Ways())
    first = client().resolve(image_in(server), BOUND)
    assert isinstance(first, Manifest)
    server.content.push(str(image_in(server)), V2)
    assert client().put(image_in(server), first, BOUND) == first
    assert server.content.tags[str(image_in(server))] == V1
    locked = raised(Ways(read_only=True))
    assert kind(client().put(image_in(locked), first, BOUND)) is Kind.REFUSED
    server.content.pruned.add("v1")
    assert kind(client().put(image_in(server), first, BOUND)) is Kind.ABSENT


def test_a_build_appears_after_enough_requests(raised: Raise) -> None:
    server = raised(Ways(arrives=(2, V2)))
    found = [digest(client().resolve(image_in(server), BOUND)) for _ in range(3)]
    assert found == [V1.digest, V1.digest, V2.digest]


@pytest.mark.parametrize("misbehaviour", ["redirect", "wrong-digest", "endless", "realm", "page"])
def test_its_misbehaviour_is_detected(raised: Raise, misbehaviour: Misbehaviour) -> None:
    server = raised(Ways(misbehaviour=misbehaviour))
    assert kind(client("s3cret-p4ss").resolve(image_in(server), BOUND)) is Kind.HOSTILE
    assert server.stored == []
    assert all(one.header("Authorization") is None for one in server.seen)


def test_its_errors_follow_the_protocol(raised: Raise) -> None:
    server = raised(Ways())
    server.content.trouble = 503
    assert kind(client().resolve(image_in(server), BOUND)) is Kind.UNREACHABLE
    assert [one.method for one in server.seen] == ["GET"] * 3
