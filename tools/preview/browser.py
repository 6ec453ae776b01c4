"""A headless Chromium, controlled by the DevTools protocol over the two pipes of `--remote-debugging-pipe`."""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
import unicodedata
from pathlib import Path
from typing import Any, Self

from tools.preview.assets import MissingError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)
_PATIENCE = 60.0
_FIRST_FREE = 10
"""The browser reads commands from descriptor 3 and writes responses to 4, so our ends must be above."""


def find() -> str:
    """Return the path of the browser.

    Raises:
        MissingError: It is not on the PATH.
    """
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    raise MissingError(
        f"There is no Chromium on the PATH (looked for {', '.join(_NAMES)}). On Debian: apt-get install chromium."
    )


class Browser:
    """One page in its own browser."""

    def __init__(self, page: Path, scale: float) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="preview-", ignore_cleanup_errors=True)
        self._pid, self._orders, self._answers = _start(find(), self._profile.name)
        self._number = 0
        self._buffer = b""
        self._session = ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        # Wide enough for every pane, so that pictures can be cut from one window.
        self._ask("Emulation.setDeviceMetricsOverride", width=1200, height=1000, deviceScaleFactor=scale, mobile=False)
        self._ask("Page.navigate", url=f"{page.resolve().as_uri()}?alone")
        deadline = time.monotonic() + _PATIENCE
        while not self.evaluate("document.readyState === 'complete' && typeof preview === 'object'"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{page} did not load within {_PATIENCE:g} s")
            time.sleep(0.05)

    def evaluate(self, script: str) -> Any:  # noqa: ANN401  any result of the script
        """Run a script, and return its value."""
        response = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in response:
            raise RuntimeError(f"{script}: {response['exceptionDetails']}")
        return response["result"].get("value")

    def boxes(self, text: str) -> str:
        """Return the characters of a text that are in no font: each would be drawn as a box."""
        drawable = "".join(each for each in sorted(set(text)) if unicodedata.category(each)[0] not in "CZ")
        missing: str = self.evaluate(f"preview.boxes({json.dumps(drawable)})")
        return missing

    def picture(self, x: float, y: float, width: float, height: float) -> bytes:
        """Return a part of the page as PNG, even outside the window."""
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        response = self._ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(response["data"])

    def close(self) -> None:
        """End the browser and all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._orders)
        os.close(self._answers)
        self._profile.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        order = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._orders, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + _PATIENCE
        while True:
            message = self._receive(deadline)
            if message.get("id") != self._number:
                continue  # an event
            if "error" in message:
                raise RuntimeError(f"the browser refused {method}: {message['error']}")
            result: dict[str, Any] = message["result"]
            return result

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the browser did not answer within {_PATIENCE:g} s")
            data = os.read(self._answers, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended by itself")
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


def _start(program: str, profile: str) -> tuple[int, int, int]:
    """Start the browser, and return its process and our ends of both pipes."""
    command = [program, *_FLAGS, f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium's own sandbox refuses root
    ends = [_raised(end) for end in (*os.pipe(), *os.pipe())]
    orders_out, orders_in, answers_out, answers_in = ends
    quiet = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, quiet, number) for number in (0, 1, 2)]
    actions += [(os.POSIX_SPAWN_DUP2, orders_out, 3), (os.POSIX_SPAWN_DUP2, answers_in, 4)]
    pid = os.posix_spawn(program, command, os.environ, file_actions=actions, setpgroup=0)
    for end in (orders_out, answers_in, quiet):
        os.close(end)
    return pid, orders_in, answers_out


def _raised(end: int) -> int:
    """Return the same end above the browser's descriptors, not inherited by it."""
    raised = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    os.close(end)
    return raised
