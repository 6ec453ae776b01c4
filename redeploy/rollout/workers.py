"""Threads, a queue and the clocks: requests run side by side, each bounded in whole time, name resolution included."""

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
"""Seconds for which the loop may be busy at no cost to others, and the longest that it makes up for."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def side_by_side(tasks: Mapping[_Task, tuple[Callable[[], _Result], float]]) -> dict[_Task, _Result]:
    """Carry out tasks in threads, each within its seconds; what is not done by then is given up, and left out."""
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
    """Sends each request in a daemon thread; one that exceeds its time limit is given up, and its response thrown away."""

    def __init__(
        self,
        perform: Callable[[Request, float], HttpResult],
        weigh: Callable[[Request, HttpResult], HttpResult] = lambda _, http_result: http_result,
        for_services: Mapping[str, Callable[[Request, float], HttpResult]] | None = None,
    ) -> None:
        """Take how to work.

        Args:
            perform: sends one request, within its time limit as far as it can.
            weigh: adds to a complete response what takes our own time and not the server's, without a limit.
            for_services: how to carry it out for each of several services, by its key.
        """
        self._perform = perform
        self._weigh = weigh
        self._for_services = for_services or {}
        self._done: queue.SimpleQueue[tuple[int, Event | BaseException]] = queue.SimpleQueue()
        self._bounds: dict[int, tuple[float, Request, float, str]] = {}
        self._answered: set[int] = set()
        """Those whose responses are complete, and may still be read: their time limits are kept."""
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

        While the loop is busy, threads make way for it: one that is overdue then has as long again to hand its answer over.
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
            http_result = self._weigh(request, http_result)
            event = Event(service=service, request=request, http_result=http_result, sent=sent, at=at, wall=wall)
            self._done.put((number, event))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the run, which is the only place to handle it
            self._done.put((number, error))
