"""Which requests doctor sends, and when: none twice, none with an effect, the token only to a confirmed Watchtower."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.doctor.network import Reachability
from redeploy.doctor.questions import Connect, FetchEnvironment
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.registry.image import parse
from redeploy.rollout.requests import FetchTag
from sandbox.simulation import BASE
from tests.unit.doctor_factories import (
    CLEAR,
    FORK_BY_POST,
    OLD_BY_POST,
    OLD_NOWHERE,
    Asked,
    checks,
    known_from,
    without,
)
from tests.unit.factories import page, reply, summary

WITH_TOKEN = {Asked.CONTAINERS, Asked.DETAILS, Asked.CHECK, Asked.METRICS, Asked.IDLE_UPDATE}
ANSWERS = (
    FORK_BY_POST,
    OLD_BY_POST,
    reply(200),
    summary(updated=1),
    reply(200, {"containers": []}),
    reply(404, "404 page not found\n"),
    reply(429),
    page(200),
    page(502),
    TransportError(ErrorKind.TIMED_OUT),
)


def asked(line: HttpResult = FORK_BY_POST, nowhere: HttpResult = OLD_NOWHERE) -> list[object]:
    _, script = known_from(without(line=line, nowhere=nowhere))
    return list(script.requests)


def test_connections_come_first_and_once_per_origin() -> None:
    _, script = known_from({})
    assert script.asked[0] == (Connect(BASE),)


def test_nothing_is_sent_where_the_connection_fails() -> None:
    _, script = known_from({Connect(BASE): Reachability(origin=BASE, error_kind=ErrorKind.REFUSED)})
    assert script.requests == [Connect(BASE)]


def test_one_unreachable_origin_does_not_stop_the_examination_of_another() -> None:
    other = "https://www.example.com"
    ways = {Connect(BASE): Reachability(origin=BASE, error_kind=ErrorKind.TLS), Connect(other): CLEAR}
    _, script = known_from(ways, base_url=other)
    assert Asked.HEALTH in script.requests
    assert Asked.POST_UPDATE not in script.requests


def test_the_update_url_and_a_path_that_cannot_exist_are_requested_first_and_without_a_token() -> None:
    _, script = known_from({})
    assert {Asked.POST_UPDATE, Asked.NOWHERE} <= set(script.asked[1])


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(page(405), id="an application"),
        pytest.param(page(502), id="nginx alone"),
        pytest.param(reply(200), id="a server that ignores a wrong token"),
        pytest.param(reply(429), id="a rate limit"),
    ],
)
def test_the_token_is_sent_only_after_a_request_without_it_was_refused(line: HttpResult) -> None:
    assert not WITH_TOKEN & set(asked(line))


@pytest.mark.parametrize("answer", [FORK_BY_POST, OLD_BY_POST, summary(updated=1)])
def test_the_token_is_not_sent_where_a_path_that_cannot_exist_gets_the_same_response(answer: HttpResult) -> None:
    assert not WITH_TOKEN & set(asked(answer, nowhere=answer))


def test_an_update_of_nothing_is_the_last_resort() -> None:
    _, script = known_from(without(line=FORK_BY_POST))
    assert script.requests[-1] is Asked.IDLE_UPDATE
    assert Asked.METRICS in script.requests


def test_a_watchtower_line_that_cannot_narrow_an_update_is_never_sent_one() -> None:
    assert Asked.IDLE_UPDATE not in asked(OLD_BY_POST)
    assert Asked.METRICS in asked(OLD_BY_POST)


def test_a_watchtower_that_asks_for_no_token_is_only_read() -> None:
    _, script = known_from({Asked.POST_UPDATE: summary()})
    assert {Asked.CONTAINERS, Asked.CHECK} <= set(script.requests)
    assert Asked.IDLE_UPDATE not in script.requests


def test_the_details_are_requested_if_the_containers_are_reported() -> None:
    _, known = known_from({})
    assert Asked.DETAILS in known.requests
    _, unlisted = known_from({Asked.CONTAINERS: reply(404)})
    assert Asked.DETAILS not in unlisted.requests


def test_one_endpoint_that_accepts_the_token_settles_it() -> None:
    _, script = known_from({Asked.CHECK: reply(404)})
    assert not {Asked.METRICS, Asked.IDLE_UPDATE} & set(script.requests)


def test_one_endpoint_that_refuses_the_token_settles_it() -> None:
    _, script = known_from({Asked.CONTAINERS: FORK_BY_POST, Asked.CHECK: reply(404)})
    assert not {Asked.METRICS, Asked.IDLE_UPDATE} & set(script.requests)


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        (OLD_BY_POST, page(401)),
        (OLD_BY_POST, reply(401, {"detail": "Not authenticated"})),
        (OLD_BY_POST, reply(401, www_authenticate="Basic realm=x")),
        (FORK_BY_POST, reply(401)),
    ],
)
def test_a_backend_that_wants_other_credentials_says_nothing_of_the_token(
    line: HttpResult, refusal: HttpResult
) -> None:
    nothing = {**without(line=line), Asked.IDLE_UPDATE: TransportError(ErrorKind.CUT)}
    known, _ = known_from({**nothing, Asked.CONTAINERS: refusal, Asked.CHECK: refusal})
    assert known.token_is_right is None


def test_the_second_look_bypasses_the_cache_after_a_cached_response() -> None:
    cached = reply(200, {"status": "ready"}, age="7")
    _, script = known_from({Asked.HEALTH: cached, Asked.DOCUMENT: cached})
    assert {Asked.HEALTH_FRESH, Asked.DOCUMENT_FRESH} <= set(script.requests)
    assert Asked.HEALTH_AGAIN not in script.requests


def test_the_image_is_that_of_the_input_or_of_the_container_that_counts() -> None:
    _, named = known_from({}, image="ghcr.io/o/web:7")
    assert FetchTag(image=parse("ghcr.io/o/web:7")) in named.asked[0]
    _, known = known_from({}, container="api")
    assert FetchTag(image=parse("ghcr.io/o/api:latest")) in known.requests
    settled = checks(("api", "ghcr.io/o/api:latest", False, ""), ("web", "ghcr.io/o/web:latest", False, ""))
    _, unknown = known_from({Asked.CHECK: settled})
    assert not [each for each in unknown.requests if isinstance(each, FetchTag)]


@pytest.mark.parametrize("said", [(True, ""), (False, "dial tcp: connection refused")])
def test_an_image_of_which_the_check_endpoint_may_be_wrong_is_looked_up(said: tuple[bool, str]) -> None:
    _, script = known_from({Asked.CHECK: checks(("web", "ghcr.io/o/web:latest", *said))})
    assert [each for each in script.requests if isinstance(each, FetchTag)] == [
        FetchTag(image=parse("ghcr.io/o/web:latest"))
    ]


def test_github_is_contacted_only_if_a_deployment_is_configured() -> None:
    _, script = known_from({}, deployment_environment="production", github_token="ghs_1234")
    assert FetchEnvironment() in script.requests
    _, none = known_from({})
    assert FetchEnvironment() not in none.requests


@given(st.fixed_dictionaries({each: st.sampled_from(ANSWERS) for each in Asked}))
def test_for_any_responses_doctor_ends_and_sends_no_request_twice(answers: dict[Asked, HttpResult]) -> None:
    known, script = known_from(answers)
    assert len(script.requests) == len(set(script.requests))
    assert len(script.asked) < 10
    if Asked.IDLE_UPDATE in script.requests:
        assert known.product is not None
        assert known.product.narrows
    before = list(itertools.takewhile(lambda each: each not in WITH_TOKEN, script.requests))
    assert Asked.POST_UPDATE in before or not WITH_TOKEN & set(script.requests)
