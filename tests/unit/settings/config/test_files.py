"""What a config file may contain, and the plans that it makes."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract.smoke import NOTHING_ELSE, Sent
from redeploy.service.endpoint import WORKER
from redeploy.settings import defaults
from redeploy.settings.config.load import BESIDE, load
from redeploy.settings.plan import Plan
from redeploy.settings.reading import InvalidInputsError, Workspace
from redeploy.text.secret import Secret
from sandbox.simulation import ENOUGH, any_certificate, no_file, plan
from tests.unit.factories import D1
from tests.unit.settings.config.loading import ENVIRONMENT, FILE, HOSTS, load_text, messages, plan_of, run_of

ONE_OF_EACH = {
    "image": "ghcr.io/o/api:v1",
    "container": "api",
    "service-headers": "Authorization: ${EU_TOKEN}",
    "base-url": "https://www.example.com/shop",
    "health-path": "/up",
    "health-expect": "status=UP and checks.db != down",
    "version-path": "/version",
    "version-field": "build.sha",
    "expect-version": "${API_SHA}",
    "expect-digest": D1,
    "require-proof": "digest",
    "openapi-path": "/spec.json",
    "required-routes": "GET /a",
    "forbidden-routes": "/debug",
    "breaking-changes": "fail",
    "smoke": "GET /api/status 200 ok=true",
    "timeout": "10m",
    "stable-for": "0",
    "instances": "2",
    "max-downtime": "2s",
    "request-timeout": "5s",
    "request-rate": "1/s",
    "registry-username": "leo",
    "registry-password": "${US_TOKEN}",
    "on-failure": "rollback",
    "rollback-to": "sha-1a2b3c4",
}
"""A value other than the default for each key of a service that needs no file."""

VERIFY = {"mode": "verify", "github_token": "ghs_abcdef"}


def unnamed(made: Plan) -> Plan:
    """A plan without the service name, which only a file gives."""
    return replace(made, name="", host="")


def test_one_service_is_planned_exactly_as_the_inputs_would_plan_it() -> None:
    text = "services:\n  api:\n" + "".join(f"    {name}: {json.dumps(value)}\n" for name, value in ONE_OF_EACH.items())
    inputs = {name.replace("-", "_"): value for name, value in ONE_OF_EACH.items()}
    expanded = {name: _expanded(value) for name, value in inputs.items()}
    assert unnamed(plan_of(text)) == plan(**expanded)


def _expanded(text: str) -> str:
    for name, value in ENVIRONMENT.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def test_every_input_is_a_key_of_a_service_or_of_a_host_or_an_input_beside_the_file() -> None:
    of_service, of_host = set(defaults.of_service()), set(defaults.OF_HOST)
    assert of_service | of_host | (defaults.OF_RUN & set(defaults.DEFAULTS)) == set(defaults.DEFAULTS)
    assert not of_service & of_host
    assert set(ONE_OF_EACH) == of_service - {
        "openapi-reference",
        "grace",
    }  # needs a file, or exists only in mode verify


def test_keys_of_mode_verify_are_read_too() -> None:
    made = plan_of(
        "services: {api: {base-url: 'https://a.example.com', expect-version: branch:main, grace: 2d}}", **VERIFY
    )
    assert (made.branch, made.grace) == ("main", 2 * 86400)


def test_values_are_kept_as_written() -> None:
    made = plan_of("services: {api: {expect-version: 1.10, version-field: 'no', openapi-path: off}}")
    assert (made.expect_version, made.service.version_field, made.checks.document_url) == ("1.10", "no", None)
    assert plan_of("services: {api: {expect-version: 2026-01-20}}").expect_version == "2026-01-20"
    assert [each.name for each in run_of("services: {on: {}, 'no': {}, '1': {}, null: {}}").services] == [
        "on",
        "no",
        "1",
        "null",
    ]


def test_lists_and_mappings_mean_the_same_as_lines() -> None:
    listed = plan_of("""
        services:
          api:
            image: [o/a, o/b]
            required-routes: [GET /a, /b]
            health-expect: [status=UP, a != b]
            smoke: [GET /a 200, "?!POST /b"]
            service-headers: {X-A: b, Authorization: "${EU_TOKEN}"}
    """)
    assert unnamed(listed) == plan(
        image="o/a\no/b",
        required_routes="GET /a\n/b",
        health_expect="status=UP\na != b",
        smoke="GET /a 200\n?!POST /b",
        service_headers=f"X-A: b\nAuthorization: {ENVIRONMENT['EU_TOKEN']}",
    )


def test_the_nearest_key_counts_and_lists_replace_lists() -> None:
    run = run_of(
        """
        defaults: {timeout: 10m, smoke: [GET /a, GET /b], stable-for: 10s}
        services:
          api: {timeout: 11m, smoke: [GET /c]}
          web: {stable-for: 12s}
        hosts:
          eu: {watchtower-url: "${EU_URL}", watchtower-token: "${EU_TOKEN}", services: {api: {timeout: 12m}, web: }}
          us: {watchtower-url: "${US_URL}", watchtower-token: "${US_TOKEN}", services: [api]}
        """,
        timeout="13m",
        request_rate="1/s",
    )
    found = {each.key: (each.timeout, len(each.checks.smoke), each.stable_for) for each in run.services}
    assert found == {"eu/api": (720, 1, 10), "eu/web": (600, 2, 12), "us/api": (660, 1, 10)}
    assert {each.rate.per_second for each in run.services if each.rate} == {1.0}


def test_an_empty_value_means_the_default_of_the_input() -> None:
    made = plan_of("defaults: {health-path: /up}\nservices: {api: {health-path: '', timeout: }}")
    assert (made.service.health_url.removeprefix(made.service.base_url), made.timeout) == ("/api/ready", 300)


def test_hosts_make_waves_in_their_order_and_without_waves_one() -> None:
    text = f"services: {{api: }}{HOSTS}"
    assert [[host.name for host in wave] for wave in run_of(text).waves] == [["eu", "us"]]
    ordered = run_of(f"{text}waves: [[us], [eu]]\nmax-parallel: 2\n")
    assert [[host.name for host in wave] for wave in ordered.waves] == [["us"], ["eu"]]
    assert (ordered.max_parallel, run_of(text).max_parallel) == (2, 4)
    assert [each.watchtower.update_url for each in ordered.services] == [ENVIRONMENT["US_URL"], ENVIRONMENT["EU_URL"]]


def test_a_host_uses_its_own_settings_and_otherwise_the_inputs() -> None:
    run = run_of(
        """
        services: {api: }
        hosts:
          eu: {watchtower-url: "${EU_URL}", watchtower-token: "${EU_TOKEN}", headers: {X-Way: eu}}
          us: {watchtower-url: "http://us.internal/update", watchtower-token: "${US_TOKEN}", allow-http: true}
        """,
        headers="X-Way: all",
    )
    assert [each.headers for each in run.services] == [{"X-Way": Secret("eu")}, {"X-Way": Secret("all")}]


def test_services_selects_and_only_the_selected_need_their_variables() -> None:
    text = f"services:\n  api: {{expect-version: '${{NOT_SET}}'}}\n  web: {HOSTS}"
    assert [each.key for each in run_of(text, services="web").services] == ["eu/web", "us/web"]
    assert "NOT_SET" in messages(text)[0]
    assert messages(text, services="wbe") == [
        "`services` names `wbe`, which is not a service of `.github/redeploy.yml`; did you mean `web`?"
    ]


@pytest.mark.parametrize("name", sorted(set(defaults.DEFAULTS) - BESIDE))
def test_an_input_that_belongs_in_the_file_is_rejected_beside_it(name: str) -> None:
    value = "GET /a" if name != "allow-http" else "true"
    (said,) = messages("services: {api: }", **{name.replace("-", "_"): value})
    assert said.startswith(f"`{name}` is given with `config`; write it as the key `{name}` of a service")
    assert run_of("services: {api: }", **{name.replace("-", "_"): defaults.DEFAULTS[name]}).services


@pytest.mark.parametrize("name", ["watchtower_url", "watchtower_token", "containers_url"])
def test_a_watchtower_input_beside_hosts_is_rejected(name: str) -> None:
    (said,) = messages(f"services: {{api: }}{HOSTS}", **{name: "https://x.example.com/update"})
    assert "is given with `hosts`" in said


def test_services_without_a_file_is_rejected() -> None:
    with pytest.raises(InvalidInputsError):
        plan(services="api")


def test_a_variable_is_substituted_once_and_a_dollar_can_be_escaped() -> None:
    made = plan_of("services: {api: {expect-version: 'a$${API_SHA}-${API_SHA}'}}")
    assert made.expect_version == "a${API_SHA}-1a2b3c4d5e"


def test_verify_needs_no_token_and_a_host_may_have_a_url_alone() -> None:
    text = "services: {api: }\nhosts: {eu: {watchtower-url: '${EU_URL}'}}"
    assert plan_of(text, mode="verify").service.base_url == "https://eu.example.com"
    assert "watchtower-token" in messages(text)[0]


def test_a_smoke_request_can_have_more_than_a_line_can_express() -> None:
    (smoke,) = plan_of("""
        services:
          api:
            smoke:
              - request: "!POST /api/echo"
                status: [200, 201]
                expect: [a=1, b != 2]
                headers: {X-Test: 1, Authorization: "Bearer ${EU_TOKEN}"}
                body: {n: 1.50, yes: true, word: "1", none: null, list: [1e3, off], sha: "${API_SHA}"}
                max-latency: 800ms
                warn: true
    """).checks.smoke
    assert str(smoke) == "POST /api/echo 200|201 a=1 and b != 2"
    assert (smoke.marked, smoke.only_warns, smoke.sent.max_latency) == (True, True, 0.8)
    assert json.loads(smoke.sent.body) == {
        "n": 1.5,
        "yes": True,
        "word": "1",
        "none": None,
        "list": [1000.0, "off"],
        "sha": "1a2b3c4d5e",
    }
    assert [(name, value.reveal()) for name, value in smoke.sent.headers] == [
        ("X-Test", "1"),
        ("Authorization", "Bearer token-of-eu-1"),
        ("Content-Type", "application/json"),
    ]


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ("hello", b"hello", "text/plain; charset=utf-8"),
        ("'{\"a\": 1}'", b'{"a": 1}', "text/plain; charset=utf-8"),
        ("[1, x]", b'[1, "x"]', "application/json"),
        ("12", b"12", "application/json"),
        ("'12'", b"12", "text/plain; charset=utf-8"),
    ],
)
def test_a_text_body_is_sent_as_is_and_any_other_as_json(body: str, sent: bytes, kind: str) -> None:
    (smoke,) = plan_of(f"services: {{api: {{smoke: [{{request: '!POST /a', body: {body}}}]}}}}").checks.smoke
    assert (smoke.sent.body, dict(smoke.sent.headers)["Content-Type"].reveal()) == (sent, kind)


def test_a_smoke_request_of_one_line_carries_nothing() -> None:
    made = plan_of("services: {api: {smoke: [GET /a, {request: GET /b, max-latency: 1s}]}}")
    assert [each.sent for each in made.checks.smoke] == [NOTHING_ELSE, Sent(max_latency=1.0)]


def test_a_worker_is_identified_by_its_container_and_inherits_no_request_settings() -> None:
    made = plan_of(
        "defaults: {health-path: /up, smoke: [GET /a], expect-version: abc}\nservices: {w: {base-url: off, image: o/w}}"
    )
    assert (made.service, made.checks.smoke, made.checks.document_url, made.expect_version) == (WORKER, (), None, "")
    assert [each.name for each in made.images] == ["docker.io/o/w"] or made.images


def test_two_services_of_one_image_are_distinguished_by_their_containers() -> None:
    text = "services:\n  a: {image: o/x, container: a}\n  b: {image: o/x, container: b}\n"
    run = run_of(text)
    assert [each.containers for each in run.services] == [("a",), ("b",)]
    assert {each.watchtower.containers for each in run.services} == {()}  # the fork would intersect both


def test_secrets_of_the_file_are_known_before_anything_is_logged() -> None:
    found = load_text(
        """
        services:
          api:
            service-headers: {X-Api-Key: "${API_SHA}", X-Team: a-team-of-ours}
            registry-username: leo
            registry-password: "${US_TOKEN}"
        hosts: {eu: {watchtower-url: "https://eu.example.com/hidden-hook/update", watchtower-token: "${EU_TOKEN}"}}
        """
    )
    hidden = {each.reveal() for each in found.secrets}
    assert {"token-of-eu-1", "token-of-us-2", "1a2b3c4d5e", "/hidden-hook/update"} <= hidden
    assert "a-team-of-ours" not in hidden


def test_a_secret_in_a_wrong_value_is_not_shown() -> None:
    (said,) = messages("services: {api: {service-headers: {X-Token: '${EU_TOKEN}'}, image: 'o/${EU_TOKEN}:-'}}")
    assert "token-of-eu-1" not in said
    assert "***" in said


def test_with_several_services_warnings_name_their_service() -> None:
    text = "services:\n  api: {expect-version: latest}\n  web:\n"
    assert run_of(text).warnings[0].startswith("Service `api`: `expect-version` is `latest`")
    assert run_of(text, services="api").warnings[0].startswith("`expect-version` is `latest`")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("./.github/redeploy.yml", ".github/redeploy.yml"),
        ("/github/workspace/a/redeploy.yml", "a/redeploy.yml"),
        ("a/../redeploy.yml", "redeploy.yml"),
    ],
)
def test_annotations_name_the_file_relative_to_the_workspace(path: str, shown: str) -> None:
    given_inputs = {"INPUT_CONFIG": path, "GITHUB_WORKSPACE": "/github/workspace"}
    found = load(given_inputs, lambda _path, _cap: b"", Workspace(no_file, any_certificate))
    assert [each.place and each.place.file for each in found.problems] == [shown]


def test_a_file_that_cannot_be_read_is_a_problem_of_the_input() -> None:
    def refuse(_path: str, _cap: int) -> bytes:
        msg = "names a file of more than 1 MiB"
        raise ValueError(msg)

    found = load({"INPUT_CONFIG": FILE}, refuse, Workspace(no_file, any_certificate))
    assert [each.described for each in found.problems] == ["`config` names a file of more than 1 MiB"]


def test_several_services_are_not_the_plan_of_one() -> None:
    found = load_text("services: {api: , web: }", **ENOUGH)
    with pytest.raises(InvalidInputsError):
        _ = found.only
    assert load_text("services: {api: , web: }", **ENOUGH, services="web").only.name == "web"


def report_on(url: str) -> dict[str, object]:
    """The report of a verify step that saw one build name at an address."""
    seen = {
        "url": url,
        "health-url": f"{url}/api/ready",
        "version-url": f"{url}/api/ready",
        "names": [{"field": "commit", "kind": "commit", "values": ["1a2b3c4"]}],
        **{name: [] for name in ("noisy", "starts", "rows", "images")},
        **dict.fromkeys(("contract", "contract-version", "ended"), ""),
    }
    return {"schema": 1, "verdict": "verified", "mode": "verify", "seen": seen}


A, B = "https://a.example.com", "https://b.example.com"
TWO = f"services: {{a: {{base-url: '{A}'}}, b: {{base-url: '{B}'}}}}"


def test_each_service_takes_its_own_part_of_an_earlier_report() -> None:
    earlier = json.dumps(report_on(A) | {"services": {"a": report_on(A), "b": report_on(B)}})
    run = run_of(TWO, mode="verify", baseline=earlier)
    assert [each.baseline and each.baseline.url for each in run.services] == [A, B]
    assert [
        each.baseline and each.baseline.url
        for each in run_of(TWO, mode="verify", baseline=earlier, services="b").services
    ] == [B]
    assert run.warnings == ()


def test_a_service_that_an_earlier_report_does_not_have_is_a_note() -> None:
    for earlier in (report_on(A) | {"services": {"a": report_on(A)}}, report_on(A)):
        run = run_of(TWO, mode="verify", baseline=json.dumps(earlier))
        assert run.services[1].baseline is None
        assert "The report in `baseline` has nothing about `b`, so no change of it can be proven." in run.warnings
    assert plan_of(TWO, mode="verify", services="a", baseline=json.dumps(report_on(A))).baseline is not None


def test_an_invalid_report_is_reported_once() -> None:
    [only] = messages(TWO, mode="verify", baseline='{"schema": 1, "verd')
    assert only.startswith("`baseline` is not a whole JSON document")


def test_a_service_that_an_earlier_step_did_not_see_is_a_note_even_if_it_is_the_only_one() -> None:
    earlier = json.dumps(report_on(B) | {"services": {"a": {**report_on(A), "seen": {}}, "b": report_on(B)}})
    run = run_of(TWO, mode="verify", baseline=earlier, services="a")
    assert run.services[0].baseline is None
    assert run.warnings == ("The report in `baseline` has nothing about `a`, so no change of it can be proven.",)


PIECES = [
    *(
        "services:",
        "hosts:",
        "waves:",
        "defaults:",
        "max-parallel:",
        "api:",
        "timeout:",
        "smoke:",
        "image:",
        "headers:",
    ),
    *(
        "\n",
        "\n  ",
        "\n    ",
        "\n      - ",
        "{",
        "}",
        "[",
        "]",
        ": ",
        ", ",
        "!x ",
        "&a ",
        "*a",
        "? ",
        "#",
        " #",
        "'",
        '"',
        "|",
        ">",
    ),
    *(
        "\t",
        "\r\n",
        "${",
        "${API_SHA}",
        "$${",
        "${{",
        "<<: ",
        "---",
        "off",
        "~",
        "5m",
        "GET /a",
        "watchtower-token:",
        "\ufeff",
    ),
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.binary()))
def test_any_text_makes_a_run_or_problems(content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    given_inputs = ENVIRONMENT | {"INPUT_CONFIG": FILE, "INPUT_MODE": "verify"}
    found = load(given_inputs, lambda _path, _cap: raw, Workspace(no_file, any_certificate))
    assert (found.run is None) == bool(found.problems)
