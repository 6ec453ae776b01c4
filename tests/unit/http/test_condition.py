"""Who sent a response: one list of rules, tried on real responses of proxies, applications and Watchtower."""

import email
import json
from pathlib import Path
from typing import Any

import pytest

from redeploy.http.condition import Condition, condition_of, described
from redeploy.http.response import Response
from redeploy.http.sender import GO, TRAEFIK_OR_GO, UNKNOWN_SENDER, WATCHTOWER, Sender, SenderKind, sender_of
from tests.unit.factories import page, reply

TEXT = "text/plain; charset=utf-8"
FIBER = {
    "content_type": TEXT,
    "cross_origin_embedder_policy": "require-corp",
    "x_dns_prefetch_control": "off",
    "x_permitted_cross_domain_policies": "none",
    "x_request_id": "AQqgKbF7EqtOqvVo6WNLMYp6H9Ca",
}
GO_404 = {"content_type": TEXT, "x_content_type_options": "nosniff"}
RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "fixtures" / "watchtower" / "transcripts.json").read_text(encoding="utf-8")
)


def stock(status: int, title: str, *, server: str = "nginx/1.25.3", mark: str = "nginx/1.25.3") -> Response:
    """A stock page of nginx or, without its signature, one that looks much the same."""
    footer = f"<hr><center>{mark}</center>" if mark else ""
    text = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1></center>"
    return reply(status, f"{text}\r\n{footer}\r\n</body>\r\n</html>\r\n", content_type="text/html", server=server)


def haproxy(status: int, title: str, says: str) -> Response:
    body = f"<html><body><h1>{status} {title}</h1>\n{says}\n</body></html>\n"
    return reply(status, body, content_type="text/html", cache_control="no-cache")


def apache(status: int, title: str) -> Response:
    head = f'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>{status} {title}</title>\n</head>'
    return reply(
        status, f"{head}<body>\n<h1>{title}</h1>\n</body></html>\n", content_type="text/html; charset=iso-8859-1"
    )


def cloudflare(status: int, body: str = "", **headers: str) -> Response:
    return reply(status, body, server="cloudflare", cf_ray="9a1b2c3d4e5f-FRA", **headers)


PROXIES = [
    pytest.param(stock(404, "Not Found"), "nginx", id="nginx: no such location"),
    pytest.param(stock(403, "Forbidden"), "nginx", id="nginx: deny or limit_except"),
    pytest.param(stock(502, "Bad Gateway", server="cloudflare"), "nginx", id="nginx behind Cloudflare"),
    pytest.param(stock(502, "Bad Gateway", mark="openresty"), "OpenResty", id="OpenResty"),
    pytest.param(
        stock(503, "Service Temporarily Unavailable", server="awselb/2.0", mark=""), "an AWS load balancer", id="AWS"
    ),
    pytest.param(
        haproxy(503, "Service Unavailable", "No server is available to handle this request."),
        "HAProxy",
        id="HAProxy: 503",
    ),
    pytest.param(
        haproxy(403, "Forbidden", "Request forbidden by administrative rules."), "HAProxy", id="HAProxy: forbidden"
    ),
    pytest.param(apache(404, "Not Found"), "Apache", id="Apache: no such file"),
    pytest.param(apache(503, "Service Unavailable"), "Apache", id="Apache: no backend"),
    pytest.param(reply(503, "no available server\n", **GO_404), "Traefik", id="Traefik: no server is up"),
    pytest.param(reply(502, "Bad Gateway", content_type=TEXT), "Traefik", id="Traefik: the server refuses"),
    pytest.param(reply(429, "Too Many Requests", x_retry_in="1.2s"), "Traefik", id="Traefik: its rate limit"),
    pytest.param(reply(502, server="Caddy"), "Caddy", id="Caddy: the server refuses"),
    pytest.param(reply(503, "no healthy upstream", server="envoy"), "Envoy", id="Envoy"),
    pytest.param(reply(404, "default backend - 404"), "the Kubernetes ingress", id="Kubernetes"),
    pytest.param(page(403, "CrowdSec Ban"), "CrowdSec", id="CrowdSec"),
    pytest.param(page(404, ngrok_error_code="ERR_NGROK_3200"), "ngrok", id="ngrok: the tunnel is offline"),
]

APPLICATIONS = [
    pytest.param(reply(404, {"detail": "Not Found"}, server="uvicorn"), "FastAPI", id="FastAPI"),
    pytest.param(reply(401, {"detail": "Not authenticated"}), "FastAPI", id="FastAPI: 401"),
    pytest.param(reply(403, {"detail": "Authentication credentials were not provided."}), "Django", id="Django REST"),
    pytest.param(
        page(403, "CSRF verification failed. Request aborted."), "Django", id="Django: a POST without a token"
    ),
    pytest.param(
        reply(404, "<!DOCTYPE html>\n<title>Error</title>\n<pre>Cannot POST /ops/watchtower/update</pre>"),
        "Express",
        id="Express",
    ),
    pytest.param(reply(404, x_powered_by="Express"), "Express", id="Express, without a body"),
    pytest.param(
        reply(404, {"message": "Cannot POST /ops", "error": "Not Found", "statusCode": 404}), "NestJS", id="NestJS"
    ),
    pytest.param(page(404, "The page you were looking for doesn't exist (404)"), "Rails", id="Rails"),
    pytest.param(reply(404, {"status": 404, "error": "Not Found"}), "Rails", id="Rails: JSON"),
    pytest.param(
        reply(404, {"timestamp": "2026-01-20T11:30:45Z", "status": 404, "error": "Not Found", "path": "/ops"}),
        "Spring Boot",
        id="Spring: JSON",
    ),
    pytest.param(page(404, "Whitelabel Error Page"), "Spring Boot", id="Spring: a page"),
    pytest.param(page(404, '</title><script src="/_next/static/chunks/main.js"></script>'), "Next.js", id="Next.js"),
    pytest.param(
        page(404, "404 Not Found</title><p>The requested URL was not found on the server. If you entered it"),
        "Flask",
        id="Flask",
    ),
    pytest.param(reply(401, server="Kestrel"), "ASP.NET", id="ASP.NET: an empty 401"),
]


@pytest.mark.parametrize(("answer", "name"), PROXIES)
def test_a_proxy_is_recognised_by_its_stock_response(answer: Response, name: str) -> None:
    assert sender_of(answer) == Sender(SenderKind.PROXY, name)


@pytest.mark.parametrize(("answer", "name"), APPLICATIONS)
def test_an_application_is_recognised_by_the_stock_response_of_its_framework(answer: Response, name: str) -> None:
    assert sender_of(answer) == Sender(SenderKind.APPLICATION, name)


@pytest.mark.parametrize(
    "row", [row for row in RECORDED if " 40" in row["response"][:14] or " 50" in row["response"][:14]]
)
def test_every_recorded_refusal_of_watchtower_is_recognised_except_the_go_404(row: dict[str, Any]) -> None:
    head, _, body = row["response"].partition("\r\n\r\n")
    first, _, rest = head.partition("\r\n")
    headers = {name.lower(): value for name, value in email.message_from_string(rest).items()}
    found = sender_of(Response(int(first.split()[1]), headers, body.encode()))
    assert found == (TRAEFIK_OR_GO if body == "404 page not found\n" else WATCHTOWER)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(reply(401), WATCHTOWER, id="every Watchtower line except the newest: 401 without a body"),
        pytest.param(reply(401, server="nginx/1.25.3"), WATCHTOWER, id="the same, through nginx"),
        pytest.param(
            reply(401, server="Caddy"), WATCHTOWER, id="the same through Caddy, which adds its name to everything"
        ),
        pytest.param(reply(401, www_authenticate='Basic realm="ops"'), Sender(SenderKind.LOGIN), id="basic auth"),
        pytest.param(
            reply(401, www_authenticate="Bearer"), Sender(SenderKind.LOGIN), id="Watchtower never names a scheme"
        ),
        pytest.param(
            Response(401, {"www-authenticate": "Basic"}, stock(401, "Authorization Required").body),
            Sender(SenderKind.LOGIN, "nginx"),
            id="nginx: auth_basic",
        ),
        pytest.param(page(401), UNKNOWN_SENDER, id="a login page"),
        pytest.param(reply(404, "404 page not found\n", **GO_404), TRAEFIK_OR_GO, id="Traefik without a router"),
        pytest.param(
            reply(404, "404 page not found\n", server="cloudflare", cf_ray="9a", **GO_404),
            TRAEFIK_OR_GO,
            id="Traefik or Go behind Cloudflare",
        ),
        pytest.param(reply(404, "404 page not found\n", server="nginx", **GO_404), GO, id="a Go program behind nginx"),
        pytest.param(reply(404, "Not Found", **FIBER), WATCHTOWER, id="the fork at another path"),
        pytest.param(
            reply(404, "Not Found", content_type=TEXT), UNKNOWN_SENDER, id="the same words from another program"
        ),
        pytest.param(
            reply(408, "Request Timeout", server="nginx"), WATCHTOWER, id="the fork's own rate limit of updates"
        ),
        pytest.param(reply(429, "Too Many Requests", **FIBER), WATCHTOWER, id="the fork's rate limit"),
        pytest.param(
            cloudflare(403, cf_mitigated="challenge"), Sender(SenderKind.CHALLENGE, "Cloudflare"), id="a challenge"
        ),
        pytest.param(
            cloudflare(403, "error code: 1020"), Sender(SenderKind.CLOUDFLARE, "Cloudflare"), id="Cloudflare: 1020"
        ),
        pytest.param(
            cloudflare(530, "error code: 1033"), Sender(SenderKind.CLOUDFLARE, "Cloudflare"), id="Cloudflare: tunnel"
        ),
        pytest.param(
            cloudflare(403, '<!DOCTYPE html><div class="cf-wrapper">Sorry, you have been blocked</div>'),
            Sender(SenderKind.CLOUDFLARE, "Cloudflare"),
            id="Cloudflare: blocked by a rule",
        ),
        pytest.param(
            cloudflare(503, '{"status":"starting"}'), UNKNOWN_SENDER, id="a response that Cloudflare passes on"
        ),
        pytest.param(reply(503, {"status": "starting"}), UNKNOWN_SENDER, id="a service that is not ready"),
        pytest.param(page(200), UNKNOWN_SENDER, id="a page"),
    ],
)
def test_the_first_matching_rule_names_the_sender_of_a_response(answer: Response, expected: Sender) -> None:
    assert sender_of(answer) == expected


@pytest.mark.parametrize(
    ("answer", "condition", "seen"),
    [
        (stock(502, "Bad Gateway"), Condition.DOWN, "502 from nginx"),
        (page(502), Condition.DOWN, "502 from a proxy"),
        (reply(503, "no available server\n"), Condition.DOWN, "503 from Traefik"),
        (reply(503, "no healthy upstream"), Condition.DOWN, "503 from Envoy"),
        (
            stock(503, "Service Temporarily Unavailable", server="awselb/2.0", mark=""),
            Condition.DOWN,
            "503 from an AWS load balancer",
        ),
        (stock(503, "Service Temporarily Unavailable"), Condition.THROTTLED, "503, too many requests"),
        (page(503, '</title><div id="__next">'), Condition.NOT_READY, "503 from Next.js"),
        (reply(503, {"status": "starting"}), Condition.NOT_READY, "503"),
        (reply(404, {"detail": "Not Found"}), Condition.NOT_READY, "404 from FastAPI"),
        (page(404, server="nginx/1.25.3"), Condition.NOT_READY, "404 with an HTML page, through nginx"),
        (
            reply(401, www_authenticate="Basic realm=x"),
            Condition.NOT_READY,
            "401 that asks for a user name and a password (WWW-Authenticate: Basic)",
        ),
        (reply(401, www_authenticate="<script>"), Condition.NOT_READY, "401 that asks for its own login"),
        (cloudflare(403, "error code: 1020"), Condition.NOT_READY, "403 from Cloudflare"),
        (cloudflare(524), Condition.DOWN, "524 from Cloudflare"),
    ],
)
def test_a_response_of_the_service_is_described_with_its_sender(
    answer: Response, condition: Condition, seen: str
) -> None:
    assert condition_of(answer) == (condition, seen)


def test_a_description_never_quotes_the_response() -> None:
    hostile = "::error::\x1b[31m<script>"
    for status in (401, 403, 404, 500, 503):
        said = described(reply(status, hostile, server=hostile, www_authenticate=hostile, x_powered_by=hostile))
        assert not any(word in said for word in ("::", "\x1b", "script"))
