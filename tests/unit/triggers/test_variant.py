"""Which Watchtower responds, by its refusals, and which proxy is in front of it."""

from typing import Any

import pytest

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import is_cloudflares_own
from redeploy.triggers.watchtower.variant import (
    CONTAINRRR,
    CONTAINRRR_1_3,
    FORK,
    UNGUARDED,
    Product,
    alike,
    front_of,
    product_of,
)
from tests.unit.doctor_factories import FORK_BY_POST, FORK_NOWHERE, OLD_BY_POST, OLD_NOWHERE
from tests.unit.factories import page, reply, summary
from tests.unit.triggers.test_answer import RECORDED, recorded_reply


def recorded(line: str, *names: str) -> HttpResult:
    row: dict[str, Any] = next(each for each in RECORDED if each["line"].startswith(line) and each["name"] in names)
    return recorded_reply(row["response"])


@pytest.mark.parametrize(
    ("line", "expected"), [("containrrr", CONTAINRRR), ("openserbia", CONTAINRRR), ("nicholas-fedor", FORK)]
)
def test_every_watchtower_line_is_recognised_by_its_recorded_responses(line: str, expected: Product) -> None:
    by_post, nowhere = recorded(line, "no-token", "unauthenticated-post"), recorded(line, "unknown-path", "other-path")
    assert product_of(by_post, nowhere) == expected


@pytest.mark.parametrize(
    ("by_post", "nowhere", "expected"),
    [
        pytest.param(FORK_BY_POST, FORK_NOWHERE, FORK, id="the fork"),
        pytest.param(
            FORK_BY_POST, TransportError(ErrorKind.TIMED_OUT), FORK, id="the fork, with nothing known about other paths"
        ),
        pytest.param(FORK_BY_POST, page(200), FORK, id="the fork beside an application"),
        pytest.param(OLD_BY_POST, OLD_NOWHERE, CONTAINRRR, id="an old line"),
        pytest.param(reply(200), OLD_NOWHERE, CONTAINRRR_1_3, id="the oldest"),
        pytest.param(summary(scanned=0), FORK_NOWHERE, UNGUARDED, id="a Watchtower whose token the proxy adds"),
        pytest.param(reply(200), reply(200), None, id="a proxy that sends an empty 200 for every path"),
        pytest.param(OLD_BY_POST, OLD_BY_POST, None, id="a proxy that sends an empty 401 for every path"),
        pytest.param(FORK_BY_POST, FORK_BY_POST, None, id="another Fiber application, which requires a key everywhere"),
        pytest.param(page(403), FORK_NOWHERE, None, id="a proxy that stops POST"),
        pytest.param(reply(429, "Too Many Requests"), FORK_NOWHERE, None, id="a limit"),
        pytest.param(page(405), page(404), None, id="nginx's page"),
        pytest.param(page(401), page(404), None, id="a proxy that requires a password"),
        pytest.param(reply(401, {"detail": "Not authenticated"}), page(404), None, id="a backend"),
        pytest.param(page(200), page(200), None, id="a single-page application"),
        pytest.param(TransportError(ErrorKind.CUT), TransportError(ErrorKind.CUT), None, id="no response"),
        pytest.param(None, None, None, id="no request was sent"),
    ],
)
def test_the_response_to_a_request_without_a_token_identifies_the_watchtower_line(
    by_post: HttpResult | None, nowhere: HttpResult | None, expected: Product | None
) -> None:
    assert product_of(by_post, nowhere) == expected


def test_only_the_fork_certainly_narrows_an_update() -> None:
    assert [each.narrows for each in (FORK, CONTAINRRR, CONTAINRRR_1_3, UNGUARDED)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (reply(200), reply(200), True),
        (reply(200, "a"), reply(200, "b"), False),
        (page(404, "/update"), page(404, "/elsewhere"), True),
        (reply(401), reply(404), False),
        (TransportError(ErrorKind.CUT), TransportError(ErrorKind.CUT), False),
    ],
)
def test_responses_are_equal_by_status_and_body_and_pages_by_status(
    one: HttpResult, other: HttpResult, expected: bool
) -> None:
    assert alike(one, other) is expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (reply(401, server="nginx/1.22.1"), ("nginx/1.22.1",)),
        (reply(401, server="cloudflare", cf_ray="9a"), ("Cloudflare",)),
        (page(404, "<center>nginx</center>", server="cloudflare"), ("Cloudflare", "nginx")),
        (reply(401, server="Caddy"), ("Caddy",)),
        (reply(401, server="::error::\x1b[31m"), ()),
        (reply(401), ()),
    ],
)
def test_a_proxy_is_recognised_by_its_headers(reply: Response, expected: tuple[str, ...]) -> None:
    assert front_of(reply, None) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (reply(530, "error code: 1033", server="cloudflare"), True),
        (page(502, server="cloudflare"), True),
        (page(502, "<center>nginx</center>", server="cloudflare"), False),
        (page(502, server="nginx"), False),
        (reply(401, server="cloudflare"), False),
    ],
)
def test_cloudflares_own_responses_are_distinguished_from_those_it_passes_on(reply: Response, expected: bool) -> None:
    assert is_cloudflares_own(reply) == expected
