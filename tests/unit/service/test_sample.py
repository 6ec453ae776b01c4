"""One look at the service, and what it shows."""

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.condition import Condition
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.rollout.requests import BOTH
from redeploy.service.endpoint import Endpoint, Service
from redeploy.service.sample import Sample, read_sample
from redeploy.text.secret import Secret, redactor
from sandbox.simulation import WALL
from tests.unit.factories import HEALTH, NEW, VERSION, page, ready, reply, service

NGINX_BUSY = "<html><head><title>503 Service Temporarily Unavailable</title></head><hr><center>nginx</center></html>"


def read(
    http_result: HttpResult,
    target: Service | None = None,
    endpoints: frozenset[Endpoint] = BOTH,
    wall: float = WALL,
) -> Sample:
    return read_sample(http_result, target or service(), endpoints, sent=1.0, at=1.5, wall=wall)


def clock(moment: float) -> str:
    return email.utils.formatdate(moment, usegmt=True)


# the condition of the service


@pytest.mark.parametrize(
    ("http_result", "condition"),
    [
        pytest.param(ready(), Condition.HEALTHY, id="200 JSON"),
        pytest.param(reply(204), Condition.HEALTHY, id="204"),
        pytest.param(reply(200, "ok"), Condition.HEALTHY, id="200 text"),
        pytest.param(page(), Condition.HTML, id="200 HTML"),
        pytest.param(reply(200, {"ok": 1}, content_type="text/html"), Condition.HEALTHY, id="200 JSON sent as HTML"),
        pytest.param(reply(200, "OK", content_type="text/html"), Condition.HEALTHY, id="200, a word sent as HTML"),
        pytest.param(reply(200, "", content_type="text/html"), Condition.HEALTHY, id="200, an empty body sent as HTML"),
        pytest.param(reply(200, "<!doctype html>", content_type="text/plain"), Condition.HTML, id="HTML sent as text"),
        pytest.param(reply(503, {"status": "starting"}), Condition.NOT_READY, id="503 of the service"),
        pytest.param(reply(500), Condition.NOT_READY, id="500"),
        pytest.param(page(500), Condition.NOT_READY, id="500 HTML"),
        pytest.param(reply(404), Condition.NOT_READY, id="404"),
        pytest.param(reply(401), Condition.NOT_READY, id="401"),
        pytest.param(page(502), Condition.DOWN, id="502"),
        pytest.param(reply(504), Condition.DOWN, id="504"),
        *(pytest.param(page(status), Condition.DOWN, id=str(status)) for status in (520, 521, 522, 523, 524, 530)),
        pytest.param(page(503), Condition.DOWN, id="a proxy's own 503 page"),
        pytest.param(reply(503, "no available server\n"), Condition.DOWN, id="Traefik's 503"),
        pytest.param(page(525), Condition.TLS, id="525"),
        pytest.param(page(526), Condition.TLS, id="526"),
        pytest.param(reply(503, NGINX_BUSY, content_type="text/html"), Condition.THROTTLED, id="nginx's limit"),
        pytest.param(reply(429), Condition.THROTTLED, id="429"),
        pytest.param(reply(301, location="https://x/"), Condition.REDIRECT, id="a redirect"),
        pytest.param(
            reply(302, location="https://t.cloudflareaccess.com/"), Condition.ACCESS_WALL, id="an Access login"
        ),
        pytest.param(page(403, cf_mitigated="challenge"), Condition.CHALLENGE, id="a challenge"),
        pytest.param(page(429, cf_mitigated="challenge"), Condition.CHALLENGE, id="a challenge as 429"),
        pytest.param(reply(200, "ok", age="1"), Condition.CACHED, id="Age"),
        pytest.param(reply(200, "ok", age="0"), Condition.HEALTHY, id="Age 0"),
        pytest.param(reply(200, "ok", age="-1"), Condition.HEALTHY, id="an invalid Age"),
        pytest.param(reply(200, "ok", x_cache="HIT from x"), Condition.CACHED, id="X-Cache"),
        pytest.param(reply(200, "ok", x_cache="MISS"), Condition.HEALTHY, id="X-Cache miss"),
        pytest.param(reply(200, "ok", x_cache_status="hit"), Condition.CACHED, id="X-Cache-Status"),
        pytest.param(reply(200, "ok", cache_status="ExampleCache; hit"), Condition.CACHED, id="Cache-Status"),
        pytest.param(reply(200, "ok", cf_cache_status="HIT"), Condition.CACHED, id="CF-Cache-Status"),
        pytest.param(reply(200, "ok", cf_cache_status="STALE"), Condition.CACHED, id="CF-Cache-Status stale"),
        pytest.param(reply(200, "ok", cf_cache_status="DYNAMIC"), Condition.HEALTHY, id="CF-Cache-Status dynamic"),
        pytest.param(TransportError(ErrorKind.REFUSED), Condition.DOWN, id="refused"),
        pytest.param(TransportError(ErrorKind.UNRESOLVED), Condition.DOWN, id="no address"),
        pytest.param(TransportError(ErrorKind.NOT_CONNECTED), Condition.DOWN, id="no connection"),
        pytest.param(TransportError(ErrorKind.CUT), Condition.DOWN, id="cut"),
        pytest.param(TransportError(ErrorKind.TIMED_OUT), Condition.DOWN, id="timed out"),
        pytest.param(TransportError(ErrorKind.TLS, "expired"), Condition.TLS, id="TLS"),
        pytest.param(TransportError(ErrorKind.TOO_LARGE), Condition.NOT_READY, id="too large"),
    ],
)
def test_a_response_shows_the_condition_of_the_service(http_result: HttpResult, condition: Condition) -> None:
    assert read(http_result).condition is condition


@pytest.mark.parametrize("condition", [Condition.CACHED, Condition.THROTTLED])
def test_a_cached_or_rate_limited_response_says_nothing_about_the_service(condition: Condition) -> None:
    assert condition.is_inconclusive
    assert not condition.is_wall


@pytest.mark.parametrize("status", [200, 404, 500, 503, 429])
def test_a_cached_response_is_ignored_whatever_it_contains(status: int) -> None:
    assert read(reply(status, {"commit": NEW}, age="30")).condition is Condition.CACHED
    assert read(reply(status, {"commit": NEW}, age="30")).names == {}


@pytest.mark.parametrize(
    ("http_result", "broken"),
    [
        (TransportError(ErrorKind.REFUSED), True),
        (TransportError(ErrorKind.CUT), True),
        (TransportError(ErrorKind.TIMED_OUT), True),
        (TransportError(ErrorKind.TLS), False),
        (TransportError(ErrorKind.TOO_LARGE), False),
        (reply(502), False),
    ],
)
def test_only_an_interrupted_connection_is_a_transport_error(http_result: HttpResult, broken: bool) -> None:
    assert read(http_result).transport_error is broken


@pytest.mark.parametrize(
    ("expect", "http_result", "condition"),
    [
        pytest.param("any", page(), Condition.HEALTHY, id="any: HTML"),
        pytest.param("any", reply(404), Condition.NOT_READY, id="any: 404"),
        pytest.param("any", reply(302, location="/x"), Condition.REDIRECT, id="any: a redirect"),
        pytest.param("status=ok", reply(200, {"status": "ok"}), Condition.HEALTHY, id="equal"),
        pytest.param("status= ok", reply(200, {"status": "ok"}), Condition.HEALTHY, id="equal after trimming"),
        pytest.param("status=ok", reply(200, {"status": "OK"}), Condition.NOT_READY, id="another case"),
        pytest.param("status=ok", reply(200, {"state": "ok"}), Condition.NOT_READY, id="missing"),
        pytest.param("status=ok", reply(200, "ok"), Condition.NOT_READY, id="no JSON"),
        pytest.param("status=ok", page(), Condition.HTML, id="HTML"),
        pytest.param("status=ok", reply(503, {"status": "ok"}), Condition.NOT_READY, id="503"),
        pytest.param("ready=true", reply(200, {"ready": True}), Condition.HEALTHY, id="a boolean"),
        pytest.param(
            "ready=True", reply(200, {"ready": True}), Condition.NOT_READY, id="a boolean as Python writes it"
        ),
        pytest.param("n=1", reply(200, {"n": 1}), Condition.HEALTHY, id="a number"),
        pytest.param("n=null", reply(200, {"n": None}), Condition.HEALTHY, id="null"),
        pytest.param("body contains hello", page(), Condition.HEALTHY, id="a page that contains the text"),
        pytest.param("body contains bye", page(), Condition.NOT_READY, id="a page that does not contain the text"),
        pytest.param("meta:v != 1", page(), Condition.HEALTHY, id="a page without that meta tag"),
        pytest.param("header:x-a = 1", page(x_a="1"), Condition.HTML, id="a page, and a condition on a header"),
        pytest.param("body contains hello", page(503), Condition.DOWN, id="a page of a proxy"),
        pytest.param("a.0.b=x", reply(200, {"a": [{"b": "x"}]}), Condition.HEALTHY, id="dotted path"),
        pytest.param("/a/0/b=x=y", reply(200, {"a": [{"b": "x=y"}]}), Condition.HEALTHY, id="pointer"),
    ],
)
def test_health_expect_defines_a_healthy_response(expect: str, http_result: HttpResult, condition: Condition) -> None:
    assert read(http_result, service(health_expect=expect)).condition is condition


@pytest.mark.parametrize("expect", ["any", "status=ok"])
def test_health_expect_does_not_apply_to_a_version_address(expect: str) -> None:
    target = service(apart=True, health_expect=expect)
    assert read(ready(NEW), target, VERSION).condition is Condition.HEALTHY


@pytest.mark.parametrize("http_result", [page(), page(404), reply(401), reply(404, {"detail": "Not Found"})])
def test_a_version_address_that_leads_elsewhere_names_no_build_and_does_not_make_the_service_unhealthy(
    http_result: Response,
) -> None:
    found = read(http_result, service(apart=True), VERSION)
    assert found.healthy
    assert found.wrong_version_url
    assert not found.names
    assert not read(http_result, service()).healthy


# build names


@pytest.mark.parametrize(
    ("http_result", "target", "names"),
    [
        pytest.param(ready(NEW), service(), {"commit": NEW}, id="a build name in the health response"),
        pytest.param(
            reply(503, {"commit": NEW}), service(), {"commit": NEW}, id="a build name in a response that is not ready"
        ),
        pytest.param(reply(200, "ok", x_version="7"), service(), {"header:x-version": "7"}, id="a header"),
        pytest.param(reply(200, "1.2.3"), service(), {}, id="a body without a version path is not a name"),
        pytest.param(
            reply(200, "1.2.3\n"), service(names_itself=True), {"body": "1.2.3"}, id="a body with a version path"
        ),
        pytest.param(reply(200, '"1.2.3"'), service(names_itself=True), {"body": "1.2.3"}, id="a JSON string unquoted"),
        pytest.param(reply(200, "1.10"), service(names_itself=True), {"body": "1.10"}, id="a number as it is written"),
        pytest.param(reply(200, "x" * 256), service(names_itself=True), {"body": "x" * 256}, id="256 characters"),
        pytest.param(reply(200, "x" * 257), service(names_itself=True), {}, id="257 characters"),
        pytest.param(reply(200, "1.2\n3"), service(names_itself=True), {}, id="two lines"),
        pytest.param(reply(200, " \n"), service(names_itself=True), {}, id="blank"),
        pytest.param(page(), service(names_itself=True), {}, id="HTML"),
        pytest.param(reply(200, ["1.2"]), service(names_itself=True), {}, id="an array"),
        pytest.param(reply(200, {"x": "1.2"}), service(names_itself=True), {}, id="an object without a build name"),
        pytest.param(reply(200, "a\x07b"), service(names_itself=True), {}, id="a control character"),
        pytest.param(reply(503, "starting"), service(names_itself=True), {}, id="the text of an error is not a name"),
        pytest.param(
            reply(404, "Not Found"), service(names_itself=True), {}, id="the text of a 404 is not a name either"
        ),
        pytest.param(
            ready(NEW, build={"sha": "7"}),
            service(version_field="build.sha"),
            {"build.sha": "7"},
            id="the declared field alone",
        ),
        pytest.param(
            reply(200, {"build": {"sha": "7"}}),
            service(version_field="/build/sha"),
            {"/build/sha": "7"},
            id="a pointer",
        ),
        pytest.param(
            reply(200, "x", x_any="7"),
            service(version_field="header:X-Any"),
            {"header:X-Any": "7"},
            id="a header field",
        ),
        pytest.param(ready(NEW), service(version_field="build.sha"), {}, id="the declared field is missing"),
        pytest.param(
            reply(200, {"build": {"sha": 7}}),
            service(version_field="build.sha"),
            {"build.sha": "7"},
            id="a number in the declared field",
        ),
        pytest.param(
            reply(200, {"build": {"sha": {}}}),
            service(version_field="build.sha"),
            {},
            id="an object in the declared field",
        ),
        pytest.param(
            reply(200, "1.2"), service(names_itself=True, version_field="a"), {}, id="no body if a field is declared"
        ),
        pytest.param(page(404), service(), {}, id="an error page"),
        pytest.param(reply(200, b'{"version": 1.10}'), service(), {"version": "1.10"}, id="a fraction as written"),
        pytest.param(reply(200, b'{"version": NaN}'), service(), {"version": "NaN"}, id="NaN, as Python writes it"),
        pytest.param(
            reply(200, b'{"build": {"v": 1.10}}'),
            service(version_field="build.v"),
            {"build.v": "1.10"},
            id="a fraction in the declared field",
        ),
        pytest.param(
            reply(200, {"version": "\ufeff1.2 "}), service(), {"version": "1.2"}, id="a byte order mark inside"
        ),
        pytest.param(
            reply(200, b"\xef\xbb\xbf1.2.3\r\n", content_type="text/html"),
            service(names_itself=True),
            {"body": "1.2.3"},
            id="a word sent as HTML, after a byte order mark",
        ),
        pytest.param(
            reply(200, b'{"commit": "a1"}', content_type="text/html"), service(), {"commit": "a1"}, id="JSON as a page"
        ),
    ],
)
def test_a_look_finds_the_build_names(http_result: HttpResult, target: Service, names: dict[str, str]) -> None:
    assert read(http_result, target).names == names


def test_a_body_is_not_a_version_if_only_health_was_requested() -> None:
    assert read(reply(200, "ok"), service(apart=True), HEALTH).names == {}
    assert read(ready(NEW), service(apart=True, version_field="commit"), HEALTH).names == {}


def test_names_are_redacted_before_they_are_cut() -> None:
    found = read_sample(
        ready("x" * 253 + "s3cret"),
        service(),
        BOTH,
        sent=1,
        at=2,
        wall=WALL,
        redact=lambda text: text.replace("s3cret", "***"),
    )
    assert found.names == {"commit": "x" * 253 + "***"}


def test_names_of_two_addresses_are_distinguished() -> None:
    target = service(apart=True)
    assert set(read(reply(200, {"version": "2"}, x_commit="a1"), target, HEALTH).names) == {
        "health:version",
        "health:header:x-commit",
    }
    assert set(read(reply(200, {"version": "2"}), target, VERSION).names) == {"version"}


def test_a_page_that_counts_as_healthy_is_known_by_its_files() -> None:
    def named(script: str, expect: str = "any") -> object:
        return read(page(200, f'<script src="/assets/{script}"></script>'), service(health_expect=expect)).names

    assert named("index-BkA7dxQ2.js") == named("index-BkA7dxQ2.js") != named("index-CkB8eyR3.js")
    assert named("index.js") == named("index-BkA7dxQ2.js", "") == {}


def test_names_are_redacted_before_they_are_compared_or_printed() -> None:
    found = read_sample(
        ready("s3cret"), service(), BOTH, sent=1, at=2, wall=WALL, redact=lambda text: text.replace("s3cret", "***")
    )
    assert found.names == {"commit": "***"}


@pytest.mark.parametrize(("endpoints", "names_itself"), [(BOTH, True), (VERSION, True), (HEALTH, False)])
def test_a_look_knows_whether_a_version_was_expected_in_it(endpoints: frozenset[Endpoint], names_itself: bool) -> None:
    assert read(ready(), service(apart=True), endpoints).names_itself is names_itself


def test_a_look_records_its_redirects_and_its_retry_after() -> None:
    assert read(Response(200, hops=2)).hops == 2
    assert read(reply(429, retry_after="7")).retry_after == 7.0
    assert read(reply(503, {"status": "starting"}, retry_after="7")).retry_after is None


# clocks and processes


def test_a_start_time_is_kept_by_its_own_clock_and_by_ours() -> None:
    found = read(ready(start_time=WALL - 100, date=None), wall=WALL)
    assert found.starts["start_time"].reported == found.starts["start_time"].ours == WALL - 100


def test_a_wrong_clock_is_corrected_by_the_date_header() -> None:
    ahead = 3600.0
    http_result = reply(200, {"start_time": WALL + ahead - 100}, date=clock(WALL + ahead))
    start = read(http_result).starts["start_time"]
    assert start.reported == WALL + ahead - 100
    assert start.ours == pytest.approx(WALL - 100, abs=1)


@pytest.mark.parametrize(
    ("uptime", "unit", "start"),
    [(100, 1.0, WALL - 100), (100_000, 0.001, WALL - 100), (12.5, 1.0, WALL - 12.5)],
)
def test_an_uptime_that_ticks_is_a_start_time(uptime: float, unit: float, start: float) -> None:
    seen = read(ready(uptime=uptime))
    assert seen.timed({}).starts == {}
    found = seen.timed({"uptime": unit}).starts["uptime"]
    assert found.reported == found.ours == start


def test_a_start_time_without_a_zone_is_known_as_such() -> None:
    found = read(ready(start_time="2027-01-15T08:00:00", app={"started_at": "2027-01-15T08:00:00Z"}))
    assert {path: start.zoned for path, start in found.starts.items()} == {"start_time": False, "app.started_at": True}


@pytest.mark.parametrize(
    ("http_result", "ticking"),
    [
        pytest.param(ready(start_time=WALL - 1), {"start_time"}, id="within 2 s of our clock"),
        pytest.param(ready(start_time=WALL - 3), set[str](), id="more than 2 s away"),
        pytest.param(
            reply(200, {"start_time": WALL + 60}, date=clock(WALL + 60)), {"start_time"}, id="within 2 s of Date"
        ),
        pytest.param(
            reply(200, {"start_time": WALL}, date=clock(WALL + 60)),
            {"start_time"},
            id="within 2 s of our clock, though Date differs",
        ),
        pytest.param(ready(version=str(int(WALL))), {"version"}, id="a build name that is a clock"),
        pytest.param(ready(version="2027-01-15T08:00:00Z"), {"version"}, id="a build name that is a date"),
        pytest.param(ready(version="1.2"), set[str](), id="a build name that is not a moment"),
    ],
)
def test_a_field_with_the_current_time_is_provisionally_a_clock(http_result: HttpResult, ticking: set[str]) -> None:
    assert read(http_result).ticking == ticking


@given(
    st.builds(
        Response,
        st.integers(100, 599),
        st.dictionaries(
            st.sampled_from(["age", "date", "retry-after", "content-type", "x-cache", "x-version"]),
            st.text(max_size=12),
            max_size=4,
        ),
        st.binary(max_size=80)
        | st.sampled_from(
            [
                b'{"start_time": 1e300, "uptime": 1e14}',
                b'{"version": {"id": [1]}}',
                b'{"start_time": "9999-12-31T23:59:59-23:59"}',
            ]
        ),
    )
    | st.builds(TransportError, st.sampled_from(ErrorKind)),
    st.booleans(),
    st.sampled_from(["", "any", "a=b", "body !contains b", "meta:a matches b", "a < 1"]),
    st.sampled_from(["", "a.b", "/a", "header:Date", "meta:a", "attr:a", "match:.*", "{a}-{b}"]),
    st.sampled_from([BOTH, HEALTH, VERSION]),
)
def test_any_response_makes_a_sample(
    http_result: HttpResult, names_itself: bool, expect: str, field: str, endpoints: frozenset[Endpoint]
) -> None:
    found = read(http_result, service(names_itself=names_itself, health_expect=expect, version_field=field), endpoints)
    assert found.seen
    assert found.healthy is (found.condition is Condition.HEALTHY)
    if found.healthy:
        assert isinstance(http_result, Response)
        assert 200 <= http_result.status < 300 or found.wrong_version_url


# the place of a declared version

SHOP = reply(
    200,
    f'<!doctype html><html data-build="1.10"><meta name="git-sha" content="{NEW}"><p>Build 77 of 2026</p>',
    content_type="text/html",
)


@pytest.mark.parametrize(
    ("http_result", "field", "version"),
    [
        (SHOP, "meta:git-sha", NEW),
        (SHOP, "meta:other", None),
        (SHOP, "attr:data-build", "1.10"),
        (SHOP, "match:Build (\\d+)", "77"),
        (SHOP, "match:Build \\d+", "Build 77"),
        (SHOP, "match:Bau (\\d+)", None),
        (SHOP, "match:(x)?Build", None),
        (reply(200, {"major": 1, "minor": 10, "patch": 0}), "{major}.{minor}.{patch}", "1.10.0"),
        (reply(200, b'{"v": 1.10, "n": 3}'), "v{v}+{/n}", "v1.10+3"),
        (reply(200, {"major": 1}), "{major}.{minor}", None),
        (reply(200, "1.2.3"), "{major}", None),
        (reply(200, "version 1.2.3 (build 9)\n"), "match:version (\\S+)", "1.2.3"),
        (reply(200, {"a": "<meta name=git-sha content=no>"}), "meta:git-sha", None),
    ],
)
def test_a_declared_version_is_read_from_its_field(http_result: HttpResult, field: str, version: str | None) -> None:
    seen = read(http_result, service(apart=True, version_field=field), VERSION)
    assert seen.names == ({} if version is None else {field: version})


def test_a_page_at_the_version_address_is_fine_if_it_contains_the_declared_version() -> None:
    assert read(SHOP, service(apart=True, version_field="meta:git-sha"), VERSION).condition is Condition.HEALTHY
    elsewhere = read(SHOP, service(apart=True, version_field="meta:other"), VERSION)
    assert (elsewhere.condition, elsewhere.wrong_version_url, elsewhere.names) == (Condition.HEALTHY, True, {})
    assert read(SHOP, service(version_field="meta:git-sha")).condition is Condition.HTML


def test_an_expression_extracts_no_part_of_a_secret() -> None:
    target, hide = service(apart=True, version_field="match:key=(....)"), redactor([Secret("topsecret-value")])
    seen = read_sample(reply(200, "key=topsecret-value"), target, VERSION, sent=1, at=2, wall=WALL, redact=hide)
    assert seen.names == {}


def test_a_health_look_records_that_the_response_reports_itself_unhealthy() -> None:
    assert read(reply(200, {"status": "DOWN"})).reported_unhealthy == "status != DOWN"
    assert read(reply(200, {"status": "DOWN"}), service(apart=True), VERSION).reported_unhealthy == ""
    assert read(reply(503, {"status": "DOWN"})).reported_unhealthy == ""
    assert read(reply(200, {"status": "DOWN"}), service(health_expect="status!=DOWN")).reported_unhealthy == ""
