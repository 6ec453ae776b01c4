"""Failed looks past caches: did the service fail, does a cache hide that it is down, or does it reject a random query?"""

from dataclasses import dataclass, field, replace

from redeploy.http.condition import Condition
from redeploy.service.endpoint import Endpoint
from redeploy.service.sample import Sample

KNOWN_UNHEALTHY = 15.0
"""Seconds after a failed plain look in which another failure needs no plain look: the service is still down."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a look, and the looks that were held back for it, turn out to be."""

    samples: tuple[Sample, ...] = ()
    cached: bool = False
    """Whether a cache responds at the plain address without a header that says so."""
    takes_no_query: bool = False
    """Whether the address rejects a random query parameter."""


@dataclass
class Doubts:
    """Bad looks with a random query, each held back until a plain look and then another one with a query have followed.

    Only where the plain one succeeds and the other fails again is the query, or a cache, the cause.
    """

    _held: dict[frozenset[Endpoint], tuple[Sample, ...]] = field(default_factory=dict)
    _unhealthy_since: dict[frozenset[Endpoint], float] = field(default_factory=dict)
    """When a plain look failed, by address; removed by the next good look."""

    def next_look(self, endpoints: frozenset[Endpoint]) -> bool | None:
        """Return whether the next look at an address must get past caches; None if nothing is in doubt."""
        held = self._held.get(endpoints)
        return None if held is None else len(held) > 1

    @property
    def open(self) -> tuple[frozenset[Endpoint], ...]:
        """The addresses that must be looked at again."""
        return tuple(self._held)

    @property
    def held(self) -> tuple[Sample, ...]:
        """The looks that are held back."""
        return tuple(sample for held in self._held.values() for sample in held)

    def take(self, sample: Sample, *, past_caches: bool) -> Settled:
        """Take in a look; `past_caches` says whether it carried a random query."""
        held = self._held.get(sample.endpoints, ())
        if sample.healthy:
            self._unhealthy_since.pop(sample.endpoints, None)
        elif held and not past_caches:
            self._unhealthy_since[sample.endpoints] = sample.at
        if not held:
            if past_caches and _doubtful(sample) and not self._known_unhealthy(sample):
                self._held[sample.endpoints] = (sample,)
                return Settled()
            return Settled(samples=(sample,))
        if len(held) == 1 and sample.healthy and not past_caches:
            self._held[sample.endpoints] = (*held, sample)
            return Settled()
        del self._held[sample.endpoints]
        if len(held) == 1 or not (past_caches and _doubtful(sample)):
            return Settled(samples=(*held, sample))
        if _refuses(sample):
            return Settled(samples=(replace(held[1], beyond_caches=True),), takes_no_query=True)
        return Settled(samples=(_cached(held[0]), _cached(sample)), cached=True)

    def _known_unhealthy(self, sample: Sample) -> bool:
        """Return whether the service also failed without the query a moment ago."""
        since = self._unhealthy_since.get(sample.endpoints)
        return since is not None and sample.at - since < KNOWN_UNHEALTHY and _fails(sample)


def _doubtful(sample: Sample) -> bool:
    return _fails(sample) or _refuses(sample)


def _fails(sample: Sample) -> bool:
    return sample.transport_error or (sample.status >= 500 and not sample.condition.is_inconclusive)


def _refuses(sample: Sample) -> bool:
    return 300 <= sample.status < 500 and not sample.condition.is_inconclusive


def _cached(sample: Sample) -> Sample:
    seen = f"{sample.seen} with a random query parameter, but healthy without: a cache responds"
    return replace(sample, condition=Condition.CACHED, seen=seen)
