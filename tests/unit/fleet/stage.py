"""Several services and hosts in a simulated world, without sockets."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from redeploy.fleet.run import Fleet
from redeploy.http.response import HttpResult, Response
from redeploy.report import outputs
from redeploy.report.results import RunResult, SeveralResults, representative
from redeploy.rollout.requests import Probe
from redeploy.service.endpoint import WORKER
from redeploy.settings.plan import HostPlan, Plan, RunPlan
from sandbox.simulated_hosts import Worlds
from sandbox.simulation import Log, World, plan
from tests.unit.factories import NEW, OLD, ready

SWAP = 2.0
"""Seconds from the trigger to the first response of a new build."""

ASKED = {"openapi_path": "off", "timeout": "60s"}


def service(name: str, **inputs: str) -> Plan:
    """Return the plan of a service at an origin of its own."""
    given = {"base_url": f"https://{name}.example.com", "health_path": "/ready", **ASKED, **inputs}
    return replace(plan(**given), name=name)


def worker(name: str, **inputs: str) -> Plan:
    """Return the plan of a worker without an address."""
    return replace(plan(**{**ASKED, **inputs}), name=name, service=WORKER)


def name_of(probe: Probe) -> str:
    """Return the name of the service that a look goes to."""
    return probe.url.removeprefix("https://").partition(".")[0]


def swapped(moment: float) -> HttpResult:
    """The response of a service that is replaced as expected."""
    return ready(NEW if moment > SWAP else OLD)


@dataclass
class Finished:
    """A run that has ended."""

    fleet: Fleet
    outcome: SeveralResults
    worlds: Worlds
    log: Log = field(default_factory=Log)

    @property
    def verdict(self) -> tuple[str, str]:
        """Verdict and reason of the run."""
        return self.outcome.conclusion.verdict.value, self.outcome.conclusion.reason.value

    @property
    def verdicts(self) -> dict[str, tuple[str, str]]:
        """Verdict and reason of each service."""
        ends = {key: each.conclusion for key, each in self.outcome.services.items()}
        return {key: (end.verdict.value, end.reason.value) for key, end in ends.items()}

    @property
    def services(self) -> dict[str, RunResult]:
        """How each service ended."""
        return {key: representative(each) for key, each in self.outcome.services.items()}

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs, with JSON parsed."""
        found = outputs.outputs(self.outcome)
        return found | {name: json.loads(found[name]) for name in ("services", "report", "failed-checks")}


def fleet_of(run: RunPlan) -> Fleet:
    """Return the state of a run at its beginning."""
    return Fleet(run, lambda: 0.5)


def world(answers: Mapping[str, Callable[[float], HttpResult]] | None = None, **script: Any) -> World:  # noqa: ANN401
    """Return a host with these responses by service name; other services are replaced as expected."""
    given = answers or {}
    return World(lambda moment, probe: given.get(name_of(probe), swapped)(moment), **script)


def run_to_end(run: RunPlan, worlds: Mapping[str, World]) -> Finished:
    """Run to the end."""
    fleet, outside, log = fleet_of(run), Worlds(worlds), Log()
    outcome = fleet.run(outside, log)
    return Finished(fleet, outcome, outside, log)


def at_one_host(
    services: list[Plan],
    answers: Mapping[str, Callable[[float], HttpResult]] | None = None,
    **script: Any,  # noqa: ANN401 - the fields of a World
) -> Finished:
    """Run services behind one Watchtower."""
    return run_to_end(RunPlan(waves=((HostPlan.of("", services),),)), {"": world(answers, **script)})


def sick(moment: float) -> HttpResult:
    """The response of a service whose new build never becomes ready."""
    return Response(503, {}, b'{"status": "starting"}') if moment > SWAP else ready(OLD)


def stays(_moment: float) -> HttpResult:
    """The response of a service that is not replaced."""
    return ready(OLD)
