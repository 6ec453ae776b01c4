"""Stories in which a set-up is examined, link by link, each of them broken in turn; nothing is changed."""

from collections.abc import Mapping
from dataclasses import replace

from sandbox.network.attacks import echo, echoed_document, endless_body, hostile_document, hostile_page, slow_body
from sandbox.network.faults import (
    ACCESS_WALL,
    CHALLENGE,
    NOT_ALLOWED,
    SPA,
    AllBut,
    Cache,
    Instead,
    On,
    OnlyPost,
    Redirect,
    TokenAdded,
    cloudflare,
)
from sandbox.network.front import Answer, Fault
from sandbox.network.github import NO_PERMISSION, Mishap
from sandbox.scenarios.scenario import DOCTOR, Scenario
from sandbox.server.builds import V1, V2
from sandbox.server.registry import Ways
from sandbox.watchtower.variants import Variant
from sandbox.worlds import CONTAINERS, UPDATE, Certificate, Scene, World

_STATUS = frozenset({"/api/dev/status"})
_IMAGE = "{registry}/o/api:latest"
_WITH_CA = {**DOCTOR, "ca-certificate": "{ca}"}
_HIDDEN = replace(V1, identity="hidden")


def _unlabelled(world: World) -> None:
    world.host.service.watched = False


def _untagged(world: World) -> None:
    world.host.registry.tags.clear()


def _neighbour(world: World) -> None:
    world.host.push(V2, world.host.service.image.replace("/api:", "/web:"))


def _throttled(world: World) -> None:
    world.host.registry.trouble = 429


def _redirected(world: World) -> None:
    world.front.on_watchtower = Redirect(f"{world.foreign.origin}{UPDATE}")


def _unreachable_engine(world: World) -> None:
    world.host.engine_reachable = False


def _crashed(world: World) -> None:
    world.host.service.stop(0.0)


def _cached(world: World) -> None:
    world.front.on_service = Cache(honours_query=True)


def _echoing(world: World) -> None:
    world.front.on_watchtower = Instead(echo(401, world.token, world.header_secret, world.update_url))
    world.front.on_service = Instead(echoed_document(world.token, world.header_secret))


def _monitored(world: World) -> None:
    world.host.service.monitor_only = True


def _pinned(world: World) -> None:
    world.host.service.image = f"{world.host.service.image.rpartition(':')[0]}@{V1.digest}"


def _plain_registry(world: World) -> None:
    world.host.registry.https_trouble = "http: server gave HTTP response to HTTPS client"


def _realm_refuses(world: World) -> None:
    world.host.registry.trouble, world.host.registry.of_realm = 403, True


def _unpulled(world: World) -> None:
    world.host.service.no_pull = True


def _without_containers(world: World) -> None:
    del world.front.locations[CONTAINERS]


def _tokens_added(world: World) -> None:
    world.front.on_watchtower = TokenAdded(world.token)


def _ready(
    name: str, title: str, shows: str, scene: Scene, found: Mapping[str, str] | None = None, **more: object
) -> Scenario:
    """A set-up with which a deploy would get through; `found` is what could be better."""
    told: dict[str, object] = {"inputs": DOCTOR, "triggers": 0, "unremarked": not found, **more}
    return Scenario(name, title, shows, scene, verdict="ready", found=found or {}, **told)  # type: ignore[arg-type]


def _broken(name: str, title: str, shows: str, scene: Scene, found: Mapping[str, str], **more: object) -> Scenario:
    """A set-up in which the first link of `found` is broken; whatever else stands there could be better."""
    told: dict[str, object] = {"inputs": DOCTOR, "triggers": 0, "failed": (next(iter(found)),), **more}
    return Scenario(name, title, shows, scene, verdict="not-ready", found=found, **told)  # type: ignore[arg-type]


def _in_the_way(name: str, title: str, link: str, finding: str, fault: Fault) -> Scenario:
    return _broken(name, title, "It is named, and what lies behind it is not judged.", _with(fault), {link: finding})


def _with(fault: Fault) -> Scene:
    return Scene(details=True, image=_IMAGE, on_watchtower=fault)


def _mistrusted(certificate: Certificate, title: str, finding: str, inputs: Mapping[str, str]) -> Scenario:
    shows = "The certificate is read, to say what is wrong with it, and nothing is sent."
    scene = Scene(details=True, image=_IMAGE, certificate=certificate)
    return _broken(f"doctor-certificate-{certificate}", title, shows, scene, {"tls": finding}, inputs=inputs)


def _line(variant: Variant, *, metrics: bool) -> Scenario:
    """A line that has no endpoint but for the update and, perhaps, metrics."""
    told = "its metrics say whether the token is right" if metrics else "whether the token is right stays open"
    return _ready(
        f"doctor-{variant}{'-metrics' if metrics else ''}",
        f"{variant} is examined{' by its metrics' if metrics else ''}",
        f"It is told by its refusals, and {told}: it may be one that narrows nothing.",
        Scene(variant=variant, metrics=metrics),
        {} if metrics else {"token": "token-unjudged"},
        shown=("containrrr/watchtower 1.4 or newer",),
    )


SCENARIOS = (
    _ready(
        "doctor",
        "A set-up is examined",
        "Every link holds, and an update is waiting: a deploy would get through.",
        Scene(details=True, image=_IMAGE),
        inputs={**DOCTOR, "required-routes": "GET /api/ready", "deployment-environment": "production"},
        shown=("nicholas-fedor/watchtower 1.20 or newer", "Next update | would replace `api`"),
    ),
    _ready(
        "doctor-only-post",
        "The proxy lets only POST through",
        "Watchtower is told by its refusal of a POST without a token, which triggers nothing in any version.",
        _with(OnlyPost()),
        shown=("nicholas-fedor/watchtower 1.20 or newer",),
    ),
    _line("containrrr", metrics=False),
    _line("containrrr", metrics=True),
    _line("openserbia", metrics=True),
    _ready(
        "doctor-idle-update",
        "The fork without any other endpoint is examined",
        "The token is tried by an update of an image that nobody has, and that is said openly.",
        Scene(),
        {"containers": "no-containers"},
        triggers=1,
        shown=("redeploy-action.invalid/no-such-image",),
    ),
    _broken(
        "doctor-wrong-token",
        "Watchtower does not take the token",
        "It is named without an update, and what needs the token is not judged.",
        Scene(details=True, image=_IMAGE),
        {"token": "auth"},
        inputs={**DOCTOR, "watchtower-token": "another-token"},
        says=("Not judged because of it: Containers, Next update",),
    ),
    _broken(
        "doctor-wrong-token-containrrr",
        "The token is wrong, and containrrr refuses it",
        "Its metrics refuse the token too.",
        Scene(variant="containrrr", metrics=True),
        {"token": "auth"},
        inputs={**DOCTOR, "watchtower-token": "another-token"},
    ),
    _broken(
        "doctor-wrong-token-idle",
        "The token is wrong, and nothing but the update is there",
        "The update of an image that nobody has is refused.",
        Scene(),
        {"token": "auth"},
        inputs={**DOCTOR, "watchtower-token": "another-token"},
        triggers=1,
    ),
    _broken(
        "doctor-missing-location",
        "Doctor finds no location for the update",
        "The backend's own 404 is told from Watchtower's.",
        Scene(location=False),
        {"location": "misrouted"},
        shown=("FastAPI",),
    ),
    _broken(
        "doctor-watchtower-stopped",
        "Watchtower does not run",
        "nginx has the location, and nothing behind it.",
        Scene(details=True, image=_IMAGE, watchtower_listens=False),
        {"location": "watchtower-stopped"},
    ),
    _broken(
        "doctor-front-down",
        "nginx does not run",
        "Nothing takes the connection, so nothing behind it is judged.",
        Scene(details=True, image=_IMAGE, front_listens=False),
        {"connection": "nothing-listens"},
    ),
    _broken(
        "doctor-unresolved",
        "The host name has no address",
        "Nothing is sent to anyone.",
        Scene(details=True, image=_IMAGE),
        {"dns": "unresolved"},
        inputs={**DOCTOR, "watchtower-url": "https://api.example.invalid/ops/watchtower/update"},
        silent=True,
    ),
    _mistrusted("private", "Nobody vouches for the certificate", "certificate-untrusted", DOCTOR),
    _mistrusted("expired", "The certificate is of the past", "certificate-expired", _WITH_CA),
    _mistrusted("wrong-host", "The certificate is for others", "certificate-name", _WITH_CA),
    _ready(
        "doctor-certificate-ends-soon",
        "The certificate ends within a week",
        "A deploy gets through, until it does not.",
        Scene(details=True, image=_IMAGE, certificate="ends-soon"),
        {"tls": "certificate-ends-soon"},
        inputs=_WITH_CA,
        shown=("valid for 5 days",),
    ),
    _in_the_way("doctor-challenge", "Cloudflare takes doctor for a bot", "front", "challenge", Instead(CHALLENGE)),
    _in_the_way("doctor-access", "Cloudflare Access stands in the way", "front", "access-wall", Instead(ACCESS_WALL)),
    _in_the_way("doctor-530", "Cloudflare does not reach the tunnel", "front", "unreachable", Instead(cloudflare(530))),
    _in_the_way("doctor-526", "Cloudflare does not trust the server", "front", "tls", Instead(cloudflare(526))),
    _in_the_way("doctor-spa", "A single-page application answers", "location", "misrouted", Instead(SPA)),
    _in_the_way("doctor-method", "POST is not let through", "location", "method", Instead(NOT_ALLOWED)),
    _broken(
        "doctor-redirect",
        "The update URL redirects elsewhere",
        "Nothing follows it, least of all the token.",
        Scene(details=True, image=_IMAGE, finish=_redirected),
        {"location": "redirect"},
    ),
    _broken(
        "doctor-rate-limit",
        "Watchtower wants no more requests",
        "Whether the token is right cannot be told while it does not look at any.",
        Scene(details=True, image=_IMAGE, flags={"rate_limit": 0}),
        {"location": "rate-limited"},
    ),
    _broken(
        "doctor-unsupported",
        "The update is narrowed to a container where no line understands that",
        "A deploy would not be started.",
        Scene(variant="containrrr", metrics=True),
        {"location": "unsupported"},
        inputs={**DOCTOR, "container": "api"},
    ),
    _broken(
        "doctor-not-watched",
        "The label is missing",
        "Watchtower watches nothing that runs.",
        Scene(details=True, image=_IMAGE, finish=_unlabelled),
        {"containers": "not-watched"},
    ),
    _broken(
        "doctor-another-image",
        "The image is another than the one that runs",
        "What is watched is named beside it.",
        Scene(details=True, image=_IMAGE, finish=_neighbour),
        {"containers": "not-watched"},
        inputs={**DOCTOR, "image": "{registry}/o/web"},
        shown=("watched: `api`",),
    ),
    _broken(
        "doctor-engine-silent",
        "Watchtower does not get to the engine",
        "It says so of its containers.",
        Scene(details=True, image=_IMAGE, metrics=True, flags={"engine_patience": 0.0}, finish=_unreachable_engine),
        {"containers": "engine-silent"},
    ),
    _broken(
        "doctor-image-missing",
        "The tag is gone from the registry",
        "Whether an update would happen needs no further judgement.",
        Scene(details=True, image=_IMAGE, finish=_untagged),
        {"registry": "image-missing"},
        inputs={**DOCTOR, "image": "{image}"},
    ),
    _broken(
        "doctor-image-missing-there",
        "The registry has no tag for Watchtower",
        "Doctor is not let in, and Watchtower says so in its own words.",
        Scene(details=True, image=_IMAGE, registry=Ways(auth="basic"), finish=_untagged),
        {"update": "image-missing", "registry": "registry-silent"},
        shown=("404 Not Found",),
    ),
    _broken(
        "doctor-update-blocked",
        "The registry refuses Watchtower",
        "The registry's error is told in plain text.",
        Scene(details=True, image=_IMAGE, finish=_throttled),
        {"update": "update-blocked", "registry": "registry-silent"},
        shown=("rate limited",),
    ),
    _ready(
        "doctor-private-image",
        "The registry lets Watchtower in, and not doctor",
        "What counts is what Watchtower itself is told.",
        Scene(details=True, image=_IMAGE, registry=Ways(auth="token")),
        shown=("Watchtower itself was let in",),
    ),
    _ready(
        "doctor-up-to-date",
        "What runs is what the tag points to",
        "An update would find nothing, and that is no fault.",
        Scene(details=True, image=_IMAGE, pushed=None),
        inputs={**DOCTOR, "image": "{image}", "expect-version": V1.git_sha},
        shown=("would find nothing newer in the registry", "the declared version runs already"),
    ),
    _broken(
        "doctor-unhealthy",
        "The backend is not healthy",
        "Everything before it holds.",
        Scene(details=True, image=_IMAGE, before=replace(V1, readiness="never")),
        {"health": "never-ready"},
    ),
    _broken(
        "doctor-down",
        "The backend does not run",
        "nginx says so, and its version and its document are not judged.",
        Scene(details=True, image=_IMAGE, finish=_crashed),
        {"health": "down"},
    ),
    _broken(
        "doctor-html",
        "Doctor finds a page where the health check should answer",
        "A placeholder is no backend.",
        Scene(details=True, image=_IMAGE, before=replace(V1, readiness="html")),
        {"health": "html"},
    ),
    _ready(
        "doctor-cached",
        "Doctor meets a cache before the service",
        "It is passed by with a query of its own.",
        Scene(details=True, image=_IMAGE, finish=_cached),
    ),
    _ready(
        "doctor-no-version",
        "Nothing in the service names its build",
        "What would do instead is told, and how it is made to name its commit.",
        Scene(details=True, image=_IMAGE, before=_HIDDEN),
        {"version": "version-unnamed"},
        says=("GIT_SHA", "expect-digest"),
    ),
    _ready(
        "doctor-noisy-version",
        "What looks like a version moves by itself",
        "A name that differs between two looks is none; the one that stays is the same in every image.",
        Scene(details=True, image=_IMAGE, before=replace(V1, identity="noise")),
        {"version": "version-constant"},
    ),
    _broken(
        "doctor-version-unavailable",
        "A version is declared where none is named",
        "A deploy could never be proven.",
        Scene(details=True, image=_IMAGE, before=_HIDDEN),
        {"version": "version-unavailable"},
        inputs={**DOCTOR, "expect-version": V2.git_sha},
    ),
    _broken(
        "doctor-any-path",
        "A proxy answers every path alike",
        "Watchtower has no path that cannot exist, so this is not Watchtower.",
        Scene(location=False, on_service=AllBut(_STATUS, Instead(Answer(200, b"", "text/plain")))),
        {"location": "misrouted"},
        inputs={**DOCTOR, "health-path": "/api/dev/status"},
        shown=("a path that cannot exist",),
    ),
    _ready(
        "doctor-token-added",
        "The proxy adds Watchtower's token to every request",
        "What doctor asks for without it is an image that cannot exist, so nothing is updated.",
        Scene(details=True, image=_IMAGE, finish=_tokens_added),
        {"location": "unguarded"},
    ),
    _broken(
        "doctor-monitor-only",
        "Watchtower only monitors the container",
        "A newer image is there, and no update would bring it.",
        Scene(details=True, image=_IMAGE, finish=_monitored),
        {"update": "monitor-only"},
        says=("com.centurylinklabs.watchtower.monitor-only",),
    ),
    _ready(
        "doctor-no-pull",
        "Watchtower pulls no image for the container",
        "A push is never seen; what is on the server already would take its place.",
        Scene(details=True, image=_IMAGE, finish=_unpulled),
        {"update": "no-pull"},
    ),
    _broken(
        "doctor-realm-refuses",
        "The registry's token realm refuses Watchtower, and us",
        "Its words are told.",
        Scene(details=True, image=_IMAGE, finish=_realm_refuses),
        {"update": "update-blocked", "registry": "registry-silent"},
        shown=("bearer token request: status 403 Forbidden",),
    ),
    _broken(
        "doctor-monitor-only-flag",
        "Watchtower runs with --monitor-only",
        "No update would replace anything.",
        Scene(details=True, image=_IMAGE, flags={"monitor_only": True}),
        {"update": "monitor-only"},
    ),
    _broken(
        "doctor-pinned",
        "The container was created with a digest",
        "No push changes what a digest means.",
        Scene(details=True, image=_IMAGE, finish=_pinned),
        {"update": "pinned-by-digest"},
    ),
    _broken(
        "doctor-no-digest-but-check",
        "Only the check endpoint is routed, and a digest is declared",
        "A deploy takes the running digest from the containers endpoint alone, and would not be started.",
        Scene(details=True, image=_IMAGE, finish=_without_containers),
        {"containers": "digest-unavailable"},
        inputs={**DOCTOR, "expect-digest": V2.digest},
    ),
    _ready(
        "doctor-engine-pulls",
        "Doctor compares by itself where Watchtower's look at the registry fails",
        "The error is told and is no fault: the update falls back to a pull by the engine.",
        Scene(details=True, image=_IMAGE, finish=_plain_registry),
        shown=("would replace `api`", "server gave HTTP response to HTTPS client", "the engine pulls"),
    ),
    _ready(
        "doctor-manifest-list",
        "The check endpoint takes a Docker manifest list for another image for ever",
        "What runs is what the tag points to: an update would find nothing newer.",
        Scene(details=True, image=_IMAGE, pushed=None, before=replace(V1, manifest_list=True)),
        shown=("would find nothing newer in the registry",),
    ),
    _broken(
        "doctor-no-digest",
        "A digest is declared where Watchtower tells none",
        "A deploy would not be started.",
        Scene(),
        {"containers": "digest-unavailable"},
        inputs={**DOCTOR, "expect-digest": V2.digest},
        triggers=1,
    ),
    _ready(
        "doctor-missing-route",
        "A required route is not there yet",
        "The next build may bring it.",
        Scene(details=True, image=_IMAGE),
        {"openapi": "routes"},
        inputs={**DOCTOR, "required-routes": "GET /api/ready\nGET /api/search", "forbidden-routes": "/api/private"},
        says=("missing now: `GET /api/search`", "forbidden, and there now: `/api/private`"),
    ),
    _broken(
        "doctor-no-document",
        "Routes are required, and there is no document",
        "A deploy would fail its checks.",
        Scene(details=True, image=_IMAGE, before=replace(V1, document="html")),
        {"openapi": "openapi"},
        inputs={**DOCTOR, "required-routes": "GET /api/ready"},
    ),
    _ready(
        "doctor-github-refuses",
        "The token may not see Deployments",
        "The block to paste is told; a deploy would keep its verdict.",
        Scene(details=True, image=_IMAGE, github={"list": [Mishap(NO_PERMISSION)]}),
        {"github": "deployments-refused"},
        inputs={**DOCTOR, "deployment-environment": "production"},
        says=("permissions:\n  deployments: write", "Resource not accessible by integration"),
    ),
    _broken(
        "doctor-hostile",
        "Whatever answers means harm",
        "Its text is not told.",
        Scene(on_watchtower=Instead(hostile_page(500)), on_service=On(_STATUS, Instead(hostile_document()))),
        {"location": "misrouted"},
    ),
    _broken(
        "doctor-echo",
        "Whatever answers repeats the secrets",
        "None of them is shown.",
        Scene(finish=_echoing),
        {"location": "forbidden"},
        inputs={**DOCTOR, "headers": "CF-Access-Client-Secret: {header-secret}"},
    ),
    _broken(
        "doctor-slow",
        "Whatever answers the trigger never ends",
        "It is waited for as long as a request may take, and no longer.",
        _with(slow_body()),
        {"front": "unreachable"},
    ),
    _broken(
        "doctor-endless",
        "Whatever answers the trigger sends without end",
        "No Watchtower sends that much.",
        _with(endless_body()),
        {"location": "misrouted"},
    ),
    Scenario(
        "doctor-invalid-inputs",
        "Doctor is given inputs that are wrong",
        "Nothing is sent, and no link behind them is judged.",
        Scene(),
        {**DOCTOR, "watchtower-token": "", "timeout": "soon"},
        "invalid-config",
        triggers=0,
        silent=True,
        failed=("inputs",),
        found={"inputs": "invalid-inputs"},
        says=("WATCHTOWER_HTTP_API_TOKEN", "duration"),
    ),
)
