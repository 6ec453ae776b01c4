"""The rollback of several services: an image reference goes back, with every service that was updated to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from redeploy.decision.verdict import Conclusion
from redeploy.fleet.loop import Loop
from redeploy.fleet.watches import HostWatch, ServiceWatch
from redeploy.report.results import RunResult
from redeploy.report.several.whole import is_green
from redeploy.rollback.attempt import Attempt
from redeploy.rollback.collect import of_deploy, untried
from redeploy.rollback.policy import PROVEN, Seen, hindrance
from redeploy.rollback.run import confirm, restore
from redeploy.rollout.run import Log, Outside
from redeploy.settings.plan import OnFailure, RunPlan
from redeploy.text.untrusted import code
from redeploy.triggers.trigger_state import TriggerState

DIFFERED = (
    "its hosts ran different digests of it before, and one reference can point to only one of them; put the image back on "
    "each host by hand, or name the one for all of them with `rollback-to`"
)


@dataclass
class Member:
    """A service that is rolled back."""

    watch: ServiceWatch
    deploy: RunResult
    """How its deploy ended."""
    attempt: Attempt


@dataclass
class Restorer:
    """Rolls back what failed in one run."""

    plan: RunPlan
    outcomes: Mapping[str, RunResult]
    """How each service ended, by its key."""
    attempts: dict[str, Attempt]
    """Attempts under way, by the keys of the services; filled here, so that they are known if the run is cut short."""
    rolled_back: dict[str, RunResult]
    """How services ended that were handled here; filled here as well."""
    random: Callable[[], float]
    outside: Outside
    log: Log

    def roll_back(self, hosts: Sequence[HostWatch]) -> None:
        """Put back one image reference after the other, in the order of the services."""
        watches = {each.key: each for host in hosts for each in host.services}
        found = self.rolled_back
        handled: set[str] = set()
        for key, watch in watches.items():
            if watch.state.plan.on_failure is not OnFailure.ROLLBACK or key in found:
                continue
            deploy = self.outcomes[key]
            failed = not is_green(deploy)
            why = hindrance(deploy.conclusion, Seen.of(watch.state, watch.ended)) if failed else "nothing failed"
            reference = _reference(watch)
            if why or reference in handled:
                found[key] = untried(deploy, watch.state, why or f"{code(reference)} was put back already")
                continue
            handled.add(reference)
            attempt = Attempt.after(watch.state, deploy)
            cause = Member(watch, deploy, attempt)
            others = [
                Member(each, self.outcomes[each.key], Attempt.after(each.state, self.outcomes[each.key]))
                for each in watches.values()
                if each is not watch and _reference(each) == reference and Seen.of(each.state, each.ended).replaced
            ]
            found |= self._put_back(cause, others)

    def _put_back(self, cause: Member, others: Sequence[Member]) -> dict[str, RunResult]:
        """Put one reference back: one write, then one trigger for each host concerned, the last wave first."""
        attempt, group = cause.attempt, (cause, *others)
        self.attempts |= {each.watch.key: each.attempt for each in group}
        if _differed(group) and not attempt.plan.rollback_to:
            attempt.stop(DIFFERED)
        settled = restore(attempt, self.outside, self.log)
        for each in others if settled else ():
            each.attempt.follow(attempt)
        backs = self._prove(group) if settled else {}
        if any(back.verdict in PROVEN for back in backs.values()):
            confirm(attempt, self.outside)
            for each in others:
                each.attempt.lost = attempt.lost
        now = self.outside.now()
        for each in group:
            self.attempts.pop(each.watch.key)
        return {
            each.watch.key: of_deploy(_caused(each, cause), each.attempt, backs.get(each.watch.key), now)
            for each in (group if settled else (cause,))
        }

    def _prove(self, group: Sequence[Member]) -> dict[str, Conclusion]:
        """Trigger each host of the group and watch its services, the last wave first; return how they ended."""
        backs: dict[str, Conclusion] = {}
        for wave in reversed(self.plan.waves):
            by_host = [[each for each in group if each.watch.state.plan.host == host.name] for host in wave]
            begins = [self._beginning(members) for members in by_host if members]
            for host in Loop(self.outside, self.log).run(begins, self.plan.max_parallel):
                backs |= {each.key: each.conclusion for each in host.services if each.conclusion}
        return backs

    def _beginning(self, members: Sequence[Member]) -> Callable[[float], HostWatch]:
        def begin(now: float) -> HostWatch:
            trigger = TriggerState(kind=members[0].watch.state.trigger.kind)
            states = [each.attempt.prove(now, trigger) for each in members]
            return HostWatch(states, self.random, several_hosts=len(self.plan.hosts) > 1)

        return begin


def _caused(member: Member, cause: Member) -> RunResult:
    """Return how a service's deploy ended; a green one is rolled back for the reason of the one that failed."""
    if not is_green(member.deploy):
        return member.deploy
    failed, own = cause.deploy.conclusion, member.deploy.conclusion
    other = f"{code(cause.watch.key)}, which uses the same image"
    went_back = member.deploy.caused_by(f"Its own deploy ended {code(own.verdict)}; it went back with {other}.")
    return replace(went_back, conclusion=replace(failed, proof=own.proof))


def _differed(group: Sequence[Member]) -> bool:
    """Return whether the services of a reference ran different images before."""
    manifests, digests = group[0].watch.state.running.manifests, [each.watch.state.running.before for each in group]
    known = [each for each in digests if each]
    return any(not manifests.same_image(known[0], each) for each in known[1:])


def _reference(watch: ServiceWatch) -> str:
    image = watch.state.plan.image
    return "" if image is None else str(image.under(image.tag))
