"""The cost of reading one health response of 1 MiB with any content, compared with `json.loads`."""

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from redeploy.conditions.expectation import NOTHING_EXPECTED, Expectation
from redeploy.conditions.grammar import expectation
from redeploy.http.response import Response
from redeploy.rollout.requests import BOTH
from redeploy.service.endpoint import Service
from redeploy.service.sample import Sample, read_sample
from redeploy.text.secret import Secret, redactor
from sandbox.simulation import BASE, TOKEN
from tools.bench.startup import resident

SIZE = 2**20
ROUNDS = 9
ELEMENTS = 170_000

_ONE_TEXT = b'{"status": "ok", "a": "%s"}'
BODIES: Mapping[str, Callable[[], bytes]] = {
    "rows": lambda: _array('{"id": 12345, "name": "item", "price": 1.5, "ok": true}'),
    "empty arrays": lambda: _array("[]"),
    "empty objects": lambda: _array("{}"),
    "fractions, one of them a version": lambda: b'{"version": 1.10, ' + _array("1.5")[1:],
    "arrays in arrays": lambda: _array("[" * 150 + "]" * 150),
    "names of versions": lambda: b"{%s}" % b",".join(b'"a%06d_version":"1"' % each for each in range(SIZE // 22)),
    "a text of brackets": lambda: _ONE_TEXT % (b"[{" * (SIZE // 2 - 20)),
    "a text of quotes": lambda: _ONE_TEXT % (b'\\"[' * (SIZE // 3 - 10)),
    "texts of brackets": lambda: _array('"[","a"'),
    "blanks": lambda: b" " * (SIZE - 40) + b'{"status": "ok"}',
}
"""Bodies that are JSON, some of them as a hostile service would send them."""

_LISTS: Mapping[str, Callable[[], bytes]] = {
    "numbers": lambda: json.dumps({"data": list(range(ELEMENTS))}).encode(),
    "words": lambda: json.dumps({"data": [f"w{each}" for each in range(ELEMENTS)]}).encode(),
    "flags": lambda: json.dumps({"data": [True, False] * (ELEMENTS // 2)}).encode(),
    "objects": lambda: json.dumps({"data": [{}] * ELEMENTS}).encode(),
}
_CONDITIONS = "data contains 170001\ndata !contains true|x\ndata contains 7"


def measure() -> dict[str, float]:
    """Return the largest time ratio of any body, with and without a condition on it, and the most MiB that one takes."""
    return {
        "time": max(
            _ratio(make(), each) for make in BODIES.values() for each in (NOTHING_EXPECTED, _asks("status=ok"))
        ),
        "conditions": max(_ratio(make(), _asks(_CONDITIONS)) for make in _LISTS.values()),
        "memory": max(_memory(name) for name in BODIES),
    }


def _array(element: str) -> bytes:
    number = (SIZE - 30) // (len(element) + 1)
    return b'{"status": "ok", "data": [%s]}' % ",".join([element] * number).encode()


def _asks(conditions: str) -> Expectation:
    return expectation(conditions)


def _ratio(body: bytes, expected: Expectation) -> float:
    """Return the median ratio of the CPU times of rounds in which both are measured in turn."""
    ratios = []
    for _ in range(ROUNDS):
        base = _seconds(lambda: json.loads(body))
        ratios.append(_seconds(lambda: _read(body, expected)) / base)
    return statistics.median(ratios)


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def _read(body: bytes, expected: Expectation) -> Sample:
    address = f"{BASE}/api/ready"
    service = Service(
        base_url=BASE,
        health_url=address,
        version_url=address,
        names_itself=False,
        health_expect=expected,
        version_field="",
    )
    reply = Response(200, {"content-type": "application/json"}, body)
    return read_sample(reply, service, BOTH, sent=0.0, at=1.0, wall=1.8e9, redact=redactor([Secret(TOKEN)]))


def _memory(name: str) -> float:
    command = [sys.executable, "-m", "tools.bench.reading", name]
    root = Path(__file__).resolve().parents[2]
    return float(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)


def _grows(name: str) -> float:
    """Return by how many MiB this process's peak memory grows."""
    _read(b'{"status": "ok"}', _asks("status=ok"))  # loads modules
    body = BODIES[name]()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak to the current resident memory
    before = resident("self", "VmRSS")
    _read(body, _asks("status=ok"))
    return (resident("self", "VmHWM") - before) / 1024


if __name__ == "__main__":
    print(_grows(sys.argv[1]))
