"""What the OpenAPI documents of a run show about builds: whether they promise something other than before the trigger."""

from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.contract.snapshot import Contract, Fingerprint

MOST_VERSIONS = 4
"""Values of a document's version after which it is noise, as for a build name."""

Identity = tuple[str, object]


@dataclass(frozen=True)
class Changes:
    """A contract from before the trigger, and those since, with the time of their requests in monotonic seconds."""

    before: Contract | Fingerprint
    documents: Sequence[tuple[float, Contract]]
    operations: bool
    """Whether other operations mean another contract even with the same version: some documents depend on data."""

    @property
    def since(self) -> float | None:
        """Since when the service promises something other than before the trigger."""
        found = None
        identities = self._identities()
        old = latest = identities[0]
        for (sent, _), identity in zip(self.documents, identities[1:], strict=True):
            if identity != latest:
                found = None if identity == old else sent
            latest = identity
        return found

    @property
    def reverted(self) -> bool:
        """Whether it promised something else, and then the same as before again."""
        old, *since = self._identities()
        other = [identity != old for identity in since]
        return any(other) and not other[-1]

    def _identities(self) -> list[Identity]:
        """Return what distinguishes contracts: a version that has shown too many values is a clock or a counter."""
        known = [self.before, *(each for _, each in self.documents)]
        noise = len({each.version for each in known}) >= MOST_VERSIONS
        if isinstance(self.before, Fingerprint):  # which is of the version, too
            return [("" if noise else each.version, self._fingerprint(each, noise=noise)) for each in known]
        return [("" if noise else each.version, self._operations(each)) for each in known]

    def _operations(self, contract: Contract | Fingerprint) -> object:
        return contract.identity[1] if self.operations and isinstance(contract, Contract) else None

    def _fingerprint(self, contract: Contract | Fingerprint, *, noise: bool) -> object:
        if noise or not self.operations:
            return None
        return contract.fingerprint if isinstance(contract, Contract) else contract.whole
