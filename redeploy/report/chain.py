"""The chain that a redeploy depends on, link by link, and what an examination found for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.remedies.remedy import Remedy
from redeploy.remedies.subject import NOTHING_KNOWN, Subject
from redeploy.verdicts import Reason, Verdict


class Check(StrEnum):
    """The links, in the order in which a request meets them; the names that the report and `failed-checks` use."""

    INPUTS = "inputs"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    FRONT = "front"
    LOCATION = "location"
    TOKEN = "token"  # noqa: S105 - a link's name
    CONTAINERS = "containers"
    REGISTRY = "registry"
    UPDATE = "update"
    HEALTH = "health"
    VERSION = "version"
    OPENAPI = "openapi"
    GITHUB = "github"


TITLES = {
    Check.INPUTS: "Inputs",
    Check.DNS: "DNS",
    Check.CONNECTION: "Connection",
    Check.TLS: "TLS",
    Check.FRONT: "Proxy in front",
    Check.LOCATION: "Update location",
    Check.TOKEN: "Token",
    Check.CONTAINERS: "Containers",
    Check.REGISTRY: "Registry",
    Check.UPDATE: "Next update",
    Check.HEALTH: "Health",
    Check.VERSION: "Version",
    Check.OPENAPI: "OpenAPI document",
    Check.GITHUB: "GitHub Deployments",
}


_MOST = 3
"""Texts of a list that are told."""


class State(StrEnum):
    """How a link was found."""

    OK = "ok"
    WARNING = "warning"
    """A deploy gets through, but less is known or worse comes than could be."""
    BROKEN = "broken"
    NOT_REACHED = "not-reached"
    """Not judged: a link before it is broken, or nothing was asked that would have needed it."""


WORST_FIRST = (State.BROKEN, State.WARNING, State.OK, State.NOT_REACHED)


@dataclass(frozen=True)
class LinkResult:
    """What was found of one link. `seen` is harmless: our own words, with what came from outside as code in them."""

    link: Check
    state: State
    seen: str
    finding: Finding | Reason | None = None
    """What is wrong; None where nothing is, or it was not reached."""
    behind: Check | None = None
    """The broken link because of which this one was not reached."""
    mends: Remedy | None = None
    """What mends it at the door that answered, where that is known; it takes the place of the finding's own remedy."""
    subject: Subject = NOTHING_KNOWN
    """What its remedy speaks of."""
    owing_to: tuple[Check, ...] = ()
    """Links that explain it: where one of them is broken, this one was not judged."""

    @property
    def remedy(self) -> Remedy | None:
        """What to do about it."""
        if self.mends is not None:
            return self.mends.about(self.subject)
        match self.finding:
            case None:
                return None
            case Reason():
                return REMEDIES[self.finding].about(self.subject)
            case _:
                return FINDINGS[self.finding].about(self.subject)


@dataclass(frozen=True)
class Chain:
    """All links, in order."""

    links: tuple[LinkResult, ...]

    def those(self, state: State) -> tuple[LinkResult, ...]:
        """Return the links that were found so."""
        return tuple(each for each in self.links if each.state is state)

    @property
    def verdict(self) -> Verdict:
        """Whether a deploy would get through."""
        return Verdict.NOT_READY if self.those(State.BROKEN) else Verdict.READY

    def hidden_by(self, link: Check) -> tuple[Check, ...]:
        """Return the links that could not be judged because this one is broken."""
        return tuple(each.link for each in self.links if each.behind is link)


def ok(link: Check, seen: str) -> LinkResult:
    """Return a link that holds."""
    return LinkResult(link, State.OK, seen)


def warning(link: Check, seen: str, finding: Finding | Reason) -> LinkResult:
    """Return a link that holds, and could be better."""
    return LinkResult(link, State.WARNING, seen, finding)


def broken(link: Check, seen: str, finding: Finding | Reason) -> LinkResult:
    """Return a link that does not hold."""
    return LinkResult(link, State.BROKEN, seen, finding)


def not_asked(link: Check, why: str) -> LinkResult:
    """Return a link that nothing was asked of."""
    return LinkResult(link, State.NOT_REACHED, why)


def not_reached(link: Check, before: Iterable[LinkResult | None]) -> LinkResult | None:
    """Return a link that lies behind a broken one, be it of `before` or before these; None where none is broken."""
    ends = (each.link if each.state is State.BROKEN else each.behind for each in before if each is not None)
    first = next(filter(None, ends), None)
    if first is None:
        return None
    return LinkResult(link, State.NOT_REACHED, f"not judged, since {TITLES[first]} is broken", behind=first)


def listed(texts: Sequence[str]) -> str:
    """Return texts in one line; of many the first few, and how many more there are."""
    more = len(texts) - _MOST
    return ", ".join(texts[:_MOST]) + (f" and {more} more" if more > 0 else "")


def unread(message: str) -> Chain:
    """Return the chain of a run whose inputs are wrong: nothing was sent, so nothing else is known."""
    first = LinkResult(Check.INPUTS, State.BROKEN, message, Finding.INPUTS)
    rest = (not_reached(link, [first]) for link in Check if link is not Check.INPUTS)
    return Chain((first, *filter(None, rest)))
