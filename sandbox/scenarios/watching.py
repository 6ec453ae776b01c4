"""Scenarios that watch production: whether the live build is the head of its branch."""

from collections.abc import Callable
from dataclasses import replace

from sandbox.network.commits import Commit, History, line
from sandbox.network.github import BAD_GATEWAY, NO_PERMISSION, Mishap
from sandbox.scenarios.scenario import DECLARED, VERIFY, Earlier, story
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

TITLE = "Production is not what main is"
_ISSUE = {**BRANCH, "grace": "90m", "issue-on-failure": TITLE}


def _deployed(world: World) -> None:
    """Run the missing deploy."""
    world.host.service.replace(replace(V2, boot=0.0), grace=1.0, gap=0.0)
    world.host.service.wait_until_listening(10)


def _gone(world: World) -> None:
    world.host.service.stop(0.0)


SCENARIOS = (
    story(
        "behind",
        "Production is behind its branch",
        "Three commits of main are not live, the oldest for more than two hours; the summary links to each of them.",
    )
    .plays(_LIVE, BRANCH, grace="90m")
    .ends(
        "stale",
        "behind",
        result="none",
        triggers=0,
        says=("Production is 3 commits and 2 h 10 min behind `main`", "Cache the answers of the search", "/compare/"),
        shown=("### Not live yet", "Offer the search as an endpoint"),
        outputs={"version": V1.git_sha},
    ),
    story(
        "behind-within-grace",
        "Production is behind, but within the grace period",
        "The deploy of the last commit may still be under way, so there is a notice and no failure.",
    )
    .plays(replace(_LIVE, finish=_main(*_ONLY_V2)), BRANCH, grace="90m")
    .ends(
        "verified",
        proof="version",
        result="none",
        triggers=0,
        says=("1 commit and 20 min behind `main`", "`grace` allows 1 h 30 min"),
    ),
    story(
        "branch-live",
        "The head of the branch is live",
        "GitHub compares the commit that the service names with the branch.",
    )
    .plays(Scene(before=replace(V2, boot=0.0), pushed=None, finish=_main(*_MAIN)), BRANCH, require_proof="version")
    .ends(
        "verified",
        proof="version",
        result="none",
        triggers=0,
        unremarked=True,
        shown=("The head of `main` is live and healthy",),
    ),
    story(
        "branch-other-build",
        "The live build is not a commit of the branch",
        "The run checks again after five seconds, because the branch may just have moved.",
    )
    .plays(
        Scene(
            before=replace(V3, boot=0.0),
            pushed=None,
            finish=_main(*_MAIN, *line(Commit(V3.git_sha, "A hotfix by hand", _HOUR), after=V1.git_sha), *_MAIN[-1:]),
        ),
        BRANCH,
    )
    .ends("wrong-build", "wrong-version", result="none", triggers=0, says=("each has commits that the other lacks",)),
    story("branch-misspelled", "The branch does not exist", "GitHub responds 404 for it, but knows the repository.")
    .plays(_LIVE, BRANCH, expect_version="branch:mian")
    .ends(
        "wrong-build", "version-unavailable", result="none", triggers=0, says=("The repository has no branch `mian`.",)
    ),
    story(
        "branch-unreadable",
        "The token may not read the repository",
        "That is not an alarm: the run succeeds with a warning that has the block to paste.",
    )
    .plays(replace(_LIVE, github={"branch": [Mishap(NO_PERMISSION)]}), BRANCH)
    .ends(
        "unproven",
        "no-reference",
        result="none",
        triggers=0,
        says=("contents: read", "Resource not accessible by integration"),
    ),
    story(
        "branch-unknown-and-proof-required",
        "GitHub fails where a proof is required",
        "Without a response there is no proof, so the run fails because of `require-proof`.",
    )
    .plays(replace(_LIVE, github={"compare": [Mishap(BAD_GATEWAY)]}), BRANCH, require_proof="version")
    .ends("unproven", "no-reference", exit_code=1, result="none", triggers=0, says=("GitHub failed (502)",)),
    story("branch-hangs", "GitHub does not respond", "The run waits for it no longer than `request-timeout`.")
    .plays(replace(_LIVE, github={"branch": [Mishap(after=60.0, only_slow=True)]}), BRANCH)
    .ends("unproven", "no-reference", result="none", triggers=0, says=("no response came in time",)),
    story(
        "branch-live-and-smoke-fails",
        "The head of the branch is live, and a check fails",
        "With the right build live, the checks decide.",
    )
    .plays(Scene(before=replace(V2, boot=0.0), pushed=None, finish=_main(*_MAIN)), BRANCH, smoke="GET /nowhere")
    .ends("checks-failed", "smoke", result="none", triggers=0, failed=("smoke GET /nowhere",)),
    story(
        "issue-opens",
        "A failed run opens an issue",
        "The issue says what is wrong, since when, what was expected, what is live and what to do.",
    )
    .plays(_LIVE, _ISSUE)
    .ends("stale", "behind", result="none", triggers=0, issues=(("open", 0),)),
    story(
        "issue-opens-and-closes",
        "A failed run opens an issue, and the next successful one closes it",
        "Production is behind in two runs, the service is down in the third, and then a deploy fixes it.",
    )
    .plays(_LIVE, _ISSUE)
    .ends(
        "verified",
        proof="version",
        result="none",
        triggers=0,
        earlier=(
            Earlier(_ISSUE),
            Earlier(_ISSUE, then=_gone),
            Earlier({**_ISSUE, "timeout": "2s"}, then=_deployed),
        ),
        issues=(("closed", 2),),
    ),
    story(
        "issue-forbidden",
        "The token may not write issues",
        "The verdict stays the same, and a warning has the block to paste.",
    )
    .plays(replace(_LIVE, github={"open": [Mishap(NO_PERMISSION)]}), _ISSUE)
    .ends("stale", "behind", result="none", triggers=0, says=("permissions:\n  issues: write",)),
    story(
        "issue-not-opened",
        "A successful run without proof changes no issue",
        "GitHub does not report the branch, so the run neither opens nor closes an issue.",
    )
    .plays(replace(_LIVE, github={"branch": [Mishap(BAD_GATEWAY)]}), _ISSUE)
    .ends("unproven", "no-reference", result="none", triggers=0),
    story(
        "issue-of-a-deploy",
        "A failed deploy opens an issue",
        "The build never becomes ready, and the deploy job says so in an issue.",
    )
    .plays(Scene(pushed=replace(V2, readiness="never")), DECLARED, timeout="5s", issue_on_failure="The deploy failed")
    .ends("unhealthy", "never-ready", result="updated", issues=(("open", 0),)),
)
