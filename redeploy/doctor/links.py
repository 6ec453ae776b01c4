"""The chain as a table: for every link what it needs, what it asks, and how it is judged."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from redeploy.doctor import of_github, of_network, of_registry, of_service, of_watchtower
from redeploy.doctor.known import Known
from redeploy.doctor.of_inputs import of_inputs
from redeploy.doctor.of_update import of_update
from redeploy.doctor.questions import Question
from redeploy.report.chain import Chain, Check, LinkResult, not_reached


def _nothing(_: Known) -> Iterable[Question]:
    return ()


def _nowhere(_: Known) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Link:
    """One link of the chain. It is not judged if a link that it needs is broken, or the way to its URL."""

    check: Check
    judge: Callable[[Known], LinkResult | None]
    """Returns the link's result; None if this run does not need the link."""
    needs: tuple[Check, ...] = ()
    way_to: Callable[[Known], str | None] = _nowhere
    """The URL that the link's requests go to."""
    asks: Callable[[Known], Iterable[Question]] = _nothing
    """The questions to ask now; none while an earlier answer is missing, or if everything is known."""
    blames_service: bool = False
    """Whether the remedy is about the service, not about Watchtower."""


LINKS = (
    Link(check=Check.INPUTS, judge=of_inputs),
    Link(check=Check.DNS, judge=of_network.way(Check.DNS), asks=of_network.connections),
    Link(check=Check.CONNECTION, judge=of_network.way(Check.CONNECTION)),
    Link(check=Check.TLS, judge=of_network.way(Check.TLS)),
    Link(
        check=Check.FRONT,
        way_to=lambda known: known.plan.watchtower.update_url,
        asks=of_watchtower.without_token,
        judge=of_watchtower.front,
    ),
    Link(check=Check.LOCATION, needs=(Check.FRONT,), judge=of_watchtower.location),
    Link(check=Check.TOKEN, needs=(Check.LOCATION,), asks=of_watchtower.for_token, judge=of_watchtower.token),
    Link(
        check=Check.CONTAINERS,
        needs=(Check.TOKEN,),
        way_to=lambda known: known.plan.watchtower.containers_url if known.watched is None else None,
        asks=of_watchtower.for_containers,
        judge=of_watchtower.containers,
    ),
    Link(check=Check.REGISTRY, asks=of_registry.look_ups, judge=of_registry.registry),
    Link(check=Check.UPDATE, needs=(Check.TOKEN, Check.CONTAINERS, Check.REGISTRY), judge=of_update),
    Link(
        check=Check.HEALTH,
        way_to=lambda known: known.plan.service.health_url,
        asks=of_service.looks_at_health,
        judge=of_service.health,
        blames_service=True,
    ),
    Link(
        check=Check.VERSION,
        way_to=lambda known: known.plan.service.version_url,
        asks=of_service.looks_at_version,
        judge=of_service.version,
        blames_service=True,
    ),
    Link(
        check=Check.OPENAPI,
        way_to=lambda known: known.plan.checks.document_url,
        asks=of_service.looks_at_document,
        judge=of_service.document,
        blames_service=True,
    ),
    Link(check=Check.GITHUB, asks=of_github.environment, judge=of_github.deployments),
)

_BY_CHECK = {each.check: each for each in LINKS}


def next_questions(known: Known) -> tuple[Question, ...]:
    """Return the questions to ask now, in parallel; none if everything is known that can be."""
    asked = (question for link in LINKS for question in link.asks(known))
    return tuple(dict.fromkeys(each for each in asked if each not in known.answers))


def chain_of(known: Known) -> Chain:
    """Return the results of all links."""
    found: dict[Check, LinkResult | None] = {}

    def result(check: Check) -> LinkResult | None:
        if check not in found:
            found[check] = _result(known, _BY_CHECK[check], result)
        return found[check]

    return Chain(tuple(filter(None, (result(each.check) for each in LINKS))))


def _result(known: Known, link: Link, result: Callable[[Check], LinkResult | None]) -> LinkResult | None:
    found = not_reached(link.check, [*map(result, link.needs), of_network.obstacle(known, link.way_to(known))])
    if found is None and (found := link.judge(known)) is not None:
        found = not_reached(link.check, map(result, found.because_of)) or found
    if found is None or found.subject.host:
        return found
    service, update = known.plan.service.base_url, known.plan.watchtower.update_url
    url = service if link.blames_service else update or service
    return replace(found, subject=known.subject_at(url, blames_service=link.blames_service))
