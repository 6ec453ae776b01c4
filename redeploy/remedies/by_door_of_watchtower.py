"""The same for the trigger: remedies by who answered the update URL, and when."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from redeploy.http.sender import GO, TRAEFIK_OR_GO, Door, capital
from redeploy.remedies import recipes
from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.remedies.remedy import WATCHTOWER_LOG, Remedy
from redeploy.triggers.trigger import Answer
from redeploy.verdicts import Reason

AT_ONCE = 5.0
"""Seconds within which a proxy that answers 502 or 503 has found nothing to ask: its own patience is longer by far."""

_LOG = f"On the server, see what Watchtower says:\n\n```sh\n{WATCHTOWER_LOG}\n```"
_PAST_THE_LOGIN = (
    "Let exactly the path of the update URL past it; Watchtower's own token guards that path. In nginx, in the `server` "
    "block of `«host»`: "
    + recipes.endpoint_in_both("update", "auth_basic off;", "allow all;")
    + "\n\nIn Traefik, give the path a router of its own without that middleware. At Cloudflare look under Security > "
    "Events for the rule that blocked it."
)
_TRAEFIK = """\
Behind Traefik, give Watchtower a router, by labels of its container:

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

`Path` is the path of the update URL. Behind another proxy, what it asks of Watchtower must be exactly `/v1/update`."""


def _auth(answer: Answer, _: float) -> Remedy | None:
    door, name = answer.sender.door, answer.sender.name
    if door is Door.WATCHTOWER:
        return None
    if door is Door.CLOUDFLARE:
        return Remedy(
            "Cloudflare blocks the request to the update URL",
            "A rule at Cloudflare (firewall, list of countries or addresses, rate) refused the request to `«host»` before "
            "it came to the server. The token has nothing to do with it.",
            "Look under Security > Events for the rule, and let the path of the update URL past it: a custom rule with the "
            "action Skip, best for requests with a secret header that you pass through `headers`.",
        )
    if answer.status == 403:
        return Remedy(
            f"{capital(name) or 'Something before Watchtower'} forbids the request to the update URL",
            "Watchtower never answers 403, so the token was not looked at. A list of addresses, a web application firewall, "
            "a ban (CrowdSec, fail2ban) or a filter of methods refused the request at `«host»`.",
            _PAST_THE_LOGIN,
        )
    return Remedy(
        "Another login stands before Watchtower",
        "Watchtower's own 401 is empty or says `missing or invalid API Key`, and never names a scheme; this one is "
        "another's: basic auth or a single sign-on (Authelia, tinyauth, oauth2-proxy) guards the update URL at `«host»`. "
        "Whether Watchtower would take the token is not known.",
        _PAST_THE_LOGIN,
    )


def _misrouted(answer: Answer, _: float) -> Remedy | None:
    own, sender = REMEDIES[Reason.MISROUTED], answer.sender
    if sender == TRAEFIK_OR_GO:
        return Remedy(
            "Nothing is routed to Watchtower at the update URL",
            "`404 page not found` is what Traefik says where no router matches host and path, as after its container was "
            "recreated without its labels. Every other Go program says the same at a path that it does not have; "
            "containrrr's Watchtower has `/v1/update` alone.",
            _TRAEFIK,
        )
    if sender == GO:
        return Remedy(
            "The update URL leads to a Go program that does not have the path",
            "A proxy passed on Go's own `404 page not found`: that of containrrr's Watchtower at any path but `/v1/update`, "
            "of a Traefik without a router for it, or of another Go program.",
            own.fix,
        )
    if sender.door is Door.WATCHTOWER:
        return Remedy(
            "Watchtower answers, but does not have the path",
            "The proxy asks it for another path than `/v1/update` (one slash more is enough), or its update endpoint is not "
            "enabled.",
            "Enable the endpoint, recreate Watchtower, and let the proxy ask for exactly `/v1/update`:\n\n"
            + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_ENDPOINTS: update,containers,check,metrics")
            + "\n\n"
            + own.fix,
        )
    if sender.door is Door.APPLICATION:
        return replace(
            own,
            headline=f"The update URL leads to an application ({sender.name}), not to Watchtower",
            cause=f"{capital(sender.name)} answered in its own words: what sends the requests for `«host»` to the "
            "application does so with the update URL too. Its location is missing, or a tunnel leads straight "
            "to the application.",
        )
    if sender.door is Door.PROXY:
        return replace(
            own,
            headline=f"{capital(sender.name)} has no route for the update URL",
            cause=f"{capital(sender.name)} answered for itself: nothing in its configuration sends this path of `«host»` to "
            "Watchtower, or the path is misspelled.",
        )
    if 200 <= answer.status < 300:
        return replace(
            own,
            cause="A success came with a body that Watchtower does not send. A single-page application, a placeholder or a "
            "catch-all of the proxy answers every path of `«host»`, because the location for this one is missing.",
        )
    return None


def _method(answer: Answer, _: float) -> Remedy | None:
    own, sender = REMEDIES[Reason.METHOD], answer.sender
    if sender.door not in (Door.PROXY, Door.APPLICATION):
        return None
    what = "serves files or lets only other methods through" if sender.door is Door.PROXY else "is not Watchtower"
    return replace(
        own,
        cause=f"{capital(sender.name)} answered 405 and {what} at this path; Watchtower itself always accepts POST. The "
        "location for the update URL is missing, or shuts POST out.",
    )


def _no_answer(answer: Answer, after: float) -> Remedy | None:
    status = answer.status
    if not answer.lost:
        return None
    if answer.sender.door is Door.WATCHTOWER and status == 408:
        return Remedy(
            "Watchtower gave up on the update",
            "The update took longer than Watchtower's own limit (`WATCHTOWER_HTTP_API_UPDATE_TIMEOUT`, 10 minutes unless it "
            "is set): the pull is slow, or the container takes its time to stop.",
            f"{_LOG}\n\nRaise the limit, and `timeout` of this action with it:\n\n"
            + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_UPDATE_TIMEOUT: 30m"),
        )
    if status in (502, 503) and after < AT_ONCE:
        return Remedy(
            "Watchtower does not run, or not where the proxy looks for it",
            f"The proxy answered {status} after {after:.1f} s, which is too soon for a time-out: nothing took the request. "
            "Watchtower is stopped or restarts over and over (an unknown argument, an empty token, an engine that refuses "
            "its API version), or the proxy asks the wrong place. containrrr's Watchtower also closes the connection "
            "without a word where it cannot reach the Docker engine.",
            FINDINGS[Finding.WATCHTOWER_STOPPED].fix,
        )
    if status in (502, 504, 524):
        who = "Cloudflare waits for 100 to 120 s, which cannot be raised" if status == 524 else "nginx waits for 60 s"
        return Remedy(
            "The proxy gave up before Watchtower answered",
            f"The proxy answered {status} after {after:.0f} s ({who} unless it is told otherwise). The update may have gone "
            "on, but no other build was seen.",
            f"{_LOG}\n\nLet nginx wait in the location of the update URL: `proxy_read_timeout 31m;`. Through Cloudflare, "
            "give the update URL a host name that is not proxied, or let the pull be quicker.",
        )
    return None


def _unreplaced(answer: Answer, after: float) -> Remedy | None:
    """Return what to do where the old build still answers because the trigger never came to Watchtower."""
    return _no_answer(answer, after) if answer.status in (408, 502, 503) else None


def _rate_limited(answer: Answer, _: float) -> Remedy | None:
    if answer.sender.door not in (Door.PROXY, Door.CLOUDFLARE):
        return None
    name = answer.sender.name
    return Remedy(
        f"{capital(name)} limits the requests to the update URL",
        f"{capital(name)} answered 429 for itself, so the request did not come to Watchtower: its own limit for `«host»` is "
        "used up, by others or by earlier runs.",
        "Wait a minute and run again, and raise that limit for the path of the update URL: one run sends one trigger, and a "
        "look at the containers every 5 s.",
    )


def _unreachable(answer: Answer, _: float) -> Remedy | None:
    if answer.status == 407:
        return Remedy(
            "The runner's own proxy asks for credentials",
            "The job's environment names a proxy (`HTTPS_PROXY`), and it answered 407 before anything left the runner.",
            "Put the credentials into the proxy's URL in the job's environment, or leave `«host»` out with `NO_PROXY`.",
        )
    if answer.sender.door is not Door.CLOUDFLARE:
        return None
    why = (
        "the tunnel is not connected, or no public host name of it is `«host»`"
        if answer.status == 530
        else "nothing takes the connection at the address that its DNS record names"
    )
    return Remedy(
        "Cloudflare does not reach the server",
        f"Cloudflare answered {answer.status} for itself: {why}.",
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
"""By reason: from the answer, and the seconds to it, to what mends it; None where the reason's own remedy is right."""
