"""The action without a GitHub runner with Docker: as plain steps, on Gitea, on Forgejo, and by `docker run`."""

import re
import subprocess

import pytest

from sandbox.runner.masks import leaked
from sandbox.server.builds import V1, V2
from tests.deploy_files import ROOT
from tests.e2e.parts.act import ON_THIS_MACHINE, Act
from tests.e2e.parts.images import ACTION
from tests.e2e.parts.stack import Stack
from tests.e2e.parts.workflows import EXAMPLES, assert_no_secret, secrets

PUBLISHED = "ghcr.io/leok974/redeploy-action:1"
NEVER_BUILT = "0" * 40

SLIM = f"""
name: Without Docker
on: workflow_dispatch
permissions: {{}}
jobs:
  redeploy:
    runs-on: self-hosted
    steps:
      - id: green
        uses: leok974/redeploy-action/slim@v1
        with:
          watchtower-url: ${{{{ secrets.WATCHTOWER_UPDATE_URL }}}}
          watchtower-token: ${{{{ secrets.WATCHTOWER_HTTP_API_TOKEN }}}}
          version-path: /api/dev/status
          expect-version: {V2.git_sha}
          stable-for: 1s
      - id: red
        uses: leok974/redeploy-action/slim@v1
        continue-on-error: true
        with:
          mode: verify
          base-url: ${{{{ steps.green.outputs.url }}}}
          version-path: /api/dev/status
          expect-version: "{NEVER_BUILT}"
      - run: echo "$GREEN, $RED"
        env:
          GREEN: ${{{{ steps.green.outputs.verdict }}}} by ${{{{ steps.green.outputs.proof }}}}
          RED: ${{{{ steps.red.outcome }}}} with ${{{{ steps.red.outputs.verdict }}}}
"""


def add_example(act: Act, name: str) -> None:
    """Add an example, with the image of this checkout instead of the published one."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert text.count(PUBLISHED) == 1
    act.add(name, text.replace(PUBLISHED, ACTION))


def command_of_the_page(replaced: dict[str, str]) -> list[str]:
    """The `docker run` command of docs/runners.md, with some parts replaced."""
    page = (ROOT / "docs" / "runners.md").read_text(encoding="utf-8")
    [written] = re.findall(r"```sh\n(docker run .*?)```", page, re.DOTALL)
    for shown, own in replaced.items():
        assert written.count(shown) == 1
        written = written.replace(shown, own)
    return ["bash", "-c", written]


def test_the_steps_run_without_docker_and_can_be_green_or_red(act: Act, server: Stack) -> None:
    after = server.push(V2)
    act.add("slim.yml", SLIM)
    ended = act.run("slim.yml", secrets=secrets(server), flags=("--platform", ON_THIS_MACHINE))
    assert ended.exit_code == 0, ended.log
    assert server.runs(after)
    assert ended.lines[-1] == "deployed by version, failure with wrong-build"
    [error] = ended.annotations("error")
    assert error.startswith("title=wrong-build")
    assert ended.log.count("packages of") == 1, "the second step uses what the first has installed"
    assert_no_secret(ended, server)


def test_gitea_runs_the_published_image(act: Act, server: Stack) -> None:
    add_example(act, "gitea.yml")
    ended = act.run("gitea.yml", secrets=secrets(server))
    assert ended.exit_code == 1, ended.log
    assert ended.outputs("verdict") == ["stale"], "act runs it for a commit that was never built"
    assert ended.lines[-1].startswith("stale ")
    assert_no_secret(ended, server)


def test_forgejo_runs_the_published_image(act: Act, server: Stack) -> None:
    after = server.push(V2)
    add_example(act, "forgejo.yml")
    ended = act.run("forgejo.yml", secrets=secrets(server), flags=("--platform", "docker=python:3.12-slim"))
    assert ended.exit_code == 0, ended.log
    assert server.runs(after)
    assert (ended.outputs("verdict"), ended.outputs("proof")) == (["deployed"], ["change"])
    assert_no_secret(ended, server)


@pytest.mark.parametrize(
    ("expected", "code", "verdict"), [(V1.git_sha, 0, "verified"), (NEVER_BUILT, 1, "wrong-build")]
)
def test_a_person_runs_the_image_and_gets_a_plain_log(server: Stack, expected: str, code: int, verdict: str) -> None:
    command = command_of_the_page(
        {
            "https://api.example.com": server.origin,
            "=/api/status": "=/api/dev/status",
            '"$(git rev-parse HEAD)"': expected,
            PUBLISHED: ACTION,
            "--rm": "--rm --network=host -e INPUT_STABLE-FOR=1s -e INPUT_SERVICE-HEADERS=X-Key:a-key-that-no-one-may-see",
        }
    )
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (code, ""), ran.stdout
    assert f"{verdict}: " in ran.stdout
    assert "::" not in ran.stdout
    assert not leaked(ran.stdout, "a-key-that-no-one-may-see")
