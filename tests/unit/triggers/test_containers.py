"""The running digest, and the rows of the containers endpoint that count."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.registry.image import parse
from redeploy.triggers.watchtower.containers import (
    Endpoint,
    Look,
    RunningContainer,
    read_look,
    rows_that_count,
)
from redeploy.triggers.watchtower.endpoints import ContainerFilter
from tests.unit.factories import D1, D2, D3, page, reply, rows
from tests.unit.triggers.test_answer import recorded_reply

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "fixtures" / "watchtower" / "transcripts.json").read_text(encoding="utf-8")
)


def wanted(*, containers: tuple[str, ...] = (), images: tuple[str, ...] = (), digest: str = "") -> ContainerFilter:
    return ContainerFilter(containers=containers, images=tuple(map(parse, images)), digest=digest)


def look(http_result: HttpResult, which: ContainerFilter | None = None) -> Look:
    return read_look(http_result, which or wanted(), sent=1.0, at=2.0)


def test_the_container_is_named_if_only_one_counts() -> None:
    assert look(rows(API, WEB), wanted(containers=("api",))).container == "api"
    assert look(rows(API, WEB)).container == ""


PROD, STAGING, LATEST = ("prod", "o/app:prod", D1), ("staging", "o/app:staging", D2), ("latest", "o/app", D3)
API, WEB, DB = ("api", "ghcr.io/o/api:1", D1), ("web", "ghcr.io/o/web:1", D2), ("db", "postgres", D2)


@pytest.mark.parametrize(
    ("listed", "which", "counting"),
    [
        pytest.param([API, WEB], wanted(containers=("api",)), {"api"}, id="the named container"),
        pytest.param(
            [("/api", "x", D1), WEB], wanted(containers=("api",)), {"/api"}, id="Docker's slash does not matter"
        ),
        pytest.param(
            [API, WEB], wanted(containers=("api",), images=("ghcr.io/o/web",)), {"api"}, id="names before images"
        ),
        pytest.param(
            [API, WEB], wanted(containers=("other",), digest=D1), set[str](), id="a name that no container has"
        ),
        pytest.param([API, WEB], wanted(images=("ghcr.io/o/web",)), {"web"}, id="the image's repository"),
        pytest.param(
            [API, WEB], wanted(images=("ghcr.io/o/other",), digest=D1), set[str](), id="an image that no container runs"
        ),
        pytest.param([API, WEB, DB], wanted(images=("library/postgres",)), {"db"}, id="as Docker completes it"),
        pytest.param([API, WEB], wanted(digest=D1), {"api"}, id="the declared digest's repository"),
        pytest.param(
            [API, ("api2", "ghcr.io/o/api:2", D2), WEB],
            wanted(digest=D1),
            {"api", "api2"},
            id="all rows of the declared digest's repository",
        ),
        pytest.param([API], wanted(digest=D2), {"api"}, id="else the only one"),
        pytest.param([API, WEB], wanted(), set[str](), id="nothing says which of several"),
        pytest.param([API], wanted(), {"api"}, id="the only one"),
        pytest.param([API, ("api-2", API[1], D2)], wanted(), {"api", "api-2"}, id="instances of one image"),
        pytest.param([API, WEB], wanted(containers=("api", "gone")), set[str](), id="not all named containers"),
        pytest.param([PROD, STAGING], wanted(images=("o/app:prod",)), {"prod"}, id="the tag of the image"),
        pytest.param([PROD], wanted(images=("o/app",)), {"prod"}, id="no tag: that of the only container"),
        pytest.param([PROD, LATEST], wanted(images=("o/app",)), {"latest"}, id="no tag, several containers: latest"),
        pytest.param([PROD, STAGING], wanted(images=("o/app:edge",)), {"prod", "staging"}, id="a tag that no row has"),
        pytest.param([PROD], wanted(images=("docker.io/o/app:prod",)), {"prod"}, id="an omitted registry"),
        pytest.param([], wanted(), set[str](), id="none runs"),
    ],
)
def test_rows_of_the_watched_containers_count(
    listed: list[tuple[str, str, str]], which: ContainerFilter, counting: set[str]
) -> None:
    assert {row.name for row in rows_that_count([RunningContainer(*each) for each in listed], which)} == counting


@pytest.mark.parametrize(
    ("http_result", "endpoint"),
    [
        pytest.param(rows(API), Endpoint.REPORTED, id="rows"),
        pytest.param(reply(200, {"containers": []}), Endpoint.REPORTED, id="no rows"),
        pytest.param(reply(200, {"containers": None, "count": 0}), Endpoint.REPORTED, id="null"),
        pytest.param(reply(401, "missing or invalid API Key"), Endpoint.ABSENT, id="401"),
        pytest.param(reply(404, "404 page not found"), Endpoint.ABSENT, id="404"),
        pytest.param(reply(405), Endpoint.ABSENT, id="405"),
        pytest.param(page(200), Endpoint.ABSENT, id="HTML"),
        pytest.param(page(404), Endpoint.ABSENT, id="404 HTML"),
        pytest.param(page(403), Endpoint.ABSENT, id="403 HTML"),
        pytest.param(page(502), Endpoint.FAILED, id="an error page of a proxy, which may go away"),
        pytest.param(reply(403), Endpoint.FAILED, id="403"),
        pytest.param(reply(429, "Too Many Requests"), Endpoint.FAILED, id="429"),
        pytest.param(reply(500, "failed to list containers"), Endpoint.FAILED, id="500"),
        pytest.param(reply(302, location="/login"), Endpoint.FAILED, id="a redirect"),
        pytest.param(reply(200, "ok"), Endpoint.FAILED, id="200 text"),
        pytest.param(reply(200, []), Endpoint.FAILED, id="another document"),
        pytest.param(reply(200, {"containers": {"a": 1}}), Endpoint.FAILED, id="containers that are not a list"),
        pytest.param(reply(200, {"containers": ["api"]}), Endpoint.FAILED, id="rows that are not objects"),
        pytest.param(TransportError(ErrorKind.REFUSED), Endpoint.FAILED, id="refused"),
        pytest.param(TransportError(ErrorKind.TIMED_OUT), Endpoint.FAILED, id="timed out"),
    ],
)
def test_the_containers_endpoint_responds_is_absent_or_failed(http_result: HttpResult, endpoint: Endpoint) -> None:
    assert look(http_result).endpoint is endpoint


@pytest.mark.parametrize(
    ("http_result", "which", "digest", "differ"),
    [
        pytest.param(rows(API), wanted(), D1, False, id="one"),
        pytest.param(rows(API, ("api2", API[1], D1)), wanted(images=("ghcr.io/o/api",)), D1, False, id="all equal"),
        pytest.param(rows(API, ("api2", API[1], D2)), wanted(images=("ghcr.io/o/api",)), "", True, id="not all equal"),
        pytest.param(
            rows(API, ("api2", API[1], "")), wanted(images=("ghcr.io/o/api",)), "", True, id="one digest missing"
        ),
        pytest.param(rows(("api", API[1], "")), wanted(), "", False, id="no digest"),
        pytest.param(rows(("api", API[1], "sha256:12")), wanted(), "", False, id="no digest"),
        pytest.param(rows(API, WEB), wanted(), "", False, id="it is unclear which container"),
        pytest.param(rows(), wanted(), "", False, id="none"),
        pytest.param(
            reply(200, {"containers": [{"name": 1, "image": None, "digest": ["x"]}]}),
            wanted(),
            "",
            False,
            id="hostile types",
        ),
    ],
)
def test_a_listing_gives_the_one_running_digest(
    http_result: HttpResult, which: ContainerFilter, digest: str, differ: bool
) -> None:
    seen = look(http_result, which)
    assert (seen.digest, seen.differ) == (digest, differ)


def test_an_omitted_tag_is_the_one_of_the_only_container() -> None:
    assert look(rows(PROD, WEB), wanted(images=("o/app",))).tag == "prod"
    assert look(rows(PROD, STAGING), wanted(images=("o/app",))).tag == ""
    assert look(rows(PROD), wanted(images=("o/app:edge",))).tag == ""


def test_a_named_container_that_does_not_run_is_reported() -> None:
    assert look(rows(API), wanted(containers=("api", "gone"))).no_digest == "not reported; no container `gone` runs"


@given(
    st.binary(max_size=60)
    | st.sampled_from([b"[", b'{"containers":7}', b'{"containers":[[]]}', b'{"containers":[{}]}']),
    st.integers(100, 599),
)
def test_any_response_of_the_containers_endpoint_is_read_without_an_error(body: bytes, status: int) -> None:
    seen = look(Response(status, {}, body), wanted(digest=D1))
    assert seen.digest in ("", D1) or seen.endpoint is Endpoint.REPORTED


@pytest.mark.parametrize(
    ("name", "line", "endpoint", "reported"),
    [
        ("containers", "nicholas-fedor-1.21.0", Endpoint.REPORTED, True),
        ("containers-after", "nicholas-fedor-1.21.0", Endpoint.REPORTED, True),
        ("containers-wrong-token", "nicholas-fedor-1.21.0", Endpoint.ABSENT, False),
        ("containers-no-match", "nicholas-fedor-1.21.0", Endpoint.REPORTED, False),
        ("containers-after-failed-start", "nicholas-fedor-1.21.0", Endpoint.REPORTED, False),
        ("containers-engine-unreachable", "nicholas-fedor-1.21.0", Endpoint.FAILED, False),
        ("containers-endpoint", "containrrr-1.7.1", Endpoint.ABSENT, False),
        ("other-path", "openserbia-1.18.3", Endpoint.ABSENT, False),
    ],
)
def test_recorded_responses_of_the_containers_endpoint_are_read(
    name: str, line: str, endpoint: Endpoint, reported: bool
) -> None:
    row = next(row for row in RECORDED if (row["line"], row["name"]) == (line, name))
    seen = look(recorded_reply(row["response"]))
    assert seen.endpoint is endpoint
    assert bool(seen.digest) is reported
