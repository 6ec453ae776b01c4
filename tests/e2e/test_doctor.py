"""Doctor on a real chain, with each link broken in turn: it names that link and no other, and changes nothing."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import docker
import pytest
import requests
import trustme

from sandbox.server.builds import V1, V2
from tests.e2e.conftest import Action
from tests.e2e.parts.certificates import issue
from tests.e2e.parts.registry import Registry
from tests.e2e.parts.stack import BACKEND, LINE, Stack, standing

FORK = LINE == "nicholas-fedor"
ONLY_THE_FORK = pytest.mark.skipif(not FORK, reason="containrrr/watchtower reports neither containers nor refusals")
LABEL = '      com.centurylinklabs.watchtower.enable: "true"\n'
AUTHORITY = trustme.CA()
Links = Mapping[str, Mapping[str, str]]
Breakage = Callable[[Stack], AbstractContextManager[str | None]]


@pytest.fixture(scope="module")
def stack(client: docker.DockerClient, hub: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose nginx terminates TLS itself."""
    folder = tmp_path_factory.mktemp("doctor")
    AUTHORITY.cert_pem.write_to_path(folder / "authority.pem")
    issue(AUTHORITY, folder / "certs")
    with standing(
        client, hub, folder / "portfolio", "docker-compose.tls.yml",
        authority=folder / "authority.pem", TLS_CERTS=str(folder / "certs"),
    ) as one:  # fmt: skip
        one.edit("nginx.compose-tls.conf", "rate=30r/m", "rate=3000r/m")  # all of these tests come from one address
        yield one


def examined(stack: Stack, action: Action, verdict: str, *, image: str = "", token: str = "") -> Links:
    """Run doctor and return its findings by link; nothing on the engine or in the registry may change meanwhile."""
    assert stack.authority
    before = truth(stack)
    run = action(
        stack,
        (verdict, ""),
        mode="doctor",
        image=image or stack.image,
        watchtower_token=token or stack.token,
        ca_certificate=stack.authority.read_text(),
        required_routes="GET /api/ready",
    )
    assert truth(stack) == before
    links = {each["link"]: each for each in json.loads(run.outputs["report"])["links"]}
    assert json.loads(run.outputs["failed-checks"]) == in_state("broken", links)
    return links


def in_state(state: str, links: Links) -> list[str]:
    """The links that are in this state."""
    return [name for name, each in links.items() if each["state"] == state]


def broken(links: Links) -> dict[str, str]:
    """The broken links, with their findings."""
    return {name: links[name]["finding"] for name in in_state("broken", links)}


def truth(stack: Stack) -> object:
    """The containers and their start times, the images and their names, and the digests of the registry's tags."""
    ours: dict[str, str | list[str] | bool] = {"label": f"com.docker.compose.project={stack.name}"}
    containers = {
        str(each.id): (each.name, each.attrs["Image"], each.attrs["State"]["StartedAt"], each.attrs["RestartCount"])
        for each in stack.client.containers.list(all=True, filters=ours)
    }
    images = {
        each["Id"]: names
        for each in stack.client.api.images()  # images of other tests may disappear meanwhile
        if (names := [*(each["RepoTags"] or []), *(each["RepoDigests"] or [])]) and stack.registry.address in names[0]
    }
    stack.registry.container.reload()
    return containers, images, tags(stack) if stack.registry.container.status == "running" else {}


def tags(stack: Stack) -> dict[str, str]:
    """The digest that each tag of the registry points to."""
    at = f"http://{stack.registry.address}/v2"
    as_docker = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    found = {}
    for name in requests.get(f"{at}/_catalog", timeout=5).json()["repositories"]:
        for tag in requests.get(f"{at}/{name}/tags/list", timeout=5).json()["tags"] or ():
            answer = requests.head(f"{at}/{name}/manifests/{tag}", headers=as_docker, timeout=5)
            found[f"{name}:{tag}"] = answer.headers["Docker-Content-Digest"]
    return found


def test_a_working_chain_is_ready(stack: Stack, action: Action) -> None:
    links = examined(stack, action, "ready")
    assert in_state("warning", links) == []
    assert in_state("not-reached", links) == ([] if FORK else ["containers", "update"])
    assert tags(stack)[BACKEND][:19] in links["registry"]["seen"]


def test_a_pending_update_is_reported_and_not_performed(stack: Stack, action: Action) -> None:
    before = tags(stack)[BACKEND]
    after = stack.push(V2)
    try:
        links = examined(stack, action, "ready")
    finally:
        stack.serve(V1)
    assert after.digest[:19] in links["registry"]["seen"]
    if FORK:
        assert before[:19] in links["containers"]["seen"]
        update, _, reason = links["update"]["seen"].partition(
            "; "
        )  # the real one uses https, which this registry does not speak
        assert update == f"would replace `{stack.container_name('backend')}`"
        assert not reason or reason.startswith("Watchtower could not ask the registry itself, so the engine pulls")


def test_a_wrong_token_is_reported_at_the_token(stack: Stack, action: Action) -> None:
    links = examined(stack, action, "not-ready", token="not-the-token")
    assert broken(links) == {"token": "auth"}


def test_a_missing_image_is_reported_at_the_registry(stack: Stack, action: Action) -> None:
    links = examined(stack, action, "not-ready", image=stack.registry.reference("portfolio/nowhere"))
    assert broken(links) == {"registry": "image-missing"}


@contextmanager
def stopped(service: str, stack: Stack) -> Iterator[None]:
    """Stop a service of the stack for a while."""
    stack.compose("stop", "--timeout", "1", service)
    try:
        yield
    finally:
        stack.up(service)
        stack.wait_for_watchtower()
        stack.wait_for_service()


@contextmanager
def without_location(stack: Stack) -> Iterator[None]:
    """Remove nginx's locations for Watchtower, so that the pages respond there."""
    ours, nothing = "include snippets/watchtower.conf;", "# nothing for Watchtower"
    stack.edit("snippets/portfolio.conf", ours, nothing)
    try:
        yield
    finally:
        stack.edit("snippets/portfolio.conf", nothing, ours)


@contextmanager
def certified(stack: Stack, name: str = "localhost", until: datetime | None = None) -> Iterator[None]:
    """Let nginx use another certificate."""
    issue(AUTHORITY, certificates(stack), name, until=until)
    stack.compose("exec", "-T", "nginx", "nginx", "-s", "reload")
    try:
        yield
    finally:
        issue(AUTHORITY, certificates(stack))
        stack.compose("exec", "-T", "nginx", "nginx", "-s", "reload")
        stack.wait_for_service()


def certificates(stack: Stack) -> Path:
    """The folder of nginx's certificates."""
    return stack.folder.parent / "certs"


@contextmanager
def never_pushed(stack: Stack) -> Iterator[str]:
    """Run the service with an image whose tag is missing in the registry, and pass that image to doctor."""
    repository, _, _ = stack.image.rpartition(":")
    assert stack.client.images.get(stack.container().attrs["Image"]).tag(repository, "gone")
    stack.set(BACKEND_IMAGE=f"{repository}:gone")
    stack.up("backend")
    stack.wait_for_service()
    try:
        yield f"{repository}:gone"
    finally:
        stack.set(BACKEND_IMAGE=stack.image)
        stack.up("backend")
        stack.wait_for_service()


@contextmanager
def without_label(stack: Stack) -> Iterator[None]:
    """Run the service's container without the label that lets Watchtower watch it."""
    file = stack.folder / "deploy" / "docker-compose.portfolio-prod.yml"
    text = file.read_text()
    assert LABEL in text
    file.write_text(text.replace(LABEL, "      of.no.meaning: here\n"))
    try:
        stack.up("backend")
        stack.wait_for_service()
        yield
    finally:
        file.write_text(text)
        stack.up("backend")
        stack.wait_for_service()


@contextmanager
def never_ready(stack: Stack) -> Iterator[None]:
    """Run a build that responds and is never ready."""
    stack.push(replace(V1, readiness="never"))
    stack.compose("pull", "backend")
    stack.up("backend")
    stack.wait_for(f"{stack.origin}/openapi.json")
    try:
        yield
    finally:
        stack.serve(V1)


@contextmanager
def registry_down(stack: Stack) -> Iterator[None]:
    """Stop the registry for a while."""
    stack.registry.stop()
    try:
        yield
    finally:
        stack.registry.start()


BROKEN = [
    pytest.param(lambda stack: stopped("watchtower", stack), "location", "watchtower-stopped", id="watchtower-stopped"),
    pytest.param(without_location, "location", "misrouted", id="location-missing"),
    pytest.param(lambda stack: stopped("nginx", stack), "connection", "nothing-listens", id="nginx-down"),
    pytest.param(
        lambda stack: certified(stack, until=datetime(2026, 1, 1, tzinfo=UTC)), "tls", "certificate-expired",
        id="certificate-expired",
    ),
    pytest.param(
        lambda stack: certified(stack, "www.example.com"), "tls", "certificate-name", id="certificate-of-another-host"
    ),
    pytest.param(never_pushed, "registry", "image-missing", id="image-missing"),
    pytest.param(without_label, "containers", "not-watched", id="label-missing", marks=ONLY_THE_FORK),
    pytest.param(never_ready, "health", "never-ready", id="backend-unhealthy"),
    pytest.param(lambda stack: stopped("backend", stack), "health", "down", id="backend-stopped"),
    pytest.param(registry_down, "update", "update-blocked", id="registry-down", marks=ONLY_THE_FORK),
]  # fmt: skip


@pytest.mark.parametrize(("breakage", "link", "finding"), BROKEN)
def test_only_the_broken_link_is_reported(
    breakage: Breakage, link: str, finding: str, stack: Stack, action: Action
) -> None:
    with breakage(stack) as image:
        links = examined(stack, action, "not-ready", image=image or "")
    assert broken(links) == {link: finding}
    assert {each["behind"] for each in links.values()} <= {"", link}
