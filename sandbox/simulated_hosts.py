"""Several hosts without sockets: one `World` each, on one clock."""

from collections.abc import Mapping
from dataclasses import dataclass

from redeploy.rollout.requests import Event, Request
from sandbox.simulation import WALL, World

PLENTY = 1_000_000
"""The maximum of requests and waits of a run of many services."""


@dataclass
class Worlds:
    """An `Outside` in which the key of a service names its host."""

    hosts: Mapping[str, World]
    """By name; services without a host have the empty name."""
    clock: float = 0.0
    most_under_way: int = 0

    def __post_init__(self) -> None:
        for world in self.hosts.values():
            world.most = PLENTY

    def now(self) -> float:
        """Return monotonic seconds."""
        return self.clock

    def wall(self) -> float:
        """Return seconds since 1970."""
        return WALL + self.clock

    def start(self, request: Request, sent: float, bound: float, service: str = "") -> None:
        """Respond to a request from the script of the service's host."""
        host, slash, _ = service.partition("/")
        world = self.hosts[host if slash else ""]
        world.clock = self.clock
        world.start(request, sent, bound, service)
        self.most_under_way = max(self.most_under_way, sum(each.under_way for each in self.hosts.values()))

    def wait(self, until: float) -> Event | None:
        """Let time pass until a response of any host, or `until`."""
        first = min(self.hosts.values(), key=lambda world: world.next_due)
        first.clock = self.clock
        event = first.wait(until)
        self.clock = first.clock
        return event
