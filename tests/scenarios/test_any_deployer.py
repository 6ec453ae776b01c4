"""The examples around other deployers, run step by step against stand-ins of these."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Runner
from sandbox.server.builds import V1, V2
from sandbox.server.deployers import PRODUCTS
from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import Scene, World
from tests.deployers import PROGRAMS, SECRETS, variables
from tests.workflow import Ended, Workflow

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLES = PROJECT / "examples"
LOOK, PROVE = "Look at what runs", "Prove the new build"


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    with ProcessPool() as one:
        yield one


def play(product: str, world: World, folder: Path, hurry: dict[str, str]) -> Ended:
    assert world.deployer is not None
    programs = folder / "programs"
    programs.mkdir()
    for name, text in PROGRAMS.items():
        program = programs / name
        program.write_text(text)
        program.chmod(0o755)
    contexts = {
        "github.sha": V2.git_sha,
        **{f"secrets.{name}": value for name, value in SECRETS.items()},
        **{f"vars.{name}": value for name, value in variables(world).items()},
    }
    runner = Runner(PROJECT, FromCheckout(Path(sys.executable)), patience=45)
    text = (EXAMPLES / f"after-{product}.yml").read_text(encoding="utf-8")
    quick = {"stable-for": "1s", "request-timeout": "2s"}
    return Workflow(text, contexts).play(
        runner, folder, programs, quick | hurry, environment={"DEPLOYER": world.deployer.origin}
    )


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_example_proves_the_deploy_of_another_deployer(product: str, pool: ProcessPool, tmp_path: Path) -> None:
    with World(pool, Scene(deployer=product)) as world:
        ended = play(product, world, tmp_path, {})
        assert world.deployer is not None
        assert [one.path for one in world.deployer.seen] == [one.path for one in world.deployer.seen[:1]]
        assert {name: ran.returncode for name, ran in ended.commands.items()} == dict.fromkeys(ended.commands, 0)
        proven = ended.runs[PROVE]
        assert (proven.exit_code, proven.outputs["verdict"]) == (0, "verified"), proven.log
        assert proven.outputs["proof"] in ("version", "change")
        assert (proven.outputs["previous-version"], proven.outputs["version"]) == (V1.git_sha, V2.git_sha)
        assert world.host.service.answers_with() == "v2"
        assert all(run.problems == () for run in ended.runs.values())


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_example_is_red_where_the_deployer_reports_success_and_nothing_was_deployed(
    product: str, pool: ProcessPool, tmp_path: Path
) -> None:
    with World(pool, Scene(deployer=product, deployer_works=False)) as world:
        ended = play(product, world, tmp_path, {"timeout": "4s"})
        [ran] = ended.commands.values()
        assert ran.returncode == 0, ran.stderr
        proven = ended.runs[PROVE]
        assert proven.exit_code == 1
        assert (proven.outputs["verdict"], proven.outputs["reason"]) in (
            ("stale", "old-build"),
            ("unproven", "no-change"),
        )
        assert world.host.service.answers_with() == "v1"


def test_a_fix_can_be_deployed_to_a_service_that_is_down(pool: ProcessPool, tmp_path: Path) -> None:
    with World(pool, Scene(deployer="coolify")) as world:
        world.host.service.stop(0)
        ended = play("coolify", world, tmp_path, {"timeout": "8s"})
        assert ended.runs[LOOK].exit_code == 1
        assert (ended.runs[PROVE].exit_code, ended.runs[PROVE].outputs["proof"]) == (0, "version")


def test_every_stand_in_has_an_example_and_a_row_in_the_docs() -> None:
    page = (PROJECT / "docs" / "any-deployer.md").read_text(encoding="utf-8")
    examples = {path.name for path in EXAMPLES.glob("after-*.yml")}
    assert examples == {f"after-{product}.yml" for product in PRODUCTS}
    assert [name for name in examples if f"[{name}](../examples/{name}) |" not in page] == []
