"""How thoroughly properties are tried: quickly in each run, thoroughly with `HYPOTHESIS_PROFILE=thorough make test`."""

import os

from hypothesis import HealthCheck, settings

for name, examples in (("quick", 40), ("thorough", 1_000)):
    settings.register_profile(name, deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
