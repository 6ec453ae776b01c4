"""The rows of the sandbox's scenarios: each is valid, and a mistyped name gets a suggestion."""

import pytest

from redeploy.verdicts import Reason, Verdict
from sandbox.scenarios import SCENARIOS
from sandbox.scenarios.near import near_misses
from tests.unit.test_action_metadata import INPUTS


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("happy-paht", "happy-path"),
        ("happypath", "happy-path"),
        ("Old_Build", "old-build"),
        ("old", "old-build"),
        ("build-old", "old-build"),
        ("rolback", "rollback"),
        ("cancel", "cancelled-int"),
        ("doctr", "doctor"),
    ],
)
def test_the_most_probable_suggestion_comes_first(typed: str, meant: str) -> None:
    near = near_misses(typed, SCENARIOS)
    assert near[0] == meant
    assert len(near) <= 4


@pytest.mark.parametrize("typed", ["", "---", "xyzzy", "qqqqqqqq"])
def test_a_name_unlike_any_other_gets_no_suggestion(typed: str) -> None:
    assert near_misses(typed, SCENARIOS) == []


def test_names_and_titles_are_unique() -> None:
    assert len({scenario.title for scenario in SCENARIOS.values()}) == len(SCENARIOS)
    for name, scenario in SCENARIOS.items():
        assert name == name.lower().replace(" ", "-") == scenario.name
        assert scenario.shows.endswith(".")


def test_a_row_names_existing_verdicts_reasons_and_inputs() -> None:
    verdicts, reasons = {each.value for each in Verdict}, {each.value for each in Reason}
    for name, scenario in SCENARIOS.items():
        for verdict, reason in scenario.endings():
            assert verdict in verdicts, name
            assert reason in reasons, name
        if scenario.verdict != "invalid-config":
            assert set(scenario.inputs) <= set(INPUTS), name
