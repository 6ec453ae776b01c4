"""The promises of the server's side, read from its files; docs/server.md gives the reason for each."""

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from redeploy.commands import env
from redeploy.remedies import recipes
from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.remedies.subject import NOTHING_KNOWN
from redeploy.report import outputs
from redeploy.setup.dotenv import PREFIX, rendered
from redeploy.text.secret import Secret
from redeploy.verdicts import Reason
from sandbox.simulation import World, simulate
from tests.deploy_files import (
    DEPLOY,
    NEEDED,
    NGINX,
    OVERLAYS,
    PROD,
    ROOT,
    VARIANTS,
    Block,
    UnsetError,
    compose,
    nginx,
    seconds,
)
from tests.unit.factories import OLD, bare_problems, ready

SERVICES: dict[str, dict[str, Any]] = compose(PROD)["services"]
BACKEND, FRONT, WATCHTOWER = (SERVICES[name] for name in ("backend", "nginx", "watchtower"))
SETTINGS: dict[str, str] = WATCHTOWER["environment"]
LABEL = "com.centurylinklabs.watchtower.enable"
WORKFLOW = ROOT / ".github" / "workflows" / "redeploy-backend.yml"
NIGHTLY = ROOT / ".github" / "workflows" / "deploy-secrets-nightly.yml"
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
KIT = sorted(path for folder in ("deploy", "examples") for path in (ROOT / folder).rglob("*") if path.is_file())
EXISTING_PAGE = ROOT / "docs" / "existing-server.md"
SERVER_PAGE = ROOT / "docs" / "server.md"
NEEDS = {
    "publish": [{"contents": "read", "packages": "write"}],
    "redeploy": [{}, {"packages": "read"}],
    "rollback": [{"packages": "write"}],
    "bring": [{"contents": "read"}],
    "watch": [{"contents": "read", "issues": "write"}],
    "deploy": [{}, {"contents": "read"}],
    "services": [{"contents": "read"}],
}
"""Jobs that need permissions, and which."""


class TestCompose:
    def test_the_names_are_those_of_the_guide(self) -> None:
        assert {name: service["container_name"] for name, service in SERVICES.items()} == {
            "backend": "portfolio-backend",
            "nginx": "portfolio-nginx",
            "watchtower": "portfolio-watchtower",
        }
        assert BACKEND["image"] == "ghcr.io/leok974/leo-portfolio/backend:latest"

    def test_nginx_starts_only_with_its_profile(self) -> None:
        assert [name for name, service in SERVICES.items() if service.get("profiles")] == ["nginx"]
        assert FRONT["profiles"] == ["nginx"]

    def test_watchtower_is_the_maintained_fork_in_one_version(self) -> None:
        assert re.fullmatch(r"nickfedor/watchtower:\d+\.\d+\.\d+", WATCHTOWER["image"])

    def test_the_remedy_names_the_same_watchtower(self) -> None:
        assert f"image: {WATCHTOWER['image']}" in REMEDIES[Reason.UNSUPPORTED].fix

    def test_watchtower_gets_no_arguments(self) -> None:
        assert "command" not in WATCHTOWER

    def test_only_labelled_containers_are_watched_including_the_backend(self) -> None:
        assert SETTINGS["WATCHTOWER_LABEL_ENABLE"] == "true"
        assert BACKEND["labels"][LABEL] == "true"

    def test_replaced_images_are_cleaned_up(self) -> None:
        assert SETTINGS["WATCHTOWER_CLEANUP"] == "true"

    def test_it_polls_every_300_seconds_beside_the_api(self) -> None:
        assert SETTINGS["WATCHTOWER_POLL_INTERVAL"] == "300"
        assert SETTINGS["WATCHTOWER_HTTP_API_PERIODIC_POLLS"] == "true"

    def test_the_endpoints_are_the_four_that_are_used(self) -> None:
        assert SETTINGS["WATCHTOWER_HTTP_API_ENDPOINTS"].split(",") == ["update", "containers", "check", "metrics"]

    def test_an_update_may_take_far_longer_than_all_stops_and_a_slow_pull(self) -> None:
        stops = [seconds(service["stop_grace_period"]) for service in (BACKEND, FRONT)]
        two_gigabytes_at_two_megabytes_a_second = 1000
        limit = seconds(SETTINGS["WATCHTOWER_HTTP_API_UPDATE_TIMEOUT"])
        assert limit >= 10 * sum(stops)
        assert limit >= two_gigabytes_at_two_megabytes_a_second + sum(stops)

    def test_the_stop_timeout_suits_a_web_service_and_is_set_for_both_product_lines(self) -> None:
        assert 10 <= seconds(BACKEND["stop_grace_period"]) <= 30
        overlay = compose(DEPLOY / "docker-compose.containrrr.yml")["services"]["watchtower"]
        assert overlay["environment"]["WATCHTOWER_TIMEOUT"] == BACKEND["stop_grace_period"]

    def test_the_engine_has_time_to_create_and_start_a_container_on_a_busy_host(self) -> None:
        # Up to 1.20 the fork aborts these after WATCHTOWER_TIMEOUT; the container to be replaced is gone by then.
        assert seconds(SETTINGS["WATCHTOWER_TIMEOUT"]) >= 60

    def test_one_version_of_watchtower_is_pinned_everywhere(self) -> None:
        assert WATCHTOWER["image"] == recipes.WATCHTOWER_IMAGE
        for path in (".github/ISSUE_TEMPLATE/bug.yml", ".github/workflows/ci.yml", "docs/troubleshooting.md"):
            assert recipes.WATCHTOWER_IMAGE in (DEPLOY.parent / path).read_text(encoding="utf-8")

    @pytest.mark.parametrize("name", SERVICES)
    def test_ports_are_published_on_loopback_only(self, name: str) -> None:
        assert SERVICES[name]["ports"]
        assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[name]["ports"])

    def test_the_ports_on_the_host_are_those_of_the_guide(self) -> None:
        assert BACKEND["ports"] == ["127.0.0.1:8001:8000"]
        assert WATCHTOWER["ports"] == ["127.0.0.1:8083:8080"]

    def test_the_token_comes_from_the_environment_and_goes_to_watchtower_alone(self) -> None:
        assert SETTINGS["WATCHTOWER_HTTP_API_TOKEN"] == NEEDED["WATCHTOWER_HTTP_API_TOKEN"]
        others = [BACKEND, FRONT, *(compose(path)["services"] for path in OVERLAYS)]
        assert NEEDED["WATCHTOWER_HTTP_API_TOKEN"] not in json.dumps(others)

    @pytest.mark.parametrize("token", [{}, {"WATCHTOWER_HTTP_API_TOKEN": ""}])
    def test_a_missing_token_stops_watchtower_with_an_explanation(self, token: dict[str, str]) -> None:
        with pytest.raises(UnsetError, match=r"WATCHTOWER_HTTP_API_TOKEN is not set\. .*--env-file"):
            compose(PROD, token)

    def test_watchtower_does_not_update_itself(self) -> None:
        assert WATCHTOWER["labels"][LABEL] == "false"

    def test_nginx_is_not_replaced_under_the_request_that_it_carries(self) -> None:
        assert FRONT["labels"][LABEL] == "false"
        assert "depends_on" not in FRONT, "Watchtower would restart it with the backend"

    def test_a_crashing_container_stays_within_reach(self) -> None:
        assert SETTINGS["WATCHTOWER_INCLUDE_RESTARTING"] == "true"

    def test_registry_credentials_are_mounted_read_only_where_watchtower_reads_them(self) -> None:
        assert f"/root/.docker:{SETTINGS['DOCKER_CONFIG']}:ro" in WATCHTOWER["volumes"]

    def test_only_watchtower_gets_the_docker_socket(self) -> None:
        assert [name for name, each in SERVICES.items() if "docker.sock" in json.dumps(each)] == ["watchtower"]

    def test_clients_are_identified_by_a_header_that_only_nginx_sets(self) -> None:
        [said] = _setting("X-Real-IP")
        assert SETTINGS["WATCHTOWER_HTTP_API_PROXY_HEADER"] == "X-Real-IP"
        assert said == "$remote_addr"

    def test_the_backend_cannot_reach_watchtower(self) -> None:
        assert not set(BACKEND["networks"]) & set(WATCHTOWER["networks"])
        assert set(FRONT["networks"]) == set(BACKEND["networks"]) | set(WATCHTOWER["networks"])

    @pytest.mark.parametrize("name", SERVICES)
    def test_each_service_has_a_health_check(self, name: str) -> None:
        check = SERVICES[name]["healthcheck"]
        assert check["test"][0] in {"CMD", "CMD-SHELL"}
        assert seconds(check["timeout"]) < seconds(check["interval"])

    def test_the_health_checks_probe_the_right_addresses(self) -> None:
        assert "/api/ready" in BACKEND["healthcheck"]["test"][-1]
        assert ":8000/" in BACKEND["healthcheck"]["test"][-1], "the port inside"
        assert "/healthz" in FRONT["healthcheck"]["test"][-1]
        assert WATCHTOWER["healthcheck"]["test"] == ["CMD", "/watchtower", "--health-check"]

    @pytest.mark.parametrize("name", SERVICES)
    def test_each_service_restarts_unless_it_was_stopped(self, name: str) -> None:
        assert SERVICES[name]["restart"] == "unless-stopped"

    @pytest.mark.parametrize("name", SERVICES)
    def test_memory_processes_and_logs_are_limited(self, name: str) -> None:
        service = SERVICES[name]
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
        assert 0 < service["pids_limit"] <= 1024
        assert service["logging"]["driver"] == "json-file"
        assert re.fullmatch(r"\d+m", service["logging"]["options"]["max-size"])
        assert int(service["logging"]["options"]["max-file"]) <= 5

    @pytest.mark.parametrize(
        ("variable", "service", "key", "given", "seen"),
        [
            ("BACKEND_IMAGE", "backend", "image", "registry:5000/b:1", "registry:5000/b:1"),
            ("NGINX_IMAGE", "nginx", "image", "nginx:1", "nginx:1"),
            ("WATCHTOWER_IMAGE", "watchtower", "image", "w:1", "w:1"),
            ("BACKEND_PORT", "backend", "ports", "9001", ["127.0.0.1:9001:8000"]),
            ("NGINX_PORT", "nginx", "ports", "9002", ["127.0.0.1:9002:80"]),
            ("WATCHTOWER_PORT", "watchtower", "ports", "9003", ["127.0.0.1:9003:8080"]),
            ("NGINX_WATCHED", "nginx", "labels", "true", {LABEL: "true"}),
        ],
    )
    def test_images_and_ports_can_be_chosen(
        self, variable: str, service: str, key: str, given: str, seen: object
    ) -> None:
        assert compose(PROD, NEEDED | {variable: given})["services"][service][key] == seen

    def test_features_that_old_compose_rejects_are_not_used(self) -> None:
        assert set(compose(PROD)) <= {"x-log", "services", "volumes", "networks"}, "1.29 knows no `name`"
        assert not [name for name, service in SERVICES.items() if "deploy" in service], "1.29 ignores it"

    def test_the_mounted_nginx_files_are_there(self) -> None:
        for path in (PROD, DEPLOY / "docker-compose.tls.yml"):
            for mount in compose(path)["services"]["nginx"]["volumes"]:
                source = mount.partition(":")[0]
                assert source.startswith("/") or (DEPLOY / source).exists()

    def test_the_overlay_gives_containrrr_what_it_needs(self) -> None:
        overlay = compose(DEPLOY / "docker-compose.containrrr.yml")["services"]["watchtower"]
        assert overlay["image"] == "containrrr/watchtower:1.7.1"
        assert overlay["environment"] == {
            "WATCHTOWER_HTTP_API_UPDATE": "true",
            "WATCHTOWER_HTTP_API_METRICS": "true",
            "WATCHTOWER_TIMEOUT": "15s",
            "DOCKER_API_VERSION": "1.44",
        }

    def test_the_overlay_for_tls_mounts_the_variant_that_terminates_it(self) -> None:
        overlay = compose(DEPLOY / "docker-compose.tls.yml")["services"]["nginx"]
        assert "./nginx/nginx.compose-tls.conf:/etc/nginx/conf.d/default.conf:ro" in overlay["volumes"]
        with pytest.raises(UnsetError, match="TLS_CERTS is not set"):
            compose(DEPLOY / "docker-compose.tls.yml", {})

    def test_the_overlay_for_the_tunnel_keeps_the_networks_that_are_needed(self) -> None:
        overlay = compose(DEPLOY / "docker-compose.tunnel.yml")
        for name in ("backend", "nginx"):
            assert set(overlay["services"][name]["networks"]) == {*SERVICES[name]["networks"], "tunnel"}
        assert overlay["networks"]["tunnel"] == {"external": True, "name": "infra_net"}


class TestMessages:
    @pytest.mark.parametrize("said", [*REMEDIES, *FINDINGS])
    def test_compose_blocks_in_messages_do_not_contradict_the_kit(self, said: Reason | Finding) -> None:
        remedy = REMEDIES[said] if isinstance(said, Reason) else FINDINGS[said]
        for block in re.findall(r"```yaml\n(.*?)```", remedy.about(NOTHING_KNOWN).fix, re.DOTALL):
            services = yaml.safe_load(block).get("services") or {}
            assert set(services) <= {"watchtower", "your-service"}
            for key, value in services.get("watchtower", {}).items():
                kept = WATCHTOWER[key]
                if isinstance(value, dict):  # the kit may leave some settings at their default
                    assert {name: kept.get(name, each) for name, each in value.items()} == value
                else:
                    assert value == kept or set(value) <= set(kept)
            labels = services.get("your-service", {}).get("labels", {})
            assert {name: BACKEND["labels"].get(name, each) for name, each in labels.items()} == labels


class TestEnvironmentFile:
    def test_it_names_the_token_without_a_value(self) -> None:
        assert "\nWATCHTOWER_HTTP_API_TOKEN=\n" in _example_environment()

    def test_it_names_every_variable_of_the_compose_files_with_its_default(self) -> None:
        texts = [path.read_text(encoding="utf-8") for path in (PROD, *OVERLAYS)]
        used = {
            name: kind == "-" and default
            for text in texts
            for name, kind, default in re.findall(r"\$\{(\w+):([-?])([^}]*)\}", text)
        }
        defaults = dict(re.findall(r"(?m)^#?([A-Z_]+)=(.*)$", _example_environment()))
        assert set(used) <= {*defaults, "NGINX_CONF"}
        assert set(defaults) <= set(used)
        for name, default in defaults.items():
            if used[name] and name != "WATCHTOWER_IMAGE":
                assert default == used[name]
        assert defaults["WATCHTOWER_IMAGE"] == WATCHTOWER["image"]

    def test_it_is_kept_out_of_git_once_filled_in(self) -> None:
        assert ".env.production" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


class TestNginx:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_every_file_is_a_variant_and_every_snippet_is_used(self, name: str) -> None:
        assert sorted(path.name for path in NGINX.glob("*.conf")) == sorted(VARIANTS)
        texts = "".join(path.read_text(encoding="utf-8") for path in NGINX.rglob("*.conf"))
        for path in (NGINX / "snippets").iterdir():
            assert f"include snippets/{path.name};" in texts

    @pytest.mark.parametrize("name", VARIANTS)
    def test_the_locations_are_exact_and_nothing_else_reaches_watchtower(self, name: str) -> None:
        server = _server(name)
        operations = server.location("/ops/watchtower/")
        assert operations.one("return") == "404"
        assert operations.arguments("location") == [
            ("=", "/ops/watchtower/update"),
            ("=", "/ops/watchtower/containers"),
            ("=", "/ops/watchtower/containers/details"),
            ("=", "/ops/watchtower/check"),
            ("=", "/ops/watchtower/metrics"),
        ]
        for location in operations.all("location"):
            endpoint = location.arguments[1].removeprefix("/ops/watchtower/")
            assert location.block.one("proxy_pass") == f"http://$watchtower/v1/{endpoint}$is_args$args"
        assert [each for each in _passes(server) if "$watchtower" in each] == [
            location.block.one("proxy_pass") for location in operations.all("location")
        ]

    @pytest.mark.parametrize(
        ("endpoint", "method"),
        [
            ("update", "POST"),
            ("containers", "GET"),
            ("containers/details", "GET"),
            ("check", "POST"),
            ("metrics", "GET"),
        ],
    )
    def test_only_its_own_method_reaches_an_endpoint(self, endpoint: str, method: str) -> None:
        [limit] = _operations().location("=", f"/ops/watchtower/{endpoint}").all("limit_except")
        assert limit.arguments == (method,)
        assert limit.block.arguments("deny") == [("all",)]
        assert len(limit.block) == 1

    @pytest.mark.parametrize(
        ("header", "value"),
        [("Authorization", "$http_authorization"), ("Cookie", ""), ("Content-Length", "0"), ("Host", "$host")],
    )
    def test_the_token_is_passed_on_and_neither_cookies_nor_bodies_are(self, header: str, value: str) -> None:
        assert _setting(header) == [value]
        assert _operations().one("proxy_pass_request_body") == "off"

    def test_the_locations_inherit_the_settings_for_watchtower(self) -> None:
        for location in _operations().all("location"):
            assert {each.name for each in location.block} == {"limit_except", "proxy_pass"}

    def test_nginx_waits_longer_than_an_update_may_take(self) -> None:
        limit = seconds(SETTINGS["WATCHTOWER_HTTP_API_UPDATE_TIMEOUT"])
        assert seconds(_operations().one("proxy_read_timeout")) >= limit + 60

    def test_nothing_is_sent_twice(self) -> None:
        assert _operations().one("proxy_next_upstream") == "off"
        assert _server("nginx.prod.conf").one("proxy_next_upstream") == "off"

    def test_a_client_that_disconnects_does_not_abort_the_update(self) -> None:
        assert _operations().one("proxy_ignore_client_abort") == "on"

    def test_nothing_is_cached(self) -> None:
        operations = _operations()
        assert operations.one("proxy_cache") == "off"
        assert operations.arguments("add_header") == [("Cache-Control", "no-store", "always")]

    @pytest.mark.parametrize("name", VARIANTS)
    def test_the_rate_limits_are_the_guides_and_say_429(self, name: str) -> None:
        zones = {zone: rate for _, zone, rate in nginx(name).arguments("limit_req_zone")}
        assert zones == {"zone=api:10m": "rate=30r/m", "zone=watchtower:1m": "rate=30r/m"}
        for block, zone in ((_server(name).location("/api/"), "api"), (_server(name), "watchtower")):
            assert block.arguments("limit_req") == [(f"zone={zone}", "burst=15", "nodelay")]
        assert _server(name).one("limit_req_status") == "429"

    @pytest.mark.parametrize("name", VARIANTS)
    def test_the_servers_own_limit_counts_requests_to_watchtower_only(self, name: str) -> None:
        keys = {zone: key for key, zone, _ in nginx(name).arguments("limit_req_zone")}
        [counted] = [each for each in nginx(name).all("map") if each.arguments == ("$uri", keys["zone=watchtower:1m"])]
        assert {each.name: each.arguments for each in counted.block} == {
            "~^/ops/watchtower/": ("$binary_remote_addr",),
            "default": ("",),
        }

    @pytest.mark.parametrize("name", ["nginx.prod.conf", "nginx.prod-tls.conf"])
    def test_on_the_host_it_uses_the_published_ports(self, name: str) -> None:
        published = {of: port.rpartition(":")[0] for of, [port] in ((n, SERVICES[n]["ports"]) for n in SERVICES)}
        assert _set(_server(name)) == {
            "$backend": published["backend"],
            "$watchtower": published["watchtower"],
        }

    @pytest.mark.parametrize("name", ["nginx.compose.conf", "nginx.compose-tls.conf"])
    def test_in_the_network_it_uses_names_and_resolves_them_again(self, name: str) -> None:
        server = _server(name)
        assert _set(server) == {"$backend": "backend:8000", "$watchtower": "watchtower:8080"}
        [(address, valid, *_)] = server.arguments("resolver")
        assert address == "127.0.0.11"
        assert seconds(valid.removeprefix("valid=")) <= 5

    @pytest.mark.parametrize("name", VARIANTS)
    def test_every_upstream_is_a_variable_because_a_plain_name_would_be_resolved_only_once(self, name: str) -> None:
        assert all(re.match(r"http://\$(backend|watchtower)\b", each) for each in _passes(_server(name)))

    @pytest.mark.parametrize("path", ["/openapi.json", "/ready"])
    def test_paths_of_the_backend_are_not_served_as_pages(self, path: str) -> None:
        assert _server("nginx.prod.conf").location("=", path).one("proxy_pass") == "http://$backend"

    @pytest.mark.parametrize("name", VARIANTS)
    def test_nginx_responds_itself_at_healthz(self, name: str) -> None:
        for server in nginx(name).all("server"):
            assert server.block.location("=", "/healthz").arguments("return") == [("200", r"ok\n")]

    def test_without_tls_the_host_listens_on_loopback_only(self) -> None:
        assert _server("nginx.prod.conf").arguments("listen") == [("127.0.0.1:80", "default_server")]

    @pytest.mark.parametrize("name", ["nginx.prod-tls.conf", "nginx.compose-tls.conf"])
    def test_with_tls_nothing_is_served_unencrypted(self, name: str) -> None:
        clear, secure = (each.block for each in nginx(name).all("server"))
        assert clear.arguments("listen")[0][0] == "80"
        assert not _passes(clear)
        assert clear.location("/ops/").one("return") == "403"
        assert clear.location("/").arguments("return") == [("301", "https://$host$request_uri")]
        assert secure.arguments("listen") == [("443", "ssl", "default_server")]
        assert secure.arguments("ssl_protocols") == [("TLSv1.2", "TLSv1.3")]

    @pytest.mark.parametrize("name", VARIANTS)
    def test_the_client_address_is_taken_from_a_header_only_behind_the_tunnel(self, name: str) -> None:
        believed = _server(name).arguments("real_ip_header")
        assert believed == ([] if "tls" in name else [("CF-Connecting-IP",)])


class TestWorkflows:
    @pytest.mark.parametrize("path", [WORKFLOW, NIGHTLY, *EXAMPLES], ids=lambda path: path.name)
    def test_only_declared_inputs_are_used(self, path: Path) -> None:
        declared = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
        ours = re.compile(r"leok974/redeploy-action(/slim)?@|docker://ghcr\.io/leok974/redeploy-action:")
        used = [step["with"] for step in _steps(path) if ours.match(step.get("uses", ""))]
        assert used
        for given in used:
            assert set(given) <= set(declared)

    @pytest.mark.parametrize("path", [WORKFLOW, NIGHTLY, *EXAMPLES], ids=lambda path: path.name)
    def test_text_that_is_not_an_expression_is_accepted(self, path: Path) -> None:
        for step in _steps(path):
            if not step.get("uses", "").startswith("leok974/redeploy-action@") or "config" in step["with"]:
                continue
            given = {name: _example(name, str(text)) for name, text in step["with"].items()}
            assert bare_problems(**{"github-token": "ghs_of-the-job", **given}) == {}  # GitHub fills it in

    def test_the_variables_of_the_config_file_are_those_that_its_workflow_gives(self) -> None:
        text = (ROOT / "examples" / "config" / "redeploy.yml").read_text(encoding="utf-8")
        [step] = [
            each for each in _steps(ROOT / "examples" / "several-services.yml") if "with" in each and "env" in each
        ]
        assert set(step["env"]) == set(re.findall(r"\$\{(\w+)\}", text))

    @pytest.mark.parametrize("path", [WORKFLOW, NIGHTLY, *EXAMPLES], ids=lambda path: path.name)
    def test_only_declared_outputs_are_read(self, path: Path) -> None:
        declared = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["outputs"]
        read = re.findall(r"steps\.redeploy\.outputs\.([\w-]+)", path.read_text(encoding="utf-8"))
        assert set(read) <= set(declared)

    @pytest.mark.parametrize("path", [WORKFLOW, NIGHTLY, *EXAMPLES], ids=lambda path: path.name)
    def test_a_workflow_has_only_the_permissions_it_needs_and_one_runs_at_a_time(self, path: Path) -> None:
        workflow = _workflow(path)
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            assert "concurrency" in workflow or "concurrency" in job
            assert job["timeout-minutes"] <= 30
            assert job.get("permissions", {}) in NEEDS.get(name, [{}])

    @pytest.mark.parametrize("path", [WORKFLOW, NIGHTLY, *EXAMPLES], ids=lambda path: path.name)
    def test_the_action_runs_on_hosted_runners(self, path: Path) -> None:
        for job in _workflow(path)["jobs"].values():
            actions = [step["uses"] for step in job["steps"] if "uses" in step]
            assert job["runs-on"] == "ubuntu-latest" or not [each for each in actions if "redeploy-action@" in each]

    @pytest.mark.parametrize("path", [WORKFLOW, NIGHTLY, *EXAMPLES], ids=lambda path: path.name)
    def test_no_expression_is_used_in_a_script(self, path: Path) -> None:
        assert not [step for step in _steps(path) if "${{" in step.get("run", "")]

    def test_the_guides_workflow_is_there_for_people_and_for_workflows(self) -> None:
        workflow = _workflow(WORKFLOW)
        assert workflow["name"] == "Redeploy Backend via Watchtower"
        dispatch, call = workflow["on"]["workflow_dispatch"], workflow["on"]["workflow_call"]
        assert dispatch["inputs"] == call["inputs"]
        assert set(call["secrets"]) == {"WATCHTOWER_UPDATE_URL", "WATCHTOWER_HTTP_API_TOKEN"}
        [job] = workflow["jobs"].values()
        assert job["environment"]["name"] == "production"
        assert job["concurrency"] == {"group": "prod-deploy", "cancel-in-progress": False}

    def test_its_checks_are_those_of_the_guide(self) -> None:
        [step] = _steps(WORKFLOW)
        assert step["with"]["health-path"] == "/api/ready"
        assert "GET /api/ready" in step["with"]["required-routes"]
        assert "GET /api/dev/status" in step["with"]["smoke"]

    @pytest.mark.parametrize("path", [WORKFLOW, NIGHTLY, *EXAMPLES], ids=lambda path: path.name)
    def test_secrets_have_the_names_of_the_guide(self, path: Path) -> None:
        named = set(re.findall(r"secrets\.(\w+)", path.read_text(encoding="utf-8")))
        if path.name.startswith("after-"):  # another deployer has secrets of its own, which only its own step gets
            named -= set(re.findall(r"secrets\.(\w+)", str([each["env"] for each in _steps(path) if "run" in each])))
        for step in _steps(path):
            if "config" in step.get("with", {}):  # there each host has its own
                named -= set(re.findall(r"secrets\.(\w+_WATCHTOWER_\w+)", str(step["env"])))
        of_the_guide = {"WATCHTOWER_UPDATE_URL", "WATCHTOWER_HTTP_API_TOKEN"}
        assert named <= of_the_guide | {"CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET", "GITHUB_TOKEN"}


class TestNightly:
    def test_it_runs_on_the_server_every_night_and_on_demand(self) -> None:
        workflow = _workflow(NIGHTLY)
        assert workflow["on"].keys() == {"schedule", "workflow_dispatch"}
        assert workflow["jobs"]["bring"]["runs-on"] == ["self-hosted", "production"]
        assert "container" not in workflow["jobs"]["bring"]

    def test_no_redeploy_runs_at_the_same_time(self) -> None:
        [redeploy] = _workflow(WORKFLOW)["jobs"].values()
        assert _workflow(NIGHTLY)["concurrency"] == redeploy["concurrency"]

    def test_its_secrets_are_those_that_the_template_asks_for(self) -> None:
        step = self._step()
        given = {name.removeprefix(PREFIX) for name in step["env"] if name.startswith(PREFIX)}
        rendered(_example_environment(), {name: Secret("x") for name in given})
        assert all(step["env"][PREFIX + name] == f"${{{{ secrets.{name} }}}}" for name in given)

    def test_its_command_exists_and_names_existing_files(self) -> None:
        words = shlex.split(self._step()["run"])
        options, command = words[: words.index("--")], words[words.index("--") + 1 :]
        parser = argparse.ArgumentParser()
        env.declare(parser)
        assert options[:4] == ["python3", "-m", "redeploy", "env"]
        asked = parser.parse_args(words[4:])
        assert str(asked.template) == "$GITHUB_WORKSPACE/deploy/.env.production.example"
        assert asked.command == command
        assert command[:2] == ["docker", "compose"]
        assert command[-2:] == ["up", "-d"]
        assert {word.rpartition("/")[2] for word in command if "/" in word} == {".env.production", PROD.name}

    def test_the_service_is_proven_from_outside_and_only_after_a_change(self) -> None:
        workflow = _workflow(NIGHTLY)
        prove = workflow["jobs"]["prove"]
        assert (prove["needs"], prove["if"]) == ("bring", "needs.bring.outputs.changed == 'true'")
        assert (
            workflow["jobs"]["bring"]["outputs"]["changed"] == f"${{{{ steps.{self._step()['id']}.outputs.changed }}}}"
        )
        assert prove["steps"][0]["with"]["mode"] == "verify"

    @staticmethod
    def _step() -> dict[str, Any]:
        step = _workflow(NIGHTLY)["jobs"]["bring"]["steps"][-1]
        assert isinstance(step, dict)
        return step


class TestPages:
    def test_the_page_mentions_every_file(self) -> None:
        page = SERVER_PAGE.read_text(encoding="utf-8")
        for path in DEPLOY.rglob("*"):
            assert path.is_dir() or path.parent.name == "snippets" or path.name in page
        assert all(path.name in page or "`examples/` has others" in page for path in EXAMPLES)

    def test_an_existing_watchtower_needs_three_settings_and_one_port_of_the_kit(self) -> None:
        page = EXISTING_PAGE.read_text(encoding="utf-8")
        [block] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
        added = yaml.safe_load(block)["services"]["watchtower"]
        assert set(added) == {"environment", "ports"}
        assert len(added["environment"]) == 3
        assert added["ports"] == WATCHTOWER["ports"]
        assert added["environment"].pop("WATCHTOWER_HTTP_API_TOKEN").startswith("${WATCHTOWER_HTTP_API_TOKEN:?")
        assert added["environment"].items() <= SETTINGS.items()

    def test_the_page_covers_all_nineteen_points(self) -> None:
        rows = re.findall(r"(?m)^\| (\d+) \|(.+)\|(.+)\|(.+)\|$", SERVER_PAGE.read_text(encoding="utf-8"))
        assert [int(number) for number, *_ in rows] == list(range(1, 20))
        assert all(cell.strip() for row in rows for cell in row)

    def test_the_readme_links_there_and_says_that_the_old_token_is_compromised(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        assert "](docs/server.md)" in readme
        assert re.search(r"old guide is burnt[^.]*\[replace it\]\(docs/server\.md#set-it-up\)", readme, re.DOTALL)


class TestSecrecy:
    @pytest.mark.parametrize(
        "path", [*KIT, WORKFLOW, SERVER_PAGE, EXISTING_PAGE], ids=lambda path: str(path.relative_to(ROOT))
    )
    def test_nothing_looks_like_a_token(self, path: Path) -> None:
        text = re.sub(r"@[0-9a-f]{40}\b", "", path.read_text(encoding="utf-8"))  # pinned actions
        suspects = re.findall(r"[A-Za-z0-9_-]{32,}", text)
        assert [each for each in suspects if _looks_drawn(each)] == []

    @pytest.mark.parametrize("drawn", ["0f" * 20, "Zk3_x9Qd-LmT7vB2aYw8RcN5hEuP1sGfJt4oKiX6zMQ"])
    def test_a_token_would_be_found(self, drawn: str) -> None:
        assert _looks_drawn(drawn)


def _looks_drawn(text: str) -> bool:
    """Whether a long word looks random: hexadecimal, or letters of both cases among digits."""
    if re.fullmatch(r"[0-9a-f]+", text):
        return True
    return bool(re.search(r"[a-z]", text) and re.search(r"[A-Z]", text) and len(re.findall(r"\d", text)) >= 3)


def _example_environment() -> str:
    return (DEPLOY / ".env.production.example").read_text(encoding="utf-8")


def _server(name: str) -> Block:
    """The `server` block of a variant that serves the service: its last one."""
    return nginx(name).all("server")[-1].block


def _operations() -> Block:
    return nginx("snippets/watchtower.conf").location("/ops/watchtower/")


def _setting(header: str) -> list[str]:
    return [value for name, value in _operations().arguments("proxy_set_header") if name == header]


def _set(server: Block) -> dict[str, str]:
    return {arguments[0]: arguments[1] for arguments in server.arguments("set")}


def _passes(block: Block) -> list[str]:
    """The addresses to which a block and its inner blocks pass requests."""
    inside = [address for directive in block for address in _passes(directive.block)]
    return [address for (address,) in block.arguments("proxy_pass")] + inside


def _workflow(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return {"on" if key is True else key: value for key, value in loaded.items()}  # YAML 1.1 takes `on` for true


def _steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in _workflow(path)["jobs"].values() for step in job["steps"]]


_IN_PLACE = {
    "watchtower-url": "https://api.example.com/ops/watchtower/update",
    "watchtower-token": "t",
    "base-url": "https://api.example.com",
    "image": "ghcr.io/leok974/leo-portfolio/backend",
    "expect-version": "1" * 40,
    "expect-digest": "sha256:" + "1" * 64,
    "baseline": outputs.outputs(
        simulate(World(lambda _, __: ready(OLD)), mode="verify", base_url="https://api.example.com").outcome
    )["report"],
}


def _example(name: str, text: str) -> str:
    """A possible value of an input for which the workflow has an expression."""
    return re.sub(r"\$\{\{.*?\}\}", _IN_PLACE.get(name, "x"), text)
