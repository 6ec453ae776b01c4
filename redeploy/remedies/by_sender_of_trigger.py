"""The same for the trigger: remedies by who sent the response to it, and how long it took."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from redeploy.http.sender import GO, TRAEFIK_OR_GO, SenderKind, capital
from redeploy.remedies import recipes
from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.remedies.remedy import WATCHTOWER_LOG, Remedy
from redeploy.triggers.trigger import Answer
from redeploy.verdicts import Reason

AT_ONCE = 5.0
"""Seconds. A proxy that responds with 502 or 503 sooner could not connect: its time-outs are far longer."""

_LOG = f"On the server, read Watchtower's log:\n\n```sh\n{WATCHTOWER_LOG}\n```"
_PAST_THE_LOGIN = (
    "Exempt exactly the path of the update URL; Watchtower's own token guards that path. In nginx, in the `server` "
    "block of `«host»`: "
    + recipes.endpoint_in_both("update", "auth_basic off;", "allow all;")
    + "\n\nIn Traefik, give the path its own router without that middleware. At Cloudflare, look under Security > "
    "Events for the rule that blocked it."
)
_TRAEFIK = """\
Behind Traefik, give Watchtower a router, with labels on its container:

```yaml
services:
  watchtower:
    labels:
      traefik.enable: "true"
      traefik.http.routers.watchtower.rule: Host(`«host»`) && Path(`/ops/watchtower/update`)
      traefik.http.routers.watchtower.middlewares: watchtower-update
      traefik.http.middlewares.watchtower-update.replacepath.path: /v1/update
      traefik.http.services.watchtower.loadbalancer.server.port: "8080"
```

`Path` is the path of the update URL. Another proxy must send the request to exactly `/v1/update` at Watchtower."""


def _auth(answer: Answer, _: float) -> Remedy | None:
    kind, name = answer.sender.kind, answer.sender.name
    if kind is SenderKind.WATCHTOWER:
        return None
    if kind is SenderKind.CLOUDFLARE:
        return Remedy(
            "Cloudflare blocks the request to the update URL",
            "A rule at Cloudflare (firewall, list of countries or addresses, rate) refused the request to `«host»` before "
            "it reached the server. The token is not the cause.",
            "Look under Security > Events for the rule, and exempt the path of the update URL: add a custom rule with the "
            "action Skip, best for requests with a secret header that you pass with `headers`.",
        )
    if answer.status == 403:
        return Remedy(
            f"{capital(name) or 'Something in front of Watchtower'} forbids the request to the update URL",
            "Watchtower never responds with 403, so it did not see the token. A list of addresses, a web application "
            "firewall, a ban (CrowdSec, fail2ban) or a filter of methods refused the request at `«host»`.",
            _PAST_THE_LOGIN,
        )
    return Remedy(
        "Another login guards the update URL",
        "This 401 is not Watchtower's: its own is empty or says `missing or invalid API Key`, and never names a scheme. "
        "Basic auth or a single sign-on (Authelia, tinyauth, oauth2-proxy) guards the update URL at `«host»`. It is not "
        "known whether Watchtower would accept the token.",
        _PAST_THE_LOGIN,
    )


def _misrouted(answer: Answer, _: float) -> Remedy | None:
    own, sender = REMEDIES[Reason.MISROUTED], answer.sender
    if sender == TRAEFIK_OR_GO:
        return Remedy(
            "Nothing is routed to Watchtower at the update URL",
            "Traefik says `404 page not found` when no router matches host and path, for example after the container was "
            "recreated without its labels. Every other Go program says the same at a path that it does not have; "
            "containrrr's Watchtower has only `/v1/update`.",
            _TRAEFIK,
        )
    if sender == GO:
        return Remedy(
            "The update URL leads to a Go program that does not have the path",
            "A proxy passed on Go's own `404 page not found`. It came from containrrr's Watchtower, which has only "
            "`/v1/update`, from a Traefik without a router for this path, or from another Go program.",
            own.fix,
        )
    if sender.kind is SenderKind.WATCHTOWER:
        return Remedy(
            "Watchtower responds, but does not have the path",
            "The proxy requests a path other than `/v1/update` (one extra slash is enough), or Watchtower's update endpoint "
            "is not enabled.",
            "Enable the endpoint, recreate Watchtower, and let the proxy request exactly `/v1/update`:\n\n"
            + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_ENDPOINTS: update,containers,check,metrics")
            + "\n\n"
            + own.fix,
        )
    if sender.kind is SenderKind.APPLICATION:
        return replace(
            own,
            headline=f"The update URL leads to an application ({sender.name}), not to Watchtower",
            cause=f"{capital(sender.name)} responded. The proxy sends all requests for `«host»` to the application, the "
            "update URL too: its location is missing, or a tunnel leads straight to the application.",
        )
    if sender.kind is SenderKind.PROXY:
        return replace(
            own,
            headline=f"{capital(sender.name)} has no route for the update URL",
            cause=f"The response is {sender.name}'s own. Nothing in its configuration sends this path of `«host»` to "
            "Watchtower, or the path is misspelled.",
        )
    if 200 <= answer.status < 300:
        return replace(
            own,
            cause="The response is a success, but its body is not Watchtower's. A single-page application, a placeholder or "
            "a catch-all of the proxy responds at every path of `«host»`, because the location for this one is missing.",
        )
    return None


def _method(answer: Answer, _: float) -> Remedy | None:
    own, sender = REMEDIES[Reason.METHOD], answer.sender
    if sender.kind not in (SenderKind.PROXY, SenderKind.APPLICATION):
        return None
    what = "serves files or allows only other methods" if sender.kind is SenderKind.PROXY else "is not Watchtower"
    return replace(
        own,
        cause=f"{capital(sender.name)} responded with 405; it {what} at this path. Watchtower itself always accepts POST. "
        "The location for the update URL is missing, or does not let POST through.",
    )


def _no_answer(answer: Answer, after: float) -> Remedy | None:
    status = answer.status
    if not answer.lost:
        return None
    if answer.sender.kind is SenderKind.WATCHTOWER and status == 408:
        return Remedy(
            "Watchtower gave up on the update",
            "The update took longer than Watchtower's own limit (`WATCHTOWER_HTTP_API_UPDATE_TIMEOUT`, 10 minutes by "
            "default): the pull is slow, or the container takes long to stop.",
            f"{_LOG}\n\nRaise the limit, and `timeout` of this action with it:\n\n"
            + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_UPDATE_TIMEOUT: 30m"),
        )
    if status in (502, 503) and after < AT_ONCE:
        return Remedy(
            "Watchtower does not run, or not where the proxy looks for it",
            f"The proxy responded with {status} after {after:.1f} s, too soon for a time-out: it could not connect. "
            "Watchtower is stopped or restarts over and over (an unknown argument, an empty token, an engine that refuses "
            "its API version), or the proxy uses the wrong address. containrrr's Watchtower also closes the connection "
            "without a response when it cannot reach the Docker engine.",
            FINDINGS[Finding.WATCHTOWER_STOPPED].fix,
        )
    if status in (502, 504, 524):
        who = (
            "Cloudflare waits 100 to 120 s, which cannot be raised" if status == 524 else "by default nginx waits 60 s"
        )
        return Remedy(
            "The proxy timed out before Watchtower responded",
            f"The proxy responded with {status} after {after:.0f} s ({who}). The update may have continued, but no other "
            "build was seen.",
            f"{_LOG}\n\nLet nginx wait in the location of the update URL: `proxy_read_timeout 31m;`. Through Cloudflare, "
            "give the update URL a host name that is not proxied, or make the pull faster.",
        )
    return None


def _unreplaced(answer: Answer, after: float) -> Remedy | None:
    """Return the remedy if the old build is still live because the trigger never reached Watchtower."""
    return _no_answer(answer, after) if answer.status in (408, 502, 503) else None


def _rate_limited(answer: Answer, _: float) -> Remedy | None:
    if answer.sender.kind not in (SenderKind.PROXY, SenderKind.CLOUDFLARE):
        return None
    name = answer.sender.name
    return Remedy(
        f"{capital(name)} limits the requests to the update URL",
        f"{capital(name)} itself responded with 429, so the request did not reach Watchtower. Its own limit for `«host»` is "
        "used up, by other clients or by earlier runs.",
        "Wait a minute and run again. Raise that limit for the path of the update URL: a run sends one trigger, and one "
        "request for the containers every 5 s.",
    )


def _unreachable(answer: Answer, _: float) -> Remedy | None:
    if answer.status == 407:
        return Remedy(
            "The runner's own proxy asks for credentials",
            "The job's environment names a proxy (`HTTPS_PROXY`), which responded with 407.",
            "Put the credentials into the proxy's URL in the job's environment, or exclude `«host»` with `NO_PROXY`.",
        )
    if answer.sender.kind is not SenderKind.CLOUDFLARE:
        return None
    why = (
        "the tunnel is not connected, or no public host name of it is `«host»`"
        if answer.status == 530
        else "nothing accepts the connection at the address in its DNS record"
    )
    return Remedy(
        "Cloudflare does not reach the server",
        f"Cloudflare itself responded with {answer.status}: {why}.",
        "On the server, see whether the tunnel and nginx run:\n\n```sh\ndocker ps --all\n"
        "systemctl status cloudflared nginx --no-pager\n```\n\nIn Cloudflare's dashboard, see where the DNS record of "
        "`«host»` points.",
    )


OF_THE_TRIGGER: Mapping[Reason, Callable[[Answer, float], Remedy | None]] = {
    Reason.AUTH: _auth,
    Reason.MISROUTED: _misrouted,
    Reason.METHOD: _method,
    Reason.RATE_LIMITED: _rate_limited,
    Reason.UNREACHABLE: _unreachable,
    Reason.NO_ANSWER: _no_answer,
    Reason.OLD_BUILD: _unreplaced,
}
"""By reason: a function of the response and the seconds that it took; None if the reason's own remedy is right."""
