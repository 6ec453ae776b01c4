"""Which checks of the contract are asked for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # most runs ask for no route, compare with no file, and send no smoke request
    from redeploy.contract.reference import Reference
    from redeploy.contract.routes import Pattern
    from redeploy.contract.smoke import Smoke


class Breaking(StrEnum):
    """What becomes of operations that are gone."""

    IGNORE = "ignore"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What a live build must keep to, beside being healthy."""

    document_url: str | None = None
    """Where the OpenAPI document is; None where it is not asked for."""
    document_needed: bool = False
    """Whether a missing document is a failure, whatever else is asked."""
    required: tuple["Pattern", ...] = ()
    forbidden: tuple["Pattern", ...] = ()
    reference: "Reference | None" = None
    breaking: Breaking = Breaking.WARN
    smoke: tuple["Smoke", ...] = ()

    @property
    def insist_on_document(self) -> bool:
        """Whether something was asked that only the document can answer."""
        compared = self.reference and self.breaking is Breaking.FAIL
        asked = self.document_needed or self.required or self.forbidden or compared
        return self.document_url is not None and bool(asked)
