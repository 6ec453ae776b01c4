"""Scenarios in which a server attacks the run, or behaves as if it did."""

from collections.abc import Callable

from sandbox.network.attacks import (
    deep_document,
    echo,
    echoed_names,
    endless_body,
    gzip_bomb,
    hostile_document,
    hostile_page,
    slow_body,
    slow_headers,
)
from sandbox.network.faults import Instead, On
from sandbox.network.front import Fault
from sandbox.scenarios.scenario import DECLARED, VERIFY, Scenario, story
from sandbox.worlds import Scene, World

_HEADERS = "CF-Access-Client-Id: 1f2e3d4c.access\nCF-Access-Client-Secret: {header-secret}"
_STATUS = frozenset({"/api/dev/status"})


def _echoed_refusal(world: World) -> None:
    world.front.on_watchtower = Instead(echo(401, world.token, f"Bearer {world.token}", world.header_secret))


def _echoed_names(world: World) -> None:
    world.front.on_service = On(_STATUS, Instead(echoed_names(world.token, world.header_secret)))


def _harmful(name: str, title: str, shows: str, fault: Callable[[], Fault]) -> Scenario:
    """A service that is never healthy, and must not cost time or memory."""

    def finish(world: World) -> None:
        world.front.on_service = fault()

    either = ("unhealthy", "down")
    return (
        story(name, title, shows)
        .plays(Scene(finish=finish), VERIFY, request_timeout="1s")
        .ends("unhealthy", "never-ready", or_else=(either,), result="none", triggers=0)
    )


SCENARIOS = (
    story(
        "hostile-text",
        "The response to the trigger tries to inject workflow commands",
        "Workflow commands, escape sequences and markup in a page, its headers and its reason phrase stay text.",
    )
    .plays(Scene(on_watchtower=Instead(hostile_page(404))), DECLARED)
    .ends("trigger-failed", "misrouted", result="none"),
    story(
        "hostile-version",
        "The build's name tries to inject workflow commands",
        "The same text arrives in a value that becomes an output.",
    )
    .plays(Scene(on_service=On(_STATUS, Instead(hostile_document()))), VERIFY)
    .ends("verified", result="none", triggers=0),
    story(
        "echoed-secrets",
        "A refusal contains the token in many encodings",
        "None of them reaches the log, summary, outputs or annotations.",
    )
    .plays(Scene(finish=_echoed_refusal), DECLARED, headers=_HEADERS)
    .ends("trigger-failed", "auth", result="none"),
    story("echoed-names", "The service uses the secrets as build names", "They do not become an output.")
    .plays(
        Scene(finish=_echoed_names),
        VERIFY,
        watchtower_url="{update}",
        watchtower_token="{token}",
        headers=_HEADERS,
    )
    .ends("verified", result="none", triggers=0),
    story(
        "deep-document",
        "JSON nested two hundred thousand levels deep",
        "The service is healthy, but its build names cannot be read.",
    )
    .plays(Scene(on_service=Instead(deep_document())), VERIFY, version_path="")
    .ends("verified", result="none", triggers=0),
    _harmful(
        "endless-body",
        "A response that never ends",
        "The body is cut off at a limit.",
        endless_body,
    ),
    _harmful(
        "slow-body",
        "A response that arrives byte by byte",
        "Each byte arrives in time, but the response as a whole has a time limit, too.",
        slow_body,
    ),
    _harmful(
        "slow-headers",
        "Headers that arrive byte by byte",
        "They have the same time limit as the body.",
        slow_headers,
    ),
    _harmful(
        "gzip-bomb",
        "A few kilobytes that unpack to 64 MiB",
        "The limit applies to the unpacked size.",
        gzip_bomb,
    ),
)
