"""A worker without an address: its row at the containers endpoint, as a look at a service."""

from redeploy.http.condition import Condition
from redeploy.http.response import ErrorKind
from redeploy.service.endpoint import Endpoint as Part
from redeploy.service.sample import Sample
from redeploy.text.untrusted import code
from redeploy.triggers.watchtower.containers import Endpoint, Look

HEALTH = frozenset({Part.HEALTH, Part.VERSION})


def row_sample(look: Look, wall: float) -> Sample | None:
    """Return whether its container is running; None if a look brought no rows."""
    if look.endpoint is not Endpoint.REPORTED:
        return None
    runs = ", ".join(code(row.name.removeprefix("/")) for row in look.rows)
    return Sample(
        sent=look.sent,
        at=look.at,
        endpoints=HEALTH,
        condition=Condition.HEALTHY if runs else Condition.DOWN,
        error_kind=None if runs else ErrorKind.REFUSED,
        seen=f"container {runs} runs" if runs else "no container of it runs",
        wall=wall,
        beyond_caches=True,
    )
