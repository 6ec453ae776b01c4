"""The issue of a red run over real sockets: opened once, updated, closed, and no other issue touched."""

import time
from dataclasses import replace

import pytest

from redeploy.decision.verdict import Conclusion
from redeploy.github.deployment import Place
from redeploy.github.issue import LABEL, Ending, ending_of, mark_of
from redeploy.github.issue_client import Bounds, IssueClient, IssueReport, Kept
from redeploy.report.facts import About, Facts
from redeploy.report.results import Change, RunResult
from redeploy.report.wording import headline
from redeploy.text.secret import Secret
from redeploy.verdicts import Proof, Reason, Verdict
from sandbox.network.github import (
    BAD_GATEWAY,
    NO_PERMISSION,
    NOT_FOUND,
    GitHub,
    Mishap,
    Mishaps,
    person,
    problem,
    unicorn,
)
from tests.adapters.github.conftest import RUN, TOKEN, Start

URL = "https://api.example.com"
RUNNER = {
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/watch.yml@refs/heads/main",
    "GITHUB_JOB": "watch",
}
TITLE = "Production is not what main is"
MARK = mark_of(RUNNER, TITLE, (URL,))
NOW = 1_800_000_000.0
BOUNDS = Bounds(whole=8.0, hurried=0.5, looked_again_after=0.2)
LIMITED = problem(403, "API rate limit exceeded", ("X-RateLimit-Remaining", "0"))

STALE = RunResult(
    conclusion=Conclusion(Verdict.STALE, Reason.OLD_BUILD),
    mode="verify",
    url=URL,
    version=Change(expected="2" * 40, live="1" * 40),
    facts=Facts().plus(About.NOW, f"The service at `{URL}/api/ready` is up: it responded with 200."),
)
DOWN = replace(
    STALE, conclusion=Conclusion(Verdict.UNHEALTHY, Reason.DOWN), down=True, version=Change(expected="2" * 40)
)
GREEN = replace(
    STALE, conclusion=Conclusion(Verdict.VERIFIED, Reason.NONE, Proof.VERSION), version=Change(live="2" * 40)
)


def keep(one: GitHub, outcome: RunResult, *, mark: str = MARK, now: float = NOW, bounds: Bounds = BOUNDS) -> Kept:
    """Report this outcome and return what happened to the issue; it never takes more than five calls."""
    before = len(one.seen)
    place = Place(one.api_url, "o/r", "a" * 40, RUN, "7-1")
    ending = ending_of(outcome.conclusion)
    why = f"{outcome.conclusion.verdict}/{outcome.conclusion.reason}"
    report = IssueReport(ending=ending, result=outcome, mark=mark, title=TITLE, why=why, now=now)
    kept = IssueClient(place, Secret(TOKEN), lambda text: text.replace("hidden-value", "***"), bounds).keep(
        report, lambda: False
    )
    assert len(one.seen) - before <= 5
    return kept


def states(one: GitHub) -> list[str]:
    return [each["state"] for each in one.issues.documents]


def requests(one: GitHub) -> list[str]:
    return [f"{each.method} {each.path.partition('/repos/o/r/')[2]}" for each in one.seen]


def test_a_red_run_opens_one_issue_with_label_and_mark(github: Start) -> None:
    one = github()
    assert keep(one, STALE) == Kept("opened", 1)
    [issue] = one.issues.documents
    assert (issue["title"], [each["name"] for each in issue["labels"]]) == (TITLE, [LABEL])
    assert issue["body"].startswith(f"<!-- redeploy-action {MARK} stale/old-build 1800000000 1 -->\n**Last seen**")
    for part in (headline(STALE), "**Likely cause.**", "**Fix.**", RUN, URL, "1 red run"):
        assert part in issue["body"]
    assert requests(one) == ["GET issues", "GET issues", "POST issues", "GET issues"]


def test_the_same_reason_updates_the_first_lines_only(github: Start) -> None:
    one = github()
    keep(one, STALE)
    text = one.issues.documents[0]["body"].split("\n", 2)[2]
    one.issues.documents[0]["body"] += "\n\nI am looking into it."
    assert keep(one, STALE, now=NOW + 7200) == Kept("updated", 1)
    [issue] = one.issues.documents
    assert issue["body"].startswith(f"<!-- redeploy-action {MARK} stale/old-build 1800000000 2 -->")
    assert "first seen 2027-01-15 08:00 UTC · 2 red runs" in issue["body"]
    assert issue["body"].split("\n", 2)[2] == f"{text}\n\nI am looking into it."
    assert one.issues.comments == {}


def test_another_reason_is_a_comment(github: Start) -> None:
    one = github()
    keep(one, STALE)
    assert keep(one, DOWN).did.startswith("commented")
    assert len(one.issues.comments[1]) == 1
    assert "Still failing, for another reason (it was `stale, old-build`)." in one.issues.comments[1][0]
    assert "nothing responds" in one.issues.comments[1][0]
    assert "unhealthy/down" in one.issues.documents[0]["body"]
    keep(one, DOWN)
    assert len(one.issues.comments[1]) == 1


def test_the_next_green_run_reports_what_is_live_and_closes_the_issue(github: Start) -> None:
    one = github()
    keep(one, STALE)
    keep(one, STALE)
    assert keep(one, GREEN, now=NOW + 7800) == Kept("closed", 1)
    assert (states(one), one.issues.documents[0]["state_reason"]) == (["closed"], "completed")
    [comment] = one.issues.comments[1]
    assert "It failed for 2 h 10 min, since 2027-01-15 08:00 UTC, in 2 runs." in comment
    assert "222222222222" in comment


def test_a_green_run_without_an_open_issue_writes_nothing(github: Start) -> None:
    one = github()
    assert keep(one, GREEN) == Kept()
    assert {each.method for each in one.seen} == {"GET"}


def test_after_a_person_closed_the_issue_a_new_one_is_opened(github: Start) -> None:
    one = github()
    keep(one, STALE)
    one.issues.documents[0]["state"] = "closed"
    assert keep(one, STALE) == Kept("opened", 2)
    assert states(one) == ["closed", "open"]


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        ({"GITHUB_REPOSITORY": "o/other"}, (TITLE, URL)),
        ({"GITHUB_WORKFLOW_REF": "o/r/.github/workflows/other.yml@refs/heads/main"}, (TITLE, URL)),
        ({"GITHUB_JOB": "other"}, (TITLE, URL)),
        ({}, ("Another title", URL)),
        ({}, (TITLE, "https://other.example.com")),
    ],
)
def test_the_issue_of_another_service_is_left_alone(
    changed: dict[str, str], about: tuple[str, str], github: Start
) -> None:
    one = github()
    keep(one, STALE, mark=mark_of({**RUNNER, **changed}, about[0], about[1:]))
    before = dict(one.issues.documents[0])
    assert keep(one, GREEN) == Kept()
    assert keep(one, DOWN) == Kept("opened", 2)
    assert one.issues.documents[0] == before


def test_another_branch_of_the_workflow_keeps_the_same_issue() -> None:
    elsewhere = {**RUNNER, "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/watch.yml@refs/heads/fix"}
    assert mark_of(elsewhere, TITLE, (URL,)) == MARK


def forged(one: GitHub, *, labelled: bool, kind: str = "User", association: str = "NONE") -> None:
    """Add an issue whose author copied our mark."""
    body = f"<!-- redeploy-action {MARK} stale/old-build 1 99 -->\n**Last seen** never\nFree money"
    asked = {"title": "A forgery", "body": body, "labels": [LABEL] if labelled else []}
    who = person(one.api_url) | {"login": "mallory", "type": kind}
    one.issues.opened(asked, who, f"{one.api_url}/repos/o/r/issues", association)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_mark_in_an_issue_of_someone_who_may_not_write_here_does_not_count(labelled: bool, github: Start) -> None:
    one = github()
    forged(one, labelled=labelled)
    before = dict(one.issues.documents[0])
    assert keep(one, STALE) == Kept("opened", 2)
    assert keep(one, GREEN) == Kept("closed", 2)
    assert one.issues.documents[0] == before


@pytest.mark.parametrize(
    ("kind", "association"), [("Bot", "NONE"), ("User", "MEMBER"), ("User", "COLLABORATOR"), ("User", "OWNER")]
)
def test_an_issue_by_someone_who_may_write_here_counts_even_without_its_label(
    kind: str, association: str, github: Start
) -> None:
    one = github()
    forged(one, labelled=False, kind=kind, association=association)
    assert keep(one, STALE) == Kept("updated", 1)
    assert "100 red runs" in one.issues.documents[0]["body"]


def test_a_token_that_may_not_set_labels_still_has_one_issue(github: Start) -> None:
    one = github()
    one.issues.takes_labels = False
    assert [keep(one, STALE).did for _ in range(3)] == ["opened", "updated", "updated"]
    assert keep(one, GREEN).did == "closed"
    assert states(one) == ["closed"]


def test_after_a_lost_response_the_issue_is_searched_for_before_another_is_opened(github: Start) -> None:
    one = github({"open": [Mishap(BAD_GATEWAY, obeyed=True), None]})
    assert keep(one, STALE) == Kept("opened", 1)
    assert requests(one).count("POST issues") == 1


@pytest.mark.parametrize("mishap", [Mishap(BAD_GATEWAY), Mishap(unicorn(500)), Mishap()])
def test_a_request_that_github_did_not_process_is_sent_once_more(mishap: Mishap, github: Start) -> None:
    one = github({"open": [mishap, None]})
    assert keep(one, STALE) == Kept("opened", 1)
    assert states(one) == ["open"]


def test_of_two_issues_opened_at_the_same_time_the_older_stays_open(github: Start) -> None:
    one = github()
    keep(one, STALE)
    one.issues.unlisted = 2  # the other run's issue is not listed yet
    kept = keep(one, STALE)
    assert kept.number == 1
    assert states(one) == ["open", "closed"]
    assert one.issues.documents[1]["state_reason"] == "not_planned"
    assert "#1" in one.issues.documents[1]["body"]
    assert keep(one, STALE) == Kept("updated", 1)


def test_two_open_issues_are_merged_into_one(github: Start) -> None:
    one = github()
    keep(one, STALE)
    one.issues.documents.append({**one.issues.documents[0], "number": 2, "url": f"{one.api_url}/repos/o/r/issues/2"})
    assert keep(one, STALE) == Kept("updated", 1)
    assert states(one) == ["open", "closed"]
    one.issues.documents[1]["state"] = "open"
    assert keep(one, GREEN).did == "closed"
    assert states(one) == ["closed", "closed"]


@pytest.mark.parametrize(
    ("mishaps", "outcome", "says"),
    [
        pytest.param({"issues": [Mishap(NO_PERMISSION)]}, STALE, "permissions:\n  issues: write", id="may not read"),
        pytest.param({"open": [Mishap(NO_PERMISSION)]}, STALE, "permissions:\n  issues: write", id="may not write"),
        pytest.param(
            {"issues": [Mishap(NOT_FOUND)]}, STALE, "permissions:\n  issues: write", id="404 instead of a refusal"
        ),
        pytest.param({"issues": [Mishap(LIMITED)]}, GREEN, "rate limit", id="rate limit"),
        pytest.param({"open": [Mishap(LIMITED)]}, STALE, "rate limit", id="rate limit at the write"),
        pytest.param({"issues": [Mishap(BAD_GATEWAY)]}, STALE, "502", id="502"),
        pytest.param({"open": [Mishap(BAD_GATEWAY)]}, STALE, "502", id="502 again and again"),
        pytest.param({"issues": [Mishap()]}, STALE, "no usable response", id="cut"),
        pytest.param({"open": [Mishap(problem(422, "Validation Failed"))]}, STALE, "422", id="422"),
    ],
)
def test_a_failure_at_github_is_a_warning(mishaps: Mishaps, outcome: RunResult, says: str, github: Start) -> None:
    one = github(mishaps)
    kept = keep(one, outcome)
    assert (kept.did, kept.number) == ("", None)
    assert says in kept.warning
    assert "The verdict of this run does not depend on it." in kept.warning
    assert TOKEN not in kept.warning


def test_disabled_issues_are_named_in_the_warning(github: Start) -> None:
    one = github()
    one.issues.enabled = False
    warning = keep(one, STALE).warning
    assert "Issues are disabled in this repository" in warning
    assert "`issue-on-failure`" in warning


def test_the_client_waits_for_a_hanging_github_no_longer_than_the_bound(github: Start) -> None:
    one = github({"issues": [Mishap(after=30.0, only_slow=True)]})
    began = time.monotonic()
    kept = keep(one, STALE, bounds=replace(BOUNDS, whole=0.5))
    assert "in time" in kept.warning
    assert time.monotonic() - began < 10


def test_a_signal_ends_the_wait_for_github(github: Start) -> None:
    one = github({"open": [Mishap(after=30.0, only_slow=True)]})
    report = IssueReport(ending=Ending.RED, result=STALE, mark=MARK, title=TITLE, why="stale/old-build", now=NOW)
    place = Place(one.api_url, "o/r", "a" * 40, RUN, "7-1")
    began = time.monotonic()
    kept = IssueClient(place, Secret(TOKEN), str, BOUNDS).keep(report, lambda: any(requests(one)[2:]))
    assert "may still be carried out" in kept.warning
    assert time.monotonic() - began < BOUNDS.whole


def test_a_body_stays_within_githubs_limit_of_65536_characters(github: Start) -> None:
    one = github()
    keep(one, STALE)
    one.issues.documents[0]["body"] += "x" * (65_536 - len(one.issues.documents[0]["body"]))
    assert keep(one, STALE) == Kept("updated", 1)
    body = one.issues.documents[0]["body"]
    assert len(body) <= 65_000
    assert body.startswith(f"<!-- redeploy-action {MARK} stale/old-build 1800000000 2 -->")


@pytest.mark.parametrize(
    "broken",
    ["<!-- redeploy-action {mark} -->", "<!-- redeploy-action {mark} x y z -->", "text <!-- redeploy-action {mark} 1"],
)
def test_first_lines_that_a_person_changed_are_restored(broken: str, github: Start) -> None:
    one = github()
    keep(one, STALE)
    one.issues.documents[0]["body"] = broken.format(mark=MARK) + "\nNotes"
    assert keep(one, DOWN) == Kept("updated", 1)
    assert "unhealthy/down 1800000000 1 -->" in one.issues.documents[0]["body"]
    assert one.issues.documents[0]["body"].endswith("Notes")


def test_text_from_a_server_mentions_no_one_and_closes_no_other_issue(github: Start) -> None:
    one = github()
    hostile = (
        "fixes #12 @leok974 closes https://github.com/o/r/issues/3 hidden-value <script> ]( ``` ![x](http://x.example)"
    )
    facts, version = STALE.facts.caused_by(hostile), Change(live=hostile[:200])
    keep(one, replace(STALE, facts=facts, version=version, url=f"{URL}/{hostile[:20]}"))
    from tools.preview.markdown import render

    body = one.issues.documents[0]["body"]
    assert "hidden-value" not in body
    assert render(body).accidents == ()


def test_a_pull_request_with_the_mark_is_not_an_issue(github: Start) -> None:
    one = github()
    forged(one, labelled=True, kind="Bot")
    one.issues.documents[0]["pull_request"] = {"url": "x", "html_url": "x", "diff_url": "x", "patch_url": "x"}
    assert keep(one, GREEN) == Kept()


@pytest.mark.parametrize(
    ("conclusion", "ending"),
    [
        (Conclusion(Verdict.DEPLOYED), Ending.GREEN),
        (Conclusion(Verdict.ALREADY_CURRENT), Ending.GREEN),
        (Conclusion(Verdict.VERIFIED), Ending.GREEN),
        (Conclusion(Verdict.READY), Ending.GREEN),
        (Conclusion(Verdict.UNPROVEN, Reason.NO_REFERENCE), Ending.NEITHER),
        (Conclusion(Verdict.UNPROVEN, Reason.WEAK_PROOF, proof_suffices=False), Ending.RED),
        (Conclusion(Verdict.CANCELLED, signal=2), Ending.NEITHER),
        (Conclusion(Verdict.INVALID_CONFIG), Ending.NEITHER),
        (Conclusion(Verdict.INTERNAL_ERROR), Ending.NEITHER),
        (Conclusion(Verdict.ROLLED_BACK, Reason.SMOKE), Ending.RED),
        (Conclusion(Verdict.NOT_READY), Ending.RED),
        (Conclusion(Verdict.STALE, Reason.BEHIND), Ending.RED),
    ],
)
def test_only_a_red_run_opens_an_issue_and_only_a_proven_one_closes_it(conclusion: Conclusion, ending: Ending) -> None:
    assert ending_of(conclusion) is ending
