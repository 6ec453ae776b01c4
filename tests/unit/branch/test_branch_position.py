"""The position of production on its branch: GitHub's comparison, read and judged."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.branch import shown
from redeploy.branch.comparison import Commit, Comparison, Relation, behind_since, head_of, read
from redeploy.branch.names import check_branch, commit_of
from redeploy.branch.standing import Position, Standing, judged
from redeploy.report.build_names import live_commit
from redeploy.text.spans import counted, span
from sandbox.simulation import BASE
from tests.unit.factories import HEALTH, NEW, OLD, VERSION, Run, bare_problems, problems, ready, reply

NOW = 1_800_000_000.0
HOUR = 3600.0
HEAD = "f" * 40


def commit(name: str, ago: float, *parents: str, has_parents: bool = True) -> Commit:
    return Commit(name * 40, f"Change {name}", NOW - ago, tuple(each * 40 for each in parents) if has_parents else None)


def ahead(*commits: Commit, total: int = 0) -> Comparison:
    return Comparison(Relation.AHEAD, OLD, total or len(commits), commits)


def behind(commits: tuple[Commit, ...], head: str) -> float | None:
    since = behind_since(commits, head * 40, NOW)
    return None if since is None else NOW - since


# names


@pytest.mark.parametrize(
    ("version", "commit"),
    [
        ("1a2b3c4", "1a2b3c4"),
        ("sha-1A2B3C4", "1a2b3c4"),
        (f" {NEW} ", NEW),
        ("1a2b3c", ""),
        ("1.2.3", ""),
        ("a" * 41, ""),
        ("v1a2b3c4", ""),
        ("", ""),
        ("\uff11234567", ""),
    ],
)
def test_only_7_to_40_hexadecimal_digits_are_a_commit(version: str, commit: str) -> None:
    assert commit_of(version) == commit


@pytest.mark.parametrize("name", ["main", "release/2.x", "fix#12", "feature/päckchen", "a" * 255])
def test_a_branch_name_is_one_that_git_allows(name: str) -> None:
    check_branch(name)
    assert bare_problems(mode="verify", base_url=BASE, expect_version=f"branch:{name}", github_token="ghs_x") == {}


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "refs/heads/main",
        "a b",
        "a..b",
        "-a",
        "/a",
        "a/",
        "a//b",
        "a.lock",
        "a~1",
        "a:b",
        "a\u202eb",
        "a" * 256,
    ],
)
def test_an_invalid_branch_name_is_an_error(name: str) -> None:
    assert set(bare_problems(mode="verify", base_url=BASE, expect_version=f"branch:{name}", github_token="ghs_x")) == {
        "expect-version"
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90m", 5400), ("0s", 0), ("2d", 172_800), ("1d12h", 129_600), ("30d", 2_592_000), ("48h", 172_800)],
)
def test_grace_may_be_days(text: str, seconds: float) -> None:
    run = Run(mode="verify", base_url=BASE, expect_version="branch:main", github_token="ghs_x", grace=text)
    assert run.state.plan.grace == seconds


@pytest.mark.parametrize("text", ["31d", "d", "1d1d", "-1d", "1 d", "30d1s", "soon"])
def test_an_invalid_grace_is_an_error(text: str) -> None:
    given = {"mode": "verify", "base_url": BASE, "expect_version": "branch:main", "github_token": "ghs_x"}
    assert set(bare_problems(**given, grace=text)) == {"grace"}


def test_a_branch_is_for_mode_verify_and_needs_a_token_and_grace_needs_a_branch() -> None:
    assert set(problems(expect_version="branch:main", github_token="ghs_x")) == {"expect-version"}
    wrong = bare_problems(mode="verify", base_url=BASE, expect_version="branch:main")
    assert "`expect-version: branch:NAME` needs it" in wrong["github-token"]
    assert set(bare_problems(mode="verify", base_url=BASE, grace="90m")) == {"grace"}


# the comparison


def test_the_age_is_that_of_the_oldest_missing_commit_along_first_parents() -> None:
    merged_late = (commit("a", 90 * HOUR, "1"), commit("b", 3 * HOUR, "1"), commit("c", 2 * HOUR, "b", "a"))
    assert behind(merged_late, "c") == 3 * HOUR
    assert behind((*merged_late, commit("d", HOUR, "c")), "d") == 3 * HOUR


@pytest.mark.parametrize(
    ("commits", "head", "age"),
    [
        pytest.param((commit("a", 5, "1"),), "a", 5, id="one"),
        pytest.param((commit("a", 9, "1"), commit("b", 99, "a")), "b", 99, id="dates out of order"),
        pytest.param((commit("a", -60, "1"),), "a", 0, id="a date in the future counts as now"),
        pytest.param(
            (commit("a", 5, has_parents=False), commit("b", 7, has_parents=False)), "b", 7, id="no parents: the oldest"
        ),
        pytest.param((commit("a", 5, "1"), commit("b", 3, "a")), "9", 5, id="the branch moved on: from the newest"),
        pytest.param((commit("a", 5, "b"), commit("b", 3, "a")), "b", 5, id="parents in a circle"),
        pytest.param((Commit("a" * 40, "", None, ()),), "a", None, id="no date"),
        pytest.param((), "a", None, id="nothing listed"),
    ],
)
def test_the_age_of_missing_commits(commits: tuple[Commit, ...], head: str, age: float | None) -> None:
    assert behind(commits, head) == age


@pytest.mark.parametrize(
    ("ago", "grace", "standing"),
    [
        (89 * 60, 90 * 60, Standing.WITHIN_GRACE),
        (90 * 60, 90 * 60, Standing.BEHIND),
        (1, 0, Standing.BEHIND),
        (-60, 0, Standing.BEHIND),
        (-60, 1, Standing.WITHIN_GRACE),
    ],
)
def test_production_may_lag_behind_for_less_than_grace(ago: float, grace: float, standing: Standing) -> None:
    known = Position(standing=Standing.UNKNOWN, branch="main", live=OLD, head="a" * 40, grace=grace)
    assert judged(ahead(commit("a", ago, "1")), known, NOW).standing is standing


def test_more_than_250_commits_are_behind_whatever_their_age() -> None:
    known = Position(standing=Standing.UNKNOWN, branch="main", live=OLD, head="a" * 40, grace=90 * HOUR)
    found = judged(ahead(commit("a", 5, "1"), total=251), known, NOW)
    assert (found.standing, found.lag) == (Standing.BEHIND, "251 commits and more than 5 s")
    assert "whatever `grace` is" in found.sentence
    assert judged(ahead(commit("a", 5, "1"), total=250), known, NOW).standing is Standing.WITHIN_GRACE


def test_commits_without_a_date_are_behind() -> None:
    known = Position(standing=Standing.UNKNOWN, branch="main", live=OLD, head="a" * 40, grace=90 * HOUR)
    found = judged(ahead(Commit("a" * 40, "", None, None)), known, NOW)
    assert (found.standing, found.lag) == (Standing.BEHIND, "1 commit")


def document(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    date = datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    one = {
        "sha": HEAD,
        "commit": {"message": "Fix it\n\nAt last", "committer": {"date": date}},
        "parents": [{"sha": OLD}],
    }
    return {"status": "ahead", "base_commit": {"sha": OLD}, "total_commits": 1, "commits": [one], **changed}


def test_a_comparison_from_github_is_read() -> None:
    assert read(document(), str) == Comparison(
        Relation.AHEAD, OLD, 1, (Commit(HEAD, "Fix it", float(int(NOW)), (OLD,)),)
    )
    assert head_of({"commit": {"sha": HEAD}}) == HEAD


def test_an_impossible_number_of_commits_is_capped() -> None:
    found = read(document(total_commits=10**400), str)
    assert found is not None
    assert found.total == 1_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        document(status="elsewhere"),
        document(status=None),
        document(base_commit=None),
        document(base_commit={"sha": "x"}),
        document(total_commits="1"),
        document(total_commits=True),
        document(commits={}),
    ],
)
def test_an_invalid_comparison_is_rejected(wrong: object) -> None:
    assert read(wrong, str) is None
    assert head_of(wrong) == ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    )
)
def test_commits_of_any_shape_are_read_without_an_error(shape: Any) -> None:  # noqa: ANN401 - any JSON value
    found = read(document(commits=[shape, {"sha": HEAD, "commit": shape, "parents": shape}]), str)
    assert found is not None
    assert behind_since(found.commits, HEAD, NOW) is None or found.commits


def test_a_message_of_a_commit_is_one_harmless_line_without_secrets() -> None:
    hostile = "\x1b[31m##[error] token-1234 @leok974 " + "x" * 99_999 + "\nsecond line"
    listed = {"sha": HEAD, "commit": {"message": hostile}}
    found = read(document(commits=[listed]), lambda text: text.replace("token-1234", "***"))
    assert found is not None
    subject = found.commits[0].subject
    assert len(subject) <= 72
    assert not {"\x1b", "\n"} & set(subject)
    assert "##[" not in subject
    assert "token-1234" not in subject
    position = Position(standing=Standing.BEHIND, branch="main", commits=found.commits, missing=1)
    assert "@leok974" not in "\n".join(shown.section(position))


def test_a_long_history_is_listed_in_part_and_the_rest_is_counted() -> None:
    commits = tuple(Commit(f"{number:040x}", f"Change {number}", NOW - number, ()) for number in range(100))
    position = Position(
        standing=Standing.BEHIND,
        branch="main",
        live=OLD,
        head=HEAD,
        missing=300,
        commits=commits,
        asked_at=NOW,
        page="https://github.com/o/r",
    )
    lines = shown.in_lines(position)
    assert lines[0] == "Not live yet:"
    assert lines[-2:] == ["- and 295 more", f"https://github.com/o/r/compare/{OLD}...main"]
    section = shown.section(position)
    assert sum(line.startswith("- [") for line in section) == 25
    assert "- and 275 more" in section
    assert len(json.dumps(shown.document(position))) < 6000


# the version


def test_the_commit_counts_even_beside_a_release_number() -> None:
    run = Run(mode="verify", base_url=BASE).look(0.1, ready(version="1.4.2", git_sha=NEW))
    assert live_commit(run.state).version == NEW


def test_a_version_that_is_not_a_commit_is_reported_as_is() -> None:
    run = Run(mode="verify", base_url=BASE).look(0.1, ready(version="1.4.2"))
    assert live_commit(run.state).version == "1.4.2"
    assert live_commit(Run(mode="verify", base_url=BASE).look(0.1, ready()).state).version == ""
    assert live_commit(Run(mode="verify", base_url=BASE).state).version == ""


def test_two_commits_of_equal_rank_are_unclear() -> None:
    run = Run(mode="verify", base_url=BASE).look(0.1, ready(commit=NEW, git_sha=OLD))
    assert "Say which one counts with `version-field`" in live_commit(run.state).unclear


def test_the_version_address_counts_before_health() -> None:
    run = Run(mode="verify", base_url=BASE, version_path="/api/version")
    run.look(0.1, reply(200, {"commit": OLD}), HEALTH).look(0.2, reply(200, {"commit": NEW}), VERSION)
    assert live_commit(run.state).version == NEW


# words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7800, "2 h 10 min"),
        (7200, "2 h"),
        (86400 * 3 + 4 * 3600 + 59, "3 d 4 h"),
        (86400, "1 d"),
        (-5, "0 s"),
    ],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_one_is_singular_and_other_numbers_are_plural() -> None:
    assert [counted(number, "commit") for number in (0, 1, 2, 1200)] == [
        "0 commits",
        "1 commit",
        "2 commits",
        "1,200 commits",
    ]
