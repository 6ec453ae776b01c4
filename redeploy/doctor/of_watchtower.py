"""The links of Watchtower: the proxy in front of it, its location, its token, its containers."""

from collections.abc import Iterable
from dataclasses import replace

from redeploy.doctor.known import Known
from redeploy.doctor.of_registry import SHOWN, image_is_absent
from redeploy.doctor.of_service import is_down
from redeploy.doctor.questions import CHECK, CONTAINERS, WITH_TOKEN, WITHOUT_TOKEN, OfWatchtower, Question
from redeploy.http.condition import described
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import is_cloudflares_own, sender_of
from redeploy.remedies.by_sender import LastResponses, remedy_by_sender
from redeploy.remedies.findings import Finding
from redeploy.report.chain import (
    Check,
    LinkResult,
    broken,
    listed,
    not_asked,
    ok,
    warning,
)
from redeploy.text.untrusted import code
from redeploy.triggers.watchtower.answer import WALLS, read_answer
from redeploy.triggers.watchtower.containers import RunningContainer
from redeploy.triggers.watchtower.endpoints import NO_IMAGE
from redeploy.triggers.watchtower.variant import CONTAINRRR_1_3, FORK, UNGUARDED, alike, front_of
from redeploy.verdicts import Reason


def without_token(known: Known) -> Iterable[Question]:
    """Return the requests without a token that show which product responds."""
    url = known.plan.watchtower.update_url
    return (WITHOUT_TOKEN, OfWatchtower.NOWHERE) if url and known.is_reachable(url) else ()


def for_containers(known: Known) -> Iterable[Question]:
    """Return the requests that list the containers, and then the one for their details."""
    reading = _readings(known)
    unread = [each for each in reading if each not in known.answers]
    return unread or ([OfWatchtower.DETAILS] if reading and known.running else ())


def for_token(known: Known) -> Iterable[Question]:
    """Return the next request that shows whether the token is right, if listing the containers has not shown it."""
    tower, product = known.plan.watchtower, known.product
    reading = _readings(known)
    details = bool(known.running) and OfWatchtower.DETAILS not in known.answers
    if product is None or product is CONTAINRRR_1_3 or known.token_is_right is not None or details:
        return ()
    if any(each not in known.answers for each in reading):
        return ()
    if tower.metrics_url and OfWatchtower.METRICS not in known.answers:
        return (OfWatchtower.METRICS,)
    return (OfWatchtower.IDLE_UPDATE,) if product.narrows else ()


def _readings(known: Known) -> list[Question]:
    """Return the requests that list containers; none until a Watchtower that has such an endpoint was seen."""
    tower = known.plan.watchtower
    if known.product is None or known.product is CONTAINRRR_1_3:
        return []
    listing = tower.containers_url is not None and known.is_reachable(tower.containers_url)
    asked = ((CONTAINERS, listing), (CHECK, bool(tower.check_url)))
    return [each for each, routed in asked if routed]


def _like_the_trigger(known: Known) -> HttpResult:
    """Return the result of the trigger without its token: Watchtower checks the token before anything else."""
    return known.http_result(WITHOUT_TOKEN) or TransportError(ErrorKind.TIMED_OUT)


def front(known: Known) -> LinkResult:
    """Return which proxies are in front, and whether they let requests through."""
    reply = _like_the_trigger(known)
    if isinstance(reply, TransportError):
        if reply.error_kind is ErrorKind.TOO_LARGE:
            return ok(Check.FRONT, "no proxy shows itself")
        way = known.way(known.plan.watchtower.update_url or "")
        how = "through the environment's proxy" if way and way.proxied else "the connection was accepted, but then"
        reason = Reason.TLS if reply.error_kind is ErrorKind.TLS else Reason.UNREACHABLE
        return broken(Check.FRONT, f"{how}: {reply.seen}", reason)
    fronts = listed([known.shown(each, 40) for each in front_of(reply, known.http_result(OfWatchtower.NOWHERE))])
    kind = sender_of(reply).kind
    if kind in WALLS:
        return broken(Check.FRONT, described(reply), WALLS[kind])
    if reply.status in (525, 526):
        return broken(Check.FRONT, f"{reply.status}: Cloudflare does not trust the server behind it", Reason.TLS)
    if is_cloudflares_own(reply):
        return broken(Check.FRONT, f"{reply.status}: Cloudflare cannot reach the server behind it", Reason.UNREACHABLE)
    if reply.status == 407:
        return broken(Check.FRONT, "407: the environment's proxy asks for credentials", Reason.UNREACHABLE)
    return ok(Check.FRONT, fronts or "no proxy shows itself")


def location(known: Known) -> LinkResult:
    """Return whether the update URL leads to Watchtower, and to which one."""
    product, reply = known.product, _like_the_trigger(known)
    if product is not None and known.plan.watchtower.containers and product is not FORK:
        return broken(Check.LOCATION, f"{product.sentence}, but `container` is set", Reason.UNSUPPORTED)
    if product is UNGUARDED:
        return warning(Check.LOCATION, f"{product.sentence} ({read_answer(reply).seen})", Finding.UNGUARDED)
    if product is not None and product.hides_refusals:
        return warning(Check.LOCATION, product.sentence, Finding.WATCHTOWER_TOO_OLD)
    if product is not None:
        return ok(Check.LOCATION, product.sentence)
    answer = read_answer(reply)
    if isinstance(reply, TransportError):
        return broken(Check.LOCATION, answer.seen, Reason.MISROUTED)
    everywhere = alike(reply, known.http_result(OfWatchtower.NOWHERE))
    seen = f"{answer.seen}, and the same at a path that cannot exist" if everywhere else answer.seen
    if reply.status == 429 or reply.is_nginx_busy_page:
        return broken(Check.LOCATION, f"{reply.status}, too many requests", Reason.RATE_LIMITED)
    if answer.refusal is Reason.AUTH:
        return broken(Check.LOCATION, seen, Finding.FORBIDDEN)
    if reply.status in (502, 503, 504):
        return broken(Check.LOCATION, answer.seen, Finding.WATCHTOWER_STOPPED)
    own = answer.refusal in (Reason.METHOD, Reason.REDIRECT) and not (everywhere and answer.refusal is Reason.METHOD)
    reason = answer.refusal if own and answer.refusal else Reason.MISROUTED
    return replace(
        broken(Check.LOCATION, seen, reason), special_remedy=remedy_by_sender(reason, LastResponses(answer=answer))
    )


def token(known: Known) -> LinkResult:
    """Return whether Watchtower accepts the token."""
    product, idle = known.product, known.http_result(OfWatchtower.IDLE_UPDATE)
    if product is UNGUARDED:
        return not_asked(Check.TOKEN, "not checked: Watchtower responds without one")
    if product is not None and product.hides_refusals:
        return warning(Check.TOKEN, "not checked: a wrong token gets the same response", Finding.TOKEN_UNJUDGED)
    how = "a read-only endpoint accepted it"
    if idle is not None:
        how = f"checked by an update limited to {code(NO_IMAGE)}, which cannot exist; there is no read-only endpoint"
    if known.token_is_right:
        return ok(Check.TOKEN, how)
    if known.token_is_right is False:
        return broken(Check.TOKEN, f"401 from Watchtower{f' ({how})' if idle is not None else ''}", Reason.AUTH)
    limited = [each for each in _asked_with_token(known) if isinstance(each, Response) and each.status == 429]
    if limited:
        return warning(Check.TOKEN, "not checked: 429, too many requests", Reason.RATE_LIMITED)
    return warning(Check.TOKEN, "not checked", Finding.TOKEN_UNJUDGED)


def _asked_with_token(known: Known) -> list[HttpResult]:
    return [each for each in map(known.http_result, WITH_TOKEN) if each is not None]


def containers(known: Known) -> LinkResult:
    """Return which containers Watchtower watches, and what they run."""
    rows, asked, declared = known.watched, known.http_result(CONTAINERS), known.plan.expect_digest
    if rows is None and _is_silent(asked):
        return broken(Check.CONTAINERS, "Watchtower responds, but does not list containers", Finding.ENGINE_SILENT)
    if known.running is None and declared:
        seen = "the containers endpoint does not report the running digest" if rows else "not reported"
        return broken(Check.CONTAINERS, f"{seen}, but `expect-digest` is set", Reason.DIGEST_UNAVAILABLE)
    if known.running is None and not known.plan.service.answers:
        seen = "the containers endpoint is missing, and nothing else shows which build of this service runs"
        if known.plan.needs_rows:
            return broken(Check.CONTAINERS, seen, Reason.DIGEST_UNAVAILABLE)
        return warning(Check.CONTAINERS, seen, Finding.NO_CONTAINERS)
    if rows is None and known.product is not None and known.product.has_endpoints:
        return warning(Check.CONTAINERS, "not reported", Finding.NO_CONTAINERS)
    if rows is None:
        return not_asked(Check.CONTAINERS, "this Watchtower does not report them; only the service can name its build")
    names = listed([_name(known, each) for each in rows])
    tower = known.plan.watchtower
    if not rows:
        return _not_watched(known, "no running container is watched")
    if (tower.images or tower.containers) and not known.counted:
        return _not_watched(known, f"watched: {names}; none matches the inputs")
    digests = [code(each[:SHOWN]) for each in known.digests]
    if declared and known.counted and not digests:
        seen = f"watched: {names}; `expect-digest` is set, but no digest is reported for the containers that match"
        return warning(Check.CONTAINERS, seen, Reason.DIGEST_UNAVAILABLE)
    running = f"; running: {listed(digests)}" if digests else ""
    if known.running is None:
        running = " (from the check endpoint; the containers endpoint, which proves the running digest, is missing)"
    return ok(Check.CONTAINERS, f"watched: {names}{running}")


def _not_watched(known: Known, seen: str) -> LinkResult:
    """Return the broken link; a stopped container is never listed, and no container runs an image that does not exist."""
    because_of = [Check.HEALTH] * is_down(known) + [Check.REGISTRY] * (bool(known.watched) and image_is_absent(known))
    return replace(broken(Check.CONTAINERS, seen, Finding.NOT_WATCHED), because_of=tuple(because_of))


def _is_silent(http_result: HttpResult | None) -> bool:
    """Return whether the endpoint exists but cannot reach the engine, for which Watchtower waits 15 s."""
    if isinstance(http_result, TransportError):
        return http_result.error_kind is ErrorKind.TIMED_OUT
    return http_result is not None and http_result.status == 500 and "failed to list containers" in http_result.text


def _name(known: Known, row: RunningContainer) -> str:
    return known.shown(row.name.removeprefix("/"), 64)
