"""Which Watchtower responds, and what is in front of it, from responses to requests without a token.

No endpoint reports Watchtower's version, but every variant refuses a request without a token in its own way, and none
updates: the token is judged before anything is done (containrrr `api.go:29`, the fork's `auth.go:58`). It is a POST, which
passes a proxy that lets only POST through, and narrowed to an image that cannot exist, so that nothing is updated either
where a proxy adds the token.
"""

from dataclasses import dataclass

from redeploy.http.response import HttpResult, Response
from redeploy.http.sender import refuses_token, says_nginx
from redeploy.triggers.trigger import Result
from redeploy.triggers.watchtower.answer import read_answer


@dataclass(frozen=True)
class Product:
    """A product line, and what is known for certain about it."""

    sentence: str
    """The product line and its range of versions."""
    narrows: bool = False
    """Whether an update narrowed to an image certainly leaves all others alone."""
    has_endpoints: bool = False
    """Whether it has endpoints for containers and checks, if they are enabled."""
    hides_refusals: bool = False
    """Whether a wrong token gets the same response as the right one."""


FORK = Product("nicholas-fedor/watchtower 1.20 or newer", narrows=True, has_endpoints=True)
CONTAINRRR = Product(
    "containrrr/watchtower 1.4 or newer, one that descends from it (beatkind, openserbia), or nicholas-fedor/watchtower "
    "before 1.20"
)
CONTAINRRR_1_3 = Product(
    "containrrr/watchtower up to 1.3, or a later one behind a proxy that adds the token, if it is Watchtower at all",
    hides_refusals=True,
)
UNGUARDED = Product("a Watchtower that updates without a token", has_endpoints=True, hides_refusals=True)


def product_of(by_post: HttpResult | None, nowhere: HttpResult | None) -> Product | None:
    """Return which Watchtower responds like this to a POST without a token; None if none does.

    None, too, if a path that cannot exist gets the same response: Watchtower has no such path.
    """
    if not isinstance(by_post, Response) or by_post.is_html or alike(by_post, nowhere):
        return None
    if by_post.status == 200 and not by_post.body.strip():
        return CONTAINRRR_1_3
    answer = read_answer(by_post)
    if answer.counts is not None or answer.result is Result.BUSY:
        return UNGUARDED
    if not refuses(by_post):
        return None
    return FORK if by_post.body else CONTAINRRR


def alike(one: HttpResult | None, other: HttpResult | None) -> bool:
    """Return whether two requests got the same response; for pages, which may name the path, the status is enough."""
    if not isinstance(one, Response) or not isinstance(other, Response) or one.status != other.status:
        return False
    return one.body == other.body or (one.is_html and other.is_html)


def refuses(http_result: HttpResult | None) -> bool:
    """Return whether this is Watchtower's refusal of a token."""
    return isinstance(http_result, Response) and refuses_token(http_result)


def front_of(*http_results: HttpResult | None) -> tuple[str, ...]:
    """Return the names of the proxies that identify themselves in responses, the outermost first; nginx's as it was sent."""
    found: dict[str, None] = {}
    for each in _replies(*http_results):
        server = each.headers.get("server", "")
        if "cf-ray" in each.headers or server.lower() == "cloudflare":
            found["Cloudflare"] = None
        for name in ("nginx", "Caddy", "Traefik", "Apache", "HAProxy", "Envoy"):
            if server.lower().startswith(name.lower()):
                found[server if name == "nginx" else name] = None
        if says_nginx(each) and not any(name.startswith("nginx") for name in found):
            found["nginx"] = None
    return tuple(found)


def _replies(*http_results: HttpResult | None) -> list[Response]:
    return [each for each in http_results if isinstance(each, Response)]
