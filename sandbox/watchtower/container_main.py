"""A Watchtower of the sandbox as its own container on a real engine, with the real one's environment variables.

`python -m sandbox.watchtower.container_main` replaces the real one's `/watchtower`, including `--health-check`.
"""

import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Any, cast

from sandbox.server.docker import Engine, Pulled
from sandbox.watchtower.updater import EngineUnreachableError
from sandbox.watchtower.variants import Variant, watchtower
from sandbox.watchtower.watchtower import Watchtower

_PORT = 8080
_PREFIX = "WATCHTOWER_"


def flags(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return fields of `sandbox.watchtower.updater.Settings`, from the real one's variables."""
    given = {
        name.removeprefix(_PREFIX): text for name, text in environment.items() if name.startswith(_PREFIX) and text
    }
    return {
        "address": ("0.0.0.0", _PORT),  # noqa: S104  of a container
        "pull_time": 0.0,
        "create_time": 0.0,
        "stop_timeout": seconds(given.get("TIMEOUT", "10s")),
        "update_timeout": seconds(given.get("HTTP_API_UPDATE_TIMEOUT", "10m")),
        "include_restarting": given.get("INCLUDE_RESTARTING") == "true",
        "no_pull": given.get("NO_PULL") == "true",
        "monitor_only": given.get("MONITOR_ONLY") == "true",
        "proxy_header": given.get("HTTP_API_PROXY_HEADER", ""),
    }


def seconds(duration: str) -> float:
    """Return the seconds of a duration as Go writes it, with hours, minutes and seconds."""
    units = {"h": 3600, "m": 60, "s": 1}
    return float(sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", duration)))


def _poll(one: Watchtower[Pulled], every: float, over: threading.Event) -> None:
    """Run the scheduled updates."""
    while not over.wait(every):
        with one.updater.busy:
            try:
                one.updater.update(lambda _: True, float("inf"))
            except EngineUnreachableError:
                print("the engine does not respond", flush=True)


def _answers() -> int:
    with socket.create_connection(("127.0.0.1", _PORT), 2):
        return 0


def main() -> int:
    """Serve until a signal stops it."""
    if "--health-check" in sys.argv:
        return _answers()
    token = os.environ["WATCHTOWER_HTTP_API_TOKEN"]
    one = watchtower(
        cast("Variant", os.environ["SANDBOX_VARIANT"]),
        Engine(os.environ.get("WATCHTOWER_SCOPE", "")),
        token,
        **flags(os.environ),
    )
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    if os.environ.get("WATCHTOWER_HTTP_API_PERIODIC_POLLS") == "true":
        every = float(os.environ.get("WATCHTOWER_POLL_INTERVAL", "86400"))
        threading.Thread(target=_poll, args=(one, every, over), daemon=True).start()
    one.listen()
    print(f"listens on {_PORT}", flush=True)
    over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
