"""The services of one host while they are watched, with their shared trigger. Times are monotonic seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from redeploy.decision.verdict import Conclusion, conclude
from redeploy.rollout.assess import Assessment
from redeploy.rollout.baseline import SECONDS
from redeploy.rollout.budget import Buckets
from redeploy.rollout.log_lines import ProgressLog
from redeploy.rollout.requests import (
    CheckContainers,
    Event,
    FetchContainers,
    FetchDocument,
    Probe,
    ProbeContainerSupport,
    Request,
    SendTrigger,
)
from redeploy.rollout.schedule import Schedule
from redeploy.rollout.service_state import ServiceState
from redeploy.settings.plan import HostPlan
from redeploy.triggers.trigger_state import TriggerState
from redeploy.triggers.watchtower.trigger import WatchtowerTrigger

OF_TRIGGER = SendTrigger | CheckContainers | ProbeContainerSupport
"""Requests that are sent once for all services of a host; their results go to the trigger's state."""


@dataclass
class ServiceWatch:
    """One service, until it has ended."""

    state: ServiceState
    schedule: Schedule
    log: ProgressLog
    wake: float = float("-inf")
    """When its next step is due, if nothing happens before."""
    asked: float = float("-inf")
    """When it last drew from a bucket: the service that waited longest comes first."""
    conclusion: Conclusion | None = None
    ended: float = 0.0

    @property
    def key(self) -> str:
        """The service's key in logs and outputs."""
        return self.state.plan.key

    def shares(self, request: Request, other: ServiceState) -> bool:
        """Return whether the response to a request of another service of the host serves this one, too."""
        plan, theirs = self.state.plan, other.plan
        match request:
            case SendTrigger() | CheckContainers() | ProbeContainerSupport() | FetchContainers():
                return True
            case Probe(endpoints, url) if (endpoints, url) in self.state.addresses:
                ours, others = plan.service, theirs.service
                alike = (ours.health_expect, ours.version_field) == (others.health_expect, others.version_field)
            case FetchDocument(url) if plan.checks.document_url == url:
                alike = self.state.triggered is None
            case _:
                return False
        return alike and plan.service_headers == theirs.service_headers

    def conclude(self, now: float) -> None:
        """Record how it ends; later responses to the trigger count only for the other services."""
        self.conclusion, self.ended = conclude(Assessment(self.state).facts(now)), now
        trigger = self.state.trigger
        self.state.trigger = replace(trigger, answers=list(trigger.answers))


class HostWatch:
    """The services of one host."""

    def __init__(
        self,
        states: Sequence[ServiceState],
        random: Callable[[], float],
        *,
        several_hosts: bool,
    ) -> None:
        """Watch services that share one trigger."""
        self.name = states[0].plan.host
        self.trigger = states[0].trigger
        self.hindered_by = ""
        """The key of the service because of which nothing was triggered."""
        said: dict[str, str] = {}
        of_trigger = f"{self.name}: " if several_hosts else ""
        self.services = [
            ServiceWatch(
                each,
                Schedule(each, random, self._may_trigger),
                ProgressLog(each, f"{each.plan.key}: ", of_trigger, said, alone=False),
            )
            for each in states
        ]

    @property
    def under_way(self) -> list[ServiceWatch]:
        """The services that have not ended."""
        return [each for each in self.services if each.conclusion is None]

    def _may_trigger(self, now: float) -> bool:
        """Return whether all services are ready for the trigger; those that have waited long look again at what runs."""
        waiting = [each.schedule for each in self.under_way]
        if any(each.ready_since is None for each in waiting):
            return False
        outdated = [each for each in waiting if each.ready_since is not None and now - each.ready_since > SECONDS]
        for each in outdated:
            each.look_again()
        for service in self.under_way if outdated else ():
            service.wake = now
        return not outdated

    def note_hindrance(self, service: ServiceWatch) -> None:
        """Record because of which service nothing is triggered, once that is known: then all services end."""
        if self.trigger.not_started and not self.hindered_by:
            self.hindered_by = service.key
            for each in self.under_way:
                each.wake = float("-inf")

    def share(self, sender: ServiceWatch, request: Request, now: float, wall: float) -> list[ServiceWatch]:
        """Record a request as sent with all other services that it serves, and return these."""
        served = [each for each in self.under_way if each is not sender and each.shares(request, sender.state)]
        for each in served:
            each.state.budget.note_under_way(request, now)
            if isinstance(request, SendTrigger):
                each.state.record_trigger(now, wall)
                each.wake = now
        return served

    def take(self, event: Event, served: Sequence[ServiceWatch]) -> list[ServiceWatch]:
        """Take in a response for all services that it serves, and return those that are still under way."""
        takers = [each for each in served if each.conclusion is None]
        of_trigger = isinstance(event.request, OF_TRIGGER)
        for place, each in enumerate(takers):
            if of_trigger and place:  # the trigger's state has it already
                each.state.budget.note_answered(event)
                each.state.count()
            else:
                each.state.take(event)
                self.note_hindrance(each)
        for each in self.under_way if of_trigger else takers:
            each.wake = float("-inf")
        return takers


def states_of(host: HostPlan, now: float, buckets: Buckets, redact: Callable[[str], str]) -> list[ServiceState]:
    """Return the states of a host's services, which share its trigger and the buckets of all origins."""
    trigger = TriggerState(kind=WatchtowerTrigger(host.services[0].watchtower))
    return [
        ServiceState(plan, began=now, redact=redact, shared_trigger=trigger, shared_buckets=buckets)
        for plan in host.services
    ]
