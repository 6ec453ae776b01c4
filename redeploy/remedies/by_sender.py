"""Remedies by who sent the response, and how long it took: they replace the reason's own remedy.

A reason says why a run ended; the sender of the response says who caused it. Each remedy says what was observed, what it
means from this sender, and how to fix it there.
"""

from dataclasses import dataclass, replace

from redeploy.http.condition import Condition
from redeploy.http.response import ErrorKind
from redeploy.http.sender import SenderKind, capital
from redeploy.remedies import recipes
from redeploy.remedies.by_sender_of_trigger import OF_THE_TRIGGER
from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.remedy import ONE_AT_A_TIME, WATCHTOWER_LOG, Remedy
from redeploy.service.sample import Sample
from redeploy.triggers.trigger import Answer, Result
from redeploy.verdicts import Reason

TURNS = 3
"""Switches between old and new build that mean that both are live: a new build that was rolled back makes two."""

_LOG = f"On the server, read Watchtower's log:\n\n```sh\n{WATCHTOWER_LOG}\n```"
_BRING_BACK = (
    "On the server, see what is left and start the service again:\n\n```sh\ndocker ps --all\n"
    "# your-service is the name in the compose file\ndocker compose up -d --force-recreate your-service\n```"
)


@dataclass(frozen=True, kw_only=True)
class LastResponses:
    """The last responses to the trigger and of the service."""

    answer: Answer | None = None
    """The last response to the trigger: Watchtower's, or that of a proxy in front of it."""
    after: float | None = None
    """Seconds from the trigger to that response."""
    last: Sample | None = None
    """The last conclusive response of the service; if there are several addresses, an unhealthy one."""
    before: Sample | None = None
    """The response of the same address before the trigger."""
    turns: int = 0
    """How often the old and the new build alternated."""
    overtaken: bool = False
    """Whether the service is healthy at the end, by neither of them."""


def remedy_by_sender(reason: Reason, responses: LastResponses) -> Remedy | None:
    """Return the remedy for a reason and the sender of the response; None if the reason's own remedy is right."""
    answer = responses.answer
    if responses.turns >= TURNS and reason in (Reason.OLD_BUILD, Reason.FLAPPING):
        return _IN_TURN
    if responses.overtaken and reason is Reason.FLAPPING:
        return _OVERTAKEN
    if reason is Reason.UPDATE_FAILED:
        return _UPDATE_FAILED[responses.last is not None and responses.last.healthy]
    if reason in OF_THE_TRIGGER and answer is not None:
        return OF_THE_TRIGGER[reason](answer, responses.after or 0.0)
    if reason is Reason.DOWN and responses.last is not None:
        return _down(responses.last, answer)
    if reason in (Reason.NEVER_READY, Reason.HTML) and responses.last is not None:
        return _refused_by_the_service(responses.last, responses.before)
    return None


_UPDATE_FAILED = {
    False: replace(
        REMEDIES[Reason.UPDATE_FAILED],
        headline="The service is down: Watchtower could not start the new image",
        cause="Watchtower removes the old container before it creates the new one, and the new one did not start.",
    ),
    True: replace(
        REMEDIES[Reason.UPDATE_FAILED],
        cause="The new container did not start, or was unhealthy and was taken back. The service is up: the old container "
        "still runs, or Watchtower started it again.",
    ),
}

_IN_TURN = Remedy(
    "The old and the new build take turns",
    "Several containers respond at `«service»`. Watchtower replaced one and left another, because a replica was forgotten, "
    "has another name or is not watched. Or a proxy still knows the address of a container that should be gone.",
    "On the server, see which containers run this image, and remove or recreate the old ones:\n\n```sh\n"
    "docker ps --format '{{.Names}} {{.Image}} {{.Status}}'\n```\n\nWatchtower replaces all replicas only if each has "
    "its label, and `image` and `container` exclude none.",
)

_OVERTAKEN = Remedy(
    "Another build has replaced the new one",
    "Another push moved the tag while this run watched the new build, and Watchtower took that image, too: on its schedule, "
    "or because another job triggered it.",
    f"If that build is the right one, there is nothing to do. Otherwise {ONE_AT_A_TIME}",
)


def _down(last: Sample, answer: Answer | None) -> Remedy | None:
    if answer is not None and answer.sender.kind is SenderKind.WATCHTOWER and answer.status == 408:
        return Remedy(
            "The service is down: Watchtower stopped its container and did not start another",
            "The update took longer than Watchtower's own limit (`WATCHTOWER_HTTP_API_UPDATE_TIMEOUT`), which ended it "
            "after the old container was stopped and before the new one was started. Another trigger does not help: "
            "Watchtower only updates containers that run.",
            f"{_BRING_BACK}\n\nThen raise the limit, or let the container stop faster (`docker logs` shows what it waits "
            "for):\n\n" + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_UPDATE_TIMEOUT: 30m"),
        )
    if answer is not None and answer.lost and answer.error_kind is not ErrorKind.TLS:
        return Remedy(
            "The service is down, and Watchtower's response was lost",
            "The update broke off, or the new container does not start. Watchtower removes the old container before it "
            "creates the new one.",
            f"{_BRING_BACK}\n\n{_LOG}",
        )
    if last.status in (502, 504) and (
        answer is None or answer.result in (Result.UPDATED, Result.PARTIAL, Result.ACCEPTED)
    ):
        return None
    return Remedy(
        REMEDIES[Reason.DOWN].headline,
        "The container is gone or does not start, or the proxy in front of it does not run.",
        "On the server, see whether the container runs, and read its log:\n\n```sh\ndocker ps --all\n"
        "docker logs --tail 100 «container»\n```",
    )


def _refused_by_the_service(last: Sample, before: Sample | None) -> Remedy | None:
    same = before is not None and (before.condition, before.status) == (last.condition, last.status)
    well_before = before is not None and before.healthy
    if last.status == 401 or last.sender.kind is SenderKind.LOGIN:
        return Remedy(
            "The health check is refused: its address needs credentials",
            f"`«health»` responded with {last.status}{' before the trigger too' if same else ''}, so the run could not see "
            "whether the build is healthy.",
            "Check an address that needs no credentials (`health-path`), or send the credentials:\n\n```yaml\nwith:\n"
            "  service-headers: |\n    Authorization: Bearer ${{ secrets.HEALTH_TOKEN }}\n```",
        )
    if last.status == 403:
        who = capital(last.sender.name) or "The service, or something in front of it,"
        return Remedy(
            f"The health check is forbidden{' since the run began' if well_before else ''}",
            f"{who} responded with 403 at `«health»`{' before the trigger too' if same else ''}: a list of addresses, a "
            "firewall or a ban (CrowdSec, fail2ban, Cloudflare). Runners share their addresses with many, and many requests "
            "in a short time look like an attack. So the run could not see whether the build is healthy.",
            "Let requests to the health path through if they have a secret header, and pass it with `service-headers`. "
            "Send fewer requests: `request-rate: 10/m`.",
        )
    if same and last.condition is Condition.HTML:
        return _wrong_path("an HTML page")
    if last.status in (404, 405, 410):
        if well_before:
            return Remedy(
                "The new build does not have the health path",
                f"`«health»` was healthy before the trigger, and responds with {last.status} now. The route was removed or "
                "renamed in this build, or something other than the service responded.",
                "Bring the route back, or set the new one with `health-path`. Look for yourself:\n\n```sh\n"
                "curl -sSi '«health»'\n```",
            )
        return _wrong_path(str(last.status), same=same)
    return None


def _wrong_path(what: str, *, same: bool = True) -> Remedy:
    before = "before the trigger too" if same else "to every request"
    return Remedy(
        "The health path is probably wrong",
        f"`«health»` responded with {what} {before}, so this says nothing about the new build.",
        "Set `health-path` to the path of the service's health check, on the origin of `base-url`. If the health check is "
        "meant to be a page, set `health-expect: any`. Look for yourself:\n\n```sh\ncurl -sSi '«health»'\n```",
    )
