"""Scenarios in which the trigger does not reach Watchtower or is rejected, and in which inputs are invalid."""

from sandbox.network.faults import (
    ACCESS_WALL,
    CHALLENGE,
    NGINX_NOT_FOUND,
    NOT_ALLOWED,
    SPA,
    Instead,
    Redirect,
    cloudflare,
)
from sandbox.scenarios.scenario import DECLARED, NAMED, story
from sandbox.worlds import UPDATE, Scene, World


def _redirected(world: World) -> None:
    world.front.on_watchtower = Redirect(f"{world.foreign.origin}{UPDATE}")


SCENARIOS = (
    story("wrong-token", "The token is wrong", "A rejected token ends the run at once.")
    .plays(Scene(), DECLARED, watchtower_token="another-token")
    .ends("trigger-failed", "auth", result="none"),
    story(
        "missing-location",
        "The proxy has no location for the trigger",
        "FastAPI's 404 is distinguished from Watchtower's, as on the portfolio's first run.",
    )
    .plays(Scene(location=False), DECLARED)
    .is_refused("misrouted"),
    story(
        "spa-fallback",
        "The trigger gets the site's HTML with status 200",
        "An HTML page is not from Watchtower, whatever its status.",
    )
    .plays(Scene(on_watchtower=Instead(SPA)), DECLARED)
    .is_refused("misrouted"),
    story("nginx-not-found", "nginx has no such location", "nginx's own 404 page is not Watchtower's.")
    .plays(Scene(on_watchtower=Instead(NGINX_NOT_FOUND)), DECLARED)
    .is_refused("misrouted"),
    story(
        "post-not-allowed",
        "nginx serves files where the trigger should be",
        "The 405 does not come from Watchtower.",
    )
    .plays(Scene(on_watchtower=Instead(NOT_ALLOWED)), DECLARED)
    .is_refused("method"),
    story(
        "cloudflare-525",
        "The TLS handshake between Cloudflare and the server fails",
        "A 525 is a certificate problem, which a retry does not fix.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(525))), DECLARED)
    .is_refused("tls"),
    story(
        "cloudflare-526", "Cloudflare does not trust the server's certificate", "A 526 is a certificate problem, too."
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(526))), DECLARED)
    .is_refused("tls"),
    *(
        story(
            f"cloudflare-{status}",
            f"Cloudflare cannot reach the server: {status}",
            "The request certainly never arrived, so it is retried, three tries in all.",
        )
        .plays(Scene(on_watchtower=Instead(cloudflare(status))), DECLARED, timeout="20s")
        .ends("trigger-failed", "unreachable", result="none", triggers=3)
        for status in (523, 530)
    ),
    story(
        "cloudflare-522",
        "Cloudflare gets no response from the server",
        "After a 522 the request may or may not have arrived; if nothing changes, the reason is that there was no response.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(522), after=0.3)), NAMED, timeout="4s")
    .ends("trigger-failed", "no-answer", result="unknown"),
    story(
        "cloudflare-521",
        "Cloudflare finds the server down",
        "The update certainly did not run, so the trigger is retried, three tries in all.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(521))), DECLARED, timeout="20s")
    .ends("trigger-failed", "unreachable", result="none", triggers=3),
    story("access-wall", "Cloudflare Access requires a login", "A redirect to the login page is reported as such.")
    .plays(Scene(on_watchtower=Instead(ACCESS_WALL)), DECLARED)
    .is_refused("access-wall"),
    story("challenge", "Cloudflare challenges the run as a bot", "A challenge is distinguished from a rejected token.")
    .plays(Scene(on_watchtower=Instead(CHALLENGE)), DECLARED)
    .is_refused("challenge"),
    story("foreign-redirect", "The trigger is redirected to another host", "The token is not sent there.")
    .plays(Scene(finish=_redirected), DECLARED)
    .is_refused("redirect"),
    story(
        "watchtower-down",
        "Watchtower's port refuses the connection",
        "The message explains that inside a container action, the loopback address is the container's own.",
    )
    .plays(
        Scene(watchtower_listens=False),
        DECLARED,
        watchtower_url="{watchtower}",
        base_url="{origin}",
        timeout="20s",
    )
    .ends("trigger-failed", "unreachable", result="none", triggers=0, says=("container",)),
    story(
        "watchtower-down-behind-nginx",
        "nginx cannot reach Watchtower",
        "An update may be running behind a 502, so the service decides.",
    )
    .plays(Scene(watchtower_listens=False), NAMED, timeout="4s")
    .ends("trigger-failed", "no-answer", result="unknown"),
    story("untrusted-ca", "The certificate is not signed by a trusted authority", "Verification cannot be turned off.")
    .plays(Scene(certificate="private"), DECLARED)
    .ends("trigger-failed", "tls", result="none", triggers=0),
    story(
        "expired-certificate",
        "The certificate has expired",
        "The certificate is rejected although its authority is trusted.",
    )
    .plays(Scene(certificate="expired"), DECLARED, ca_certificate="{ca}")
    .ends("trigger-failed", "tls", result="none", triggers=0),
    story(
        "wrong-host-name",
        "The certificate is for another host",
        "The certificate is rejected here too, although its authority is trusted.",
    )
    .plays(Scene(certificate="wrong-host"), DECLARED, ca_certificate="{ca}")
    .ends("trigger-failed", "tls", result="none", triggers=0),
    story("invalid-inputs", "Several inputs are invalid", "All are reported in one run, and no request is sent.")
    .plays(
        Scene(),
        {
            "mode": "deploi",
            "watchtower-url": "https://user:word@api.example.com/ops/watchtower/update",
            "watchtower-token": "a token",
            "timeout": "soon",
            "stable-for": "2d",
            "expect-digest": "sha256:abc",
            "require-proof": "sure",
            "request-rate": "fast",
            "allow-http": "yes",
        },
    )
    .ends(
        "invalid-config",
        triggers=0,
        silent=True,
        says=(
            "mode",
            "watchtower-url",
            "watchtower-token",
            "timeout",
            "stable-for",
            "expect-digest",
            "require-proof",
            "request-rate",
            "allow-http",
        ),
    ),
)
