"""From the evidence to the chain: what doctor found, link by link."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from redeploy.decision.verdict import Conclusion
from redeploy.doctor.examination import Evidence, urls_of
from redeploy.doctor.network import links_of, merged
from redeploy.doctor.of_service import live_version, of_service
from redeploy.doctor.of_watchtower import of_front, of_watchtower
from redeploy.doctor.questions import FetchEnvironment
from redeploy.github.retry import Trouble
from redeploy.http.urls import is_loopback, origin_of
from redeploy.remedies.findings import Finding
from redeploy.remedies.subject import subject_of
from redeploy.report.chain import Chain, Check, LinkResult, State, listed, not_asked, ok, unread, warning
from redeploy.report.outcome import Outcome, invalid
from redeploy.settings.reading import Problem
from redeploy.text.untrusted import code, one_line


def diagnose(known: Evidence, now: float) -> Chain:
    """Return what was found of every link; `now` is our clock, in seconds since 1970."""
    ways = filter(None, (known.way(each) for each in urls_of(known.plan)))
    by_origin = {way.origin: _about(known, links_of(way, now, known.shown), way.origin) for way in ways}

    def obstacle(url: str) -> LinkResult | None:
        return next((each for each in by_origin.get(origin_of(url), ()) if each.state is State.BROKEN), None)

    front = of_front(known, obstacle)
    service = of_service(known, obstacle, front)
    tower = of_watchtower(known, obstacle, front, health=service[0])
    rest = (
        front,
        *tower,
        *_about(known, service, known.plan.service.base_url, blames_service=True),
        *_of_github(known),
    )
    links = (_of_inputs(known), *merged(by_origin), *rest)
    told = _about(known, links, known.plan.watchtower.update_url or known.plan.service.base_url)
    return Chain(tuple(told))


def _about(
    known: Evidence, links: Iterable[LinkResult], url: str, *, blames_service: bool = False
) -> tuple[LinkResult, ...]:
    """Return links whose remedies speak of this run and of the host of a URL, but for those that speak of one already."""
    names = [each.name for each in known.counted]
    container = known.redact(names[0]) if len(names) == 1 else ""
    subject = subject_of(known.plan, blames_service=blames_service, container=container).at(url)
    return tuple(each if each.subject.host else replace(each, subject=subject) for each in links)


def examined(known: Evidence, chain: Chain) -> Outcome:
    """Return the outcome of an examination."""
    plan = known.plan
    return Outcome(
        conclusion=Conclusion(chain.verdict),
        mode=plan.mode,
        url=plan.service.base_url,
        watchtower_origin=origin_of(plan.watchtower.update_url) if plan.watchtower.update_url else "",
        expected_version=known.expected_version,
        expected_digest=plan.expect_digest,
        version=one_line(live_version(known)),
        digest=known.digests[0] if len(known.digests) == 1 else "",
        chain=chain,
    )


def unexamined(problems: Sequence[Problem]) -> Outcome:
    """Return the outcome of an examination whose inputs are wrong: nothing was sent."""
    named = dict.fromkeys(code(each.input) for each in problems)
    return replace(invalid(problems), chain=unread(f"wrong: {listed(list(named))}"))


def _of_inputs(known: Evidence) -> LinkResult:
    tower = known.plan.watchtower
    names = [code(each, 80) for each in (*tower.containers, *tower.images)]
    told = f"fit; an update is {f'narrowed to {listed(names)}' if names else 'of all that is watched'}"
    plain = [each for each in urls_of(known.plan) if each.startswith("http:") and not is_loopback(each)]
    if plain:
        return warning(Check.INPUTS, f"{told}; {code(origin_of(plain[0]))} is plain http", Finding.PLAIN_HTTP)
    return ok(Check.INPUTS, told)


def _of_github(known: Evidence) -> list[LinkResult]:
    answered = known.answers.get(FetchEnvironment())
    if answered is None:
        return []
    if isinstance(answered.answer, Trouble):
        told = answered.answer
        if not told.status:
            words = known.shown(told.message, 200)
            return [not_asked(Check.GITHUB, f"not judged: no usable answer from GitHub ({words})")]
        seen = f"GitHub answered {known.shown(f'{told.status} {told.message}'.strip(), 200)}"
        if told.status not in (401, 403, 404) or told.rate_limited:
            return [not_asked(Check.GITHUB, f"not judged: {seen}")]
        return [warning(Check.GITHUB, seen, Finding.DEPLOYMENTS_REFUSED)]
    seen = (
        f"Deployments of {code(known.plan.deployment_environment)} can be read; whether they may be written shows only when "
        "one is, so the job needs `permissions: deployments: write`"
    )
    return [ok(Check.GITHUB, seen)]
