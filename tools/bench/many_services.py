"""How the cost of a run grows with its services (time, concurrent requests, memory) and with its hosts."""

import random
import tracemalloc
from dataclasses import replace

from redeploy.fleet.run import Fleet
from redeploy.http.response import HttpResult, Response
from redeploy.rollout.requests import Probe
from redeploy.settings.plan import HostPlan, Plan, RunPlan
from sandbox.simulated_hosts import Worlds
from sandbox.simulation import Log, World, plan

SWAP = 3.0
"""Seconds from the trigger until new builds respond."""

OLD, NEW = "1" * 40, "2" * 40
MIB = 1024 * 1024


def _service(name: str) -> Plan:
    given = {"base_url": f"https://{name}.example.com", "openapi_path": "off", "expect_version": NEW}
    return replace(plan(**given), name=name)


def _answers(moment: float, _: Probe) -> HttpResult:
    return Response(200, {}, f'{{"commit": "{NEW if moment > SWAP else OLD}"}}'.encode())


def services(number: int) -> dict[str, float]:
    """Measure a run of this number of services behind one Watchtower, each at its own origin.

    `seconds` are those of the simulated clock, `most at once` are concurrent requests, each of which is a thread.
    """
    run = RunPlan(waves=((HostPlan.of("", [_service(f"s{each}") for each in range(number)]),),))
    outside = Worlds({"": World(_answers)})
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    outcome = Fleet(run, random.Random(1).random).run(outside, Log())
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    green = sum(not each.conclusion.exit_code for each in outcome.services.values()) if outcome.services else 1
    return {
        "seconds": outside.clock,
        "most at once": outside.most_under_way,
        "MiB a service": (after - before) / MIB / number,
        "not green": number - green,
    }


def hosts(number: int, waves: int) -> dict[str, float]:
    """Measure a run of one service at each of this number of hosts, in this number of waves."""
    names = [f"h{each}" for each in range(number)]
    size = number // waves
    run = RunPlan(
        waves=tuple(
            tuple(HostPlan.of(name, [replace(_service(name), name="api")]) for name in names[first : first + size])
            for first in range(0, number, size)
        ),
        max_parallel=size,
    )
    outside = Worlds({name: World(_answers) for name in names})
    outcome = Fleet(run, random.Random(1).random).run(outside, Log())
    lowest = min(_lowest_level(world) for world in outside.hosts.values())
    return {
        "seconds": outside.clock,
        "overdrawn": max(0.0, round(-lowest, 6)),
        "not green": sum(bool(each.conclusion.exit_code) for each in outcome.services.values()),
    }


def _lowest_level(world: World, rate: float = 0.5, burst: float = 15.0) -> float:
    """Return the lowest level of a token bucket from which every probe of the service draws."""
    level, filled, lowest = burst, 0.0, burst
    for moment in world.sent(Probe):
        level = min(burst, level + (moment - filled) * rate) - 1
        filled, lowest = moment, min(lowest, level)
    return lowest
