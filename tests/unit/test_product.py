"""Which Watchtower answers, by its refusals; and what stands in front of it."""

from typing import Any

import pytest

from redeploy.core.product import (
    FORK,
    FORK_BEFORE_FIBER,
    OLD,
    OLDEST,
    UNTOLD,
    Product,
    front_of,
    is_cloudflares_own,
    product_of,
)
from redeploy.http.response import Exchange, Fault, NoReply, Reply
from tests.unit.examining import (
    FORK_BY_GET,
    FORK_BY_POST,
    GATEWAY_BY_GET,
    GO_BY_GET,
    NGINX_FORBIDS,
    OLD_BY_GET,
    OLD_BY_POST,
)
from tests.unit.making import page, reply
from tests.unit.test_answer import RECORDED, recorded_reply


def recorded(line: str, *names: str) -> Exchange:
    row: dict[str, Any] = next(each for each in RECORDED if each["line"].startswith(line) and each["name"] in names)
    return recorded_reply(row["response"])


@pytest.mark.parametrize(("line", "expected"), [("containrrr", OLD), ("openserbia", OLD), ("nicholas-fedor", FORK)])
def test_every_line_is_told_by_what_it_really_answered(line: str, expected: Product) -> None:
    by_get = recorded(line, "unauthenticated-get")
    by_post = recorded(line, "no-token", "unauthenticated-post")
    assert product_of(by_get, by_post) == expected


@pytest.mark.parametrize(
    ("by_get", "by_post", "expected"),
    [
        pytest.param(FORK_BY_GET, FORK_BY_POST, FORK, id="the fork"),
        pytest.param(GO_BY_GET, reply(401), FORK_BEFORE_FIBER, id="the fork before 1.20"),
        pytest.param(GATEWAY_BY_GET, OLD_BY_POST, UNTOLD, id="one of many behind a gateway with routes of its own"),
        pytest.param(FORK_BY_GET, page(403), None, id="a proxy that stops POST, and only that"),
        pytest.param(FORK_BY_GET, reply(429, "Too Many Requests"), None, id="a limit"),
        pytest.param(NGINX_FORBIDS, FORK_BY_POST, FORK, id="the fork behind a proxy that lets only POST through"),
        pytest.param(OLD_BY_GET, OLD_BY_POST, OLD, id="an old line"),
        pytest.param(NGINX_FORBIDS, OLD_BY_POST, UNTOLD, id="one of many behind such a proxy"),
        pytest.param(reply(200), reply(200), OLDEST, id="the oldest"),
        pytest.param(page(200), OLD_BY_POST, UNTOLD, id="one of many beside an application"),
        pytest.param(page(405, allow="POST"), page(405), None, id="nginx's page"),
        pytest.param(page(401), page(401), None, id="a proxy that wants a password"),
        pytest.param(reply(401, {"detail": "Not authenticated"}), reply(401, {"detail": "no"}), None, id="a backend"),
        pytest.param(page(200), page(200), None, id="a single-page application"),
        pytest.param(NoReply(Fault.CUT), NoReply(Fault.CUT), None, id="nobody"),
        pytest.param(None, None, None, id="nothing was asked"),
    ],
)
def test_a_refusal_tells_the_line(by_get: Exchange | None, by_post: Exchange | None, expected: Product | None) -> None:
    assert product_of(by_get, by_post) == expected


def test_only_the_fork_is_certain_to_narrow() -> None:
    assert [each.narrows for each in (FORK, FORK_BEFORE_FIBER, OLD, UNTOLD, OLDEST)] == [
        True,
        True,
        False,
        False,
        False,
    ]


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
def test_a_proxy_is_told_by_what_it_shows(reply: Reply, expected: tuple[str, ...]) -> None:
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
def test_what_cloudflare_says_itself_is_told_from_what_it_passes_on(reply: Reply, expected: bool) -> None:
    assert is_cloudflares_own(reply) == expected
