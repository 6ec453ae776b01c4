"""The results of the checks, ready to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.contract.reference import Reference
from redeploy.contract.results import MOST_LISTED, MOST_NAMED, Finding, counted, named
from redeploy.contract.routes import Operation
from redeploy.contract.settings import Breaking
from redeploy.report.facts import About, Facts
from redeploy.rollout.checks import Checking
from redeploy.service.gaps import Gap, certain_downtime, downtime
from redeploy.text.untrusted import code, one_line
from redeploy.verdicts import Reason


@dataclass(frozen=True)
class Place:
    """A message about a line of a file in the workspace."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The results. Texts from outside are one harmless line each."""

    findings: Sequence[Finding] = ()
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    counts: tuple[int, int] = (0, 0)
    """How many were added and removed, even if not all are listed."""
    compared_with: str = ""
    """What the operations were compared with; empty if they were not."""
    places: Sequence[Place] = ()
    """The lines of the removed operations in the reference file."""

    @property
    def failed(self) -> list[Finding]:
        """The checks that failed."""
        return [each for each in self.findings if each.failed]

    @property
    def unasked(self) -> bool:
        """Whether only the document was read, which is done without an input that asks for it, and is not a check then."""
        return all(each.kind is Reason.OPENAPI and each.passed for each in self.findings)


NOTHING_CHECKED = Checked()


def checked(checking: Checking, *more: Finding) -> Checked:
    """Return the results of the checks so far, and of `more`."""
    plan, compared = checking.plan, checking.compared
    gone = compared.removed if compared and plan.breaking is not Breaking.IGNORE else ()
    return Checked(
        findings=(*checking.findings(), *more),
        added=_listed(compared.added if compared else ()),
        removed=_listed(compared.removed if compared else ()),
        counts=(len(compared.added), len(compared.removed)) if compared else (0, 0),
        compared_with=_with_what(checking) if compared else "",
        places=_places(plan.reference, gone) if plan.reference else (),
    )


def facts_of_checks(checking: Checking, *, verifying: bool = False) -> Facts:
    """Return what is worth saying about the checks besides their results."""
    with_what = _with_what(checking)
    facts = Facts().plus(About.WARNING, *_warnings(checking, with_what, verifying=verifying))
    facts = facts.plus(About.NOTE_ON_CHECKS, *_notes(checking))
    if not checking.unread:
        return facts
    partly = f"Compared with {with_what} only in part: a document does not show the operations under"
    kind = About.WARNING if checking.plan.breaking is Breaking.FAIL else About.NOTE_ON_CHECKS
    return facts.plus(kind, f"{partly} {', '.join(checking.unread[:MOST_NAMED])}{_more(checking.unread)}.")


def _with_what(checking: Checking) -> str:
    reference = checking.plan.reference
    return code(reference.path) if reference else "the document that was live before the trigger"


def downtime_check(found: Sequence[Gap], most: float) -> tuple[Finding, str]:
    """Return whether the service was down for at most `most` seconds, and a warning if that is doubtful."""
    least, bound = certain_downtime(found), downtime(found) or 0.0
    allows = f"`max-downtime` allows {most:g} s"
    sentence = f"The service was down for at least {least:.1f} s and at most {bound:.1f} s; {allows}"
    if not bound:
        sentence = f"No interruption was seen; {allows}"
    check = Finding(Reason.DOWNTIME, "max-downtime", passed=least <= most, sentence=sentence)
    doubt = (
        f"It is not known whether the service was down for longer than the {most:g} s of `max-downtime`: the unhealthy "
        f"responses span {least:.1f} s, the healthy ones around them {bound:.1f} s."
    )
    return check, doubt if least <= most < bound else ""


def _warnings(checking: Checking, with_what: str, *, verifying: bool) -> list[str]:
    plan, compared = checking.plan, checking.compared
    why = checking.unfit.why if checking.unfit else ""
    found: list[str] = []
    if plan.breaking is Breaking.WARN and checking.gone and compared:
        gone = f"all {counted(compared.removed)} of {with_what} count as removed"
        found.append(f"The OpenAPI document that was live before the trigger is gone, so {gone}: {why}.")
    elif plan.breaking is Breaking.WARN and compared and compared.removed:
        found.append(f"Compared with {with_what}, {counted(compared.removed)} removed: {named(compared.removed)}.")
    elif plan.breaking is Breaking.WARN and plan.reference and why and not _fails_without_document(checking):
        found.append(f"There is no OpenAPI document, so nothing was compared with {with_what}: {why}.")
    if compared is None and not _fails_without_document(checking) and plan.breaking is Breaking.FAIL:
        missing = "no OpenAPI document was read before the trigger"
        missing += f" ({checking.unfit_before.why})" if checking.unfit_before else ""
        if plan.document_url is None:
            missing = "`openapi-path` is `off`"
        elif verifying:
            missing = "name a file with `openapi-reference`"
        found.append(f"Nothing was compared, though `breaking-changes` is `fail`: {missing}.")
    lenient = [each.sentence for each in checking.findings() if each.only_warns and not each.passed]
    found += [f"A smoke request failed; it only warns, because its line begins with `?`: {each}." for each in lenient]
    return found + [f"{each}." for each in checking.partly_compared]


def _notes(checking: Checking) -> list[str]:
    plan, contract = checking.plan, checking.contract
    found: list[str] = []
    warned = plan.breaking is Breaking.WARN and (checking.gone or plan.reference)
    if checking.unfit is not None and not _fails_without_document(checking) and not (warned and not plan.smoke):
        unchecked = "operations were not compared" + (
            ", and no body was checked against a schema" if plan.smoke else ""
        )
        found.append(f"There is no OpenAPI document, so {unchecked}: {checking.unfit.why}.")
    if not checking.needs_document and checking.unfit_before is not None:
        why = checking.unfit_before.why
        found.append(f"There was no OpenAPI document before the trigger, so operations were not compared: {why}.")
    if contract is not None and contract.oddities:
        found.append(f"Ignored in the OpenAPI document: {'; '.join(contract.oddities)}.")
    return found


def _fails_without_document(checking: Checking) -> bool:
    """Return whether a missing document is one of the failures."""
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
