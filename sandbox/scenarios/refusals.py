"""Stories in which the trigger does not get through, or inputs are refused."""

from sandbox.scenarios.scenario import DECLARED, NAMED, Scenario
from sandbox.troubles import ACCESS_WALL, CHALLENGE, NGINX_NOT_FOUND, NOT_ALLOWED, SPA, Instead, Redirect, cloudflare
from sandbox.worlds import UPDATE, Scene, World


def _redirected(world: World) -> None:
    world.front.on_watchtower = Redirect(f"{world.foreign.origin}{UPDATE}")


def _refused(name: str, title: str, shows: str, scene: Scene, reason: str, **more: object) -> Scenario:
    """A trigger that is refused at once."""
    return Scenario(name, title, shows, scene, DECLARED, "trigger-failed", reason, result="none", **more)  # type: ignore[arg-type]


SCENARIOS = (
    Scenario(
        "wrong-token",
        "The token is wrong",
        "A refused token ends the run at once.",
        Scene(),
        {**DECLARED, "watchtower-token": "another-token"},
        "trigger-failed",
        "auth",
        result="none",
    ),
    _refused(
        "missing-location",
        "The proxy has no location for the trigger",
        "FastAPI's own 404 is told from Watchtower's, as on the portfolio's first run.",
        Scene(location=False),
        "misrouted",
    ),
    _refused(
        "spa-fallback",
        "The site's HTML answers the trigger with 200",
        "An HTML page is no Watchtower, whatever its status.",
        Scene(on_watchtower=Instead(SPA)),
        "misrouted",
    ),
    _refused(
        "nginx-not-found",
        "nginx knows no such location",
        "nginx's own 404 page is not Watchtower's.",
        Scene(on_watchtower=Instead(NGINX_NOT_FOUND)),
        "misrouted",
    ),
    _refused(
        "post-not-allowed",
        "nginx serves files where the trigger should be",
        "A 405 from something else than Watchtower.",
        Scene(on_watchtower=Instead(NOT_ALLOWED)),
        "method",
    ),
    _refused(
        "cloudflare-525",
        "Cloudflare cannot shake hands with the server",
        "A 525 is a fault of certificates, and trying again mends none.",
        Scene(on_watchtower=Instead(cloudflare(525))),
        "tls",
    ),
    _refused(
        "cloudflare-526",
        "Cloudflare does not trust the server's certificate",
        "A 526 is such a fault too.",
        Scene(on_watchtower=Instead(cloudflare(526))),
        "tls",
    ),
    *(
        Scenario(
            f"cloudflare-{status}",
            f"Cloudflare cannot reach the server: {status}",
            "The request certainly never arrived, so it is sent again, three times in all.",
            Scene(on_watchtower=Instead(cloudflare(status))),
            {**DECLARED, "timeout": "20s"},
            "trigger-failed",
            "unreachable",
            result="none",
            triggers=3,
        )
        for status in (523, 530)
    ),
    Scenario(
        "cloudflare-522",
        "Cloudflare waits for the server in vain",
        "Nobody knows whether a 522 arrived; where nothing changes, nothing answered.",
        Scene(on_watchtower=Instead(cloudflare(522), after=0.3)),
        {**NAMED, "timeout": "4s"},
        "trigger-failed",
        "no-answer",
        result="unknown",
    ),
    Scenario(
        "cloudflare-521",
        "Cloudflare finds the server down",
        "What certainly never ran is sent again, three times in all.",
        Scene(on_watchtower=Instead(cloudflare(521))),
        {**DECLARED, "timeout": "20s"},
        "trigger-failed",
        "unreachable",
        result="none",
        triggers=3,
    ),
    _refused(
        "access-wall",
        "Cloudflare Access wants a login",
        "A redirect to the login page is named as such.",
        Scene(on_watchtower=Instead(ACCESS_WALL)),
        "access-wall",
    ),
    _refused(
        "challenge",
        "Cloudflare wants to see a browser",
        "A challenge is told from a refused token.",
        Scene(on_watchtower=Instead(CHALLENGE)),
        "challenge",
    ),
    _refused(
        "foreign-redirect",
        "The trigger is redirected to another host",
        "The token does not follow.",
        Scene(finish=_redirected),
        "redirect",
    ),
    Scenario(
        "watchtower-down",
        "Watchtower's port refuses",
        "A refused loopback port is explained: inside a container action it is the container's own.",
        Scene(watchtower_listens=False),
        {**DECLARED, "watchtower-url": "{watchtower}", "base-url": "{origin}", "timeout": "20s"},
        "trigger-failed",
        "unreachable",
        result="none",
        triggers=0,
        says=("container",),
    ),
    Scenario(
        "watchtower-down-behind-nginx",
        "nginx finds no Watchtower",
        "A 502 may hide an update that runs, so the watch decides.",
        Scene(watchtower_listens=False),
        {**NAMED, "timeout": "4s"},
        "trigger-failed",
        "no-answer",
        result="unknown",
    ),
    Scenario(
        "untrusted-ca",
        "A certificate that nobody vouches for",
        "Verification cannot be turned off.",
        Scene(certificate="private"),
        DECLARED,
        "trigger-failed",
        "tls",
        result="none",
        triggers=0,
    ),
    Scenario(
        "expired-certificate",
        "The certificate has expired",
        "A trusted authority does not mend it.",
        Scene(certificate="expired"),
        {**DECLARED, "ca-certificate": "{ca}"},
        "trigger-failed",
        "tls",
        result="none",
        triggers=0,
    ),
    Scenario(
        "wrong-host-name",
        "The certificate is another host's",
        "A trusted authority does not mend that either.",
        Scene(certificate="wrong-host"),
        {**DECLARED, "ca-certificate": "{ca}"},
        "trigger-failed",
        "tls",
        result="none",
        triggers=0,
    ),
    Scenario(
        "invalid-inputs",
        "Several inputs are wrong",
        "All are told in one run, and nothing is sent.",
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
