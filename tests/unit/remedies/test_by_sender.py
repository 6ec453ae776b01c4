"""The error of a run that knows which server responded: it names that server, and first says whether the service is up."""

import itertools
import re
from collections.abc import Callable

import pytest
import yaml

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.report import annotations, wording
from redeploy.rollout.requests import Probe
from sandbox.simulation import World, simulate
from tests.unit.factories import D1, D2, D3, NEW, OLD, page, ready, reply, rows, summary
from tests.unit.http.test_condition import FIBER

NGINX_PAGE = "<center>nginx/1.25.3</center>"
GO_404 = reply(404, "404 page not found\n", content_type="text/plain", x_content_type_options="nosniff")


def before_and_after(before: HttpResult, after: HttpResult) -> Callable[[float, Probe], HttpResult]:
    return lambda moment, _: before if moment < 1 else after


def error_of(world: World, **inputs: str) -> tuple[str, str]:
    """The title and the message of a run's first annotation."""
    found = annotations.annotations(simulate(world, **inputs).outcome)[0]
    return found.title, found.message


@pytest.mark.parametrize(
    ("answer", "headline", "words", "not_said"),
    [
        pytest.param(
            Response(401, {"www-authenticate": 'Basic realm="ops"'}, page(401, NGINX_PAGE).body),
            "trigger-failed: Another login guards the update URL",
            ("401 from nginx that asks for a user name and a password", "auth_basic off;", "api.example.com"),
            "gh secret set WATCHTOWER_HTTP_API_TOKEN",
            id="basic auth",
        ),
        pytest.param(
            page(403, NGINX_PAGE),
            "nginx forbids the request",
            ("Watchtower never responds with 403", "403 from nginx"),
            "gh secret set WATCHTOWER_HTTP_API_TOKEN",
            id="a ban",
        ),
        pytest.param(
            reply(403, "error code: 1020", server="cloudflare", cf_ray="9a"),
            "Cloudflare blocks the request",
            ("Security > Events",),
            "gh secret set WATCHTOWER_HTTP_API_TOKEN",
            id="Cloudflare's rule",
        ),
        pytest.param(
            reply(401),
            "Watchtower, or a proxy in front of it, refused the token",
            ("401 from Watchtower", "gh secret set WATCHTOWER_HTTP_API_TOKEN"),
            "auth_basic",
            id="a wrong token",
        ),
        pytest.param(
            GO_404,
            "Nothing is routed to Watchtower",
            ("404 from Traefik or another Go program", "traefik.http.routers.watchtower.rule"),
            "from Watchtower",
            id="Traefik",
        ),
        pytest.param(
            reply(404, {"detail": "Not Found"}),
            "The update URL leads to an application (FastAPI), not to Watchtower",
            ("404 from FastAPI",),
            "from Watchtower",
            id="FastAPI",
        ),
        pytest.param(
            reply(401, {"detail": "Not authenticated"}),
            "The update URL leads to an application (FastAPI)",
            ("401 from FastAPI",),
            "gh secret set",
            id="FastAPI requires its own token",
        ),
        pytest.param(
            page(404, NGINX_PAGE),
            "nginx has no route for the update URL",
            ("404 from nginx",),
            "the backend with a 404",
            id="nginx",
        ),
        pytest.param(
            page(405, NGINX_PAGE),
            "The update URL does not accept POST",
            ("nginx responded with 405; it serves files",),
            "whoever",
            id="nginx serves files",
        ),
        pytest.param(
            page(),
            "The update URL does not lead to Watchtower",
            ("The response is a success, but its body is not Watchtower's",),
            "the backend with a 404",
            id="a single-page application",
        ),
        pytest.param(
            reply(404, "Not Found", **FIBER),
            "Watchtower responds, but does not have the path",
            ("404 from Watchtower", "WATCHTOWER_HTTP_API_ENDPOINTS"),
            "leads to an application",
            id="the fork at another path",
        ),
        pytest.param(
            page(429, NGINX_PAGE),
            "nginx limits the requests to the update URL",
            ("429 from nginx, too many requests",),
            "WATCHTOWER_HTTP_API_RATE_LIMIT",
            id="nginx's limit",
        ),
        pytest.param(
            reply(530, "error code: 1033", server="cloudflare", cf_ray="9a"),
            "Cloudflare does not reach the server",
            ("530 from Cloudflare", "the tunnel is not connected"),
            "does not resolve",
            id="a tunnel that is not connected",
        ),
        pytest.param(
            reply(503, "no available server\n"),
            "Watchtower does not run, or not where the proxy looks for it",
            ("503 from Traefik", "docker start"),
            "proxy_read_timeout",
            id="Watchtower is stopped",
        ),
        pytest.param(
            (page(504, NGINX_PAGE), 60.0),
            "The proxy timed out before Watchtower responded",
            ("504 from nginx", "proxy_read_timeout 31m;"),
            "docker start",
            id="nginx gives up",
        ),
    ],
)
def test_a_failed_trigger_names_the_server_that_responded(
    answer: HttpResult | tuple[HttpResult, float], headline: str, words: tuple[str, ...], not_said: str
) -> None:
    title, message = error_of(World(before_and_after(ready(), ready()), (answer,)), timeout="90")
    assert headline in title
    assert message.startswith("The service at `https://api.example.com/api/ready` is up: it responded with 200")
    assert [word for word in words if word not in message] == []
    assert not_said not in message


@pytest.mark.parametrize("declared", [{}, {"expect_version": NEW}], ids=["undeclared", "declared"])
def test_a_stopped_watchtower_is_blamed_whatever_is_declared(declared: dict[str, str]) -> None:
    title, message = error_of(World(before_and_after(ready(OLD), ready(OLD)), (page(502),)), timeout="20", **declared)
    assert "Watchtower does not run" in title
    assert "The update URL at `https://api.example.com` responded after" in message


@pytest.mark.parametrize(
    ("before", "after", "headline", "words"),
    [
        pytest.param(
            reply(401, www_authenticate="Basic"),
            reply(401, www_authenticate="Basic"),
            "unhealthy: The health check is refused: its address needs credentials",
            ("responded with 401 before the trigger too", "headers:"),
            id="a login, before the trigger too",
        ),
        pytest.param(
            ready(),
            page(403, "CrowdSec Ban"),
            "is forbidden since the run began",
            ("CrowdSec responded with 403",),
            id="a ban",
        ),
        pytest.param(
            reply(404, {"detail": "Not Found"}),
            reply(404, {"detail": "Not Found"}),
            "The health path is probably wrong",
            ("`https://api.example.com/api/ready` responded with 404 before the trigger too", "404 from FastAPI"),
            id="a path that never existed",
        ),
        pytest.param(
            page(),
            page(),
            "The health path is probably wrong",
            ("responded with an HTML page before the trigger too",),
            id="a page",
        ),
        pytest.param(
            ready(),
            reply(404),
            "The new build does not have the health path",
            ("responds with 404 now",),
            id="a path that is gone",
        ),
        pytest.param(
            ready(),
            reply(503, {"status": "starting"}),
            "The service responds, but did not become healthy",
            ("a setting is missing",),
            id="a build that does not become ready",
        ),
    ],
)
def test_a_service_that_refuses_the_request_is_not_reported_as_an_unhealthy_build(
    before: HttpResult, after: HttpResult, headline: str, words: tuple[str, ...]
) -> None:
    title, message = error_of(World(before_and_after(before, after), (summary(updated=1),)), timeout="20")
    assert headline in title
    assert message.startswith("The service at `https://api.example.com/api/ready` is not healthy: it responded with")
    assert [word for word in words if word not in message] == []
    assert ("a setting is missing" in message) == ("a setting is missing" in words)


@pytest.mark.parametrize(
    ("answer", "service", "headline", "said", "not_said"),
    [
        pytest.param(
            summary(failed=1),
            TransportError(ErrorKind.REFUSED),
            "The service is down: Watchtower could not start the new image",
            "did not start",
            "resolver",
            id="the update failed",
        ),
        pytest.param(
            reply(408, "Request Timeout", server="nginx"),
            page(502, NGINX_PAGE),
            "Watchtower stopped its container and did not start another",
            "WATCHTOWER_HTTP_API_UPDATE_TIMEOUT",
            "resolver",
            id="Watchtower's own limit",
        ),
        pytest.param(
            summary(updated=1),
            page(502, NGINX_PAGE),
            "Nothing responds at the service's address",
            "resolver",
            "WATCHTOWER_HTTP",
            id="an old address that nginx may have kept",
        ),
        pytest.param(
            summary(updated=1),
            TransportError(ErrorKind.REFUSED),
            "Nothing responds at the service's address",
            "docker logs",
            "resolver",
            id="no proxy that could have kept an old address",
        ),
    ],
)
def test_a_service_that_is_down_is_reported_first_and_names_only_what_can_be_the_cause(
    answer: HttpResult, service: HttpResult, headline: str, said: str, not_said: str
) -> None:
    title, message = error_of(World(before_and_after(ready(OLD), service), (answer,)), timeout="20", expect_version=NEW)
    assert headline in title
    assert re.match(
        r"The service at `https://api\.example\.com/api/ready` is down: .*; the last healthy response came [\d.]+ s ago\.",
        message,
    )
    assert said in message
    assert not_said not in message


def test_alternating_old_and_new_builds_are_reported_as_such() -> None:
    counter = itertools.count()
    title, message = error_of(
        World(lambda moment, _: ready(OLD if moment < 1 or next(counter) % 4 < 2 else NEW), (summary(updated=1),)),
        timeout="30",
        expect_version=NEW,
    )
    assert "The old and the new build take turns" in title
    assert "The old and the new build took turns." in message


def test_a_new_build_that_another_one_replaces_is_not_called_a_crash_loop() -> None:
    def pushed_over(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 1 else ready(NEW) if moment < 5 else ready("c" * 40)

    title, message = error_of(World(pushed_over, (summary(updated=1),)), timeout="30", expect_version=NEW)
    assert "Another build has replaced the new one" in title
    assert "moved the tag" in message
    assert "crashes" not in message


def test_another_build_that_only_its_digest_shows_is_not_called_the_new_one() -> None:
    def pushed_over(moment: float) -> HttpResult:
        return rows(("api", "ghcr.io/o/api:latest", D1 if moment < 1 else D2 if moment < 5 else D3))

    def restarted(moment: float, _: Probe) -> HttpResult:
        return reply(502) if 5 < moment < 7 else ready(OLD if moment < 1 else NEW if moment < 5 else "c" * 40)

    world = World(restarted, (summary(updated=1),), containers=pushed_over)
    title, message = error_of(world, timeout="30", stable_for="10", expect_digest=D2)
    assert "Another build has replaced the new one" in title
    assert "another build responded with 200." in message


def test_without_a_distinction_between_builds_none_is_named() -> None:
    outcome = simulate(World(lambda *_: reply(200, {"ok": True}), (reply(200),)), timeout="20").outcome
    assert "by the" not in wording.happened(outcome)
    assert {each.build.value for each in outcome.timeline.stretches} == {"unknown"}


def test_a_build_that_was_already_live_is_never_called_the_old_build() -> None:
    outcome = simulate(World(lambda *_: ready(NEW), (summary(),)), expect_version=NEW).outcome
    assert outcome.conclusion.verdict == "already-current"
    assert {each.build.value for each in outcome.timeline.stretches} == {"new"}


def test_a_steady_wrong_build_is_reported_even_after_a_short_time() -> None:
    story = simulate(World(lambda *_: ready(OLD)), mode="verify", expect_version=NEW, timeout="4")
    assert story.verdict == ("wrong-build", "wrong-version")
    assert f"The service's version: `{OLD}` (expected `{NEW}`)." in wording.happened(story.outcome)


def test_an_alternating_wrong_build_is_not_steady() -> None:
    story = simulate(
        World(lambda moment, _: ready(OLD) if moment % 3 < 2 else reply(503, {"status": "no"})),
        mode="verify",
        expect_version=NEW,
        timeout="14",
    )
    assert story.verdict[0] == "unhealthy"


def test_blocks_to_paste_are_well_formed_for_every_responding_server() -> None:
    doors = [
        GO_404,
        page(403, NGINX_PAGE),
        reply(404, {"detail": "Not Found"}),
        reply(503, "no available server\n"),
    ]
    for answer in doors:
        outcome = simulate(World(lambda *_: ready(OLD), (answer,)), timeout="20").outcome
        remedy = wording.remedy_of(outcome)
        assert remedy is not None
        assert "«" not in f"{remedy.headline}{remedy.cause}{remedy.fix}"
        for language, block in re.findall(r"```(\w+)\n(.*?)```", remedy.fix, re.DOTALL):
            assert language in {"yaml", "sh", "nginx"}
            if language == "yaml":
                yaml.safe_load(block)
