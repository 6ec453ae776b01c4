"""What a service promises in its OpenAPI document, and how two documents differ."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from redeploy.contract.response_schema import ResponseSchemas
from redeploy.contract.routes import Operation
from redeploy.contract.smoke import Smoke
from redeploy.http.response import Response


@dataclass(frozen=True)
class Contract:
    """A document, reduced to what a run needs of it."""

    version: str
    operations: tuple[Operation, ...]
    located: bool = False
    """Whether it says under which path its server offers the operations."""
    promises: Mapping[Smoke, ResponseSchemas] = field(default_factory=dict)
    """What it says about the responses to smoke requests."""
    unread: Mapping[Operation, str] = field(default_factory=dict)
    """Places whose operations are unknown, and why; without a method, all operations of the path."""
    oddities: tuple[str, ...] = ()
    """What was skipped in the document, in clauses that are harmless Markdown."""

    @cached_property
    def identity(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What distinguishes one contract from another: the version, and the set of operations."""
        return self.version, frozenset(each.written for each in self.operations)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the identity, by which a later run recognises it."""
        version, operations = self.identity
        return hashlib.sha256(json.dumps([version, sorted(operations)]).encode()).hexdigest()


@dataclass(frozen=True)
class Fingerprint:
    """What a later run knows about a contract."""

    whole: str
    """The fingerprint of version and operations."""
    version: str


@dataclass(frozen=True)
class NoContract:
    """Why there is no contract: what came instead of an OpenAPI document, in our own words."""

    why: str
    gone: bool = False
    """Whether the service responded and certainly has no document; otherwise it may only not have been read."""


@dataclass(frozen=True)
class Read(Response):
    """A response whose body was read as a document in the thread that fetched it: that may take long."""

    found: Contract | NoContract = NoContract("")


NO_OPERATIONS = Contract("", ())
"""The contract of a service that has no document any more."""


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
    if (before.operations, before.unread) == (after.operations, after.unread):
        return Difference()  # the usual case; for thousands of operations the sets below are slow
    either = not (before.located and after.located)
    return Difference(_missing(after, before, either=either), _missing(before, after, either=either))


def _missing(there: Contract, here: Contract, *, either: bool) -> tuple[Operation, ...]:
    """Return the operations of `there` that `here` lacks, except those at places where `here` was not read."""

    def names(operations: Iterable[Operation]) -> set[tuple[str, str]]:
        found = {place for each in operations for place in each.places}
        return found | {each.written for each in operations} if either else found

    known, unread = names(here.operations), names(here.unread)

    def is_known(operation: Operation) -> bool:
        if not known.isdisjoint(operation.places) or (either and operation.written in known):
            return True
        if not unread:
            return False
        own = names((operation,))
        return bool(unread & own) or any(("", path) in unread for _, path in own)

    return tuple(each for each in there.operations if not is_known(each))
