"""Which requests the rate of each origin allows, and which are under way."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from redeploy.http.condition import Condition
from redeploy.http.response import Response
from redeploy.http.urls import origin_of
from redeploy.rollout.requests import Event, FetchDocument, OfService, Probe, Request, SendSmoke
from redeploy.service.endpoint import Endpoint
from redeploy.service.sample import Sample
from redeploy.settings.plan import Rate

SLOWED, SLOWED_MOST = 2.0, 15.0
"""Seconds without requests after a rate limit that does not say how long: doubled each time, up to the second value."""


@dataclass(frozen=True)
class Bucket:
    """A token bucket: `burst` at first, refilled at `rate`. Without a rate it never empties."""

    rate: Rate | None
    tokens: float = 0.0
    filled: float = 0.0
    """When `tokens` was true."""

    @classmethod
    def full(cls, rate: Rate | None, now: float) -> "Bucket":
        """Return a full bucket."""
        return cls(rate, float(rate.burst) if rate else 0.0, now)

    def level(self, now: float) -> float:
        """Return the tokens at `now`."""
        if self.rate is None:
            return float("inf")
        return min(float(self.rate.burst), self.tokens + max(0.0, now - self.filled) * self.rate.per_second)

    def draw(self, now: float, cost: int = 1) -> "Bucket":
        """Return the bucket after `cost` requests."""
        return replace(self, tokens=self.level(now) - cost, filled=now) if self.rate else self

    def ready(self, now: float, cost: int = 1, keep: float = 0.0) -> float:
        """Return when `cost` tokens can be drawn and `keep` stay."""
        if self.rate is None:
            return now
        short = min(cost + keep, float(self.rate.burst)) - self.level(now)
        return now if short <= 0 else now + short / self.rate.per_second

    def emptied(self, now: float) -> "Bucket":
        """Return the bucket after a server has reported too many requests."""
        return replace(self, tokens=0.0, filled=now) if self.rate else self


@dataclass(frozen=True)
class Shortage:
    """What an origin's services would need if its bucket is too small for all of them."""

    services: int
    per_minute: int
    """Requests a minute that would be enough."""
    seconds: int
    """Or seconds of `timeout` that would be enough at the present rate."""


@dataclass
class Buckets:
    """The bucket of each origin, and its rate limits so far; services may share them."""

    rate: Rate | None
    rates: Mapping[str, Rate | None] = field(default_factory=dict)
    """By origin, where the rate is another."""
    shortages: Mapping[str, Shortage] = field(default_factory=dict)
    """By origin, as far as known before anything is sent."""
    _levels: dict[str, Bucket] = field(default_factory=dict)
    _silent_until: dict[str, float] = field(default_factory=dict)
    """By origin, so that a rate limit of one does not affect another."""
    _throttled_until: dict[str, float] = field(default_factory=dict)
    _throttled: dict[str, int] = field(default_factory=dict)
    """By origin: rate limits in a row."""
    _limits: set[str] = field(default_factory=set)
    """Origins that sent nginx's stock page before a good response: they may have a rate limit."""
    _costs: dict[str, int] = field(default_factory=dict)

    def for_next_state(self) -> "Buckets":
        """Return the buckets for another state: what was drawn stays, and the count of rate limits starts over."""
        return Buckets(
            self.rate,
            self.rates,
            self.shortages,
            _levels=self._levels,
            _silent_until=self._silent_until,
            _throttled_until=self._throttled_until,
            _costs=self._costs,
        )

    def ready(self, url: str, now: float, keep: float = 0.0) -> float:
        """Return when the bucket of `url` allows a look, redirects included, with `keep` tokens left."""
        return max(self.silent_until(url), self._bucket(url, now).ready(now, self.cost(url), keep))

    def silent_until(self, url: str) -> float:
        """Return until when no request may go to the origin of `url`."""
        return self._silent_until.get(origin_of(url), 0.0)

    def throttled_until(self, url: str) -> float:
        """Return until when the origin of `url` itself asked to wait."""
        return self._throttled_until.get(origin_of(url), 0.0)

    def cost(self, url: str) -> int:
        """Return the requests that one look at `url` takes, redirects included."""
        return self._costs.get(url, 1)

    @property
    def highest_cost(self) -> int:
        """The requests that the look with the most redirects takes."""
        return max(self._costs.values(), default=1)

    def draw(self, url: str, now: float) -> None:
        """Draw the requests of a look at `url`."""
        self._levels[origin_of(url)] = self._bucket(url, now).draw(now, self.cost(url))

    def note_cost(self, url: str, hops: int, at: float) -> None:
        """Record how often a look at `url` was redirected."""
        more = 1 + hops - self.cost(url)
        if more > 0:
            self._levels[origin_of(url)] = self._bucket(url, at).draw(at, more)
            self._costs[url] = 1 + hops

    def note_condition(self, url: str, sample: Sample) -> None:
        """Learn from a look whether its origin limits requests."""
        origin = origin_of(url)
        if sample.condition is Condition.THROTTLED:
            once = sample.is_stock_page and origin not in self._limits  # a container that is replaced may be behind it
            self.note_throttled(url, sample.retry_after, sample.at, empties=not once)
        elif sample.condition is Condition.DOWN:
            self._throttled.pop(origin, None)
        elif sample.healthy and self._throttled.pop(origin, 0):
            self._limits.add(origin)

    def note_throttled(self, url: str, retry_after: float | None, at: float, *, empties: bool = True) -> None:
        """Record that the origin of `url` reported too many requests."""
        origin = origin_of(url)
        if empties:
            self._levels[origin] = self._bucket(url, at).emptied(at)
        slowed = min(SLOWED_MOST, SLOWED * 2.0 ** self._throttled.get(origin, 0))
        self._throttled[origin] = self._throttled.get(origin, 0) + 1
        self._silent_until[origin] = at + (slowed if retry_after is None else retry_after)
        self._throttled_until[origin] = at + (retry_after or 0.0)

    def _bucket(self, url: str, now: float) -> Bucket:
        return self._levels.setdefault(origin_of(url), Bucket.full(self.rates.get(origin_of(url), self.rate), now))


@dataclass
class RequestBudget:
    """The requests of one service that are under way, what is known about its caches, and the buckets that it draws from."""

    buckets: Buckets
    _under_way: dict[Request, list[float]] = field(default_factory=lambda: defaultdict(list))
    _last_sent: dict[type, float] = field(default_factory=dict)
    _past_caches: set[frozenset[Endpoint]] = field(default_factory=set)
    _takes_no_query: set[frozenset[Endpoint]] = field(default_factory=set)

    def for_next_state(self) -> "RequestBudget":
        """Return the budget for another state of the service: what was drawn and learned stays, nothing is under way."""
        return RequestBudget(
            self.buckets.for_next_state(), _past_caches=self._past_caches, _takes_no_query=self._takes_no_query
        )

    def probe(self, endpoints: frozenset[Endpoint], url: str, *, fresh: bool = False) -> Probe:
        """Return the look at `url`; it goes past caches if one has responded before, or if it must be `fresh`."""
        past_caches = (fresh or endpoints in self._past_caches) and endpoints not in self._takes_no_query
        return Probe(endpoints, url, past_caches=past_caches)

    def is_beyond_caches(self, probe: Probe) -> bool:
        """Return whether a look certainly gets past caches that respect the query, or its address takes no random query."""
        return probe.past_caches or probe.endpoints in self._takes_no_query

    def note_cached(self, endpoints: frozenset[Endpoint]) -> None:
        """Record that a cache responds instead of the service."""
        self._past_caches.add(endpoints)

    def note_takes_no_query(self, endpoints: frozenset[Endpoint]) -> None:
        """Record that an address rejects a random query parameter."""
        self._takes_no_query.add(endpoints)

    @property
    def takes_no_query(self) -> frozenset[Endpoint]:
        """The addresses that reject a random query parameter."""
        return frozenset().union(*self._takes_no_query)

    def looks_under_way(self, endpoints: frozenset[Endpoint]) -> list[float]:
        """Return when the looks at these endpoints were sent that are under way."""
        waiting = (
            sent
            for request, sent in self._under_way.items()
            if isinstance(request, Probe) and request.endpoints == endpoints
        )
        return sorted(moment for sent in waiting for moment in sent)

    def ready(self, url: str, now: float, keep: float = 0.0) -> float:
        """Return when the bucket of `url` allows a look, redirects included, with `keep` tokens left."""
        return self.buckets.ready(url, now, keep)

    def throttled_until(self, addresses: Sequence[tuple[frozenset[Endpoint], str]]) -> float:
        """Return until when the origins of addresses asked to wait."""
        return max((self.buckets.throttled_until(url) for _, url in addresses), default=0.0)

    def cost(self, url: str) -> int:
        """Return the requests that one look at `url` takes, redirects included."""
        return self.buckets.cost(url)

    @property
    def highest_cost(self) -> int:
        """The requests that the look with the most redirects takes."""
        return self.buckets.highest_cost

    def note_sent(self, request: Request, now: float) -> None:
        """Record a request as under way; requests to the service draw from the bucket of their origin."""
        self.note_under_way(request, now)
        if isinstance(request, OfService):
            self.buckets.draw(request.url, now)

    def note_under_way(self, request: Request, sent: float) -> None:
        """Record a request as under way that another service sent for both."""
        self._under_way[request].append(sent)
        self._last_sent[type(request)] = sent

    def note_answered(self, event: Event) -> None:
        """Record that a request has its result."""
        waiting = self._under_way[event.request]
        if event.sent in waiting:
            waiting.remove(event.sent)
        if not waiting:
            del self._under_way[event.request]  # every step goes through all that is left

    def note_sample(self, probe: Probe, sample: Sample) -> None:
        """Learn from the result of a look: how many redirects it takes, whether a cache responded, and rate limits."""
        self.buckets.note_cost(probe.url, sample.hops, sample.at)
        if sample.condition is Condition.CACHED:
            self._past_caches.add(probe.endpoints)
        self.buckets.note_condition(probe.url, sample)

    def note_check(self, request: FetchDocument | SendSmoke, event: Event, *, throttled: bool) -> None:
        """Learn the same from the response to a check."""
        if isinstance(event.http_result, Response):
            self.buckets.note_cost(request.url, event.http_result.hops, event.at)
            if throttled:
                self.buckets.note_throttled(request.url, event.http_result.retry_after, event.at)

    def last_sent(self, kind: type[Request]) -> float:
        """Return when the last request of this kind was sent; minus infinity if none was."""
        return self._last_sent.get(kind, float("-inf"))

    def is_under_way(self, request: Request) -> bool:
        """Return whether this request is under way."""
        return bool(self._under_way.get(request))

    def under_way(self, kind: type[Request]) -> list[float]:
        """Return when the requests of this kind that are under way were sent."""
        return sorted(
            sent for request, waiting in self._under_way.items() if isinstance(request, kind) for sent in waiting
        )
