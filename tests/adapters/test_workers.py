"""Concurrent requests: each with a bound on its total time, late responses dropped, failures raised."""

import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.rollout.requests import BOTH, Event, FetchContainers, Probe, Request, SendTrigger
from redeploy.rollout.workers import LONGEST_GRACE, Workers, side_by_side

LONG = 30.0
FIRST, SECOND = Probe(BOTH, "http://localhost/1"), Probe(BOTH, "http://localhost/2")


def workers(*performs: tuple[Request, Callable[[], HttpResult]]) -> Workers:
    scripts = dict(performs)
    return Workers(lambda request, _: scripts[request]())


def start(one: Workers, request: Request, bound: float = LONG) -> None:
    one.start(request, one.now(), bound)


def wait(one: Workers, seconds: float = LONG) -> Event:
    event = one.wait(one.now() + seconds)
    assert event is not None
    return event


def test_a_response_is_an_event_with_its_times() -> None:
    one = workers((FIRST, lambda: Response(204)))
    before = one.now()
    one.start(FIRST, before, LONG)
    event = wait(one)
    assert (event.request, event.http_result, event.sent) == (FIRST, Response(204), before)
    assert before <= event.at <= one.now()
    assert abs(event.wall - one.wall()) < 60


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot keep a signal from a thread")
def test_a_signal_that_ends_a_run_reaches_its_own_thread_and_no_worker() -> None:
    blocked: list[set[signal.Signals]] = []

    def perform(_: Request, __: float) -> HttpResult:
        blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))  # type: ignore[arg-type]
        return Response(200)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    one = Workers(perform)
    start(one, FIRST)
    wait(one)
    assert blocked[0] >= {signal.SIGINT, signal.SIGTERM}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_the_bound_is_passed_on() -> None:
    bounds: list[float] = []

    def perform(_: Request, bound: float) -> HttpResult:
        bounds.append(bound)
        return Response(200)

    one = Workers(perform)
    start(one, FIRST, 12.5)
    wait(one)
    assert bounds == [12.5]


def test_requests_run_concurrently_and_events_come_in_the_order_of_the_responses() -> None:
    second_done = threading.Event()
    one = workers((FIRST, lambda: Response(200 if second_done.wait(LONG) else 500)), (SECOND, lambda: Response(201)))
    start(one, FIRST)
    start(one, SECOND)
    assert wait(one).http_result == Response(201)
    second_done.set()
    assert wait(one).http_result == Response(200)


def test_a_wait_without_a_response_ends_in_time() -> None:
    one = workers()
    assert one.wait(one.now() + 0.01) is None
    assert one.wait(one.now() - 5) is None


def test_a_response_that_has_arrived_is_returned_although_the_time_is_over() -> None:
    done = threading.Event()

    def perform() -> HttpResult:
        done.set()
        return Response(200)

    one = workers((FIRST, perform))
    start(one, FIRST)
    assert done.wait(LONG)
    event = None
    while event is None:
        event = one.wait(one.now() - 1)
    assert event.http_result == Response(200)


def test_a_request_beyond_its_bound_is_given_up_and_its_late_response_dropped() -> None:
    go, gone = threading.Event(), threading.Event()

    def late() -> HttpResult:
        go.wait(LONG)
        gone.set()
        return Response(200)

    one = workers((FIRST, late), (SECOND, lambda: Response(201)))
    start(one, FIRST, 0.05)
    event = wait(one)
    assert (event.request, event.http_result) == (FIRST, TransportError(ErrorKind.TIMED_OUT))
    go.set()
    assert gone.wait(LONG)
    assert one.wait(one.now() + 0.05) is None
    start(one, SECOND)
    assert wait(one).http_result == Response(201)


def test_processing_a_response_does_not_count_as_the_servers_time() -> None:
    weighing, go = threading.Event(), threading.Event()

    def evaluate(request: Request, http_result: HttpResult) -> HttpResult:
        if request == FIRST:
            weighing.set()
            go.wait(LONG)
        return Response(299) if request == FIRST else http_result

    one = Workers(lambda *_: Response(200), evaluate)
    start(one, FIRST, 5.0)
    assert weighing.wait(LONG)
    one._bounds = {number: (0.0, *each[1:]) for number, each in one._bounds.items()}  # its bound is over
    complete = one.now()
    assert one.wait(one.now() + 0.02) is None
    go.set()
    event = wait(one)
    assert event.http_result == Response(299)
    assert event.at <= complete


def test_while_one_response_is_processed_others_are_returned() -> None:
    go = threading.Event()
    one = Workers(
        lambda *_: Response(200),
        lambda request, http_result: http_result if request != FIRST or go.wait(LONG) else Response(500),
    )
    start(one, FIRST)
    for _ in range(3):
        start(one, FetchContainers())
        assert wait(one).request == FetchContainers()
    go.set()
    assert wait(one).request == FIRST


def test_a_response_delayed_by_a_busy_loop_is_not_a_time_out() -> None:
    go = threading.Event()
    one = workers((FIRST, lambda: Response(200 if go.wait(LONG) else 500)))
    start(one, FIRST, 0.05)
    time.sleep(LONGEST_GRACE)  # the loop parses something large while its threads wait
    threading.Timer(0.05, go.set).start()
    assert wait(one).http_result == Response(200)


def test_after_a_busy_loop_a_request_without_a_response_is_still_given_up() -> None:
    go = threading.Event()
    one = workers((FIRST, lambda: Response(200 if go.wait(LONG) else 500)))
    start(one, FIRST, 0.05)
    time.sleep(0.2)
    assert wait(one).http_result == TransportError(ErrorKind.TIMED_OUT)
    go.set()


def test_the_late_response_to_one_request_is_not_taken_for_that_to_the_next() -> None:
    go = threading.Event()
    answers = [lambda: Response(200 if go.wait(LONG) else 500), lambda: Response(201)]
    one = Workers(lambda _, bound: answers.pop(0)())
    start(one, FIRST, 0.05)
    assert wait(one).http_result == TransportError(ErrorKind.TIMED_OUT)
    go.set()
    start(one, FIRST)
    assert wait(one).http_result == Response(201)


def test_the_bound_of_one_request_does_not_end_another() -> None:
    go = threading.Event()
    one = workers(
        (FIRST, lambda: Response(200 if go.wait(LONG) else 500)),
        (SECOND, lambda: Response(201 if go.wait(LONG) else 500)),
    )
    start(one, FIRST, 0.05)
    start(one, SECOND)
    assert wait(one).request == FIRST
    go.set()
    event = wait(one)
    assert (event.request, event.http_result) == (SECOND, Response(201))


@pytest.mark.parametrize("failure", [ZeroDivisionError("x"), KeyboardInterrupt()], ids=["an error", "an interruption"])
def test_an_exception_is_raised_in_wait(failure: BaseException) -> None:
    def fail() -> HttpResult:
        raise failure

    one = workers((SendTrigger(), fail))
    start(one, SendTrigger())
    with pytest.raises(type(failure)):
        wait(one)


def test_an_exception_of_a_request_that_was_given_up_is_dropped() -> None:
    go = threading.Event()

    def fail() -> HttpResult:
        go.wait(LONG)
        raise ZeroDivisionError

    one = workers((FetchContainers(), fail), (FIRST, lambda: Response(200)))
    start(one, FetchContainers(), 0.05)
    assert wait(one).http_result == TransportError(ErrorKind.TIMED_OUT)
    go.set()
    start(one, FIRST)
    assert wait(one).http_result == Response(200)


def test_a_thread_that_hangs_is_not_waited_for() -> None:
    one = workers((FIRST, lambda: Response(200 if threading.Event().wait(LONG) else 500)))
    start(one, FIRST, 0.01)
    assert wait(one).http_result == TransportError(ErrorKind.TIMED_OUT)
    assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())


def test_an_unlimited_wait_ends_with_a_response() -> None:
    one = workers((FIRST, lambda: Response(200)))
    start(one, FIRST)
    event = one.wait(float("inf"))
    assert event is not None
    assert event.http_result == Response(200)


def test_tasks_run_concurrently_and_each_gets_its_own_result() -> None:
    met = threading.Barrier(2)
    assert side_by_side({1: (lambda: met.wait(LONG) * 0, LONG), 2: (lambda: met.wait(LONG) * 0, LONG)}) == {1: 0, 2: 0}
    assert side_by_side({}) == {}


def test_a_task_that_takes_too_long_is_left_out_and_delays_no_other() -> None:
    release = threading.Event()
    found = side_by_side({"slow": (lambda: release.wait(LONG), 0.05), "quick": (lambda: True, LONG)})
    assert found == {"quick": True}
    release.set()


def test_an_exception_of_a_task_is_raised_in_the_caller() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side({1: (fail, LONG)})
