"""The issue of a red run: which one is ours, and what its first lines contain."""

from dataclasses import replace
from typing import Any

import pytest

from redeploy.branch.comparison import Commit
from redeploy.branch.standing import Position, Standing
from redeploy.decision.verdict import Conclusion
from redeploy.github import issue_body
from redeploy.github.issue import LABEL, LONGEST, LONGEST_KEPT, Issue, Seen, head, ours, with_head
from redeploy.remedies.remedy import Remedy
from redeploy.report.results import Change, RollbackResult, RunResult, SeveralResults, State
from redeploy.report.wording import headline
from redeploy.verdicts import Reason, Verdict

MARK, OTHER = "a" * 32, "b" * 32
NOW = 1_800_000_000.0
SEEN = Seen("stale/behind", NOW, 3)
LINES = head(MARK, SEEN, NOW, "https://github.example/o/r/actions/runs/7")
RED = RunResult(
    conclusion=Conclusion(Verdict.STALE, Reason.BEHIND), url="https://api.example.com", version=Change(live="1" * 40)
)


def issue(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    plain = {"number": 7, "state": "open", "body": f"{LINES}\ntext", "labels": [{"name": LABEL}]}
    return plain | {"user": {"type": "Bot"}, "author_association": "NONE"} | changed


def test_the_first_lines_hold_the_time_and_the_count_and_are_read_back() -> None:
    assert LINES.splitlines() == [
        f"<!-- redeploy-action {MARK} stale/behind 1800000000 3 -->",
        (
            "**Last seen** 2027-01-15 08:00 UTC in [this run](https://github.example/o/r/actions/runs/7) · first seen "
            "2027-01-15 08:00 UTC · 3 red runs"
        ),
    ]
    assert ours([issue()], MARK) == [Issue(7, f"{LINES}\ntext", SEEN)]
    assert SEEN.again("unhealthy/down") == Seen("unhealthy/down", NOW, 4)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(issue(body=LINES.replace(MARK, OTHER)), id="another mark"),
        pytest.param(issue(body=None), id="no body"),
        pytest.param(issue(state="closed"), id="closed"),
        pytest.param(issue(number="7"), id="no number"),
        pytest.param(issue(pull_request={}), id="a pull request"),
        pytest.param(issue(user={"type": "User"}), id="an author without write access"),
        pytest.param(
            issue(user={"type": "User"}, author_association="CONTRIBUTOR"), id="a contributor without write access"
        ),
        pytest.param(
            issue(user={"type": "User"}, author_association=None, labels=[]), id="an unknown author, without the label"
        ),
        pytest.param([], id="no object"),
        pytest.param(None, id="nothing"),
    ],
)
def test_issues_that_are_not_ours_are_ignored(shape: object) -> None:
    assert ours([shape], MARK) == []


@pytest.mark.parametrize(
    "shape",
    [
        issue(labels=[]),
        issue(user={"type": "User"}, author_association="MEMBER", labels=[]),
        issue(user=None, author_association=None),
    ],
)
def test_our_own_issues_are_recognised(shape: dict[str, Any]) -> None:
    assert [each.number for each in ours([shape], MARK)] == [7]


def test_the_oldest_comes_first() -> None:
    assert [each.number for each in ours([issue(number=9), issue(number=2), issue(number=5)], MARK)] == [2, 5, 9]


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (f"{LINES}\ntext\nmore", "NEW\ntext\nmore"),
        (f"{LINES}", "NEW\n"),
        (f"Notes\n{LINES}\ntext", "Notes\nNEW\ntext"),
        (f"{LINES}\r\ntext", "NEW\ntext"),
        (f"<!-- redeploy-action {MARK} x -->\ntext", "NEW\ntext"),
        ("no mark", "NEW\nno mark"),
        ("", "NEW\n"),
    ],
)
def test_only_the_first_lines_change(body: str, changed: str) -> None:
    assert with_head(body, MARK, "NEW") == changed


def test_a_body_that_people_have_extended_keeps_its_first_lines() -> None:
    long = with_head(f"{'x' * 70_000}\n{LINES}\n{'y' * 70_000}", MARK, LINES)
    assert len(long) == LONGEST_KEPT
    assert long.startswith(LINES)


def test_an_issue_body_has_at_most_60000_characters() -> None:
    endless = replace(RED, remedy=Remedy("It is long", "x" * 99_999, "y" * 99_999))
    for text in (issue_body.opened(endless, ""), issue_body.changed(endless, SEEN, "")):
        assert len(text) <= LONGEST
        assert "The rest was cut off" in text


def test_the_top_of_an_issue_shows_the_fault_the_expected_and_the_live_build_the_fix_and_the_run() -> None:
    missing = (Commit("2" * 40, "Offer the search", NOW - 60, ()),)
    position = Position(
        standing=Standing.BEHIND,
        branch="main",
        live="1" * 40,
        head="2" * 40,
        missing=1,
        behind_for=7_800,
        commits=missing,
        asked_at=NOW,
        page="https://github.example/o/r",
    )
    body = issue_body.opened(
        replace(RED, branch=position, version=Change(expected="2" * 40, live="1" * 40)), "https://github.example/run"
    )
    order = [
        "### ❌ stale: ",
        "- **Service:** `https://api.example.com`",
        "- **Expected:** the head of `main`, `222222222222`",
        "- **Live:** `111111111111`",
        "**Likely cause.**",
        "**Fix.**",
        "[`2222222`](https://github.example/o/r/commit/",
        "[The run](https://github.example/run)",
    ]
    places = [body.find(part) for part in order]
    assert -1 not in places
    assert places == sorted(places)


def test_an_issue_includes_the_rollback_and_the_manual_steps() -> None:
    rolled = RollbackResult(state=State.REFUSED, why="someone moved the tag", by_hand="Run `docker pull`.")
    failed = replace(RED, conclusion=Conclusion(Verdict.ROLLBACK_FAILED, Reason.SMOKE), rollback=rolled)
    body = issue_body.opened(failed, "")
    assert "**Rollback.** Nothing was put back: someone moved the tag." in body
    assert "**By hand.** Run `docker pull`." in body


def test_the_closing_comment_names_the_live_build() -> None:
    green = replace(RED, conclusion=Conclusion(Verdict.DEPLOYED))
    body = issue_body.closed(green, SEEN, NOW + 7_800, "")
    assert "- **Live:** `111111111111`" in body
    assert "It failed for 2 h 10 min, since 2027-01-15 08:00 UTC, in 3 runs." in body
    assert "It failed for" not in issue_body.closed(green, None, NOW, "")


def test_every_service_that_is_not_green_is_listed() -> None:
    green = RunResult(conclusion=Conclusion(Verdict.VERIFIED))
    down = RunResult(conclusion=Conclusion(Verdict.UNHEALTHY, Reason.DOWN), url="https://www.example.com")
    body = issue_body.opened(SeveralResults({"api": RED, "web": down, "worker": green}, RED), "")
    assert "**2 of 3 services are not as expected:**" in body
    assert f"- `api`: {headline(RED)}" in body
    assert f"- `web`: {headline(down)}" in body
    assert "worker" not in body
    many = {f"s{each}": RED for each in range(60)}
    assert "- and 10 more" in issue_body.opened(SeveralResults(many, RED), "")
