"""Smoke requests: their syntax, and what their responses mean."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract.smoke import Again, Judged, Result, Sent, Smoke, found_again, judge, parse_smoke
from redeploy.http.response import NEVER_SENT, ErrorKind, HttpResult, TransportError
from redeploy.text.secret import Secret, redactor
from tests.unit.factories import page, reply


def smoke(line: str) -> Smoke:
    return parse_smoke(line, "https://api.example.com{}".format)


def judged(line: str, http_result: HttpResult) -> Result:
    return judge(smoke(line), http_result, 0.25)


# the grammar


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("GET /api/status", ("GET", "/api/status", "2xx")),
        ("get /api/status 200", ("GET", "/api/status", "200")),
        ("HEAD / 2XX", ("HEAD", "/", "2xx")),
        ("GET /a?b=c&d=%20 404", ("GET", "/a?b=c&d=%20", "404")),
        ("GET https://other.example.com/a 3xx", ("GET", "https://other.example.com/a", "3xx")),
        ("!POST /purge", ("POST", "/purge", "2xx")),
        ("! DELETE /purge 204", ("DELETE", "/purge", "204")),
        ("!GET /a", ("GET", "/a", "2xx")),
        ("  GET   /a   599  ", ("GET", "/a", "599")),
        ("GET /a 100", ("GET", "/a", "100")),
    ],
)
def test_a_line_is_a_method_a_path_and_a_status(line: str, parts: tuple[str, str, str]) -> None:
    read = smoke(line)
    assert (read.method, read.target, read.status, read.marked) == (*parts, line.startswith("!"))
    assert read.clauses == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("GET", "is not of the form"),
        ("/a", "is not of the form"),
        ("GET a", "is not of the form"),
        ("GET //a", "is not of the form"),
        ("GET ftp://a/b", "is not of the form"),
        ("GET /a 200 300", "column 15: `300` is not a condition"),
        ("", "is not of the form"),
        ("!", "is not of the form"),
        ("GET /a 20", "is not a status"),
        ("GET /a 600", "is not a status"),
        ("GET /a 99", "is not a status"),
        ("GET /a 2000", "is not a status"),
        ("GET /a ok", "column 10: `ok` is not a condition"),
        ("GET /a 200|", "is not a status"),
        ("GET /a 200 status==UP", "column 18: `==` is not an operator"),
        ("HEAD /a 200 status=UP", "write `GET`"),
        ("??GET /a", "once each"),
        ("?!?GET /a", "once each"),
        ("GET /a 2x0", "is not a status"),
        ("GET /a 2x", "is not a status"),
        ("FETCH /a", "must be `GET`"),
        ("!!POST /a", "once each"),
        ("POST /a", "put `!` before the line"),
        ("DELETE /a 204", "put `!` before the line"),
        ("OPTIONS /a", "put `!` before the line"),
    ],
)
def test_an_invalid_line_is_reported(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        smoke(line)


@pytest.mark.parametrize("status", ["2\u0660\u0660", "\uff12\uff10\uff10", "1\u00b2\u00b3"])
def test_only_ascii_digits_make_a_status(status: str) -> None:
    with pytest.raises(ValueError, match="is not a status"):
        smoke(f"GET /a {status}")


@given(st.text(max_size=60))
def test_any_line_is_a_request_or_says_what_is_wrong(line: str) -> None:
    message = ""
    try:
        read = smoke(line)
        assert read.target.startswith(("/", "http"))
        assert (read.method in ("GET", "HEAD")) or "!" in line
        assert len(read.status) % 4 == 3
    except ValueError as error:
        message = str(error)
    assert len(message) < 300


def test_a_request_reads_as_it_was_written() -> None:
    for line in ("GET /a", "GET /a 404", "POST /a 2xx", "POST /a 202", "GET /a 401|403", "GET /a a=1 and b<2"):
        assert str(smoke("!" + line)) == line.removesuffix(" 2xx")


@pytest.mark.parametrize(
    ("line", "marked", "only_warns"),
    [("?GET /a", False, True), ("!?POST /a", True, True), ("?!POST /a", True, True), ("? ! POST /a", True, True)],
)
def test_marks_come_in_either_order(line: str, marked: bool, only_warns: bool) -> None:
    assert (smoke(line).marked, smoke(line).only_warns) == (marked, only_warns)


@pytest.mark.parametrize(
    ("line", "status", "conditions"),
    [
        ("GET /a 401|403", "401|403", []),
        ("GET /a 2XX|404", "2xx|404", []),
        ("GET /a 200 status=UP and n < 2", "200", ["status=UP", "n < 2"]),
        ("GET /a status=UP", "2xx", ["status=UP"]),
        ("GET /a body contains 'a and b'", "2xx", ["body contains 'a and b'"]),
        ("GET /a 404=x", "2xx", ["404=x"]),
        ("GET /a 99 = x", "2xx", ["99 = x"]),
        ("HEAD /a header:x-a = 1", "2xx", ["header:x-a = 1"]),
        ("GET /a # a note", "2xx", []),
        ("GET /a 200 # a note", "200", []),
        ("GET /a body contains '#1'", "2xx", ["body contains '#1'"]),
    ],
)
def test_the_third_word_is_a_status_or_starts_the_conditions(line: str, status: str, conditions: list[str]) -> None:
    assert (smoke(line).status, [str(each) for each in smoke(line).clauses]) == (status, conditions)


# what a response means


@pytest.mark.parametrize(
    ("line", "http_result", "passed"),
    [
        ("GET /a", reply(200), True),
        ("GET /a", reply(204), True),
        ("GET /a 401|403", reply(403), True),
        ("GET /a 401|403", reply(404), False),
        ("GET /a 2xx|404", reply(404), True),
        ("GET /a 200|429", reply(429), True),
        ("GET /a status=UP", reply(200, {"status": "UP"}), True),
        ("GET /a status=UP", reply(200, {"status": "DOWN"}), False),
        ("GET /a 503 status=DOWN", reply(503, {"status": "DOWN"}), True),
        ("GET /a body contains hello", page(200), True),
        ("GET /a header:x-a = 1", TransportError(ErrorKind.TOO_LARGE, status=200), False),
        ("GET /a 200 status=UP", Judged(200, body=b'{"status": "UP"}', schema_violation="`$`: it is wrong"), False),
        ("GET /a", reply(299), True),
        ("GET /a", reply(301), False),
        ("GET /a", reply(404), False),
        ("GET /a", reply(500), False),
        ("GET /a 200", reply(201), False),
        ("GET /a 404", reply(404), True),
        ("GET /a 4xx", reply(401), True),
        ("GET /a 401", page(401), True),
        ("GET /a 302", reply(302, location="/login"), True),
        ("GET /a 3xx", reply(307, location="https://elsewhere/"), True),
        ("GET /a 429", reply(429), True),
        ("GET /a 503", page(503, "503 Service Temporarily Unavailable"), True),
        ("GET /a 5xx", reply(503), True),
        ("GET /a", page(200), True),
        ("GET /a", page(403, cf_mitigated="challenge"), False),
        ("GET /a 403", page(403, cf_mitigated="challenge"), False),
        ("GET /a 302", reply(302, location="https://t.cloudflareaccess.com/cdn-cgi/access/login"), False),
        ("GET /a", TransportError(ErrorKind.TOO_LARGE, status=200), True),
        ("GET /a", TransportError(ErrorKind.TOO_LARGE, status=500), False),
        ("GET /a 500", TransportError(ErrorKind.TOO_LARGE, status=500), True),
        ("GET /a", Judged(200, schema_violation=""), True),
        ("GET /a", Judged(200, schema_violation="`$`: it is wrong"), False),
        ("GET /a 404", Judged(404, schema_violation="`$`: it is wrong"), False),
        *(
            ("GET /a", TransportError(error_kind), False)
            for error_kind in ErrorKind
            if error_kind is not ErrorKind.TOO_LARGE
        ),
    ],
)
def test_a_response_with_the_expected_status_passes(line: str, http_result: HttpResult, passed: bool) -> None:
    found = judged(line, http_result)
    assert found.passed is passed
    assert found.again is None
    assert found.seconds == 0.25
    assert found.seen


@pytest.mark.parametrize(
    ("line", "http_result", "again"),
    [
        ("GET /a", reply(429), Again.THROTTLED),
        ("GET /a 4xx", reply(429), Again.THROTTLED),
        ("GET /a", page(503, "503 Service Temporarily Unavailable"), Again.THROTTLED),
        ("GET /a", reply(200, age="5"), Again.CACHED),
        ("GET /a 404", reply(404, x_cache="HIT"), Again.CACHED),
        ("!POST /a", reply(429), Again.THROTTLED),
    ],
)
def test_a_throttled_or_cached_response_does_not_count_as_a_try(
    line: str, http_result: HttpResult, again: Again
) -> None:
    found = judged(line, http_result)
    assert (found.passed, found.again) == (False, again)
    assert found_again(http_result) is again


@pytest.mark.parametrize(
    "http_result",
    [reply(200), reply(404), page(200), TransportError(ErrorKind.CUT), TransportError(ErrorKind.TOO_LARGE)],
)
def test_other_responses_count(http_result: HttpResult) -> None:
    assert found_again(http_result) is None


def test_a_body_that_does_not_fit_is_reported_with_the_status() -> None:
    assert judged("GET /a", Judged(200, schema_violation="`$.a`: 1 is not of type 'string'")).seen == (
        "200, but `$.a`: 1 is not of type 'string'"
    )
    assert judged("GET /a 404", Judged(200, schema_violation="`$`: it is wrong")).seen.startswith("200")


def test_a_response_that_was_compared_only_in_part_passes_with_a_note() -> None:
    found = judged("GET /a", Judged(200, partial="its schema is too large"))
    assert (found.passed, found.partial) == (True, "its schema is too large")
    found = judged("GET /a", TransportError(ErrorKind.TOO_LARGE, status=200))
    assert (found.passed, found.partial) == (True, "its body is larger than 1 MiB")


def test_a_response_that_takes_longer_than_it_may_fails_with_both_times() -> None:
    slow = replace(smoke("GET /a"), sent=Sent(max_latency=0.8))
    assert judge(slow, reply(200), 0.8).passed
    found = judge(slow, reply(200), 0.9)
    assert (found.passed, found.seen) == (False, "200, but it took 900 ms, more than 800 ms")
    assert judge(slow, reply(500), 0.9).seen == "500, not 2xx"


# which requests may be sent again


@pytest.mark.parametrize("line", ["!GET /a", "!HEAD /a", "!POST /a"])
def test_a_line_marked_as_unsafe_is_never_repeated_whatever_its_method(line: str) -> None:
    assert judged(line, reply(500)).final
    assert smoke(line).reads is ("POST" not in line)


@pytest.mark.parametrize("error_kind", ErrorKind)
def test_a_safe_request_may_always_be_sent_again(error_kind: ErrorKind) -> None:
    assert not judged("GET /a", TransportError(error_kind)).final


@pytest.mark.parametrize("error_kind", ErrorKind)
def test_an_unsafe_request_may_be_sent_again_only_if_it_was_never_sent(error_kind: ErrorKind) -> None:
    assert judged("!POST /a", TransportError(error_kind)).final is (error_kind not in NEVER_SENT)


@pytest.mark.parametrize("http_result", [reply(500), reply(200), reply(404), reply(429), reply(200, age="5")])
def test_an_unsafe_request_with_a_response_is_never_repeated(http_result: HttpResult) -> None:
    assert judged("!POST /a", http_result).final
    assert not judged("GET /a", http_result).final


def test_a_failed_condition_is_reported_with_the_actual_value_and_without_secrets() -> None:
    hide = redactor([Secret("topsecret-value")])
    sentence = judge(smoke("GET /a state=UP"), reply(200, {"state": "topsecret-value is wrong"}), 0.1, hide).seen
    assert sentence == "200, but `state=UP` does not hold: the value is `*** is wrong`"


def test_a_redirect_is_not_followed_if_it_is_an_expected_status() -> None:
    assert smoke("GET /a 200|302").takes_redirect
    assert not smoke("GET /a 200|403").takes_redirect
