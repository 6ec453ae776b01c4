"""What a failed look past caches turns out to be, and a series of stock pages of nginx."""

from dataclasses import replace

import pytest

from redeploy.http.condition import Condition
from redeploy.rollout.requests import BOTH
from redeploy.service.doubt import Doubts
from redeploy.service.sample import Sample
from redeploy.service.stock_pages import StockPages
from tests.unit.factories import HEALTH, NEW, VERSION, gone, sample


def ill(at: float, status: int) -> Sample:
    return replace(sample(at, condition=Condition.NOT_READY), status=status)


def stock_page(at: float, endpoints: frozenset[object] = BOTH) -> Sample:
    page = sample(at, condition=Condition.THROTTLED, endpoints=endpoints)  # type: ignore[arg-type]
    return replace(page, status=503)


@pytest.mark.parametrize("bad", [gone(1), ill(1, 500)], ids=["transport error", "500"])
def test_if_only_plain_looks_succeed_a_cache_is_responding(bad: Sample) -> None:
    doubts = Doubts()
    assert doubts.take(bad, past_caches=True).samples == ()
    assert doubts.next_look(BOTH) is False
    assert doubts.take(sample(2, NEW), past_caches=False).samples == ()
    assert doubts.next_look(BOTH) is True
    settled = doubts.take(replace(bad, at=3), past_caches=True)
    assert settled.cached
    assert [each.condition for each in settled.samples] == [Condition.CACHED, Condition.CACHED]
    assert doubts.next_look(BOTH) is None


def test_an_address_that_rejects_only_looks_with_a_query_gets_none() -> None:
    doubts, plain = Doubts(), replace(sample(2, NEW), beyond_caches=False)
    doubts.take(ill(1, 400), past_caches=True)
    doubts.take(plain, past_caches=False)
    settled = doubts.take(ill(3, 400), past_caches=True)
    assert settled.takes_no_query
    assert settled.samples == (replace(plain, beyond_caches=True),)


def test_after_a_doubt_the_samples_of_a_failing_service_count() -> None:
    doubts = Doubts()
    doubts.take(gone(1), past_caches=True)
    assert doubts.take(gone(2), past_caches=False).samples == (gone(1), gone(2))
    doubts = Doubts()
    doubts.take(gone(3), past_caches=True)
    doubts.take(sample(4, NEW), past_caches=False)
    assert doubts.take(sample(5, NEW), past_caches=True).samples == (gone(3), sample(4, NEW), sample(5, NEW))


def test_a_service_that_failed_without_the_query_too_gets_no_plain_look_for_a_while() -> None:
    doubts = Doubts()
    doubts.take(gone(1), past_caches=True)
    doubts.take(gone(2), past_caches=False)
    assert doubts.take(ill(4, 503), past_caches=True).samples == (ill(4, 503),)
    assert doubts.take(ill(16, 503), past_caches=True).samples == (ill(16, 503),)
    assert doubts.take(gone(18), past_caches=True).samples == ()
    assert doubts.next_look(BOTH) is False


@pytest.mark.parametrize("then", [ill(4, 404), sample(3, NEW)], ids=["a refusal", "a good look"])
def test_a_failure_after_a_different_response_is_doubted_again(then: Sample) -> None:
    doubts = Doubts()
    doubts.take(gone(1), past_caches=True)
    doubts.take(gone(2), past_caches=False)
    held = doubts.take(then, past_caches=True)
    assert (held.samples == ()) is not then.healthy
    assert not then.healthy or doubts.take(gone(4), past_caches=True).samples == ()


def test_three_stock_pages_over_5_s_mean_a_proxy_without_a_backend() -> None:
    pages, looks = StockPages(), [stock_page(at) for at in (0, 2, 4, 6, 8)]
    assert [pages.take(each) for each in looks] == [[], [], [], looks[:4], looks[4:]]


@pytest.mark.parametrize(
    ("between", "down"),
    [(sample(3, NEW), False), (sample(3, NEW, endpoints=VERSION), True), (ill(3, 429), False)],
    ids=["a good one", "one of another address", "a bad one"],
)
def test_a_different_response_of_the_same_address_restarts_the_count(between: Sample, down: bool) -> None:
    pages = StockPages()
    looks = [stock_page(at, BOTH if between.endpoints == BOTH else HEALTH) for at in (0, 2, 6)]
    found = [pages.take(each) for each in (*looks[:2], between, looks[2])]
    assert bool(found[-1]) is down
