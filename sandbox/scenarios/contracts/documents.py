"""Scenarios about the OpenAPI document itself: missing, broken, unusual, of an earlier version."""

from dataclasses import replace

from sandbox.network.faults import Instead, On
from sandbox.network.front import Exchange, passing
from sandbox.scenarios.contracts.shared import BRISK, STALE_COPY, WITHOUT_PROJECTS
from sandbox.scenarios.scenario import DECLARED, Scenario, story
from sandbox.server.builds import V1, V2, Document
from sandbox.worlds import Scene, World


def _cached_document(world: World) -> None:
    def cached(exchange: Exchange) -> bool:
        return (passing if "?" in exchange.request.target else Instead(STALE_COPY))(exchange)

    world.front.on_service = On(frozenset({"/openapi.json"}), cached)


def _unread(document: Document, title: str, shows: str, says: str) -> Scenario:
    """A new build whose document cannot be read although routes are required."""
    return (
        story(f"openapi-{document}", title, shows)
        .plays(Scene(pushed=replace(V2, document=document)), DECLARED, required_routes="GET /api/ready")
        .is_checked("checks-failed", "openapi", failed=("openapi",), says=(says,))
    )


def _older(document: Document, title: str) -> tuple[Scenario, ...]:
    """A document of an earlier version, whose paths follow its prefix, with responses that match it and that do not."""
    before = replace(V1, document=document)
    inputs = {
        **BRISK,
        "required-routes": "GET /api/items/{item_id}\nGET /ready",
        "smoke": "GET /api/items/7\nGET /api/projects",
    }
    return (
        story(
            f"openapi-{document}",
            f"A document of {title}",
            "Routes are found with and without its prefix, and responses match its schemas.",
        )
        .plays(Scene(before=before, pushed=replace(V2, document=document)), {**DECLARED, **inputs})
        .is_checked("deployed", unremarked=True),
        story(
            f"openapi-{document}-broken",
            f"Responses that do not match a document of {title}",
            "Its schemas are found behind the prefix.",
        )
        .plays(
            Scene(before=before, pushed=replace(V2, document=document, unkept=("/api/items/{item_id}",))),
            {**DECLARED, **inputs},
        )
        .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    )


SCENARIOS = (
    _unread(
        "html",
        "A web page where the OpenAPI document should be",
        "A single-page application responds 200 to every path; that is not a document.",
        "a web page came",
    ),
    _unread(
        "none",
        "The OpenAPI document is gone",
        "With routes required, a 404 is a failed check.",
        "404",
    ),
    _unread(
        "other",
        "JSON that is not an OpenAPI document",
        "The JSON at the document's address does not name a version of OpenAPI.",
        "it is not an OpenAPI document",
    ),
    _unread(
        "truncated",
        "The OpenAPI document is cut off",
        "Half a document is distinguished from an invalid one.",
        "it is cut off",
    ),
    _unread(
        "deep",
        "An OpenAPI document nested two hundred thousand levels deep",
        "It is rejected in one sentence.",
        "nested too deeply",
    ),
    _unread(
        "huge",
        "An OpenAPI document beyond the cap",
        "It is read up to 16 MiB and no further.",
        "larger than 16 MiB",
    ),
    story(
        "openapi-gone-unasked",
        "The OpenAPI document is gone, and no route is required",
        "Every operation of the old document counts as removed: a warning, which is the default.",
    )
    .plays(Scene(pushed=replace(V2, document="none")), DECLARED)
    .is_checked("deployed", says=("The OpenAPI document that was live before the trigger is gone",)),
    story(
        "openapi-gone-strict",
        "The OpenAPI document is gone, and breaking changes fail",
        "Each operation of the old document is a failed check.",
    )
    .plays(Scene(pushed=replace(V2, document="none")), DECLARED, breaking_changes="fail")
    .is_checked("checks-failed", "breaking-change", failed=None, says=("is gone, as the document is",)),
    story(
        "openapi-yaml",
        "The new build sends its document as YAML",
        "It is read like JSON: routes are found, and a response is validated against its schema.",
    )
    .plays(
        Scene(pushed=replace(V2, document="yaml", unkept=("/api/items/{item_id}",))),
        {**DECLARED, **BRISK, "required-routes": "GET /api/search", "smoke": "GET /api/items/7"},
    )
    .is_checked(
        "checks-failed", "smoke", failed=("smoke GET /api/items/7",), says=("`$.id` is a string, not integer",)
    ),
    story(
        "openapi-odd",
        "The OpenAPI document has oddities that no check needs",
        "Null operations, null servers, a numeric version and a path without a slash are skipped and noted.",
    )
    .plays(
        Scene(pushed=replace(V2, document="odd")),
        DECLARED,
        required_routes="GET /api/ready",
        forbidden_routes="/internal/**",
    )
    .is_checked(
        "deployed",
        unremarked=True,
        shown=("`pets` does not begin with a slash", "`POST /api/ready` is null", "only in part"),
    ),
    story(
        "openapi-cached-before",
        "A cache serves the document before the trigger",
        "The document is requested past the cache, so the removed operation is found.",
    )
    .plays(Scene(pushed=WITHOUT_PROJECTS, finish=_cached_document), DECLARED, breaking_changes="fail")
    .is_checked("checks-failed", "breaking-change", failed=("removed-route GET /api/projects",)),
    *_older("2.0", "OpenAPI 2.0"),
    *_older("3.0", "OpenAPI 3.0"),
)
