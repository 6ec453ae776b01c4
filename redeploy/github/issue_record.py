"""The issue of a run: opened by a failed one, closed by the next successful one, and never in the way of either."""

from collections.abc import Callable, Mapping

from redeploy.github.deployment import place_of
from redeploy.github.issue import Ending, ending_of, mark_of
from redeploy.github.issue_client import IssueClient, IssueReport
from redeploy.github.record import Channel
from redeploy.report.results import Result
from redeploy.settings.defaults import given
from redeploy.settings.plan import Plan

TITLE = "GitHub issue"
NOWHERE = (
    "No issue was opened or closed: GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_SHA are not set. A runner sets them "
    "for every step; outside of one, leave `issue-on-failure` empty."
)


def keep_issue(
    result: Result,
    plan: Plan,
    environment: Mapping[str, str],
    channel: Channel,
    *,
    hurried: Callable[[], bool],
    redact: Callable[[str], str],
    now: float,
) -> None:
    """Open, update or close the issue of a run that has ended; problems become warnings.

    Args:
        result: how the run ended.
        plan: what the inputs say.
        environment: the runner's variables.
        channel: where the run writes.
        hurried: says whether a signal has come.
        redact: hides secrets.
        now: our clock, in seconds since 1970.
    """
    ending, place = ending_of(result.conclusion), place_of(environment)
    if ending is Ending.NEITHER:
        return
    if place is None:
        channel.annotate("warning", TITLE, NOWHERE)
        return
    report = IssueReport(
        ending=ending,
        result=result,
        mark=mark_of(environment, plan.issue_on_failure, _about(environment, plan)),
        title=plan.issue_on_failure,
        why=f"{result.conclusion.verdict}/{result.conclusion.reason}",
        now=now,
    )
    kept = IssueClient(place, plan.github_token, redact).keep(report, hurried)
    if kept.did:
        channel.say(f"GitHub issue #{kept.number}: {kept.did}")
    if kept.warning:
        channel.annotate("warning", TITLE, kept.warning)


def _about(environment: Mapping[str, str], plan: Plan) -> tuple[str, ...]:
    """Return what a run is about: the config file and its services or, without a file, the service's address."""
    texts = given(environment)
    return (texts["config"], texts["services"]) if texts["config"] else (plan.service.base_url,)
