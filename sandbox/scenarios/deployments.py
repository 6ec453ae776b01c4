"""Stories in which the new build goes live, whatever stands in the way."""

from dataclasses import replace

from sandbox.network.faults import GATEWAY_TIMEOUT, TOO_MANY, AtFirst, Cache, Cut, Instead, Limit, cloudflare
from sandbox.scenarios.scenario import DECLARED, VERIFY, Scenario
from sandbox.server.builds import V1, V2, Build
from sandbox.worlds import Scene, World


def _cached(world: World) -> None:
    world.front.on_service = Cache(honours_query=True)


def _limited(world: World) -> None:
    world.front.on_service = Limit()


def _told_to_slow_down(world: World) -> None:
    world.front.on_service = AtFirst(2, Instead(TOO_MANY))


SCENARIOS = (
    Scenario(
        "happy-path",
        "A new build goes live",
        "With a URL, a token and the commit, the new build is proven live behind nicholas-fedor's Watchtower.",
        Scene(details=True),
        {
            "watchtower-url": "{update}",
            "watchtower-token": "{token}",
            "version-path": "/api/dev/status",
            "expect-version": V2.git_sha,
        },
        "deployed",
        proof="version",
        result="updated",
        outputs={"version": V2.git_sha, "previous-version": V1.git_sha, "digest": V2.digest},
    ),
    Scenario(
        "happy-path-containrrr",
        "A new build goes live behind containrrr",
        "An empty 200 is all that this line ever says, and the service itself proves the rest.",
        Scene(variant="containrrr"),
        DECLARED,
        "deployed",
        proof="version",
        result="accepted",
    ),
    Scenario(
        "happy-path-openserbia",
        "A new build goes live behind openserbia",
        "The third line's own JSON is understood.",
        Scene(variant="openserbia"),
        DECLARED,
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "already-current",
        "What was asked for runs already",
        "The trigger is sent all the same, and an unchanged service is no failure where it is the right one.",
        Scene(before=replace(V2, boot=0.0)),
        DECLARED,
        "already-current",
        proof="version",
        result="nothing",
    ),
    Scenario(
        "service-down-before",
        "The service was down before",
        "A baseline that fails is a fact, and no error.",
        Scene(before=Build("v1", boot=3600)),
        DECLARED,
        "deployed",
        proof="version",
        result="updated",
        outputs={"previous-version": ""},
    ),
    Scenario(
        "slow-stop",
        "The old build takes its time to go",
        "It answers for seconds after the trigger, and is not taken for the end of the story.",
        Scene(before=replace(V1, ignores_term=3.0)),
        {**DECLARED, "timeout": "10s"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "slow-proxy",
        "nginx gives up, the update goes on",
        "A 504 says nothing about the update, and the service says the rest.",
        Scene(before=replace(V1, ignores_term=2.0), on_watchtower=Instead(GATEWAY_TIMEOUT, after=1.0, forwarding=True)),
        {**DECLARED, "timeout": "8s"},
        "deployed",
        proof="version",
        result="unknown",
    ),
    Scenario(
        "connection-cut",
        "The connection breaks, the update goes on",
        "A reset in the middle of the trigger is survived, and nothing is sent twice.",
        Scene(on_watchtower=Cut()),
        DECLARED,
        "deployed",
        proof="version",
        result="unknown",
    ),
    Scenario(
        "cloudflare-524",
        "Cloudflare gives up, the update goes on",
        "A 524 is no outcome.",
        Scene(before=replace(V1, ignores_term=2.0), on_watchtower=Instead(cloudflare(524), after=1.0, forwarding=True)),
        {**DECLARED, "timeout": "8s"},
        "deployed",
        proof="version",
        result="unknown",
    ),
    Scenario(
        "cloudflare-520",
        "Cloudflare does not understand the answer",
        "A 520 may hide an update that runs, so nothing is sent twice.",
        Scene(on_watchtower=Instead(cloudflare(520), after=0.3, forwarding=True)),
        DECLARED,
        "deployed",
        proof="version",
        result="unknown",
    ),
    Scenario(
        "slow-readiness",
        "The new build needs a while to be ready",
        "It names itself at once, and counts only from the moment it is ready.",
        Scene(pushed=replace(V2, ready_after=1.5)),
        {**DECLARED, "timeout": "8s"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "plain-text-health",
        "The health check answers `ok` as plain text",
        "Every 2xx that is not HTML is healthy.",
        Scene(before=replace(V1, readiness="text"), pushed=replace(V2, readiness="text")),
        DECLARED,
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "told-to-slow-down",
        "The service answers 429 for a while",
        "A Retry-After is honoured, and a 429 is no sample.",
        Scene(finish=_told_to_slow_down),
        {**DECLARED, "timeout": "15s"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "cached",
        "A cache answers for the service",
        "A cached answer is no sample; a query of its own gets past the cache.",
        Scene(finish=_cached),
        {**DECLARED, "timeout": "10s"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "request-limit",
        "nginx limits requests to 30 a minute",
        "The watch stays within the portfolio's own limit and never meets its 503 page.",
        Scene(finish=_limited),
        {**DECLARED, "timeout": "20s", "stable-for": "5s"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "two-origins",
        "Watchtower and service on origins of their own",
        "The token goes to the first only.",
        Scene(two_origins=True),
        {**DECLARED, "base-url": "{origin}"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "private-ca",
        "A certificate of a private authority",
        "The authority's certificate as an input is enough.",
        Scene(certificate="private"),
        {**DECLARED, "ca-certificate": "{ca}"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "verify-right",
        "Verify: the right build runs",
        "No trigger, no token, and the declared version is proven.",
        Scene(before=replace(V2, boot=0.0)),
        {**VERIFY, "expect-version": V2.git_sha},
        "verified",
        proof="version",
        result="none",
        triggers=0,
    ),
)
