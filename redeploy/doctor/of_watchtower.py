"""What was found about the proxy in front, and Watchtower behind it."""

from collections.abc import Iterable
from dataclasses import replace

from redeploy.doctor.evidence import Evidence
from redeploy.doctor.of_registry import SHOWN, image_is_absent
from redeploy.doctor.of_service import is_down
from redeploy.doctor.questions import Question, Request
from redeploy.http.condition import described
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import is_cloudflares_own, sender_of
from redeploy.remedies.by_door import Met, remedy_at
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


def without_token(known: Evidence) -> Iterable[Question]:
    """Yield what shows which product answers, and needs no token."""
    url = known.plan.watchtower.update_url
    return (Request.POST_UPDATE, Request.NOWHERE) if url and known.passable(url) else ()


def for_containers(known: Evidence) -> Iterable[Question]:
    """Yield what lists the containers, and then what says more of them."""
    reading = _readings(known)
    unread = [each for each in reading if each not in known.answers]
    return unread or ([Request.DETAILS] if reading and known.running else ())


def for_token(known: Evidence) -> Iterable[Question]:
    """Yield what shows whether the token is right, where reading the containers has not shown it: one after the other."""
    tower, product = known.plan.watchtower, known.product
    reading = _readings(known)
    details = bool(known.running) and Request.DETAILS not in known.answers
    if product is None or product is CONTAINRRR_1_3 or known.token_is_right is not None or details:
        return ()
    if any(each not in known.answers for each in reading):
        return ()
    if tower.metrics_url and Request.METRICS not in known.answers:
        return (Request.METRICS,)
    return (Request.IDLE_UPDATE,) if product.narrows else ()


def _readings(known: Evidence) -> list[Request]:
    """Return the requests that list containers; none before it is known that a Watchtower would answer them."""
    tower = known.plan.watchtower
    if known.product is None or known.product is CONTAINRRR_1_3:
        return []
    listing = tower.containers_url is not None and known.passable(tower.containers_url)
    return [Request.CONTAINERS] * listing + [Request.CHECK] * bool(tower.check_url)


def _like_the_trigger(known: Evidence) -> HttpResult:
    """Return what came of the trigger without its token, which is judged before anything else is."""
    return known.http_result(Request.POST_UPDATE) or TransportError(ErrorKind.TIMED_OUT)


def front(known: Evidence) -> LinkResult:
    """Return what was found of the proxy in front."""
    reply = _like_the_trigger(known)
    if isinstance(reply, TransportError):
        if reply.error_kind is ErrorKind.TOO_LARGE:
            return ok(Check.FRONT, "none that says so")
        way = known.way(known.plan.watchtower.update_url or "")
        how = "through the proxy of the environment" if way and way.proxied else "the connection was taken, and then"
        reason = Reason.TLS if reply.error_kind is ErrorKind.TLS else Reason.UNREACHABLE
        return broken(Check.FRONT, f"{how}: {reply.seen}", reason)
    fronts = listed([known.shown(each, 40) for each in front_of(reply, known.http_result(Request.NOWHERE))])
    door = sender_of(reply).door
    if door in WALLS:
        return broken(Check.FRONT, described(reply), WALLS[door])
    if reply.status in (525, 526):
        return broken(Check.FRONT, f"{reply.status}: Cloudflare does not trust the server behind it", Reason.TLS)
    if is_cloudflares_own(reply):
        return broken(Check.FRONT, f"{reply.status}: Cloudflare cannot reach the server behind it", Reason.UNREACHABLE)
    if reply.status == 407:
        return broken(Check.FRONT, "407: the proxy of the environment wants credentials", Reason.UNREACHABLE)
    return ok(Check.FRONT, fronts or "none that says so")


def location(known: Evidence) -> LinkResult:
    """Return whether a Watchtower is behind the update URL, and which."""
    product, reply = known.product, _like_the_trigger(known)
    if product is not None and known.plan.watchtower.containers and product is not FORK:
        return broken(Check.LOCATION, f"{product.told}, and `container` is given", Reason.UNSUPPORTED)
    if product is UNGUARDED:
        return warning(Check.LOCATION, f"{product.told} ({read_answer(reply).seen})", Finding.UNGUARDED)
    if product is not None and product.hides_refusals:
        return warning(Check.LOCATION, product.told, Finding.WATCHTOWER_TOO_OLD)
    if product is not None:
        return ok(Check.LOCATION, product.told)
    answer = read_answer(reply)
    if isinstance(reply, TransportError):
        return broken(Check.LOCATION, answer.seen, Reason.MISROUTED)
    everywhere = alike(reply, known.http_result(Request.NOWHERE))
    seen = f"{answer.seen}, and the same at a path that cannot exist" if everywhere else answer.seen
    if reply.status == 429 or reply.is_nginx_busy_page:
        return broken(Check.LOCATION, f"{reply.status}, too many requests", Reason.RATE_LIMITED)
    if answer.refusal is Reason.AUTH:
        return broken(Check.LOCATION, seen, Finding.FORBIDDEN)
    if reply.status in (502, 503, 504):
        return broken(Check.LOCATION, answer.seen, Finding.WATCHTOWER_STOPPED)
    own = answer.refusal in (Reason.METHOD, Reason.REDIRECT) and not (everywhere and answer.refusal is Reason.METHOD)
    reason = answer.refusal if own and answer.refusal else Reason.MISROUTED
    return replace(broken(Check.LOCATION, seen, reason), mends=remedy_at(reason, Met(answer=answer)))


def token(known: Evidence) -> LinkResult:
    """Return whether Watchtower takes the token."""
    product, idle = known.product, known.http_result(Request.IDLE_UPDATE)
    if product is UNGUARDED:
        return not_asked(Check.TOKEN, "any would get in, since none is asked for")
    if product is not None and product.hides_refusals:
        return warning(Check.TOKEN, "a wrong one would get the same answer as a right one", Finding.TOKEN_UNJUDGED)
    how = "an endpoint that only reads took it"
    if idle is not None:
        how = f"by an update narrowed to {code(NO_IMAGE)}, which cannot exist: nothing is there that only reads"
    if known.token_is_right:
        return ok(Check.TOKEN, how)
    if known.token_is_right is False:
        return broken(Check.TOKEN, f"401 from Watchtower{f' ({how})' if idle is not None else ''}", Reason.AUTH)
    limited = [each for each in _asked_with_token(known) if isinstance(each, Response) and each.status == 429]
    if limited:
        return warning(Check.TOKEN, "not judged: 429, too many requests", Reason.RATE_LIMITED)
    return warning(Check.TOKEN, "not judged", Finding.TOKEN_UNJUDGED)


def _asked_with_token(known: Evidence) -> list[HttpResult]:
    asked = (Request.CONTAINERS, Request.CHECK, Request.METRICS, Request.IDLE_UPDATE)
    return [each for each in map(known.http_result, asked) if each is not None]


def containers(known: Evidence) -> LinkResult:
    """Return which containers Watchtower watches, and what they run."""
    rows, asked, declared = known.watched, known.http_result(Request.CONTAINERS), known.plan.expect_digest
    if rows is None and _is_silent(asked):
        return broken(Check.CONTAINERS, "Watchtower answers, but does not list containers", Finding.ENGINE_SILENT)
    if known.running is None and declared:
        seen = "the containers endpoint does not tell the running digest" if rows else "not told"
        return broken(Check.CONTAINERS, f"{seen}, and `expect-digest` is given", Reason.DIGEST_UNAVAILABLE)
    if rows is None and known.product is not None and known.product.has_endpoints:
        return warning(Check.CONTAINERS, "not told", Finding.NO_CONTAINERS)
    if rows is None:
        return not_asked(Check.CONTAINERS, "this Watchtower tells none, so only the service can tell builds apart")
    names = listed([_name(known, each) for each in rows])
    tower = known.plan.watchtower
    if not rows:
        return _not_watched(known, "no running container is watched")
    if (tower.images or tower.containers) and not known.counted:
        return _not_watched(known, f"watched: {names}; none is what the inputs name")
    digests = [code(each[:SHOWN]) for each in known.digests]
    if declared and known.counted and not digests:
        seen = f"watched: {names}; no digest is told of what the inputs name, and `expect-digest` is given"
        return warning(Check.CONTAINERS, seen, Reason.DIGEST_UNAVAILABLE)
    running = f"; running: {listed(digests)}" if digests else ""
    if known.running is None:
        running = (
            " (as the check endpoint tells; the containers endpoint, which proves the running digest, is not there)"
        )
    return ok(Check.CONTAINERS, f"watched: {names}{running}")


def _not_watched(known: Evidence, seen: str) -> LinkResult:
    """Return the broken link; what does not run is never listed, and no container runs an image that does not exist."""
    owing_to = [Check.HEALTH] * is_down(known) + [Check.REGISTRY] * (bool(known.watched) and image_is_absent(known))
    return replace(broken(Check.CONTAINERS, seen, Finding.NOT_WATCHED), owing_to=tuple(owing_to))


def _is_silent(http_result: HttpResult | None) -> bool:
    """Tell whether the endpoint is there and does not get to the engine, for which it gives up after 15 s."""
    if isinstance(http_result, TransportError):
        return http_result.error_kind is ErrorKind.TIMED_OUT
    return http_result is not None and http_result.status == 500 and "failed to list containers" in http_result.text


def _name(known: Evidence, row: RunningContainer) -> str:
    return known.shown(row.name.removeprefix("/"), 64)
