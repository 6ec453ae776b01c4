"""What a remedy is, where its heading stands in the guide, and what several of them say."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.remedies.subject import Subject

GUIDE = "https://github.com/leok974/redeploy-action/blob/main/docs/troubleshooting.md"


@dataclass(frozen=True)
class Remedy:
    """What a reason means and what mends it, in Markdown. `«host»` and the like leave open what a run has seen."""

    headline: str
    cause: str
    fix: str

    def about(self, subject: Subject) -> "Remedy":
        """Return it with what it speaks of."""
        return Remedy(*map(subject.filled, (self.headline, self.cause, self.fix)))


def guide(heading: StrEnum) -> str:
    """Return the address of the heading of a reason, or of a finding, in the troubleshooting guide."""
    return f"{GUIDE}#{heading}"


WATCHTOWERS = "docker ps -a --filter label=com.centurylinklabs.watchtower=true"
"""Lists Watchtower by the label that its images have, containrrr's and the fork's, whatever its container is called."""

WATCHTOWER_LOG = f"{WATCHTOWERS} -q | xargs -rn1 docker logs --tail 50"

LOOPBACK = Remedy(
    "Nothing listens on this address, and it names the action's own container",
    "A container action has a network of its own: `localhost` and `127.0.0.1` are the container itself, not the "
    "runner and not a service started by an earlier step.",
    "Use the public address, or start the service under `services:` in the job and use its alias as host name.",
)
"""Takes the place of `unreachable` and `down` where the address is a loopback one."""
