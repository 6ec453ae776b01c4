"""Whether the buckets of all origins are large enough for the looks of several services. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from redeploy.rollout.baseline import SECONDS
from redeploy.rollout.budget import Shortage
from redeploy.settings.plan import HostPlan, Mode, Plan, Rate, RunPlan

LOOKS_BEFORE = 2
"""Looks at each address before the trigger."""

LOOKS_MEANWHILE = 1
"""Looks at each address until the new build responds, or the window opens."""

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


def shortages(run: RunPlan) -> dict[str, Shortage]:
    """Return, by origin, what its services would need if they cannot all be watched within their `timeout`."""
    found = {}
    for wave in run.waves:
        for origin, plans in _by_origin(wave).items():
            rate, seconds = plans[0].rate, min(each.timeout for each in plans)
            missing = sum(map(_requests, plans)) - (rate.burst if rate else 0)
            if len(plans) > 1 and rate is not None and missing > rate.per_second * seconds:
                per_minute, enough = math.ceil(missing / seconds * 60), math.ceil(missing / rate.per_second)
                found[origin] = Shortage(len(plans), per_minute, enough)
    return found


def notes(run: RunPlan) -> list[str]:
    """Return a note for each origin whose bucket is too small, with what would be enough."""
    short = shortages(run)
    lines = []
    for wave in run.waves:
        for origin, plans in _by_origin(wave).items():
            if each := short.get(origin):
                seconds = min(plan.timeout for plan in plans)
                lines.append(
                    f"note: {each.services} services share {origin}, and `request-rate` allows fewer requests within "
                    f"{seconds:g} s than the {sum(map(_requests, plans))} that their windows and checks take, so some will "
                    f"end `unhealthy` with the reason `throttled`; `request-rate: {each.per_minute}/m` or "
                    f"`timeout: {each.seconds}s` would be enough"
                )
            unseen = _unseen(plans) if run.mode is Mode.DEPLOY else 0
            if unseen > 0:
                lines.append(
                    f"note: {len(plans)} services share {origin}, and `request-rate` allows no look at {unseen} of them "
                    "before the trigger, so no change of their builds can be proven; `expect-version` would prove "
                    "them"
                )
    return lines


def _by_origin(wave: Iterable[HostPlan]) -> Mapping[str, Sequence[Plan]]:
    """Return the services of a wave by the origin of their health checks."""
    found: dict[str, list[Plan]] = defaultdict(list)
    for host in wave:
        for plan in host.services:
            for origin in plan.service_origins[:1]:
                found[origin].append(plan)
    return found


def _unseen(plans: Sequence[Plan]) -> int:
    """Return how many services of an origin cannot be looked at before the trigger; 0 if all declare what must be live."""
    rate, first = plans[0].rate, [(each.service.version_url, each.service_headers) for each in plans]
    if rate is None or len(plans) < 2 or all(each.declared for each in plans):
        return 0
    different = len({(url, tuple(headers)) for url, headers in first})
    return max(0, different - int(rate.burst + rate.per_second * SECONDS))


def _requests(plan: Plan) -> int:
    """Return the least number of requests that it takes to prove one service."""
    addresses = 2 if plan.service.apart else 1
    looks = LOOKS_MEANWHILE + FEWEST + (0 if plan.inspects else LOOKS_BEFORE)
    return looks * addresses + 2 * bool(plan.checks.document_url) + len(plan.checks.smoke)


def _lower(one: Rate | None, other: Rate | None) -> Rate | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other, key=lambda rate: rate.per_second)
