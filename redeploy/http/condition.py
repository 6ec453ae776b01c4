"""What a response means: the same for trigger, service, registry and doctor."""

from enum import StrEnum

from redeploy.http.caches import from_cache
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import UNKNOWN_SENDER, Sender, SenderKind, login_scheme, passed_on_by, sender_of


class Condition(StrEnum):
    """What a response is."""

    HEALTHY = "healthy"
    NOT_READY = "not ready"
    DOWN = "down"
    HTML = "a web page"
    REDIRECT = "a redirect elsewhere"
    ACCESS_WALL = "a Cloudflare Access login"
    CHALLENGE = "a Cloudflare challenge"
    TLS = "a TLS fault"
    CACHED = "a cached response"
    THROTTLED = "too many requests"

    @property
    def is_inconclusive(self) -> bool:
        """Whether such a response says nothing about the service."""
        return self in (Condition.CACHED, Condition.THROTTLED)

    @property
    def is_wall(self) -> bool:
        """Whether this is something in front of the service, which waiting does not remove."""
        return self in (Condition.ACCESS_WALL, Condition.CHALLENGE, Condition.TLS, Condition.REDIRECT)


def condition_of(http_result: HttpResult) -> tuple[Condition, str]:
    """Judge the result of one request, the clearest sign first; 2xx is healthy."""
    if isinstance(http_result, TransportError):
        detail = f" ({http_result.detail})" if http_result.detail else ""
        if http_result.error_kind is ErrorKind.TLS:
            return Condition.TLS, f"the TLS handshake failed{detail}"
        if http_result.error_kind is ErrorKind.TOO_LARGE:
            return Condition.NOT_READY, "a body larger than the limit"
        return Condition.DOWN, _NO_REPLY[http_result.error_kind] + detail
    status, sender = http_result.status, sender_of(http_result)
    if from_cache(http_result.headers):
        return Condition.CACHED, f"{status} from a cache"
    if sender.kind is SenderKind.CHALLENGE:
        return Condition.CHALLENGE, described(http_result)
    if sender.kind is SenderKind.ACCESS:
        return Condition.ACCESS_WALL, described(http_result)
    if status == 429 or http_result.is_nginx_busy_page:
        return Condition.THROTTLED, f"{status}, too many requests"
    if 300 <= status < 400:
        return Condition.REDIRECT, f"{status}, a redirect that is not followed"
    if status in (525, 526):
        return Condition.TLS, f"{status}, Cloudflare does not trust the server's certificate"
    if status in _GATEWAY or (status == 503 and _speaks_for_the_service(http_result, sender)):
        return Condition.DOWN, f"{status} from {sender.name or 'a proxy'}"
    if 200 <= status < 300:
        return Condition.HEALTHY, str(status)
    return Condition.NOT_READY, str(status) if sender == UNKNOWN_SENDER and not http_result.is_html else described(
        http_result
    )


def described(reply: Response) -> str:
    """Describe a response and its sender, without a word of its text."""
    status, sender = reply.status, sender_of(reply)
    match sender.kind:
        case SenderKind.CHALLENGE:
            return f"{status}, a Cloudflare challenge page"
        case SenderKind.LOGIN:
            scheme = login_scheme(reply)
            what = "its own token" if scheme == "Bearer" else "a user name and a password"
            request = f"that asks for {what} (WWW-Authenticate: {scheme})" if scheme else "that asks for its own login"
            return f"{status}{f' from {sender.name}' if sender.name else ''} {request}"
        case _ if sender.name:
            return f"{status} from {sender.name}"
    if not reply.body:
        return f"{status} with an empty body"
    through = passed_on_by(reply)
    what = "an HTML page" if reply.is_html else "JSON" if reply.json is not None else "text"
    return f"{status} with {what}{f', through {through}' if through else ''}"


def _speaks_for_the_service(reply: Response, sender: Sender) -> bool:
    """Return whether a 503 is a proxy's page for a missing service, and not the service's own response."""
    return sender.kind in (SenderKind.PROXY, SenderKind.CLOUDFLARE) or (
        reply.is_html and sender.kind is not SenderKind.APPLICATION
    )


_GATEWAY = frozenset({502, 504, *range(520, 525), 527, 530})
"""Sent by a proxy, not by the service (nginx; developers.cloudflare.com, "Cloudflare 5xx errors")."""

_NO_REPLY = {
    ErrorKind.UNRESOLVED: "the host name has no address",
    ErrorKind.REFUSED: "the connection was refused",
    ErrorKind.NOT_CONNECTED: "no connection in time",
    ErrorKind.CUT: "the connection was closed without a response",
    ErrorKind.TIMED_OUT: "no response in time",
}
