"""The subject of a message: host, URL, container and image of the run, or placeholders that explain themselves."""

import re
import shlex
from dataclasses import replace

import pytest

from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS
from redeploy.remedies.remedy import LOOPBACK, Remedy
from redeploy.remedies.subject import NOTHING_KNOWN, Subject, subject_of
from sandbox.simulation import plan

CATALOGUE = {"loopback": LOOPBACK} | {str(name): each for name, each in (*REMEDIES.items(), *FINDINGS.items())}
PLACEHOLDERS = {
    "your-host.example",
    "your-container",
    "your-registry/your-image:tag",
    "your-service",
    "your-environment",
}
SEEN = Subject(
    host="shop.test",
    service="https://shop.test",
    health="https://shop.test/up",
    version="https://shop.test/v?a=1&b=2",
    document="https://shop.test/docs/openapi.json",
    container="shop-web-1",
    image="registry.test/shop/web:live",
    environment="live shop",
)


def text_of(remedy: Remedy) -> str:
    return f"{remedy.headline}\n{remedy.cause}\n{remedy.fix}"


def code_of(text: str) -> str:
    """The code in Markdown: what is to be pasted or typed."""
    fenced = re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)
    return "\n".join([*fenced, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))])


@pytest.mark.parametrize("subject", [NOTHING_KNOWN, SEEN], ids=["nothing known", "seen"])
@pytest.mark.parametrize("name", CATALOGUE)
class TestEveryMessage:
    def test_a_remedy_names_nothing_from_another_server(self, name: str, subject: Subject) -> None:
        text = text_of(CATALOGUE[name].about(subject))
        assert not re.search(r"portfolio|leoklemet|api\.example\.com|/opt/", text)

    def test_a_remedy_has_no_placeholder_that_a_person_would_have_to_guess(self, name: str, subject: Subject) -> None:
        code = code_of(text_of(CATALOGUE[name].about(subject)))
        assert not re.search(r"(?<![$\w])(?:URL|CONTAINER|IMAGE|SERVICE|SERVER|HOST|NAME|YOU)(?!\w)", code)

    def test_a_remedy_has_only_placeholders_that_explain_themselves(self, name: str, subject: Subject) -> None:
        text = text_of(CATALOGUE[name].about(subject))
        assert not re.search("[«»]", text)
        assert set(re.findall(r"your-[\w.-]+(?:/your-[\w.-]+:tag)?", text)) <= PLACEHOLDERS


@pytest.mark.parametrize("name", CATALOGUE)
def test_observed_values_replace_their_placeholders(name: str) -> None:
    text = text_of(CATALOGUE[name].about(SEEN))
    assert not re.search(r"your-(?:host|container|registry)", text)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("unresolved", "dig +short shop.test A shop.test AAAA"),
        ("certificate-expired", "openssl s_client -connect shop.test:443 -servername shop.test"),
        ("never-ready", "docker logs --tail 100 shop-web-1\ncurl -sSi 'https://shop.test/up'"),
        ("version-unavailable", "curl -sSi 'https://shop.test/v?a=1&b=2'"),
        ("openapi", "location = /docs/openapi.json {"),
        ("image-missing", "imagetools inspect registry.test/shop/web:live"),
        ("auth", "gh secret set WATCHTOWER_HTTP_API_TOKEN --env 'live shop'"),
    ],
)
def test_a_command_contains_the_observed_values(name: str, command: str) -> None:
    assert command in text_of(CATALOGUE[name].about(SEEN))


def test_without_a_known_environment_auth_explains_the_env_option() -> None:
    text = text_of(CATALOGUE["auth"].about(NOTHING_KNOWN))
    assert "gh secret set WATCHTOWER_HTTP_API_TOKEN\n" in text
    assert "add `--env` and its name" in text
    assert "add `--env`" not in text_of(CATALOGUE["auth"].about(SEEN))


def test_bot_fight_mode_is_turned_off_since_no_rule_skips_it() -> None:
    fix = CATALOGUE["challenge"].about(SEEN).fix
    assert re.search(r"Bot Fight Mode \(free plans\), turn it off .*: no WAF rule skips it", fix)


@pytest.mark.parametrize("blames_service", [False, True])
def test_a_redirect_is_inspected_where_it_was_seen_and_never_with_the_secret_url(*, blames_service: bool) -> None:
    text = text_of(CATALOGUE["redirect"].about(replace(SEEN, blames_service=blames_service)))
    assert ("'https://shop.test/up'" in text) is blames_service
    assert ('-X POST "$WATCHTOWER_UPDATE_URL"' in text) is not blames_service


@pytest.mark.parametrize("container", ["x; reboot", "$(reboot)", "a b", "-rm", "é"])
def test_a_name_that_docker_does_not_allow_is_not_put_into_a_command(container: str) -> None:
    text = CATALOGUE["never-ready"].about(replace(SEEN, container=container)).fix
    assert "docker logs --tail 100 your-container\n" in text


@pytest.mark.parametrize("url", ["https://shop.test/a'b", "https://shop.test/a?b=$(reboot)&c=`d`"])
def test_a_url_in_a_command_is_one_word_to_a_shell(url: str) -> None:
    text = CATALOGUE["never-ready"].about(replace(SEEN, health=url)).fix
    [line] = re.findall(r"(?m)^curl .*$", text)
    assert shlex.split(line)[2:] == [url.replace("'", "%27").replace("`", "%60")]


def test_a_path_that_nginx_would_misread_is_not_put_into_its_configuration() -> None:
    text = CATALOGUE["openapi"].about(replace(SEEN, document="https://shop.test/a;b{")).fix
    assert "location = /openapi.json {" in text


def test_a_remedy_names_the_host_that_the_run_blames() -> None:
    apart = plan(watchtower_url="https://ops.test/hidden/update", base_url="https://shop.test", container="shop-web-1")
    assert subject_of(apart, blames_service=False).host == "ops.test"
    assert subject_of(apart, blames_service=True).host == "shop.test"
    assert subject_of(apart, blames_service=True).container == "shop-web-1"
    assert subject_of(apart, blames_service=True, container="/seen").container == "seen"
