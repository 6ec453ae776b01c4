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
from sandbox.scenarios.scenario import DOCTOR, Scenario, story
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


def _in_the_way(name: str, title: str, link: str, finding: str, fault: Fault) -> Scenario:
    return (
        story(name, title, "It is named, and what lies behind it is not judged.")
        .plays(_with(fault), DOCTOR)
        .is_broken({link: finding})
    )


def _with(fault: Fault) -> Scene:
    return Scene(details=True, image=_IMAGE, on_watchtower=fault)


def _mistrusted(certificate: Certificate, title: str, finding: str, inputs: Mapping[str, str]) -> Scenario:
    shows = "The certificate is read, to say what is wrong with it, and nothing is sent."
    scene = Scene(details=True, image=_IMAGE, certificate=certificate)
    return story(f"doctor-certificate-{certificate}", title, shows).plays(scene, inputs).is_broken({"tls": finding})


def _line(variant: Variant, *, metrics: bool) -> Scenario:
    """A line that has no endpoint but for the update and, perhaps, metrics."""
    told = "its metrics say whether the token is right" if metrics else "whether the token is right stays open"
    return (
        story(
            f"doctor-{variant}{'-metrics' if metrics else ''}",
            f"{variant} is examined{' by its metrics' if metrics else ''}",
            f"It is told by its refusals, and {told}: it may be one that narrows nothing.",
        )
        .plays(Scene(variant=variant, metrics=metrics), DOCTOR)
        .is_ready({} if metrics else {"token": "token-unjudged"}, shown=("containrrr/watchtower 1.4 or newer",))
    )


SCENARIOS = (
    story("doctor", "A set-up is examined", "Every link holds, and an update is waiting: a deploy would get through.")
    .plays(
        Scene(details=True, image=_IMAGE),
        DOCTOR,
        required_routes="GET /api/ready",
        deployment_environment="production",
    )
    .is_ready(shown=("nicholas-fedor/watchtower 1.20 or newer", "Next update | would replace `api`")),
    story(
        "doctor-only-post",
        "The proxy lets only POST through",
        "Watchtower is told by its refusal of a POST without a token, which triggers nothing in any version.",
    )
    .plays(_with(OnlyPost()), DOCTOR)
    .is_ready(shown=("nicholas-fedor/watchtower 1.20 or newer",)),
    _line("containrrr", metrics=False),
    _line("containrrr", metrics=True),
    _line("openserbia", metrics=True),
    story(
        "doctor-idle-update",
        "The fork without any other endpoint is examined",
        "The token is tried by an update of an image that nobody has, and that is said openly.",
    )
    .plays(Scene(), DOCTOR)
    .is_ready({"containers": "no-containers"}, triggers=1, shown=("redeploy-action.invalid/no-such-image",)),
    story(
        "doctor-wrong-token",
        "Watchtower does not take the token",
        "It is named without an update, and what needs the token is not judged.",
    )
    .plays(Scene(details=True, image=_IMAGE), DOCTOR, watchtower_token="another-token")
    .is_broken({"token": "auth"}, says=("Not checked because of this: Containers, Next update",)),
    story(
        "doctor-wrong-token-containrrr",
        "The token is wrong, and containrrr refuses it",
        "Its metrics refuse the token too.",
    )
    .plays(Scene(variant="containrrr", metrics=True), DOCTOR, watchtower_token="another-token")
    .is_broken({"token": "auth"}),
    story(
        "doctor-wrong-token-idle",
        "The token is wrong, and nothing but the update is there",
        "The update of an image that nobody has is refused.",
    )
    .plays(Scene(), DOCTOR, watchtower_token="another-token")
    .is_broken({"token": "auth"}, triggers=1),
    story(
        "doctor-missing-location",
        "Doctor finds no location for the update",
        "The backend's own 404 is told from Watchtower's.",
    )
    .plays(Scene(location=False), DOCTOR)
    .is_broken({"location": "misrouted"}, shown=("FastAPI",)),
    story("doctor-watchtower-stopped", "Watchtower does not run", "nginx has the location, and nothing behind it.")
    .plays(Scene(details=True, image=_IMAGE, watchtower_listens=False), DOCTOR)
    .is_broken({"location": "watchtower-stopped"}),
    story("doctor-front-down", "nginx does not run", "Nothing takes the connection, so nothing behind it is judged.")
    .plays(Scene(details=True, image=_IMAGE, front_listens=False), DOCTOR)
    .is_broken({"connection": "nothing-listens"}),
    story("doctor-unresolved", "The host name has no address", "Nothing is sent to anyone.")
    .plays(
        Scene(details=True, image=_IMAGE),
        DOCTOR,
        watchtower_url="https://api.example.invalid/ops/watchtower/update",
    )
    .is_broken({"dns": "unresolved"}, silent=True),
    _mistrusted("private", "Nobody vouches for the certificate", "certificate-untrusted", DOCTOR),
    _mistrusted("expired", "The certificate is of the past", "certificate-expired", _WITH_CA),
    _mistrusted("wrong-host", "The certificate is for others", "certificate-name", _WITH_CA),
    story(
        "doctor-certificate-ends-soon",
        "The certificate ends within a week",
        "A deploy gets through, until it does not.",
    )
    .plays(Scene(details=True, image=_IMAGE, certificate="ends-soon"), _WITH_CA)
    .is_ready({"tls": "certificate-ends-soon"}, shown=("valid for 5 days",)),
    _in_the_way("doctor-challenge", "Cloudflare takes doctor for a bot", "front", "challenge", Instead(CHALLENGE)),
    _in_the_way("doctor-access", "Cloudflare Access stands in the way", "front", "access-wall", Instead(ACCESS_WALL)),
    _in_the_way("doctor-530", "Cloudflare does not reach the tunnel", "front", "unreachable", Instead(cloudflare(530))),
    _in_the_way("doctor-526", "Cloudflare does not trust the server", "front", "tls", Instead(cloudflare(526))),
    _in_the_way("doctor-spa", "A single-page application answers", "location", "misrouted", Instead(SPA)),
    _in_the_way("doctor-method", "POST is not let through", "location", "method", Instead(NOT_ALLOWED)),
    story("doctor-redirect", "The update URL redirects elsewhere", "Nothing follows it, least of all the token.")
    .plays(Scene(details=True, image=_IMAGE, finish=_redirected), DOCTOR)
    .is_broken({"location": "redirect"}),
    story(
        "doctor-rate-limit",
        "Watchtower wants no more requests",
        "Whether the token is right cannot be told while it does not look at any.",
    )
    .plays(Scene(details=True, image=_IMAGE, flags={"rate_limit": 0}), DOCTOR)
    .is_broken({"location": "rate-limited"}),
    story(
        "doctor-unsupported",
        "The update is narrowed to a container where no line understands that",
        "A deploy would not be started.",
    )
    .plays(Scene(variant="containrrr", metrics=True), DOCTOR, container="api")
    .is_broken({"location": "unsupported"}),
    story("doctor-not-watched", "The label is missing", "Watchtower watches nothing that runs.")
    .plays(Scene(details=True, image=_IMAGE, finish=_unlabelled), DOCTOR)
    .is_broken({"containers": "not-watched"}),
    story("doctor-another-image", "The image is another than the one that runs", "What is watched is named beside it.")
    .plays(Scene(details=True, image=_IMAGE, finish=_neighbour), DOCTOR, image="{registry}/o/web")
    .is_broken({"containers": "not-watched"}, shown=("watched: `api`",)),
    story("doctor-engine-silent", "Watchtower does not get to the engine", "It says so of its containers.")
    .plays(
        Scene(details=True, image=_IMAGE, metrics=True, flags={"engine_patience": 0.0}, finish=_unreachable_engine),
        DOCTOR,
    )
    .is_broken({"containers": "engine-silent"}),
    story(
        "doctor-image-missing",
        "The tag is gone from the registry",
        "Whether an update would happen needs no further judgement.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_untagged), DOCTOR, image="{image}")
    .is_broken({"registry": "image-missing"}),
    story(
        "doctor-image-missing-there",
        "The registry has no tag for Watchtower",
        "Doctor is not let in, and Watchtower says so in its own words.",
    )
    .plays(Scene(details=True, image=_IMAGE, registry=Ways(auth="basic"), finish=_untagged), DOCTOR)
    .is_broken({"update": "image-missing", "registry": "registry-silent"}, shown=("404 Not Found",)),
    story("doctor-update-blocked", "The registry refuses Watchtower", "The registry's error is told in plain text.")
    .plays(Scene(details=True, image=_IMAGE, finish=_throttled), DOCTOR)
    .is_broken({"update": "update-blocked", "registry": "registry-silent"}, shown=("rate limited",)),
    story(
        "doctor-private-image",
        "The registry lets Watchtower in, and not doctor",
        "What counts is what Watchtower itself is told.",
    )
    .plays(Scene(details=True, image=_IMAGE, registry=Ways(auth="token")), DOCTOR)
    .is_ready(shown=("Watchtower itself has access",)),
    story(
        "doctor-up-to-date",
        "What runs is what the tag points to",
        "An update would find nothing, and that is no fault.",
    )
    .plays(Scene(details=True, image=_IMAGE, pushed=None), DOCTOR, image="{image}", expect_version=V1.git_sha)
    .is_ready(shown=("would find nothing newer in the registry", "the expected version is live already")),
    story("doctor-unhealthy", "The backend is not healthy", "Everything before it holds.")
    .plays(Scene(details=True, image=_IMAGE, before=replace(V1, readiness="never")), DOCTOR)
    .is_broken({"health": "never-ready"}),
    story("doctor-down", "The backend does not run", "nginx says so, and its version and its document are not judged.")
    .plays(Scene(details=True, image=_IMAGE, finish=_crashed), DOCTOR)
    .is_broken({"health": "down"}),
    story("doctor-html", "Doctor finds a page where the health check should answer", "A placeholder is no backend.")
    .plays(Scene(details=True, image=_IMAGE, before=replace(V1, readiness="html")), DOCTOR)
    .is_broken({"health": "html"}),
    story("doctor-cached", "Doctor meets a cache before the service", "It is passed by with a query of its own.")
    .plays(Scene(details=True, image=_IMAGE, finish=_cached), DOCTOR)
    .is_ready(),
    story(
        "doctor-no-version",
        "Nothing in the service names its build",
        "What would do instead is told, and how it is made to name its commit.",
    )
    .plays(Scene(details=True, image=_IMAGE, before=_HIDDEN), DOCTOR)
    .is_ready({"version": "version-unnamed"}, says=("GIT_SHA", "expect-digest")),
    story(
        "doctor-noisy-version",
        "What looks like a version moves by itself",
        "A name that differs between two looks is none; the one that stays is the same in every image.",
    )
    .plays(Scene(details=True, image=_IMAGE, before=replace(V1, identity="noise")), DOCTOR)
    .is_ready({"version": "version-constant"}),
    story("doctor-version-unavailable", "A version is declared where none is named", "A deploy could never be proven.")
    .plays(Scene(details=True, image=_IMAGE, before=_HIDDEN), DOCTOR, expect_version=V2.git_sha)
    .is_broken({"version": "version-unavailable"}),
    story(
        "doctor-any-path",
        "A proxy answers every path alike",
        "Watchtower has no path that cannot exist, so this is not Watchtower.",
    )
    .plays(
        Scene(location=False, on_service=AllBut(_STATUS, Instead(Answer(200, b"", "text/plain")))),
        DOCTOR,
        health_path="/api/dev/status",
    )
    .is_broken({"location": "misrouted"}, shown=("a path that cannot exist",)),
    story(
        "doctor-token-added",
        "The proxy adds Watchtower's token to every request",
        "What doctor asks for without it is an image that cannot exist, so nothing is updated.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_tokens_added), DOCTOR)
    .is_ready({"location": "unguarded"}),
    story(
        "doctor-monitor-only",
        "Watchtower only monitors the container",
        "A newer image is there, and no update would bring it.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_monitored), DOCTOR)
    .is_broken({"update": "monitor-only"}, says=("com.centurylinklabs.watchtower.monitor-only",)),
    story(
        "doctor-no-pull",
        "Watchtower pulls no image for the container",
        "A push is never seen; what is on the server already would take its place.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_unpulled), DOCTOR)
    .is_ready({"update": "no-pull"}),
    story("doctor-realm-refuses", "The registry's token realm refuses Watchtower, and us", "Its words are told.")
    .plays(Scene(details=True, image=_IMAGE, finish=_realm_refuses), DOCTOR)
    .is_broken(
        {"update": "update-blocked", "registry": "registry-silent"},
        shown=("bearer token request: status 403 Forbidden",),
    ),
    story("doctor-monitor-only-flag", "Watchtower runs with --monitor-only", "No update would replace anything.")
    .plays(Scene(details=True, image=_IMAGE, flags={"monitor_only": True}), DOCTOR)
    .is_broken({"update": "monitor-only"}),
    story("doctor-pinned", "The container was created with a digest", "No push changes what a digest means.")
    .plays(Scene(details=True, image=_IMAGE, finish=_pinned), DOCTOR)
    .is_broken({"update": "pinned-by-digest"}),
    story(
        "doctor-no-digest-but-check",
        "Only the check endpoint is routed, and a digest is declared",
        "A deploy takes the running digest from the containers endpoint alone, and would not be started.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_without_containers), DOCTOR, expect_digest=V2.digest)
    .is_broken({"containers": "digest-unavailable"}),
    story(
        "doctor-engine-pulls",
        "Doctor compares by itself where Watchtower's look at the registry fails",
        "The error is told and is no fault: the update falls back to a pull by the engine.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_plain_registry), DOCTOR)
    .is_ready(shown=("would replace `api`", "server gave HTTP response to HTTPS client", "the engine pulls")),
    story(
        "doctor-manifest-list",
        "The check endpoint takes a Docker manifest list for another image for ever",
        "What runs is what the tag points to: an update would find nothing newer.",
    )
    .plays(Scene(details=True, image=_IMAGE, pushed=None, before=replace(V1, manifest_list=True)), DOCTOR)
    .is_ready(shown=("would find nothing newer in the registry",)),
    story("doctor-no-digest", "A digest is declared where Watchtower tells none", "A deploy would not be started.")
    .plays(Scene(), DOCTOR, expect_digest=V2.digest)
    .is_broken({"containers": "digest-unavailable"}, triggers=1),
    story("doctor-missing-route", "A required route is not there yet", "The next build may bring it.")
    .plays(
        Scene(details=True, image=_IMAGE),
        DOCTOR,
        required_routes="GET /api/ready\nGET /api/search",
        forbidden_routes="/api/private",
    )
    .is_ready({"openapi": "routes"}, says=("missing: `GET /api/search`", "has forbidden routes: `/api/private`")),
    story("doctor-no-document", "Routes are required, and there is no document", "A deploy would fail its checks.")
    .plays(
        Scene(details=True, image=_IMAGE, before=replace(V1, document="html")),
        DOCTOR,
        required_routes="GET /api/ready",
    )
    .is_broken({"openapi": "openapi"}),
    story(
        "doctor-github-refuses",
        "The token may not see Deployments",
        "The block to paste is told; a deploy would keep its verdict.",
    )
    .plays(
        Scene(details=True, image=_IMAGE, github={"list": [Mishap(NO_PERMISSION)]}),
        DOCTOR,
        deployment_environment="production",
    )
    .is_ready(
        {"github": "deployments-refused"},
        says=("permissions:\n  deployments: write", "Resource not accessible by integration"),
    ),
    story("doctor-hostile", "Whatever answers means harm", "Its text is not told.")
    .plays(Scene(on_watchtower=Instead(hostile_page(500)), on_service=On(_STATUS, Instead(hostile_document()))), DOCTOR)
    .is_broken({"location": "misrouted"}),
    story("doctor-echo", "Whatever answers repeats the secrets", "None of them is shown.")
    .plays(Scene(finish=_echoing), DOCTOR, headers="CF-Access-Client-Secret: {header-secret}")
    .is_broken({"location": "forbidden"}),
    story(
        "doctor-slow",
        "Whatever answers the trigger never ends",
        "It is waited for as long as a request may take, and no longer.",
    )
    .plays(_with(slow_body()), DOCTOR)
    .is_broken({"front": "unreachable"}),
    story("doctor-endless", "Whatever answers the trigger sends without end", "No Watchtower sends that much.")
    .plays(_with(endless_body()), DOCTOR)
    .is_broken({"location": "misrouted"}),
    story(
        "doctor-invalid-inputs",
        "Doctor is given inputs that are wrong",
        "Nothing is sent, and no link behind them is judged.",
    )
    .plays(Scene(), DOCTOR, watchtower_token="", timeout="soon")
    .ends(
        "invalid-config",
        triggers=0,
        silent=True,
        failed=("inputs",),
        found={"inputs": "invalid-inputs"},
        says=("WATCHTOWER_HTTP_API_TOKEN", "duration"),
    ),
)
