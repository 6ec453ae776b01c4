"""Watchtower as a trigger."""

from collections.abc import Callable
from dataclasses import dataclass

from redeploy.http.fetch import HttpRequest
from redeploy.http.response import NEVER_SENT, HttpResult, TransportError
from redeploy.triggers.trigger import Answer, Result
from redeploy.triggers.watchtower import answer, requests
from redeploy.triggers.watchtower.containers import Look, read_look
from redeploy.triggers.watchtower.endpoints import ContainerFilter, Watchtower


@dataclass(frozen=True)
class WatchtowerTrigger:
    """The HTTP API of a Watchtower of any variant and version."""

    watchtower: Watchtower

    @property
    def lists_running(self) -> bool:
        """Whether there is an address that may list the running containers."""
        return bool(self.watchtower.containers_url)

    @property
    def explains(self) -> bool:
        """Whether there is an address that may say why nothing was updated."""
        return bool(self.watchtower.check_url)

    @property
    def narrows_doubtfully(self) -> bool:
        """Whether the update is narrowed to containers, which few variants support: the others would update everything."""
        return bool(self.watchtower.containers)

    def update(self) -> HttpRequest:
        """Return the request that starts the update."""
        return requests.trigger(self.watchtower)

    def read(self, http_result: HttpResult) -> Answer:
        """Return what its response says."""
        return answer.read_answer(http_result)

    def list_running(self) -> HttpRequest:
        """Ask which containers run."""
        return requests.containers(self.watchtower)

    def read_running(
        self,
        http_result: HttpResult,
        wanted: ContainerFilter,
        *,
        sent: float,
        at: float,
        redact: Callable[[str], str],
    ) -> Look:
        """Return what the list says of the rows that count."""
        return read_look(http_result, wanted, sent=sent, at=at, redact=redact)

    def explain(self) -> HttpRequest:
        """Ask why nothing was updated."""
        return requests.reasons(self.watchtower)

    def read_explanation(
        self, http_result: HttpResult, result: Result, redact: Callable[[str], str]
    ) -> tuple[str, ...]:
        """Return that as lines."""
        return answer.reported_reasons(http_result, result, redact)

    def ask_support(self) -> HttpRequest:
        """Ask whether the variant supports `container=`; that does not update anything."""
        return requests.ask_whether_forked(self.watchtower)

    def read_support(self, http_result: HttpResult) -> bool:
        """Return whether it does; if it cannot be reached, the trigger will find that out."""
        unreached = isinstance(http_result, TransportError) and http_result.error_kind in NEVER_SENT
        return unreached or answer.is_fork_with_containers(http_result)
