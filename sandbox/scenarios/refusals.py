"""Stories in which the trigger does not get through, or inputs are refused."""

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
    story("wrong-token", "The token is wrong", "A refused token ends the run at once.")
    .plays(Scene(), DECLARED, watchtower_token="another-token")
    .ends("trigger-failed", "auth", result="none"),
    story(
        "missing-location",
        "The proxy has no location for the trigger",
        "FastAPI's own 404 is told from Watchtower's, as on the portfolio's first run.",
    )
    .plays(Scene(location=False), DECLARED)
    .is_refused("misrouted"),
    story(
        "spa-fallback",
        "The site's HTML answers the trigger with 200",
        "An HTML page is no Watchtower, whatever its status.",
    )
    .plays(Scene(on_watchtower=Instead(SPA)), DECLARED)
    .is_refused("misrouted"),
    story("nginx-not-found", "nginx knows no such location", "nginx's own 404 page is not Watchtower's.")
    .plays(Scene(on_watchtower=Instead(NGINX_NOT_FOUND)), DECLARED)
    .is_refused("misrouted"),
    story(
        "post-not-allowed",
        "nginx serves files where the trigger should be",
        "A 405 from something else than Watchtower.",
    )
    .plays(Scene(on_watchtower=Instead(NOT_ALLOWED)), DECLARED)
    .is_refused("method"),
    story(
        "cloudflare-525",
        "Cloudflare cannot shake hands with the server",
        "A 525 is a fault of certificates, and trying again mends none.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(525))), DECLARED)
    .is_refused("tls"),
    story("cloudflare-526", "Cloudflare does not trust the server's certificate", "A 526 is such a fault too.")
    .plays(Scene(on_watchtower=Instead(cloudflare(526))), DECLARED)
    .is_refused("tls"),
    *(
        story(
            f"cloudflare-{status}",
            f"Cloudflare cannot reach the server: {status}",
            "The request certainly never arrived, so it is sent again, three times in all.",
        )
        .plays(Scene(on_watchtower=Instead(cloudflare(status))), DECLARED, timeout="20s")
        .ends("trigger-failed", "unreachable", result="none", triggers=3)
        for status in (523, 530)
    ),
    story(
        "cloudflare-522",
        "Cloudflare waits for the server in vain",
        "Nobody knows whether a 522 arrived; where nothing changes, nothing answered.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(522), after=0.3)), NAMED, timeout="4s")
    .ends("trigger-failed", "no-answer", result="unknown"),
    story(
        "cloudflare-521",
        "Cloudflare finds the server down",
        "What certainly never ran is sent again, three times in all.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(521))), DECLARED, timeout="20s")
    .ends("trigger-failed", "unreachable", result="none", triggers=3),
    story("access-wall", "Cloudflare Access wants a login", "A redirect to the login page is named as such.")
    .plays(Scene(on_watchtower=Instead(ACCESS_WALL)), DECLARED)
    .is_refused("access-wall"),
    story("challenge", "Cloudflare wants to see a browser", "A challenge is told from a refused token.")
    .plays(Scene(on_watchtower=Instead(CHALLENGE)), DECLARED)
    .is_refused("challenge"),
    story("foreign-redirect", "The trigger is redirected to another host", "The token does not follow.")
    .plays(Scene(finish=_redirected), DECLARED)
    .is_refused("redirect"),
    story(
        "watchtower-down",
        "Watchtower's port refuses",
        "A refused loopback port is explained: inside a container action it is the container's own.",
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
        "nginx finds no Watchtower",
        "A 502 may hide an update that runs, so the watch decides.",
    )
    .plays(Scene(watchtower_listens=False), NAMED, timeout="4s")
    .ends("trigger-failed", "no-answer", result="unknown"),
    story("untrusted-ca", "A certificate that nobody vouches for", "Verification cannot be turned off.")
    .plays(Scene(certificate="private"), DECLARED)
    .ends("trigger-failed", "tls", result="none", triggers=0),
    story("expired-certificate", "The certificate has expired", "A trusted authority does not mend it.")
    .plays(Scene(certificate="expired"), DECLARED, ca_certificate="{ca}")
    .ends("trigger-failed", "tls", result="none", triggers=0),
    story("wrong-host-name", "The certificate is another host's", "A trusted authority does not mend that either.")
    .plays(Scene(certificate="wrong-host"), DECLARED, ca_certificate="{ca}")
    .ends("trigger-failed", "tls", result="none", triggers=0),
    story("invalid-inputs", "Several inputs are wrong", "All are told in one run, and nothing is sent.")
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
