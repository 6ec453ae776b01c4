"""A run of several services: waves of hosts, each green before the next begins; failures are rolled back if asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from redeploy.decision.verdict import Conclusion
from redeploy.fleet.capacity import lowest_rates, notes, shortages
from redeploy.fleet.loop import Loop
from redeploy.fleet.watches import HostWatch, ServiceWatch, states_of
from redeploy.report.collect import result_of
from redeploy.report.results import Change, RunResult, SeveralResults
from redeploy.report.several.whole import is_green, whole
from redeploy.rollout.budget import Buckets
from redeploy.rollout.run import Log, Outside
from redeploy.rollout.service_state import ServiceState
from redeploy.settings.plan import HostPlan, Mode, OnFailure, Plan, RunPlan
from redeploy.verdicts import Reason, Verdict

if TYPE_CHECKING:  # few runs put images back
    from redeploy.rollback.attempt import Attempt


@dataclass
class Fleet:
    """Everything that is known about a run of several services, even if it is cut short. Times are monotonic seconds."""

    plan: RunPlan
    random: Callable[[], float]
    redact: Callable[[str], str] = str
    concluded: Callable[[ServiceState, Conclusion, float], RunResult] = result_of
    """Makes the result of a service that has ended."""
    hosts: list[HostWatch] = field(default_factory=list)
    """The hosts that were begun, in the order of the waves."""
    rolled_back: dict[str, RunResult] = field(default_factory=dict)
    """How services ended that were rolled back, by their keys."""
    attempts: "dict[str, Attempt]" = field(default_factory=dict)
    """Rollbacks under way, by the keys of the services."""

    def __post_init__(self) -> None:
        self._ends: dict[str, RunResult] = {}
        self.plan = lowest_rates(self.plan)
        first = self.plan.services[0]
        self._buckets = Buckets(
            first.rate,
            {origin: plan.rate for plan in self.plan.services for origin in plan.service_origins},
            shortages(self.plan),
        )

    @property
    def triggered(self) -> float | None:
        """When the first trigger of the run was sent."""
        sent = [host.trigger.triggered for host in self.hosts if host.trigger.triggered is not None]
        return min(sent, default=None)

    def run(self, outside: Outside, log: Log, under_way: Callable[[], None] = lambda: None) -> SeveralResults:
        """Update every service, wave after wave, and return the result."""
        for line in notes(self.plan):
            log.say(line)
        for number, wave in enumerate(self.plan.waves, 1):
            log.open_group(self._title(number, wave))
            loop = Loop(outside, log, under_way)
            loop.run([self._beginning(host) for host in wave], self.plan.max_parallel)
            if not all(is_green(self._ended(each)) for host in self.hosts for each in host.services):
                break
        if any(each.on_failure is OnFailure.ROLLBACK for each in self.plan.services):
            self._roll_back(self._results(outside.now()), outside, log)
        return self.result(outside.now())

    def _roll_back(self, outcomes: Mapping[str, RunResult], outside: Outside, log: Log) -> None:
        from redeploy.fleet.restore import Restorer  # few runs put images back

        Restorer(self.plan, outcomes, self.attempts, self.rolled_back, self.random, outside, log).roll_back(self.hosts)

    def result(self, now: float, cut: Conclusion | None = None, cause: str = "") -> SeveralResults:
        """Return the result so far; services that are still under way end with `cut`, because of `cause`."""
        return whole(self._results(now, cut, cause))

    def _results(self, now: float, cut: Conclusion | None = None, cause: str = "") -> dict[str, RunResult]:
        watched = {each.key: (host, each) for host in self.hosts for each in host.services}
        services: dict[str, RunResult] = {}
        for plan in self.plan.services:
            host, watch = watched.get(plan.key, (None, None))
            if cut and plan.key in self.attempts:
                from redeploy.rollback.collect import cut_short  # as above

                services[plan.key] = cut_short(self.attempts[plan.key], cut, now).caused_by(cause)
            elif plan.key in self.rolled_back:
                services[plan.key] = self.rolled_back[plan.key]
            elif host is None or watch is None:
                services[plan.key] = _not_reached(plan, cut).caused_by(cause)
            elif watch.conclusion is None:
                known = result_of(watch.state, cut or Conclusion(Verdict.UNPROVEN), now)
                services[plan.key] = known.caused_by(cause)
            else:
                services[plan.key] = _hindered(host, watch, self._ended(watch, hurried=cut is not None))
        return services

    def _ended(self, watch: ServiceWatch, *, hurried: bool = False) -> RunResult:
        if watch.conclusion is None:
            msg = "a service that is under way has no result"
            raise AssertionError(msg)
        if hurried and watch.key not in self._ends:
            return result_of(watch.state, watch.conclusion, watch.ended)
        if watch.key not in self._ends:
            self._ends[watch.key] = self.concluded(watch.state, watch.conclusion, watch.ended)
        return self._ends[watch.key]

    def _beginning(self, host: HostPlan) -> Callable[[float], HostWatch]:
        def begin(now: float) -> HostWatch:
            states = states_of(host, now, self._buckets, self.redact)
            self.hosts.append(HostWatch(states, self.random, several_hosts=len(self.plan.hosts) > 1))
            return self.hosts[-1]

        return begin

    def _title(self, number: int, wave: tuple[HostPlan, ...]) -> str:
        looks = "Look at what runs" if self.plan.mode is Mode.VERIFY else "Look at what runs before the trigger"
        if len(self.plan.hosts) == 1:
            return looks
        named = ", ".join(host.name for host in wave)
        return f"Wave {number} of {len(self.plan.waves)}: {named}" if len(self.plan.waves) > 1 else f"{looks}: {named}"


def _not_reached(plan: Plan, cut: Conclusion | None) -> RunResult:
    """Return the result of a service whose wave was not reached."""
    return RunResult(
        conclusion=cut or Conclusion(Verdict.NOT_STARTED, Reason.EARLIER_WAVE),
        service=plan.key,
        mode=plan.mode,
        url=plan.service.base_url,
        version=Change(expected=plan.expect_version),
        digest=Change(expected=plan.expect_digest),
    )


def _hindered(host: HostWatch, watch: ServiceWatch, run: RunResult) -> RunResult:
    """Return a service's result; if its host was not triggered because of another service, it names that one."""
    if not host.trigger.not_started or host.hindered_by in ("", watch.key):
        return run
    why = f"Nothing was triggered at this host because of {host.hindered_by}: one trigger updates all of its services."
    return replace(run, remedy=None).caused_by(why)
