"""Smoke requests: how they are written, and what their answers mean."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract.smoke import Again, Judged, Result, Smoke, found_again, judge, parse_smoke
from redeploy.http.response import NEVER_SENT, Exchange, Fault, NoReply
from tests.unit.making import page, reply


def smoke(line: str) -> Smoke:
    method, target, status, marked = parse_smoke(line)
    return Smoke(method, target, status, f"https://api.example.com{target}", marked)


def judged(line: str, exchange: Exchange) -> Result:
    return judge(smoke(line), exchange, 0.25)


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
    assert parse_smoke(line) == (*parts, line.startswith("!"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("GET", "is not of the form"),
        ("/a", "is not of the form"),
        ("GET a", "is not of the form"),
        ("GET //a", "is not of the form"),
        ("GET ftp://a/b", "is not of the form"),
        ("GET /a 200 300", "is not of the form"),
        ("", "is not of the form"),
        ("!", "is not of the form"),
        ("GET /a 20", "is no status"),
        ("GET /a 600", "is no status"),
        ("GET /a 99", "is no status"),
        ("GET /a 2000", "is no status"),
        ("GET /a ok", "is no status"),
        ("GET /a 2x0", "is no status"),
        ("GET /a 2x", "is no status"),
        ("FETCH /a", "is none of `GET`"),
        ("!!POST /a", "is none of `GET`"),
        ("POST /a", "put `!` before the line"),
        ("DELETE /a 204", "put `!` before the line"),
        ("OPTIONS /a", "put `!` before the line"),
    ],
)
def test_what_is_no_such_line_is_told_as_such(line: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_smoke(line)


@pytest.mark.parametrize("status", ["2\u0660\u0660", "\uff12\uff10\uff10", "1\u00b2\u00b3"])
def test_only_ascii_digits_make_a_status(status: str) -> None:
    with pytest.raises(ValueError, match="is no status"):
        parse_smoke(f"GET /a {status}")


@given(st.text(max_size=60))
def test_any_line_is_a_request_or_says_what_is_wrong(line: str) -> None:
    told = ""
    try:
        method, target, status, _ = parse_smoke(line)
        assert target.startswith(("/", "http"))
        assert (method in ("GET", "HEAD")) or line.startswith("!")
        assert len(status) == 3
    except ValueError as error:
        told = str(error)
    assert len(told) < 300


def test_a_request_reads_as_it_was_written() -> None:
    for line in ("GET /a", "GET /a 404", "POST /a 2xx", "POST /a 202"):
        assert str(smoke("!" + line)) == line.removesuffix(" 2xx")


# what an answer means


@pytest.mark.parametrize(
    ("line", "exchange", "passed"),
    [
        ("GET /a", reply(200), True),
        ("GET /a", reply(204), True),
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
        ("GET /a", NoReply(Fault.TOO_LARGE, status=200), True),
        ("GET /a", NoReply(Fault.TOO_LARGE, status=500), False),
        ("GET /a 500", NoReply(Fault.TOO_LARGE, status=500), True),
        ("GET /a", Judged(200, misfit=""), True),
        ("GET /a", Judged(200, misfit="`$`: it is wrong"), False),
        ("GET /a 404", Judged(404, misfit="`$`: it is wrong"), False),
        *(("GET /a", NoReply(fault), False) for fault in Fault if fault is not Fault.TOO_LARGE),
    ],
)
def test_an_answer_passes_where_its_status_is_the_one_asked_for(line: str, exchange: Exchange, passed: bool) -> None:
    found = judged(line, exchange)
    assert found.passed is passed
    assert found.again is None
    assert found.seconds == 0.25
    assert found.seen


@pytest.mark.parametrize(
    ("line", "exchange", "again"),
    [
        ("GET /a", reply(429), Again.THROTTLED),
        ("GET /a 4xx", reply(429), Again.THROTTLED),
        ("GET /a", page(503, "503 Service Temporarily Unavailable"), Again.THROTTLED),
        ("GET /a", reply(200, age="5"), Again.CACHED),
        ("GET /a 404", reply(404, x_cache="HIT"), Again.CACHED),
        ("!POST /a", reply(429), Again.THROTTLED),
    ],
)
def test_some_answers_tell_nothing_and_are_no_try(line: str, exchange: Exchange, again: Again) -> None:
    found = judged(line, exchange)
    assert (found.passed, found.again) == (False, again)
    assert found_again(exchange) is again


@pytest.mark.parametrize("exchange", [reply(200), reply(404), page(200), NoReply(Fault.CUT), NoReply(Fault.TOO_LARGE)])
def test_other_answers_count(exchange: Exchange) -> None:
    assert found_again(exchange) is None


def test_a_body_that_does_not_fit_is_told_with_the_status() -> None:
    assert judged("GET /a", Judged(200, misfit="`$.a`: 1 is not of type 'string'")).seen == (
        "200, but `$.a`: 1 is not of type 'string'"
    )
    assert judged("GET /a 404", Judged(200, misfit="`$`: it is wrong")).seen.startswith("200")


def test_what_was_compared_only_in_part_passes_and_says_so() -> None:
    found = judged("GET /a", Judged(200, partial="its schema is too large"))
    assert (found.passed, found.partial) == (True, "its schema is too large")
    found = judged("GET /a", NoReply(Fault.TOO_LARGE, status=200))
    assert (found.passed, found.partial) == (True, "its body is larger than 1 MiB")


# what may be sent again


@pytest.mark.parametrize("line", ["!GET /a", "!HEAD /a", "!POST /a"])
def test_a_line_that_is_marked_is_never_repeated_whatever_its_method(line: str) -> None:
    assert judged(line, reply(500)).final
    assert smoke(line).reads is ("POST" not in line)


@pytest.mark.parametrize("fault", Fault)
def test_a_safe_request_may_always_be_sent_again(fault: Fault) -> None:
    assert not judged("GET /a", NoReply(fault)).final


@pytest.mark.parametrize("fault", Fault)
def test_an_unsafe_one_only_where_it_was_never_sent(fault: Fault) -> None:
    assert judged("!POST /a", NoReply(fault)).final is (fault not in NEVER_SENT)


@pytest.mark.parametrize("exchange", [reply(500), reply(200), reply(404), reply(429), reply(200, age="5")])
def test_an_unsafe_request_that_was_answered_is_never_repeated(exchange: Exchange) -> None:
    assert judged("!POST /a", exchange).final
    assert not judged("GET /a", exchange).final
