"""Programs that tests start behave the same however the tests were started."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Runner
from tests.ports import free_port
from tests.signals import heed

IGNORED = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]
SHOW = f"import signal; print([signal.getsignal(each) is signal.SIG_IGN for each in {[*map(int, IGNORED)]}])"
NONE = f"{[False] * len(IGNORED)}"


@pytest.fixture
def ignoring_signals() -> Iterator[None]:
    """Ignore signals, as in a process that a shell or `nohup` starts in the background."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in IGNORED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_action_gets_signals_that_the_sandbox_itself_ignores(ignoring_signals: None, tmp_path: Path) -> None:
    (tmp_path / "action.yml").write_text("inputs: {}\noutputs: {}\n")
    (tmp_path / "entrypoint.py").write_text(SHOW)
    assert Runner(tmp_path, FromCheckout(Path(sys.executable)), patience=20).run({}).log == NONE


def test_a_program_gets_signals_that_the_tests_themselves_ignore(ignoring_signals: None) -> None:
    heed()
    ran = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True, timeout=20)
    assert ran.stdout.strip() == NONE
    signal.raise_signal(signal.SIGINT)  # does not end the tests themselves


def test_a_free_port_is_never_given_twice_and_a_server_can_listen_on_it() -> None:
    ports = [free_port() for _ in range(50)]
    with socket.create_server(("127.0.0.1", 0)) as another:
        assert another.getsockname()[1] not in ports
    assert len(set(ports)) == len(ports)
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", ports[0]))
    with socket.create_server(("127.0.0.1", ports[0])), socket.create_connection(("127.0.0.1", ports[0])):
        pass
