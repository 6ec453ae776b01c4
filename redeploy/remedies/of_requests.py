"""What to do if the action itself had too few requests to watch a service: nothing says that the service is unhealthy."""

import math

from redeploy.http.urls import origin_of
from redeploy.remedies.remedy import Remedy
from redeploy.rollout.assess import Assessment
from redeploy.rollout.service_state import ServiceState
from redeploy.verdicts import Reason

AS_MUCH_AGAIN = 2
"""How much more to recommend if it is not known how much would be enough."""


def of_too_few_requests(state: ServiceState, reason: Reason, now: float) -> Remedy | None:
    """Return the remedy for a service that could not be watched; None where something else was the reason.

    `now` is in monotonic seconds, as of the run's end.
    """
    if reason is not Reason.THROTTLED or not Assessment(state).facts(now).starved:
        return None
    plan, shortage = state.plan, state.budget.buckets.shortages.get(origin_of(state.plan.service.health_url))
    rate = plan.rate.per_second * 60 if plan.rate else 0.0
    per_minute = shortage.per_minute if shortage else math.ceil(AS_MUCH_AGAIN * rate)
    seconds = shortage.seconds if shortage else math.ceil(AS_MUCH_AGAIN * plan.timeout)
    sharing = f", which {shortage.services} services share" if shortage else ""
    above = "defaults" if plan.name else "with"
    return Remedy(
        "The service could not be watched: `request-rate` left too few requests for it",
        f"`request-rate` allows {rate:g} requests a minute at `«service»`{sharing}. That was too few to see within "
        f"{plan.timeout:g} s whether one build stays healthy. Nothing shows that this service is unhealthy.",
        f"Allow more requests, if the proxy in front of the service does:\n\n```yaml\n{above}:\n"
        f"  request-rate: {per_minute}/m\n```\n\nOr give the run more time:\n\n```yaml\n{above}:\n"
        f"  timeout: {seconds}s\n```",
    )
