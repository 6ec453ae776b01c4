"""How thoroughly properties are tried: quickly in each run, thoroughly with `HYPOTHESIS_PROFILE=thorough make test`."""

import os

import pytest
from hypothesis import HealthCheck, settings

from redeploy.decision.facts import Facts
from redeploy.decision.stop import should_stop
from redeploy.rollout import schedule
from tools.docs.decision_space import broken_rules

for name, examples in (("quick", 25), ("thorough", 1_000)):
    settings.register_profile(name, deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def _no_run_comes_to_facts_that_the_rules_exclude(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the rules of `tools.docs.decision_space` against every run that a test plays: what they exclude never happens."""

    def checked(facts: Facts) -> bool:
        assert broken_rules(facts) == []
        return should_stop(facts)

    monkeypatch.setattr(schedule, "should_stop", checked)
