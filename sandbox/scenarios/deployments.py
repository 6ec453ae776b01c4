"""Stories in which the new build goes live, whatever stands in the way."""

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


def _told_to_slow_down(world: World) -> None:
    world.front.on_service = AtFirst(2, Instead(TOO_MANY))


SCENARIOS = (
    story(
        "happy-path",
        "A new build goes live",
        "With a URL, a token and the commit, the new build is proven live behind nicholas-fedor's Watchtower.",
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
        "An empty 200 is all that this line ever says, and the service itself proves the rest.",
    )
    .plays(Scene(variant="containrrr"), DECLARED)
    .ends("deployed", proof="version", result="accepted"),
    story(
        "happy-path-openserbia", "A new build goes live behind openserbia", "The third line's own JSON is understood."
    )
    .plays(Scene(variant="openserbia"), DECLARED)
    .ends("deployed", proof="version", result="updated"),
    story(
        "already-current",
        "What was asked for runs already",
        "The trigger is sent all the same, and an unchanged service is no failure where it is the right one.",
    )
    .plays(Scene(before=replace(V2, boot=0.0)), DECLARED)
    .ends("already-current", proof="version", result="nothing"),
    story("service-down-before", "The service was down before", "A baseline that fails is a fact, and no error.")
    .plays(Scene(before=Build("v1", boot=3600)), DECLARED)
    .ends("deployed", proof="version", result="updated", outputs={"previous-version": ""}),
    story(
        "slow-stop",
        "The old build takes its time to go",
        "It answers for seconds after the trigger, and is not taken for the end of the story.",
    )
    .plays(Scene(before=replace(V1, ignores_term=3.0)), DECLARED, timeout="10s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "slow-proxy",
        "nginx gives up, the update goes on",
        "A 504 says nothing about the update, and the service says the rest.",
    )
    .plays(
        Scene(before=replace(V1, ignores_term=2.0), on_watchtower=Instead(GATEWAY_TIMEOUT, after=1.0, forwarding=True)),
        DECLARED,
        timeout="8s",
    )
    .ends("deployed", proof="version", result="unknown"),
    story(
        "connection-cut",
        "The connection breaks, the update goes on",
        "A reset in the middle of the trigger is survived, and nothing is sent twice.",
    )
    .plays(Scene(on_watchtower=Cut()), DECLARED)
    .ends("deployed", proof="version", result="unknown"),
    story("cloudflare-524", "Cloudflare gives up, the update goes on", "A 524 is no outcome.")
    .plays(
        Scene(before=replace(V1, ignores_term=2.0), on_watchtower=Instead(cloudflare(524), after=1.0, forwarding=True)),
        DECLARED,
        timeout="8s",
    )
    .ends("deployed", proof="version", result="unknown"),
    story(
        "cloudflare-520",
        "Cloudflare does not understand the answer",
        "A 520 may hide an update that runs, so nothing is sent twice.",
    )
    .plays(Scene(on_watchtower=Instead(cloudflare(520), after=0.3, forwarding=True)), DECLARED)
    .ends("deployed", proof="version", result="unknown"),
    story(
        "slow-readiness",
        "The new build needs a while to be ready",
        "It names itself at once, and counts only from the moment it is ready.",
    )
    .plays(Scene(pushed=replace(V2, ready_after=1.5)), DECLARED, timeout="8s")
    .ends("deployed", proof="version", result="updated"),
    story("plain-text-health", "The health check answers `ok` as plain text", "Every 2xx that is not HTML is healthy.")
    .plays(Scene(before=replace(V1, readiness="text"), pushed=replace(V2, readiness="text")), DECLARED)
    .ends("deployed", proof="version", result="updated"),
    story(
        "told-to-slow-down", "The service answers 429 for a while", "A Retry-After is honoured, and a 429 is no sample."
    )
    .plays(Scene(finish=_told_to_slow_down), DECLARED, timeout="15s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "cached",
        "A cache answers for the service",
        "A cached answer is no sample; a query of its own gets past the cache.",
    )
    .plays(Scene(finish=_cached), DECLARED, timeout="10s")
    .ends("deployed", proof="version", result="updated"),
    story(
        "request-limit",
        "nginx limits requests to 30 a minute",
        "The watch stays within the portfolio's own limit and never meets its 503 page.",
    )
    .plays(Scene(finish=_limited), DECLARED, timeout="20s", stable_for="5s")
    .ends("deployed", proof="version", result="updated"),
    story("two-origins", "Watchtower and service on origins of their own", "The token goes to the first only.")
    .plays(Scene(two_origins=True), DECLARED, base_url="{origin}")
    .ends("deployed", proof="version", result="updated"),
    story("private-ca", "A certificate of a private authority", "The authority's certificate as an input is enough.")
    .plays(Scene(certificate="private"), DECLARED, ca_certificate="{ca}")
    .ends("deployed", proof="version", result="updated"),
    story("verify-right", "Verify: the right build runs", "No trigger, no token, and the declared version is proven.")
    .plays(Scene(before=replace(V2, boot=0.0)), VERIFY, expect_version=V2.git_sha)
    .ends("verified", proof="version", result="none", triggers=0),
    story(
        "two-instances",
        "Two instances are said to answer, and all are new",
        "`instances: 2` takes seven looks at the address that names the build, each on a connection of its own.",
    )
    .plays(Scene(), DECLARED, timeout="20s", instances="2")
    .ends("deployed", proof="version", result="updated"),
    story(
        "next-js",
        "A Next.js front end goes live",
        "Its pages carry `x-nextjs-cache: HIT` in every container, since they were rendered when the image was built.",
    )
    .plays(Scene(on_service=Adding(b"X-Powered-By: Next.js\r\nx-nextjs-cache: HIT")), _PAGE)
    .ends("deployed", proof="version", result="updated", outputs={"version": V2.git_sha}),
    story(
        "static-site",
        "A static site goes live behind a CDN",
        "The CDN keeps the old page; asked past it, the server names the new build.",
    )
    .plays(Scene(finish=_cached), _PAGE)
    .ends("deployed", proof="version", result="updated", outputs={"version": V2.git_sha}),
)
