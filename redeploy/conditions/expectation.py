"""What a healthy response is, and how a response reports in its JSON that the service is unhealthy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redeploy.http.response import Response

if TYPE_CHECKING:  # few runs have conditions
    from redeploy.conditions.clause import Clause


@dataclass(frozen=True)
class Expectation:
    """What a healthy response must have besides a 2xx status."""

    anything: bool = False
    """Whether every 2xx is healthy, an HTML page too."""
    clauses: tuple["Clause", ...] = ()

    @property
    def takes_page(self) -> bool:
        """Whether an HTML page can be healthy."""
        return self.anything or any(each.reads_page for each in self.clauses)

    def failure(self, reply: Response, redact: Callable[[str], str]) -> str | None:
        """Say which condition a response does not fulfil, as harmless Markdown; None if all hold."""
        return first_failure(self.clauses, reply, redact)

    def reported_unhealthy(self, reply: Response, redact: Callable[[str], str]) -> str:
        """Return the line of `health-expect` that would make a JSON response count as unhealthy, as it says itself.

        Empty if the JSON does not say so, or if a condition already checks the field.
        """
        document = reply.json
        if not isinstance(document, dict):
            return ""
        judged = {each.source.removeprefix("/") for each in self.clauses}
        for field in _SAYS_HOW_IT_IS:
            said = document.get(field)
            if isinstance(said, str) and said.lower() in _ILL and field not in judged:
                return f"{field} != {redact(said)}"  # the words of _ILL need no quotes
        return ""


NOTHING_EXPECTED = Expectation()


def first_failure(clauses: "Sequence[Clause]", reply: Response, redact: Callable[[str], str]) -> str | None:
    """Return the failure of the first condition that a response does not fulfil; None if all hold."""
    return next((failure for each in clauses if (failure := each.failure(reply, redact)) is not None), None)


_SAYS_HOW_IT_IS = ("status", "health", "state")
_ILL = frozenset({"down", "fail", "unhealthy", "error", "critical"})
