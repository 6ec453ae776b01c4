"""The sandbox's Watchtower as a container; `make e2e` has it at work."""

import pytest

from sandbox.watchtower.container_main import flags, seconds
from tests.deploy_files import PROD, compose


def test_it_takes_what_the_shipped_compose_file_says() -> None:
    said = flags(compose(PROD)["services"]["watchtower"]["environment"])
    assert said["address"] == ("0.0.0.0", 8080)
    assert (said["stop_timeout"], said["update_timeout"]) == (60, 1800)
    assert (said["include_restarting"], said["monitor_only"]) == (True, False)
    assert said["proxy_header"] == "X-Real-IP"


def test_what_is_not_said_is_as_in_the_real_one() -> None:
    said = flags({"WATCHTOWER_TIMEOUT": "", "PATH": "/bin"})
    assert (said["stop_timeout"], said["update_timeout"], said["include_restarting"]) == (10, 600, False)


@pytest.mark.parametrize(("text", "expected"), [("15s", 15), ("30m", 1800), ("1h2m3s", 3723)])
def test_a_duration_is_read_as_go_writes_it(text: str, expected: float) -> None:
    assert seconds(text) == expected
