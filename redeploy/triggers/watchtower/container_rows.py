"""What the fork's check and details endpoints say of each container (`handlers/check`, `handlers/containers/details`)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redeploy.http.response import HttpResult, Response
from redeploy.registry.image import is_digest
from redeploy.triggers.watchtower.answer import SAYS_GONE, plain_words
from redeploy.triggers.watchtower.containers import RunningContainer


@dataclass(frozen=True)
class Checked:
    """What the check endpoint says of one container."""

    row: RunningContainer
    available: bool
    error: str
    """Why it could not compare the images, as one line; empty if it could."""

    @property
    def rate_limited(self) -> bool:
        """Whether the registry asked Watchtower to wait: an update gives up then, and the engine does not pull either."""
        return bool(_RATE_LIMIT.search(self.error))

    @property
    def refused(self) -> bool:
        """Whether a registry responded with a refusal, which would meet the engine's pull as well."""
        return self.rate_limited or bool(_REFUSAL.search(self.error))

    @property
    def says_absent(self) -> bool:
        """Whether the registry does not have the image."""
        return bool(SAYS_GONE.search(self.error))


@dataclass(frozen=True)
class Held:
    """The containers that Watchtower is configured not to update, by name."""

    monitored: frozenset[str] = frozenset()
    """It only checks whether there is a newer image (`monitor_only`)."""
    unpulled: frozenset[str] = frozenset()
    """It does not pull images for them (`no_pull`)."""


def checked_in(http_result: HttpResult | None, redact: Callable[[str], str]) -> list[Checked]:
    """Return what the check endpoint reports for each container; empty if it is absent."""
    found = []
    for each in _rows(http_result):
        name, image, digest, error = (str(each.get(part) or "") for part in ("name", "image", "digest", "error"))
        row = RunningContainer(name, image, digest if is_digest(digest) else "")
        found.append(Checked(row, each.get("update_available") is True, plain_words(error, redact)))
    return found


def held_in(http_result: HttpResult | None) -> Held:
    """Return the flags in the rows of the details endpoint; empty if it is absent."""
    rows = _rows(http_result)

    def flagged(flag: str) -> frozenset[str]:
        return frozenset(str(each.get("name") or "") for each in rows if each.get(flag) is True)

    return Held(flagged("monitor_only"), flagged("no_pull"))


def is_pinned(reference: str) -> bool:
    """Return whether a container was created with a digest, so that no other image can replace it (`image.go`)."""
    return "@sha256:" in reference or reference.startswith("sha256:")


def _rows(http_result: HttpResult | None) -> list[dict[str, Any]]:
    body = http_result.json if isinstance(http_result, Response) and http_result.status == 200 else None
    rows = body.get("containers") if isinstance(body, dict) else None
    return [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []


_RATE_LIMIT = re.compile(r"(?i)rate.?limit|toomanyrequests|too many requests|\b429\b")
_REFUSAL = re.compile(
    r"(?i)\bstatus:? [45]\d\d\b|\b(?:no credentials|unauthorized|denied|forbidden|manifest unknown)\b"
)
"""The words of the fork's `digest.go` and `auth.go` for a response of the registry, or of its token realm."""
