"""Comparing production with a branch on GitHub, over real sockets: all responses, refusals, and a time-out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from redeploy.branch.standing import Position, Standing
from redeploy.github.branch import position_of
from redeploy.rollout.service_state import ServiceState
from sandbox.network.commits import Commit, History, line, sha_of
from sandbox.network.front import Answer
from sandbox.network.github import BAD_GATEWAY, NO_PERMISSION, NOT_FOUND, GitHub, Mishap, Mishaps, problem, unicorn
from sandbox.simulation import BASE
from tests import schema_checks
from tests.unit.factories import Run, ready

LIVE, FIX, HEAD, OTHER, OWN = map(sha_of, ("live", "fix", "head", "other", "own"))
HOUR = 3600.0
MAIN = line(
    Commit(LIVE, "Release", 20 * HOUR), Commit(FIX, "Fix the search", 2 * HOUR + 600), Commit(HEAD, "Add a page", HOUR)
)
HISTORY = History(
    (*MAIN, *line(Commit(OWN, "A hotfix", HOUR), after=LIVE), Commit(OTHER, "Another root", HOUR)),
    {"main": HEAD, "at-live": LIVE, "hotfix": OWN, "orphan": OTHER, "feature/x": HEAD},
)
LIMITED = problem(403, "API rate limit exceeded", ("X-RateLimit-Remaining", "0"))
SECONDARY = problem(403, "You have exceeded a secondary rate limit", ("Retry-After", "60"))
TOKEN = "ghs_0123456789abcdef"


@dataclass
class Asked:
    """The result of one comparison."""

    position: Position
    github: GitHub
    paused: list[float] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        return [each.target.partition("/repos/o/r")[2] for each in self.github.seen]


Ask = Callable[..., Asked]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Ask a GitHub server of the test's own; all requests and responses are then checked against the API description."""
    started: list[GitHub] = []

    def asking(
        mishaps: Mishaps | None = None,
        *,
        live: str = LIVE,
        branch: str = "main",
        grace: str = "0s",
        history: History = HISTORY,
        then: Callable[[GitHub], object] = lambda _: None,
    ) -> Asked:
        github = GitHub(mishaps)
        github.history = history
        github.listen()
        started.append(github)
        paused: list[float] = []

        def pause(seconds: float) -> None:
            paused.append(seconds)
            then(github)

        position = position_of(
            state(live, branch, grace), environment(github.api_url), certificate="", wall=time.time, pause=pause
        )
        return Asked(position, github, paused)

    yield asking
    for one in started:
        one.close()
        schema_checks.check(one)


def state(live: str, branch: str, grace: str) -> ServiceState:
    """A service that names this build."""
    run = Run(
        mode="verify",
        base_url=BASE,
        expect_version=f"branch:{branch}",
        grace=grace,
        github_token=TOKEN,
        request_timeout="1s",
    )
    return run.look(0.1, ready(live) if live else ready()).state


def environment(api_url: str) -> dict[str, str]:
    return {
        "GITHUB_API_URL": api_url,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SHA": HEAD,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "7",
    }


def test_the_head_of_the_branch_is_live(ask: Ask) -> None:
    asked = ask(live=HEAD)
    assert asked.position.standing is Standing.CURRENT
    assert asked.targets == ["/branches/main", f"/compare/{HEAD}...main"]
    for request in asked.github.seen:
        assert request.header("Authorization") == f"Bearer {TOKEN}"
        assert request.header("Accept") == "application/vnd.github+json"


def test_a_short_commit_sha_is_enough(ask: Ask) -> None:
    assert ask(live=HEAD[:7]).position.standing is Standing.CURRENT


@pytest.mark.parametrize(
    ("grace", "standing"), [("0s", Standing.BEHIND), ("2h", Standing.BEHIND), ("3h", Standing.WITHIN_GRACE)]
)
def test_production_is_behind(grace: str, standing: Standing, ask: Ask) -> None:
    position = ask(grace=grace).position
    assert (position.standing, position.missing, position.lag) == (standing, 2, "2 commits and 2 h 10 min")
    assert [each.subject for each in position.commits] == ["Add a page", "Fix the search"]
    assert position.url == f"https://github.example/o/r/compare/{LIVE}...main"


def test_a_branch_with_a_slash_in_its_name(ask: Ask) -> None:
    asked = ask(branch="feature/x")
    assert asked.position.standing is Standing.BEHIND
    assert asked.targets == ["/branches/feature/x", f"/compare/{LIVE}...feature/x"]


@pytest.mark.parametrize(("live", "branch"), [(HEAD, "at-live"), (HEAD, "hotfix"), (OWN, "main")])
def test_a_commit_that_the_branch_lacks_is_looked_up_once_more(live: str, branch: str, ask: Ask) -> None:
    asked = ask(live=live, branch=branch)
    assert asked.position.standing is Standing.ELSEWHERE
    assert asked.paused == [5.0]
    assert len(asked.targets) == 3


def test_a_branch_that_has_just_moved_is_no_failure(ask: Ask) -> None:
    moving = History(HISTORY.commits, {"main": LIVE})
    asked = ask(live=HEAD, history=moving, then=lambda _: moving.branches.update(main=HEAD))
    assert asked.position.standing is Standing.CURRENT


@pytest.mark.parametrize(
    ("live", "branch", "says"),
    [
        pytest.param(sha_of("never pushed"), "main", "does not have", id="unknown"),
        pytest.param(LIVE, "orphan", "No common ancestor", id="no common ancestor"),
    ],
)
def test_a_commit_that_cannot_be_compared(live: str, branch: str, says: str, ask: Ask) -> None:
    asked = ask(live=live, branch=branch)
    assert asked.position.standing is Standing.ELSEWHERE
    assert says in asked.position.sentence
    assert asked.paused == []


def test_a_version_that_is_a_prefix_of_two_commits(ask: Ask) -> None:
    twins = line(Commit("abcdef1" + "0" * 33), Commit("abcdef1" + "1" * 33))
    asked = ask(live="abcdef1", history=History(twins, {"main": twins[-1].sha}))
    assert asked.position.standing is Standing.ELSEWHERE
    assert "the beginning of several" in asked.position.sentence


def test_a_version_that_is_also_the_name_of_a_branch_is_not_a_commit(ask: Ask) -> None:
    asked = ask(live="deadbeef", history=History(MAIN, {"main": HEAD, "deadbeef": LIVE}))
    assert asked.position.standing is Standing.ELSEWHERE
    assert "does not read `deadbeef` as a commit" in asked.position.sentence


@pytest.mark.parametrize(("live", "says"), [("1.4.2", "`1.4.2`, which is not a commit"), ("", "names no version")])
def test_without_a_commit_github_is_not_asked(live: str, says: str, ask: Ask) -> None:
    asked = ask(live=live)
    assert asked.position.standing is Standing.UNNAMED
    assert says in asked.position.sentence
    assert asked.github.seen == []


def test_a_branch_that_does_not_exist(ask: Ask) -> None:
    asked = ask(branch="mian")
    assert asked.position.standing is Standing.UNNAMED
    assert asked.position.sentence == "The repository has no branch `mian`."
    assert asked.targets == ["/branches/mian", ""]


def test_a_repository_that_the_token_may_not_read(ask: Ask) -> None:
    asked = ask({"branch": [Mishap(NOT_FOUND)], "repository": [Mishap(NOT_FOUND)]})
    assert asked.position.standing is Standing.UNKNOWN
    assert "lacks the right to read the repository" in asked.position.sentence


@pytest.mark.parametrize("kind", ["branch", "compare"])
@pytest.mark.parametrize(
    ("mishap", "says"),
    [
        pytest.param(Mishap(NO_PERMISSION), "Resource not accessible by integration", id="403"),
        pytest.param(Mishap(problem(401, "Bad credentials")), "401 `Bad credentials`", id="401"),
        pytest.param(Mishap(LIMITED), "rate limit", id="rate limit"),
        pytest.param(Mishap(SECONDARY), "rate limit", id="secondary rate limit"),
        pytest.param(
            Mishap(problem(403, "API rate limit exceeded for o")), "GitHub's rate limit", id="named in the message"
        ),
        pytest.param(Mishap(problem(429, "Too many")), "rate limit", id="429"),
        pytest.param(Mishap(BAD_GATEWAY), "502", id="502"),
        pytest.param(Mishap(unicorn(500)), "500", id="500"),
        pytest.param(Mishap(), "closed without a response", id="cut"),
        pytest.param(Mishap(after=30.0, only_slow=True), "no response came in time", id="hangs"),
        pytest.param(Mishap(Answer(200, b"<html>hello</html>")), "which its API does not document", id="a web page"),
        pytest.param(
            Mishap(Answer(200, b"[" * 999, "application/json")), "its API does not document", id="nested deeply"
        ),
    ],
)
def test_a_failure_at_github_is_never_a_failed_run(kind: str, mishap: Mishap, says: str, ask: Ask) -> None:
    asked = ask({kind: [mishap]})
    assert asked.position.standing is Standing.UNKNOWN
    assert says in asked.position.sentence
    assert TOKEN not in asked.position.sentence


def many(number: int, page_size: int = 250) -> History:
    commits = line(
        Commit(LIVE, "Release", 900_000),
        *(Commit(sha_of(f"{each}"), f"{each}", 100_000 - each) for each in range(number)),
    )
    return History(commits, {"main": commits[-1].sha}, page_size)


@pytest.mark.parametrize(("number", "standing"), [(250, Standing.WITHIN_GRACE), (251, Standing.BEHIND)])
def test_250_commits_fit_into_one_response_and_more_are_too_many(number: int, standing: Standing, ask: Ask) -> None:
    asked = ask(history=many(number), grace="30d")
    assert (asked.position.standing, asked.position.missing) == (standing, number)
    assert len(asked.targets) == 2


@pytest.mark.parametrize(("number", "calls", "age"), [(150, 3, "1 d 3 h"), (200, 3, "1 d 3 h"), (250, 4, "1 d 3 h")])
def test_the_next_pages_are_requested_from_a_server_with_smaller_pages(
    number: int, calls: int, age: str, ask: Ask
) -> None:
    asked = ask(history=many(number, page_size=100), grace="30d")
    assert asked.position.standing is Standing.WITHIN_GRACE
    assert asked.position.lag == f"{number} commits and {age}"
    assert len(asked.targets) == calls


def test_no_more_than_four_requests_are_sent(ask: Ask) -> None:
    slow = many(240, page_size=30)
    asked = ask(history=slow, grace="30d")
    assert len(asked.targets) == 4
    assert asked.position.at_least


def test_the_token_is_not_sent_to_another_server_for_the_next_page(ask: Ask) -> None:
    elsewhere = many(150, page_size=100)
    compare = elsewhere.compare

    def misled(base: str, head: str, query: object, api_url: str) -> object:
        found = compare(base, head, query, api_url)  # type: ignore[arg-type]
        return type(found)(found.document, "", '<http://127.0.0.2:9/next>; rel="next"')

    elsewhere.compare = misled  # type: ignore[method-assign,assignment]
    asked = ask(history=elsewhere, grace="30d")
    assert len(asked.targets) == 2
    assert asked.position.at_least


def test_outside_a_runner_there_is_no_repository_to_ask_about() -> None:
    position = position_of(state(LIVE, "main", "0s"), {}, certificate="", wall=time.time, pause=time.sleep)
    assert position.standing is Standing.UNKNOWN
    assert "GITHUB_REPOSITORY" in position.sentence
