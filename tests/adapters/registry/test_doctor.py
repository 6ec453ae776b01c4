"""Where doctor sends the registry's credentials, over real sockets."""

from collections.abc import Iterator

import pytest

from redeploy.doctor.run import World
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import parse
from redeploy.registry.lookup import FromRegistry
from redeploy.registry.manifest import Manifest
from redeploy.rollout.requests import FetchTag
from sandbox.server.builds import V1
from sandbox.server.host import Registry as Content
from sandbox.server.registry import USER, RegistryServer, Ways
from sandbox.simulation import plan


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """A registry that requires a password, and has `v1` tagged `latest`."""
    server = RegistryServer(Ways(auth="basic"), password="s3cret-p4ss")
    server.content = Content({f"{server.name}/o/api:latest": V1})
    server.listen()
    yield server
    server.close()


def look_up(server: RegistryServer, **inputs: str) -> object:
    question = FetchTag(image=parse(f"{server.name}/o/api:latest"))
    given = plan(mode="doctor", registry_username=USER, registry_password=server.password, **inputs)
    answer = World(given, {}).request((question,))[question].answer
    assert isinstance(answer, FromRegistry)
    return answer.found


def test_a_registry_named_in_the_inputs_gets_the_credentials(registry: RegistryServer) -> None:
    found = look_up(registry, image=f"{registry.name}/o/api")
    assert isinstance(found, Manifest)
    assert found.digest == V1.digest


def test_a_registry_named_only_by_watchtower_gets_no_credentials(registry: RegistryServer) -> None:
    found = look_up(registry, image="registry.test/o/other")
    assert isinstance(found, Trouble)
    assert found.kind is Kind.REFUSED
    assert not any(request.header("Authorization") for request in registry.seen)
