"""The result of a run, as outputs, annotations and a summary."""

import dataclasses
import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract.reference import read as read_reference
from redeploy.contract.results import Finding
from redeploy.decision.verdict import Conclusion
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.remedy import LOOPBACK, guide
from redeploy.report import annotations, outputs, wording
from redeploy.report import summary as job_summary
from redeploy.report.check_results import Checked
from redeploy.report.collect import result_of
from redeploy.report.facts import About, Fact, Facts
from redeploy.report.results import Change, InvalidInputs, OneResult, RollbackResult, RunResult, State, Update
from redeploy.report.timeline import Moment, Stretch, Timeline, What
from redeploy.rollout.requests import Event, FetchDocument, Probe
from redeploy.rollout.service_state import ServiceState
from redeploy.service.identity import Build
from redeploy.settings.defaults import DEFAULTS
from redeploy.settings.reading import Problem
from redeploy.text.fitting import MOST_BYTES
from redeploy.text.secret import redactor
from redeploy.text.untrusted import one_line
from redeploy.verdicts import Proof, Reason, Verdict
from sandbox.simulation import BASE, REFUSED, WALL, Story, World, plan, simulate
from tests.unit.factories import D1, D2, D3, NEW, OLD, Run, page, ready, reply, rows, summary
from tests.unit.test_action_metadata import OUTPUTS

HOSTILE = (
    "a | b ` <script>alert(1)</script> @octocat #123 [x](https://evil.example) ![i](https://e.example/i.png)"
    "\r\n| **bold** | ~~x~~ www.evil.example https://evil.example ##[error]x \u202e *y* _z_ \\"
)
LINE = one_line(HOSTILE, 1000)
SEEN = Facts().plus(About.UPDATE, f"Watchtower at `{BASE}` responded after 1.2 s: 200: scanned 1, updated 1.")


def ended(verdict: Verdict, reason: Reason = Reason.NONE, **values: Any) -> RunResult:  # noqa: ANN401 - fields of a RunResult
    conclusion = Conclusion(
        verdict, reason, values.pop("proof", Proof.NONE), signal=2 if verdict is Verdict.CANCELLED else 0
    )
    given: dict[str, Any] = {
        "mode": "deploy",
        "url": BASE,
        "watchtower_origin": BASE,
        "update": Update(result="updated", said="200: scanned 1, updated 1", sent=0.0, answered=1.25),
        "version": Change(before=OLD, live=NEW),
        "timeline": Timeline(moments=(Moment(0.0, What.TRIGGERED), Moment(9.0, What.ENDED)), ended=9.0),
        "facts": SEEN,
    }
    return RunResult(conclusion=conclusion, **given | values)


def shown(outcome: InvalidInputs | OneResult) -> str:
    """The job summary."""
    return job_summary.page(outcome, job_summary.Repository())


def hostile() -> RunResult:
    return ended(
        Verdict.WRONG_BUILD,
        Reason.WRONG_VERSION,
        version=Change(LINE, LINE, LINE),
        update=Update(said=LINE),
        facts=Facts(tuple(Fact(about, LINE) for about in About)),
    )


ROLLBACK: dict[str, Any] = {
    "why": LINE,
    "fix": LINE,
    "tag": "ghcr.io/o/api:latest",
    "target": D1,
    "source": "the digest that ran before",
    "tag_moved": True,
    "update": Update(said=LINE, sent=5.4),
    "by_hand": "On the server:\n\n```sh\ndocker compose up -d your-service\n```",
}

ENDINGS: list[InvalidInputs | OneResult] = [
    ended(Verdict.DEPLOYED, proof=Proof.VERSION),
    ended(Verdict.ALREADY_CURRENT, proof=Proof.DIGEST, digest=Change(before=D1, live=D1)),
    ended(Verdict.VERIFIED, mode="verify", update=Update(), facts=Facts(), watchtower_origin=""),
    *(ended(Verdict.UNHEALTHY, reason) for reason in Reason if reason is not Reason.NONE),
    *(
        ended(
            verdict,
            Reason.SMOKE,
            rollback=RollbackResult(state=state, **ROLLBACK, deploy=ended(Verdict.CHECKS_FAILED, Reason.SMOKE)),
        )
        for verdict, state in (
            (Verdict.ROLLED_BACK, State.PROVEN),
            (Verdict.ROLLBACK_FAILED, State.FAILED),
            (Verdict.ROLLBACK_FAILED, State.REFUSED),
            (Verdict.CANCELLED, State.CUT_SHORT),
        )
    ),
    ended(Verdict.STALE, Reason.OLD_BUILD, rollback=RollbackResult(state=State.NOT_TRIED, why="the old build answers")),
    ended(Verdict.DEPLOYED, mode="rollback", rollback=RollbackResult(state=State.PROVEN, **ROLLBACK)),
    ended(Verdict.UNPROVEN, Reason.NO_IDENTITY),
    ended(Verdict.CANCELLED, facts=SEEN.caused_by("SIGINT came after the trigger.")),
    ended(Verdict.INTERNAL_ERROR, facts=SEEN.caused_by("KeyError in the action itself.")),
    RunResult(
        conclusion=Conclusion(Verdict.CANCELLED, signal=15),
        facts=Facts().caused_by("SIGTERM came before anything was triggered."),
    ),
    InvalidInputs([Problem("mode", "is none of `deploy`, `verify`")]),
    hostile(),
]


# outputs


@pytest.mark.parametrize("outcome", ENDINGS, ids=wording.headline)
def test_every_declared_output_is_one_line(outcome: InvalidInputs | OneResult) -> None:
    values = outputs.outputs(outcome)
    assert values.keys() == OUTPUTS.keys()
    assert all(isinstance(value, str) for value in values.values())
    assert all(len(value.splitlines()) <= 1 for value in values.values())


@pytest.mark.parametrize("outcome", ENDINGS, ids=wording.headline)
def test_the_report_is_one_json_document_with_the_same_content(outcome: InvalidInputs | OneResult) -> None:
    values = outputs.outputs(outcome)
    document = json.loads(values["report"])
    assert (document["verdict"], document["reason"], document["proof"]) == (
        values["verdict"],
        values["reason"],
        values["proof"],
    )
    assert document["exit-code"] == outcome.conclusion.exit_code
    assert document["version"]["live"] == values["version"]


LONG_ROUTES = tuple(f"GET /{'é' * 200}/{number}" for number in range(1000))


def long_run() -> RunResult:
    """A run that has more to report than an output may hold, in each of its lists."""
    finding = Finding(Reason.SMOKE, "smoke " + "s" * 200, passed=False, sentence="t" * 400)
    stretch = Stretch(0.0, 1.0, good=True, build=Build.NEW)
    checks = Checked(findings=[finding] * 500, added=LONG_ROUTES, removed=LONG_ROUTES)
    return ended(
        Verdict.CHECKS_FAILED,
        Reason.SMOKE,
        checked=checks,
        timeline=Timeline(stretches=(stretch,) * 3000, moments=moments(3000)),
        facts=Facts().plus(About.NOTE, *["n" * 2000] * 100).plus(About.EVIDENCE, *["e" * 5000] * 50),
    )


def moments(count: int) -> tuple[Moment, ...]:
    return tuple(Moment(float(number), What.LAST_GOOD) for number in range(count))


def test_no_output_is_longer_than_an_environment_variable_may_be() -> None:
    values = outputs.outputs(long_run())
    assert all(value.isascii() and len(value) <= MOST_BYTES for value in values.values())
    added = json.loads(values["added-routes"])
    assert added[0] == LONG_ROUTES[0]
    assert added[-1] == f"... and {1000 - len(added) + 1} more"


def test_a_long_report_first_loses_the_middle_of_its_lists() -> None:
    document = json.loads(outputs.outputs(long_run())["report"])
    assert document["truncated"]
    assert (document["verdict"], document["version"]["live"]) == ("checks-failed", NEW)
    timeline, facts = Timeline(moments=moments(2000)), Facts().plus(About.EVIDENCE, "why")
    few = ended(Verdict.DEPLOYED, timeline=timeline, facts=facts)
    document = json.loads(outputs.outputs(few)["report"])
    kept = [moment["seconds"] for moment in document["moments"]]
    assert document["truncated"]
    assert (kept[0], kept[-1]) == (0.0, 1999.0)
    assert 0 < len(kept) < 2000
    assert document["evidence"] == ["why"]


def test_data_for_a_later_comparison_is_never_cut() -> None:
    run = Run()
    names = {f"{letter}_version": f"{letter}{'é' * 250}" for letter in "abcdefghijklmnopqrstuvwxyz"}
    run.look(0.1, ready(OLD, **names)).look(0.5, ready(OLD, **names)).trigger(1.0).look(3.0, ready(NEW, **names))
    seen = result_of(run.state, Conclusion(Verdict.DEPLOYED), 4.0).seen
    report = outputs.outputs(dataclasses.replace(long_run(), seen=seen))["report"]
    assert len(report) <= MOST_BYTES
    found = json.loads(report)["seen"]
    assert found == json.loads(json.dumps(seen))
    assert found["names"][0] == {"field": "commit", "kind": "commit", "values": [OLD, NEW]}
    assert all(each["values"] == [names[each["field"]]] for each in found["names"][1:])
    assert 10 < len(found["names"]) < len(names)


@pytest.mark.parametrize("name", ["added-routes", "removed-routes", "failed-checks"])
def test_lists_are_json_arrays(name: str) -> None:
    assert json.loads(outputs.outputs(ENDINGS[0])[name]) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.0, "0"), (0.04, "0"), (3.0, "3"), (3.21, "3.2"), (120.0, "120")]
)
def test_seconds_are_short_numbers(seconds: float | None, text: str) -> None:
    values = outputs.outputs(ended(Verdict.DEPLOYED, rollout_seconds=seconds, downtime_seconds=seconds))
    assert values["rollout-seconds"] == values["downtime-seconds"] == text


# annotations


@pytest.mark.parametrize("outcome", ENDINGS, ids=wording.headline)
def test_every_non_zero_exit_has_an_error_and_no_green_one_has(outcome: InvalidInputs | OneResult) -> None:
    kinds = [each.kind for each in annotations.annotations(outcome)]
    assert ("error" in kinds) is bool(outcome.conclusion.exit_code)
    assert all(each.title and each.message for each in annotations.annotations(outcome))
    if outcome.conclusion.verdict is Verdict.UNPROVEN:
        assert "warning" in kinds


def test_a_green_run_without_a_remark_has_no_annotation() -> None:
    assert annotations.annotations(ENDINGS[0]) == []


def test_a_remark_of_a_green_run_is_a_warning() -> None:
    [found] = annotations.annotations(
        ended(Verdict.DEPLOYED, proof=Proof.VERSION, facts=Facts().plus(About.WARNING, "Watchtower never responded."))
    )
    assert (found.kind, found.message) == ("warning", "Watchtower never responded.")


def test_problems_are_annotated_by_input() -> None:
    found = annotations.annotations(
        InvalidInputs(
            [Problem("headers", "line 1 is bad"), Problem("mode", "is bad"), Problem("headers", "line 2 is bad")]
        )
    )
    assert [each.title for each in found] == ["Input headers", "Input mode"]
    assert "line 1 is bad" in found[0].message
    assert "line 2 is bad" in found[0].message
    assert {each.kind for each in found} == {"error"}


@given(st.integers(1, 30))
def test_the_runner_keeps_all_annotations(count: int) -> None:
    found = annotations.annotations(
        InvalidInputs([Problem(f"input-{number}", f"is bad{number}.") for number in range(count)])
    )
    assert 1 <= len(found) <= 10
    text = "\n".join(each.message for each in found)
    assert all(f"is bad{number}." in text for number in range(count))


def test_all_problems_at_once_fit_into_what_the_runner_keeps() -> None:
    found = annotations.annotations(InvalidInputs([Problem(name, "is wrong; " + "x" * 250) for name in DEFAULTS]))
    assert all(len(each.message) <= 4000 for each in found)
    assert all(any(f"`{name}`" in each.message for each in found) for name in DEFAULTS)


# remedies


def test_every_reason_has_its_own_remedy() -> None:
    assert set(REMEDIES) == set(Reason) - {Reason.NONE}
    for part in ("headline", "cause", "fix"):
        texts = [getattr(remedy, part) for remedy in (*REMEDIES.values(), LOOPBACK)]
        assert all(texts)
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason], ids=lambda each: each.value)
def test_a_reason_is_reported_with_what_happened_its_cause_and_its_fix(reason: Reason) -> None:
    outcome = ended(Verdict.UNHEALTHY, reason)
    [found] = annotations.annotations(outcome)
    remedy = REMEDIES[reason].about(outcome.subject)
    assert remedy.headline in found.title
    assert f"Likely cause: {remedy.cause}" in found.message
    assert "Fix: " in found.message
    assert guide(reason) in found.message
    assert guide(reason).endswith(f"#{reason.value}")
    assert "```" not in found.message, "an annotation is plain text"
    assert len(found.title) <= 120
    text = shown(outcome)
    assert remedy.headline in text
    assert remedy.fix in text
    assert text.count("```") % 2 == 0


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason], ids=lambda each: each.value)
def test_blocks_to_paste_are_well_formed(reason: Reason) -> None:
    for language, block in re.findall(r"```(\w+)\n(.*?)```", REMEDIES[reason].fix, re.DOTALL):
        assert language in {"yaml", "sh", "nginx", "dockerfile"}
        if language == "yaml":
            yaml.safe_load(block)
        if language == "nginx":
            assert block.count("{") == block.count("}")


def test_a_refused_connection_to_a_loopback_address_is_reported_as_such() -> None:
    [found] = annotations.annotations(ended(Verdict.UNHEALTHY, Reason.DOWN, remedy=LOOPBACK))
    assert LOOPBACK.headline in found.title
    assert "container" in found.message


# the summary


def cells(text: str) -> list[int]:
    """The numbers of cells in all table rows."""
    return [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in text.splitlines() if line.startswith("|")]


def outside_code(text: str) -> str:
    """The text without code spans and fences, which GitHub shows as they are, and without our own tags."""
    bare = re.sub(r"(?sm)^(`{3,})\w*\n.*?^\1$", "", text)
    return re.sub(r"`[^`\n]*`", "", re.sub(r"(?m)^</?details>$|^<summary>[^<]*</summary>$", "", bare))


@pytest.mark.parametrize("outcome", ENDINGS, ids=wording.headline)
def test_tables_stay_intact(outcome: InvalidInputs | OneResult) -> None:
    text = shown(outcome)
    assert text.endswith("\n")
    assert set(cells(text)) <= {2, 3}
    assert text.startswith("## ")


@pytest.mark.parametrize("state", [None, *State], ids=str)
def test_hostile_text_makes_no_html_mention_or_link(state: State | None) -> None:
    outcome = hostile()
    if state is not None:
        rolled = RollbackResult(state=state, **ROLLBACK | {"by_hand": ""}, deploy=outcome)
        outcome = dataclasses.replace(outcome, rollback=rolled)
    text = shown(outcome)
    plain = outside_code(text)
    assert "<" not in plain.replace("&#60;", "")
    assert not re.search(r"(?<![\w&])@\w", plain)
    assert "](https://evil" not in plain
    assert "![" not in plain
    assert not re.search(r"(?:https?://|www\.)(?:evil|e)\.example", plain)
    assert "**bold**" not in plain
    assert not re.search(r"(?<!&)#123", plain)
    assert "\u202e" not in shown(simulate(World(lambda moment, probe: ready(HOSTILE), (reply(200),))).outcome)


@given(st.text(max_size=60) | st.text(alphabet="`|<>@#[]()!*_~\\\n\r &;:/wh.tps", max_size=60))
def test_tables_stay_intact_whatever_they_quote(text: str) -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 1 else ready(text)

    outcome = simulate(World(service, (summary(updated=1),)), timeout="10").outcome
    made = shown(outcome)
    assert set(cells(made)) <= {2, 3}
    assert "<" not in outside_code(made)
    assert all(len(value.splitlines()) <= 1 for value in outputs.outputs(outcome).values())


@given(st.text(max_size=80))
def test_sentences_show_their_quoted_text_unchanged(text: str) -> None:
    line = " ".join(text.split())
    made = html.unescape(
        shown(ended(Verdict.DEPLOYED, proof=Proof.VERSION, facts=Facts().plus(About.EVIDENCE, line)))
    ).replace("\u200b", "")
    made = made.replace("\N{FULLWIDTH DOLLAR SIGN}", "$")
    assert html.unescape(line).replace("\u200b", "") in html.unescape(made) or not line


def test_a_problem_quotes_its_code_and_nothing_else() -> None:
    text = shown(
        InvalidInputs([Problem("image", "'<img src=x>' is not an image reference; write `ghcr.io/owner/app`")])
    )
    assert "<img" not in outside_code(text)
    assert "`image`" in text


# the result of a run


def steady(http_result: HttpResult) -> Callable[[float, Probe], HttpResult]:
    return lambda moment, probe: http_result


def rollout(moment: float, _: Probe) -> HttpResult:
    return ready(OLD) if moment < 2 else REFUSED if moment < 4 else ready(NEW)


def test_the_duration_of_a_rollout_is_measured() -> None:
    story = simulate(World(rollout, ((summary(updated=1), 3.0),)), expect_version=NEW)
    found = story.outcome
    assert (found.version.live, found.version.before, found.update.result) == (NEW, OLD, "updated")
    assert found.rollout_seconds == pytest.approx(story.state.history.window.opened - (story.world.triggered or 0))  # type: ignore[operator]
    assert 4.0 <= (found.rollout_seconds or 0) <= 5.5
    assert 2.0 <= (found.downtime_seconds or 0) <= 5.5
    assert next(each.what for each in found.timeline.moments) is What.TRIGGERED
    moments = [each.at for each in found.timeline.moments]
    assert moments == sorted(moments)
    assert "The service reports the declared version." in found.facts.of(About.EVIDENCE)


@pytest.mark.parametrize(
    ("world", "inputs", "seconds"),
    [
        pytest.param(World(steady(ready(NEW)), (summary(),)), {"expect_version": NEW}, "0", id="none was seen"),
        pytest.param(
            World(lambda moment, _: ready(OLD) if moment < 2 else REFUSED, (reply(200),)),
            {"timeout": "20"},
            "",
            id="it never came back",
        ),
    ],
)
def test_downtime_is_zero_if_none_was_seen_and_empty_if_it_lasts(
    world: World, inputs: dict[str, str], seconds: str
) -> None:
    assert outputs.outputs(simulate(world, **inputs).outcome)["downtime-seconds"] == seconds


def test_the_rollout_of_a_build_known_by_its_digest_counts_from_that_digest() -> None:
    story = simulate(
        World(
            steady(ready()),
            ((summary(updated=1), 6.0),),
            containers=lambda moment: rows(("api", "x", D1 if moment < 5 else D2)),
        ),
        expect_digest=D2,
    )
    assert story.verdict == ("deployed", "")
    assert (story.outcome.rollout_seconds or 0) >= 5.0


def test_a_red_run_has_no_rollout_duration() -> None:
    story = simulate(World(steady(ready(OLD)), (reply(200),)), expect_version=NEW, timeout="20")
    assert outputs.outputs(story.outcome)["rollout-seconds"] == ""


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (summary(updated=1), "updated"),
        (summary(), "nothing"),
        (summary(updated=1, skipped=1), "partial"),
        (summary(failed=1), "failed"),
        (summary(scanned=0, skipped=1), "blocked"),
        (reply(200), "accepted"),
        (reply(429, {"error": "another update is already running"}, retry_after="999"), "busy"),
        (summary(scanned=0), "unknown"),
        (TransportError(ErrorKind.CUT), "unknown"),
        (reply(401), "none"),
        (REFUSED, "none"),
    ],
)
def test_watchtowers_result_is_an_output(answer: HttpResult, result: str) -> None:
    story = simulate(World(steady(ready(OLD)), (answer,)), timeout="30")
    assert outputs.outputs(story.outcome)["watchtower-result"] == result


def test_without_a_trigger_watchtowers_result_is_none() -> None:
    assert outputs.outputs(simulate(World(steady(ready(NEW))), mode="verify").outcome)["watchtower-result"] == "none"


def test_a_trigger_without_any_response_has_the_result_unknown() -> None:
    story = simulate(World(rollout, ((summary(updated=1), 500.0),)), expect_version=NEW, timeout="30")
    assert outputs.outputs(story.outcome)["watchtower-result"] == "unknown"
    assert story.verdict == ("deployed", "")
    [found] = annotations.annotations(story.outcome)
    assert found.kind == "warning"
    assert "without it" in found.message


def everything(story: Story) -> str:
    outcome = story.outcome
    texts = [*outputs.outputs(outcome).values(), shown(outcome), *story.log.lines]
    return "\n".join([*texts, *(f"{each.title} {each.message}" for each in annotations.annotations(outcome))])


@pytest.mark.parametrize(
    ("answer", "service"),
    [
        (summary(updated=1), rollout),
        (reply(401), rollout),
        (REFUSED, rollout),
        (reply(302, location=f"{BASE}/ops/s3cret-path/update/"), rollout),
        (summary(scanned=0, skipped=1), steady(ready(OLD))),
        (TransportError(ErrorKind.CUT), steady(page())),
    ],
)
def test_nothing_that_is_reported_holds_more_of_watchtowers_url_than_its_origin(
    answer: HttpResult, service: Callable[[float, Probe], HttpResult]
) -> None:
    url = f"{BASE}/ops/s3cret-path/update?key=s3cret-key"
    text = everything(simulate(World(service, (answer,)), watchtower_url=url, timeout="30"))
    assert "s3cret" not in text
    assert BASE in text


def test_nothing_that_is_reported_holds_a_secret_that_the_service_echoes() -> None:
    run = Run(watchtower_token="tok-8d1f0c6b2a", headers="X-Key: hunter2-hunter2", expect_version=NEW)
    state = ServiceState(run.state.plan, began=0.0, redact=redactor(run.state.plan.secrets))
    run.state = state
    echo = ready("tok-8d1f0c6b2a hunter2-hunter2")
    run.look(0.1, echo).trigger(1.0).answer(2.0, reply(200)).looks(2.0, 12.0, echo)
    outcome = result_of(state, Conclusion(Verdict.WRONG_BUILD, Reason.WRONG_VERSION), 12.0)
    values = json.dumps(outputs.outputs(outcome)) + shown(outcome)
    assert "tok-8d1f0c6b2a" not in values
    assert "hunter2" not in values
    assert outcome.version.live == "*** ***"


@pytest.mark.parametrize(
    ("answer", "service", "refused"),
    [
        pytest.param(REFUSED, steady(ready(OLD)), True, id="the trigger was refused"),
        pytest.param(page(521), steady(ready(OLD)), False, id="a proxy responded to the trigger"),
        pytest.param(reply(200), steady(REFUSED), True, id="the service refused"),
        pytest.param(reply(200), steady(page(502)), False, id="a proxy responded for the service"),
        pytest.param(reply(200), steady(TransportError(ErrorKind.TIMED_OUT)), False, id="the service was silent"),
    ],
)
def test_only_a_refused_loopback_address_is_reported_as_one(
    answer: HttpResult, service: Callable[[float, Probe], HttpResult], refused: bool
) -> None:
    story = simulate(World(service, (answer,)), watchtower_url="http://127.0.0.1:8080/v1/update", timeout="20")
    assert story.verdict[1] in ("unreachable", "down")
    assert (story.outcome.remedy is LOOPBACK) is refused
    elsewhere = simulate(World(service, (answer,)), timeout="20")
    assert elsewhere.outcome.remedy is not LOOPBACK


def test_a_new_process_is_never_reported_as_a_new_image() -> None:
    def restarted(moment: float, _: Probe) -> HttpResult:
        return ready(start_time=WALL - 5000) if moment < 2 else ready(start_time=WALL + 2.5)

    outcome = simulate(World(restarted, (reply(200),))).outcome
    text = " ".join([*outcome.facts.of(About.EVIDENCE), shown(outcome)])
    assert "A new process responds" in text
    assert "new image" not in text


def test_an_unfinished_run_is_reported_too() -> None:
    run = Run(expect_version=NEW).look(0.1, ready(OLD)).trigger(1.0).look(2.0, ready(OLD))
    known = result_of(run.state, Conclusion(Verdict.CANCELLED, signal=15), 3.0)
    outcome = dataclasses.replace(known, facts=known.facts.caused_by("SIGTERM came."))
    values = outputs.outputs(outcome)
    assert (values["verdict"], values["version"], values["watchtower-result"]) == ("cancelled", OLD, "unknown")
    assert outcome.conclusion.exit_code == 143
    assert "SIGTERM came." in annotations.annotations(outcome)[0].message


def test_a_result_before_anything_was_seen_is_reported_too() -> None:
    outcome = result_of(Run().state, Conclusion(Verdict.CANCELLED, signal=2), 0.0)
    values = outputs.outputs(outcome)
    assert (values["version"], values["downtime-seconds"], values["watchtower-result"]) == ("", "", "none")


def test_the_evidence_describes_the_end_and_not_the_course_of_the_run() -> None:
    went_back = simulate(
        World(lambda moment, _: ready(NEW) if 2 < moment < 6 else ready(OLD), ((reply(200), 5.0),)),
        expect_version=NEW,
        timeout="20",
    )
    assert went_back.verdict == ("stale", "old-build")
    assert not any("reports the declared version" in each for each in went_back.outcome.facts.of(About.EVIDENCE))
    still_gone = simulate(World(lambda moment, _: ready(OLD) if moment < 2 else REFUSED, (reply(200),)), timeout="20")
    assert "The service is unhealthy." in still_gone.outcome.facts.of(About.EVIDENCE)


# the checks


def contract(*paths: str) -> HttpResult:
    return reply(200, {"openapi": "3.1.0", "info": {"version": "1"}, "paths": {each: {"get": {}} for each in paths}})


def compared(before: HttpResult, after: HttpResult, **inputs: str) -> RunResult:
    """A rollout from one document to another."""
    world = World(rollout, (summary(updated=1),), document=lambda moment: before if moment < 2 else after)
    return simulate(world, request_rate="off", expect_version=NEW, **inputs).outcome


def test_routes_that_were_added_and_removed_are_outputs_and_shown() -> None:
    outcome = compared(contract("/a", "/b"), contract("/b", "/c"))
    written = outputs.outputs(outcome)
    assert json.loads(written["added-routes"]) == ["GET /c"]
    assert json.loads(written["removed-routes"]) == ["GET /a"]
    assert written["failed-checks"] == "[]"
    text = shown(outcome)
    assert "GET /a" in text
    assert "GET /c" in text
    assert [each.kind for each in annotations.annotations(outcome)] == ["warning"]


def test_checks_that_failed_are_outputs_and_in_the_one_annotation() -> None:
    outcome = compared(contract("/a"), contract("/a"), required_routes="/x\n/y", smoke="GET /s 404")
    written = outputs.outputs(outcome)
    assert (written["verdict"], written["reason"]) == ("checks-failed", "routes")
    assert json.loads(written["failed-checks"]) == ["required-route /x", "required-route /y", "smoke GET /s 404"]
    (annotation,) = annotations.annotations(outcome)
    assert annotation.kind == "error"
    assert "`/x` is missing" in annotation.message
    assert "`GET /s 404`: 200" in annotation.message


@pytest.mark.parametrize("breaking", ["ignore", "warn", "fail"])
def test_thousands_of_routes_are_reported_within_limits(breaking: str) -> None:
    many = contract(*(f"/{'p' * 60}/{number}" for number in range(5_000)))
    outcome = compared(many, contract("/new"), breaking_changes=breaking)
    assert len(json.loads(outputs.outputs(outcome)["removed-routes"])) <= 1_001
    assert len(shown(outcome).encode()) < 100_000
    found = annotations.annotations(outcome)
    assert len(found) <= 10
    assert all(len(each.message) < 4_000 for each in found)


def test_hostile_routes_stay_plain_text() -> None:
    outcome = compared(contract("/a"), contract("/" + HOSTILE, "/a"), forbidden_routes="/*", required_routes="/b")
    text = shown(outcome)
    assert "<script>" not in outside_code(text).replace("```diff", "")
    assert all("\n" not in each for each in outputs.outputs(outcome).values())
    assert all("\u202e" not in each.message for each in annotations.annotations(outcome))
    assert "##[" not in text


def reference_outcome(number: int, breaking: str) -> RunResult:
    """The end of a run whose reference file has this many operations, of which one is left."""
    lines = "".join(f"  /p{each}:\n    get: {{}}\n" for each in range(number))
    file = read_reference("docs/openapi.yaml", "openapi: 3.0.0\npaths:\n" + lines)
    state = ServiceState(plan(required_routes="/p0", breaking_changes=breaking), began=0.0)
    checks = dataclasses.replace(state.plan.checks, reference=file)
    state.plan = dataclasses.replace(state.plan, checks=checks)
    checking = state.checking
    checking.enter(0.0, {})
    request = FetchDocument(f"{BASE}/openapi.json")
    checking.take(Event(request=request, http_result=contract("/p0"), sent=1.0, at=1.1, wall=WALL), float("inf"))
    failed = checking.failure(0.0)
    verdict = Verdict.CHECKS_FAILED if failed else Verdict.DEPLOYED
    return result_of(state, Conclusion(verdict, failed or Reason.NONE, Proof.VERSION), 2.0)


@pytest.mark.parametrize(("breaking", "kind"), [("warn", "warning"), ("fail", "error")])
def test_a_removed_operation_is_annotated_at_its_line_in_the_reference_file(breaking: str, kind: str) -> None:
    headline, *places = annotations.annotations(reference_outcome(3, breaking))
    assert headline.kind == kind
    assert not headline.file
    assert [(each.kind, each.file, each.line) for each in places] == [
        (kind, "docs/openapi.yaml", 6),
        (kind, "docs/openapi.yaml", 8),
    ]
    assert "`GET /p1` is not in the live document" in places[0].message


@pytest.mark.parametrize("number", [2, 8, 9, 10, 11, 5_000])
@pytest.mark.parametrize("breaking", ["warn", "fail"])
def test_annotations_of_removed_operations_leave_room_for_two_more_warnings(number: int, breaking: str) -> None:
    assert len(annotations.annotations(reference_outcome(number, breaking))) == min(8, number)


def test_ignored_breaking_changes_are_not_annotated() -> None:
    assert annotations.annotations(reference_outcome(3, "ignore")) == []


def test_the_summary_counts_all_removed_operations() -> None:
    many = contract(*(f"/p{number}" for number in range(5_000)))
    assert "5000 removed" in shown(compared(many, contract("/new"))).replace(",", "")


# data for a later run


def test_observations_are_reported_for_a_later_run() -> None:
    run = Run().look(0.1, ready(OLD)).look(0.3, ready(OLD)).trigger(1.0).look(3.0, ready(NEW))
    outcome = result_of(run.state, Conclusion(Verdict.DEPLOYED), 4.0)
    found = json.loads(outputs.outputs(outcome)["report"])["seen"]
    assert found["url"] == BASE
    assert found["names"] == [{"field": "commit", "kind": "commit", "values": [OLD, NEW]}]
    assert found["ended"].endswith("Z")


def test_the_images_that_were_seen_to_run_are_reported_row_by_row() -> None:
    listed = [
        {"name": "api", "image": "ghcr.io/o/api:latest", "digest": D1, "image_id": "sha256:abc"},
        {"name": "api-2", "image": "ghcr.io/o/api:latest", "digest": D2},
        {"name": "web", "image": "ghcr.io/o/web:latest", "digest": D3},
    ]
    run = Run(image="ghcr.io/o/api").look(0.1, ready(OLD)).trigger(1.0).look(3.0, ready(NEW))
    run.containers(3.2, reply(200, {"containers": listed}))
    outcome = result_of(run.state, Conclusion(Verdict.DEPLOYED), 4.0)
    found = json.loads(outputs.outputs(outcome)["report"])["seen"]
    assert found["digests"] == [D1, D2]
    assert found["rows"] == [
        {"container": "api", "digest": D1, "image-id": "sha256:abc"},
        {"container": "api-2", "digest": D2, "image-id": ""},
    ]


def test_a_process_start_is_reported_from_a_start_time_or_an_uptime() -> None:
    run = Run()
    for second in range(5):
        run.look(float(second), ready(OLD, uptime=100 + second))
    found = run.trigger(6.0).look(7.0, ready(OLD, uptime=107, started_at="2026-01-01T00:00:00Z"))
    outcome = result_of(found.state, Conclusion(Verdict.UNPROVEN), 8.0)
    starts = {
        each["field"]: each["seconds"] for each in json.loads(outputs.outputs(outcome)["report"])["seen"]["starts"]
    }
    assert starts.keys() == {"uptime", "started_at"}
    assert starts["uptime"] == pytest.approx(WALL - 100, abs=2)


def test_an_image_with_a_registry_port_is_named_as_the_cause_unless_it_was_matched() -> None:
    run = Run(image="registry.example.com:5000/o/app").look(0.1, ready(OLD)).trigger(1.0)
    run.answer(2.0, reply(200)).look(3.0, ready(OLD))
    message = shown(result_of(run.state, Conclusion(Verdict.UNPROVEN, Reason.NO_CHANGE), 4.0))
    assert "containrrr and openserbia match no image whose registry has a port" in message
    run.answer(5.0, summary(scanned=1, updated=1))
    message = wording.happened(result_of(run.state, Conclusion(Verdict.UNPROVEN, Reason.NO_CHANGE), 6.0))
    assert "containrrr" not in message
