from collections.abc import Iterator

import pytest

from sandbox.server.process_pool import ProcessPool
from tests.signals import heed

heed()


@pytest.fixture(scope="session")
def pool() -> Iterator[ProcessPool]:
    """Where the sandbox's services start; one for all tests of a worker, since each imports a web framework first."""
    with ProcessPool() as one:
        yield one
