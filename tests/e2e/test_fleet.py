"""Two services on two hosts, each with its own Watchtower and networks, run from one config file on a real engine."""

import json
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType

import docker
import pytest

from sandbox.runner.results import Run
from sandbox.server.builds import V1, V2, Build
from tests.e2e.conftest import Action
from tests.e2e.parts.registry import Manifest, Pushed, Registry, registry
from tests.e2e.parts.stack import BACKEND, LINE, Stack
from tests.ports import free_port

FORK = LINE == "nicholas-fedor"
PATH = ".github/redeploy.yml"
IMAGES = {"api": BACKEND, "web": "portfolio/web:latest"}
CONTAINERS = {"api": "backend", "web": "web"}
"""The services' names in the compose files."""
ROUTE = "GET /api/projects"
LOST = replace(V2, lost=(ROUTE,))
"""A build that fails its check at once, so that tests do not wait."""
CHECKED = {"openapi-path": "/openapi.json", "required-routes": [ROUTE]}
NOTHING_ELSE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class Host:
    """A server that runs both services."""

    stack: Stack
    web_port: int

    def lay_out(self) -> None:
        """Write its files, with the second service in addition to those of every stack."""
        stack = self.stack
        stack.lay_out()
        web = {
            "image": stack.registry.reference(IMAGES["web"]),
            "container_name": stack.container_name("web"),
            "restart": "unless-stopped",
            "ports": [f"127.0.0.1:{self.web_port}:8000"],
            "labels": {
                "com.centurylinklabs.watchtower.enable": "true",
                "com.centurylinklabs.watchtower.scope": stack.name,
            },
            "networks": ["default"],
        }
        stack.overlay("web.yml", {"services": {"web": web}})

    def start(self) -> None:
        """Start all services, and wait until both respond."""
        self.stack.start()
        self.wait_for_web()

    def wait_for_web(self) -> None:
        """Wait until the second service is ready."""
        self.stack.wait_for(f"{self.origin('web')}/api/ready")

    def origin(self, service: str) -> str:
        """The origin of a service."""
        return self.stack.origin if service == "api" else f"http://127.0.0.1:{self.web_port}"

    def back_to(self, before: Mapping[str, Pushed]) -> None:
        """Have it run the images that the tags point to, and wait until both services respond."""
        others = [CONTAINERS[each] for each, pushed in before.items() if not self.runs(each, pushed)]
        if others:
            self.stack.compose("pull", *others)
            self.stack.up("--timeout", "1", "--force-recreate", *others)
        self.stack.wait_for_service()
        self.wait_for_web()

    def runs(self, service: str, pushed: Pushed) -> bool:
        """Whether a service really runs that image."""
        return self.stack.runs(pushed, CONTAINERS[service])


@dataclass(frozen=True)
class Fleet:
    """Both hosts, which run the same tags of one registry."""

    hub: Registry
    hosts: Mapping[str, Host]
    before: Mapping[str, Pushed]
    """The old build of each service."""
    manifests: Mapping[str, Manifest]

    def push(self, service: str, build: Build) -> Pushed:
        """Point a service's tag to a build."""
        return self.hub.push_build(self.hub.reference(IMAGES[service]), build)

    def run(
        self,
        action: Action,
        verdict: str,
        reason: str = "",
        *,
        waves: list[list[str]],
        api: Mapping[str, object] = NOTHING_ELSE,
        web: Mapping[str, object] = NOTHING_ELSE,
        us: Mapping[str, object] = NOTHING_ELSE,
    ) -> Run:
        """Run the action with a config file for both hosts, with more keys for a service or for all services of a host."""
        services = {
            name: {"image": self.hub.reference(IMAGES[name]), "version-path": "/api/dev/status", **more}
            for name, more in (("api", api), ("web", web))
        }
        hosts = {
            name: {
                "watchtower-url": f"${{{name.upper()}_URL}}",
                "watchtower-token": f"${{{name.upper()}_TOKEN}}",
                "services": {
                    each: {"base-url": host.origin(each), **(us if name == "us" else {})} for each in services
                },
            }
            for name, host in self.hosts.items()
        }
        defaults = {"timeout": "90s", "stable-for": "1s", "openapi-path": "off"}
        config = {"defaults": defaults, "services": services, "hosts": hosts, "waves": waves}
        values = {name.upper(): host.stack for name, host in self.hosts.items()}
        variables = {f"{name}_URL": each.update_url for name, each in values.items()}
        variables |= {f"{name}_TOKEN": each.token for name, each in values.items()}
        address = ".".join(str(secrets.randbelow(254) + 1) for _ in range(4))
        run = action.runner.run(
            {"config": PATH, "headers": f"CF-Connecting-IP: {address}"},
            environment=variables,
            secrets=list(variables.values()),
            files={PATH: json.dumps(config)},  # which is YAML, too
        )
        log = f"{run.outputs}\n{run.annotations}\n{run.log}"
        assert run.problems == (), log
        assert (run.outputs["verdict"], run.outputs["reason"]) == (verdict, reason), log
        assert run.exit_code == (0 if verdict == "deployed" else 1), log
        return run

    def running(self, **builds: Pushed) -> dict[str, bool]:
        """Whether each service of each host really runs the given image."""
        return {
            f"{name}/{each}": host.runs(each, builds[f"{name}_{each}"])
            for name, host in self.hosts.items()
            for each in IMAGES
        }


@pytest.fixture(scope="module")
def both(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two hosts beside one registry."""
    with registry(client, bare=True) as hub, ThreadPoolExecutor(2) as side_by_side:
        before = {name: hub.push_build(hub.reference(image), V1) for name, image in IMAGES.items()}
        hosts = {name: Host(Stack(client, hub, tmp_path_factory.mktemp(name)), free_port()) for name in ("eu", "us")}
        hosts["eu"].stack.push_nginx("v1")
        for host in hosts.values():
            host.lay_out()
        try:
            list(side_by_side.map(Host.start, hosts.values()))
            manifests = {name: hub.manifest(hub.reference(image)) for name, image in IMAGES.items()}
            for name, image in IMAGES.items():  # as docker/metadata-action tags it: containrrr reports no digest
                hub.point(hub.reference(image).replace(":latest", f":sha-{V1.git_sha[:7]}"), manifests[name])
            yield Fleet(hub, hosts, before, manifests)
        finally:
            list(side_by_side.map(lambda host: host.stack.down(), hosts.values()))


@pytest.fixture
def fleet(both: Fleet) -> Fleet:
    """Both hosts, with the old build of both services."""
    for name, image in IMAGES.items():
        both.hub.point(both.hub.reference(image), both.manifests[name])
    with ThreadPoolExecutor(2) as side_by_side:
        list(side_by_side.map(lambda host: host.back_to(both.before), both.hosts.values()))
    return both


def services(run: Run) -> dict[str, tuple[str, str]]:
    """Verdict and reason of each service in the output."""
    return {key: (each["verdict"], each["reason"]) for key, each in json.loads(run.outputs["services"]).items()}


def test_all_services_of_all_hosts_are_deployed(fleet: Fleet, action: Action) -> None:
    api, web = fleet.push("api", V2), fleet.push("web", V2)
    # Sequentially: both hosts of this test share one engine, in which two Watchtowers clean up the same images.
    run = fleet.run(action, "deployed", waves=[["eu"], ["us"]], api={"expect-version": V2.git_sha})
    assert services(run) == dict.fromkeys(("eu/api", "eu/web", "us/api", "us/web"), ("deployed", ""))
    assert run.outputs["proof"] == "change"
    assert all(fleet.running(eu_api=api, eu_web=web, us_api=api, us_web=web).values())
    digests = {key: each["digest"] for key, each in json.loads(run.outputs["services"]).items()}
    assert digests == (
        {"eu/api": api.digest, "eu/web": web.digest, "us/api": api.digest, "us/web": web.digest}
        if FORK
        else dict.fromkeys(digests, "")
    )


def test_after_a_failed_service_the_next_wave_is_not_updated(fleet: Fleet, action: Action) -> None:
    api, web = fleet.push("api", V2), fleet.push("web", LOST)
    run = fleet.run(action, "checks-failed", "routes", waves=[["eu"], ["us"]], web=CHECKED)
    later = ("not-started", "earlier-wave")
    assert services(run) == {
        "eu/api": ("deployed", ""),
        "eu/web": ("checks-failed", "routes"),
        "us/api": later,
        "us/web": later,
    }
    old = fleet.before
    assert all(fleet.running(eu_api=api, eu_web=web, us_api=old["api"], us_web=old["web"]).values())
    assert len(run.messages("error")) == 2


def test_a_host_whose_watchtower_is_stopped_does_not_block_the_update_of_the_other(
    fleet: Fleet, action: Action
) -> None:
    api, web = fleet.push("api", V2), fleet.push("web", V2)
    stopped = fleet.hosts["us"].stack
    stopped.compose("stop", "watchtower")
    try:
        # A proxy responds in its place, so the run watches that host to the deadline.
        run = fleet.run(action, "trigger-failed", "no-answer", waves=[["eu", "us"]], us={"timeout": "10s"})
    finally:
        stopped.compose("start", "watchtower")
        stopped.wait_for_watchtower()
    unreached = ("trigger-failed", "no-answer")
    assert services(run) == {
        "eu/api": ("deployed", ""),
        "eu/web": ("deployed", ""),
        "us/api": unreached,
        "us/web": unreached,
    }
    old = fleet.before
    assert all(fleet.running(eu_api=api, eu_web=web, us_api=old["api"], us_web=old["web"]).values())
    assert run.outputs["url"] == stopped.origin
    assert "Watchtower is stopped" in run.messages("error")[0]


def test_the_image_of_one_service_is_put_back_and_the_others_are_kept(fleet: Fleet, action: Action) -> None:
    fleet.push("api", LOST)
    web = fleet.push("web", V2)
    back = {**CHECKED, "expect-version": V2.git_sha, "on-failure": "rollback"}
    run = fleet.run(action, "rolled-back", "routes", waves=[["eu"], ["us"]], api=back)
    later = ("not-started", "earlier-wave")
    assert services(run) == {
        "eu/api": ("rolled-back", "routes"),
        "eu/web": ("deployed", ""),
        "us/api": later,
        "us/web": later,
    }
    assert run.outputs["rolled-back"] == "true"
    old = fleet.before
    assert all(fleet.running(eu_api=old["api"], eu_web=web, us_api=old["api"], us_web=old["web"]).values())
    assert fleet.hub.manifest(fleet.hub.reference(IMAGES["api"])) == fleet.manifests["api"]
