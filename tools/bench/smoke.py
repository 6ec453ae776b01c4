"""How long 200 smoke requests take, compared with the shortest time that the limit on concurrent ones allows."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from redeploy.rollout.schedule import MOST_AT_ONCE
from tools.bench.slow_service import SECONDS
from tools.bench.startup import ENTRYPOINT

ROUNDS = 5
REQUESTS = 200
SERVICE = Path(__file__).resolve().parent / "slow_service.py"


def measure() -> dict[str, float]:
    """Return the time from the first request to the last response as a multiple of the ideal, and the most at once.

    Both as the server sees them.
    """
    rounds = [_verified() for _ in range(ROUNDS)]
    return {
        "time": statistics.median(each["seconds"] for each in rounds) / (REQUESTS / MOST_AT_ONCE * SECONDS),
        "most at once": max(each["most at once"] for each in rounds),
    }


def _verified() -> dict[str, float]:
    """Run the whole action in mode `verify`, and return the server's report on the smoke requests."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-I", str(SERVICE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as service,
    ):
        assert service.stdout
        environment = {
            "INPUT_MODE": "verify",
            "INPUT_BASE-URL": service.stdout.readline().strip(),
            "INPUT_HEALTH-PATH": "/ready",
            "INPUT_OPENAPI-PATH": "off",
            "INPUT_SMOKE": "\n".join(f"GET /smoke/{number} 200" for number in range(REQUESTS)),
            "INPUT_REQUEST-RATE": "off",
            "INPUT_STABLE-FOR": "1s",
            "INPUT_TIMEOUT": "1m",
            "GITHUB_OUTPUT": f"{folder}/output",
            "GITHUB_STEP_SUMMARY": f"{folder}/summary",
            "PATH": os.environ["PATH"],
        }
        command = [sys.executable, "-I", "-u", str(ENTRYPOINT)]
        run = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        output, _ = service.communicate()
    seen: dict[str, float] = json.loads(output)
    if run.returncode or seen["requests"] != REQUESTS:
        msg = f"exit code {run.returncode} after {seen['requests']:g} answered smoke requests: {run.stdout.decode()}"
        raise AssertionError(msg)
    return seen
