"""Valid inputs, and the messages about invalid ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.conditions.grammar import expectation
from redeploy.http.urls import origin_of
from redeploy.registry.access import Access
from redeploy.settings import defaults
from redeploy.settings.inputs import parse
from redeploy.settings.plan import Mode, OnFailure, Rate
from redeploy.settings.reading import InvalidInputsError, Problem, Workspace
from redeploy.text.secret import Secret
from redeploy.verdicts import Proof
from sandbox.simulation import BASE, ENOUGH, TOKEN, UPDATE_URL, any_certificate, bare_plan, environment, no_file, plan
from tests.unit.factories import D1, bare_problems, problems

NO_WATCHTOWER = {"mode": "verify", "base_url": BASE}


def test_a_url_and_a_token_are_all_that_a_deploy_needs() -> None:
    made = plan()
    assert made.mode is Mode.DEPLOY
    assert made.watchtower.update_url == UPDATE_URL
    assert made.watchtower.token.reveal() == TOKEN
    assert made.watchtower.containers_url == "https://api.example.com/ops/watchtower/containers"
    assert made.service.base_url == BASE
    assert made.service.health_url == made.service.version_url == f"{BASE}/api/ready"
    assert not made.service.names_itself
    assert (made.timeout, made.stable_for, made.request_timeout) == (300.0, 5.0, 10.0)
    assert made.rate == Rate(per_second=0.5, burst=15)
    assert made.require_proof is Proof.NONE
    assert not made.declared


@pytest.mark.parametrize("nothing", ["", "  ", "\r\n"])
def test_an_empty_input_means_its_default(nothing: str) -> None:
    all_empty = dict.fromkeys(defaults.DEFAULTS, nothing) | {"watchtower-url": UPDATE_URL, "watchtower-token": TOKEN}
    assert bare_plan(**{name.replace("-", "_"): value for name, value in all_empty.items()}) == plan()


def test_unknown_inputs_are_ignored() -> None:
    assert (
        parse(environment(**ENOUGH) | {"INPUT_NOISE": "x", "RUNNER_OS": "Linux"}, Workspace(no_file, any_certificate))
        == plan()
    )


def test_values_are_trimmed_before_they_are_judged() -> None:
    made = plan(
        watchtower_url=f"\t{UPDATE_URL}\r\n",
        watchtower_token=f" {TOKEN}\n",
        mode=" deploy ",
        allow_http=" true\n",
        timeout=" 2m \n",
        expect_version=" 1.2.3\n",
        expect_digest=f"{D1}\n",
        require_proof=" digest ",
    )
    assert made.watchtower.token.reveal() == TOKEN
    assert (made.timeout, made.expect_version, made.expect_digest) == (120.0, "1.2.3", D1)


def test_every_problem_of_every_input_is_reported_at_once() -> None:
    found = problems(
        mode="deplyo",
        watchtower_url="ftp://api.example.com/update",
        watchtower_token="two words",
        image="UPPER/Case:",
        container="-x",
        headers="no colon",
        service_headers="no colon",
        ca_certificate="missing.pem",
        allow_http="yes",
        base_url="https://u:p@api.example.com",
        health_path="https://",
        health_expect="ready",
        version_path="ftp://x",
        version_field="a..b",
        expect_version="two\nlines",
        expect_digest="sha256:12",
        containers_url="nowhere",
        wait_for_build="soon",
        baseline="verified",
        require_proof="digset",
        openapi_path="openapi.json",
        required_routes="GET api/ready",
        forbidden_routes="GETT /api/ready",
        openapi_reference="missing.yaml",
        breaking_changes="explode",
        smoke="POST /api/items",
        timeout="soon",
        stable_for="-1",
        max_downtime="soon",
        grace="later",
        request_timeout="0",
        request_rate="fast",
        instances="0",
        registry_username="a:b",
        registry_password="two\nlines",
        services="api",
        on_failure="revert",
        rollback_to="ghcr.io/o/api:v1",
        deployment_environment="two\nlines",
        issue_on_failure="\x07",
        github_token="two words",
    )
    assert set(found) == set(defaults.DEFAULTS) - {"config"}  # if given, its content is read instead


ROLLING_BACK = {"on_failure": "rollback", "image": "ghcr.io/o/api"}


def test_a_rollback_needs_one_image_with_the_tag_that_is_put_back() -> None:
    made = plan(**ROLLING_BACK, rollback_to="sha-1a2b3c4")
    assert (made.on_failure, made.rollback_to, made.may_roll_back) == (OnFailure.ROLLBACK, "sha-1a2b3c4", True)
    assert str(made.image) == "ghcr.io/o/api:latest"
    for images in ("", "o/a, o/b", f"o/a@{D1}"):
        assert "exactly one image" in problems(on_failure="rollback", image=images)["image"]
        assert "mode `rollback`" in problems(mode="rollback", image=images)["image"]


def test_mode_rollback_needs_what_a_deploy_needs() -> None:
    assert plan(mode="rollback", image="o/a", rollback_to=D1, require_proof="digest").mode is Mode.ROLLBACK
    assert set(bare_problems(mode="rollback", image="o/a", base_url=BASE)) == {"watchtower-url", "watchtower-token"}


@pytest.mark.parametrize("wrong", ["ghcr.io/o/api:v1", "sha256:12", "a b", "-x", "x" * 129])
def test_rollback_to_is_a_digest_or_a_tag(wrong: str) -> None:
    assert set(problems(**ROLLING_BACK, rollback_to=wrong)) == {"rollback-to"}


@pytest.mark.parametrize(
    ("given", "blamed"),
    [
        ({**NO_WATCHTOWER, "on_failure": "rollback", "image": "o/a"}, "on-failure"),
        ({**ENOUGH, "mode": "rollback", "on_failure": "rollback", "image": "o/a"}, "on-failure"),
        ({**ENOUGH, "mode": "rollback", "expect_digest": D1, "image": "o/a"}, "expect-digest"),
        ({**ENOUGH, "rollback_to": D1, "image": "o/a"}, "rollback-to"),
        ({**NO_WATCHTOWER, "rollback_to": D1}, "rollback-to"),
        ({**ENOUGH, "mode": "rollback", "rollback_to": "v1", "image": "o/a:v1"}, "rollback-to"),
    ],
    ids=["verify", "twice", "digest", "kept", "verify-kept", "its-own-tag"],
)
def test_inputs_that_contradict_a_rollback_are_an_error(given: dict[str, str], blamed: str) -> None:
    assert set(bare_problems(**given)) == {blamed}


def test_one_invalid_input_is_reported_once_and_no_other_is_blamed() -> None:
    with pytest.raises(InvalidInputsError) as caught:
        plan(watchtower_url="http://api.example.com/ops/watchtower/update", expect_digest=D1, require_proof="digest")
    assert [problem.input for problem in caught.value.problems] == ["watchtower-url"]


def test_a_wrong_token_is_not_also_reported_as_a_missing_containers_url() -> None:
    assert set(problems(watchtower_token="two words", expect_digest=D1)) == {"watchtower-token"}


def test_a_wrong_containers_url_is_reported_beside_a_missing_token() -> None:
    found = problems(watchtower_token="", containers_url="nowhere")
    assert set(found) == {"watchtower-token", "containers-url"}


def test_a_wrong_path_is_reported_beside_a_wrong_url() -> None:
    found = problems(watchtower_url="nowhere", health_path="/ready#now", version_path="/ver sion")
    assert set(found) == {"watchtower-url", "health-path", "version-path"}


@pytest.mark.parametrize("name", ["watchtower-url", "watchtower-token"])
def test_an_empty_secret_is_reported_with_its_probable_cause(name: str) -> None:
    message = problems(**{name.replace("-", "_"): " \n"})[name]
    assert "gh secret set " in message
    assert "`environment:`" in message


@pytest.mark.parametrize("name", defaults.DEFAULTS)
def test_a_secret_given_to_the_wrong_input_is_not_repeated(name: str) -> None:
    secret = "sk_ \x07live#51H8\u2713xyz"
    found = problems(**{name.replace("-", "_"): secret})
    assert not any("51H8" in message for message in found.values() if name in ("watchtower-token", "headers"))
    assert not any("\x07" in message for message in found.values())


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/s3cret-path update",
        "http://s3cret.example.com/update",
        "https://s3cret.example.com",
        "https://s3cret@api.example.com/update",
        "https://api.example.com/update#s3cret",
        "https://api.example.com:s3cret/update",
        "https://[s3cret]/update",
        "https://api.example.com/s3cret?async=true",
        "s3cret",
    ],
)
def test_a_wrong_update_url_is_not_repeated(url: str) -> None:
    assert "s3cret" not in problems(watchtower_url=url)["watchtower-url"]


# mode, booleans, durations, rates


@pytest.mark.parametrize(("text", "mode"), [("deploy", Mode.DEPLOY), ("verify", Mode.VERIFY)])
def test_a_mode_is_known_by_its_name(text: str, mode: Mode) -> None:
    assert plan(mode=text).mode is mode


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("mode", "verfy", "verify"),
        ("mode", "Deploy", "deploy"),
        ("require-proof", "digset", "digest"),
        ("require-proof", "VERSION", "version"),
    ],
)
def test_a_near_miss_gets_a_suggestion(name: str, text: str, meant: str) -> None:
    assert f"did you mean `{meant}`?" in problems(**{name.replace("-", "_"): text})[name]


def test_a_value_far_from_all_others_gets_no_suggestion() -> None:
    assert "did you mean" not in problems(mode="xyzzy")["mode"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False)],
)
def test_booleans_have_six_spellings(text: str, allowed: bool) -> None:
    url = "http://api.example.com/update"
    assert ("watchtower-url" not in problems(watchtower_url=url, allow_http=text)) is allowed


@pytest.mark.parametrize("text", ["yes", "no", "1", "0", "on", "tRue", "truefalse", "null"])
def test_every_other_boolean_is_an_error(text: str) -> None:
    assert set(problems(allow_http=text)) == {"allow-http"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("2m", 120.0),
        ("2m30s", 150.0),
        ("1h", 3600.0),
        ("500ms", 0.5),
        ("1h1m1s1ms", 3661.001),
        ("24h", 86400.0),
        ("1440m", 86400.0),
        ("0h1m", 60.0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert plan(timeout=text).timeout == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "5 m",
        "-5",
        "1.5s",
        "s",
        "ms",
        "5d",
        "30s2m",
        "5mm",
        "1e3",
        "+5",
        "24h1ms",
        "86401",
        "999999999h",
        "\u0669\u0660",
        "\uff190s",
        "5M",
    ],
)
def test_an_invalid_duration_is_an_error(text: str) -> None:
    assert set(problems(timeout=text)) == {"timeout"}


@pytest.mark.parametrize("text", ["0", "0s", "0ms", "0h0m"])
def test_only_stable_for_and_max_downtime_may_be_zero(text: str) -> None:
    assert plan(stable_for=text).stable_for == 0
    assert plan(max_downtime=text).max_downtime == 0
    assert set(problems(timeout=text, request_timeout=text)) == {"timeout", "request-timeout"}


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(1, 999))
def test_the_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    made = plan(timeout=f"{hours}h{minutes}m{seconds}s{milliseconds}ms")
    assert made.timeout == pytest.approx(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


@pytest.mark.parametrize(
    ("text", "rate"), [("30/m", Rate(0.5)), ("2/s", Rate(2.0)), ("1/m", Rate(1 / 60)), ("off", None)]
)
def test_a_rate_is_read(text: str, rate: Rate | None) -> None:
    assert plan(request_rate=text).rate == rate


@pytest.mark.parametrize("text", ["30", "0/m", "30/h", "-1/s", "1.5/s", "30 /m", "OFF", "/s", "\u0663/s"])
def test_an_invalid_rate_is_an_error(text: str) -> None:
    assert set(problems(request_rate=text)) == {"request-rate"}


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/ops/watchtower/update",
        "https://api.example.com:8443/v1/update",
        "https://api.example.com/update?key=a%20b",
        "http://localhost:8080/v1/update",
        "http://127.0.0.1:8080/v1/update",
        "http://127.8.9.10/v1/update",
        "http://[::1]:8080/v1/update",
        "HTTPS://API.EXAMPLE.COM/update",
    ],
)
def test_an_update_url_is_taken_as_it_is(url: str) -> None:
    assert plan(watchtower_url=url).watchtower.update_url == url


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("api.example.com/update", id="no scheme"),
        pytest.param("ftp://api.example.com/update", id="another scheme"),
        pytest.param("https:///update", id="no host"),
        pytest.param("https://user:pw@api.example.com/update", id="user info"),
        pytest.param("https://@api.example.com/update", id="empty user"),
        pytest.param("https://api.example.com/update#now", id="fragment"),
        pytest.param("https://api.example.com/update#", id="empty fragment"),
        pytest.param("https://api.example.com:99999/update", id="port too large"),
        pytest.param("https://api.example.com:0/update", id="port zero"),
        pytest.param("https://api.example.com:x/update", id="port no number"),
        pytest.param("https://api.example.com/up date", id="space"),
        pytest.param("https://api.example.com/up\ndate", id="line end"),
        pytest.param("https://api.example.com\\update", id="backslash"),
        pytest.param("https://ápi.example.com/update", id="not ASCII"),
        pytest.param("https://api.example.com", id="no path"),
        pytest.param("https://api.example.com/", id="root path"),
        pytest.param("https://api.example.com?x=1", id="query but no path"),
        pytest.param("https://api.example.com/update?async=true", id="async"),
        pytest.param("https://api.example.com/update?x=1&timeout=5s", id="timeout"),
        pytest.param("https://api.example.com/update?timeout", id="timeout without value"),
        pytest.param("https://api.example.com/update?%61sync=true", id="async, percent-encoded"),
        pytest.param("http://api.example.com/update", id="plain http"),
        pytest.param("http://127.0.0.1.evil.example/update", id="plain http to a name that begins like loopback"),
        pytest.param("http://localhost.evil.example/update", id="plain http to a name that begins like localhost"),
        pytest.param("http://10.0.0.1/update", id="plain http to a private address"),
    ],
)
def test_a_url_that_cannot_be_right_is_an_error(url: str) -> None:
    assert set(problems(watchtower_url=url)) == {"watchtower-url"}


@pytest.mark.parametrize("name", ["base-url", "containers-url", "health-path", "version-path", "watchtower-url"])
def test_plain_http_has_to_be_allowed_for_every_address(name: str) -> None:
    url = "http://other.example.com/x"
    assert set(problems(**{name.replace("-", "_"): url})) == {name}
    assert problems(**{name.replace("-", "_"): url}, allow_http="true") == {}


def test_the_base_url_defaults_to_the_origin_of_the_update_url() -> None:
    made = plan(watchtower_url="https://API.example.com:443/ops/update?x=1")
    assert made.service.base_url == "https://api.example.com"
    assert made.header_origins == {"https://api.example.com"}


def test_paths_are_appended_to_the_base_url() -> None:
    made = plan(base_url="https://www.example.com/app/", health_path="/up", version_path="/v?full=1")
    assert made.service.health_url == "https://www.example.com/app/up"
    assert made.service.version_url == "https://www.example.com/app/v?full=1"
    assert made.service.names_itself
    assert made.header_origins == {"https://api.example.com", "https://www.example.com"}


def test_a_path_may_be_a_url_of_its_own() -> None:
    made = plan(health_path="https://status.example.com/up")
    assert made.service.health_url == made.service.version_url == "https://status.example.com/up"
    assert made.header_origins == {"https://api.example.com"}


def test_a_path_may_hold_a_url_in_its_query() -> None:
    assert plan(health_path="/ready?of=http://db").service.health_url == f"{BASE}/ready?of=http://db"


@pytest.mark.parametrize("path", ["ready", "api/ready", "?x=1", "/rea dy", "/ready#x", "/réady"])
def test_an_invalid_path_is_an_error(path: str) -> None:
    assert set(problems(health_path=path)) == {"health-path"}


def test_a_base_url_with_a_query_is_an_error() -> None:
    assert set(problems(base_url="https://www.example.com/?x=1")) == {"base-url"}


@pytest.mark.parametrize(
    ("update", "containers"),
    [
        ("https://a.example/v1/update", "https://a.example/v1/containers"),
        ("https://a.example/update/update", "https://a.example/update/containers"),
        ("https://a.example/update?x=1", "https://a.example/containers"),
        ("https://a.example/redeploy", None),
        ("https://a.example/update/", None),
        ("https://a.example/noupdate", None),
    ],
)
def test_the_containers_url_is_derived_where_the_path_ends_in_update(update: str, containers: str | None) -> None:
    assert plan(watchtower_url=update).watchtower.containers_url == containers


def test_a_containers_url_that_is_given_is_taken() -> None:
    given_url = "https://other.example.com/c"
    assert (
        plan(watchtower_url="https://a.example/redeploy", containers_url=given_url).watchtower.containers_url
        == given_url
    )


def test_a_declared_digest_needs_a_containers_url() -> None:
    found = problems(watchtower_url="https://a.example/redeploy", expect_digest=D1)
    assert set(found) == {"expect-digest"}
    assert "containers-url" in found["expect-digest"]


# secrets


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("two words", id="space"),
        pytest.param("two\nlines", id="line end"),
        pytest.param("tab\tbed", id="tab"),
        pytest.param("tök", id="not ASCII"),
        pytest.param("nul\0", id="nul"),
        pytest.param("del\x7f", id="delete"),
        pytest.param("narrow\u00a0space", id="no-break space"),
    ],
)
def test_a_token_that_no_header_can_carry_is_an_error(token: str) -> None:
    message = problems(watchtower_token=token)["watchtower-token"]
    assert token not in message
    assert repr(token)[1:-1] not in message


def test_the_github_token_is_checked_only_if_a_deployment_is_configured() -> None:
    assert plan(github_token="two words").github_token == Secret("")
    made = plan(github_token=" ghs_abcdef ", deployment_environment=" production\n")
    assert (made.deployment_environment, made.github_token) == ("production", Secret("ghs_abcdef"))
    assert Secret("ghs_abcdef") in made.secrets


def test_a_deployment_without_a_token_says_how_to_give_one() -> None:
    found = problems(deployment_environment="production")
    assert set(found) == {"github-token"}
    assert "leave it out" in found["github-token"]


@pytest.mark.parametrize("name", ["x" * 256, "pro\tduction", "a\u2028b"])
def test_an_environment_is_one_line(name: str) -> None:
    assert set(problems(deployment_environment=name, github_token="ghs_abcdef")) == {"deployment-environment"}


@pytest.mark.parametrize(
    ("given_title", "title"),
    [
        ("Production is down", "Production is down"),
        ("two\nlines\x1b[31m and \u202eturned", "two lines and turned"),
        ("x" * 300, "x" * 254 + "…"),
    ],
)
def test_the_title_of_an_issue_becomes_one_visible_line(given_title: str, title: str) -> None:
    assert plan(issue_on_failure=given_title, github_token="ghs_abcdef").issue_on_failure == title


def test_an_issue_needs_a_token() -> None:
    assert "`issue-on-failure` needs it" in problems(issue_on_failure="Broken")["github-token"]


def test_the_github_token_is_masked_even_where_it_is_not_used() -> None:
    assert Secret("ghs_abcdef") in defaults.secrets_in(environment(github_token="ghs_abcdef"))


def test_the_update_url_is_masked_because_it_is_often_a_secret() -> None:
    url = f"{BASE}/ops/watchtower/update"
    assert Secret(url) in defaults.secrets_in(environment(watchtower_url=url))


def test_the_registrys_password_is_masked_alone_and_as_a_header_carries_it() -> None:
    hidden = defaults.secrets_in(environment(registry_username="leo", registry_password="s3cret"))
    assert hidden == (Secret("s3cret"), Secret("bGVvOnMzY3JldA=="))


def test_headers_are_read_line_by_line() -> None:
    made = plan(headers="CF-Access-Client-Id: abc.access\r\n\n  X-Key :  a: b, c \n")
    assert {name: value.reveal() for name, value in made.headers.items()} == {
        "CF-Access-Client-Id": "abc.access",
        "X-Key": "a: b, c",
    }
    assert set(made.secrets) == {Secret(TOKEN), Secret("abc.access"), Secret("a: b, c")}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("hunter2-hunter2", "`Name: value`", id="no colon"),
        pytest.param(": hunter2-hunter2", "`Name: value`", id="no name"),
        pytest.param("X Key: hunter2-hunter2", "`Name: value`", id="space in the name"),
        pytest.param("X-Key:", "no value", id="no value"),
        pytest.param("X-Key:  \t", "no value", id="blank value"),
        pytest.param("Authorization: Bearer hunter2", "watchtower-token", id="authorization"),
        pytest.param("authorization: Bearer hunter2", "watchtower-token", id="authorization in lower case"),
        *(
            pytest.param(f"{name}: hunter2-hunter2", "sets itself", id=name)
            for name in (
                "Connection",
                "Keep-Alive",
                "Proxy-Authenticate",
                "Proxy-Authorization",
                "TE",
                "Trailer",
                "Transfer-Encoding",
                "Upgrade",
                "Host",
                "Content-Length",
            )
        ),
        pytest.param("X-Key: hunter2\x07hunter2", "control character", id="control character"),
        pytest.param("X-Key: hunter2\u2713hunter2", "control character", id="outside Latin-1"),
    ],
)
def test_a_header_that_cannot_be_sent_is_an_error(line: str, says: str) -> None:
    found = problems(headers=f"X-Fine: yes-fine\n{line}")
    assert set(found) == {"headers"}
    assert says in found["headers"]
    assert found["headers"].startswith("line 2 ")
    assert "hunter2" not in found["headers"]


def test_a_header_given_twice_is_an_error_whatever_its_case() -> None:
    assert "a second time" in problems(headers="X-Key: one1\nx-key: two2")["headers"]


def test_every_wrong_header_line_is_reported() -> None:
    message = problems(headers="one\ntwo\nX-Key: fine")["headers"]
    assert "line 1 " in message
    assert "line 2 " in message


@pytest.mark.parametrize(
    ("given_inputs", "hidden"),
    [
        ({"watchtower_token": " tok-12345\n"}, {"tok-12345"}),
        ({"watchtower_token": "abc"}, set[str]()),
        ({"watchtower_token": "not a token"}, {"not a token"}),
        ({"headers": "X-Key: a-long-value\r\nY: abc\r\nngrok-skip-browser-warning: true"}, {"a-long-value"}),
        ({"headers": "Origin: https://app.example.com", "base_url": "https://app.example.com"}, set[str]()),
        ({"headers": "X-Canary: 1.5.0-rc.12", "expect_version": "1.5.0-rc.12"}, set[str]()),
        ({"headers": "forgot-the-name"}, {"forgot-the-name"}),
        ({"headers": "Authorization: Bearer tok-67890"}, {"Bearer tok-67890", "tok-67890"}),
    ],
)
def test_secrets_are_known_before_they_are_validated(given_inputs: dict[str, str], hidden: set[str]) -> None:
    found = defaults.secrets_in(environment(**given_inputs))
    assert {secret.reveal() for secret in found} == hidden


def test_addresses_are_never_masked() -> None:
    assert defaults.secrets_in(environment(base_url=BASE, watchtower_token="")) == ()


# narrowing the update


@pytest.mark.parametrize(
    ("text", "repositories"),
    [
        ("ghcr.io/o/app", ("ghcr.io/o/app",)),
        ("ghcr.io/o/app:latest", ("ghcr.io/o/app",)),
        (f"ghcr.io/o/app@{D1}", ("ghcr.io/o/app",)),
        (f"ghcr.io/o/app:v1.2@{D1}", ("ghcr.io/o/app",)),
        ("registry.local:5000/o/app", ("registry.local:5000/o/app",)),
        ("registry.local:5000/o/app:1", ("registry.local:5000/o/app",)),
        ("nginx", ("nginx",)),
        ("a/b:1, c/d:2\n e/f \r\n", ("a/b", "c/d", "e/f")),
        ("a/b:1,a/b:2", ("a/b",)),
        (",,", ()),
    ],
)
def test_an_image_is_narrowed_by_its_repository(text: str, repositories: tuple[str, ...]) -> None:
    assert plan(image=text).watchtower.images == repositories


@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/O/app",
        "app:",
        "app@",
        "app@sha256:12",
        ":latest",
        "a b",
        "https://ghcr.io/o/app",
        "a//b",
        "app:-x",
        "a/b:t:u",
    ],
)
def test_an_invalid_image_reference_is_an_error(text: str) -> None:
    assert set(problems(image=text)) == {"image"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("api", ("api",)),
        ("/api", ("api",)),
        ("api, web\nworker_1.x", ("api", "web", "worker_1.x")),
        ("api,api", ("api",)),
    ],
)
def test_containers_are_named(text: str, names: tuple[str, ...]) -> None:
    assert plan(container=text).watchtower.containers == names


@pytest.mark.parametrize("text", ["-api", "a b", "api*", ".*", "a/b", "//api", "ap|i"])
def test_an_invalid_container_name_is_an_error(text: str) -> None:
    assert set(problems(container=text)) == {"container"}


@pytest.mark.parametrize(
    ("given_inputs", "query"),
    [
        ({}, ""),
        ({"image": "ghcr.io/o/app:1"}, "?image=ghcr.io/o/app"),
        ({"image": "a/b:1,c/d:2"}, "?image=a/b,c/d"),
        ({"container": "api"}, "?container=api"),
        ({"container": "a.b"}, "?container=a%5C.b"),
        ({"image": "a/b", "container": "api"}, "?image=a/b&container=api"),
        ({"watchtower_url": f"{UPDATE_URL}?x=1", "image": "a/b"}, "?x=1&image=a/b"),
    ],
)
def test_the_trigger_carries_the_narrowing_in_its_query(given_inputs: dict[str, str], query: str) -> None:
    assert plan(**given_inputs).watchtower.trigger_url == UPDATE_URL + query


# the registry


@pytest.mark.parametrize(
    ("text", "looked_up"),
    [
        ("ghcr.io/o/app", "ghcr.io/o/app:latest"),
        ("nginx:1.25", "nginx:1.25"),
        (f"ghcr.io/o/app:v1@{D1}", f"ghcr.io/o/app@{D1}"),
        ("a/b:1, a/b:1", "a/b:1"),
        ("a/b:1, a/b:2", "None"),
        ("a/b, c/d", "None"),
        ("", "None"),
    ],
)
def test_one_image_is_looked_up_by_its_tag(text: str, looked_up: str) -> None:
    assert str(plan(image=text).image) == looked_up


def test_registry_access_is_with_credentials_or_anonymous() -> None:
    assert plan().access == Access("", Secret(""), allow_http=False)
    made = plan(registry_username="leo", registry_password=" p4ss wörd ", allow_http="true")
    assert made.access == Access("leo", Secret("p4ss wörd"), allow_http=True)
    assert Secret("p4ss wörd") in made.secrets


@pytest.mark.parametrize(
    ("given_inputs", "wrong"),
    [
        ({"registry_username": "leo"}, "registry-password"),
        ({"registry_password": "p4ss"}, "registry-username"),
        ({"registry_username": "a:b", "registry_password": "p4ss"}, "registry-username"),
        ({"registry_username": "leo", "registry_password": "a\tb"}, "registry-password"),
        ({"expect_version": "image"}, "expect-version"),
        ({"expect_version": "image", "image": "a/b,c/d"}, "expect-version"),
        ({"expect_version": "image", "image": "A/B/C"}, "image"),
    ],
)
def test_unusable_registry_inputs_are_an_error(given_inputs: dict[str, str], wrong: str) -> None:
    assert set(problems(**given_inputs)) == {wrong}


def test_the_version_of_the_image_is_not_known_yet() -> None:
    made = plan(expect_version="image", image="a/b", require_proof="version")
    assert (made.version_of_image, made.expect_version) == (True, "")
    assert not plan(expect_version="image-2", image="a/b").version_of_image


# expectations, and rules across inputs


@pytest.mark.parametrize(
    "text", ["sha256:" + "a" * 63, "sha256:" + "A" * 64, "a" * 64, "sha512:" + "a" * 64, "sha256:" + "g" * 64]
)
def test_an_invalid_digest_is_an_error(text: str) -> None:
    assert set(problems(expect_digest=text)) == {"expect-digest"}


@pytest.mark.parametrize("text", ["x" * 257, "two\nlines", "bell\x07", "a\u2028b"])
def test_a_version_is_one_line_of_at_most_256_characters(text: str) -> None:
    assert set(problems(expect_version=text)) == {"expect-version"}
    assert plan(expect_version="x" * 256).expect_version == "x" * 256


@pytest.mark.parametrize(
    "field",
    [
        "build.sha",
        "/build/sha",
        "/",
        "sha",
        "replicas.0.sha",
        "header:X-Version",
        "/a~1b",
        "meta:git-sha",
        "meta:og:version",
        "attr:data-build",
        "match:build ([0-9a-f]{7,40})",
        "match:^v\\d+",
        "{major}.{minor}.{patch}",
        "v{/build/number}",
    ],
)
def test_a_version_field_gives_the_place_of_the_version(field: str) -> None:
    assert plan(version_field=field).service.version_field == field


@pytest.mark.parametrize(
    "field",
    [
        "header:",
        "header:X Version",
        ".sha",
        "build.",
        "a..b",
        "a\x07b",
        "meta:",
        "attr:",
        "attr:two words",
        "match:(",
        "match:(?=x)",
        f"match:{'x' * 2_000}",
        "body",
        "{a..b}",
    ],
)
def test_an_invalid_field_is_an_error(field: str) -> None:
    assert set(problems(version_field=field)) == {"version-field"}


@pytest.mark.parametrize(
    "text",
    ["any", "status=ok", "/status=ok", "checks.db=true", 'status=""', "a=b=c", "header:X=1", "a=1 and b<2\nc!=3"],
)
def test_a_health_expectation_is_any_or_lines_of_conditions(text: str) -> None:
    assert plan(health_expect=text).service.health_expect == expectation(text)


@pytest.mark.parametrize("text", ["ok", "=ok", "status=", "a..b=1", "Any", "a=1\nany"])
def test_an_invalid_health_expectation_is_an_error(text: str) -> None:
    assert set(problems(health_expect=text)) == {"health-expect"}


@pytest.mark.parametrize(
    ("proof", "given_inputs", "wrong"),
    [
        ("none", {}, set[str]()),
        ("claim", {}, set[str]()),
        ("change", {}, set[str]()),
        ("version", {}, {"require-proof"}),
        ("version", {"expect_version": "1"}, set[str]()),
        ("version", {"expect_digest": D1}, {"require-proof"}),
        ("digest", {}, {"require-proof"}),
        ("digest", {"expect_version": "1"}, {"require-proof"}),
        ("digest", {"expect_digest": D1}, set[str]()),
        ("claim", {"mode": "verify"}, {"require-proof"}),
        ("change", {"mode": "verify"}, {"require-proof"}),
        ("none", {"mode": "verify"}, set[str]()),
        ("version", {"mode": "verify", "expect_version": "1"}, set[str]()),
        ("digest", {"mode": "verify", "expect_digest": D1}, set[str]()),
    ],
)
def test_a_required_proof_must_be_possible(proof: str, given_inputs: dict[str, str], wrong: set[str]) -> None:
    assert set(problems(require_proof=proof, **given_inputs)) == wrong


def test_verify_needs_no_watchtower() -> None:
    made = bare_plan(**NO_WATCHTOWER)
    assert made.watchtower.update_url is None
    assert made.watchtower.containers_url is None
    assert made.service.health_url == f"{BASE}/api/ready"


def test_verify_needs_to_know_where_the_service_is() -> None:
    assert set(bare_problems(mode="verify")) == {"base-url"}


def test_verify_with_a_digest_needs_the_token() -> None:
    found = bare_problems(**NO_WATCHTOWER, watchtower_url=UPDATE_URL, expect_digest=D1)
    assert set(found) == {"expect-digest"}
    assert "watchtower-token" in found["expect-digest"]


# certificates

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


def test_a_certificate_may_be_given_as_text() -> None:
    assert plan(ca_certificate=PEM).ca_certificate == PEM


def test_a_certificate_may_be_a_file_of_the_workspace() -> None:
    made = parse(
        environment(**ENOUGH, ca_certificate="ca.pem"),
        Workspace(lambda path, _: {"ca.pem": PEM}[path], any_certificate),
    )
    assert made.ca_certificate == PEM


def test_an_invalid_certificate_is_an_error() -> None:
    def check(pem: str) -> None:
        raise ValueError("contains no usable PEM certificate")

    with pytest.raises(InvalidInputsError) as caught:
        parse(environment(**ENOUGH, ca_certificate=PEM), Workspace(no_file, check))
    assert [problem.input for problem in caught.value.problems] == ["ca-certificate"]


# origins


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example.com/x?y", "https://a.example.com"),
        ("https://a.example.com:443/", "https://a.example.com"),
        ("https://a.example.com:8443/", "https://a.example.com:8443"),
        ("http://a.example.com:80", "http://a.example.com"),
        ("http://a.example.com:443", "http://a.example.com:443"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@given(st.dictionaries(st.sampled_from(sorted(defaults.DEFAULTS)), st.text(max_size=80)))
def test_any_inputs_make_a_plan_or_problems_that_name_inputs(texts: dict[str, str]) -> None:
    found: tuple[Problem, ...] = ()
    try:
        parse({f"INPUT_{name.upper()}": text for name, text in texts.items()}, Workspace(no_file, any_certificate))
    except InvalidInputsError as error:
        found = error.problems
    else:
        return
    assert found
    assert {problem.input for problem in found} <= set(defaults.DEFAULTS)
    assert not any("\n" in problem.message or "\r" in problem.message for problem in found)


# values that are probably mistakes


@pytest.mark.parametrize(
    ("given", "blamed", "says"),
    [
        ({"watchtower_token": '"tok-12345"'}, "watchtower-token", "in quotes"),
        ({"watchtower_token": "'tok-12345'"}, "watchtower-token", "in quotes"),
        ({"watchtower_token": "WATCHTOWER_HTTP_API_TOKEN=tok-12345"}, "watchtower-token", "environment file"),
        ({"watchtower_url": f'"{BASE}/ops/watchtower/update"'}, "watchtower-url", "in quotes"),
        ({"base_url": f"'{BASE}'"}, "base-url", "in quotes"),
        ({"expect_version": "${{ github.sha }}"}, "expect-version", "not expanded"),
        ({"watchtower_token": "${{secrets.TOKEN}}"}, "watchtower-token", "not expanded"),
        ({"smoke": "GET /api/${{ matrix.path }}"}, "smoke", "not expanded"),
        ({"health_expect": "status==ok"}, "health-expect", "`status=ok`"),
        ({"health_expect": "status =~ ok"}, "health-expect", "not an operator"),
        ({"health_expect": "# how it is\nstatus !== ok"}, "health-expect", "line 2, column 8"),
    ],
)
def test_a_value_with_a_typical_paste_error_is_reported_as_such(given: dict[str, str], blamed: str, says: str) -> None:
    found = problems(**given)
    assert set(found) == {blamed}
    assert says in found[blamed]
    assert "tok-12345" not in found[blamed]


@pytest.mark.parametrize("token", ["dG9rZW4tMTIz==", "A_B=", "a_b=c", 'tok"en'])
def test_a_token_may_have_quotes_and_equals_signs_inside(token: str) -> None:
    assert plan(watchtower_token=token).watchtower.token == Secret(token)


@pytest.mark.parametrize("word", ["latest", "Main", "stable", "edge"])
def test_a_moving_tag_as_version_causes_a_warning(word: str) -> None:
    [warning] = plan(expect_version=word).warnings
    assert "moves from build to build" in warning


def test_an_image_whose_registry_has_a_port_causes_a_warning() -> None:
    [warning] = plan(image="ghcr.io/o/web\nregistry.example.com:5000/o/app:1").warnings
    assert "`registry.example.com:5000/o/app`" in warning
    assert "containrrr and openserbia match no image" in warning


def test_a_short_header_value_causes_a_warning_only_if_the_headers_name_marks_a_credential() -> None:
    [warning] = plan(headers="ngrok-skip-browser-warning: true\nX-Api-Key: abc1234").warnings
    assert "`X-Api-Key`" in warning
    assert "abc1234" not in warning


def test_usual_values_cause_no_warning() -> None:
    usual = plan(expect_version="sha-1a2b3c4", image="ghcr.io/o/app:latest", headers="X-Api-Key: abc12345")
    assert usual.warnings == ()


@pytest.mark.parametrize("name", ["container", "image", "smoke"])
def test_a_message_quotes_no_part_of_a_secret_that_it_cuts(name: str) -> None:
    token = "Zq8-x_V4tWn2" * 20
    message = problems(watchtower_token=token, **{name: f"/{'x' * 60}{token}:{token} {token}"})[name]
    assert "Zq8" not in message


def test_the_service_may_have_headers_of_its_own_with_authorization() -> None:
    made = plan(headers="X-Key: of-both-1", service_headers="Authorization: Bearer of-service\nX-Key: of-service-2")
    assert {name: value.reveal() for name, value in made.service_headers.items()} == {
        "Authorization": "Bearer of-service",
        "X-Key": "of-service-2",
    }
    assert {each.reveal() for each in made.secrets} >= {"of-both-1", "Bearer of-service", "of-service-2"}
    assert "service-headers" in problems(headers="Authorization: Bearer x")["headers"]


@pytest.mark.parametrize("line", ["Host: x", "no colon", "Authorization:", "X: \u20ac"])
def test_an_invalid_header_of_the_service_is_reported_without_its_value(line: str) -> None:
    found = problems(service_headers=f"X-Fine: fine\n{line}")
    assert set(found) == {"service-headers"}
    assert found["service-headers"].startswith("line 2 ")


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("Authorization: Bearer abcd-efgh-ijkl", {"Bearer abcd-efgh-ijkl", "abcd-efgh-ijkl"}),
        (
            "Authorization: Basic dXNlcjpsb25nLXBhc3N3b3Jk",
            {"Basic dXNlcjpsb25nLXBhc3N3b3Jk", "dXNlcjpsb25nLXBhc3N3b3Jk", "long-password"},
        ),
        ("Authorization: Bearer abc", {"Bearer abc"}),
        ("X-Key: abc", set[str]()),
    ],
)
def test_secrets_in_a_header_of_the_service_are_hidden(line: str, hidden: set[str]) -> None:
    assert {each.reveal() for each in defaults.secrets_in({"INPUT_SERVICE-HEADERS": line})} == hidden


def test_smoke_lines_are_reported_with_their_numbers() -> None:
    message = problems(smoke="GET /a\n# a note\nGET /b status==UP\nPOST /c")["smoke"]
    assert "line 3, column 14: `==`" in message
    assert "line 4: " in message


@pytest.mark.parametrize("given", [{"health_expect": "status=UP # or so"}, {"smoke": "GET /a status=UP # or so"}])
def test_a_comment_that_became_part_of_a_value_causes_a_warning(given: dict[str, str]) -> None:
    [warning] = plan(**given).warnings
    assert "`status=UP # or so`" in warning
    assert plan(health_expect="status = 'UP # or so'").warnings == ()
