"""When a write at GitHub may be repeated."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.github.retry import (
    DEFAULT_WAIT,
    LONGEST,
    MOST_WRITES,
    PATIENCE,
    NextStep,
    Trouble,
    WriteAttempt,
    trouble_of,
)

NOW = "Tue, 24 Nov 2026 20:00:00 GMT"
EPOCH = 1_795_550_400
FORBIDDEN = trouble_of(403, {}, "Resource not accessible by integration")
BAD_GATEWAY = trouble_of(502, {}, "")
LOST = Trouble(message="ConnectionError")
FRESH = WriteAttempt(began=100.0, at=100.0)


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        pytest.param(429, {"retry-after": "7"}, "", 7.0, id="seconds in Retry-After"),
        pytest.param(429, {"retry-after": "0"}, "", 1.0, id="zero seconds in Retry-After"),
        pytest.param(403, {"retry-after": "20"}, "You have exceeded a secondary rate limit", 20.0, id="secondary"),
        pytest.param(
            403, {}, "You have exceeded a secondary rate limit.", DEFAULT_WAIT, id="secondary, without Retry-After"
        ),
        pytest.param(429, {}, "", DEFAULT_WAIT, id="429 without any header"),
        pytest.param(
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 12), "date": NOW},
            "API rate limit exceeded for installation.",
            13.0,
            id="primary, by GitHub's own clock",
        ),
        pytest.param(
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH)},
            "",
            DEFAULT_WAIT,
            id="primary, without a clock",
        ),
        pytest.param(
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon", "date": NOW},
            "",
            DEFAULT_WAIT,
            id="primary, with an unreadable time",
        ),
    ],
)
def test_a_rate_limit_is_not_a_missing_permission(
    status: int, headers: dict[str, str], message: str, wait: float
) -> None:
    trouble = trouble_of(status, headers, message)
    assert trouble.rate_limited
    assert not trouble.refused
    assert trouble.wait == wait


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
def test_a_refusal_ends_the_write_at_once(status: int) -> None:
    trouble = trouble_of(status, {"x-ratelimit-remaining": "4999"}, "Not now")
    assert trouble.refused
    assert FRESH.after(trouble, sent=100.0, now=100.2) is None


@pytest.mark.parametrize("trouble", [BAD_GATEWAY, LOST, trouble_of(408, {}, ""), trouble_of(503, {}, "")])
def test_a_write_that_may_have_been_carried_out_is_looked_up_before_it_is_sent_again(trouble: Trouble) -> None:
    errand = FRESH.after(trouble, sent=100.0, now=100.5)
    assert errand is not None
    assert errand.move is NextStep.LOOK
    assert errand.at > 100.5


def test_after_a_502_a_write_is_sent_again_if_it_has_not_appeared_within_three_seconds() -> None:
    assert _second_write(BAD_GATEWAY) == pytest.approx(103.5, abs=0.6)


def test_after_a_lost_response_a_write_is_sent_again_only_when_github_has_certainly_given_up() -> None:
    assert 112.0 <= _second_write(LOST) <= 113.0


def _second_write(trouble: Trouble) -> float:
    errand = FRESH.after(trouble, sent=100.0, now=100.5)
    while errand is not None and errand.move is NextStep.LOOK:
        errand = errand.after(None, sent=errand.at, now=errand.at)
    assert errand is not None
    return errand.at


def test_nothing_is_sent_while_the_lookup_fails() -> None:
    errand = FRESH.after(LOST, sent=100.0, now=100.5)
    while errand is not None:
        assert errand.move is NextStep.LOOK
        errand = errand.after(LOST, sent=errand.at, now=errand.at)


def test_a_rate_limit_is_waited_out_and_the_request_is_retried() -> None:
    limited = trouble_of(429, {"retry-after": "12"}, "")
    errand = FRESH.after(limited, sent=100.0, now=100.1)
    assert errand is not None
    assert (errand.move, errand.writes) == (NextStep.WRITE, 0)
    assert errand.at == pytest.approx(112.1)
    errand = errand.after(limited, sent=112.1, now=112.2)
    assert errand is not None
    assert errand.after(limited, sent=124.2, now=124.3) is None, "36 s in all would be too long"


@pytest.mark.parametrize("wait", ["31", "3600"])
def test_a_rate_limit_that_takes_too_long_is_not_waited_out(wait: str) -> None:
    assert FRESH.after(trouble_of(403, {"retry-after": wait}, ""), sent=100.0, now=100.1) is None


@given(
    st.lists(
        st.sampled_from([None, LOST, BAD_GATEWAY, FORBIDDEN, trouble_of(429, {"retry-after": "5"}, "")]), max_size=80
    ),
    st.floats(0.0, 15.0),
)
def test_retrying_ends_after_at_most_three_writes_with_a_lookup_between_them(
    troubles: list[Trouble | None], took: float
) -> None:
    errand: WriteAttempt | None = FRESH
    moves, ends, waited = list[NextStep](), 100.0, 0.0
    for trouble in troubles:
        if errand is None:
            break
        assert errand.at >= ends
        moves.append(errand.move)
        came = LOST if trouble is None and errand.move is NextStep.WRITE else trouble
        ends = errand.at + took
        waited += 5.0 if came is not None and came.rate_limited else 0.0
        done = came is not None and came.rate_limited
        if done:
            moves.pop()
        errand = errand.after(came, sent=errand.at, now=ends)
    assert moves.count(NextStep.WRITE) <= MOST_WRITES
    assert all(before is NextStep.LOOK or after is NextStep.LOOK for before, after in pairwise(moves))
    assert ends - 100.0 <= LONGEST + PATIENCE + 2 * took + 2.0
    assert waited <= PATIENCE + 5.0
