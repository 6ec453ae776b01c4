"""The results of the checks, ready to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.contract.reference import Reference
from redeploy.contract.results import MOST_LISTED, MOST_NAMED, Finding, counted, named
from redeploy.contract.routes import Operation
from redeploy.contract.settings import Breaking
from redeploy.rollout.checks import Checking
from redeploy.text.untrusted import code, one_line
from redeploy.verdicts import Reason


@dataclass(frozen=True)
class Place:
    """Something that is to be said about a line of a file in the workspace."""

    file: str
    line: int
    told: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The results. Texts from outside are one harmless line each."""

    findings: Sequence[Finding] = ()
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    counts: tuple[int, int] = (0, 0)
    """How many were added and removed, also where not all are listed."""
    compared_with: str = ""
    """What the operations were compared with; empty where they were not."""
    places: Sequence[Place] = ()
    """Where the operations that are gone stand in the reference file."""
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def failed(self) -> list[Finding]:
        """The checks that failed."""
        return [each for each in self.findings if each.failed]


NOTHING_CHECKED = Checked()


def checked(checking: Checking, *, verifying: bool = False) -> Checked:
    """Return what the checks came to by now."""
    plan, compared = checking.plan, checking.compared
    reference = plan.reference
    with_what = code(reference.path) if reference else "the document that was live before the trigger"
    warnings = _warnings(checking, with_what, verifying=verifying)
    notes = _notes(checking)
    if checking.unread:
        partly = f"Compared with {with_what} only in part: a document does not show what stands under"
        told = f"{partly} {', '.join(checking.unread[:MOST_NAMED])}{_more(checking.unread)}."
        (warnings if plan.breaking is Breaking.FAIL else notes).append(told)
    gone = compared.removed if compared and plan.breaking is not Breaking.IGNORE else ()
    return Checked(
        findings=tuple(checking.findings()),
        added=_listed(compared.added if compared else ()),
        removed=_listed(compared.removed if compared else ()),
        counts=(len(compared.added), len(compared.removed)) if compared else (0, 0),
        compared_with=with_what if compared else "",
        places=_places(reference, gone) if reference else (),
        warnings=warnings,
        notes=notes,
    )


def _warnings(checking: Checking, with_what: str, *, verifying: bool) -> list[str]:
    plan, compared = checking.plan, checking.compared
    why = checking.unfit.why if checking.unfit else ""
    found: list[str] = []
    if plan.breaking is Breaking.WARN and checking.gone and compared:
        gone = f"all {counted(compared.removed)} of {with_what} count as removed"
        found.append(f"The OpenAPI document that was live before the trigger is gone, so {gone}: {why}.")
    elif plan.breaking is Breaking.WARN and compared and compared.removed:
        found.append(f"Compared with {with_what}, {counted(compared.removed)} gone: {named(compared.removed)}.")
    elif plan.breaking is Breaking.WARN and plan.reference and why and not _told(checking):
        found.append(f"There is no OpenAPI document, so nothing was compared with {with_what}: {why}.")
    if compared is None and not _told(checking) and plan.breaking is Breaking.FAIL:
        missing = "no OpenAPI document was read before the trigger"
        missing += f" ({checking.unfit_before.why})" if checking.unfit_before else ""
        if plan.document_url is None:
            missing = "`openapi-path` is `off`"
        elif verifying:
            missing = "name a file with `openapi-reference`"
        found.append(f"Nothing was compared, though `breaking-changes` is `fail`: {missing}.")
    lenient = [each.told for each in checking.findings() if each.only_warns and not each.passed]
    found += [f"A smoke request failed, which only warns as its line begins with `?`: {told}." for told in lenient]
    return found + [f"{told}." for told in checking.partly_compared]


def _notes(checking: Checking) -> list[str]:
    plan, contract = checking.plan, checking.contract
    found: list[str] = []
    warned = plan.breaking is Breaking.WARN and (checking.gone or plan.reference)
    if checking.unfit is not None and not _told(checking) and not (warned and not plan.smoke):
        unchecked = "operations were not compared" + (", and no body was held against a schema" if plan.smoke else "")
        found.append(f"There is no OpenAPI document, so {unchecked}: {checking.unfit.why}.")
    if not checking.needs_document and checking.unfit_before is not None:
        why = checking.unfit_before.why
        found.append(f"There was no OpenAPI document before the trigger, so operations were not compared: {why}.")
    if contract is not None and contract.oddities:
        found.append(f"Passed over in the OpenAPI document: {'; '.join(contract.oddities)}.")
    return found


def _told(checking: Checking) -> bool:
    """Tell whether a missing document is one of the failures."""
    return any(each.kind is Reason.OPENAPI and not each.passed for each in checking.findings())


def _more(places: Sequence[str]) -> str:
    return f" and {len(places) - MOST_NAMED} more" if len(places) > MOST_NAMED else ""


def _listed(operations: Sequence[Operation]) -> tuple[str, ...]:
    shown = [one_line(str(each)) for each in operations[:MOST_LISTED]]
    more = len(operations) - len(shown)
    return (*shown, f"... and {more} more") if more else tuple(shown)


def _places(reference: Reference, gone: Sequence[Operation]) -> tuple[Place, ...]:
    return tuple(
        Place(reference.path, reference.lines.get(each, 1), f"{code(str(each))} is not in the live document.")
        for each in gone
    )
