"""The loop of several services: it steps each in turn until all have ended."""

from collections.abc import Callable, Sequence

from redeploy.fleet.watches import HostWatch, ServiceWatch
from redeploy.rollout.log_lines import HEARTBEAT
from redeploy.rollout.requests import Event, OfService, Request
from redeploy.rollout.run import Log, Outside, bound_of

MOST_UNDER_WAY = 64
"""Requests that are under way at once, each in a thread; beyond that, services wait until a response comes."""

Begin = Callable[[float], HostWatch]
"""Begins to watch a host at a monotonic second, from which its timeouts count."""


class Loop:
    """Watches hosts in parallel."""

    def __init__(self, outside: Outside, log: Log, under_way: Callable[[], None] = lambda: None) -> None:
        """Take the outside world; `under_way` is called once the first trigger is on its way."""
        self._outside = outside
        self._log = log
        self._under_way = under_way
        self._triggered = False
        self._by_key: dict[str, tuple[HostWatch, ServiceWatch]] = {}
        self._served: dict[tuple[str, Request, float], list[ServiceWatch]] = {}
        self._spoke = outside.now()

    def run(self, hosts: Sequence[Begin], most: int) -> list[HostWatch]:
        """Watch hosts until all their services have ended, at most `most` at once; return them in their order."""
        waiting, begun = list(hosts), list[HostWatch]()
        while True:
            now = self._outside.now()
            while waiting and sum(bool(host.under_way) for host in begun) < most:
                begun.append(waiting.pop(0)(now))
                self._by_key |= {each.key: (begun[-1], each) for each in begun[-1].services}
            under_way = [(host, each) for host in begun for each in host.under_way]
            if not under_way:
                return begun
            stepped = self._step_all(under_way, now)
            if stepped:
                continue
            full = len(self._served) >= MOST_UNDER_WAY
            wake = float("inf") if full else min(each.wake for _, each in under_way)
            event = self._outside.wait(min(wake, self._spoke + HEARTBEAT))
            if event is not None:
                self._take(event)
            elif (now := self._outside.now()) >= self._spoke + HEARTBEAT:
                self._say(now, self._heartbeat([each for _, each in under_way], now))

    def _step_all(self, under_way: Sequence[tuple[HostWatch, ServiceWatch]], now: float) -> bool:
        """Do what is due for every service, beginning with the one that waited longest; return whether anything was done."""
        did = False
        for host, each in sorted(under_way, key=lambda pair: pair[1].asked):
            if each.wake > now or each.conclusion is not None or len(self._served) >= MOST_UNDER_WAY:
                continue
            wall = self._outside.wall()
            step = each.schedule.step(now, wall)
            each.wake = step.wake
            for request in step.requests:
                self._send(host, each, request, now, wall)
            did = did or bool(step.requests) or step.finished
            if step.finished:
                each.conclude(now)
            host.note_hindrance(each)
            self._say(now, each.log.lines(now, None))
        return did

    def _send(self, host: HostWatch, sender: ServiceWatch, request: Request, now: float, wall: float) -> None:
        served = [sender, *host.share(sender, request, now, wall)]
        if isinstance(request, OfService):
            for each in served:
                each.asked = now
        self._served[(sender.key, request, now)] = served
        self._outside.start(request, now, bound_of(sender.state, request, now), sender.key)
        if host.trigger.triggered is not None and not self._triggered:
            self._triggered = True
            self._log.open_group("Trigger the update and watch the services")
            self._under_way()

    def _take(self, event: Event) -> None:
        served = self._served.pop((event.service, event.request, event.sent), None)
        if served is None:
            return  # a request of an earlier loop
        host, _ = self._by_key[event.service]
        now = self._outside.now()
        for each in host.take(event, served):
            self._log.debug(f"{each.log.prefix}{each.log.detail(event)}")
            self._say(now, each.log.lines(now, event))

    def _heartbeat(self, under_way: Sequence[ServiceWatch], now: float) -> list[str]:
        first, *others = under_way
        more = f"; {len(others)} more services are watched" if others else ""
        return [first.log.timed(f"{first.log.heartbeat(now)}{more}", now)]

    def _say(self, now: float, lines: Sequence[str]) -> None:
        for line in lines:
            self._spoke = now
            self._log.say(line)
