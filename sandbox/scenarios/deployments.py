"""Scenarios in which the new build goes live despite obstacles."""

from dataclasses import replace

from sandbox.network.faults import GATEWAY_TIMEOUT, TOO_MANY, Adding, AtFirst, Cache, Cut, Instead, Limit, cloudflare
from sandbox.scenarios.scenario import DECLARED, QUICK, VERIFY, story
from sandbox.server.builds import V1, V2, Build
from sandbox.worlds import Scene, World

_PAGE = {
    **QUICK,
    "health-path": "/",
    "health-expect": 'body contains "</html>" and body !contains "__next_error__"',
    "version-field": "meta:git-sha",
    "expect-version": V2.git_sha,
    "openapi-path": "off",
}


def _cached(world: World) -> None:
    world.front.on_service = Cache(honours_query=True)


def _limited(world: World) -> None:
    world.front.on_service = Limit()


def _throttled_at_first(world: World) -> None:
    world.front.on_service = AtFirst(2, Instead(TOO_MANY))


SCENARIOS = (
    story(
        "happy-path",
        "A new build goes live",
        "Given a URL, a token and the commit, the run proves the new build live behind nicholas-fedor's Watchtower.",
    )
    .plays(
        Scene(details=True),
        {
            "watchtower-url": "{update}",
            "watchtower-token": "{token}",
            "version-path": "/api/dev/status",
            "expect-version": V2.git_sha,
        },
    )
    .ends(
        "deployed",
        proof="version",
        result="updated",
        outputs={"version": V2.git_sha, "previous-version": V1.git_sha, "digest": V2.digest},
    ),
    story(
        "happy-path-containrrr",
        "A new build goes live behind containrrr",
        "This variant only ever responds with an empty 200; the service itself proves the rest.",
    )
    .plays(Scene(variant="containrrr"), DECLARED)
    .ends("deployed", proof="version", result="accepted"),
    story(
        "happy-path-openserbia",
        "A new build goes live behind openserbia",
        "The run reads the JSON of the third variant.",
    )
    .plays(Scene(variant="openserbia"), DECLARED)
    .ends("deployed", proof="version", result="updated"),
    story(
        "already-current",
        "The declared build is already live",
        "The trigger is still sent, and an unchanged service is not a failure if its build is the declared one.",
    )
    .plays(Scene(before=replace(V2, boot=0.0)), DECLARED)
    .ends("already-current", proof="version", result="nothing"),
    story(
        "service-down-before", "The service was down before", "An unhealthy baseline is recorded, and is not an error."
    )
    .plays(Scene(before=Build("v1", boot=3600)), DECLARED)
    .ends("deployed", proof="version", result="updated", outputs={"previous-version": ""}),
    story(
        "slow-stop",
        "The old build stops slowly",
        "It responds for seconds after the trigger, and the run keeps waiting for the new build.",
    )
    .plays(Scene(before=replace(V1, ignores_term=3.0)), DECLARED, timeout="10s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "slow-proxy",
        "nginx times out, the update continues",
        "A 504 says nothing about the update, so the service decides.",
    )
    .plays(
        Scene(before=replace(V1, ignores_term=2.0), on_watchtower=Instead(GATEWAY_TIMEOUT, after=1.0, forwarding=True)),
        DECLARED,
        timeout="8s",
    )
    .ends("deployed", proof="version", result="unknown"),
    story(
        "connection-cut",
        "The connection breaks, the update continues",
        "After a reset in the middle of the trigger the run continues, and the trigger is not sent twice.",
    )
    .plays(Scene(on_watchtower=Cut()), DECLARED)
    .ends("deployed", proof="version", result="unknown"),
    story("cloudflare-524", "Cloudflare times out, the update continues", "A 524 says nothing about the update.")
    .plays(
        Scene(before=replace(V1, ignores_term=2.0), on_watchtower=Instead(cloudflare(524), after=1.0, forwarding=True)),
        DECLARED,
        timeout="8s",
    )
    .ends("deployed", proof="version", result="unknown"),
    story(
        "cloudflare-520",
        "Cloudflare does not understand the response",
        "An update may be running behind a 520, so the trigger is not sent twice.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(520), after=0.3, forwarding=True)), DECLARED)
    .ends("deployed", proof="version", result="unknown"),
    story(
        "slow-readiness",
        "The new build becomes ready slowly",
        "It names its build at once, but counts only once it is ready.",
    )
    .plays(Scene(pushed=replace(V2, ready_after=1.5)), DECLARED, timeout="8s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "plain-text-health",
        "The health check responds with `ok` as plain text",
        "Every 2xx that is not HTML is healthy.",
    )
    .plays(Scene(before=replace(V1, readiness="text"), pushed=replace(V2, readiness="text")), DECLARED)
    .ends("deployed", proof="version", result="updated"),
    story(
        "throttled-at-first",
        "The service responds 429 for a while",
        "Retry-After is honoured, and a 429 does not count as a sample.",
    )
    .plays(Scene(finish=_throttled_at_first), DECLARED, timeout="15s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "cached",
        "A cache responds for the service",
        "A cached response does not count as a sample; a unique query gets past the cache.",
    )
    .plays(Scene(finish=_cached), DECLARED, timeout="10s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "request-limit",
        "nginx limits requests to 30 a minute",
        "The run stays within the portfolio's own limit and never gets its 503 page.",
    )
    .plays(Scene(finish=_limited), DECLARED, timeout="20s", stable_for="5s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "two-origins", "Watchtower and the service have different origins", "Only Watchtower's origin gets the token."
    )
    .plays(Scene(two_origins=True), DECLARED, base_url="{origin}")
    .ends("deployed", proof="version", result="updated"),
    story(
        "private-ca",
        "A certificate signed by a private authority",
        "Passing the authority's certificate as an input is enough.",
    )
    .plays(Scene(certificate="private"), DECLARED, ca_certificate="{ca}")
    .ends("deployed", proof="version", result="updated"),
    story(
        "verify-right",
        "Verify: the declared build is live",
        "The declared version is proven without a trigger or a token.",
    )
    .plays(Scene(before=replace(V2, boot=0.0)), VERIFY, expect_version=V2.git_sha)
    .ends("verified", proof="version", result="none", triggers=0),
    story(
        "two-instances",
        "Two instances are declared, and both run the new build",
        "With `instances: 2`, the address that names the build is requested seven times, each on a new connection.",
    )
    .plays(Scene(), DECLARED, timeout="20s", instances="2")
    .ends("deployed", proof="version", result="updated"),
    story(
        "next-js",
        "A Next.js front end goes live",
        "Its pages have `x-nextjs-cache: HIT` in every container, because they were rendered when the image was built.",
    )
    .plays(Scene(on_service=Adding(b"X-Powered-By: Next.js\r\nx-nextjs-cache: HIT")), _PAGE)
    .ends("deployed", proof="version", result="updated", outputs={"version": V2.git_sha}),
    story(
        "static-site",
        "A static site goes live behind a CDN",
        "The CDN keeps the old page; a request past the CDN shows that the server has the new build.",
    )
    .plays(Scene(finish=_cached), _PAGE)
    .ends("deployed", proof="version", result="updated", outputs={"version": V2.git_sha}),
)
