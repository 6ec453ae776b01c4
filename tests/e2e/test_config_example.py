"""The example of a config file and its workflow, run by a third-party workflow engine, on two hosts of the sandbox."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.runner.masks import leaked
from sandbox.server.builds import V2
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import Neighbour, Scene, World
from tests.deploy_files import ROOT
from tests.e2e.parts.act import Act, Ended

WORKFLOW, CONFIG = "several-services.yml", "config/redeploy.yml"
API = "{registry}/o/api:latest"
SCENE = Scene(
    details=True,
    image=API,
    neighbours={"web": Neighbour(), "worker": Neighbour(image="{registry}/o/worker:latest")},
    others={"us": Scene(details=True, image=API)},
)
OWN = {
    " ghcr.io/owner/api:latest": " {image}",
    "https://api.example.com": "{origin}",
    '"https://us.api.example.com"': '"{us:origin}", image: "{us:image}"',
    "https://www.example.com": "{web:origin}",
    "image: ghcr.io/owner/worker": "image: {registry}/o/worker",
    "version-path: /api/version": "version-path: /api/dev/status",
    "status=ok, checks.db": "ok=true, rag.db",
    'body contains "id=root"': "body contains Welcome",
    "GET /api/status 200": "GET /api/dev/status 200",
    "!POST /api/echo": "!POST /api/cache/purge",
    "status: [200, 201]": "status: [202]",
    "expect: [a=1]": "expect: [ok=true]",
    "stable-for: 10s": "stable-for: 2s",
}
"""The changes that adapt the example to the sandbox's services: each host has its own registry."""
PUSHED = {"ref": "refs/heads/main", "deleted": False, "after": V2.git_sha}


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    """A pool of processes in which services run."""
    with ProcessPool() as one:
        yield one


def run(act: Act, world: World) -> Ended:
    """Run the example with its config file, in a repository with this world's secrets."""
    text = (ROOT / "examples" / CONFIG).read_text(encoding="utf-8")
    for example, own in OWN.items():
        assert text.count(example) == 1, example
        text = text.replace(example, world.fill(own))
    act.add_file(".github/redeploy.yml", text)
    hosts = {"EU": world, "US": world.others["us"]}
    urls = {f"{name}_WATCHTOWER_UPDATE_URL": host.update_url for name, host in hosts.items()}
    tokens = {f"{name}_WATCHTOWER_HTTP_API_TOKEN": host.token for name, host in hosts.items()}
    ended = act.run(WORKFLOW, event="push", payload=PUSHED, secrets=urls | tokens)
    for secret in tokens.values():
        assert not leaked(ended.log, secret)
    return ended


def test_all_services_are_proven_and_a_later_step_reads_each_result(act: Act, pool: ProcessPool) -> None:
    with World(pool, SCENE) as world:
        ended = run(act, world)
        assert ended.exit_code == 0, ended.log
        [services] = map(json.loads, ended.outputs("services"))
        assert {key: each["verdict"] for key, each in services.items()} == dict.fromkeys(
            ("eu/api", "eu/web", "eu/worker", "us/api"), "deployed"
        )
        assert services["eu/worker"]["proof"] == "change"
        assert ended.lines[-1] == f"us/api is deployed, and {V2.git_sha} is live"
        assert world.host.service.answers_with() == world.others["us"].host.service.answers_with() == "v2"


def test_a_host_of_the_last_wave_that_stays_old_is_red(act: Act, pool: ProcessPool) -> None:
    us = replace(SCENE.others["us"], pushed=None)
    with World(pool, replace(SCENE, others={"us": us})) as world:
        ended = run(act, world)
        assert ended.exit_code == 1, ended.log
        assert (ended.outputs("verdict"), ended.outputs("reason")) == (["stale"], ["old-build"])
        assert ended.lines[-1].startswith("us/api is stale, and ")
        assert world.host.service.answers_with() == "v2"
        assert world.others["us"].host.service.answers_with() == "v1"
