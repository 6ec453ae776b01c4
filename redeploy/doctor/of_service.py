"""The links of the service: health, version, OpenAPI document."""

from collections.abc import Iterable
from dataclasses import replace

from redeploy.contract.openapi import read_document
from redeploy.contract.routes import Pattern
from redeploy.contract.snapshot import Contract, NoContract
from redeploy.decision.verdict import UNHEALTHY_REASONS
from redeploy.doctor.known import Known
from redeploy.doctor.questions import Question, SecondLook
from redeploy.http.condition import Condition, condition_of
from redeploy.http.response import Response
from redeploy.remedies.by_sender import LastResponses, remedy_by_sender
from redeploy.remedies.findings import Finding
from redeploy.remedies.remedy import Remedy
from redeploy.report.chain import Check, LinkResult, broken, listed, not_asked, ok, warning
from redeploy.rollout.requests import FetchDocument, Probe, addresses_of
from redeploy.service.build_fields import names_nothing
from redeploy.service.declared import Standing, declared
from redeploy.service.endpoint import Endpoint
from redeploy.service.identity import version_of
from redeploy.service.sample import Sample, read_sample
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

NO_ADDRESS = "`base-url` is `off`: only its container shows which build runs"


def looks_at_health(known: Known) -> Iterable[Question]:
    """Return the next request for the health URL."""
    return _looks_at(known, Endpoint.HEALTH)


def looks_at_version(known: Known) -> Iterable[Question]:
    """Return the next request for the version URL."""
    return _looks_at(known, Endpoint.VERSION)


def looks_at_document(known: Known) -> Iterable[Question]:
    """Return the next request for the OpenAPI document."""
    url = known.plan.checks.document_url
    return _looks(known, FetchDocument(url)) if url else ()


def _looks_at(known: Known, endpoint: Endpoint) -> tuple[Question, ...]:
    first = _probe(known, endpoint)
    return _looks(known, first, SecondLook(first)) if first else ()


def _probe(known: Known, endpoint: Endpoint) -> Probe | None:
    """Return the first look at the URL that shows the health, or the version; None if the service has no URL."""
    found = (Probe(*each) for each in addresses_of(known.plan.service))
    return next((each for each in found if endpoint in each.endpoints), None)


def _looks(known: Known, first: Probe | FetchDocument, *again: SecondLook) -> tuple[Question, ...]:
    """Return the first request or, once it has a response, the second: past caches if the first came from one."""
    if not known.is_reachable(first.url):
        return ()
    response = known.http_result(first)
    if not isinstance(response, Response):
        return (first,)
    return (replace(first, past_caches=True),) if condition_of(response)[0] is Condition.CACHED else again


def samples_of(known: Known) -> list[Sample]:
    """Return the samples of the URL that reports the version."""
    return _samples(known, Endpoint.VERSION)


def live_version(known: Known) -> str:
    """Return the live version; empty if the service reports none."""
    named = [each for each in samples_of(known) if each.names]
    return version_of(named[-1], known.expected_version, {}) if named else ""


def _samples(known: Known, endpoint: Endpoint) -> list[Sample]:
    """Return the samples of one URL; a sample that does not show the service counts only if all others are like it."""
    first = _probe(known, endpoint)
    if first is None:
        return []
    looks: tuple[Question, ...] = (first, SecondLook(first), replace(first, past_caches=True))
    found = [
        read_sample(
            http_result,
            known.plan.service,
            first.endpoints,
            sent=0.0,
            at=float(place),
            wall=known.answers[each].wall,
            redact=known.redact,
        )
        for place, each in enumerate(looks)
        if (http_result := known.http_result(each)) is not None
    ]
    return [each for each in found if not each.condition.is_inconclusive] or found[-1:]


def health(known: Known) -> LinkResult:
    """Return whether the service is healthy."""
    if not known.plan.service.answers:
        return not_asked(Check.HEALTH, NO_ADDRESS)
    looks = _samples(known, Endpoint.HEALTH)
    bad = next((each for each in looks if not each.healthy), None)
    if bad is None:
        line = looks[-1].reported_unhealthy if looks else ""
        return (
            _reports_itself_unhealthy(looks[-1].seen, line)
            if line
            else ok(Check.HEALTH, looks[-1].seen if looks else "not asked")
        )
    walled = bad.condition.is_wall or bad.condition is Condition.DOWN
    reason = UNHEALTHY_REASONS[bad.condition]
    found = broken(Check.HEALTH, bad.seen, reason)
    return replace(
        found,
        special_remedy=remedy_by_sender(reason, LastResponses(last=bad)),
        because_of=(Check.FRONT,) if walled else (),
    )


def is_down(known: Known) -> bool:
    """Return whether nothing responds at the health address."""
    bad = next((each for each in _samples(known, Endpoint.HEALTH) if not each.healthy), None)
    return bad is not None and UNHEALTHY_REASONS[bad.condition] is Reason.DOWN


def _reports_itself_unhealthy(seen: str, line: str) -> LinkResult:
    """Return the link of a service with a good status whose JSON says that it is unhealthy."""
    remedy = Remedy(
        "The health check passes, but the service reports that it is unhealthy",
        f"`«health»` responded with {seen}, which counts as healthy. Only its JSON says that the service is unhealthy.",
        f"To make that count, set:\n\n```yaml\nwith:\n  health-expect: {line}\n```",
    )
    return replace(
        warning(Check.HEALTH, f"{seen}, but its JSON says that the service is unhealthy", Reason.NEVER_READY),
        special_remedy=remedy,
    )


def version(known: Known) -> LinkResult:
    """Return which build the service reports."""
    if not known.plan.service.answers:
        return not_asked(Check.VERSION, NO_ADDRESS)
    service, expected = known.plan.service, known.expected_version
    looks = samples_of(known)
    last = looks[-1] if looks else None
    gone = last is None or last.condition not in (Condition.HEALTHY, Condition.NOT_READY) or last.error_kind is not None
    if last is None or gone:
        seen, condition = (last.seen, last.condition) if last else ("not asked", Condition.DOWN)
        return replace(broken(Check.VERSION, seen, UNHEALTHY_REASONS[condition]), because_of=(Check.HEALTH,))
    names = _steady(looks)
    if not names:
        others = dict.fromkeys(known.shown(path) for each in looks for path in each.names)
        unsteady = f"{listed(list(others))} differs from response to response" if others else ""
        asked = bool(expected or service.version_field or last.wrong_version_url)
        nowhere = (
            "the response has no version at the expected place" if asked else "the response does not name its build"
        )
        seen = f"{last.seen if last.wrong_version_url else unsteady or nowhere}{_instead(known, last)}"
        finding = Reason.VERSION_UNAVAILABLE if asked else Finding.VERSION_UNNAMED
        found = (broken if expected and asked else warning)(Check.VERSION, seen, finding)
        return replace(found, because_of=(Check.HEALTH,) if last.wrong_version_url or not last.healthy else ())
    seen = listed([f"{known.shown(path)} is {code(name, 80)}" for path, name in names.items()])
    if all(map(names_nothing, names.values())):
        return warning(Check.VERSION, f"{seen}, which does not name a commit", Finding.VERSION_CONSTANT)
    if expected:
        live = declared(expected, names, last.ranks).standing is Standing.MET
        seen += (
            "; the expected version is live already"
            if live
            else f"; the expected version is {known.shown(expected)}, and a deploy must put it live"
        )
    return ok(Check.VERSION, seen)


def _steady(looks: list[Sample]) -> dict[str, str]:
    """Return the names that all responses agree on: what differs is noise, and so is what always is the present time."""
    first, *rest = looks
    return {
        path: name
        for path, name in first.names.items()
        if all(each.names.get(path) == name for each in rest) and not all(path in each.ticking for each in looks)
    }


def _instead(known: Known, sample: Sample) -> str:
    """Say what else could prove a build."""
    found = []
    if known.digests:
        found.append("the running digest that Watchtower reports (`expect-digest`)")
    if started := [path for path in (*sample.starts, *sample.uptimes) if path not in sample.ticking]:
        found.append(f"{known.shown(started[0])}, which shows that a new process runs, but not which image")
    return f". Instead you could use {'; '.join(found)}" if found else ""


def document(known: Known) -> LinkResult:
    """Return whether the OpenAPI document has the required routes."""
    checks = known.plan.checks
    url = checks.document_url
    if url is None:
        return not_asked(Check.OPENAPI, "`openapi-path` is `off`")
    fresh = known.http_result(FetchDocument(url, past_caches=True))
    http_result = fresh if fresh is not None else known.http_result(FetchDocument(url))
    contract = (
        read_document(http_result, url, redact=known.redact)
        if http_result is not None
        else NoContract("it was not requested")
    )
    if isinstance(contract, NoContract):
        found = not_asked(Check.OPENAPI, f"none: {contract.why}")
        if checks.insist_on_document:
            found = broken(Check.OPENAPI, contract.why, Reason.OPENAPI)
        return replace(found, because_of=(Check.HEALTH,))
    version = f" of version {code(contract.version, 40)}" if contract.version else ""
    seen = f"{len(contract.operations)} operations{version}"
    missing = [code(str(each), 100) for each in checks.required if not _has(contract, each)]
    present = [code(str(each), 100) for each in checks.forbidden if any(map(each.forbids, contract.operations))]
    seen += f"; missing: {listed(missing)}" if missing else "; has all required routes" if checks.required else ""
    seen += f"; has forbidden routes: {listed(present)}" if present else ""
    return warning(Check.OPENAPI, seen, Reason.ROUTES) if missing or present else ok(Check.OPENAPI, seen)


def _has(contract: Contract, pattern: Pattern) -> bool:
    return any(map(pattern.matches, contract.operations))
