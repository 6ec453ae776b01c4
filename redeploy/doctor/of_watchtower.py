"""What was found about the proxy in front, Watchtower behind it, and the registry it pulls from."""

from dataclasses import replace

from redeploy.doctor.examination import Evidence
from redeploy.doctor.of_update import of_update
from redeploy.doctor.questions import LookUp, ReadCommit, Request
from redeploy.http.condition import described
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import is_cloudflares_own, sender_of
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import Image, full_repository
from redeploy.registry.manifest import Manifest
from redeploy.remedies.by_door import Met, remedy_at
from redeploy.remedies.findings import Finding
from redeploy.report.chain import (
    WORST_FIRST,
    Check,
    LinkResult,
    Obstacle,
    broken,
    listed,
    not_asked,
    not_reached,
    ok,
    warning,
)
from redeploy.text.untrusted import code
from redeploy.triggers.watchtower.answer import WALLS, read_answer
from redeploy.triggers.watchtower.containers import RunningContainer
from redeploy.triggers.watchtower.endpoints import NO_IMAGE
from redeploy.triggers.watchtower.variant import FORK, UNGUARDED, alike, front_of
from redeploy.verdicts import Reason

SHOWN = 19
"""Characters of a digest that people compare by eye."""


def of_front(known: Evidence, obstacle: Obstacle) -> LinkResult:
    """Return what was found of the proxy in front."""
    return not_reached(Check.FRONT, [obstacle(known.plan.watchtower.update_url or "")]) or _front(known)


def of_watchtower(known: Evidence, obstacle: Obstacle, front: LinkResult, health: LinkResult) -> tuple[LinkResult, ...]:
    """Return what was found from the update location to the update that would or would not happen."""
    links: list[LinkResult | None] = [obstacle(known.plan.watchtower.update_url or ""), front]
    location = not_reached(Check.LOCATION, links) or _location(known)
    token = not_reached(Check.TOKEN, [*links, location]) or _token(known)
    elsewhere = obstacle(known.plan.watchtower.containers_url or "") if known.watched is None else None
    containers = not_reached(Check.CONTAINERS, [*links, location, token, elsewhere]) or _containers(known)
    if containers.finding is Finding.NOT_WATCHED and health.finding is Reason.DOWN:
        containers = not_reached(Check.CONTAINERS, [health]) or containers  # what does not run is never listed
    registry = _registry(known)
    if containers.finding is Finding.NOT_WATCHED and known.watched and _image_is_absent(known):
        containers = not_reached(Check.CONTAINERS, [registry]) or containers  # no container runs what does not exist
    update = not_reached(Check.UPDATE, [*links, location, token, containers, registry]) or of_update(known)
    return location, token, containers, registry, update


def _like_the_trigger(known: Evidence) -> HttpResult:
    """Return what came of the trigger without its token, which is judged before anything else is."""
    return known.http_result(Request.POST_UPDATE) or TransportError(ErrorKind.TIMED_OUT)


def _front(known: Evidence) -> LinkResult:
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


def _location(known: Evidence) -> LinkResult:
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


def _token(known: Evidence) -> LinkResult:
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


def _containers(known: Evidence) -> LinkResult:
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
        return broken(Check.CONTAINERS, "no running container is watched", Finding.NOT_WATCHED)
    if (tower.images or tower.containers) and not known.counted:
        return broken(Check.CONTAINERS, f"watched: {names}; none is what the inputs name", Finding.NOT_WATCHED)
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


def _is_silent(http_result: HttpResult | None) -> bool:
    """Tell whether the endpoint is there and does not get to the engine, for which it gives up after 15 s."""
    if isinstance(http_result, TransportError):
        return http_result.error_kind is ErrorKind.TIMED_OUT
    return http_result is not None and http_result.status == 500 and "failed to list containers" in http_result.text


def _registry(known: Evidence) -> LinkResult:
    found = [
        _of_image(known, each, answered.answer) for each in known.meant if (answered := known.answers.get(LookUp(each)))
    ]
    if not found:
        return not_asked(Check.REGISTRY, "`image` names none, and Watchtower tells of none that could be meant")
    worst = min(found, key=lambda each: WORST_FIRST.index(each.state))
    return LinkResult(Check.REGISTRY, worst.state, "; ".join(each.seen for each in found), worst.finding)


def _image_is_absent(known: Evidence) -> bool:
    """Tell whether the image that the inputs name is not there."""
    image = known.plan.image
    looked = known.answers.get(LookUp(image)) if image is not None else None
    return looked is not None and isinstance(looked.answer, Trouble) and looked.answer.kind is Kind.ABSENT


def _of_image(known: Evidence, image: Image, answer: object) -> LinkResult:
    name = known.shown(str(image), 100)
    if isinstance(answer, Manifest):
        return _of_manifest(known, image, f"{name} is {code(answer.digest[:SHOWN])}", answer)
    told = known.redact(answer.told) if isinstance(answer, Trouble) else f"{name}: the registry did not answer in time"
    absent = isinstance(answer, Trouble) and answer.kind is Kind.ABSENT
    if absent or known.plan.version_of_image:  # without a look-up nobody knows which version must be live
        return broken(Check.REGISTRY, told, Reason.IMAGE_MISSING)
    checked = [each for each in known.checked if full_repository(each.row.image) == image.repository]
    if checked and not any(each.error for each in checked):
        return ok(Check.REGISTRY, f"{told}; Watchtower itself was let in")
    return warning(Check.REGISTRY, told, Finding.REGISTRY_SILENT)


def _of_manifest(known: Evidence, image: Image, told: str, manifest: Manifest) -> LinkResult:
    """Judge an image that is there by what the inputs declare of it."""
    plan = known.plan
    if plan.version_of_image and not known.expected_version:
        read = known.answers.get(ReadCommit(image, manifest))
        why = "without a commit that `expect-version: image` asks for"
        if read is None or read.answer != "":
            words = known.redact(read.answer.told) if read and isinstance(read.answer, Trouble) else "no answer in time"
            why = f"whose commit was not found out: {words}"
        return broken(Check.REGISTRY, f"{told}, {why}", Reason.IMAGE_MISSING)
    if plan.expect_digest and not manifest.is_of(plan.expect_digest):
        return broken(Check.REGISTRY, f"{told}; `expect-digest` is another, still to be pushed", Reason.IMAGE_MISSING)
    named = f", of the commit {known.shown(known.expected_version)}" if plan.version_of_image else ""
    return ok(Check.REGISTRY, f"{told}{named}")


def _name(known: Evidence, row: RunningContainer) -> str:
    return known.shown(row.name.removeprefix("/"), 64)
