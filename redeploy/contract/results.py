"""The results of the checks."""

from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.contract.routes import Operation, Pattern, near_misses
from redeploy.contract.snapshot import Contract
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

MOST_LISTED = 1_000
"""Operations that findings and outputs list one by one; a last entry says how many more there are."""


MOST_NAMED = 5
"""Operations that one message names."""


MOST_EXPLAINED = 5
"""Missing routes for which near misses are searched: in a large document, each takes tenths of a second of the window."""


@dataclass(frozen=True)
class Finding:
    """The result of one check; its texts are harmless, and show the document's own words as code."""

    kind: Reason
    """The reason of `checks-failed`."""
    check: str
    """The check's name in the output `failed-checks`."""
    passed: bool
    sentence: str
    seconds: float | None = None
    only_warns: bool = False
    """Whether a failure is a warning."""

    @property
    def failed(self) -> bool:
        """Whether it fails the run."""
        return not self.passed and not self.only_warns


def counted(operations: Sequence[Operation]) -> str:
    """Return the number of operations, with the noun."""
    return "1 operation" if len(operations) == 1 else f"{len(operations):,} operations"


def named(operations: list[Operation] | tuple[Operation, ...]) -> str:
    """Return some operations as code, and how many more there are."""
    shown = ", ".join(code(str(each)) for each in operations[:MOST_NAMED])
    more = len(operations) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def instead(pattern: Pattern, contract: Contract) -> str:
    """Return what the document has instead of a missing route."""
    near = near_misses(pattern, contract.operations)
    if near:
        return f"the document has {named(near)}"
    return f"the document has {counted(contract.operations)}, but none like it"
