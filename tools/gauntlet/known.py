"""Wrong results of the action with a known reason: no request that it could send would have shown the truth."""

from dataclasses import dataclass

from tools.gauntlet.choice import Setup
from tools.gauntlet.simulated import Result
from tools.gauntlet.trials import Trial


@dataclass(frozen=True)
class Limit:
    """A wrong result, and the reason for it."""

    ends: str
    """Verdict and reason, as in the outputs."""
    why: str


FAILED_NEIGHBOUR = Limit(
    "trigger-failed/update-failed",
    "Watchtower reports that one of two updates failed, and not which; where the step declares nothing, the failure is "
    "believed.",
)
UNCOUNTED = Limit(
    "unhealthy/flapping",
    "Without a location of its own, the request for running containers counts against nginx's limit for the service, and "
    "the action does not count it: a later request was refused, and `timeout` left no time for another window.",
)
UNSEEN = Limit(
    "trigger-failed/no-answer",
    "Watchtower's response was lost, nothing names a build, and the old build made room for the new one between two looks: "
    "nothing showed that anything had happened.",
)
LATE = Limit(
    "unhealthy/flapping",
    "One of the requests that failed by chance came so late that no window could follow before `timeout`.",
)


def limit_of_trial(setup: Setup, trial: Trial) -> Limit | None:
    """Return why a trial of the action ended wrongly, if that is known."""
    limited = any(kind.name == "request-limit" for kind in setup.kinds)
    if trial.false_red and limited and trial.end.ending == UNCOUNTED.ends:
        return UNCOUNTED
    beside_a_failure = not setup.declares and any(kind.name == "partial" for kind in setup.kinds)
    fits = trial.false_red and beside_a_failure and trial.end.ending == FAILED_NEIGHBOUR.ends
    return FAILED_NEIGHBOUR if fits else None


def limit_of_result(result: Result) -> Limit | None:
    """Return the same for a simulated run."""
    if not result.false_red:
        return None
    if result.ending == UNSEEN.ends and not result.shown:
        return UNSEEN
    return LATE if result.ending == LATE.ends and result.late else None
