"""A result in the forms that a runner shows, of one service or of several."""

from collections.abc import Mapping, Sequence

from redeploy.decision.verdict import Conclusion
from redeploy.report import annotations, summary, wording
from redeploy.report.annotations import Annotation
from redeploy.report.results import OneResult, Result, RunResult, SeveralResults
from redeploy.report.several import page, texts
from redeploy.report.several.whole import whole
from redeploy.report.summary import Repository


def forms(result: Result, repository: Repository) -> tuple[str, list[Annotation], str]:
    """Return headline, annotations and summary."""
    if isinstance(result, SeveralResults):
        return texts.headline(result), texts.annotations_of(result.services), page.page(result, repository)
    return wording.headline(result), annotations.annotations(result), summary.page(result, repository)


def cut_short(
    ended: Mapping[str, OneResult], left: Sequence[str], conclusion: Conclusion, cause: str
) -> SeveralResults:
    """Return the result of services that run one after the other; `left` are those that have not ended."""
    others = {key: RunResult(conclusion=conclusion, service=key).caused_by(cause) for key in left}
    return whole({**ended, **others})
