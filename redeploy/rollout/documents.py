"""The OpenAPI documents of a run: the one from before the trigger, and what the service has promised since."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from redeploy.contract.changes import Changes
from redeploy.contract.check_progress import BuildChecks
from redeploy.contract.openapi import read_document
from redeploy.contract.settings import Checks
from redeploy.contract.smoke import TRIES, Again, found_again
from redeploy.contract.snapshot import (
    NO_OPERATIONS,
    Contract,
    Difference,
    Fingerprint,
    NoContract,
    difference,
)
from redeploy.http.response import HttpResult
from redeploy.rollout.requests import FetchDocument
from redeploy.text.untrusted import code


@dataclass
class Documents:
    """The documents of one service. Times are monotonic seconds."""

    plan: Checks
    redact: Callable[[str], str] = str
    recalled: Fingerprint | None = None
    """What the service promised when an earlier step looked."""
    response_before: HttpResult | None = None
    """The response to the request for the document before the trigger."""
    documents: list[tuple[float, Contract]] = field(default_factory=list)
    """What the service promised since, and when that was requested."""
    unfit_before: NoContract | None = None
    """Why there was no document before the trigger; known once `before` was read."""
    unfit: NoContract | None = None
    """Why the last response was not a document."""
    unfit_in_turn: int = 0
    """How many times in a row that happened."""
    read_at: float = float("-inf")
    """When the last real document was requested."""
    past_caches: bool = False
    """Whether a cache responded to the request for the document before the trigger."""
    round: BuildChecks | None = None
    _compared: tuple[Contract, Contract, Difference] | None = None

    @cached_property
    def before(self) -> Contract | None:
        """What the service promised before the trigger; read when first needed, so that it does not delay the trigger."""
        if self.response_before is None or self.plan.document_url is None:
            return None
        found = read_document(self.response_before, self.plan.document_url, redact=self.redact)
        self.response_before = None
        if isinstance(found, NoContract):
            self.unfit_before = found
            return None
        return found

    @property
    def before_if_read(self) -> Contract | None:
        """The same if it was read already; else None."""
        found = self.__dict__.get("before")
        return found if isinstance(found, Contract) else None

    def take_before(self, request: FetchDocument, http_result: HttpResult) -> None:
        """Take in the document from before the trigger; one from a cache is fetched again, past caches."""
        if found_again(http_result) is Again.CACHED and not request.past_caches:
            self.past_caches = True
        else:
            self.response_before = http_result

    @property
    def needs_fresh_before(self) -> bool:
        """Whether the document from before the trigger must be requested again, past caches."""
        return self.past_caches and self.response_before is None

    @property
    def contract(self) -> Contract | None:
        """What the live build promises, if its document could be read; that of an earlier build does not count."""
        unread = self.round is not None and self.round.document.result is None
        return self.documents[-1][1] if self.documents and self.unfit is None and not unread else None

    @property
    def known_before(self) -> Contract | Fingerprint | None:
        """What the service promised before the trigger, as far as known."""
        return self.before or self.recalled

    def changed_since(self, *, operations: bool) -> float | None:
        """Return since when the service promises something other than before the trigger; None if it does not.

        `operations`: whether other operations count even if the version is the same.
        """
        if self.unfit_in_turn >= TRIES or self.known_before is None:
            return None
        return Changes(self.known_before, self.documents, operations).since

    def reverted(self, *, operations: bool) -> bool:
        """Return whether it promised something else, and then the same as before; `operations` as in `changed_since`."""
        return self.known_before is not None and Changes(self.known_before, self.documents, operations).reverted

    @property
    def compared(self) -> Difference | None:
        """What is new and what is gone, compared with the reference or else the document from before; None without both.

        If there was a document before and it is gone, every operation is gone.
        """
        base, live = self.base, self.contract or (NO_OPERATIONS if self.gone else None)
        if base is None or live is None:
            return None
        if self._compared is None or self._compared[0] is not base or self._compared[1] is not live:
            self._compared = base, live, difference(base, live)  # needed many times between two documents
        return self._compared[2]

    @property
    def base(self) -> Contract | None:
        """What the live document is compared with."""
        return self.plan.reference.contract if self.plan.reference else self.before

    @property
    def gone(self) -> bool:
        """Whether there was a document before the trigger, and certainly none now."""
        read = self.round is not None and self.round.document.result is not None
        return read and self.before is not None and self.unfit is not None and self.unfit.gone

    @property
    def unread(self) -> list[str]:
        """Places where one side of a comparison does not show its operations, in harmless Markdown."""
        sides = [each for each in (self.base, self.contract) if each is not None] if self.compared else []
        places = dict.fromkeys(str(operation) for each in sides for operation in each.unread)
        return [code(each, 80) for each in places]
