"""The cost of two large OpenAPI documents for a run, compared with `json.loads` of both."""

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from redeploy.contract.routes import parse_pattern
from redeploy.contract.settings import Breaking, Checks
from redeploy.http.response import HttpResult, Response
from redeploy.rollout.checks import Checking
from redeploy.rollout.requests import Event, FetchDocument, Probe
from redeploy.text.secret import Secret, redactor
from sandbox.simulation import REFUSED, TOKEN, World, simulate
from tools.bench.answers import NEW, OLD, names
from tools.bench.large_document import URL, large_document, shortened, written
from tools.bench.startup import resident

ROUNDS = 11
PROCESSES = 3
REQUIRED = ("GET /new", "/**/{id}", "GET /*/{owner}/**")
DOCUMENT = f"{URL}openapi.json"
_SMALL = b'{"openapi": "3.0.3", "paths": {"/new": {"get": {}}, "/a/{owner}/{id}": {"get": {}}}}'


def measure() -> dict[str, float]:
    """Return time and peak memory of the work on both, as multiples of those of `json.loads` on one after another.

    Time: from two responses to the result of their comparison. Memory: by how much a whole run grows, each document being
    fetched when the run requests it. The modules, `jsonschema` above all, are loaded before: they cost the same for
    the smallest document.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.json"), Path(folder, "after.json")
        document = large_document()
        size = before.write_bytes(written(document))
        assert 12_500_000 < size < 13_500_000, size
        paths = document["paths"]
        first = next(iter(paths))
        paths["/new"] = paths.pop(first)
        after.write_bytes(written(document))

        def child(what: str) -> float:
            command = [sys.executable, "-m", "tools.bench.contract", what, str(before), str(after)]
            root = Path(__file__).resolve().parents[2]
            return float(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)

        loaded, simulated = (statistics.median(child(what) for _ in range(PROCESSES)) for what in ("loads", "story"))
        return {"time": statistics.median(child("time") for _ in range(PROCESSES)), "peak memory": simulated / loaded}


def by_size(paths: Sequence[int]) -> dict[float, float]:
    """Return the time of the work on two documents as a multiple of that of `json.loads`, by the size of one in kB."""
    found = {}
    for number in paths:
        document = shortened(large_document(), number)
        before = written(document)
        kept = document["paths"]
        first = next(iter(kept))
        kept["/new"] = kept.pop(first)
        found[len(before) / 1000] = _time(before, written(document), REQUIRED[:1])
    return found


def _time(before: bytes, after: bytes, required: Sequence[str] = REQUIRED) -> float:
    """Return the median ratio of rounds in which both are measured in turn."""
    checks = Checks(document_url=DOCUMENT, required=tuple(map(parse_pattern, required)), breaking=Breaking.FAIL)
    redact = redactor([Secret(TOKEN)])

    def loads() -> None:
        json.loads(before)
        json.loads(after)

    ratios = []
    for _ in range(1 + ROUNDS):
        base = _seconds(loads)
        ratios.append(_seconds(lambda: _check(before, after, checks, redact)) / base)
    return statistics.median(ratios[1:])  # the first round loads modules


def _seconds(work: Callable[[], None]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _check(before: bytes, after: bytes, checks: Checks, redact: Callable[[str], str]) -> None:
    """Do the work of a run from two responses to their comparison: required routes, and what changed."""
    checking = Checking(checks, redact, response_before=_reply(before))
    checking.enter(0.0, {})
    event = Event(request=FetchDocument(DOCUMENT), http_result=_reply(after), sent=1.0, at=1.0, wall=1.0)
    checking.take(event, float("inf"))
    *passed, gone = checking.findings()
    assert all(each.passed for each in passed)
    assert not gone.passed
    assert len(passed) == 1 + len(checks.required)


def _grows(work: Callable[[], None]) -> float:
    """Return by how many KiB this process's peak memory grows."""
    _simulate(lambda _: _reply(_SMALL))  # loads modules
    gc.collect()
    before = resident("self", "VmRSS")
    work()
    return resident("self", "VmHWM") - before


def _loads(*files: Path) -> None:
    for file in files:
        json.loads(file.read_bytes())


def _simulate(document: Callable[[float], HttpResult]) -> None:
    """Simulate a whole run that reads the document before and after the trigger."""

    def service(moment: float, _: Probe) -> HttpResult:
        if moment < 1.0:
            return names(OLD)
        return REFUSED if moment < 2.0 else names(NEW)

    story = simulate(World(service, document=document), expect_version=NEW, required_routes="\n".join(REQUIRED))
    assert story.conclusion.exit_code == 0, story.verdict


def _reply(body: bytes) -> Response:
    return Response(200, {"content-type": "application/json"}, body)


def _main(what: str, *names: str) -> float:
    before, after = map(Path, names)
    match what:
        case "time":
            return _time(before.read_bytes(), after.read_bytes())
        case "loads":
            return _grows(lambda: _loads(before, after))
        case _:
            return _grows(lambda: _simulate(lambda moment: _reply((before if moment < 0 else after).read_bytes())))


if __name__ == "__main__":
    print(_main(*sys.argv[1:]))
