"""Which checks of the contract a run should make."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # most runs ask for no route, compare with no file, and send no smoke request
    from redeploy.contract.reference import Reference
    from redeploy.contract.routes import Pattern
    from redeploy.contract.smoke import Smoke


class Breaking(StrEnum):
    """How operations that are gone count."""

    IGNORE = "ignore"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What a live build must fulfil besides being healthy."""

    document_url: str | None = None
    """Where the OpenAPI document is; None if it is not requested."""
    document_needed: bool = False
    """Whether a missing document always fails the run."""
    required: tuple["Pattern", ...] = ()
    forbidden: tuple["Pattern", ...] = ()
    reference: "Reference | None" = None
    breaking: Breaking = Breaking.WARN
    smoke: tuple["Smoke", ...] = ()

    @property
    def insist_on_document(self) -> bool:
        """Whether a check needs the document."""
        compared = self.reference and self.breaking is Breaking.FAIL
        asked = self.document_needed or self.required or self.forbidden or compared
        return self.document_url is not None and bool(asked)
