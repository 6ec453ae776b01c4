"""Turns the texts of the inputs into a `Plan`; every problem of every input is found in one run."""

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from redeploy.http import urls
from redeploy.http.urls import origin_of
from redeploy.registry.access import Access
from redeploy.settings import cross_checks, of_github, of_service, parsers
from redeploy.settings.defaults import given, secrets_in
from redeploy.settings.plan import Mode, OnFailure, Plan
from redeploy.settings.reading import InvalidInputsError, Reader, Workspace
from redeploy.text import choice
from redeploy.text.secret import Secret, redactor
from redeploy.triggers.watchtower.endpoints import Watchtower
from redeploy.verdicts import Proof

if TYPE_CHECKING:  # few runs name images
    from redeploy.registry.image import Image
    from redeploy.settings.seen_before import SeenBefore

CERTIFICATE_CAP = 1024 * 1024
"""Bytes of a PEM file."""


_UNSET = (
    "is empty: the secret `{secret}` is probably not set, or it is an environment secret and the job has no "
    "`environment:`. Set it with `gh secret set {secret}`, or `gh secret set {secret} --env your-environment`"
)


def parse(environment: Mapping[str, str], workspace: Workspace) -> Plan:
    """Return the plan of the inputs.

    Raises:
        InvalidInputsError: with every problem of every input.
    """
    reader = Reader(given(environment), lambda: redactor(secrets_in(environment)))
    reader.refuse_expressions()
    return made(reader, workspace)


def made(reader: Reader, workspace: Workspace) -> Plan:
    """Return the plan for the texts of a reader.

    Raises:
        InvalidInputsError: with every problem of every text.
    """
    plan = _plan(reader, workspace)
    cross_checks.check_together(plan, reader)
    if reader.problems:
        raise InvalidInputsError(reader.problems)
    return replace(plan, warnings=tuple(cross_checks.doubts(plan, reader.commit)))


def _plan(reader: Reader, workspace: Workspace) -> Plan:
    mode = reader.clean("mode", lambda text: Mode(choice.choice(text, Mode)), Mode.DEPLOY)
    allow_http = reader.clean("allow-http", parsers.boolean, fallback=True)
    update_url = reader.clean("watchtower-url", lambda text: _update_url(text, allow_http=allow_http), "")
    token = reader.clean("watchtower-token", parsers.token, "")
    if mode is not Mode.VERIFY:
        for name, secret in (
            ("watchtower-url", "WATCHTOWER_UPDATE_URL"),
            ("watchtower-token", "WATCHTOWER_HTTP_API_TOKEN"),
        ):
            if not reader.texts[name] and not reader.has_problem(name):
                reader.wrong(name, _UNSET.format(secret=secret))
    images = _images(reader)
    watchtower = Watchtower(
        update_url=update_url or None,
        containers_url=_containers_url(reader, update_url, known=bool(token), allow_http=allow_http),
        check_url=_beside(update_url, "check"),
        metrics_url=_beside(update_url, "metrics"),
        token=Secret(token),
        images=tuple(dict.fromkeys(each.name for each in images)),
        containers=reader.clean(
            "container", lambda text: tuple(dict.fromkeys(map(parsers.container, parsers.listed(text)))), ()
        ),
    )
    service = of_service.service(reader, update_url, allow_http=allow_http)
    headers = _headers(reader, "headers")
    of_image = reader.texts["expect-version"] == "image"
    of_branch = reader.texts["expect-version"].startswith(of_github.BRANCH)
    return Plan(
        mode=mode,
        watchtower=watchtower,
        containers=watchtower.containers,
        service=service,
        checks=of_service.checks(reader, service.base_url, workspace, allow_http=allow_http),
        expect_version="" if of_image or of_branch else reader.clean("expect-version", parsers.version, ""),
        branch=reader.clean("expect-version", of_github.branch, "") if of_branch else "",
        grace=reader.clean("grace", parsers.lag, 0.0),
        expect_digest=reader.clean("expect-digest", parsers.digest, ""),
        require_proof=reader.clean("require-proof", _proof, Proof.NONE),
        timeout=reader.clean("timeout", parsers.duration, 1.0),
        stable_for=reader.clean("stable-for", lambda text: parsers.duration(text, zero=True), 1.0),
        request_timeout=reader.clean("request-timeout", parsers.duration, 1.0),
        max_downtime=reader.clean("max-downtime", lambda text: parsers.duration(text, zero=True), None),
        instances=reader.clean("instances", parsers.instances, 1),
        rate=reader.clean("request-rate", parsers.rate, None),
        headers=headers,
        service_headers=_headers(reader, "service-headers"),
        header_origins=frozenset(origin_of(url) for url in (update_url, service.base_url) if url),
        ca_certificate=reader.clean("ca-certificate", lambda text: _certificate(text, workspace), ""),
        image=next(iter(images)) if len(images) == 1 else None,
        images=images,
        access=_access(reader, allow_http=allow_http),
        version_of_image=of_image,
        on_failure=reader.clean("on-failure", lambda text: OnFailure(choice.choice(text, OnFailure)), OnFailure.KEEP),
        rollback_to=reader.clean("rollback-to", parsers.tag_or_digest, ""),
        deployment_environment=reader.clean("deployment-environment", of_github.environment, ""),
        issue_on_failure=reader.clean("issue-on-failure", of_github.title, ""),
        github_token=Secret(of_github.token(reader)),
        wait_for_build=reader.clean("wait-for-build", parsers.boolean, fallback=False),
        baseline=reader.clean("baseline", _baseline, None),
    )


def _images(reader: Reader) -> "tuple[Image, ...]":
    """Return the images.

    Watchtower gets their repositories: containrrr and openserbia match nothing when a tag is given (`filters.go:105`);
    the fork matches either way.
    """

    def read(text: str) -> "tuple[Image, ...]":
        from redeploy.registry import image

        return tuple(dict.fromkeys(map(image.parse, parsers.listed(text))))

    return reader.clean("image", read, ())


def _access(reader: Reader, *, allow_http: bool) -> Access:
    return Access(
        reader.clean("registry-username", parsers.username, ""),
        Secret(reader.clean("registry-password", parsers.password, "")),
        allow_http,
    )


def _baseline(text: str) -> "SeenBefore":
    from redeploy.settings.seen_before import read_report  # few runs have one

    return read_report(text)


def _update_url(text: str, *, allow_http: bool) -> str:
    url = urls.url(text, allow_http=allow_http)
    path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
    if not path:
        msg = "has no path; give the full URL of the update endpoint, such as `https://api.example.com/ops/watchtower/update`"
        raise ValueError(msg)
    names = {name for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True)}
    if unfit := names & {"async", "timeout"}:
        msg = f"has `{min(unfit)}` in its query, which makes Watchtower's response useless; remove it"
        raise ValueError(msg)
    return url


def _containers_url(reader: Reader, update_url: str, *, known: bool, allow_http: bool) -> str | None:
    """Return the URL of the containers endpoint; None if it is unknown, or the token is not `known`."""
    given = reader.clean("containers-url", lambda text: urls.url(text, allow_http=allow_http), "")
    beside = None if reader.texts["containers-url"] else _beside(update_url, "containers")
    return (given or beside) if known else None


def _headers(reader: Reader, given: str) -> dict[str, Secret]:
    headers: dict[str, Secret] = {}
    seen: set[str] = set()
    for number, line in enumerate(re.split(r"\r\n|\n|\r", reader.texts[given]), 1):
        if not line.strip():
            continue
        try:
            name, value = parsers.header(line, of_service=given == "service-headers")
        except ValueError as error:
            reader.wrong(given, str(error), line=number)
            continue
        if name.lower() in seen:
            reader.wrong(given, f"gives `{name}` a second time", line=number)
        seen.add(name.lower())
        headers[name] = Secret(value)
    return headers


def _certificate(text: str, workspace: Workspace) -> str:
    pem = text if "-----BEGIN" in text else workspace.read(text, CERTIFICATE_CAP)
    workspace.check_certificate(pem)
    return pem


def _beside(update_url: str, endpoint: str) -> str | None:
    """Return the URL of another endpoint, derived from the update's path; None if that does not end in `/update`."""
    path, _, _ = update_url.partition("?")
    return f"{path.removesuffix('update')}{endpoint}" if path.endswith("/update") else None


def _proof(text: str) -> Proof:
    return Proof[choice.choice(text, (each.word for each in Proof)).upper()]
