"""Registry errors and their messages."""

import pytest

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.registry.errors import Kind, Scope, trouble_of
from redeploy.registry.image import Image, parse
from tests.unit.factories import D1, page, reply

GITHUB, HUB, OWN = parse("ghcr.io/o/app:1"), parse("o/app"), parse("registry.test:5000/o/app:1")


def error(status: int, code: str) -> Response:
    return reply(status, {"errors": [{"code": code, "message": "<script>"}]})


@pytest.mark.parametrize(
    ("http_result", "scope", "kind", "sentence"),
    [
        (error(404, "MANIFEST_UNKNOWN"), Scope.PULL, Kind.ABSENT, "has no `o/app:1` (404 MANIFEST_UNKNOWN)"),
        (
            error(404, "NAME_UNKNOWN"),
            Scope.PULL,
            Kind.REFUSED,
            "a client without credentials read `o/app` (404 NAME_UNKNOWN)",
        ),
        (
            reply(404, b"404 page not found"),
            Scope.PULL,
            Kind.HOSTILE,
            "responds with 404, which is not a registry's response",
        ),
        (page(404), Scope.PULL, Kind.HOSTILE, "responds with 404"),
        (
            page(403, "<center>nginx</center>"),
            Scope.PULL,
            Kind.HOSTILE,
            "responded: 403 from nginx",
        ),
        (
            reply(403, "", cf_mitigated="challenge"),
            Scope.PULL,
            Kind.HOSTILE,
            "responded: 403, a Cloudflare challenge page",
        ),
        (
            Response(401, {"www-authenticate": "Basic"}, page(401, "<center>nginx</center>").body),
            Scope.PULL,
            Kind.REFUSED,
            "does not let a client without credentials read `o/app` (401)",
        ),
        (reply(404, b""), Scope.PULL, Kind.ABSENT, "has no `o/app:1` (404)"),
        (reply(404, b"", docker_distribution_api_version="registry/2.0"), Scope.PULL, Kind.ABSENT, "(404)"),
        (reply(404, {"error": "x"}, docker_distribution_api_version="registry/2.0"), Scope.PULL, Kind.ABSENT, "(404)"),
        (reply(404, {"errors": [{"status": 404, "message": "x"}]}), Scope.PULL, Kind.ABSENT, "has no `o/app:1` (404)"),
        (
            reply(404, {"detail": "Not Found"}),
            Scope.PULL,
            Kind.HOSTILE,
            "responds with 404, which is not a registry's response",
        ),
        (reply(404, {"errors": []}), Scope.PULL, Kind.HOSTILE, "responds with 404, which is not a registry's response"),
        (
            reply(404, {"errors": [{"title": "Not Found"}]}),
            Scope.PULL,
            Kind.HOSTILE,
            "responds with 404, which is not a registry's response",
        ),
        (reply(404, {"statusCode": 404, "message": "x", "error": "y"}), Scope.PULL, Kind.HOSTILE, "responds with 404"),
        (
            reply(404, b"", x_powered_by="Express"),
            Scope.PULL,
            Kind.HOSTILE,
            "responds with 404, which is not a registry's response",
        ),
        (error(404, "<b>EVIL"), Scope.PULL, Kind.ABSENT, "has no `o/app:1` (404)"),
        (reply(404, b""), Scope.PUSH, Kind.HOSTILE, "responds with 404, which"),
        (error(401, "UNAUTHORIZED"), Scope.PULL, Kind.REFUSED, "read `o/app` (401 UNAUTHORIZED)"),
        (error(403, "DENIED"), Scope.PUSH, Kind.REFUSED, "write `o/app` (403 DENIED)"),
        (error(405, "UNSUPPORTED"), Scope.PUSH, Kind.REFUSED, "is read-only (405 UNSUPPORTED)"),
        (reply(405), Scope.PUSH, Kind.REFUSED, "is read-only (405)"),
        (reply(405), Scope.PULL, Kind.HOSTILE, "responds with 405"),
        (error(400, "MANIFEST_BLOB_UNKNOWN"), Scope.PUSH, Kind.ABSENT, "no longer has the parts of `o/app:1`"),
        (error(400, "TAG_INVALID"), Scope.PUSH, Kind.REFUSED, "does not allow `o/app:1` to be moved (400 TAG_INVALID)"),
        (error(412, "PRECONDITION"), Scope.PUSH, Kind.REFUSED, "does not allow `o/app:1` to be moved (412)"),
        (
            error(400, "MANIFEST_INVALID"),
            Scope.PULL,
            Kind.HOSTILE,
            "responds with 400 MANIFEST_INVALID, which is not a registry's response",
        ),
        (error(429, "TOOMANYREQUESTS"), Scope.PULL, Kind.UNREACHABLE, "429 TOOMANYREQUESTS: too many requests"),
        (reply(503), Scope.PULL, Kind.UNREACHABLE, "responds with 503"),
        (reply(307, b"", location="https://evil.test"), Scope.PULL, Kind.HOSTILE, "redirects elsewhere (307)"),
        (reply(204), Scope.PULL, Kind.HOSTILE, "responds with 204"),
        (
            TransportError(ErrorKind.REFUSED),
            Scope.PULL,
            Kind.UNREACHABLE,
            "does not respond: the connection was refused",
        ),
        (TransportError(ErrorKind.TLS, "expired"), Scope.PULL, Kind.UNREACHABLE, "the TLS handshake failed (expired)"),
        (TransportError(ErrorKind.TOO_LARGE), Scope.PULL, Kind.HOSTILE, "more than any manifest has"),
    ],
)
def test_every_failed_response_has_its_kind_of_trouble(
    http_result: HttpResult, scope: Scope, kind: Kind, sentence: str
) -> None:
    found = trouble_of(http_result, OWN, scope, known=False)
    assert (found.kind, sentence in found.sentence) == (kind, True), found
    assert found.sentence.startswith("the registry `registry.test:5000` ")
    assert "\n" not in found.sentence
    assert "<" not in found.sentence


@pytest.mark.parametrize(
    ("image", "scope", "known", "fix"),
    [
        (
            GITHUB,
            Scope.PULL,
            False,
            "`registry-password: ${{ github.token }}` and the job `permissions: packages: read`",
        ),
        (GITHUB, Scope.PULL, True, "Give the job `permissions: packages: read`"),
        (GITHUB, Scope.PUSH, True, "Give the job `permissions: packages: write`"),
        (GITHUB, Scope.PUSH, True, "the scope `write:packages`"),
        (HUB, Scope.PULL, False, "Set `registry-username` and `registry-password` of a user who may read `o/app`"),
        (OWN, Scope.PUSH, True, "the scope is `repository:o/app:pull,push`"),
    ],
)
def test_a_refusal_names_the_permission_that_is_missing(image: Image, scope: Scope, known: bool, fix: str) -> None:
    assert fix in trouble_of(reply(403), image, scope, known=known).fix


def test_a_repository_that_its_owner_cannot_see_is_absent() -> None:
    assert trouble_of(error(404, "NAME_UNKNOWN"), OWN, Scope.PULL, known=True).kind is Kind.ABSENT


def test_a_pinned_image_is_reported_by_its_digest() -> None:
    assert f"`o/app@{D1}`" in trouble_of(error(404, "MANIFEST_UNKNOWN"), OWN.at(D1), Scope.PULL, known=True).sentence
