"""An outcome in the forms that a runner shows, of one service or of several."""

from collections.abc import Mapping, Sequence

from redeploy.decision.verdict import Conclusion
from redeploy.report import annotations, summary, wording
from redeploy.report.annotations import Annotation
from redeploy.report.outcome import Outcome
from redeploy.report.several import page, texts
from redeploy.report.several.whole import whole
from redeploy.report.summary import Repository


def forms(outcome: Outcome, repository: Repository) -> tuple[str, list[Annotation], str]:
    """Return headline, annotations and summary."""
    if outcome.services:
        return texts.headline(outcome), texts.annotations_of(outcome.services), page.page(outcome, repository)
    return wording.headline(outcome), annotations.annotations(outcome), summary.page(outcome, repository)


def cut_short(ended: Mapping[str, Outcome], left: Sequence[str], conclusion: Conclusion, detail: str) -> Outcome:
    """Return what services came to that were dealt with one after the other; `left` are those that have not ended."""
    others = {key: Outcome(conclusion=conclusion, detail=detail, service=key) for key in left}
    return whole({**ended, **others})
