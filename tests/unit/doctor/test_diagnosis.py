"""From responses to the chain: which link is broken, how it is named, and which links it hides."""

from dataclasses import replace
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.doctor.diagnosis import diagnose, examined, unexamined
from redeploy.doctor.known import Known
from redeploy.doctor.links import LINKS
from redeploy.doctor.network import Certificate, Reachability
from redeploy.doctor.questions import Connect, FetchEnvironment
from redeploy.doctor.run import examine
from redeploy.github.retry import Trouble as Refusal
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import parse
from redeploy.registry.manifest import Manifest
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.report.chain import TITLES, Check, LinkResult, State, not_reached, unread
from redeploy.rollout.requests import FetchRevision, FetchTag
from redeploy.service.endpoint import WORKER
from redeploy.settings.reading import Problem
from redeploy.text.secret import Secret, redactor
from redeploy.verdicts import Reason, Verdict
from sandbox.simulation import BASE, WALL, plan
from tests.unit.doctor.test_questions import ANSWERS
from tests.unit.doctor_factories import (
    CLEAR,
    DAY,
    FORK_BY_POST,
    HOLDS,
    NGINX_FORBIDS,
    OLD_BY_POST,
    TRUSTED,
    Answers,
    Asked,
    Script,
    chain_from,
    checks,
    details,
    found,
    known_from,
    weak,
    without,
)
from tests.unit.factories import D1, D2, D3, NEW, page, ready, reply, rows, summary

WAY = Connect(BASE)
API = FetchTag(image=parse("ghcr.io/o/api:latest"))
NGINX = {"server": "nginx/1.22.1"}
CLOUDFLARE = {"server": "cloudflare"}
HIDDEN = {each: ready() for each in (Asked.HEALTH, Asked.HEALTH_AGAIN)}


def test_every_link_has_one_row_in_the_order_of_the_chain_and_needs_only_links_before_it() -> None:
    order = [each.check for each in LINKS]
    assert order == list(Check)
    for place, each in enumerate(LINKS):
        assert set(each.needs) <= set(order[:place]), each.check


def posted(http_result: HttpResult) -> Answers:
    """Responses of a server that knows nothing but a POST of the update URL."""
    return {Asked.POST_UPDATE: http_result}


def everywhere(http_result: HttpResult) -> Answers:
    """Responses of a server that treats a path that cannot exist like the update URL."""
    return dict.fromkeys((Asked.POST_UPDATE, Asked.NOWHERE), http_result)


def manifest(digest: str, *children: str) -> Manifest:
    return Manifest(digest, "application/vnd.oci.image.index.v1+json", b"", children)


OF_API = FetchRevision(manifest(D1))


def test_an_intact_chain_is_ready_and_lists_every_link_except_github() -> None:
    chain = chain_from()
    assert chain.verdict is Verdict.READY
    assert [each.link for each in chain.links] == [each for each in Check if each is not Check.GITHUB]
    assert weak() == {}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({WAY: Reachability(origin=BASE, error_kind=ErrorKind.UNRESOLVED)}, {"dns": "unresolved"}),
        (
            {WAY: Reachability(origin=BASE, addresses=("10.0.0.1",), error_kind=ErrorKind.REFUSED)},
            {"connection": "nothing-listens"},
        ),
        (
            {WAY: Reachability(origin=BASE, addresses=("10.0.0.1",), error_kind=ErrorKind.NOT_CONNECTED)},
            {"connection": "nothing-listens"},
        ),
        (
            {WAY: Reachability(origin=BASE, error_kind=ErrorKind.TLS, verify_code=10, certificate=TRUSTED)},
            {"tls": "certificate-expired"},
        ),
        ({WAY: Reachability(origin=BASE, error_kind=ErrorKind.TLS, verify_code=9)}, {"tls": "certificate-expired"}),
        (
            {WAY: Reachability(origin=BASE, error_kind=ErrorKind.TLS, verify_code=62, certificate=TRUSTED)},
            {"tls": "certificate-name"},
        ),
        (
            {WAY: Reachability(origin=BASE, error_kind=ErrorKind.TLS, verify_code=20, certificate=TRUSTED)},
            {"tls": "certificate-untrusted"},
        ),
        ({WAY: Reachability(origin=BASE, error_kind=ErrorKind.TLS, detail="no cipher match")}, {"tls": "tls"}),
        (posted(TransportError(ErrorKind.TIMED_OUT)), {"front": "unreachable"}),
        (posted(page(403, cf_mitigated="challenge")), {"front": "challenge"}),
        (posted(reply(302, location="https://t.cloudflareaccess.com/cdn-cgi/access/login")), {"front": "access-wall"}),
        (posted(reply(526, "error code: 526", **CLOUDFLARE)), {"front": "tls"}),
        (posted(reply(530, "error code: 1033", **CLOUDFLARE)), {"front": "unreachable"}),
        (posted(page(502, **CLOUDFLARE)), {"front": "unreachable"}),
        (posted(reply(407)), {"front": "unreachable"}),
        (posted(page(502, "<center>nginx</center>", **CLOUDFLARE)), {"location": "watchtower-stopped"}),
        (posted(page(502, **NGINX)), {"location": "watchtower-stopped"}),
        (posted(page(504, **NGINX)), {"location": "watchtower-stopped"}),
        (posted(reply(404, {"detail": "Not Found"})), {"location": "misrouted"}),
        (posted(page(404, **NGINX)), {"location": "misrouted"}),
        (posted(page(200)), {"location": "misrouted"}),
        (posted(reply(500, "oh")), {"location": "misrouted"}),
        (posted(page(405, **NGINX)), {"location": "method"}),
        (everywhere(page(405, **NGINX)), {"location": "misrouted"}),
        (everywhere(reply(200)), {"location": "misrouted"}),
        (everywhere(reply(200, "ok")), {"location": "misrouted"}),
        (everywhere(reply(401)), {"location": "forbidden"}),
        (everywhere(FORK_BY_POST), {"location": "forbidden"}),
        (posted(reply(308, location="https://elsewhere.example/")), {"location": "redirect"}),
        (posted(NGINX_FORBIDS), {"location": "forbidden"}),
        (posted(page(401, www_authenticate="Basic realm=x")), {"location": "forbidden"}),
        (posted(reply(429, "Too Many Requests")), {"location": "rate-limited"}),
        (posted(summary(updated=1)), {"location": "unguarded"}),
        (
            posted(reply(429, {"error": "another update is already running"}, retry_after="30")),
            {"location": "unguarded"},
        ),
        (posted(reply(200)), {"location": "watchtower-too-old", "token": "token-unjudged"}),
        (
            dict.fromkeys((Asked.CONTAINERS, Asked.CHECK), reply(401, "missing or invalid API Key")),
            {"token": "auth"},
        ),
        (
            dict.fromkeys((Asked.POST_UPDATE, Asked.CONTAINERS, Asked.CHECK), reply(401)),
            {"token": "auth"},
        ),
        (without(line=OLD_BY_POST), {"token": "token-unjudged"}),
        ({Asked.CONTAINERS: reply(404)}, {}),
        ({Asked.CONTAINERS: rows(), Asked.CHECK: checks()}, {"containers": "not-watched"}),
        (
            {Asked.CONTAINERS: reply(500, "failed to list containers"), Asked.CHECK: reply(404)},
            {"containers": "engine-silent"},
        ),
        (
            {**dict.fromkeys((Asked.CONTAINERS, Asked.CHECK), TransportError(ErrorKind.TIMED_OUT))},
            {"containers": "engine-silent"},
        ),
        ({Asked.HEALTH: reply(503, {"ok": False})}, {"health": "never-ready"}),
        ({Asked.HEALTH: page(200)}, {"health": "html"}),
        (dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), page(502)), {"health": "down"}),
        (dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), reply(429)), {"health": "throttled"}),
        (dict.fromkeys((Asked.HEALTH, Asked.HEALTH_FRESH), reply(200, "ok", age="7")), {"health": "cached"}),
        (HIDDEN, {"version": "version-unnamed"}),
        (dict.fromkeys(HIDDEN, ready("local")), {"version": "version-constant"}),
        ({Asked.HEALTH: ready("a" * 40), Asked.HEALTH_AGAIN: ready("b" * 40)}, {"version": "version-unnamed"}),
    ],
)
def test_only_the_broken_link_is_named(answers: Answers, expected: dict[str, str]) -> None:
    if Asked.HEALTH in answers and next(iter(expected)) == "health":
        answers = {**answers, Asked.HEALTH_AGAIN: answers.get(Asked.HEALTH_AGAIN, answers[Asked.HEALTH])}
    assert weak(answers) == expected


@pytest.mark.parametrize(
    ("answers", "inputs", "expected"),
    [
        ({}, {"image": "ghcr.io/o/api"}, {}),
        ({API: manifest(D1)}, {"image": "ghcr.io/o/api"}, {}),
        ({API: Trouble(Kind.ABSENT, "gone")}, {"image": "ghcr.io/o/api"}, {"registry": "image-missing"}),
        ({API: Trouble(Kind.REFUSED, "no")}, {"image": "ghcr.io/o/api"}, {}),
        (
            {API: Trouble(Kind.REFUSED, "no"), Asked.CHECK: reply(404)},
            {"image": "ghcr.io/o/api"},
            {"registry": "registry-silent"},
        ),
        ({API: manifest(D1)}, {"image": "ghcr.io/o/api", "expect_digest": D1}, {}),
        ({API: manifest(D3)}, {"image": "ghcr.io/o/api", "expect_digest": D1}, {"registry": "image-missing"}),
        ({API: manifest(D1), OF_API: NEW}, {"image": "ghcr.io/o/api", "expect_version": "image"}, {}),
        (
            {API: manifest(D1), OF_API: ""},
            {"image": "ghcr.io/o/api", "expect_version": "image"},
            {"registry": "image-missing"},
        ),
        (
            {API: Trouble(Kind.REFUSED, "no")},
            {"image": "ghcr.io/o/api", "expect_version": "image"},
            {"registry": "image-missing"},
        ),
        ({FetchTag(image=parse("o/other")): manifest(D3)}, {"image": "o/other"}, {"containers": "not-watched"}),
        (
            {FetchTag(image=parse("o/other")): Trouble(Kind.ABSENT, "gone")},
            {"image": "o/other"},
            {"registry": "image-missing"},
        ),
        ({}, {"container": "db"}, {"containers": "not-watched"}),
        (without(line=OLD_BY_POST), {"container": "api"}, {"location": "unsupported"}),
        (posted(summary()), {"container": "api"}, {"location": "unsupported"}),
        (without(line=FORK_BY_POST), {"expect_digest": D1}, {"containers": "digest-unavailable"}),
        ({Asked.CONTAINERS: reply(404)}, {"expect_digest": D1}, {"containers": "digest-unavailable"}),
        (
            {Asked.CONTAINERS: rows(("api", "ghcr.io/o/api:latest", ""))},
            {"expect_digest": D1},
            {"containers": "digest-unavailable"},
        ),
        (HIDDEN, {"expect_version": NEW}, {"version": "version-unavailable"}),
        ({}, {"version_field": "build.sha"}, {"version": "version-unavailable"}),
        ({}, {"required_routes": "GET /api/ready"}, {}),
        ({}, {"required_routes": "GET /api/new"}, {"openapi": "routes"}),
        ({}, {"forbidden_routes": "/api/ready"}, {"openapi": "routes"}),
        ({Asked.DOCUMENT: page(200)}, {"required_routes": "GET /api/ready"}, {"openapi": "openapi"}),
        ({Asked.DOCUMENT: page(200)}, {}, {}),
        ({Asked.DOCUMENT: page(200)}, {"openapi_path": "off"}, {}),
    ],
)
def test_each_input_is_judged_by_the_responses(
    answers: Answers, inputs: dict[str, str], expected: dict[str, str]
) -> None:
    assert weak(answers, **inputs) == expected


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        ("", "does not name its commit"),
        (None, "could not be read: no response in time"),
        (Trouble(Kind.REFUSED, "hung"), "read: hung"),
    ],
)
def test_a_commit_that_is_not_named_is_distinguished_from_one_that_was_not_read(read: object, sentence: str) -> None:
    one = found(Check.REGISTRY, {API: manifest(D1), OF_API: read}, image="ghcr.io/o/api", expect_version="image")
    assert (one.state, one.finding) == (State.BROKEN, "image-missing")
    assert sentence in one.seen


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        ("manifest not found: registry responded with invalid HEAD request: status 404 Not Found", "image-missing"),
        ("dial tcp 127.0.0.1:40404: connect: connection refused", "update-blocked"),
        ("failed to get token: registry rate limited: <html><h1>429</h1></html>", "update-blocked"),
        ("failed to get token: unexpected status with empty WWW-Authenticate header: status 404", "update-blocked"),
    ],
)
def test_watchtowers_registry_error_is_reported_in_plain_text(error: str, finding: str) -> None:
    one = found(Check.UPDATE, {Asked.CHECK: checks(("api", "ghcr.io/o/api:latest", False, error))}, container="api")
    assert (one.state, one.finding) == (State.BROKEN, finding)
    assert error.partition("<")[0].strip() in one.seen
    assert "<" not in one.seen


def test_trouble_with_another_container_does_not_break_the_update_of_the_named_one() -> None:
    listed = checks(("api", "ghcr.io/o/api:latest", True, ""), ("web", "ghcr.io/o/web:latest", False, "429"))
    assert weak({Asked.CHECK: listed}, container="api") == {}
    assert weak({Asked.CHECK: listed}) == {"update": "update-blocked"}
    assert chain_from({Asked.CHECK: listed}).verdict is Verdict.READY


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({}, "would replace `api`"),
        (
            {Asked.CHECK: checks(("api", "ghcr.io/o/api:latest", False, ""))},
            "would find nothing newer in the registry",
        ),
        (
            {Asked.CHECK: reply(404), API: manifest(D1)},
            "would find nothing newer: the image of the tag runs already",
        ),
        (
            {Asked.CHECK: reply(404), API: manifest(D3, D1)},
            "would find nothing newer: the image of the tag runs already",
        ),
        ({Asked.CHECK: reply(404), API: manifest(D2)}, "would replace it: the tag points to a different image"),
        ({Asked.CHECK: reply(404)}, "not known: this Watchtower has no check endpoint"),
    ],
)
def test_whether_an_update_would_happen_is_reported_by_watchtower_or_else_by_the_registry(
    answers: Answers, sentence: str
) -> None:
    assert sentence in found(Check.UPDATE, answers, container="api").seen


CHECKED = (
    "failed to get token: failed to execute challenge request: dial tcp 127.0.0.1:5000: connect: connection refused"
)
REFUSED = "failed to get token: unexpected status with empty WWW-Authenticate header: status 500"


def check_of_api(*, available: bool = False, error: str = "") -> Answers:
    """The response of the check endpoint about the container `api`, which runs D1."""
    return {Asked.CHECK: checks(("api", "ghcr.io/o/api:latest", available, error))}


@pytest.mark.parametrize(
    ("digest", "sentence"), [(D2, "would replace `api`"), (D1, "would find nothing newer in the registry")]
)
def test_a_registry_that_only_watchtower_could_not_reach_is_not_a_fault(digest: str, sentence: str) -> None:
    one = found(Check.UPDATE, {**check_of_api(error=CHECKED), API: manifest(digest)}, container="api")
    assert one.state is State.OK
    assert one.seen.startswith(f"{sentence}; Watchtower could not ask the registry itself, so the engine pulls")
    assert "connection refused" in one.seen


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        pytest.param(
            check_of_api(error=CHECKED), State.BROKEN, id="neither Watchtower nor doctor reached the registry"
        ),
        pytest.param(
            {**check_of_api(error=REFUSED), API: manifest(D2)},
            State.WARNING,
            id="Watchtower was refused, doctor was not",
        ),
        pytest.param(
            {**check_of_api(error=REFUSED), API: manifest(D1)},
            State.OK,
            id="refused, but the current image runs already",
        ),
        pytest.param(
            {**check_of_api(error="registry rate limited: retry-after 30s"), API: manifest(D1)},
            State.BROKEN,
            id="a rate limit, which also stops the pull",
        ),
    ],
)
def test_an_error_of_the_check_endpoint_blocks_where_the_update_would_fail_too(answers: Answers, state: State) -> None:
    one = found(Check.UPDATE, answers, container="api")
    assert (one.state, one.finding) == (state, None if state is State.OK else "update-blocked")


def test_a_response_that_is_the_same_for_every_path_is_reported_as_such() -> None:
    for answer in (reply(200), reply(401), page(405, **NGINX)):
        assert "the same at a path that cannot exist" in found(Check.LOCATION, everywhere(answer)).seen


@pytest.mark.parametrize("registry", [manifest(D1), manifest(D3, D1)])
def test_a_container_that_already_runs_the_registrys_image_is_not_replaced_whatever_the_check_endpoint_says(
    registry: Manifest,
) -> None:
    one = found(Check.UPDATE, {**check_of_api(available=True), API: registry}, container="api")
    assert (one.state, one.seen) == (State.OK, "would find nothing newer in the registry")


PINNED = f"ghcr.io/o/api@{D1}"
HELD = [
    pytest.param({Asked.DETAILS: details(("api", "monitor_only"))}, "monitor-only", State.BROKEN, id="monitored"),
    pytest.param({Asked.DETAILS: details(("api", "no_pull"))}, "no-pull", State.WARNING, id="not pulled"),
    pytest.param(
        {
            Asked.CONTAINERS: rows(("api", PINNED, D1), ("web", "ghcr.io/o/web:latest", D2)),
            Asked.CHECK: checks(("api", PINNED, False, ""), ("web", "ghcr.io/o/web:latest", True, "")),
        },
        "pinned-by-digest",
        State.BROKEN,
        id="pinned",
    ),
]


@pytest.mark.parametrize(("answers", "finding", "state"), HELD)
def test_a_container_that_no_push_replaces_is_reported(answers: Answers, finding: str, state: State) -> None:
    one = found(Check.UPDATE, answers, container="api")
    assert (one.state, one.finding) == (state, finding)
    assert "`api`" in one.seen


@pytest.mark.parametrize("answers", [each.values[0] for each in HELD])
def test_another_container_that_no_push_replaces_is_not_a_fault(answers: Answers) -> None:
    assert weak(answers, container="web") == weak(answers) == {}


def test_one_monitor_only_container_of_two_is_a_warning() -> None:
    one = found(Check.UPDATE, {Asked.DETAILS: details(("web", "monitor_only"))}, container="api,web")
    assert (one.state, one.finding) == (State.WARNING, "monitor-only")
    assert "monitors `web`; would replace `api`" in one.seen


def test_an_expected_digest_that_is_not_in_the_registry_yet_breaks_the_chain() -> None:
    one = found(Check.REGISTRY, {API: manifest(D3)}, image="ghcr.io/o/api", expect_digest=D1)
    assert one.state is State.BROKEN


def test_a_digest_that_only_the_check_endpoint_reports_is_not_proposed_as_proof() -> None:
    answers = {**HIDDEN, Asked.CONTAINERS: reply(404)}
    assert "expect-digest" not in found(Check.VERSION, answers, container="api").seen
    assert "expect-digest" in found(Check.VERSION, HIDDEN, container="api").seen


def test_a_token_that_the_proxy_adds_is_reported_and_the_chain_is_judged_to_its_end() -> None:
    chain = chain_from(posted(summary(scanned=0)))
    assert chain.verdict is Verdict.READY
    assert {each.link: each.state for each in chain.links}[Check.UPDATE] is State.OK
    assert weak(posted(summary(scanned=0))) == {"location": "unguarded"}


@pytest.mark.parametrize(
    ("broken", "hidden"),
    [
        (
            {WAY: Reachability(origin=BASE, error_kind=ErrorKind.UNRESOLVED)},
            set(Check) - {Check.INPUTS, Check.DNS, Check.REGISTRY, Check.GITHUB},
        ),
        (posted(page(502, **NGINX)), {Check.TOKEN, Check.CONTAINERS, Check.UPDATE}),
        (dict.fromkeys((Asked.CONTAINERS, Asked.CHECK), FORK_BY_POST), {Check.CONTAINERS, Check.UPDATE}),
        ({Asked.CONTAINERS: rows(), Asked.CHECK: checks()}, {Check.UPDATE}),
        (
            dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN, Asked.DOCUMENT), page(502)),
            {Check.VERSION, Check.OPENAPI},
        ),
    ],
)
def test_a_broken_link_lists_the_links_that_it_hides(broken: Answers, hidden: set[Check]) -> None:
    chain = chain_from(broken)
    [one] = chain.those(State.BROKEN)
    assert set(chain.hidden_by(one.link)) == hidden
    assert {each.link for each in chain.links if each.behind} == hidden


def test_a_challenge_in_front_of_everything_is_reported_once() -> None:
    wall = page(403, cf_mitigated="challenge")
    everywhere = {**posted(wall), **dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN, Asked.DOCUMENT), wall)}
    assert weak(everywhere) == {"front": "challenge"}


def test_a_container_that_does_not_run_is_not_called_unwatched() -> None:
    gone = dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN, Asked.DOCUMENT), page(502))
    assert weak({**gone, Asked.CONTAINERS: rows(), Asked.CHECK: checks()}) == {"health": "down"}


def test_the_version_of_an_unhealthy_service_counts() -> None:
    ill = reply(503, {"ok": False, "commit": NEW})
    one = found(Check.VERSION, dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), ill))
    assert one.state is State.OK
    assert NEW in one.seen


@pytest.mark.parametrize(
    ("left", "life", "soon"),
    [(13.9, 90, True), (14.1, 90, False), (0.9, 6, True), (1.1, 6, False), (13.9, 365, True), (40, 47, False)],
)
def test_a_certificate_that_expires_soon_is_reported_whatever_its_lifetime(
    left: float, life: float, soon: bool
) -> None:
    ends = WALL + left * DAY
    certificate = Certificate(begins=ends - life * DAY, ends=ends, issuer="An Authority")
    one = found(
        Check.TLS,
        {WAY: Reachability(origin=BASE, addresses=("203.0.113.7",), certificate=certificate, version="TLSv1.3")},
    )
    assert one.finding == (Finding.CERTIFICATE_ENDS_SOON if soon else None)
    assert f"valid for {int(left)} day" in one.seen


def test_the_worse_of_two_origins_counts() -> None:
    other = "https://www.example.com"
    ways = {Connect(other): Reachability(origin=other, addresses=("203.0.113.8",), error_kind=ErrorKind.REFUSED)}
    chain = chain_from(ways, base_url=other)
    connection = next(each for each in chain.links if each.link is Check.CONNECTION)
    assert connection.state is State.BROKEN
    assert f"`{other}`: refused" in connection.seen
    assert set(chain.hidden_by(Check.CONNECTION)) == {Check.HEALTH, Check.VERSION, Check.OPENAPI}


def test_behind_a_proxy_of_the_environment_the_connection_is_not_examined() -> None:
    way: Answers = {WAY: Reachability(origin=BASE, proxied=True)}
    assert weak(way) == {}
    assert {found(each, way).state for each in (Check.DNS, Check.CONNECTION, Check.TLS)} == {State.NOT_REACHED}


@pytest.mark.parametrize(("error_kind", "finding"), [(ErrorKind.TLS, "tls"), (ErrorKind.REFUSED, "unreachable")])
def test_a_fault_of_the_connection_through_such_a_proxy_is_reported(error_kind: ErrorKind, finding: str) -> None:
    silent: Answers = dict.fromkeys(Asked, TransportError(error_kind, "in detail"))
    answers: Answers = {**silent, WAY: Reachability(origin=BASE, proxied=True)}
    one = found(Check.FRONT, answers)
    assert (one.state, one.finding) == (State.BROKEN, finding)
    assert one.seen.startswith("through the environment's proxy: ")
    assert one.seen.endswith("(in detail)")


def test_a_remedy_names_the_broken_host_and_the_observed_container() -> None:
    apart = "https://shop.test"
    clear = Reachability(origin=apart, addresses=("203.0.113.7",), certificate=TRUSTED, version="TLSv1.3")
    ill: Answers = {Connect(apart): clear, **dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), reply(503))}
    remedy = found(Check.HEALTH, ill, container="api", base_url=apart).remedy
    assert remedy
    assert "docker logs --tail 100 api\ncurl -sSi 'https://shop.test/api/ready'" in remedy.fix
    gone: Answers = {Connect(apart): Reachability(origin=apart, error_kind=ErrorKind.UNRESOLVED)}
    remedy = found(Check.DNS, gone, base_url=apart).remedy
    assert remedy
    assert "dig +short shop.test A" in remedy.fix
    remedy = found(Check.LOCATION, {Connect(apart): clear, Asked.POST_UPDATE: page(404)}, base_url=apart).remedy
    assert remedy
    assert "`server` block of `api.example.com`" in remedy.fix


def test_a_private_address_is_reported() -> None:
    assert (
        "private"
        in found(
            Check.CONNECTION, {WAY: Reachability(origin=BASE, addresses=("10.1.2.3",), error_kind=ErrorKind.REFUSED)}
        ).seen
    )


def test_possible_identities_of_the_build_are_reported() -> None:
    health = dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), ready(start_time=WALL - 500))
    seen = found(Check.VERSION, health, container="api").seen
    assert "expect-digest" in seen
    assert "`start_time`" in seen


@pytest.mark.parametrize("inputs", [{}, {"expect_version": NEW}])
def test_a_build_name_that_changes_with_every_response_is_reported(inputs: dict[str, str]) -> None:
    looks = {Asked.HEALTH: ready("a" * 40), Asked.HEALTH_AGAIN: ready("b" * 40)}
    assert "`commit` differs from response to response" in found(Check.VERSION, looks, **inputs).seen


@pytest.mark.parametrize(("declared", "sentence"), [("1" * 40, "live already"), (NEW, "and a deploy must put it live")])
def test_a_declared_version_is_compared(declared: str, sentence: str) -> None:
    one = found(Check.VERSION, expect_version=declared)
    assert one.state is State.OK
    assert sentence in one.seen


def test_plain_http_to_another_machine_is_a_warning() -> None:
    base = "http://api.example.com"
    answers = {Connect(base): Reachability(origin=base, addresses=("203.0.113.7",))}
    assert weak(answers, watchtower_url=f"{base}/ops/update", allow_http="true") == {"inputs": "plain-http"}


def test_a_refusal_by_github_is_a_warning_that_quotes_it() -> None:
    wished = {"deployment_environment": "production", "github_token": "ghs_1234"}
    refusal = Refusal(status=403, message="Resource not accessible by integration")
    one = found(Check.GITHUB, {FetchEnvironment(): refusal}, **wished)
    assert (one.state, one.finding) == (State.WARNING, Finding.DEPLOYMENTS_REFUSED)
    assert "403 Resource not accessible" in one.seen
    assert found(Check.GITHUB, {FetchEnvironment(): None}, **wished).state is State.OK


@pytest.mark.parametrize(
    "trouble",
    [
        Refusal(status=500),
        Refusal(status=403, message="API rate limit exceeded", rate_limited=True),
        Refusal(message="ConnectionError"),
    ],
)
def test_an_unclear_github_error_is_not_reported_as_a_missing_permission(trouble: Refusal) -> None:
    one = found(
        Check.GITHUB, {FetchEnvironment(): trouble}, deployment_environment="production", github_token="ghs_1234"
    )
    assert (one.state, one.finding) == (State.NOT_REACHED, None)
    assert (trouble.message or "500") in one.seen


def test_the_result_reports_what_is_running() -> None:
    known, _ = known_from({}, container="api")
    outcome = examined(known, diagnose(known, WALL))
    assert (outcome.conclusion.verdict, outcome.conclusion.exit_code) == (Verdict.READY, 0)
    seen = outcome.seen
    assert (seen.version.live, seen.digest.live, seen.url, seen.mode) == ("1" * 40, D1, BASE, "doctor")


def test_invalid_inputs_hide_every_other_link() -> None:
    outcome = unexamined([Problem("timeout", "is not a duration")])
    assert outcome.conclusion.exit_code == 2
    assert outcome.chain is not None
    assert outcome.chain == unread("invalid: `timeout`")
    assert set(outcome.chain.hidden_by(Check.INPUTS)) == set(Check) - {Check.INPUTS}


def test_a_containers_url_at_another_origin_is_connected_to_separately() -> None:
    other = "https://ops.example.com"
    ways = {Connect(other): Reachability(origin=other, error_kind=ErrorKind.UNRESOLVED), Asked.CHECK: reply(404)}
    chain = chain_from(ways, containers_url=f"{other}/containers")
    assert [each.link for each in chain.those(State.BROKEN)] == [Check.DNS]
    assert set(chain.hidden_by(Check.DNS)) == {Check.CONTAINERS, Check.UPDATE}


def test_no_text_from_a_server_shows_a_secret() -> None:
    token = "tok-8d1f`|<i>0c6b2a"
    redact = redactor([Secret(token)])
    certificate = replace(TRUSTED, issuer=token, names=(token,))
    error = f"denied: {'-' * 185}{token}"
    script = Script(
        {
            **HOLDS,
            WAY: replace(CLEAR, certificate=certificate),
            Asked.POST_UPDATE: reply(401, "missing or invalid API Key", server=f"nginx/{token}"),
            Asked.CONTAINERS: rows((token, "ghcr.io/o/api:latest", D1)),
            Asked.CHECK: checks((token, "ghcr.io/o/api:latest", False, error)),
            **dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), reply(200, {token: {"commit": token}})),
        }
    )
    known = examine(Known(plan(mode="doctor", watchtower_token=token), redact=redact), script)
    text = "\n".join(each.seen for each in diagnose(known, WALL).links)
    assert redact(text) == text
    assert "0c6b2a" not in text
    assert "tok-8d1f" not in text


def test_every_link_has_a_title_and_every_finding_a_remedy() -> None:
    assert set(TITLES) == set(Check)
    assert set(FINDINGS) == set(Finding)
    assert not_reached(Check.TLS, [None]) is None


@given(
    st.fixed_dictionaries({each: st.sampled_from(ANSWERS) for each in Asked}),
    st.sampled_from(
        ({}, {"container": "api"}, {"image": "ghcr.io/o/api"}, {"expect_digest": D1}, {"expect_version": NEW})
    ),
)
def test_any_set_of_responses_makes_a_complete_chain(answers: dict[Asked, HttpResult], inputs: dict[str, str]) -> None:
    chain = chain_from(answers, **inputs)
    assert [each.link for each in chain.links] == [each for each in Check if each is not Check.GITHUB]
    broken = {each.link for each in chain.those(State.BROKEN)}
    assert all(each.behind in broken for each in chain.links if each.behind)
    assert all((each.finding is None) == (each.state in (State.OK, State.NOT_REACHED)) for each in chain.links)
    assert (chain.verdict is Verdict.READY) == (not broken)


def of_a_worker(answers: Answers, **inputs: str) -> dict[Check, LinkResult]:
    """The links of a service without an address."""
    worker = replace(plan(mode="doctor", container="api", openapi_path="off", **inputs), service=WORKER)
    known = examine(Known(worker), Script({**HOLDS, **answers}))
    return {each.link: each for each in diagnose(known, WALL).links}


def test_no_health_or_version_of_a_worker_is_requested() -> None:
    links = of_a_worker({})
    assert [links[each].state for each in (Check.HEALTH, Check.VERSION, Check.OPENAPI)] == [State.NOT_REACHED] * 3
    assert all(each.state in (State.OK, State.NOT_REACHED) for each in links.values())


@pytest.mark.parametrize(
    ("asked", "state", "finding"),
    [("none", State.WARNING, Finding.NO_CONTAINERS), ("change", State.BROKEN, Reason.DIGEST_UNAVAILABLE)],
)
def test_a_worker_whose_container_is_not_listed_cannot_be_proven(asked: str, state: State, finding: StrEnum) -> None:
    containers = of_a_worker({Asked.CONTAINERS: reply(404)}, require_proof=asked)[Check.CONTAINERS]
    assert (containers.state, containers.finding) == (state, finding)
    assert "nothing else shows which build of this service runs" in containers.seen


def test_health_is_judged_by_the_conditions_too() -> None:
    looks = dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), reply(200, {"status": "DOWN", "commit": NEW}))
    mild = found(Check.HEALTH, looks)
    assert mild.state is State.WARNING
    assert mild.remedy is not None
    assert "health-expect: status != DOWN" in mild.remedy.fix
    firm = found(Check.HEALTH, looks, health_expect="status != DOWN")
    assert firm.state is State.BROKEN
    assert "`status != DOWN` does not hold: the value is `DOWN`" in firm.seen
    assert found(Check.HEALTH, looks, health_expect="status = DOWN|UP").state is State.OK
