"""Watchtower's response: every row of the state tables, every page of a proxy, and all recordings."""

import email
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.text.secret import Secret, redactor
from redeploy.triggers.trigger import Again, Answer, Counts, Result
from redeploy.triggers.watchtower.answer import is_fork_with_containers, read_answer, reported_reasons
from redeploy.verdicts import Reason
from tests.unit.factories import page, ready, reply, summary

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "fixtures" / "watchtower" / "transcripts.json").read_text(encoding="utf-8")
)
NGINX = {"server": "nginx/1.25.3"}
CLOUDFLARE = {"server": "cloudflare"}


def flat(**counts: int) -> Response:
    """The response of openserbia's line, which leaves zeros out."""
    return reply(200, {"status": "completed", **counts})


@pytest.mark.parametrize(
    ("http_result", "result", "refusal", "again"),
    [
        # containrrr, beatkind, and old versions of the fork
        pytest.param(reply(200), Result.ACCEPTED, None, None, id="OLD: 200 empty"),
        pytest.param(reply(200, " \n"), Result.ACCEPTED, None, None, id="200 blank"),
        pytest.param(reply(204), Result.ACCEPTED, None, None, id="204"),
        pytest.param(reply(401), Result.NONE, Reason.AUTH, None, id="OLD 1.4: bad token"),
        pytest.param(TransportError(ErrorKind.CUT), Result.UNKNOWN, None, None, id="OLD: panic, nothing but EOF"),
        pytest.param(page(502, **NGINX), Result.UNKNOWN, None, None, id="OLD: panic behind nginx"),
        pytest.param(reply(404, "404 page not found\n"), Result.NONE, Reason.MISROUTED, None, id="OLD: wrong path"),
        # nicholas-fedor
        pytest.param(summary(updated=1), Result.UPDATED, None, None, id="FORK: updated"),
        pytest.param(
            summary(updated=1, failed=1, scanned=2), Result.PARTIAL, None, None, id="FORK: updated and failed"
        ),
        pytest.param(
            summary(updated=1, skipped=1, scanned=1), Result.PARTIAL, None, None, id="FORK: updated and skipped"
        ),
        pytest.param(summary(failed=1), Result.FAILED, None, None, id="FORK: failed"),
        pytest.param(summary(failed=1, skipped=1), Result.FAILED, None, None, id="FORK: failed and skipped"),
        pytest.param(summary(scanned=0, skipped=1), Result.BLOCKED, None, None, id="FORK: skipped"),
        pytest.param(summary(scanned=3), Result.NOTHING, None, None, id="FORK: nothing new"),
        pytest.param(summary(scanned=0), Result.UNKNOWN, None, None, id="FORK: scanned nothing"),
        pytest.param(summary(restarted=1), Result.NOTHING, None, None, id="FORK: only linked ones restarted"),
        pytest.param(
            reply(200, {"summary": {"scanned": 1, "updated": 1, "failed": 0}}),
            Result.UPDATED,
            None,
            None,
            id="FORK 1.12: three counts",
        ),
        pytest.param(
            reply(429, {"error": "another update is already running"}, retry_after="30"),
            Result.BUSY,
            None,
            Again.BUSY,
            id="FORK: busy",
        ),
        pytest.param(reply(429), Result.NONE, None, Again.RATE_LIMITED, id="FORK 1.16: rate limit, empty"),
        pytest.param(
            reply(429, "Too Many Requests", retry_after="55"),
            Result.NONE,
            None,
            Again.RATE_LIMITED,
            id="FORK 1.20: rate limit, text",
        ),
        pytest.param(reply(405, "Method Not Allowed", allow="POST"), Result.NONE, Reason.METHOD, None, id="FORK: 405"),
        pytest.param(reply(202, "Accepted"), Result.ACCEPTED, None, None, id="FORK 1.20: 202"),
        pytest.param(reply(202), Result.ACCEPTED, None, None, id="FORK 1.17: 202 empty"),
        pytest.param(
            reply(401, "missing or invalid API Key"), Result.NONE, Reason.AUTH, None, id="FORK 1.20: bad token"
        ),
        pytest.param(reply(408, "Request Timeout"), Result.UNKNOWN, None, None, id="FORK: beyond its limit"),
        pytest.param(reply(500, "Internal Server Error"), Result.UNKNOWN, None, None, id="FORK: panic"),
        pytest.param(
            reply(503, "request cancelled\n"),
            Result.NONE,
            None,
            Again.CANCELLED,
            id="FORK 1.14: cancelled while waiting",
        ),
        pytest.param(reply(404, "Not Found"), Result.NONE, Reason.MISROUTED, None, id="FORK: wrong path"),
        # openserbia
        pytest.param(flat(scanned=1, updated=1), Result.UPDATED, None, None, id="openserbia: done"),
        pytest.param(flat(scanned=1), Result.NOTHING, None, None, id="openserbia: nothing new"),
        pytest.param(flat(), Result.UNKNOWN, None, None, id="openserbia: scanned nothing"),
        pytest.param(flat(scanned=1, failed=1), Result.FAILED, None, None, id="openserbia: failed"),
        pytest.param(flat(scanned=2, updated=1, failed=1), Result.PARTIAL, None, None, id="openserbia: partial"),
        pytest.param(
            reply(429, {"status": "skipped", "reason": "another update is already running"}),
            Result.BUSY,
            None,
            Again.BUSY,
            id="openserbia: busy",
        ),
        # proxies and other servers
        pytest.param(page(200), Result.NONE, Reason.MISROUTED, None, id="a single-page application"),
        pytest.param(page(202), Result.NONE, Reason.MISROUTED, None, id="a page with 202"),
        pytest.param(reply(202, {"queued": True}), Result.ACCEPTED, None, None, id="202 with JSON"),
        pytest.param(reply(200, "ok"), Result.NONE, Reason.MISROUTED, None, id="text of another server"),
        pytest.param(ready(), Result.NONE, Reason.MISROUTED, None, id="JSON of another server"),
        pytest.param(
            reply(200, {"status": "success"}),
            Result.NONE,
            Reason.MISROUTED,
            None,
            id="a response that no version sends",
        ),
        pytest.param(reply(200, []), Result.NONE, Reason.MISROUTED, None, id="a JSON array"),
        pytest.param(reply(200, {"summary": []}), Result.NONE, Reason.MISROUTED, None, id="an invalid summary"),
        pytest.param(
            reply(200, {"summary": {"scanned": 1}}),
            Result.NONE,
            Reason.MISROUTED,
            None,
            id="a summary that lacks counts",
        ),
        pytest.param(
            reply(200, {"summary": {"scanned": "1", "updated": 1, "failed": 0}}),
            Result.NONE,
            Reason.MISROUTED,
            None,
            id="a count that is text",
        ),
        pytest.param(
            reply(200, {"summary": {"scanned": 1, "updated": True, "failed": 0}}),
            Result.NONE,
            Reason.MISROUTED,
            None,
            id="a count that is a boolean",
        ),
        pytest.param(summary(updated=-1), Result.NONE, Reason.MISROUTED, None, id="a negative count"),
        pytest.param(page(404, **NGINX), Result.NONE, Reason.MISROUTED, None, id="nginx: no such location"),
        pytest.param(
            reply(404, {"detail": "Not Found"}), Result.NONE, Reason.MISROUTED, None, id="the backend's own 404"
        ),
        pytest.param(page(405, **NGINX), Result.NONE, Reason.METHOD, None, id="nginx: POST to a static site"),
        pytest.param(page(403, **NGINX), Result.NONE, Reason.AUTH, None, id="nginx: forbidden"),
        pytest.param(page(400), Result.NONE, Reason.MISROUTED, None, id="400"),
        pytest.param(page(413), Result.NONE, Reason.MISROUTED, None, id="413"),
        pytest.param(reply(301, location="https://x/"), Result.NONE, Reason.REDIRECT, None, id="301"),
        pytest.param(reply(307, location="/login"), Result.NONE, Reason.REDIRECT, None, id="307"),
        pytest.param(reply(304), Result.NONE, Reason.REDIRECT, None, id="304"),
        pytest.param(
            reply(302, location="https://t.cloudflareaccess.com/x"),
            Result.NONE,
            Reason.ACCESS_WALL,
            None,
            id="Access: login",
        ),
        pytest.param(
            reply(401, www_authenticate="Cloudflare-Access"),
            Result.NONE,
            Reason.ACCESS_WALL,
            None,
            id="Access: refused token",
        ),
        pytest.param(
            page(403, cf_mitigated="challenge"), Result.NONE, Reason.CHALLENGE, None, id="Cloudflare: challenge"
        ),
        pytest.param(
            page(429, cf_mitigated="challenge"), Result.NONE, Reason.CHALLENGE, None, id="Cloudflare: challenge as 429"
        ),
        pytest.param(
            page(429, **CLOUDFLARE, retry_after="10"),
            Result.NONE,
            None,
            Again.RATE_LIMITED,
            id="Cloudflare: rate limit",
        ),
        pytest.param(page(503, **NGINX), Result.UNKNOWN, None, None, id="nginx: 503"),
        pytest.param(
            page(503, "request cancelled"), Result.UNKNOWN, None, None, id="a page that says request cancelled"
        ),
        pytest.param(page(504, **NGINX), Result.UNKNOWN, None, None, id="nginx: gave up"),
        *(
            pytest.param(page(status, **CLOUDFLARE), Result.UNKNOWN, None, None, id=f"Cloudflare: {status}")
            for status in (520, 522, 524, 527)
        ),
        *(
            pytest.param(
                page(status, **CLOUDFLARE), Result.NONE, Reason.UNREACHABLE, Again.UNREACHED, id=f"Cloudflare: {status}"
            )
            for status in (521, 523, 530)
        ),
        *(
            pytest.param(page(status, **CLOUDFLARE), Result.NONE, Reason.TLS, None, id=f"Cloudflare: {status}")
            for status in (525, 526)
        ),
        pytest.param(reply(407), Result.NONE, Reason.UNREACHABLE, None, id="a proxy requires a password"),
        # no response
        pytest.param(
            TransportError(ErrorKind.UNRESOLVED), Result.NONE, Reason.UNREACHABLE, Again.UNREACHED, id="no such host"
        ),
        pytest.param(TransportError(ErrorKind.REFUSED), Result.NONE, Reason.UNREACHABLE, Again.UNREACHED, id="refused"),
        pytest.param(
            TransportError(ErrorKind.NOT_CONNECTED),
            Result.NONE,
            Reason.UNREACHABLE,
            Again.UNREACHED,
            id="no connection",
        ),
        pytest.param(TransportError(ErrorKind.TLS, "expired"), Result.NONE, Reason.TLS, None, id="TLS"),
        pytest.param(TransportError(ErrorKind.TIMED_OUT), Result.UNKNOWN, None, None, id="no response in time"),
        pytest.param(
            TransportError(ErrorKind.TOO_LARGE), Result.NONE, Reason.MISROUTED, None, id="an endless response"
        ),
    ],
)
def test_a_response_to_the_trigger_is_classified(
    http_result: HttpResult, result: Result, refusal: Reason | None, again: Again | None
) -> None:
    answer = read_answer(http_result)
    assert (answer.result, answer.refusal, answer.again) == (result, refusal, again)


@pytest.mark.parametrize(
    ("http_result", "wait"),
    [
        (reply(429, {"error": "another update is already running"}, retry_after="30"), 30.0),
        (reply(429, {"reason": "another update is already running"}), None),
        (reply(429, "Too Many Requests", retry_after="55"), 55.0),
        (reply(503, "request cancelled", retry_after="7"), 7.0),
    ],
)
def test_the_wait_is_taken_from_the_server(http_result: HttpResult, wait: float | None) -> None:
    assert read_answer(http_result).wait == wait


@pytest.mark.parametrize(
    ("http_result", "counts"),
    [
        (summary(updated=1), Counts(scanned=1, updated=1, skipped=0)),
        (
            reply(200, {"summary": {"scanned": 1, "updated": 1, "failed": 0}}),
            Counts(scanned=1, updated=1, skipped=None),
        ),
        (flat(scanned=2, failed=1), Counts(scanned=2, failed=1, skipped=None)),
        (reply(200), None),
    ],
)
def test_counts_are_kept_and_skipped_only_if_reported(http_result: HttpResult, counts: Counts | None) -> None:
    assert read_answer(http_result).counts == counts


@pytest.mark.parametrize(
    ("http_result", "lost", "scanned_nothing"),
    [
        (TransportError(ErrorKind.CUT), True, False),
        (reply(408), True, False),
        (page(504), True, False),
        (summary(scanned=0), False, True),
        (flat(), False, True),
        (summary(), False, False),
        (reply(200), False, False),
    ],
)
def test_a_lost_response_is_distinguished_from_one_that_scanned_nothing(
    http_result: HttpResult, lost: bool, scanned_nothing: bool
) -> None:
    answer = read_answer(http_result)
    assert (answer.lost, answer.scanned_nothing) == (lost, scanned_nothing)


@pytest.mark.parametrize("words", ["s3cret", "::error::", "<script>"])
def test_no_text_of_the_server_is_quoted(words: str) -> None:
    for status in (200, 202, 302, 401, 403, 404, 408, 429, 500, 502, 503, 530):
        for http_result in (
            reply(status, words, server=words, location=words),
            page(status, words),
            reply(status, {"error": words}),
        ):
            assert words not in read_answer(http_result).seen


@pytest.mark.parametrize(
    ("http_result", "forked"),
    [
        pytest.param(reply(401, "missing or invalid API Key"), True, id="fork 1.20"),
        pytest.param(reply(401, "Missing or invalid API key\n"), True, id="in any letter case"),
        pytest.param(reply(401), False, id="older or another line"),
        pytest.param(reply(401, "Unauthorized"), False, id="another text"),
        pytest.param(page(401, "missing or invalid API Key"), False, id="a page"),
        pytest.param(reply(403, "missing or invalid API Key"), False, id="another status"),
        pytest.param(reply(200), False, id="containrrr 1.3"),
        pytest.param(reply(405), False, id="405"),
        pytest.param(TransportError(ErrorKind.CUT), False, id="no reply"),
    ],
)
def test_only_a_fork_that_supports_containers_is_recognised_as_such(http_result: HttpResult, forked: bool) -> None:
    assert is_fork_with_containers(http_result) is forked


def check(*rows: object) -> Response:
    return reply(200, {"containers": list(rows)})


@pytest.mark.parametrize(
    ("http_result", "reasons"),
    [
        pytest.param(
            check({"name": "api", "error": "registry rate limited"}), ("api: registry rate limited",), id="reported"
        ),
        pytest.param(
            check({"name": "api"}, {"name": "web", "error": ""}, {"name": "db", "error": None}), (), id="content"
        ),
        pytest.param(
            check({"name": "api", "error": "a\n::error::b <html><b>429</b></html> ##[x]"}),
            ("api: a ::error::b 429 # #[x]",),
            id="hostile",
        ),
        pytest.param(
            check("api", 7, None, {"name": 1, "error": "x"}, {"name": "a", "error": ["x"]}),
            (),
            id="entries of other types",
        ),
        pytest.param(reply(200, {"containers": None}), (), id="null"),
        pytest.param(reply(200, []), (), id="another document"),
        pytest.param(reply(404, "404 page not found"), (), id="absent"),
        pytest.param(reply(500, {"containers": [{"name": "api", "error": "x"}]}), (), id="failed"),
        pytest.param(TransportError(ErrorKind.REFUSED), (), id="refused"),
    ],
)
def test_the_check_endpoint_says_why_containers_were_skipped(http_result: HttpResult, reasons: tuple[str, ...]) -> None:
    assert reported_reasons(http_result, Result.BLOCKED) == reasons


def test_after_an_update_of_nothing_only_a_missing_tag_is_reported() -> None:
    """Fork 1.21, `registry/digest`: if its own lookup at the registry fails, the update falls back to a pull."""
    http_result = check(
        {"name": "api", "error": 'failed to execute request: Head "https://r.test:40404/v2/": connection refused'},
        {"name": "web", "error": "x509: certificate signed by unknown authority"},
        {"name": "job", "error": "manifest not found: HEAD request failed with status 404 Not Found"},
    )
    assert [each[:3] for each in reported_reasons(http_result, Result.NOTHING)] == ["job"]
    assert len(reported_reasons(http_result, Result.BLOCKED)) == 3


def test_a_secret_is_redacted_from_reasons_before_html_tags_are_removed() -> None:
    http_result = check({"name": "api", "error": "denied for bot:pa<ss>word"})
    assert reported_reasons(http_result, Result.BLOCKED, redactor([Secret("pa<ss>word")])) == (
        "api: denied for bot:***",
    )


def test_a_few_short_reasons_are_kept() -> None:
    found = reported_reasons(check(*({"name": "n" * 500, "error": "e" * 5000} for _ in range(200))), Result.BLOCKED)
    assert 0 < len(found) <= 20
    assert all(len(each) < 300 for each in found)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("check-registry-429", "registry rate limited"),
        ("check-tag-deleted", "404 Not Found"),
        ("check", ""),
        ("check-path", ""),
    ],
)
def test_the_recorded_responses_of_the_check_endpoint_are_read(name: str, words: str) -> None:
    row = next(row for row in RECORDED if row["name"] == name)
    found = reported_reasons(recorded_reply(row["response"]), Result.BLOCKED)
    assert words in " ".join(found)
    assert bool(found) is bool(words)


REPLIES = st.builds(
    Response,
    status=st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(
            ["content-type", "server", "location", "retry-after", "date", "cf-mitigated", "www-authenticate"]
        ),
        st.sampled_from(
            [
                "text/html",
                "application/json",
                "challenge",
                "30",
                "soon",
                "cloudflare",
                "https://x.cloudflareaccess.com/",
            ]
        ),
    ),
    body=st.binary(max_size=60)
    | st.sampled_from(
        [
            b"",
            b"<html>",
            b'{"summary":{}}',
            b'{"status":"completed","scanned":1e400}',
            b"request cancelled",
            b'{"error":"already running"}',
        ]
    )
    | st.dictionaries(
        st.sampled_from(["summary", "status", "scanned", "updated", "failed", "skipped"]),
        st.none() | st.integers() | st.just("completed"),
        max_size=5,
    ).map(lambda each: json.dumps(each).encode()),
)


@given(REPLIES | st.builds(TransportError, st.sampled_from(ErrorKind), st.text(max_size=10)))
def test_any_response_to_the_trigger_has_a_result(http_result: HttpResult) -> None:
    answer = read_answer(http_result)
    assert answer.seen
    assert not (answer.lost and answer.scanned_nothing)
    if answer.refusal is not None or answer.again is not None:
        assert answer.result in (Result.NONE, Result.BUSY)
    if answer.result in (Result.UPDATED, Result.PARTIAL, Result.FAILED, Result.BLOCKED, Result.NOTHING):
        assert answer.counts is not None
    if answer.again is not None and isinstance(http_result, Response):
        assert http_result.status in (429, 503, 521, 523, 530)


@given(st.builds(Counts, *[st.integers(0, 3)] * 4, st.none() | st.integers(0, 3)))
def test_failed_or_skipped_containers_are_never_reported_as_updated(counts: Counts) -> None:
    reported = {
        "scanned": counts.scanned,
        "updated": counts.updated,
        "failed": counts.failed,
        "restarted": counts.restarted,
    }
    if counts.skipped is not None:
        reported["skipped"] = counts.skipped
    answer = read_answer(reply(200, {"summary": reported}))
    assert answer.counts == counts
    if answer.result is Result.UPDATED:
        assert counts.updated
        assert not counts.failed
        assert not counts.skipped


# recordings

_EXPECTED: dict[str, dict[str, tuple[Result, Reason | Again | None]]] = {}


def _expect(line: str, result: Result, why: Reason | Again | None, names: str) -> None:
    _EXPECTED.setdefault(line, {}).update(dict.fromkeys(names.split(), (result, why)))


OLD_LINE, FORK, OPENSERBIA = "containrrr-1.7.1", "nicholas-fedor-1.21.0", "openserbia-1.18.3"
_expect(OLD_LINE, Result.NONE, Reason.AUTH, "no-token wrong-token lower-case-bearer")
_expect(OLD_LINE, Result.NONE, Reason.MISROUTED, "trailing-slash unknown-path root")
_expect(OLD_LINE, Result.UNKNOWN, None, "engine-unreachable")
_expect(
    OLD_LINE,
    Result.ACCEPTED,
    None,
    "nothing-new updated image-narrowed image-with-tag busy-full updated-slow-stop busy-narrowed registry-500 registry-401 "
    "registry-403 registry-404 registry-429 start-failed after-failed-start crash-loop after-crash-loop tag-deleted "
    "crash-loop-include-restarting mended-include-restarting",
)
_expect(FORK, Result.NONE, Reason.AUTH, "no-token wrong-token")
_expect(FORK, Result.NONE, Reason.MISROUTED, "trailing-slash unknown-path root")
_expect(FORK, Result.NONE, Again.RATE_LIMITED, "rate-limited")
_expect(FORK, Result.BUSY, Again.BUSY, "busy-full")
_expect(FORK, Result.ACCEPTED, None, "async")
_expect(FORK, Result.NOTHING, None, "nothing-new lower-case-bearer busy-narrowed monitor-only tag-deleted")
_expect(
    FORK,
    Result.UPDATED,
    None,
    "updated image-narrowed image-with-tag container-narrowed updated-slow-stop updated-two crash-loop "
    "crash-loop-include-restarting mended-include-restarting updated-after-registry-mended",
)
_expect(
    FORK,
    Result.UNKNOWN,
    None,
    "container-no-match image-no-match timeout-parameter engine-unreachable update-timeout after-failed-start "
    "after-crash-loop",
)
_expect(FORK, Result.FAILED, None, "start-failed")
_expect(FORK, Result.PARTIAL, None, "partial")
_expect(FORK, Result.BLOCKED, None, "registry-500 registry-401 registry-403 registry-404 registry-429 cooldown")
_expect(OPENSERBIA, Result.NONE, Reason.AUTH, "unauthenticated-post wrong-token lower-case-bearer")
_expect(OPENSERBIA, Result.NONE, Reason.MISROUTED, "trailing-slash")
_expect(OPENSERBIA, Result.BUSY, Again.BUSY, "busy-full")
_expect(
    OPENSERBIA,
    Result.NOTHING,
    None,
    "nothing-new container-unknown-parameter body busy-targeted registry-429 registry-401 registry-403 registry-500 "
    "tag-gone",
)
_expect(
    OPENSERBIA,
    Result.UNKNOWN,
    None,
    "image-no-match image-empty image-with-tag no-watched-container engine-unreachable cannot-start-again crash-loop-again "
    "crash-loop-mended",
)
_expect(
    OPENSERBIA,
    Result.UPDATED,
    None,
    "image-without-tag after-image-with-tag updated updated-slow-stop crash-loop crash-loop-included "
    "crash-loop-included-mended monitor-only gated-updated gated-cooldown gated-cooldown-good-image "
    "blue-green-published-port",
)
_expect(OPENSERBIA, Result.FAILED, None, "cannot-start gated-rolled-back")
_expect(OPENSERBIA, Result.PARTIAL, None, "one-updated-one-failed")


def recorded_reply(response: str) -> HttpResult:
    """A recorded response, parsed as HTTP; an empty one is a closed connection."""
    if not response:
        return TransportError(ErrorKind.CUT)
    head, _, body = response.partition("\r\n\r\n")
    status, _, fields = head.partition("\r\n")
    headers = {name.lower(): value for name, value in email.message_from_string(fields).items()}
    return Response(int(status.split()[1]), headers, body.encode())


TRIGGERS = [
    row for row in RECORDED if row["method"] == "POST" and not row["target"].startswith(("/v1/check", "/v1/containers"))
]


@pytest.mark.parametrize("row", TRIGGERS, ids=lambda row: f"{row['line']}: {row['name']}")
def test_every_recorded_response_to_a_trigger_has_its_expected_result(row: dict[str, Any]) -> None:
    answer = read_answer(recorded_reply(row["response"]))
    assert (answer.result, answer.refusal or answer.again) == _EXPECTED[row["line"]][row["name"]]


def test_every_expected_response_was_recorded() -> None:
    recorded = {(row["line"], row["name"]) for row in TRIGGERS}
    assert recorded == {(line, name) for line, names in _EXPECTED.items() for name in names}


@pytest.mark.parametrize("row", TRIGGERS, ids=lambda row: f"{row['line']}: {row['name']}")
def test_a_recorded_unknown_is_lost_or_scanned_nothing(row: dict[str, Any]) -> None:
    answer: Answer = read_answer(recorded_reply(row["response"]))
    if answer.result is Result.UNKNOWN:
        lost = row["name"] == "update-timeout" or not row["response"]
        assert (answer.lost, answer.scanned_nothing) == (lost, not lost)


@pytest.mark.parametrize(
    "row",
    [row for row in RECORDED if row["authorization"] is None and row["method"] == "POST"],
    ids=lambda row: f"{row['line']}: {row['name']}",
)
def test_of_the_recorded_lines_only_the_fork_is_recognised_by_its_refusal(row: dict[str, Any]) -> None:
    if row["target"].startswith("/v1/update") and row["target"] != "/v1/update/":
        assert is_fork_with_containers(recorded_reply(row["response"])) is (row["line"] == FORK)
