"""What a run knows after each event."""

from collections.abc import Callable

import pytest

from redeploy.decision.verdict import conclude
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.rollout.requests import BOTH, Event, Probe
from redeploy.service.identity import Build
from redeploy.verdicts import Proof
from sandbox.simulation import BASE, REFUSED, WALL
from tests.unit.factories import D1, D2, D3, HEALTH, NEW, OLD, THIRD, VERSION, Run, ready, reply, rows, summary

UPDATED = summary(updated=1)


def running(digest: str) -> HttpResult:
    return rows(("api", "ghcr.io/o/api", digest))


def began(*baseline: HttpResult, **inputs: str) -> Run:
    """A run with this baseline, whose trigger was sent at 1 s."""
    run = Run(**inputs)
    for place, http_result in enumerate(baseline):
        run.look(0.1 + place * 0.3, http_result)
    return run.trigger(1.0)


# before the trigger


@pytest.mark.parametrize(
    ("baseline", "live"),
    [
        pytest.param([ready(NEW), ready(NEW)], True, id="live before"),
        pytest.param([ready(OLD)], False, id="another one"),
        pytest.param([], False, id="nothing seen"),
        pytest.param([ready()], False, id="no name"),
        pytest.param([ready(NEW), ready(OLD)], False, id="two builds in turn"),
        pytest.param([reply(503, {"commit": NEW})], False, id="live, but not healthy"),
        pytest.param([ready(NEW), TransportError(ErrorKind.CUT)], True, id="one look failed"),
    ],
)
def test_a_declared_build_was_live_before_if_every_response_named_it(baseline: list[HttpResult], live: bool) -> None:
    assert began(*baseline, expect_version=NEW).known(2.0).live_before is live


@pytest.mark.parametrize(("digest", "live"), [(D2, True), (D1, False), ("", False)])
def test_a_declared_digest_was_live_before_if_it_ran(digest: str, live: bool) -> None:
    run = Run(expect_digest=D2).look(0.1, ready()).containers(0.2, running(digest)).trigger(1.0)
    assert run.known(2.0).live_before is live


def test_if_both_are_declared_both_must_have_been_live_before() -> None:
    for digest, name, live in ((D2, NEW, True), (D1, NEW, False), (D2, OLD, False)):
        run = (
            Run(expect_digest=D2, expect_version=NEW)
            .look(0.1, ready(name))
            .containers(0.2, running(digest))
            .trigger(1.0)
        )
        assert run.known(2.0).live_before is live


def test_without_a_declaration_nothing_counts_as_live_before() -> None:
    assert not began(ready(NEW)).known(2.0).live_before


def test_the_clock_of_the_deadline_starts_with_the_first_trigger() -> None:
    run = began(ready(OLD), timeout="60")
    run.state.record_trigger(30.0, WALL + 30.0)
    assert run.state.deadline == 61.0


def test_in_mode_verify_the_clock_of_the_deadline_starts_at_once() -> None:
    assert Run(mode="verify", timeout="60").state.deadline == 60.0


# samples


def test_a_late_response_to_an_earlier_look_changes_nothing() -> None:
    run = began(ready(OLD)).look(10.0, ready(NEW), took=0.1).look(10.5, ready(OLD), took=5.0)
    assert run.state.history.build is Build.NEW
    assert len(run.state.samples) == 1


def test_a_late_response_does_not_settle_what_a_later_look_left_open() -> None:
    run, url = began(ready()), f"{BASE}/api/ready"

    def look(sent: float, at: float, http_result: HttpResult, *, past_caches: bool) -> None:
        request = Probe(BOTH, url, past_caches=past_caches)
        run.state.take(Event(request=request, http_result=http_result, sent=sent, at=at, wall=WALL + at))

    look(3.6, 3.7, REFUSED, past_caches=True)
    look(1.6, 4.4, ready(), past_caches=False)
    look(4.5, 4.6, REFUSED, past_caches=False)
    assert [sample.healthy for sample in run.state.samples] == [False, False]
    assert not run.state.history.window.fresh


def test_a_response_to_a_look_from_before_the_trigger_changes_nothing() -> None:
    run = began(ready(OLD)).look(2.0, ready(OLD), took=1.5)
    assert run.state.samples == []


def test_a_field_that_turns_out_to_be_noise_is_forgotten_from_the_start() -> None:
    run = began(ready("1", version="1"))
    for number in range(2, 6):
        run.look(float(number), ready(str(number), version="1"))
        if number == 3:
            assert run.known(3.0).new_build_seen
    assert not run.known(6.0).new_build_seen
    assert not run.known(6.0).window_broke


def test_a_new_process_counts_until_watchtower_says_that_it_replaced_nothing() -> None:
    run = began(ready(start_time=WALL - 5000)).looks(2.0, 8.0, ready(start_time=WALL + 1.5))
    assert run.known(8.0).held
    assert not run.answer(8.1, summary()).known(9.0).held


@pytest.mark.parametrize(
    ("uptime", "build"),
    [
        pytest.param(lambda at: 1000 + at if at < 1 else at - 1, Build.NEW, id="a new process, in seconds"),
        pytest.param(lambda at: 1e6 + at * 1e3 if at < 1 else (at - 1) * 1e3, Build.NEW, id="in milliseconds"),
        pytest.param(lambda at: 1000 + at, Build.OLD, id="the process from before"),
        pytest.param(lambda at: 99.98 if at < 1 else 99.5, Build.UNKNOWN, id="a percentage"),
        pytest.param(lambda at: 340 if at < 1 else int(at // 60), Build.UNKNOWN, id="whole minutes"),
    ],
)
def test_an_uptime_shows_a_new_process_once_it_was_seen_to_tick(uptime: Callable[[float], float], build: Build) -> None:
    run = began(ready(uptime=uptime(0.1)), ready(uptime=uptime(0.4)))
    run.look(2.0, ready(uptime=uptime(2.0)))
    assert run.state.history.build is Build.UNKNOWN
    for at in (3.0, 4.0, 5.0, 6.0):
        run.look(at, ready(uptime=uptime(at)))
    assert run.state.history.build is build
    assert not run.known(6.0).window_broke


def test_a_placeholder_counts_as_a_build_name_only_if_it_is_declared() -> None:
    assert began(ready("unknown"), expect_version=NEW).look(2.0, ready("unknown")).state.history.build is Build.UNNAMED
    assert began(ready(OLD), expect_version="stable").look(2.0, ready("stable")).state.history.build is Build.NEW


# proof by digest


def test_a_digest_proves_a_window_that_a_later_look_closes() -> None:
    run = Run(expect_digest=D2).look(0.1, ready()).containers(0.2, running(D1)).trigger(1.0).answer(2.0, UPDATED)
    run.containers(3.0, running(D2)).looks(3.5, 9.5, ready())
    assert not run.known(9.5).held
    run.containers(10.0, running(D2))
    assert run.known(10.0).held
    assert run.known(10.0).held_proof is Proof.DIGEST
    run.containers(11.0, running(D1))
    assert not run.known(11.0).held


def test_a_window_counts_only_from_when_the_digest_was_seen() -> None:
    run = Run(expect_digest=D2).look(0.1, ready()).containers(0.2, running(D1)).trigger(1.0).answer(2.0, UPDATED)
    run.looks(2.0, 9.0, ready()).containers(9.1, running(D2)).look(9.5, ready())
    assert not run.known(9.5).held
    run.looks(10.0, 15.0, ready()).containers(15.5, running(D2))
    assert run.known(15.5).held


def test_with_both_declared_both_must_be_met() -> None:
    run = Run(expect_digest=D2, expect_version=NEW).look(0.1, ready(OLD)).containers(0.2, running(D1)).trigger(1.0)
    run.answer(2.0, UPDATED).containers(3.0, running(D2)).looks(3.5, 12.5, ready(OLD)).containers(13.0, running(D2))
    assert not run.known(13.0).held
    run.looks(13.5, 20.5, ready(NEW)).containers(21.0, running(D2))
    assert run.known(21.0).held


def test_a_digest_that_differs_among_the_rows_proves_nothing() -> None:
    run = (
        Run(expect_digest=D2, image="o/api")
        .look(0.1, ready())
        .containers(0.2, running(D1))
        .trigger(1.0)
        .answer(2.0, UPDATED)
    )
    run.containers(3.0, rows(("a", "o/api", D2), ("b", "o/api", D3))).looks(3.5, 9.5, ready())
    run.containers(10.0, rows(("a", "o/api", D2), ("b", "o/api", D3)))
    assert not run.known(10.0).held


def test_a_digest_that_went_back_means_that_a_new_build_was_there() -> None:
    run = Run().look(0.1, ready()).containers(0.2, running(D1)).trigger(1.0).answer(2.0, reply(200))
    run.containers(3.0, running(D2)).look(4.0, ready()).containers(9.0, running(D1)).looks(10.0, 25.0, ready())
    known = run.known(25.0)
    assert known.new_build_seen
    assert conclude(known).verdict.value == "stale"


# the claim


@pytest.mark.parametrize(
    ("baseline", "answer", "after", "inputs", "claim"),
    [
        pytest.param(ready(), UPDATED, ready(), {}, True, id="one container, nothing visible"),
        pytest.param(ready(), summary(scanned=3, updated=1), ready(), {}, False, id="several scanned"),
        pytest.param(
            ready(), summary(scanned=3, updated=1), ready(), {"image": "o/api"}, False, id="one of the image's three"
        ),
        pytest.param(
            ready(), summary(scanned=3, updated=3), ready(), {"image": "o/api"}, True, id="all of the image's three"
        ),
        pytest.param(ready(OLD), UPDATED, ready(), {}, False, id="a build name is gone"),
        pytest.param(ready(start_time=WALL - 5000), UPDATED, ready(), {}, False, id="a start time is gone"),
        pytest.param(
            ready(), summary(scanned=2, updated=1, restarted=1), ready(), {}, False, id="a linked one was restarted"
        ),
        pytest.param(
            ready(), summary(scanned=3, updated=1), ready(), {"image": "o/api,o/web"}, False, id="narrowed to two"
        ),
        pytest.param(ready(), summary(updated=1, skipped=1), ready(), {}, False, id="something skipped"),
        pytest.param(ready(), summary(updated=1, failed=1), ready(), {}, False, id="something failed"),
        pytest.param(ready(), summary(), ready(), {}, False, id="nothing updated"),
        pytest.param(
            ready(),
            reply(200, {"status": "completed", "scanned": 1, "updated": 1}),
            ready(),
            {},
            False,
            id="a summary without skipped",
        ),
        pytest.param(
            ready(),
            reply(200, {"summary": {"scanned": 1, "updated": 1, "failed": 0}}),
            ready(),
            {},
            False,
            id="an old summary without skipped",
        ),
        pytest.param(ready(), reply(200), ready(), {}, False, id="accepted"),
        pytest.param(ready(OLD), UPDATED, ready(OLD), {}, False, id="a build name stayed"),
        pytest.param(
            ready(start_time=WALL - 5000), UPDATED, ready(start_time=WALL - 5000), {}, False, id="the process stayed"
        ),
    ],
)
def test_only_an_unambiguous_summary_claims_an_update(
    baseline: HttpResult, answer: HttpResult, after: HttpResult, inputs: dict[str, str], claim: bool
) -> None:
    run = began(baseline, **inputs).answer(2.0, answer).looks(2.5, 9.5, after)
    assert (run.assessed.claims, run.known(9.5).claim_held) == (claim, claim)


def test_a_claim_holds_only_after_stable_for_of_health_since_the_response() -> None:
    run = began(ready()).looks(1.5, 8.5, ready()).answer(9.0, UPDATED).look(9.5, ready())
    assert run.assessed.claims
    assert not run.known(9.5).claim_held
    assert run.looks(10.0, 15.0, ready()).known(15.0).claim_held


def test_a_build_name_that_turned_out_to_be_noise_contradicts_the_claim() -> None:
    run = began(ready(OLD), ready(NEW)).answer(2.0, UPDATED).looks(2.5, 9.5, ready(OLD))
    assert not run.assessed.claims


def test_an_unchanged_running_digest_contradicts_the_claim() -> None:
    run = Run().look(0.1, ready()).containers(0.2, running(D1)).trigger(1.0).answer(2.0, UPDATED)
    run.containers(2.2, running(D1)).looks(2.5, 9.5, ready())
    assert not run.assessed.claims


# after Watchtower's response


def test_the_build_that_was_live_before_must_stay_live_for_a_window_after_the_response() -> None:
    run = began(ready(NEW), expect_version=NEW).looks(1.2, 9.2, ready(NEW))
    assert run.known(9.3).held, "no response yet: it may never come"
    run.answer(9.5, summary()).looks(10.2, 14.2, ready(NEW))
    assert not run.known(14.3).held
    assert run.look(14.6, ready(NEW)).known(14.7).held


@pytest.mark.parametrize(
    ("moments", "stayed"),
    [
        pytest.param({}, True, id="nothing else was seen"),
        pytest.param({2.0: TransportError(ErrorKind.CUT)}, True, id="a gap before the response"),
        pytest.param({6.0: TransportError(ErrorKind.CUT)}, False, id="a gap after it"),
        pytest.param({6.0: ready(THIRD), 14.0: ready(THIRD)}, False, id="another build responds"),
        pytest.param({6.0: ready(NEW)}, False, id="the declared build has responded"),
        pytest.param({14.0: TransportError(ErrorKind.CUT)}, False, id="it is gone now"),
    ],
)
def test_the_old_build_stayed_if_it_alone_was_healthy_since_the_response(
    moments: dict[float, HttpResult], stayed: bool
) -> None:
    run = began(ready(OLD), expect_version=NEW)
    for moment in map(float, range(2, 15)):
        if moment == 4.0:
            run.answer(3.9, summary())
        assert not run.known(moment).old_build_stayed
        run.look(moment, moments.get(moment, ready(OLD)))
    assert run.known(14.1).old_build_stayed is stayed


# the deadline


@pytest.mark.parametrize(("moment", "in_time"), [(49.0, True), (50.0, True), (51.0, False)])
def test_a_window_is_in_time_that_began_before_the_deadline(moment: float, in_time: bool) -> None:
    run = began(ready(OLD), timeout="49s").look(moment, ready(NEW))
    assert run.state.deadline == 50.0
    assert run.known(60.0).window_in_time is in_time
    assert not run.look(61.0, TransportError(ErrorKind.REFUSED)).known(62.0).window_in_time


# what distinguishes builds


@pytest.mark.parametrize(
    ("http_result", "visible"),
    [(ready(), False), (ready(OLD), True), (ready(start_time=WALL - 5000), True)],
    ids=["nothing", "a build name", "a start time"],
)
def test_builds_are_distinguishable_by_a_name_or_a_start_time(http_result: HttpResult, visible: bool) -> None:
    assert began(http_result).looks(2.0, 3.0, http_result).known(3.0).builds_visible is visible


def test_builds_are_distinguishable_by_a_running_digest() -> None:
    run = Run().look(0.1, ready()).containers(0.2, running(D1)).trigger(1.0).containers(2.0, running(D1))
    assert run.known(3.0).builds_visible


# a separate version address


def test_with_a_separate_version_address_health_alone_does_not_identify_the_build() -> None:
    run = Run(expect_version=NEW, version_path="/version")
    run.look(0.1, ready(OLD), HEALTH).look(0.1, ready(OLD), VERSION).trigger(1.0).answer(1.5, UPDATED)
    run.look(2.0, ready(NEW), HEALTH)
    assert not run.known(2.0).new_build_seen
    run.look(3.0, ready(NEW), VERSION)
    assert run.known(3.0).new_build_seen


def test_a_response_that_leads_to_a_resend_is_not_final() -> None:
    run = began(ready(OLD), expect_version=NEW).answer(2.0, reply(429, retry_after="5"))
    assert not run.known(3.0).answer_final
    assert run.state.trigger.resend_at == 7.0
    assert run.known(3.0).refusal is None


def test_another_version_is_not_a_change_if_the_container_kept_its_image() -> None:
    run = Run().look(0.1, ready(version="1.0.0")).containers(0.2, running(D1)).trigger(1.0).answer(2.0, reply(200))
    run.containers(2.5, running(D1)).looks(3.0, 10.0, ready(version="1.0.1"))
    assert not run.assessed.expected_under_way
    run.containers(11.0, running(D2))
    assert run.assessed.expected_under_way


def test_another_commit_is_a_change_even_if_the_container_kept_its_image() -> None:
    run = Run().look(0.1, ready(OLD)).containers(0.2, running(D1)).trigger(1.0).answer(2.0, summary())
    run.containers(2.5, running(D1)).looks(3.0, 10.0, ready(NEW))
    assert run.assessed.expected_under_way


def test_an_image_without_a_tag_takes_the_tag_of_its_only_container() -> None:
    run = Run(image="ghcr.io/o/api").containers(0.2, rows(("api", "ghcr.io/o/api:main", D1)))
    assert str(run.state.plan.image) == "ghcr.io/o/api:main"
    assert run.state.lookup is not None
    assert run.state.lookup.image.tag == "main"


def test_an_image_with_a_tag_keeps_it() -> None:
    run = Run(image="ghcr.io/o/api:prod").containers(0.2, rows(("api", "ghcr.io/o/api:main", D1)))
    assert str(run.state.plan.image) == "ghcr.io/o/api:prod"
