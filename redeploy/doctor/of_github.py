"""The link of GitHub's Deployments."""

from collections.abc import Iterable

from redeploy.doctor.known import Known
from redeploy.doctor.questions import FetchEnvironment, Question
from redeploy.github.retry import Trouble
from redeploy.remedies.findings import Finding
from redeploy.report.chain import Check, LinkResult, not_asked, ok, warning
from redeploy.text.untrusted import code


def environment(known: Known) -> Iterable[Question]:
    """Yield the question whether the environment can be read, if one is named."""
    if known.plan.deployment_environment:
        yield FetchEnvironment()


def deployments(known: Known) -> LinkResult | None:
    """Return whether this token may read the environment's Deployments; None if no environment is named."""
    answered = known.answers.get(FetchEnvironment())
    if answered is None:
        return None
    if isinstance(answered.answer, Trouble):
        trouble = answered.answer
        if not trouble.status:
            words = known.shown(trouble.message, 200)
            return not_asked(Check.GITHUB, f"not checked: no usable response from GitHub ({words})")
        seen = f"GitHub responded with {known.shown(f'{trouble.status} {trouble.message}'.strip(), 200)}"
        if trouble.status not in (401, 403, 404) or trouble.rate_limited:
            return not_asked(Check.GITHUB, f"not checked: {seen}")
        return warning(Check.GITHUB, seen, Finding.DEPLOYMENTS_REFUSED)
    seen = (
        f"Deployments of {code(known.plan.deployment_environment)} can be read; only a deploy shows whether they can be "
        "written, so check that the job has `permissions: deployments: write`"
    )
    return ok(Check.GITHUB, seen)
