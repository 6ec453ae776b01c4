"""nginx's stock 503 page: a rate limit sends it (`limit_req`), and so does a proxy that has nothing behind it."""

from dataclasses import dataclass, field, replace

from redeploy.http.condition import Condition
from redeploy.service.endpoint import Endpoint
from redeploy.service.sample import Sample

MOST_IN_A_ROW, LONGEST_ROW = 3, 5.0
"""Pages, and seconds that they span without a good response in between, that rule out a rate limit: our rate falls."""


@dataclass
class StockPages:
    """The pages that came in a row, by address."""

    _rows: dict[frozenset[Endpoint], list[Sample]] = field(default_factory=dict)
    _down: set[frozenset[Endpoint]] = field(default_factory=set)

    def take(self, sample: Sample) -> list[Sample]:
        """Take in a look; return the pages that now turn out to come from a proxy with nothing behind it, each page once."""
        if not sample.condition.is_inconclusive:
            self._rows.pop(sample.endpoints, None)
            self._down.discard(sample.endpoints)
        if not sample.is_stock_page:
            return []
        if sample.endpoints in self._down:
            return [sample]
        row = self._rows.setdefault(sample.endpoints, [])
        row.append(sample)
        long_enough = sample.sent - row[0].sent >= LONGEST_ROW
        if len(row) < MOST_IN_A_ROW or not long_enough:
            return []
        self._down.add(sample.endpoints)
        return self._rows.pop(sample.endpoints)


def as_down(sample: Sample) -> Sample:
    """Return a stock page as the response of a proxy that has nothing behind it."""
    return replace(sample, condition=Condition.DOWN, seen="503 from nginx", retry_after=None)
