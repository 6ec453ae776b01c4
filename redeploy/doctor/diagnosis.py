"""From what doctor knows to the chain and the result, link by link."""

from collections.abc import Sequence
from dataclasses import replace

from redeploy.decision.verdict import Conclusion
from redeploy.doctor.known import Known
from redeploy.doctor.links import chain_of
from redeploy.doctor.of_service import live_version
from redeploy.http.urls import origin_of
from redeploy.report.chain import Chain, listed, unread
from redeploy.report.results import Change, Examination, InvalidInputs, RunResult
from redeploy.settings.reading import Problem
from redeploy.text.untrusted import code, one_line


def diagnose(known: Known, now: float) -> Chain:
    """Return the result of every link; `now` is our clock, in seconds since 1970."""
    return chain_of(replace(known, now=now))


def examined(known: Known, chain: Chain) -> Examination:
    """Return the result of an examination."""
    plan = known.plan
    seen = RunResult(
        conclusion=Conclusion(chain.verdict),
        mode=plan.mode,
        url=plan.service.base_url,
        watchtower_origin=origin_of(plan.watchtower.update_url) if plan.watchtower.update_url else "",
        version=Change(expected=known.expected_version, live=one_line(live_version(known))),
        digest=Change(expected=plan.expect_digest, live=known.digests[0] if len(known.digests) == 1 else ""),
    )
    return Examination(chain, seen)


def unexamined(problems: Sequence[Problem]) -> InvalidInputs:
    """Return the result of an examination with invalid inputs: nothing was sent."""
    named = dict.fromkeys(code(each.input) for each in problems)
    return InvalidInputs(problems, unread(f"invalid: {listed(list(named))}"))
