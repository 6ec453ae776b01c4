"""How long a new user waits for the demo, once it is set up."""

import subprocess
import sys
import time
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2]


def measure() -> float:
    """Return the seconds that the command takes. Raises `CalledProcessError` if the demo fails."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "sandbox", "--demo", "happy-path"], cwd=_PROJECT, check=True, capture_output=True
    )
    return time.monotonic() - began
