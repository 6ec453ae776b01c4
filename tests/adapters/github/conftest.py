"""A GitHub server to write to, checked against GitHub's published API description."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.network.github import GitHub, Mishaps
from tests import schema_checks

TOKEN = "ghs_0123456789abcdef"
RUN = "https://github.example/o/r/actions/runs/7"

Start = Callable[..., GitHub]


@pytest.fixture
def github() -> Iterator[Start]:
    """Start GitHub servers; after the test, all their requests and responses are checked against the API description."""
    started: list[GitHub] = []

    def start(mishaps: Mishaps | None = None) -> GitHub:
        one = GitHub(mishaps)
        one.listen()
        started.append(one)
        return one

    yield start
    for one in started:
        one.close()
        schema_checks.check(one)
        assert not any(TOKEN in str(each.asked) for each in one.talks)
