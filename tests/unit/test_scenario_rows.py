import pytest

from sandbox.scenarios import SCENARIOS
from sandbox.scenarios.near import near_misses


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
def test_what_was_probably_meant_comes_first(typed: str, meant: str) -> None:
    near = near_misses(typed, SCENARIOS)
    assert near[0] == meant
    assert len(near) <= 4


@pytest.mark.parametrize("typed", ["", "---", "xyzzy", "qqqqqqqq"])
def test_what_is_like_nothing_gets_no_suggestion(typed: str) -> None:
    assert near_misses(typed, SCENARIOS) == []
