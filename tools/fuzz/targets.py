"""The fuzz targets: each takes any bytes, and fails if the code breaks a promise about them.

The first bytes choose parameters such as a status or a type; the text follows after the first line.
"""

import io
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from redeploy.conditions.grammar import GrammarError, expectation
from redeploy.contract.openapi import read_document
from redeploy.contract.snapshot import Contract, difference
from redeploy.github.runner import Runner
from redeploy.http.condition import condition_of, described
from redeploy.http.response import Response
from redeploy.http.sender import sender_of
from redeploy.http.www_authenticate import parse as challenges
from redeploy.registry.errors import Scope, trouble_of
from redeploy.registry.image import parse as image
from redeploy.registry.manifest import read, revision_of
from redeploy.service.build_fields import build_names
from redeploy.service.process import process_times
from redeploy.settings.config.load import load
from redeploy.settings.reading import Workspace
from redeploy.text.markdown import fenced, inline, plain
from redeploy.text.markup import attribute, meta_content
from redeploy.text.secret import Secret, redactor
from redeploy.text.untrusted import code
from redeploy.triggers.trigger import Result
from redeploy.triggers.watchtower.answer import read_answer, reported_reasons
from redeploy.triggers.watchtower.containers import read_look
from redeploy.triggers.watchtower.endpoints import ContainerFilter
from sandbox.runner.commands import LineSplitter, pairs
from sandbox.runner.log import StepLog
from sandbox.runner.masks import Masker, leaked

TOKEN = "Zq8-x_V4tWn2LrKp0sYh7uBcE5mJdGa1"
_REDACT = redactor([Secret(TOKEN)])
_OTHER_TEXTS = (None, "cut off", "in lower case", "in upper case", "reversed", "spaced out")
"""Forms of texts that differ from the token by one character, which the engine creates from it."""
_IMAGE = image("ghcr.io/o/api:latest")
_STATUSES = (200, 202, 204, 302, 307, 401, 403, 404, 405, 408, 429, 500, 502, 503, 504, 520, 522, 524, 525, 530)
_TYPES = (
    "application/json",
    "text/html; charset=utf-8",
    "text/plain",
    "",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/yaml",
)


@dataclass(frozen=True)
class Target:
    """One target, and the inputs with which the engine starts."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def _reply(data: bytes) -> Response:
    """A response: a byte for the status, one for the type, headers up to an empty line, the body."""
    head, _, body = data[2:].partition(b"\n\n")
    status = _STATUSES[data[0] % len(_STATUSES)] if data else 200
    headers = {"content-type": _TYPES[data[1] % len(_TYPES)] if len(data) > 1 else ""}
    for line in head.decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Response(status, headers, body)


def responses(data: bytes) -> None:
    """All code that reads a response, of any kind of server."""
    reply = _reply(data)
    answer = read_answer(reply)
    shown = [answer.seen, described(reply), condition_of(reply)[1], sender_of(reply).name]
    shown += reported_reasons(reply, Result.BLOCKED, _REDACT)
    trouble = trouble_of(reply, _IMAGE, Scope.PULL, known=False)
    shown += [trouble.sentence, trouble.fix]
    build_names(reply.json, reply.headers)
    process_times(reply.json)
    read_look(
        reply, ContainerFilter(containers=("api",), images=(_IMAGE,), digest=""), sent=0.0, at=0.1, redact=_REDACT
    )
    try:
        read(reply)
    except ValueError as error:
        shown.append(str(error))
    revision_of(reply.body)
    challenges(reply.headers.get("www-authenticate", ""))
    meta_content(reply.body, "version")
    attribute(reply.body, "data-build")
    for text in shown:
        _one_line(text)


def documents(data: bytes) -> None:
    """OpenAPI documents, JSON and YAML."""
    found = read_document(Response(200, {"content-type": "application/json"}, data), "https://x.test/o", (), _REDACT)
    if isinstance(found, Contract):
        assert difference(found, found).added == difference(found, found).removed == ()
        for operation in found.operations:
            _one_line(code(operation.path))
    else:
        _one_line(found.why)


def conditions(data: bytes) -> None:
    """Lines of conditions, and a response on which they are evaluated."""
    lines, _, rest = data.partition(b"\n\n")
    try:
        expected = expectation(lines.decode("utf-8", "replace"))
    except GrammarError as error:
        _one_line(str(error))
        return
    failure = expected.failure(_reply(rest), _REDACT)
    if failure is not None:
        _one_line(failure)


def config(data: bytes) -> None:
    """Config files."""

    def no_file(_path: str, _cap: int) -> str:
        msg = "names a file that cannot be read"
        raise ValueError(msg)

    def any_certificate(_pem: str) -> None: ...

    environment = {"INPUT_CONFIG": ".github/redeploy.yml", "TOKEN": TOKEN, "URL": "https://x.test/v1/update"}
    loaded = load(environment, lambda _path, _cap: data, Workspace(no_file, any_certificate))
    assert (loaded.run is None) == bool(loaded.problems)
    for problem in loaded.problems:
        _one_line(problem.sentence)
        assert problem.place is None or (problem.place.line > 0 and problem.place.column > 0)


def markdown(data: bytes) -> None:
    """Text from outside in a summary: it stays on its line, and within its block."""
    text = data.decode("utf-8", "replace")
    shown = inline(code(text))
    assert "\n" not in shown
    first, *lines, last, empty = fenced(text)
    assert empty == ""
    assert first == f"{last}text"
    assert not any(line.strip().startswith(last) for line in lines), "the text ends the block"
    plain("\n".join(fenced(text)))


def commands(data: bytes) -> None:
    """Text from outside in the log, annotations and outputs: it never becomes a command, another output, or a leak."""
    text = data.decode("utf-8", "replace")
    with tempfile.TemporaryDirectory() as folder:
        output, summary = Path(folder) / "output", Path(folder) / "summary"
        stream = io.StringIO()
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        runner = Runner({"GITHUB_ACTIONS": "true", **files}, stream)
        runner.mask((Secret(TOKEN),), _REDACT)
        runner.open_group(f"Look at {code(_REDACT(text))}")
        runner.say(f"the response: {code(_REDACT(text))}")
        runner.annotate("error", code(_REDACT(text), 80), f"It says {code(_REDACT(text))}")
        runner.set_outputs({"version": text, "report": json.dumps({"seen": text})})
        runner.write_summary("\n".join(fenced(_REDACT(text))))
        masker, splitter = Masker(), LineSplitter()
        log = StepLog(masker, [TOKEN])
        for line in [*splitter.feed(stream.getvalue()), *splitter.end()]:
            log.add(line)
        log.end()
        assert log.problems == [], log.problems
        assert [one.level for one in log.annotations] == ["error"]
        written = list(pairs(output.read_text(encoding="utf-8")))
        assert [name for name, _ in written] == ["version", "report"]
        assert isinstance(json.loads(dict(written)["report"]), dict)
        everything = "\n".join([*log.lines, summary.read_text(encoding="utf-8"), *(value for _, value in written)])
        assert leaked(everything, TOKEN) in _OTHER_TEXTS, "the token is shown"


def _one_line(text: str) -> None:
    """Fail if one of our sentences could break a log line or a table row."""
    assert "\n" not in text, repr(text)
    assert "\r" not in text, repr(text)
    assert "\x1b" not in text, repr(text)


TARGETS: Mapping[str, Target] = {
    "responses": Target(
        responses,
        (
            b'\x00\x00x: y\n\n{"api_version":"v1","summary":{"scanned":2,"updated":1,"failed":0,"skipped":0}}',
            b'\x00\x00\n\n{"containers":[{"name":"api","image":"ghcr.io/o/api","digest":"sha256:0","error":"401"}]}',
            b"\x07\x01server: nginx\n\n<html><head><title>404 Not Found</title></head></html>",
            b'\x05\x00www-authenticate: Bearer realm="https://x.test/token",scope="a"\n\n{"errors":[{"code":"DENIED"}]}',
            b'\x00\x04\n\n{"manifests":[{"digest":"sha256:0","platform":{"os":"linux"}}]}',
            b'\x00\x00\n\n{"commit":"1a2b3c4","uptime":"3d 2h","started_at":1700000000,"build":{"version":1.10}}',
        ),
    ),
    "documents": Target(
        documents,
        (
            b'{"openapi":"3.1.0","info":{"version":"1"},"paths":{"/a/{id}":{"get":{"responses":{"200":{}}}}}}',
            b"openapi: 3.0.0\nservers: [{url: /v1}]\npaths:\n  /a: &a\n    get: {responses: {}}\n  /b: *a\n",
            b'{"swagger":"2.0","basePath":"/v2","paths":{"/a":{"$ref":"#/x"}}}',
        ),
    ),
    "conditions": Target(
        conditions,
        (
            b'status=UP and body contains "ok"\n\n\x00\x00\n\n{"status":"UP"}',
            b"a.b matches ^v[0-9]+$ and c >= 1.5 or d in 1, 2\n\n\x00\x00\n\n[1]",
            b"header:x-a !exists\nany\n\n\x00\x02a: b\n\nok",
        ),
    ),
    "config": Target(
        config,
        (
            (
                b"hosts:\n  eu: {watchtower-url: '${URL}', watchtower-token: '${TOKEN}', services: [api]}\n"
                b"services:\n  api: {health-path: /ready, smoke: [GET /a 200], service-headers: {X-A: b}}\n"
            ),
            b"services: &a\n  a: {<<: *a}\n  b: [1, 2\n",
        ),
    ),
    "markdown": Target(
        markdown, (b"a | b `c` @d #1 https://e.test <!-- f --> ~~~ ``` \x1b[31m", b"````\n```text\n</details>")
    ),
    "commands": Target(
        commands, (b"::set-output name=a::b\r##[error]c\n::stop-commands::d", TOKEN.encode() + b"%0A::error::x")
    ),
}
"""By name."""
