"""The chain that a redeploy depends on, and the result of an examination for each link."""

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
"""Texts of a list that are shown."""


class State(StrEnum):
    """The state of a link."""

    OK = "ok"
    WARNING = "warning"
    """A deploy gets through, but something could be better."""
    BROKEN = "broken"
    NOT_REACHED = "not-reached"
    """Not checked: a link before it is broken, or no input needs it."""


WORST_FIRST = (State.BROKEN, State.WARNING, State.OK, State.NOT_REACHED)


@dataclass(frozen=True)
class LinkResult:
    """The result of one link. `seen` is harmless: our own words, with texts from outside as code in them."""

    link: Check
    state: State
    seen: str
    finding: Finding | Reason | None = None
    """What is wrong; None if nothing is, or if the link was not reached."""
    behind: Check | None = None
    """The broken link that hides this one."""
    special_remedy: Remedy | None = None
    """A remedy that fits what was seen, if there is one; it replaces the finding's own."""
    subject: Subject = NOTHING_KNOWN
    """The subject of its remedy."""
    because_of: tuple[Check, ...] = ()
    """Links that explain it: if one of them is broken, this one counts as not checked."""

    @property
    def remedy(self) -> Remedy | None:
        """What to do about it."""
        if self.special_remedy is not None:
            return self.special_remedy.about(self.subject)
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
        """Return the links with this state."""
        return tuple(each for each in self.links if each.state is state)

    @property
    def verdict(self) -> Verdict:
        """Whether a deploy would get through."""
        return Verdict.NOT_READY if self.those(State.BROKEN) else Verdict.READY

    def hidden_by(self, link: Check) -> tuple[Check, ...]:
        """Return the links that could not be checked because this one is broken."""
        return tuple(each.link for each in self.links if each.behind is link)


def ok(link: Check, seen: str) -> LinkResult:
    """Return a link that is fine."""
    return LinkResult(link, State.OK, seen)


def warning(link: Check, seen: str, finding: Finding | Reason) -> LinkResult:
    """Return a link that lets a deploy through, but could be better."""
    return LinkResult(link, State.WARNING, seen, finding)


def broken(link: Check, seen: str, finding: Finding | Reason) -> LinkResult:
    """Return a link that stops a deploy."""
    return LinkResult(link, State.BROKEN, seen, finding)


def not_asked(link: Check, why: str) -> LinkResult:
    """Return a link that was not checked."""
    return LinkResult(link, State.NOT_REACHED, why)


def not_reached(link: Check, before: Iterable[LinkResult | None]) -> LinkResult | None:
    """Return a link behind a broken one: one of `before`, or one before these; None if none is broken."""
    ends = (each.link if each.state is State.BROKEN else each.behind for each in before if each is not None)
    first = next(filter(None, ends), None)
    if first is None:
        return None
    return LinkResult(link, State.NOT_REACHED, f"not checked, because {TITLES[first]} is broken", behind=first)


def listed(texts: Sequence[str]) -> str:
    """Return texts in one line; if they are many, the first few and how many more there are."""
    more = len(texts) - _MOST
    return ", ".join(texts[:_MOST]) + (f" and {more} more" if more > 0 else "")


def unread(message: str) -> Chain:
    """Return the chain of a run with invalid inputs: nothing was sent, so nothing else is known."""
    first = LinkResult(Check.INPUTS, State.BROKEN, message, Finding.INPUTS)
    rest = (not_reached(link, [first]) for link in Check if link is not Check.INPUTS)
    return Chain((first, *filter(None, rest)))
