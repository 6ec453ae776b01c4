"""What a service promises by its OpenAPI document, and what two documents differ by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from redeploy.core.plan import Smoke
from redeploy.core.promise import Promise
from redeploy.core.routes import Operation


@dataclass(frozen=True)
class Contract:
    """A document, reduced to what a run needs of it."""

    version: str
    operations: tuple[Operation, ...]
    located: bool = False
    """Whether it says under which path its server offers the operations."""
    promises: Mapping[Smoke, Promise] = field(default_factory=dict)
    """What it says of the answers to smoke requests."""

    @cached_property
    def identity(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What tells one contract from another: the version, and the set of operations."""
        return self.version, frozenset(each.written for each in self.operations)


@dataclass(frozen=True)
class Unfit:
    """Why there is no contract: what came instead of an OpenAPI document, in our own words."""

    why: str


@dataclass(frozen=True)
class Difference:
    """Operations that only one of two contracts has."""

    added: tuple[Operation, ...] = ()
    removed: tuple[Operation, ...] = ()


def difference(before: Contract, after: Contract) -> Difference:
    """Return what was added and removed; parameters may change their names.

    A document that names no server does not say where its paths begin. Beside one of these, an operation is the same
    as another by either, its address at a server or the path as it is written.
    """
    either = not (before.located and after.located)
    return Difference(_missing(after, before, either=either), _missing(before, after, either=either))


def _missing(there: Contract, here: Contract, *, either: bool) -> tuple[Operation, ...]:
    def names(operation: Operation) -> frozenset[tuple[str, str]]:
        return operation.places | {operation.written} if either else operation.places

    known = frozenset().union(*map(names, here.operations))
    return tuple(each for each in there.operations if not names(each) & known)
