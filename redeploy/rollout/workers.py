"""Threads, a queue and the clocks: requests run in parallel, each within a total time that includes name resolution."""

import functools
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.rollout.requests import Event, Request

SHORT, LONGEST_GRACE = 0.1, 1.0
"""Seconds that the loop may be busy without extending time limits, and the most by which it extends them."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def side_by_side(tasks: Mapping[_Task, tuple[Callable[[], _Result], float]]) -> dict[_Task, _Result]:
    """Carry out tasks in threads, each within its seconds; a task that is not done by then is left out of the result."""
    done: queue.SimpleQueue[tuple[_Task, Callable[[], _Result]]] = queue.SimpleQueue()

    def run(task: _Task, work: Callable[[], _Result]) -> None:
        try:
            result = work()
            done.put((task, lambda: result))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the run, which is the only place to handle it
            done.put((task, functools.partial(_raise, error)))

    began = time.monotonic()
    waiting = {task: began + seconds for task, (_, seconds) in tasks.items()}
    for task, (work, _) in tasks.items():
        start_thread(run, task, work)
    found: dict[_Task, _Result] = {}
    while waiting:
        try:
            task, result = done.get(timeout=max(0.0, min(waiting.values()) - time.monotonic()))
        except queue.Empty:
            waiting = {task: ends for task, ends in waiting.items() if ends > time.monotonic()}
            continue
        if waiting.pop(task, None) is not None:
            found[task] = result()
    return found


def start_thread(run: Callable[..., None], *arguments: object) -> None:
    """Start a thread that takes no signal: one that it took would not wake the thread of the run, which has to end."""
    thread = threading.Thread(target=run, args=arguments, daemon=True)
    if sys.platform != "win32":
        before = signal.pthread_sigmask(
            signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM)
        )  # a thread begins with the same
        try:
            thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    else:
        thread.start()


def _raise(error: BaseException) -> NoReturn:
    raise error


class Workers:
    """Sends each request in a daemon thread; if it exceeds its time limit, its response is discarded."""

    def __init__(
        self,
        perform: Callable[[Request, float], HttpResult],
        evaluate: Callable[[Request, HttpResult], HttpResult] = lambda _, http_result: http_result,
        for_services: Mapping[str, Callable[[Request, float], HttpResult]] | None = None,
    ) -> None:
        """Take what to call for each request.

        Args:
            perform: sends one request, within its time limit as far as it can.
            evaluate: processes a complete response; that is our own time and not the server's, so it has no limit.
            for_services: `perform` for each of several services, by its key.
        """
        self._perform = perform
        self._evaluate = evaluate
        self._for_services = for_services or {}
        self._done: queue.SimpleQueue[tuple[int, Event | BaseException]] = queue.SimpleQueue()
        self._bounds: dict[int, tuple[float, Request, float, str]] = {}
        self._answered: set[int] = set()
        """Requests whose responses are complete, so that their time limits no longer matter; they may still be processed."""
        self._started = 0
        self._left = self.now()
        """When the loop last stopped waiting."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def start(self, request: Request, sent: float, bound: float, service: str = "") -> None:
        """Start a request that counts as sent at `sent`; its response must be complete within `bound` seconds of that."""
        self._started += 1
        number = self._started
        self._bounds[number] = (sent + bound, request, sent, service)
        start_thread(self._run, number, request, sent, bound, service)

    def wait(self, until: float) -> Event | None:
        """Return the next event, or None at `until`.

        While the loop is busy, threads get less time: a request that is overdue then may take as much longer.
        """
        entered = self.now()
        busy = entered - self._left
        patient_until = entered + min(busy, LONGEST_GRACE) if busy > SHORT else 0.0
        try:
            return self._next(until, patient_until)
        finally:
            self._left = self.now()

    def _next(self, until: float, patient_until: float) -> Event | None:
        while True:
            unanswered = [number for number in self._bounds if number not in self._answered]
            overdue = min(unanswered, key=lambda number: self._bounds[number][0], default=None)
            bound = self._bounds[overdue][0] if overdue is not None else float("inf")
            if bound <= patient_until:
                bound, ends = patient_until, max(until, patient_until)
            else:
                ends = until
            try:
                number, event = self._done.get(
                    timeout=min(max(0.0, min(ends, bound) - self.now()), threading.TIMEOUT_MAX)
                )
            except queue.Empty:
                if overdue is not None and overdue not in self._answered and bound <= self.now():
                    _, request, sent, service = self._bounds.pop(overdue)
                    return Event(
                        service=service,
                        request=request,
                        http_result=TransportError(ErrorKind.TIMED_OUT),
                        sent=sent,
                        at=self.now(),
                        wall=self.wall(),
                    )
                if self.now() >= ends:
                    return None
                continue
            self._answered.discard(number)
            if self._bounds.pop(number, None) is None:
                continue
            if isinstance(event, BaseException):
                raise event
            return event

    def _run(self, number: int, request: Request, sent: float, bound: float, service: str) -> None:
        try:
            http_result = self._for_services.get(service, self._perform)(request, bound)
            at, wall = self.now(), self.wall()
            self._answered.add(number)
            http_result = self._evaluate(request, http_result)
            event = Event(service=service, request=request, http_result=http_result, sent=sent, at=at, wall=wall)
            self._done.put((number, event))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the run, which is the only place to handle it
            self._done.put((number, error))
