"""The job summary: its order, its chart, its links, and how GitHub renders hostile text."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract.results import Finding
from redeploy.decision.verdict import Conclusion
from redeploy.remedies.subject import Subject
from redeploy.report.check_results import Checked
from redeploy.report.facts import About, Facts
from redeploy.report.gantt import gantt
from redeploy.report.results import Change, RollbackResult, RunResult, State, Update
from redeploy.report.summary import Repository, page
from redeploy.report.timeline import During, Span, Stretch, Timeline
from redeploy.service.identity import Build
from redeploy.text.markdown import fenced, inline
from redeploy.verdicts import Proof, Reason, Verdict
from sandbox.simulation import BASE
from tests.unit.factories import D1, D2, NEW, OLD
from tools.preview.markdown import render

REPOSITORY = Repository("https://github.com/o/r", NEW)
NOWHERE = Repository()
ROLLOUT = (Stretch(0, 2, Build.OLD, True), Stretch(2, 5, Build.UNKNOWN, False, True), Stretch(5, 11, Build.NEW, True))
TIMELINE = Timeline(stretches=ROLLOUT, spans=(Span(During.WINDOW, 5.0, 11.0),), ended=11.0)
UPDATED = Update(result="updated", said="200: scanned 1, updated 1", sent=0.0, answered=1.25)


def ended(verdict: Verdict = Verdict.DEPLOYED, reason: Reason = Reason.NONE, **values: Any) -> RunResult:  # noqa: ANN401 - fields of a RunResult
    given: dict[str, Any] = {
        "mode": "deploy",
        "url": BASE,
        "watchtower_origin": BASE,
        "update": UPDATED,
        "version": Change(before=OLD, live=NEW),
        "timeline": TIMELINE,
        "rollout_seconds": 5.0,
        "downtime_seconds": 3.0,
    }
    return RunResult(conclusion=Conclusion(verdict, reason, values.pop("proof", Proof.NONE)), **given | values)


def seen(*sentences: str) -> Facts:
    """Evidence of the live build."""
    return Facts().plus(About.UPDATE, "Watchtower responded: updated 1.").plus(About.EVIDENCE, *sentences)


SMOKED = Checked(findings=(Finding(Reason.SMOKE, "smoke GET /x", passed=True, sentence="`GET /x`: 200", seconds=0.2),))


def checks(begin: float, end: float) -> Timeline:
    """The timeline of a run with checks."""
    return replace(TIMELINE, spans=(*TIMELINE.spans, Span(During.CHECKS, begin, end)))


def order(text: str, *parts: str) -> bool:
    """Whether a text contains the parts in this order."""
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_a_green_page_shows_the_result_the_proof_and_the_timeline() -> None:
    text = page(ended(proof=Proof.VERSION, facts=seen("The service reports the declared version.")), NOWHERE)
    assert order(
        text, "## ✅ deployed", "proof: `version`", "since second 5.0", "### How we know", "### When", "All facts"
    )


def test_one_piece_of_evidence_is_a_sentence_and_several_are_a_list() -> None:
    one = page(ended(facts=seen("The service reports the declared version.")), NOWHERE)
    two = page(ended(facts=seen("The running digest changed.", "A new process responds.")), NOWHERE)
    assert "### How we know\n\nThe service reports the declared version.\n" in one
    assert "1. The running digest changed.\n1. A new process responds.\n" in two


def test_a_digest_is_short_where_it_is_reported_and_whole_in_the_facts_and_in_commands() -> None:
    rolled = RollbackResult(
        state=State.FAILED, why="it is not live.", tag="r.io/a:1", target=D1, by_hand=f"`docker pull r.io/a@{D1}`"
    )
    text = page(
        ended(Verdict.ROLLBACK_FAILED, facts=seen(f"It runs `{D2}`."), digest=Change(live=D2), rollback=rolled), NOWHERE
    )
    message, facts = text.split("All facts")
    assert f"It runs `{D2[:19]}`." in message
    assert f"`docker pull r.io/a@{D1}`" in message
    assert D2 not in message
    assert D2 in facts


def test_the_times_are_in_the_chart_and_in_a_folded_table_below_it() -> None:
    text = page(ended(timeline=checks(6.0, 6.01)), NOWHERE)
    assert order(text, "```mermaid", "<summary>The same in figures</summary>", "| From (s) | To (s) | What |")
    assert "Checks" not in text
    assert "Checks" in page(ended(timeline=checks(6.0, 6.2), checked=SMOKED), NOWHERE)
    assert "Checks" not in page(ended(timeline=checks(6.0, 6.2)), NOWHERE), "no input asked for one"


def test_the_facts_name_the_health_check_the_container_and_when_the_trigger_was_sent() -> None:
    subject = Subject(health="https://api.example.com/api/ready", container="shop-backend")
    facts = page(ended(subject=subject, update=replace(UPDATED, sent_wall=1_796_000_000.0)), NOWHERE).split(
        "All facts"
    )[1]
    assert order(facts, "`https://api.example.com/api/ready`", "`shop-backend`", "2026-11-30 00:53:20 UTC")


def test_a_red_page_has_the_remedy_at_the_top() -> None:
    text = page(ended(Verdict.STALE, Reason.OLD_BUILD, facts=seen("It names the same build.")), NOWHERE)
    assert order(
        text, "## ❌ stale", "**What happened.**", "**Likely cause.**", "**Fix.**", "#old-build", "### What was seen"
    )


def test_the_declared_build_is_shown_beside_the_live_one() -> None:
    text = page(ended(Verdict.STALE, Reason.OLD_BUILD, version=Change(expected=NEW, before=OLD, live=OLD)), NOWHERE)
    assert f"live: `{OLD[:12]}` · expected: `{NEW[:12]}`" in text
    text = page(ended(Verdict.WRONG_BUILD, Reason.WRONG_DIGEST, digest=Change(expected=D1, live=D2)), NOWHERE)
    assert f"expected: `{D1[:19]}`, running: `{D2[:19]}`" in text


def test_versions_are_links_if_one_of_them_is_the_commit_of_the_run() -> None:
    text = page(ended(), REPOSITORY)
    assert f"[`{OLD[:7]}`](https://github.com/o/r/commit/{OLD})" in text
    assert f"(https://github.com/o/r/compare/{OLD}...{NEW})" in text


@pytest.mark.parametrize(
    ("repository", "facts"),
    [
        pytest.param(Repository("https://github.com/o/r", "9" * 40), {}, id="of another repository"),
        pytest.param(NOWHERE, {}, id="at a terminal"),
        pytest.param(REPOSITORY, {"version": Change(before="v1.1", live="v1.2")}, id="no commits"),
    ],
)
def test_other_versions_are_not_links(repository: Repository, facts: dict[str, Any]) -> None:
    assert "/commit/" not in page(ended(**facts), repository)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": NEW}, REPOSITORY),
        (
            {"GITHUB_SERVER_URL": "https://ghe.example:8443", "GITHUB_REPOSITORY": "o/r.x", "GITHUB_SHA": NEW},
            Repository("https://ghe.example:8443/o/r.x", NEW),
        ),
        ({"GITHUB_SERVER_URL": "javascript:x", "GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": NEW}, NOWHERE),
        ({"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r)](x", "GITHUB_SHA": NEW}, NOWHERE),
        ({}, NOWHERE),
    ],
)
def test_the_repository_comes_from_the_runners_variables(variables: dict[str, str], found: Repository) -> None:
    assert Repository.of(variables) == found


def test_the_chart_has_a_bar_in_milliseconds_for_each_stretch() -> None:
    chart = "\n".join(gantt(ended(timeline=checks(5.0, 5.25), checked=SMOKED)))
    for bar in (
        "section Watchtower 1.2 s\n  #160; :0, 1250",
        "section Old build 2.0 s\n  #160; :done, 0, 2000",
        "section Gone 3.0 s\n  #160; :crit, 2000, 5000",
        "section New build 6.0 s\n  #160; :active, 5000, 11000",
        "section Stable 6.0 s\n  #160; :active, 5000, 11000",
        "section Checks 0.2 s\n  #160; :active, 5000, 5250",
    ):
        assert bar in chart


@pytest.mark.parametrize(
    ("seconds", "interval"),
    [(0.5, "1second"), (11, "2second"), (47, "5second"), (240, "30second"), (3600, "6minute"), (86400, "144minute")],
)
def test_the_axis_has_about_ten_ticks(seconds: float, interval: str) -> None:
    assert f"  tickInterval {interval}" in gantt(ended(timeline=replace(TIMELINE, ended=seconds)))


def test_the_middle_of_a_long_crash_loop_is_left_out_of_the_chart() -> None:
    loop = tuple(Stretch(at, at + 1, Build.NEW, bool(at % 2), not at % 2) for at in range(200))
    assert sum("section" in line for line in gantt(ended(timeline=Timeline(stretches=loop, ended=200.0)))) <= 14


def test_a_run_without_a_timeline_has_no_chart() -> None:
    assert "mermaid" not in page(
        ended(Verdict.TRIGGER_FAILED, Reason.AUTH, timeline=replace(TIMELINE, ended=0.05)), NOWHERE
    )
    assert "mermaid" not in page(ended(Verdict.TRIGGER_FAILED, Reason.AUTH, timeline=Timeline(ended=11.0)), NOWHERE)


def test_failed_checks_come_first_and_a_document_alone_is_not_a_check() -> None:
    document = Finding(Reason.OPENAPI, "openapi", passed=True, sentence="7 operations")
    failed = Finding(Reason.SMOKE, "smoke GET /x", passed=False, sentence="`GET /x`: 500, not 2xx", seconds=0.0421)
    text = page(ended(Verdict.CHECKS_FAILED, Reason.SMOKE, checked=Checked(findings=(document, failed))), NOWHERE)
    assert order(text, "1 of 2 checks failed", "| ❌ | `GET /x`: 500, not 2xx | 42 ms |", "| ✅ | 7 operations |")
    assert "Check" not in page(ended(checked=Checked(findings=(document,))), NOWHERE)


def test_checks_that_send_no_request_have_no_column_for_their_time() -> None:
    missing = Finding(Reason.ROUTES, "GET /x", passed=False, sentence="`GET /x` is missing")
    text = page(ended(Verdict.CHECKS_FAILED, Reason.ROUTES, checked=Checked(findings=(missing,))), NOWHERE)
    assert "|  | Check |\n|---|---|\n| ❌ | `GET /x` is missing |" in text


def test_operations_that_differ_are_shown_up_to_a_limit() -> None:
    many = tuple(f"GET /p{number}" for number in range(60))
    checked = Checked(compared_with="`openapi.yaml`", added=many, removed=("DELETE /x",), counts=(60, 1))
    text = page(ended(checked=checked), NOWHERE)
    assert "Compared with `openapi.yaml`: 60 added, 1 removed." in text
    assert order(text, "- DELETE /x", "+ GET /p0", "+ GET /p24", "+ ... and 35 more")
    assert "/p25" not in text


def test_watchtowers_response_is_folded_cut_and_cannot_leave_its_block() -> None:
    hostile = "HTTP 200\n\n````\n</details><script>x</script>\n" + "\n".join(f"line {number}" for number in range(500))
    text = page(ended(update=replace(UPDATED, reply=hostile)), NOWHERE)
    assert "<script" not in text
    assert "line 400" not in text
    rendered = render(text)
    assert rendered.html.count("<details") == rendered.html.count("</details>") == 3


HOSTILE = st.text(max_size=80) | st.text(
    alphabet="`|<>@#[]()!*_~\\$:;&/.wWhHtTpPsS-=0123456789abcdefgh \n\r\t", max_size=80
)


@given(HOSTILE)
def test_quoted_text_in_a_sentence_stays_plain_text(text: str) -> None:
    line = inline(" ".join(text.split()))
    for markdown, cell in ((f"- It says {line}\n", "<li"), (f"| a |\n|---|\n| {line} |\n", "<td")):
        rendered = render(markdown)
        assert rendered.accidents == ()
        assert rendered.links == ()
        assert rendered.html.count(cell) == 1


@given(HOSTILE)
def test_no_text_breaks_out_of_a_code_block(text: str) -> None:
    rendered = render("\n".join(["before", "", *fenced(text), "after"]))
    assert rendered.accidents == ()
    assert rendered.html.count("<pre") == 1
    assert re.search(r"<p>after</p>\s*$", rendered.html)


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_a_page_stays_small_for_any_content(size: int) -> None:
    text = "x|`" * size
    findings = [Finding(Reason.SMOKE, "smoke", passed=False, sentence="y" * 400) for _ in range(5_000)]
    outcome = ended(
        Verdict.CHECKS_FAILED,
        Reason.SMOKE,
        update=replace(UPDATED, reply=text),
        checked=Checked(findings=findings, added=["GET /" + "a" * 250] * 1_000, compared_with="`x`", counts=(1_000, 0)),
    )
    assert len(page(outcome, NOWHERE).encode()) < 1_000_000
