"""Messages about the fields that name the build."""

import pytest

from redeploy.decision.verdict import Conclusion
from redeploy.http.response import HttpResult
from redeploy.report.collect import result_of
from redeploy.report.facts import About
from redeploy.report.wording import happened
from redeploy.service.naming import names_in
from redeploy.verdicts import Reason, Verdict
from sandbox.simulation import plan
from tests.unit.factories import HEALTH, NEW, OLD, VERSION, Run, reply


def named(reason: Reason, before: HttpResult, after: HttpResult, **inputs: str) -> str:
    run = Run(**inputs).look(0.1, before).look(0.4, before).trigger(1.0).looks(2.0, 4.0, after)
    outcome = result_of(run.state, Conclusion(Verdict.WRONG_BUILD, reason), 5.0)
    said = "".join(outcome.facts.of(About.NAMES))
    assert happened(outcome).endswith(said)
    return said


def test_contradictory_versions_are_listed_with_the_input_to_set() -> None:
    both = reply(200, {"version": "1.3.0", "release": "1.4.0"})
    said = named(Reason.VERSION_UNAVAILABLE, reply(200, {}), both, expect_version="1.4.0")
    assert said == (
        "The response has several versions that contradict each other: `version` says `1.3.0`, `release` says `1.4.0`. "
        "Set which one counts, for example with `version-field: release`."
    )


def test_the_field_of_the_version_is_named() -> None:
    said = named(Reason.WRONG_VERSION, reply(200, {}), reply(200, {"version": "1.3.0"}), expect_version="1.4.0")
    assert said == "The version was read from `version`."


def test_a_field_of_lower_rank_that_says_the_declared_version_is_offered() -> None:
    inner = reply(200, {"version": "1.3.0", "app": {"version": "1.4.0"}})
    said = named(Reason.WRONG_VERSION, reply(200, {}), inner, expect_version="1.4.0")
    assert "`app.version` has the expected version, but ranks lower" in said
    assert said.endswith("`version-field: app.version`.")


def test_a_field_with_a_dot_in_its_name_is_offered_as_a_pointer_that_picks_it() -> None:
    both = {"build": {"commit": OLD}, "vcs.revision": NEW}
    said = named(Reason.WRONG_VERSION, reply(200, {}), reply(200, {"commit": OLD} | both), expect_version=NEW)
    assert said.endswith("`version-field: /vcs.revision`.")
    service = plan(version_field="/vcs.revision").service
    assert names_in(reply(200, both), service, for_version=True, healthy=True)["/vcs.revision"].text == NEW


def test_a_placeholder_that_names_no_build_is_shown() -> None:
    said = named(Reason.VERSION_UNAVAILABLE, reply(200, {}), reply(200, {"commit": "unknown"}), expect_version=NEW)
    assert said == "`commit` says `unknown`, which does not name a build."


@pytest.mark.parametrize("reason", [Reason.NO_CHANGE, Reason.NOTHING_TO_DO])
def test_a_changed_version_beside_an_unchanged_commit_is_explained(reason: Reason) -> None:
    before, after = reply(200, {"commit": OLD, "version": "1"}), reply(200, {"commit": OLD, "version": "2"})
    assert named(reason, before, after) == "`version` changed, but `commit` did not: that is the same build."


def test_with_a_declared_field_or_another_reason_nothing_is_added() -> None:
    other = reply(200, {"version": "1.3.0"})
    assert named(Reason.WRONG_VERSION, other, other, expect_version="1.4.0", version_field="version") == ""
    assert named(Reason.FLAPPING, other, other, expect_version="1.4.0") == ""
    assert named(Reason.WRONG_VERSION, reply(200, {}), reply(200, {}), expect_version="1.4.0") == ""


def test_the_version_is_that_of_the_version_address() -> None:
    run = Run(version_path="/version", expect_version="1.5.0")
    health, version = reply(200, {"version": "2.0"}), reply(200, {"version": "1.4.0"})
    run.look(0.1, version, VERSION).look(0.2, health, HEALTH).trigger(1.0)
    run.look(2.0, version, VERSION).look(3.0, health, HEALTH)
    outcome = result_of(run.state, Conclusion(Verdict.STALE, Reason.OLD_BUILD), 5.0)
    assert (outcome.version.live, outcome.version.before) == ("1.4.0", "1.4.0")
