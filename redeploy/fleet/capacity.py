"""Whether the buckets of all origins can carry the looks of several services. Pure."""

import math
from collections import defaultdict
from dataclasses import replace

from redeploy.settings.plan import Plan, Rate, RunPlan

LOOKS_BEFORE = 2
"""Looks at each address before the trigger."""

FEWEST = 3
"""Looks at each address that a window needs at least."""


def lowest_rates(run: RunPlan) -> RunPlan:
    """Return the run with one rate for each origin: the lowest that any of its services allows."""
    lowest: dict[str, Rate | None] = {}
    for plan in run.services:
        for origin in plan.service_origins:
            lowest[origin] = _lower(lowest[origin], plan.rate) if origin in lowest else plan.rate

    def limited(plan: Plan) -> Plan:
        rate = plan.rate
        for origin in plan.service_origins:
            rate = _lower(rate, lowest[origin])
        return replace(plan, rate=rate)

    waves = tuple(
        tuple(replace(host, services=tuple(map(limited, host.services))) for host in wave) for wave in run.waves
    )
    return replace(run, waves=waves)


def shortage(run: RunPlan) -> list[str]:
    """Say of each origin that cannot carry the looks of its services in time which rate would do."""
    found = []
    for wave in run.waves:
        by_origin: dict[str, list[Plan]] = defaultdict(list)
        for host in wave:
            for plan in host.services:
                for origin in plan.service_origins[:1]:
                    by_origin[origin].append(plan)
        for origin, plans in by_origin.items():
            rate, seconds = plans[0].rate, min(each.timeout for each in plans)
            needed = sum(map(_requests, plans))
            if len(plans) < 2 or rate is None or needed <= rate.burst + rate.per_second * seconds:
                continue
            enough = math.ceil((needed - rate.burst) / seconds * 60)
            found.append(
                f"note: {len(plans)} services share {origin}, and `request-rate` allows fewer requests within {seconds:g} s "
                f"than the {needed} that their windows and checks take; `request-rate: {enough}/m` would do"
            )
    return found


def _requests(plan: Plan) -> int:
    """Return the requests that proving one service takes at least."""
    addresses = 2 if plan.service.apart else 1
    return (LOOKS_BEFORE + FEWEST) * addresses + 2 * bool(plan.checks.document_url) + len(plan.checks.smoke)


def _lower(one: Rate | None, other: Rate | None) -> Rate | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other, key=lambda rate: rate.per_second)
