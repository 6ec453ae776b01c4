"""The shipped workflow and the examples, run by a workflow engine that is not ours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.builds import V1, V2
from sandbox.masks import leaked
from sandbox.nursery import Nursery
from sandbox.worlds import Scene, World
from tests.e2e import act as engine
from tests.e2e.act import Act, Ended

pytestmark = pytest.mark.skipif(
    not engine.obtainable(), reason="neither act nor Go is installed, so the workflows were not run"
)

ROOT = Path(__file__).resolve().parents[2]
REDEPLOY = ROOT / ".github" / "workflows" / "redeploy-backend.yml"
EXAMPLES = ROOT / "examples"
PUBLISHED = "ghcr.io/leok974/leo-portfolio/backend"
NEVER_BUILT = "0" * 40

CALLER = """
name: Publish
on: workflow_dispatch
permissions: {}
jobs:
  redeploy:
    uses: ./.github/workflows/redeploy-backend.yml
    with:
      version: VERSION
      image: IMAGE
    secrets:
      WATCHTOWER_UPDATE_URL: ${{ secrets.WATCHTOWER_UPDATE_URL }}
      WATCHTOWER_HTTP_API_TOKEN: ${{ secrets.WATCHTOWER_HTTP_API_TOKEN }}
  after:
    needs: redeploy
    runs-on: ubuntu-latest
    steps:
      - run: echo "after it, ${{ needs.redeploy.outputs.verdict }} ${{ needs.redeploy.outputs.version }}"
"""

A_TOKEN_THAT_IS_NO_SECRET = """
name: Token from elsewhere
on: workflow_dispatch
permissions: {}
jobs:
  redeploy:
    runs-on: ubuntu-latest
    steps:
      - uses: leok974/redeploy-action@v1
        continue-on-error: true
        with:
          watchtower-url: ${{ secrets.WATCHTOWER_UPDATE_URL }}
          watchtower-token: ${{ vars.TOKEN }}
      - run: echo "the token is ${{ vars.TOKEN }}"
"""

STAND_IN = """
name: Stands in for an action of others
description: Says which digest was pushed
outputs:
  digest:
    description: The digest
    value: DIGEST
runs:
  using: composite
  steps:
    - run: "true"
      shell: bash
"""


@dataclass(frozen=True)
class Production:
    """What the workflows redeploy."""

    world: World

    @property
    def secrets(self) -> dict[str, str]:
        """What the repository keeps for the workflow."""
        return {"WATCHTOWER_UPDATE_URL": self.world.update_url, "WATCHTOWER_HTTP_API_TOKEN": self.world.token}

    @property
    def origin(self) -> str:
        """Where the service answers."""
        return self.world.front.origin

    @property
    def repository(self) -> str:
        """The image without its tag."""
        return self.world.host.service.repository

    def publish(self):
        """Pushes another build than the one that runs."""
        build = V1 if self.world.host.service.build == V2 else V2
        self.world.host.push(build)
        return build


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Act]:
    """A workflow engine whose repository has the shipped workflows, as they are."""
    folder = tmp_path_factory.mktemp("act")
    running = Act(engine.program(folder), folder, "python:3.12-slim")
    for path in (REDEPLOY, *EXAMPLES.glob("*.yml")):
        running.add(path.name, path.read_text(encoding="utf-8"))
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def production() -> Iterator[Production]:
    with Nursery() as nursery, World(nursery, Scene(pushed=None, details=True)) as world:
        yield Production(world)


def test_the_workflow_is_green_on_a_new_build(act: Act, production: Production) -> None:
    build = production.publish()
    inputs = {"version": build.git_sha, "image": production.repository}
    ended = act.run(REDEPLOY.name, inputs=inputs, secrets=production.secrets)
    assert ended.exit_code == 0, ended.log
    assert ended.summaries == ["✅ deployed: The new build is live"]
    assert ended.outputs("version") == [build.git_sha]
    assert ended.annotations("error") == []
    _tells_no_secret(ended, production)


def test_the_workflow_is_red_on_an_old_build_and_says_why(act: Act, production: Production) -> None:
    inputs = {"version": NEVER_BUILT, "image": production.repository}
    ended = act.run(REDEPLOY.name, inputs=inputs, secrets=production.secrets)
    assert ended.exit_code == 1, ended.log
    assert (ended.outputs("verdict"), ended.outputs("reason")) == (["stale"], ["old-build"])
    [error] = ended.annotations("error")
    assert error.startswith("title=stale")
    assert NEVER_BUILT in error
    [summary] = ended.summaries
    assert summary.startswith("❌ stale")
    _tells_no_secret(ended, production)


def test_a_workflow_that_calls_it_reads_its_outputs(act: Act, production: Production) -> None:
    build = production.publish()
    act.add("caller.yml", CALLER.replace("VERSION", build.git_sha).replace("IMAGE", production.repository))
    ended = act.run("caller.yml", secrets=production.secrets)
    assert ended.exit_code == 0, ended.log
    assert f"after it, deployed {build.git_sha}" in ended.said
    _tells_no_secret(ended, production)


def test_the_minimal_example_proves_a_change_and_a_later_step_says_so(act: Act, production: Production) -> None:
    production.publish()
    ended = act.run("minimal.yml", secrets=production.secrets)
    assert ended.exit_code == 0, ended.log
    assert ended.said[-1].startswith("deployed by change")
    _tells_no_secret(ended, production)


def test_a_later_step_reads_the_outputs_of_a_failure_too(act: Act, production: Production) -> None:
    secrets = {**production.secrets, "WATCHTOWER_HTTP_API_TOKEN": "not-the-token-of-this-server"}
    ended = act.run("minimal.yml", secrets=secrets)
    assert ended.exit_code == 1, ended.log
    assert ended.said[-1].startswith("trigger-failed (auth) by none")
    assert not leaked(ended.log, "not-the-token-of-this-server")


def test_behind_an_access_wall_the_headers_stay_secret(act: Act, production: Production) -> None:
    production.publish()
    access = {"CF_ACCESS_CLIENT_ID": "f1e2d3c4b5a69788.access", "CF_ACCESS_CLIENT_SECRET": "b7c8d9e0f1a2b3c4d5e6"}
    ended = act.run("cloudflare-access.yml", secrets={**production.secrets, **access})
    assert ended.exit_code == 0, ended.log
    assert ended.outputs("verdict") == ["deployed"]
    _tells_no_secret(ended, production, *access.values())


def test_a_digest_goes_from_the_job_that_pushed_to_the_job_that_proves(
    act: Act, production: Production, tmp_path: Path
) -> None:
    text = (EXAMPLES / "digest.yml").read_text(encoding="utf-8")
    assert f"image: {PUBLISHED}\n" in text
    act.add("digest.yml", text.replace(f"image: {PUBLISHED}\n", f"image: {production.repository}\n"))
    build = production.publish()
    (tmp_path / "action.yml").write_text(STAND_IN.replace("DIGEST", build.digest), encoding="utf-8")
    of_others = dict.fromkeys(re.findall(r"docker/[a-z-]+@[0-9a-f]{40}", text), tmp_path)
    ended = act.run("digest.yml", event="push", secrets=production.secrets, actions=of_others)
    assert ended.exit_code == 0, ended.log
    assert (ended.outputs("verdict"), ended.outputs("proof")) == (["deployed"], ["digest"])
    assert ended.outputs("digest")[-1] == build.digest
    _tells_no_secret(ended, production)


def test_hosts_are_redeployed_one_after_the_other(act: Act, production: Production) -> None:
    build = production.publish()
    ended = act.run("matrix.yml", inputs={"version": build.git_sha}, secrets=production.secrets)
    assert ended.exit_code == 0, ended.log
    # Both names lead to one host here, so the second finds what the first has brought.
    assert ended.outputs("verdict") == ["deployed", "already-current"]
    assert ended.log.index("staging") < ended.log.index("production")
    _tells_no_secret(ended, production)


@pytest.mark.parametrize(("version", "code", "verdict"), [("", 0, "verified"), (NEVER_BUILT, 1, "wrong-build")])
def test_the_nightly_look_needs_no_secret(
    version: str, code: int, verdict: str, act: Act, production: Production
) -> None:
    variables = {"SERVICE_URL": production.origin, **({"LIVE_VERSION": version} if version else {})}
    ended = act.run("verify-nightly.yml", event="schedule", variables=variables)
    assert ended.exit_code == code, ended.log
    assert ended.outputs("verdict") == [verdict]
    assert bool(ended.annotations("error")) == bool(code)


def test_what_only_the_action_knows_to_be_secret_is_masked_for_later_steps(act: Act, production: Production) -> None:
    act.add("elsewhere.yml", A_TOKEN_THAT_IS_NO_SECRET)
    update = {"WATCHTOWER_UPDATE_URL": production.secrets["WATCHTOWER_UPDATE_URL"]}
    ended = act.run("elsewhere.yml", secrets=update, variables={"TOKEN": "a-token-out-of-a-vault"})
    assert ended.exit_code == 0, ended.log
    assert ended.said[-1] == "the token is ***"
    assert not leaked(ended.log, "a-token-out-of-a-vault")


def test_where_nothing_is_masked_the_token_is_not_said_all_the_same(act: Act, production: Production) -> None:
    production.publish()
    ended = act.run("minimal.yml", secrets=production.secrets, flags=("--insecure-secrets",))
    assert ended.exit_code == 0, ended.log
    assert not leaked(ended.log, production.secrets["WATCHTOWER_HTTP_API_TOKEN"])


def _tells_no_secret(ended: Ended, production: Production, *others: str) -> None:
    """The token and others in no form; the URL not as a whole, for its origin may be told."""
    update = production.secrets["WATCHTOWER_UPDATE_URL"]
    assert update not in ended.log
    for secret in (production.secrets["WATCHTOWER_HTTP_API_TOKEN"], *others):
        assert not leaked(ended.log, secret)
