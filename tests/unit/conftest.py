"""How thoroughly properties are tried, and for which tests coverage is measured.

Properties are tried quickly in each run, thoroughly with `HYPOTHESIS_PROFILE=thorough make test`. Measuring coverage takes
longer than the test itself, so it is left out where the same lines are measured elsewhere.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from redeploy.decision.facts import Facts
from redeploy.decision.stop import should_stop
from redeploy.rollout import schedule
from tools.docs.decision_space import broken_rules

for name, examples in (("quick", 25), ("thorough", 1_000)):
    settings.register_profile(name, deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


UNIT = Path(__file__).parent
PLAYED = ("decision", "doctor", "fleet", "rollback", "rollout")
"""Rooms whose tests play whole runs; all cases of one test take the same path through the code."""
CASES = 1
"""How many cases of each test are measured there."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage for properties, for tests beside the rooms, and for later cases of a test that plays runs."""
    cases: Counter[tuple[Path, str]] = Counter()
    for item in items:
        if not isinstance(item, pytest.Function) or not item.path.is_relative_to(UNIT):
            continue
        test = item.path, item.originalname
        cases[test] += 1
        room = item.path.relative_to(UNIT).parts[0]
        is_property = getattr(item.obj, "is_hypothesis_test", False)
        if room.endswith(".py") or room == "tools" or is_property or (room in PLAYED and cases[test] > CASES):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def _no_run_comes_to_facts_that_the_rules_exclude(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the rules of `tools.docs.decision_space` in every run that a test plays: what they exclude never happens."""

    def checked(facts: Facts) -> bool:
        assert broken_rules(facts) == []
        return should_stop(facts)

    monkeypatch.setattr(schedule, "should_stop", checked)
