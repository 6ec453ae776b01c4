"""The checks of a document: whether it exists, its routes, the operations that are gone."""

from redeploy.contract.results import MOST_EXPLAINED, MOST_LISTED, Finding, counted, instead, named
from redeploy.contract.settings import Checks
from redeploy.contract.snapshot import Contract, Difference
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason


def of_document(contract: Contract | None, why: str) -> Finding:
    """Return the check that there is a document; `why` says why there is none."""
    if contract is None:
        return Finding(Reason.OPENAPI, "openapi", passed=False, sentence=f"There is no OpenAPI document: {why}")
    version = f" of version {code(contract.version, 80)}" if contract.version else ""
    return Finding(Reason.OPENAPI, "openapi", passed=True, sentence=f"{counted(contract.operations)}{version}")


def of_routes(checks: Checks, contract: Contract) -> list[Finding]:
    """Return the checks of the required and the forbidden routes."""
    found, missing = [], 0
    for pattern in checks.required:
        there = any(map(pattern.matches, contract.operations))
        missing += not there
        sentence = "is there" if there else "is missing"
        unread = [] if there else [each for each in contract.unread if pattern.matches_path(each)]
        if unread:
            sentence = f"may be there: {named(unread)} {contract.unread[unread[0]]}"
        elif not there and missing <= MOST_EXPLAINED:
            sentence += f"; {instead(pattern, contract)}"
        found.append(Finding(Reason.ROUTES, f"required-route {pattern}", there, f"{code(str(pattern))} {sentence}"))
    for pattern in checks.forbidden:
        matching = [each for each in contract.operations if pattern.forbids(each)]
        unread = [each for each in contract.unread if pattern.forbids(each)]
        sentence = f"is forbidden, and the document has {named(matching)}" if matching else "is not there"
        if unread and not matching:
            sentence = f"is forbidden, and may be there: {named(unread)} {contract.unread[unread[0]]}"
        passed = not matching and not unread
        found.append(Finding(Reason.ROUTES, f"forbidden-route {pattern}", passed, f"{code(str(pattern))} {sentence}"))
    return found


def of_difference(compared: Difference, why: str) -> list[Finding]:
    """Return the checks of the operations that are gone; `why` follows each of them."""
    gone = [
        Finding(
            Reason.BREAKING_CHANGE, f"removed-route {each}", passed=False, sentence=f"{code(str(each))} is gone{why}"
        )
        for each in compared.removed[:MOST_LISTED]
    ]
    if more := len(compared.removed) - len(gone):
        sentence = f"{more} more operations are gone"
        gone.append(
            Finding(Reason.BREAKING_CHANGE, f"removed-route ... and {more} more", passed=False, sentence=sentence)
        )
    nothing = Finding(Reason.BREAKING_CHANGE, "breaking-changes", passed=True, sentence="no operation is gone")
    return gone or [nothing]
