"""Scenarios in which doctor examines the way to Watchtower: connection, certificate, front, location, token."""

from collections.abc import Mapping

from sandbox.network.attacks import endless_body, slow_body
from sandbox.network.faults import (
    ACCESS_WALL,
    CHALLENGE,
    NOT_ALLOWED,
    SPA,
    AllBut,
    Instead,
    OnlyPost,
    Redirect,
    TokenAdded,
    cloudflare,
)
from sandbox.network.front import Answer, Fault
from sandbox.scenarios.scenario import DOCTOR, Scenario, story
from sandbox.watchtower.variants import Variant
from sandbox.worlds import UPDATE, Certificate, Scene, World

_STATUS = frozenset({"/api/dev/status"})
_IMAGE = "{registry}/o/api:latest"
_WITH_CA = {**DOCTOR, "ca-certificate": "{ca}"}


def _redirected(world: World) -> None:
    world.front.on_watchtower = Redirect(f"{world.foreign.origin}{UPDATE}")


def _tokens_added(world: World) -> None:
    world.front.on_watchtower = TokenAdded(world.token)


def _in_the_way(name: str, title: str, link: str, finding: str, fault: Fault) -> Scenario:
    return (
        story(name, title, "Doctor reports it, and does not check the links behind it.")
        .plays(_with(fault), DOCTOR)
        .is_broken({link: finding})
    )


def _with(fault: Fault) -> Scene:
    return Scene(details=True, image=_IMAGE, on_watchtower=fault)


def _mistrusted(certificate: Certificate, title: str, finding: str, inputs: Mapping[str, str]) -> Scenario:
    shows = "Doctor reads the certificate to say what is wrong with it, and sends no request."
    scene = Scene(details=True, image=_IMAGE, certificate=certificate)
    return story(f"doctor-certificate-{certificate}", title, shows).plays(scene, inputs).is_broken({"tls": finding})


def _line(variant: Variant, *, metrics: bool) -> Scenario:
    """A variant of Watchtower whose only endpoints are the update and, perhaps, metrics."""
    token = "its metrics show whether the token is right" if metrics else "the token cannot be checked"
    return (
        story(
            f"doctor-{variant}{'-metrics' if metrics else ''}",
            f"{variant} is examined{' by its metrics' if metrics else ''}",
            f"Its refusals identify it, and {token}; it may ignore `container` and `image`.",
        )
        .plays(Scene(variant=variant, metrics=metrics), DOCTOR)
        .is_ready({} if metrics else {"token": "token-unjudged"}, shown=("containrrr/watchtower 1.4 or newer",))
    )


SCENARIOS = (
    story(
        "doctor", "Doctor examines a set-up", "Every link is fine, and an update is available: a deploy would succeed."
    )
    .plays(
        Scene(details=True, image=_IMAGE),
        DOCTOR,
        required_routes="GET /api/ready",
        deployment_environment="production",
    )
    .is_ready(shown=("nicholas-fedor/watchtower 1.20 or newer", "Next update | would replace `api`")),
    story(
        "doctor-only-post",
        "The proxy allows only POST",
        "Watchtower is identified by its refusal of a POST without a token, which triggers nothing in any version.",
    )
    .plays(_with(OnlyPost()), DOCTOR)
    .is_ready(shown=("nicholas-fedor/watchtower 1.20 or newer",)),
    _line("containrrr", metrics=False),
    _line("containrrr", metrics=True),
    _line("openserbia", metrics=True),
    story(
        "doctor-idle-update",
        "Doctor examines the fork with only the update endpoint",
        "Doctor checks the token with an update of an image that does not exist, and says so.",
    )
    .plays(Scene(), DOCTOR)
    .is_ready({"containers": "no-containers"}, triggers=1, shown=("redeploy-action.invalid/no-such-image",)),
    story(
        "doctor-wrong-token",
        "Watchtower rejects the token",
        "Doctor finds that without an update, and skips the links that need the token.",
    )
    .plays(Scene(details=True, image=_IMAGE), DOCTOR, watchtower_token="another-token")
    .is_broken({"token": "auth"}, says=("Not checked because of this: Containers, Next update",)),
    story(
        "doctor-wrong-token-containrrr",
        "containrrr rejects a wrong token",
        "Its metrics endpoint rejects the token too.",
    )
    .plays(Scene(variant="containrrr", metrics=True), DOCTOR, watchtower_token="another-token")
    .is_broken({"token": "auth"}),
    story(
        "doctor-wrong-token-idle",
        "The token is wrong, and only the update endpoint exists",
        "The update of an image that does not exist is rejected.",
    )
    .plays(Scene(), DOCTOR, watchtower_token="another-token")
    .is_broken({"token": "auth"}, triggers=1),
    story(
        "doctor-missing-location",
        "Doctor finds that the proxy lacks the location for the update",
        "The backend's 404 is distinguished from Watchtower's.",
    )
    .plays(Scene(location=False), DOCTOR)
    .is_broken({"location": "misrouted"}, shown=("FastAPI",)),
    story(
        "doctor-watchtower-stopped",
        "Watchtower is not running",
        "nginx has the location, but nothing listens behind it.",
    )
    .plays(Scene(details=True, image=_IMAGE, watchtower_listens=False), DOCTOR)
    .is_broken({"location": "watchtower-stopped"}),
    story(
        "doctor-front-down",
        "nginx is not running",
        "Nothing accepts the connection, so the links behind it are not checked.",
    )
    .plays(Scene(details=True, image=_IMAGE, front_listens=False), DOCTOR)
    .is_broken({"connection": "nothing-listens"}),
    story("doctor-unresolved", "The host name has no address", "No request is sent.")
    .plays(
        Scene(details=True, image=_IMAGE),
        DOCTOR,
        watchtower_url="https://api.example.invalid/ops/watchtower/update",
    )
    .is_broken({"dns": "unresolved"}, silent=True),
    _mistrusted("private", "Doctor finds an untrusted certificate", "certificate-untrusted", DOCTOR),
    _mistrusted("expired", "Doctor finds an expired certificate", "certificate-expired", _WITH_CA),
    _mistrusted("wrong-host", "Doctor finds a certificate for another host", "certificate-name", _WITH_CA),
    story(
        "doctor-certificate-ends-soon",
        "The certificate expires within a week",
        "Deploys still work, but only for a few more days.",
    )
    .plays(Scene(details=True, image=_IMAGE, certificate="ends-soon"), _WITH_CA)
    .is_ready({"tls": "certificate-ends-soon"}, shown=("valid for 5 days",)),
    _in_the_way("doctor-challenge", "Cloudflare challenges doctor as a bot", "front", "challenge", Instead(CHALLENGE)),
    _in_the_way("doctor-access", "Cloudflare Access is in front", "front", "access-wall", Instead(ACCESS_WALL)),
    _in_the_way("doctor-530", "Cloudflare cannot reach the tunnel", "front", "unreachable", Instead(cloudflare(530))),
    _in_the_way("doctor-526", "Cloudflare does not trust the server", "front", "tls", Instead(cloudflare(526))),
    _in_the_way("doctor-spa", "A single-page application responds", "location", "misrouted", Instead(SPA)),
    _in_the_way("doctor-method", "POST is not allowed", "location", "method", Instead(NOT_ALLOWED)),
    story(
        "doctor-redirect",
        "The update URL redirects elsewhere",
        "Doctor does not follow the redirect, and does not send the token there.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_redirected), DOCTOR)
    .is_broken({"location": "redirect"}),
    story(
        "doctor-rate-limit",
        "Watchtower is rate limiting",
        "Watchtower rejects requests before it reads their token, so the token cannot be checked.",
    )
    .plays(Scene(details=True, image=_IMAGE, flags={"rate_limit": 0}), DOCTOR)
    .is_broken({"location": "rate-limited"}),
    story(
        "doctor-unsupported",
        "An update of one container, which this variant does not support",
        "A deploy would not be started.",
    )
    .plays(Scene(variant="containrrr", metrics=True), DOCTOR, container="api")
    .is_broken({"location": "unsupported"}),
    story(
        "doctor-any-path",
        "A proxy gives every path the same response",
        "It also responds to a path that cannot exist, so it is not Watchtower.",
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
        "Doctor's request without a token names an image that cannot exist, so nothing is updated.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_tokens_added), DOCTOR)
    .is_ready({"location": "unguarded"}),
    story(
        "doctor-slow",
        "The response to the trigger never ends",
        "Doctor waits until the request times out, and no longer.",
    )
    .plays(_with(slow_body()), DOCTOR)
    .is_broken({"front": "unreachable"}),
    story("doctor-endless", "The response to the trigger is endless", "No Watchtower sends that much.")
    .plays(_with(endless_body()), DOCTOR)
    .is_broken({"location": "misrouted"}),
)
