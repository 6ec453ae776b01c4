"""The catalogue: what to do about each reason. `docs/troubleshooting.md` is rendered from it."""

from collections.abc import Mapping

from redeploy.remedies.of_service import OF_SERVICE
from redeploy.remedies.of_update import OF_UPDATE
from redeploy.remedies.remedy import Remedy
from redeploy.verdicts import Reason

REMEDIES: Mapping[Reason, Remedy] = {**OF_UPDATE, **OF_SERVICE}
"""What to do, for each reason but the empty one."""
