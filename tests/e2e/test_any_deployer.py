"""The examples with other deployers, run by a third-party workflow engine, against stand-ins of the deployers."""

import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import docker
import pytest

from sandbox.runner.masks import leaked
from sandbox.server.builds import V2
from sandbox.server.deployers import PRODUCTS, TOKEN
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import Scene, World
from tests.deploy_files import ROOT
from tests.deployers import PROGRAMS, SECRETS, variables
from tests.e2e.parts import act as engine
from tests.e2e.parts.act import Act, Ended
from tests.e2e.parts.registry import CHECKOUT

JOB_IMAGE = f"redeploy-job:{CHECKOUT}"
SIDE_BY_SIDE = 4
"""Products that are run concurrently: each run mostly waits."""
PUSHED = {"ref": "refs/heads/main", "deleted": False, "after": V2.git_sha}


@dataclass(frozen=True)
class Played:
    """Both runs of an example: in the first, its deployer does nothing; in the second, it works."""

    red: Ended
    left: str | None
    """The build that responds after the first run."""
    green: Ended
    live: str | None
    """The build that responds after the second run."""
    asked: int
    """Requests to the deployer in both runs."""


@pytest.fixture(scope="module")
def job_image() -> Iterator[str]:
    """An image for jobs, with what a runner has: curl, which is in nginx's image, and the deployers' programs."""
    context = io.BytesIO()
    files = {"Dockerfile": "FROM nginx:1.28\nCOPY programs /usr/local/bin\n"}
    files |= {f"programs/{name}": text for name, text in PROGRAMS.items()}
    with tarfile.open(fileobj=context, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    context.seek(0)
    client = docker.from_env(timeout=120)
    client.images.build(fileobj=context, custom_context=True, tag=JOB_IMAGE, rm=True)
    yield JOB_IMAGE
    client.images.remove(JOB_IMAGE, force=True)
    client.close()


@pytest.fixture(scope="module")
def played(job_image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """The runs of every example."""
    act = engine.standing(tmp_path_factory, job_image)

    def play(product: str) -> Played:
        with ProcessPool() as pool, World(pool, Scene(deployer=product, deployer_works=False)) as world:
            return _both_ways(act, product, world)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as side_by_side:
        return dict(zip(PRODUCTS, side_by_side.map(play, PRODUCTS), strict=True))


def _both_ways(act: Act, product: str, world: World) -> Played:
    assert world.deployer is not None
    text = (ROOT / "examples" / f"after-{product}.yml").read_text(encoding="utf-8")
    shipped, impatient = f"{product}.yml", f"{product}-impatient.yml"
    assert text.count("timeout: 10m\n") == 1
    act.add(shipped, text)
    act.add(impatient, text.replace("timeout: 10m\n", "timeout: 6s\n"))
    origin = f"DEPLOYER={world.deployer.origin}"

    def run(workflow: str) -> Ended:
        return act.run(
            workflow,
            event="push" if "\n  push:\n" in text else "workflow_dispatch",
            payload=PUSHED,
            secrets=SECRETS,
            variables=variables(world),
            flags=("--env", origin),
        )

    red, left = run(impatient), world.host.service.answers_with()
    world.deployer.works = True
    green, live = run(shipped), world.host.service.answers_with()
    return Played(red, left, green, live, len(world.deployer.seen))


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_example_is_green_on_a_new_build(product: str, played: dict[str, Played]) -> None:
    one = played[product]
    assert one.green.exit_code == 0, one.green.log
    assert one.green.outputs("verdict") == ["verified", "verified"]
    assert one.green.outputs("version")[-1] == V2.git_sha
    assert one.green.outputs("proof")[-1] in ("version", "change")
    assert one.live == "v2"
    assert one.asked == 2
    assert not leaked(one.green.log, TOKEN)


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_example_is_red_on_the_old_build_although_its_deployer_reports_success(
    product: str, played: dict[str, Played]
) -> None:
    one = played[product]
    assert one.red.exit_code == 1, one.red.log
    ended = one.red.outputs("verdict")[-1], one.red.outputs("reason")[-1]
    assert ended in (("stale", "old-build"), ("unproven", "no-change"))
    assert one.left == "v1"
    assert len(one.red.annotations("error")) == 1
    assert not leaked(one.red.log, TOKEN)
