"""What came of the checks, one result each."""

from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.contract.routes import Operation, Pattern, near_misses
from redeploy.contract.snapshot import Contract
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

MOST_LISTED = 1_000
"""Operations that are told one by one, in findings and in outputs; a last entry says how many more there are."""


MOST_NAMED = 5
"""Operations that one message names."""


MOST_EXPLAINED = 5
"""Missing routes for which near misses are looked for: in a large document each takes tenths of a second of the watch."""


@dataclass(frozen=True)
class Finding:
    """What one check came to; its texts are harmless, the document's in them shown as code."""

    kind: Reason
    """The reason that it is for `checks-failed`."""
    check: str
    """Its name, as the output `failed-checks` has it."""
    passed: bool
    told: str
    seconds: float | None = None
    only_warns: bool = False
    """Whether a failure is a warning."""

    @property
    def failed(self) -> bool:
        """Whether it fails the run."""
        return not self.passed and not self.only_warns


def counted(operations: Sequence[Operation]) -> str:
    """Return how many operations these are, in words."""
    return "1 operation" if len(operations) == 1 else f"{len(operations):,} operations"


def named(operations: list[Operation] | tuple[Operation, ...]) -> str:
    """Return some operations as code, and how many more there are."""
    shown = ", ".join(code(str(each)) for each in operations[:MOST_NAMED])
    more = len(operations) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def instead(pattern: Pattern, contract: Contract) -> str:
    """Say what the document has in a missing route's place."""
    near = near_misses(pattern, contract.operations)
    if near:
        return f"the document has {named(near)}"
    return f"the document has {counted(contract.operations)}, none like it"
