"""What was found about GitHub's Deployments."""

from collections.abc import Iterable

from redeploy.doctor.evidence import Evidence
from redeploy.doctor.questions import FetchEnvironment, Question
from redeploy.github.retry import Trouble
from redeploy.remedies.findings import Finding
from redeploy.report.chain import Check, LinkResult, not_asked, ok, warning
from redeploy.text.untrusted import code


def environment(known: Evidence) -> Iterable[Question]:
    """Yield the question whether the environment can be read, where one is named."""
    if known.plan.deployment_environment:
        yield FetchEnvironment()


def deployments(known: Evidence) -> LinkResult | None:
    """Return whether GitHub lets this token see the environment's Deployments; None where no environment is named."""
    answered = known.answers.get(FetchEnvironment())
    if answered is None:
        return None
    if isinstance(answered.answer, Trouble):
        told = answered.answer
        if not told.status:
            words = known.shown(told.message, 200)
            return not_asked(Check.GITHUB, f"not judged: no usable answer from GitHub ({words})")
        seen = f"GitHub answered {known.shown(f'{told.status} {told.message}'.strip(), 200)}"
        if told.status not in (401, 403, 404) or told.rate_limited:
            return not_asked(Check.GITHUB, f"not judged: {seen}")
        return warning(Check.GITHUB, seen, Finding.DEPLOYMENTS_REFUSED)
    seen = (
        f"Deployments of {code(known.plan.deployment_environment)} can be read; whether they may be written shows only when "
        "one is, so the job needs `permissions: deployments: write`"
    )
    return ok(Check.GITHUB, seen)
