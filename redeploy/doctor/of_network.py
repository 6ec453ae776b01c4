"""The links of the network to all origins: DNS, connection, TLS."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from redeploy.doctor.known import Known, urls_of
from redeploy.doctor.network import links_of
from redeploy.doctor.questions import Connect, Question
from redeploy.http.urls import origin_of
from redeploy.report.chain import WORST_FIRST, Check, LinkResult, State
from redeploy.text.untrusted import code


def connections(known: Known) -> Iterable[Question]:
    """Yield one connection to each origin."""
    return map(Connect, dict.fromkeys(map(origin_of, urls_of(known.plan))))


def obstacle(known: Known, url: str | None) -> LinkResult | None:
    """Return the broken link on the way to a URL; None if there is none."""
    return next((each for each in _ways(known).get(origin_of(url or ""), ()) if each.state is State.BROKEN), None)


def way(link: Check) -> Callable[[Known], LinkResult]:
    """Return the judge of one link for all origins: the worst result, and what was seen of each origin."""

    def judge(known: Known) -> LinkResult:
        found = {origin: next(each for each in links if each.link is link) for origin, links in _ways(known).items()}
        worst = min(found.values(), key=lambda each: WORST_FIRST.index(each.state))
        several = len(found) > 1
        seen = (f"{code(origin)}: {each.seen}" if several else each.seen for origin, each in found.items())
        return replace(worst, seen="; ".join(seen))

    return judge


def _ways(known: Known) -> dict[str, list[LinkResult]]:
    """Return the links of the way to each origin; their remedies name its host."""
    ways = filter(None, map(known.way, urls_of(known.plan)))
    return {
        each.origin: [
            replace(link, subject=known.subject_at(each.origin)) for link in links_of(each, known.now, known.shown)
        ]
        for each in ways
    }
