"""The shipped workflow and the examples, run by a third-party workflow engine, against the stack."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.network.commits import Commit, History, line
from sandbox.network.github import GitHub
from sandbox.runner.masks import leaked
from sandbox.server.builds import V1, V2
from sandbox.server.deployers import PRODUCTS
from tests.deploy_files import ROOT
from tests.e2e.parts.act import ON_THIS_MACHINE, Act, Ended
from tests.e2e.parts.stack import LINE, Stack
from tests.e2e.parts.workflows import EXAMPLES, REDEPLOY, assert_no_secret, secrets

NIGHTLY = ROOT / ".github" / "workflows" / "deploy-secrets-nightly.yml"
NEVER_BUILT = "0" * 40
FOREIGN_TOKEN = "a-token-of-another-server"

CALLER = """
name: Publish
on: workflow_dispatch
permissions: {}
jobs:
  redeploy:
    uses: ./.github/workflows/redeploy-backend.yml
    with:
      version: VERSION
      image: "IMAGE"
    secrets:
      WATCHTOWER_UPDATE_URL: ${{ secrets.WATCHTOWER_UPDATE_URL }}
      WATCHTOWER_HTTP_API_TOKEN: ${{ secrets.WATCHTOWER_HTTP_API_TOKEN }}
  after:
    needs: redeploy
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ needs.redeploy.outputs.verdict }} ${{ needs.redeploy.outputs.version }}"
"""

TOKEN_THAT_IS_NO_SECRET = """
name: Token out of a vault
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

PUSHED_ALREADY = """
name: Stands for an action of others
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

CHECKS_OUT = f"""
name: Stands for an action of others
description: Puts this project where it is asked for
inputs:
  path:
    description: The folder
runs:
  using: composite
  steps:
    - run: mkdir "${{{{ inputs.path }}}}" && cp -r {ROOT}/redeploy "${{{{ inputs.path }}}}"
      shell: bash
"""


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A GitHub server that the workflow's jobs reach, since they use the host's network."""
    one = GitHub()
    one.listen()
    yield one
    one.close()


def test_the_workflow_is_green_on_a_new_build(act: Act, server: Stack) -> None:
    after = server.push(V2)
    ended = act.run(REDEPLOY.name, inputs={"version": V2.git_sha, "image": image(server)}, secrets=secrets(server))
    assert ended.exit_code == 0, ended.log
    assert server.runs(after)
    assert ended.outputs("version") == [V2.git_sha]
    assert ended.summaries == ["✅ deployed: The new build is live"]
    assert ended.annotations("error") == []
    assert_no_secret(ended, server)


def test_the_workflow_is_red_on_an_old_build_and_says_why(act: Act, server: Stack) -> None:
    if LINE == "containrrr":  # it does not report that it found nothing, so this would take the whole time-out
        text = REDEPLOY.read_text(encoding="utf-8")
        assert "timeout: 10m\n" in text
        act.add("impatient.yml", text.replace("timeout: 10m\n", "timeout: 15s\n"))
    name = "impatient.yml" if LINE == "containrrr" else REDEPLOY.name
    ended = act.run(name, inputs={"version": NEVER_BUILT, "image": image(server)}, secrets=secrets(server))
    assert ended.exit_code == 1, ended.log
    assert (ended.outputs("verdict"), ended.outputs("reason")) == (["stale"], ["old-build"])
    [summary] = ended.summaries
    assert summary.startswith("❌ stale")
    [error] = ended.annotations("error")
    assert error.startswith("title=stale")
    assert NEVER_BUILT in error
    assert_no_secret(ended, server)


def test_a_calling_workflow_reads_the_outputs(act: Act, server: Stack) -> None:
    server.push(V2)
    act.add("caller.yml", CALLER.replace("VERSION", V2.git_sha).replace("IMAGE", image(server)))
    ended = act.run("caller.yml", secrets=secrets(server))
    assert ended.exit_code == 0, ended.log
    assert ended.lines[-1] == f"deployed {V2.git_sha}"
    assert_no_secret(ended, server)


def test_the_minimal_example_proves_a_change_and_a_later_step_reads_it(act: Act, server: Stack) -> None:
    after = server.push(V2)
    ended = act.run("minimal.yml", secrets=secrets(server))
    assert ended.exit_code == 0, ended.log
    assert server.runs(after)
    assert ended.lines[-1].startswith("deployed by change")
    assert_no_secret(ended, server)


def test_a_later_step_reads_the_failure(act: Act, server: Stack) -> None:
    ended = act.run("minimal.yml", secrets={**secrets(server), "WATCHTOWER_HTTP_API_TOKEN": FOREIGN_TOKEN})
    assert ended.exit_code == 1, ended.log
    assert ended.lines[-1].startswith("trigger-failed (auth) by none")
    assert not leaked(ended.log, FOREIGN_TOKEN)


def test_behind_cloudflare_access_no_secret_is_logged_even_without_masks(act: Act, server: Stack) -> None:
    server.push(V2)
    access = {"CF_ACCESS_CLIENT_ID": "f1e2d3c4b5a69788.access", "CF_ACCESS_CLIENT_SECRET": "b7c8d9e0f1a2b3c4d5e6"}
    ended = act.run("cloudflare-access.yml", secrets={**secrets(server), **access}, flags=("--insecure-secrets",))
    assert ended.exit_code == 0, ended.log
    assert ended.outputs("verdict") == ["deployed"]
    assert_no_secret(ended, server, *access.values())


def test_a_secret_that_only_the_action_knows_is_masked_in_later_steps(act: Act, server: Stack) -> None:
    act.add("vault.yml", TOKEN_THAT_IS_NO_SECRET)
    ended = act.run("vault.yml", secrets=secrets(server), variables={"TOKEN": FOREIGN_TOKEN})
    assert ended.exit_code == 0, ended.log
    assert ended.lines[-1] == "the token is ***"
    assert not leaked(ended.log, FOREIGN_TOKEN)


@pytest.mark.skipif(LINE == "containrrr", reason="containrrr/watchtower reports no digests")
def test_a_digest_is_passed_from_the_job_that_pushes_to_the_job_that_proves(
    act: Act, server: Stack, tmp_path: Path
) -> None:
    text = add_with_own_image(act, "digest.yml", server)
    after = server.push(V2)
    (tmp_path / "action.yml").write_text(PUSHED_ALREADY.replace("DIGEST", after.digest), encoding="utf-8")
    of_others = dict.fromkeys(re.findall(r"docker/[a-z-]+@[0-9a-f]{40}", text), tmp_path)
    github = {"GITHUB_TOKEN": "ghs_for-an-anonymous-registry"}
    ended = act.run("digest.yml", event="push", secrets={**secrets(server), **github}, actions=of_others)
    assert ended.exit_code == 0, ended.log
    assert server.runs(after)
    assert (ended.outputs("verdict"), ended.outputs("proof")) == (["deployed"], ["digest"])
    assert_no_secret(ended, server, *github.values())


def test_hosts_are_redeployed_one_after_another(act: Act, server: Stack) -> None:
    server.push(V2)
    ended = act.run("matrix.yml", inputs={"version": V2.git_sha}, secrets=secrets(server))
    assert ended.exit_code == 0, ended.log
    # Both names lead to one host here, so the second finds the build that the first deployed.
    assert ended.outputs("verdict") == ["deployed", "already-current"]
    assert ended.log.index("staging") < ended.log.index("production")
    assert_no_secret(ended, server)


def test_the_nightly_job_applies_a_new_secret_and_changes_nothing_for_an_old_one(
    act: Act, server: Stack, tmp_path: Path
) -> None:
    text = NIGHTLY.read_text(encoding="utf-8")
    command = re.search(r"(?m)^ +-- (docker compose .*) up -d$", text)
    assert command
    ours = shlex.join(server.alias()).replace(" deploy/", f" {server.folder}/deploy/")
    for shipped, own in (
        (command[1], ours),
        ("/opt/portfolio", str(server.folder)),
        ("stable-for: 30s", "stable-for: 1s"),
    ):
        assert shipped in text
        text = text.replace(shipped, own)
    act.add("nightly.yml", text)
    server.set(WATCHTOWER_HTTP_API_TOKEN="")
    act.add_file("deploy/.env.production.example", server.settings.read_text())
    server.set(WATCHTOWER_HTTP_API_TOKEN=server.token)
    (tmp_path / "action.yml").write_text(CHECKS_OUT, encoding="utf-8")
    [checkout] = set(re.findall(r"actions/checkout@[0-9a-f]{40}", text))

    def night(token: str) -> Ended:
        ended = act.run(
            "nightly.yml",
            event="schedule",
            secrets={"WATCHTOWER_HTTP_API_TOKEN": token},
            variables={"SERVICE_URL": server.origin},
            actions={checkout: tmp_path},
            flags=("--platform", ON_THIS_MACHINE),
        )
        assert ended.exit_code == 0, ended.log
        assert not leaked(ended.log, token)
        return ended

    before = {name: server.container(name).id for name in ("backend", "nginx", "watchtower")}
    ended = night(server.token)
    assert (ended.outputs("changed"), ended.outputs("verdict")) == (["false"], [])
    assert {name: server.container(name).id for name in before} == before
    server.token = "a-new-token-of-a-decent-length"
    ended = night(server.token)
    assert (ended.outputs("changed"), ended.outputs("verdict")) == (["true"], ["verified"])
    assert [name for name in before if server.container(name).id != before[name]] == ["watchtower"]
    server.wait_for_watchtower()
    assert act.run("minimal.yml", secrets=secrets(server)).exit_code == 0


@pytest.mark.parametrize(("live", "code", "verdict"), [(V1.git_sha, 0, "verified"), (NEVER_BUILT, 1, "wrong-build")])
def test_the_nightly_verification_needs_no_secret(live: str, code: int, verdict: str, act: Act, server: Stack) -> None:
    variables = {"SERVICE_URL": server.origin, "LIVE_VERSION": live}
    ended = act.run("verify-nightly.yml", event="schedule", variables=variables)
    assert ended.exit_code == code, ended.log
    assert ended.outputs("verdict") == [verdict]
    assert len(ended.annotations("error")) == code


def test_production_behind_its_branch_opens_an_issue_and_the_missing_deploy_closes_it(
    act: Act, server: Stack, github: GitHub
) -> None:
    missing = Commit(V2.git_sha, "Offer the search as an endpoint", ago=7_200)
    commits = line(Commit(V1.git_sha, "Release", ago=90_000), missing)
    github.history = History(commits, {"main": V2.git_sha})

    def watch() -> Ended:
        flags = ("--env", f"GITHUB_API_URL={github.api_url}", "--env", "GITHUB_SERVER_URL=https://github.example")
        job, place = {"GITHUB_TOKEN": "ghs_of-a-job"}, {"SERVICE_URL": server.origin}
        ended = act.run("watch-production.yml", event="schedule", secrets=job, variables=place, flags=flags)
        assert not leaked(ended.log, "ghs_of-a-job")
        return ended

    ended = watch()
    assert ended.exit_code == 1, ended.log
    assert (ended.outputs("verdict"), ended.outputs("reason")) == (["stale"], ["behind"])
    [issue] = github.issues.documents
    assert (issue["state"], issue["title"]) == ("open", "Production is not what main is")
    assert "1 commit and 2 h behind" in issue["body"]
    server.serve(V2)
    ended = watch()
    assert ended.exit_code == 0, ended.log
    assert ended.outputs("verdict") == ["verified"]
    assert issue["state"] == "closed"


def test_doctor_reports_the_server_as_ready_and_changes_nothing(act: Act, server: Stack) -> None:
    add_with_own_image(act, "doctor.yml", server)
    server.push(V2)
    runs = server.container().id
    ended = act.run("doctor.yml", secrets=secrets(server))
    assert ended.exit_code == 0, ended.log
    assert ended.outputs("verdict") == ["ready"]
    assert server.container().id == runs
    assert_no_secret(ended, server)


@pytest.mark.skipif(LINE == "containrrr", reason="containrrr/watchtower finds no image of a registry that has a port")
def test_the_rollback_workflow_puts_an_earlier_image_back(act: Act, server: Stack) -> None:
    add_with_own_image(act, "rollback.yml", server)
    before = server.registry.manifest(server.image)
    server.serve(V2)
    github = {"GITHUB_TOKEN": "ghs_for-an-anonymous-registry"}
    ended = act.run("rollback.yml", inputs={"to": before.digest}, secrets={**secrets(server), **github})
    assert ended.exit_code == 0, ended.log
    assert (ended.outputs("verdict"), ended.outputs("version")) == (["deployed"], [V1.git_sha])
    assert server.registry.manifest(server.image) == before
    runs = server.client.images.get(server.container().attrs["Image"])
    assert any(name.endswith(f"@{before.digest}") for name in runs.attrs["RepoDigests"])
    assert_no_secret(ended, server, *github.values())


def test_no_example_is_left_out() -> None:
    here = Path(__file__).parent
    texts = "".join(path.read_text(encoding="utf-8") for path in here.glob("test_*.py"))
    around_deployers = {f"after-{product}.yml" for product in PRODUCTS}  # test_any_deployer.py
    names = {path.name for path in EXAMPLES.glob("*.yml")} - around_deployers
    assert [name for name in sorted(names) if f'"{name}"' not in texts] == []


def image(server: Stack) -> str:
    """The image that limits the update; containrrr/watchtower finds no image of a registry that has a port."""
    return "" if LINE == "containrrr" else server.image


def add_with_own_image(act: Act, name: str, server: Stack) -> str:
    """Add an example, with the stack's image instead of the published one."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    text, count = re.subn(r"image: ghcr\.io/\S+\n", f"image: {image(server)}\n", text)
    assert count == 1
    act.add(name, text)
    return text
