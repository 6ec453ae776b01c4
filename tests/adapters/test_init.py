"""`python -m redeploy init`: nginx, Compose and zizmor accept what it writes, and existing files are kept."""

import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest
import requests
import yaml

from redeploy.setup.dotenv import settings
from tests.adapters.conftest import Serve
from tests.adapters.conftest import http as answer
from tests.adapters.deploy.test_compose import compose  # noqa: F401 - a fixture
from tests.deploy_files import ROOT
from tests.deploy_files import compose as filled_in
from tests.first_run import Newcomer
from tests.nginx import WITH_NGINX, complaints, lay, running

GIVEN = (
    "--domain",
    "api.example.com",
    "--image",
    "ghcr.io/example/app:stable",
    "--port",
    "9000",
    "--health-path",
    "/health",
    "--name",
    "shop",
)
SERVERS = list(product(("host", "compose"), ("tunnel", "nginx"), ("yes", "no")))
ENVIRONMENT = "deploy/.env.production"
WORKFLOW = ".github/workflows/redeploy-backend.yml"
DOCTOR = ".github/workflows/doctor.yml"


def flags(nginx: str = "host", tls: str = "tunnel", either: str = "no") -> tuple[str, ...]:
    """Flags for every question; `either` answers both Access and pages."""
    return (*GIVEN, "--nginx", nginx, "--tls", tls, "--access", either, "--pages", either)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path, flags())


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["/usr/bin/env", "git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def tried(*command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(command, env=kept | variables, capture_output=True, text=True, check=False, timeout=60)


class TestWhatItWrites:
    @WITH_NGINX
    @pytest.mark.parametrize("server", SERVERS, ids="-".join)
    def test_nginx_accepts_the_files(self, server: tuple[str, str, str], tmp_path: Path) -> None:
        newcomer = Newcomer(tmp_path / "repository", flags(*server))
        assert newcomer.init().returncode == 0
        lay(tmp_path / "nginx", newcomer.front, {})
        assert complaints(tmp_path / "nginx") == ""

    @pytest.mark.parametrize("server", SERVERS, ids="-".join)
    def test_compose_accepts_the_files_and_they_contain_the_answers(
        self,
        server: tuple[str, str, str],
        compose: tuple[str, ...],  # noqa: F811
        tmp_path: Path,
    ) -> None:
        newcomer = Newcomer(tmp_path, flags(*server))
        newcomer.init()
        ran = tried(*compose, *newcomer.compose(tmp_path, "config"))
        assert ran.returncode == 0, ran.stderr
        services = yaml.safe_load(ran.stdout)["services"]
        backend = services["backend"]
        assert backend["image"] == "ghcr.io/example/app:stable"
        assert "9000" in json.dumps(backend["ports"])
        assert "healthcheck" not in backend, "no program is known that this image certainly has"
        assert backend["container_name"] == "shop-backend"
        assert set(backend) & {"environment", "volumes"} == set()
        assert "nginx" in services or server[0] == "host"
        token = settings((tmp_path / ENVIRONMENT).read_text())["WATCHTOWER_HTTP_API_TOKEN"]
        assert services["watchtower"]["environment"]["WATCHTOWER_HTTP_API_TOKEN"] == token

    @pytest.mark.parametrize(
        "more",
        [
            (),
            ("--access", "yes", "--private", "yes", "--framework", "rails", "--version-field", "header:X-Version"),
            ("--environment", "none", "--private", "yes", "--image", "registry.example.com/o/app"),
            ("--environment", "live shop", "--version-path", "/version", "--framework", "nextjs"),
            ("--framework", "static", "--version-field", "meta:git-sha"),
        ],
        ids=["plain", "private", "repository's secrets", "pages", "files"],
    )
    def test_zizmor_and_githubs_schema_accept_the_workflows(self, more: tuple[str, ...], tmp_path: Path) -> None:
        assert Newcomer(tmp_path, (*flags(), *more)).init().returncode == 0
        workflows = [str(tmp_path / name) for name in (WORKFLOW, DOCTOR)]
        programs = Path(sys.executable).parent
        config = str(ROOT / ".github" / "zizmor.yml")
        audited = tried(str(programs / "zizmor"), "--offline", "--persona=pedantic", "--config", config, *workflows)
        assert audited.returncode == 0, audited.stdout + audited.stderr
        schema = "vendor.github-workflows"
        checked = tried(str(programs / "check-jsonschema"), "--builtin-schema", schema, *workflows)
        assert checked.returncode == 0, checked.stdout

    @pytest.mark.parametrize("server", SERVERS, ids="-".join)
    def test_no_name_of_the_kits_first_service_is_left(self, server: tuple[str, str, str], tmp_path: Path) -> None:
        newcomer = Newcomer(tmp_path / "repository", flags(*server))
        newcomer.init()
        written = contents(newcomer.repository)
        for path, text in (*written.items(), ("what it says", newcomer.output)):
            assert not re.search(r"portfolio|leoklemet|rag_|RAG_DB", f"{path}\n{text}"), path
        assert sum("shop" in path for path in written) >= 4

    def test_without_pages_nginx_passes_all_paths_to_the_service(self, newcomer: Newcomer) -> None:
        newcomer.init()
        snippet = contents(newcomer.repository)["deploy/nginx/shop/shop.conf"]
        assert re.search(r"(?s)location / \{[^}]*proxy_pass http://\$backend;\n\}\n\Z", snippet)
        assert "root " not in snippet

    def test_with_pages_nginx_passes_the_health_path_to_the_service(self, tmp_path: Path) -> None:
        Newcomer(tmp_path, flags(either="yes")).init()
        snippet = contents(tmp_path)["deploy/nginx/shop/shop.conf"]
        assert "location = /health {\n    proxy_pass http://$backend;\n}" in snippet
        assert "root /var/www/shop;" in snippet

    @pytest.mark.parametrize(
        ("framework", "program"),
        [("fastapi", "python3"), ("rails", "ruby"), ("nextjs", "node"), ("static", None), ("other", None)],
    )
    def test_the_containers_health_check_uses_a_program_of_its_framework(
        self, framework: str, program: str | None, tmp_path: Path
    ) -> None:
        newcomer = Newcomer(
            tmp_path, ("--domain", "a.example.com", "--image", "ghcr.io/o/app", "--framework", framework)
        )
        newcomer.init()
        variables = settings((tmp_path / ENVIRONMENT).read_text())
        backend = filled_in(tmp_path / "deploy" / "docker-compose.app-prod.yml", variables)["services"]["backend"]
        check = backend.get("healthcheck")
        assert (check["test"][:2] if check else None) == (["CMD", program] if program else None)
        inputs = newcomer.inputs(defaultdict(str))
        expected = {"rails": ("80", "/up"), "nextjs": ("3000", "/"), "static": ("80", "/")}.get(
            framework, ("8000", "/api/ready")
        )
        assert (variables["SERVICE_PORT"], inputs["health-path"]) == expected
        assert not check or f"127.0.0.1:{expected[0]}{expected[1]}" in check["test"][-1]
        is_page = framework in {"rails", "nextjs", "static"}
        assert (inputs.get("health-expect"), inputs.get("openapi-path")) == (
            ("any", "off") if is_page else (None, None)
        )

    @pytest.mark.parametrize("code", [200, 301, 403, 500, None])
    @pytest.mark.parametrize("framework", ["rails", "nextjs"])
    def test_the_health_check_accepts_every_response_but_a_server_error(
        self, framework: str, code: int | None, tmp_path: Path, serve: Serve
    ) -> None:
        port = str(serve(answer(f"{code} x", Location="/")).port) if code else "1"
        newcomer = Newcomer(tmp_path, (*flags(), "--framework", framework, "--port", port))
        newcomer.init()
        variables = settings((tmp_path / ENVIRONMENT).read_text())
        services = filled_in(tmp_path / "deploy" / "docker-compose.shop-prod.yml", variables)["services"]
        command = services["backend"]["healthcheck"]["test"][1:]
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        assert (tried(*command).returncode == 0) is (code is not None and code < 500)

    def test_a_private_image_is_looked_up_with_the_jobs_own_token_where_the_registry_accepts_it(
        self, tmp_path: Path
    ) -> None:
        newcomer = Newcomer(tmp_path, (*flags(), "--private", "yes"))
        newcomer.init()
        for name in (WORKFLOW, DOCTOR):
            text = (tmp_path / name).read_text()
            [job] = yaml.safe_load(text)["jobs"].values()
            assert job["permissions"] == {"packages": "read"}
            assert job["steps"][0]["with"]["registry-username"] == "${{ github.actor }}"
            assert job["steps"][0]["with"]["registry-password"] == "${{ github.token }}"
        assert "docker login ghcr.io" in newcomer.output

    def test_another_registry_gets_its_own_secrets(self, tmp_path: Path) -> None:
        newcomer = Newcomer(tmp_path, (*flags(), "--private", "yes", "--image", "registry.example.com/o/app"))
        newcomer.init()
        text = (tmp_path / WORKFLOW).read_text()
        assert "packages:" not in text
        assert "registry-password: ${{ secrets.REGISTRY_PASSWORD }}" in text
        assert "gh secret set REGISTRY_PASSWORD --env production" in newcomer.output

    def test_secrets_of_the_repository_need_no_environment(self, tmp_path: Path) -> None:
        newcomer = Newcomer(tmp_path, (*flags(), "--environment", "none"))
        newcomer.init()
        for name in (WORKFLOW, DOCTOR):
            [job] = yaml.safe_load((tmp_path / name).read_text())["jobs"].values()
            assert "environment" not in job
        assert "--env " not in newcomer.output
        assert "/environments/" not in newcomer.output

    @WITH_NGINX
    def test_only_requests_to_watchtower_are_limited_and_only_this_domain_is_served(
        self, newcomer: Newcomer, tmp_path_factory: pytest.TempPathFactory, serve: Serve
    ) -> None:
        newcomer.init()
        assert "server_name api.example.com;" in newcomer.front.read_text()
        assert "default_server" not in newcomer.front.read_text()
        folder = tmp_path_factory.mktemp("etc") / "nginx"
        ports = {"backend": serve(answer(body=b"service")).port, "watchtower": serve(answer(body=b"watchtower")).port}
        text = newcomer.front.read_text().replace("127.0.0.1:8001", f"127.0.0.1:{ports['backend']}")
        newcomer.front.write_text(text)
        lay(folder, newcomer.front, ports)
        with running(folder) as (port, _):
            url = f"http://127.0.0.1:{port}"
            assert {requests.get(f"{url}/api/any", timeout=10).status_code for _ in range(40)} == {200}
            statuses = [requests.post(f"{url}/ops/watchtower/update", timeout=10).status_code for _ in range(20)]
        assert statuses[:16] == [200] * 16
        assert set(statuses[17:]) == {429}

    def test_a_missing_gh_is_reported_with_instructions(self, newcomer: Newcomer) -> None:
        newcomer.init(path="/nowhere")
        assert "It is not\n   installed here: see https://cli.github.com" in newcomer.output

    def test_the_environment_file_is_private_and_ignored_by_git(self, newcomer: Newcomer) -> None:
        newcomer.init()
        assert (newcomer.repository / ENVIRONMENT).stat().st_mode & 0o777 == 0o600
        subprocess.run(["/usr/bin/env", "git", "init", "-q", str(newcomer.repository)], check=True, timeout=60)
        listed = tried("git", "-C", str(newcomer.repository), "status", "--porcelain", "-uall").stdout
        assert ".env.production.example" in listed
        assert ".env.production\n" not in listed

    def test_each_token_is_new_and_none_is_shown(self, tmp_path: Path) -> None:
        tokens = set()
        for name in ("one", "two"):
            ran = Newcomer(tmp_path / name, flags()).init()
            token = settings((tmp_path / name / ENVIRONMENT).read_text())["WATCHTOWER_HTTP_API_TOKEN"]
            assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
            assert token not in ran.stdout + ran.stderr
            tokens.add(token)
        assert len(tokens) == 2

    def test_the_template_is_the_environment_file_without_its_token(self, newcomer: Newcomer) -> None:
        newcomer.init()
        variables = {
            name: settings((newcomer.repository / name).read_text()) for name in (ENVIRONMENT, f"{ENVIRONMENT}.example")
        }
        assert variables[ENVIRONMENT] | {"WATCHTOWER_HTTP_API_TOKEN": ""} == variables[f"{ENVIRONMENT}.example"]


class TestGit:
    """The token is never written to a file that git tracks, whatever .gitignore says."""

    @staticmethod
    def repository(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q")
        return folder

    @staticmethod
    def tracked(file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("ALLOWED=https://a.example.com\n")
        git(file.parent, "add", "-f", file.name)

    @staticmethod
    def refused(newcomer: Newcomer, file: str = ENVIRONMENT) -> None:
        before = contents(newcomer.repository)
        ran = newcomer.init("--force")
        assert ran.returncode == 2
        assert f"git tracks {newcomer.repository / file}" in ran.stderr
        assert f"git -C {newcomer.repository} rm --cached {file}" in ran.stderr
        assert contents(newcomer.repository) == before

    def test_a_tracked_file_is_not_written(self, tmp_path: Path) -> None:
        repository = self.repository(tmp_path / "service")
        self.tracked(repository / ENVIRONMENT)
        self.refused(Newcomer(repository, flags()))

    def test_a_tracked_file_in_a_folder_of_a_repository_is_not_written(self, tmp_path: Path) -> None:
        self.repository(tmp_path / "all")
        self.tracked(tmp_path / "all" / "service" / ENVIRONMENT)
        self.refused(Newcomer(tmp_path / "all" / "service", flags()))

    def test_a_file_that_is_deleted_but_still_in_the_index_is_not_written(self, tmp_path: Path) -> None:
        repository = self.repository(tmp_path / "service")
        self.tracked(repository / ENVIRONMENT)
        shutil.rmtree(repository / "deploy")
        self.refused(Newcomer(repository, flags()))

    def test_a_tracked_target_of_a_link_is_not_written(self, tmp_path: Path) -> None:
        repository = self.repository(tmp_path / "service")
        self.tracked(repository / "settings.env")
        (repository / "deploy").mkdir()
        (repository / ENVIRONMENT).symlink_to("../settings.env")
        self.refused(Newcomer(repository, flags()), "settings.env")

    @pytest.mark.parametrize("committed", [True, False])
    def test_the_commands_of_the_message_work_when_pasted(self, *, committed: bool, tmp_path: Path) -> None:
        repository = self.repository(tmp_path / "my service")
        self.tracked(repository / ENVIRONMENT)
        if committed:
            git(repository, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x")
        newcomer = Newcomer(repository, flags())
        for line in re.findall(r"(?m)^  (git .*)$", newcomer.init("--force").stderr):
            assert tried("/bin/sh", "-ec", line).returncode == 0
        assert newcomer.init("--force").returncode == 0
        git(repository, "add", "deploy", ".github")
        assert "deploy/.env.production\n" not in git(repository, "ls-files")
        assert settings((repository / ENVIRONMENT).read_text())["ALLOWED"] == "https://a.example.com"

    def test_no_token_is_written_when_git_fails(self, tmp_path: Path) -> None:
        (tmp_path / ".git").write_text("gitdir: /nowhere\n")
        newcomer = Newcomer(tmp_path, flags())
        ran = newcomer.init()
        assert ran.returncode == 2
        assert ", so no token was written into it. git said: fatal: not a git repository" in ran.stderr
        assert not (tmp_path / "deploy").exists()


class TestSecondRun:
    def test_the_same_answers_change_nothing(self, newcomer: Newcomer) -> None:
        newcomer.init()
        before = contents(newcomer.repository)
        again = newcomer.init()
        assert again.returncode == 0
        assert {line.split()[0] for line in again.stdout.split("\n\n")[0].splitlines()} == {"unchanged"}
        assert contents(newcomer.repository) == before

    def test_a_changed_answer_overwrites_nothing_and_shows_the_difference(self, newcomer: Newcomer) -> None:
        newcomer.init()
        before = contents(newcomer.repository)
        refused = newcomer.init("--port", "9001")
        assert refused.returncode == 1
        assert "-SERVICE_PORT=9000\n+SERVICE_PORT=9001\n" in refused.stdout
        assert "2 files exist and are different, so nothing was written." in refused.stderr
        assert contents(newcomer.repository) == before

    def test_nothing_is_written_when_one_file_differs(self, newcomer: Newcomer) -> None:
        (newcomer.repository / ".github" / "workflows").mkdir(parents=True)
        (newcomer.repository / WORKFLOW).write_text("name: mine\n")
        assert newcomer.init().returncode == 1
        assert contents(newcomer.repository) == {WORKFLOW: "name: mine\n"}

    def test_an_existing_gitignore_is_kept_and_made_to_ignore_the_environment_file(self, newcomer: Newcomer) -> None:
        ignored = newcomer.repository / "deploy" / ".gitignore"
        ignored.parent.mkdir()
        ignored.write_text("*.sqlite\n!/.env.production")
        assert newcomer.init().returncode == 1
        assert newcomer.init("--force").returncode == 0
        assert ignored.read_text() == "*.sqlite\n!/.env.production\n/.env.production*\n!/.env.production.example\n"
        git(newcomer.repository, "init", "-q")
        assert tried("git", "-C", str(newcomer.repository), "check-ignore", "-q", ENVIRONMENT).returncode == 0
        assert newcomer.init().returncode == 0

    def test_force_applies_the_answers_and_keeps_the_token_and_all_other_variables(self, newcomer: Newcomer) -> None:
        newcomer.init()
        file = newcomer.repository / ENVIRONMENT
        with file.open("a") as opened:
            opened.write("# mine\nSMTP_PASSWORD='hunter2\n# hunter3'\n")
        before = settings(file.read_text())
        forced = newcomer.init("--port", "9001", "--force")
        assert forced.returncode == 0
        assert settings(file.read_text()) == before | {"SERVICE_PORT": "9001"}
        assert "# mine\n" in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600

    def test_a_difference_shows_no_secret_and_no_terminal_sequence(self, newcomer: Newcomer) -> None:
        newcomer.init()
        file = newcomer.repository / ENVIRONMENT
        file.write_text(
            "SERVICE_PORT=1\n"
            + file.read_text().replace("BACKEND_IMAGE=", "export PASSWORD=hunter2\n#OLD=hunter2\nBACKEND_IMAGE=x")
        )
        (newcomer.repository / WORKFLOW).write_text("name: \x1b[31mred\n")
        refused = newcomer.init()
        assert refused.returncode == 1
        token = settings(file.read_text())["WATCHTOWER_HTTP_API_TOKEN"]
        assert not any(each in refused.stdout + refused.stderr for each in ("hunter2", token, "\x1b"))

    def test_an_environment_that_others_may_read_is_made_private(self, newcomer: Newcomer) -> None:
        newcomer.init()
        (newcomer.repository / ENVIRONMENT).chmod(0o644)
        assert newcomer.init().returncode == 0
        assert (newcomer.repository / ENVIRONMENT).stat().st_mode & 0o777 == 0o600

    def test_a_removed_token_is_generated_again(self, newcomer: Newcomer) -> None:
        newcomer.init()
        file = newcomer.repository / ENVIRONMENT
        file.write_text(re.sub(r"(?m)^(WATCHTOWER_HTTP_API_TOKEN=).*", r"\1", file.read_text()))
        assert newcomer.init("--force").returncode == 0
        assert len(settings(file.read_text())["WATCHTOWER_HTTP_API_TOKEN"]) == 43


class TestAnswers:
    @pytest.mark.parametrize(
        ("flag", "value", "message"),
        [
            ("--domain", "https://api.example.com", "is not a host name"),
            ("--domain", "api.example.com; rm -rf /", "is not a host name"),
            ("--domain", "", "is missing"),
            ("--image", "Example/App", "is not an image reference"),
            ("--image", "app", "has no registry and no owner; write `ghcr.io/owner/app`"),
            ("--private", "perhaps", "must be `yes` or `no`"),
            ("--framework", "railz", "did you mean `rails`?"),
            ("--version-path", "version", "is not a path"),
            ("--version-field", "${{ secrets.A }}", "is not a field"),
            ("--name", "My Shop", "is not a name"),
            ("--name", "nginx", "is taken"),
            ("--environment", "a\nb", "is not the name of a GitHub environment"),
            ("--image", "ghcr.io/example/app@sha256:" + "1" * 64, "has a digest"),
            ("--port", "0", "is not a port"),
            ("--port", "http", "is not a port"),
            ("--health-path", "api/ready", "is not a path"),
            ("--health-path", "/a b", "is not a path"),
            ("--health-path", "/healthz", "is nginx's own"),
            ("--nginx", "compos", "did you mean `compose`?"),
            ("--tls", "cloudflare", "must be `tunnel` or `nginx`"),
            ("--access", "perhaps", "must be `yes` or `no`"),
        ],
    )
    def test_a_wrong_answer_is_reported_and_nothing_is_written(
        self, flag: str, value: str, message: str, newcomer: Newcomer
    ) -> None:
        ran = newcomer.init(flag, value)
        assert ran.returncode == 2
        assert ran.stderr.startswith(f"{flag} ")
        assert message in ran.stderr
        assert contents(newcomer.repository) == {}

    def test_all_wrong_answers_are_reported_at_once(self, tmp_path: Path) -> None:
        ran = Newcomer(tmp_path, ("--port", "x")).init()
        assert [line.split()[0] for line in ran.stderr.splitlines()] == ["--domain", "--image", "--port"]

    def test_unusable_files_are_named(self, newcomer: Newcomer) -> None:
        (newcomer.repository / ENVIRONMENT).mkdir(parents=True)
        ran = newcomer.init()
        assert (ran.returncode, ran.stderr) == (2, f"{newcomer.repository / ENVIRONMENT}: Is a directory.\n")

    def test_a_missing_folder_is_not_created(self, tmp_path: Path) -> None:
        (tmp_path / "my-service").mkdir()
        newcomer = Newcomer(tmp_path, (*flags(), "--into", str(tmp_path / "my-servise")))
        ran = newcomer.init()
        assert ran.returncode == 2
        assert (
            f"--into {tmp_path / 'my-servise'} is not a folder. Did you mean {tmp_path / 'my-service'}?" in ran.stderr
        )
        assert sorted(path.name for path in tmp_path.iterdir()) == ["my-service"]

    def test_without_a_checkout_the_message_says_what_is_missing(self, tmp_path: Path) -> None:
        shutil.copytree(ROOT / "redeploy", tmp_path / "redeploy", ignore=shutil.ignore_patterns("__pycache__"))
        (tmp_path / "service").mkdir()
        unmeasured = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}
        ran = subprocess.run(
            [sys.executable, "-m", "redeploy", "init", "--into", str(tmp_path / "service"), *flags()],
            cwd=tmp_path,
            env=unmeasured,  # the coverage of a copy does not count
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 2
        assert "This command needs a checkout" in ran.stderr
        assert contents(tmp_path / "service") == {}

    def test_at_a_terminal_a_question_is_repeated_until_its_answer_is_valid(self, tmp_path: Path) -> None:
        typed = ["api.example", "", "ghcr.io/example/app", "", "fastapi", "many", "9000", "/health"]
        typed += ["/version", "git_sha", "shop", "", "compose", "", "y", ""]
        shown, code = at_a_terminal(["init", "--into", str(tmp_path)], [f"{line}\n" for line in typed])
        assert code == 0, shown
        assert shown.count("That is missing.") == 1
        assert shown.count("That is not a port; write a number from 1 to 65535.") == 1
        assert "Where nginx runs (host/compose) [host]: " in shown
        assert settings((tmp_path / ENVIRONMENT).read_text())["BACKEND_IMAGE"] == "ghcr.io/example/app:latest"
        assert "Port that it listens on in its container [8000]: " in shown
        assert "Name for folder, Compose project and containers [app]: " in shown
        assert "CF_ACCESS_CLIENT_ID" in (tmp_path / WORKFLOW).read_text()
        assert "version-path: /version\n          version-field: git_sha\n" in (tmp_path / WORKFLOW).read_text()

    def test_what_was_typed_is_shown_as_a_command_that_asks_nothing(self, tmp_path: Path) -> None:
        typed = ["api.example.com", "ghcr.io/example/app", *[""] * 12]
        shown, _ = at_a_terminal(["init", "--into", str(tmp_path)], [f"{line}\n" for line in typed])
        written = contents(tmp_path)
        command = shlex.split(shown.splitlines()[-1])
        shown, code = at_a_terminal(command[3:], [])
        assert (code, contents(tmp_path)) == (0, written)
        assert "written " not in shown

    @pytest.mark.parametrize("key", ["\x03", "\x04"])
    def test_aborting_leaves_no_traceback_and_no_file(self, key: str, tmp_path: Path) -> None:
        shown, code = at_a_terminal(["init", "--into", str(tmp_path)], ["api.example.com\n", key])
        assert code == 130
        assert "Traceback" not in shown
        assert contents(tmp_path) == {}


class TestWalkthrough:
    @pytest.mark.parametrize("server", SERVERS, ids="-".join)
    def test_the_steps_are_numbered_fit_a_terminal_and_name_existing_files(
        self, server: tuple[str, str, str], tmp_path: Path
    ) -> None:
        newcomer = Newcomer(tmp_path, flags(*server))
        newcomer.init()
        steps = newcomer.output.partition("\n\n")[2]
        numbers = re.findall(r"(?m)^(\d)\. ", steps)
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        assert max(len(line) for line in steps.splitlines() if str(tmp_path) not in line) <= 80
        for path in re.findall(r"(?<![\w/.:])deploy/[\w./-]+", steps):
            assert (tmp_path / path).exists(), path

    def test_the_last_step_passes_the_commit_where_the_service_reports_one(self, tmp_path: Path) -> None:
        named, unnamed = (
            Newcomer(tmp_path / "named", (*flags(), "--version-path", "/version")),
            Newcomer(tmp_path / "unnamed", flags()),
        )
        for each in (named, unnamed):
            each.init()
        command = 'gh workflow run redeploy-backend.yml -f version="$(git rev-parse HEAD)"'
        assert named.step(6).splitlines()[-1] == command
        assert unnamed.step(6).splitlines()[-1] == "gh run watch"
        assert "`--version-path` or `--version-field`" in unnamed.output

    def test_the_first_step_sets_both_secrets_at_github(
        self, newcomer: Newcomer, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        newcomer.init()
        token = settings((newcomer.repository / ENVIRONMENT).read_text())["WATCHTOWER_HTTP_API_TOKEN"]
        assert newcomer.secrets(tmp_path_factory.mktemp("programs")) == {
            "WATCHTOWER_HTTP_API_TOKEN": token,
            "WATCHTOWER_UPDATE_URL": "https://api.example.com/ops/watchtower/update",
        }


def at_a_terminal(arguments: list[str], typed: list[str]) -> tuple[str, int]:
    """Run it at a terminal, typing a line at each question; return the terminal's content and the exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "redeploy", *arguments])  # noqa: S606
    shown, answered = "", 0
    for _ in range(200):
        if not select.select([terminal], [], [], 0.5)[0]:
            if (
                answered and typed[answered - 1] in "\x03\x04"
            ):  # a key that is typed before the program reads the terminal is lost
                os.write(terminal, typed[answered - 1].encode())
            continue
        try:
            read = os.read(terminal, 4096)
        except OSError:  # end of file, on Linux
            break
        shown += read.decode()
        if re.search(r": \Z", shown) and answered < len(typed):
            os.write(terminal, typed[answered].encode())
            answered += 1
            shown += "\n"
    os.close(terminal)
    return shown.replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class TestSeveralServices:
    """`--service`, given more than once, writes one config file and nothing else."""

    SHOP = ("--service", "shop,image=ghcr.io/o/shop,domain=shop.example.com")
    JOBS = ("--service", "jobs,image=ghcr.io/o/jobs,domain=none")

    def init(self, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "redeploy", "init", "--into", str(folder), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def test_the_file_is_written_and_a_job_to_paste_is_shown(self, tmp_path: Path) -> None:
        ran = self.init(tmp_path, *self.SHOP, *self.JOBS)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert list(contents(tmp_path)) == [".github/redeploy.yml"]
        job = yaml.safe_load(ran.stdout.partition("\n\n  ")[2].replace("redeploy:", "  redeploy:", 1))
        assert job["redeploy"]["steps"][-1]["with"] == {
            "config": ".github/redeploy.yml",
            "watchtower-url": "${{ secrets.WATCHTOWER_UPDATE_URL }}",
            "watchtower-token": "${{ secrets.WATCHTOWER_HTTP_API_TOKEN }}",
        }

    def test_a_different_existing_file_is_kept_without_force(self, tmp_path: Path) -> None:
        file = tmp_path / ".github" / "redeploy.yml"
        file.parent.mkdir()
        file.write_text("services: {}\n")
        ran = self.init(tmp_path, *self.SHOP, *self.JOBS)
        assert (ran.returncode, file.read_text()) == (1, "services: {}\n")
        assert "-services: {}" in ran.stdout
        assert self.init(tmp_path, *self.SHOP, *self.JOBS, "--force").returncode == 0
        assert "shop.example.com" in file.read_text()

    def test_all_problems_are_reported_at_once_and_nothing_is_written(self, tmp_path: Path) -> None:
        ran = self.init(tmp_path, "--service", "Shop", "--domain", "x.example.com", "--private", "yes")
        assert ran.returncode == 2
        assert len(ran.stderr.splitlines()) == 4
        assert "--private cannot be combined with --service, which writes .github/redeploy.yml alone" in ran.stderr
        assert contents(tmp_path) == {}
