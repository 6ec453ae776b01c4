"""What a remedy is, the address of its heading in the guide, and the parts that several remedies share."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.remedies.subject import Subject

GUIDE = "https://github.com/leok974/redeploy-action/blob/main/docs/troubleshooting.md"


@dataclass(frozen=True)
class Remedy:
    """What a reason means and how to fix it, in Markdown. `«host»` and the like are slots for what a run has seen."""

    headline: str
    cause: str
    fix: str

    def about(self, subject: Subject) -> "Remedy":
        """Return the remedy with its slots filled in."""
        return Remedy(*map(subject.filled, (self.headline, self.cause, self.fix)))


def guide(heading: StrEnum) -> str:
    """Return the address of the heading of a reason, or of a finding, in the troubleshooting guide."""
    return f"{GUIDE}#{heading}"


WATCHTOWERS = "docker ps -a --filter label=com.centurylinklabs.watchtower=true"
"""Finds Watchtower by the label of its images, containrrr's and the fork's, regardless of the container's name."""

WATCHTOWER_LOG = f"{WATCHTOWERS} -q | xargs -rn1 docker logs --tail 50"

ONE_AT_A_TIME = (
    "let one deployment run at a time:\n\n```yaml\nconcurrency:\n  group: production\n  cancel-in-progress: false\n```"
)

LOOPBACK = Remedy(
    "Nothing listens on this address, which is the action's own container",
    "A container action has its own network: `localhost` and `127.0.0.1` are the container itself, not the "
    "runner and not a service started by an earlier step.",
    "Use the public address. Or start the service under `services:` in the job, and use its alias as host name.",
)
"""Replaces `unreachable` and `down` if the address is a loopback one."""
