"""The settings of the sandbox's Watchtower as a container; `make e2e` runs it."""

import pytest

from sandbox.watchtower.container_main import flags, seconds
from tests.deploy_files import PROD, compose


def test_it_reads_the_environment_of_the_shipped_compose_file() -> None:
    settings = flags(compose(PROD)["services"]["watchtower"]["environment"])
    assert settings["address"] == ("0.0.0.0", 8080)
    assert (settings["stop_timeout"], settings["update_timeout"]) == (60, 1800)
    assert (settings["include_restarting"], settings["monitor_only"]) == (True, False)
    assert settings["proxy_header"] == "X-Real-IP"


def test_defaults_are_those_of_the_real_watchtower() -> None:
    settings = flags({"WATCHTOWER_TIMEOUT": "", "PATH": "/bin"})
    assert (settings["stop_timeout"], settings["update_timeout"], settings["include_restarting"]) == (10, 600, False)


@pytest.mark.parametrize(("text", "expected"), [("15s", 15), ("30m", 1800), ("1h2m3s", 3723)])
def test_a_duration_is_read_as_go_writes_it(text: str, expected: float) -> None:
    assert seconds(text) == expected
