"""Wherever a text from outside is cut, a secret across the cut was redacted before: no part of it is shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from redeploy.contract.smoke import Judged
from redeploy.contract.snapshot import Contract, Read
from redeploy.doctor.diagnosis import diagnose, examined
from redeploy.doctor.known import Known
from redeploy.doctor.network import Certificate
from redeploy.doctor.questions import Connect, FetchEnvironment
from redeploy.doctor.run import examine
from redeploy.github import deployment
from redeploy.github.retry import trouble_of
from redeploy.http.response import HttpResult
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import parse
from redeploy.registry.lookup import FromRegistry
from redeploy.registry.manifest import Manifest, read
from redeploy.report import annotations, outputs, summary
from redeploy.report.results import OneResult
from redeploy.rollout import perform
from redeploy.rollout.requests import FetchDocument, FetchRevision, FetchTag, Probe, SendSmoke
from redeploy.text.secret import Secret, redactor
from sandbox.simulation import BASE, WALL, World, plan, simulate
from tests.unit.doctor_factories import CLEAR, HOLDS, Asked, Script, checks, details
from tests.unit.factories import D1, OLD, reply, rows
from tests.unit.factories import summary as counted

WORDY, HEX = "Zq7-`|<x>Wv9_Kp3mRt5LsN2", "9f8e7d6c5b4a39281706f5e4d3c2b1a0f9e8d7c6b5a4938271605f4e3d2c1b0a"
SECRETS = [pytest.param(WORDY, id="with signs"), pytest.param(HEX, id="as long as a digest")]
LIMITS = (7, 12, 19, 40, 48, 60, 64, 80, 100, 120, 200, 256, 320, 480, 512, 640, 800, 960, 1600, 2048)
"""The lengths at which texts are cut, for display or for processing."""


def echoes(secret: str) -> Iterator[str]:
    """Texts in which the secret lies across each of the cuts, with any words of ours in front of it."""
    for limit in LIMITS:
        yield f"{'p' * max(0, limit - len(secret) * 2 // 3)}{secret}"


def parts_shown(secret: str, shown: str) -> set[str]:
    """The parts of a secret, of six characters, that a text shows; letter case hides nothing."""
    low, text = secret.lower(), shown.lower()
    return {low[place : place + 6] for place in range(len(low) - 5) if low[place : place + 6] in text}


def everything(outcome: OneResult) -> str:
    texts = [*outputs.outputs(outcome).values(), summary.page(outcome, summary.Repository("https://github.com/o/r"))]
    return "\n".join([*texts, *(f"{each.title} {each.message}" for each in annotations.annotations(outcome))])


def name_in(secret: str) -> str:
    """A secret as a part of a field's name; a longer name would not be read."""
    return secret if len(secret) < 50 else "own"


def digest_of(text: str) -> str:
    """A text that may be taken for a digest, if it can be one."""
    return f"sha256:{HEX}" if HEX in text else D1


@pytest.mark.parametrize("secret", SECRETS)
def test_doctor_shows_no_part_of_a_secret(secret: str) -> None:
    redact = redactor([Secret(secret)])
    for echo in echoes(secret):
        certificate = Certificate(begins=WALL - 1, ends=WALL + 9e6, names=(echo,), issuer=echo)
        document = {"openapi": "3.1.0", "info": {"version": echo}, "paths": {f"/{echo}": {"$ref": echo}}}
        named = {"version": echo, "info": {f"{name_in(secret)}_version": echo}}
        script = Script(
            {
                **HOLDS,
                Connect(BASE): replace(CLEAR, certificate=certificate),
                Asked.POST_UPDATE: reply(401, "missing or invalid API Key", server=f"nginx/{echo}", location=echo),
                Asked.CONTAINERS: rows((echo, f"ghcr.io/o/api:{echo}", digest_of(echo))),
                Asked.CHECK: checks((echo, f"ghcr.io/o/api:{echo}", False, echo)),
                Asked.DETAILS: details((echo, "monitor_only")),
                **dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), reply(200, named, content_type=echo)),
                Asked.DOCUMENT: reply(200, document),
                FetchEnvironment(): trouble_of(403, {}, echo),
                FetchTag(image=parse("ghcr.io/o/api")): Trouble(Kind.HOSTILE, manifest_refused(echo)),
            }
        )
        settings = plan(
            mode="doctor",
            watchtower_token=secret,
            image="ghcr.io/o/api",
            deployment_environment="live",
            github_token="ghs_1",
        )
        known = examine(Known(settings, redact=redact), script)
        chain = diagnose(known, WALL)
        text = "\n".join([*(each.seen for each in chain.links), everything(examined(known, chain))])
        assert parts_shown(secret, text) == set(), echo


def manifest_refused(echo: str) -> str:
    """Why a registry's response of this type holds no manifest."""
    with pytest.raises(ValueError, match="instead of a manifest") as refused:
        read(reply(200, {}, content_type=echo, docker_content_digest=echo))
    return str(refused.value)


def always(http_result: HttpResult) -> Callable[..., HttpResult]:
    return lambda *_: http_result


def hostile(echo: str, field: str) -> Callable[[float, Probe], HttpResult]:
    """A service that reports the old build and then, among other things, the echo."""

    def answers(moment: float, _: Probe) -> HttpResult:
        body = {"version": echo, f"{field}_build": echo, "build": {f"{field}_commit": echo}}
        return reply(200, {"version": OLD} if moment < 1 else body, server=f"nginx/{echo}", x_version=echo)

    return answers


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("expected", ["", OLD], ids=["nothing declared", "a version declared"])
def test_a_deploy_shows_no_part_of_a_secret(secret: str, expected: str) -> None:
    for echo in echoes(secret):
        document = {
            "openapi": "3.1.0",
            "info": {"version": echo},
            "paths": {f"/{echo}": {"get": {}}, "/odd": {"$ref": echo}, "/api": {"get": described(echo)}},
        }
        several = rows(("api", f"ghcr.io/o/api:{echo}", D1), (echo, f"ghcr.io/o/api:{echo}", digest_of(echo)))
        world = World(
            hostile(echo, name_in(secret)),
            (counted(scanned=2, updated=2),),
            containers=always(several),
            document=always(reply(200, document)),
            smoke=always(reply(200, {echo: {}})),
            reasons=checks((echo, f"ghcr.io/o/api:{echo}", False, echo)),
        )
        settings = {"watchtower_token": secret, "smoke": "GET /api", "timeout": "20s"}
        story = simulate(
            world, **settings, **({"expect_version": expected} if expected else {}), required_routes="/none"
        )
        text = "\n".join([everything(story.outcome), *story.log.lines, *story.log.groups])
        assert parts_shown(secret, text) == set(), echo


def described(echo: str) -> dict[str, object]:
    """An operation whose responses are objects of numbers, and whose schema has a dead reference."""
    numbers = {"additionalProperties": {"type": "number"}, "properties": {"x": {"$ref": f"#/{echo}"}}}
    return {"responses": {"200": {"content": {"application/json": {"schema": numbers}}}}}


def contract_in(http_result: HttpResult) -> Contract:
    assert isinstance(http_result, Read)
    assert isinstance(http_result.found, Contract)
    return http_result.found


def judged(http_result: HttpResult) -> str:
    assert isinstance(http_result, Judged)
    assert http_result.schema_violation
    return f"{http_result.schema_violation} {http_result.partial}"


@pytest.mark.parametrize("secret", SECRETS)
def test_no_processed_response_shows_a_part_of_a_secret(secret: str) -> None:
    redact = redactor([Secret(secret)])
    smoke = plan(smoke="GET /api").checks.smoke
    for echo in echoes(secret):
        label = perform.evaluate(FetchRevision(Manifest(D1, "", b"")), FromRegistry(200, found=echo), redact)
        paths = {"/api": {"get": described(echo)}}
        document = reply(200, {"openapi": "3.1.0", "info": {"version": "1"}, "paths": paths})
        read_whole = perform.evaluate(FetchDocument(f"{BASE}/openapi.json", smoke=smoke), document, redact)
        promise = next(iter(contract_in(read_whole).promises.values()))
        schema_violation = perform.evaluate(SendSmoke(smoke[0], promise=promise), reply(200, {echo: {}}), redact)
        other = perform.evaluate(SendSmoke(smoke[0], promise=promise), reply(200, "x", content_type=echo), redact)
        warned = deployment.warning("create the Deployment", trouble_of(422, {}, echo), redact)
        assert isinstance(label, FromRegistry)
        text = f"{label.found} {judged(schema_violation)} {judged(other)} {warned}"
        assert parts_shown(secret, text) == set(), echo
