"""Compares production with its branch at GitHub, once the service has shown which build is live."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from redeploy.branch.inquiry import Inquiry
from redeploy.branch.names import commit_of
from redeploy.branch.standing import Position, Standing
from redeploy.decision.verdict import conclude
from redeploy.github.deployment import place_of
from redeploy.github.runner import Runner
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.remedy import Remedy
from redeploy.report.build_names import live_commit
from redeploy.report.collect import result_of
from redeploy.report.facts import About
from redeploy.report.results import RunResult
from redeploy.report.summary import Repository
from redeploy.rollout.assess import Assessment
from redeploy.rollout.service_state import ServiceState
from redeploy.rollout.workers import side_by_side
from redeploy.settings.inputs import CERTIFICATE_CAP
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason, Verdict

RESPONSE_CAP = 16 * 1024 * 1024
"""Bytes of a response; a comparison has the changes of up to 300 files."""

NOWHERE = (
    "GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_SHA do not say which repository has the branch. A runner sets them for "
    "every step."
)
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


def compared(
    state: ServiceState,
    environment: Mapping[str, str],
    runner: Runner,
    now: float,
    *,
    wall: Callable[[], float],
    pause: Callable[[float], None],
) -> RunResult:
    """Compare what is live with its branch, and return the result of a run in mode verify whose window has held.

    Args:
        state: the state of the run.
        environment: the runner's variables.
        runner: where the run writes.
        now: the present, in monotonic seconds.
        wall: our clock, in seconds since 1970.
        pause: waits for so many seconds.
    """
    runner.open_group(f"Compare what is live with the branch {state.plan.branch}")
    certificate = _own_authority(environment, runner)
    position = position_of(state, environment, certificate=certificate, wall=wall, pause=pause)
    runner.say(position.sentence)
    known = replace(Assessment(state).facts(now), branch=position.standing)
    return beside_branch(result_of(state, conclude(known), now), position)


def _own_authority(environment: Mapping[str, str], runner: Runner) -> str:
    """Return the PEM text that `REQUESTS_CA_BUNDLE` adds for a GitHub Enterprise Server; empty if there is none."""
    path = environment.get("REQUESTS_CA_BUNDLE", "")
    try:
        return runner.read_workspace(path, CERTIFICATE_CAP) if path else ""
    except ValueError:
        return ""


def position_of(
    state: ServiceState,
    environment: Mapping[str, str],
    *,
    certificate: str,
    wall: Callable[[], float],
    pause: Callable[[float], None],
) -> Position:
    """Return where the live build is compared with the branch that the inputs name.

    Args:
        state: a run in mode verify whose window has held.
        environment: the runner's variables, which say where GitHub is.
        certificate: PEM text of one more authority that GitHub's certificate may be signed by; empty for none.
        wall: our clock, in seconds since 1970.
        pause: waits for so many seconds.
    """
    from redeploy.http.client import Http  # loads requests, which reading the inputs must not need

    plan, place = state.plan, place_of(environment)
    live = live_commit(state)
    if live.unclear:
        return Position(standing=Standing.UNNAMED, branch=plan.branch, why=live.unclear)
    if place is None:
        return Position(standing=Standing.UNKNOWN, branch=plan.branch, live=live.version, why=NOWHERE)
    http, bound = Http(headers={}, origins=frozenset(), ca_certificate=certificate), plan.request_timeout

    def get(url: str) -> HttpResult:
        def send() -> HttpResult:
            return http.fetch(
                "GET",
                url,
                cap=RESPONSE_CAP,
                timeout=bound,
                connect=bound,
                token=plan.github_token,
                headers=_HEADERS,
                follow=True,
            )

        return side_by_side({url: (send, bound)}).get(url, TransportError(ErrorKind.TIMED_OUT))

    inquiry = Inquiry(
        get=get,
        repository=f"{place.api_url}/repos/{place.repository}",
        page=Repository.of(environment).url,
        wall=wall,
        pause=pause,
        redact=state.redact,
    )
    return inquiry.position(live.version, plan.branch, plan.grace)


def beside_branch(run: RunResult, position: Position) -> RunResult:
    """Return a result with what is known of the branch."""
    facts, standing = run.facts, position.standing
    if standing is Standing.CURRENT:
        facts = facts.plus(About.EVIDENCE, f"GitHub confirms it: {position.sentence[0].lower()}{position.sentence[1:]}")
    elif standing is Standing.WITHIN_GRACE:
        facts = facts.plus(About.NOTE, position.sentence)
    elif run.conclusion.verdict is Verdict.CHECKS_FAILED:
        facts = facts.plus(About.WARNING, position.sentence)  # the checks decide, and this would be lost
    else:
        facts = facts.caused_by(position.sentence)
    version = run.version
    return replace(
        run,
        facts=facts,
        branch=position,
        version=replace(version, live=position.live or version.live, expected=position.head or version.expected),
        remedy=_remedy(run.conclusion.reason, position) or run.remedy,
    )


def _remedy(reason: Reason, position: Position) -> Remedy | None:
    """Return what to do, if the branch is the problem."""
    own, branch = REMEDIES.get(reason), code(position.branch)
    match position.standing:
        case Standing.BEHIND if own:
            return replace(own, headline=f"Production is {position.lag} behind {branch}")
        case Standing.UNKNOWN if own and reason is Reason.NO_REFERENCE:
            return replace(own, headline=f"Whether production is behind {branch} is not known")
        case Standing.ELSEWHERE:
            return Remedy(
                f"The live build is not a commit of {branch}",
                "Another branch was deployed, the image was built from a commit that was never pushed or was removed "
                "by a forced push, or the version that the service reports is not its commit.",
                "Deploy the branch again, or name the branch that production follows: `expect-version: branch:release`. "
                "The image takes its commit from the build: `build-args: GIT_SHA=${{ github.sha }}`.",
            )
        case Standing.UNNAMED if commit_of(position.live):
            return Remedy(
                f"The repository has no branch {branch}",
                "The name in `expect-version` is misspelled, or the branch was deleted or renamed.",
                "Write the name as `git branch --remotes` shows it, without `origin/`: `expect-version: branch:main`.",
            )
        case Standing.UNNAMED:
            return Remedy(
                "The service does not name the commit that it was built from",
                "A branch can only be compared with a commit of 7 to 40 hexadecimal digits, and none was found where the "
                "version was looked for.",
                "Build the commit into the image (`build-args: GIT_SHA=${{ github.sha }}`) and say where the service names "
                "it, for example `version-path: /api/status` with `version-field: git_sha`. Look for yourself:\n\n```sh\n"
                "curl -sSi '«version»'\n```",
            )
    return None
