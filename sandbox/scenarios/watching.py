"""Stories of production that is watched: whether what is live is the head of its branch."""

from collections.abc import Callable
from dataclasses import replace

from sandbox.network.commits import Commit, History, line
from sandbox.network.github import BAD_GATEWAY, NO_PERMISSION, Mishap
from sandbox.scenarios.scenario import VERIFY, Scenario
from sandbox.server.builds import V1, V2, V3
from sandbox.worlds import Scene, World

_MINUTE, _HOUR = 60.0, 3600.0
_MAIN = line(
    Commit(V1.git_sha, "Release the new front page", 26 * _HOUR),
    Commit("2f6c1d9a" * 5, "Cache the answers of the search (#71)", 130 * _MINUTE),
    Commit("7be0c4f3" * 5, "Show when a project was last changed", 75 * _MINUTE),
    Commit(V2.git_sha, "Offer the search as an endpoint", 20 * _MINUTE),
)
_ONLY_V2 = line(Commit(V1.git_sha, "Release", 26 * _HOUR), Commit(V2.git_sha, "Offer the search", 20 * _MINUTE))


def _main(*commits: Commit) -> Callable[[World], None]:
    def push(world: World) -> None:
        world.github.history = History(commits, {"main": commits[-1].sha})

    return push


_LIVE = Scene(pushed=None, finish=_main(*_MAIN))
BRANCH = {**VERIFY, "expect-version": "branch:main", "openapi-path": "off"}

SCENARIOS = (
    Scenario(
        "behind",
        "Production is behind its branch",
        "Three commits of main are not live, the oldest for more than two hours; the summary links each of them.",
        _LIVE,
        {**BRANCH, "grace": "90m"},
        "stale",
        "behind",
        result="none",
        triggers=0,
        says=("Production is 3 commits and 2 h 10 min behind `main`", "Cache the answers of the search", "/compare/"),
        shown=("### Not live yet", "Offer the search as an endpoint"),
        outputs={"version": V1.git_sha},
    ),
    Scenario(
        "behind-within-grace",
        "Production is behind, and may be for a while",
        "The deploy of the last commit may still be under way, so there is a notice and no alarm.",
        replace(_LIVE, finish=_main(*_ONLY_V2)),
        {**BRANCH, "grace": "90m"},
        "verified",
        proof="version",
        result="none",
        triggers=0,
        says=("1 commit and 20 min behind `main`", "`grace` allows 1 h 30 min"),
    ),
    Scenario(
        "branch-live",
        "The head of the branch is live",
        "GitHub compares the commit that the service names with the branch.",
        Scene(before=replace(V2, boot=0.0), pushed=None, finish=_main(*_MAIN)),
        {**BRANCH, "require-proof": "version"},
        "verified",
        proof="version",
        result="none",
        triggers=0,
        unremarked=True,
        shown=("The head of `main` is live and healthy",),
    ),
    Scenario(
        "branch-other-build",
        "What is live is not a commit of the branch",
        "It is looked at once more after five seconds, since the branch may just have moved.",
        Scene(
            before=replace(V3, boot=0.0),
            pushed=None,
            finish=_main(*_MAIN, *line(Commit(V3.git_sha, "A hotfix by hand", _HOUR), after=V1.git_sha), *_MAIN[-1:]),
        ),
        BRANCH,
        "wrong-build",
        "wrong-version",
        result="none",
        triggers=0,
        says=("both have commits that the other lacks",),
    ),
    Scenario(
        "branch-misspelled",
        "The branch does not exist",
        "GitHub answers 404 for it, and knows the repository.",
        _LIVE,
        {**BRANCH, "expect-version": "branch:mian"},
        "wrong-build",
        "version-unavailable",
        result="none",
        triggers=0,
        says=("The repository has no branch `mian`.",),
    ),
    Scenario(
        "branch-unreadable",
        "The token may not read the repository",
        "That is no alarm: the run is green with a warning that has the block to paste.",
        replace(_LIVE, github={"branch": [Mishap(NO_PERMISSION)]}),
        BRANCH,
        "unproven",
        "no-reference",
        result="none",
        triggers=0,
        says=("contents: read", "Resource not accessible by integration"),
    ),
    Scenario(
        "branch-unknown-and-proof-required",
        "GitHub fails where a proof is required",
        "Without an answer there is no proof, so the run is as red as `require-proof` asks for.",
        replace(_LIVE, github={"compare": [Mishap(BAD_GATEWAY)]}),
        {**BRANCH, "require-proof": "version"},
        "unproven",
        "no-reference",
        exit_code=1,
        result="none",
        triggers=0,
        says=("GitHub failed (502)",),
    ),
    Scenario(
        "branch-hangs",
        "GitHub does not answer",
        "The run waits for it no longer than `request-timeout`.",
        replace(_LIVE, github={"branch": [Mishap(after=60.0, only_slow=True)]}),
        BRANCH,
        "unproven",
        "no-reference",
        result="none",
        triggers=0,
        says=("no answer came in time",),
    ),
    Scenario(
        "branch-live-and-smoke-fails",
        "The head of the branch is live, and a check fails",
        "Checks decide where the build is the right one.",
        Scene(before=replace(V2, boot=0.0), pushed=None, finish=_main(*_MAIN)),
        {**BRANCH, "smoke": "GET /nowhere"},
        "checks-failed",
        "smoke",
        result="none",
        triggers=0,
        failed=("smoke GET /nowhere",),
    ),
)
