"""Scenarios about operations: required and forbidden routes, and what changed since the build before."""

from dataclasses import replace

from sandbox.scenarios.contracts.shared import REFERENCE_YAML, WITHOUT_PROJECTS
from sandbox.scenarios.scenario import DECLARED, QUICK, story
from sandbox.server.builds import V1, V2
from sandbox.worlds import Scene

_REFERENCE_JSON = """\
{
  "openapi": "3.0.3",
  "info": {"title": "portfolio", "version": "0.1.0"},
  "paths": {
    "/api/items/{id}": {
      "get": {"responses": {"200": {"description": "One item"}}},
      "delete": {
        "responses": {"204": {"description": "It is gone"}}
      }
    }
  }
}
"""

_ROUTES = (
    story(
        "missing-route",
        "The new build lost a route",
        "The build is live and healthy, and the run fails: a required route is missing, and the nearest route is named.",
    )
    .plays(
        Scene(pushed=replace(V2, lost=("POST /api/cache/purge",), operations=("GET /api/cache/purge",))),
        DECLARED,
        required_routes="GET /api/ready\nPOST /api/cache/purge\n/api/items/{id}",
    )
    .is_checked(
        "checks-failed",
        "routes",
        failed=("required-route POST /api/cache/purge",),
        says=("`POST /api/cache/purge` is missing; the document has `GET /api/cache/purge`",),
    ),
    story(
        "forbidden-route",
        "The new build exposes a forbidden route",
        "A debug route that slipped in is found by its pattern.",
    )
    .plays(
        Scene(pushed=replace(V2, operations=("GET /internal/debug/vars",))),
        DECLARED,
        required_routes="GET /api/*/status",
        forbidden_routes="/internal/**  # never public",
    )
    .is_checked(
        "checks-failed", "routes", failed=("forbidden-route /internal/**",), says=("`GET /internal/debug/vars`",)
    ),
    story(
        "routes-there",
        "All required routes exist",
        "They match by wildcard, by any method, and with another name for a parameter.",
    )
    .plays(
        Scene(),
        DECLARED,
        required_routes="GET /api/search\n/api/items/{id}\nPOST /api/cache/**\nGET /api/*/status",
        forbidden_routes="/internal/**\nDELETE /api/**",
    )
    .is_checked("deployed", unremarked=True, outputs={"added-routes": '["GET /api/search"]', "removed-routes": "[]"}),
)

_CHANGES = (
    story(
        "route-removed",
        "An operation was removed, and the run warns",
        "By default, the document that was live before the trigger is the reference.",
    )
    .plays(Scene(pushed=WITHOUT_PROJECTS), DECLARED)
    .is_checked(
        "deployed",
        says=("`GET /api/projects`",),
        outputs={"removed-routes": '["GET /api/projects"]', "added-routes": '["GET /api/search"]'},
    ),
    story("breaking-change", "An operation was removed, and the run fails", "`breaking-changes: fail` fails the run.")
    .plays(Scene(pushed=WITHOUT_PROJECTS), DECLARED, breaking_changes="fail")
    .is_checked(
        "checks-failed",
        "breaking-change",
        failed=("removed-route GET /api/projects",),
        outputs={"removed-routes": '["GET /api/projects"]'},
    ),
    story("route-removed-ignored", "An operation was removed, and the run ignores it", "The output still lists it.")
    .plays(Scene(pushed=WITHOUT_PROJECTS), DECLARED, breaking_changes="ignore")
    .is_checked("deployed", unremarked=True, outputs={"removed-routes": '["GET /api/projects"]'}),
    story(
        "method-changed",
        "An operation changed its method",
        "The same path with another method breaks clients too.",
    )
    .plays(
        Scene(pushed=replace(WITHOUT_PROJECTS, operations=("POST /api/projects",))), DECLARED, breaking_changes="fail"
    )
    .is_checked(
        "checks-failed",
        "breaking-change",
        failed=("removed-route GET /api/projects",),
        outputs={"removed-routes": '["GET /api/projects"]', "added-routes": '["POST /api/projects"]'},
    ),
    story(
        "reference-yaml",
        "A YAML file in the workspace has operations that the service lacks",
        "The annotation points to the line of the removed operation.",
    )
    .plays(Scene(pushed=WITHOUT_PROJECTS), DECLARED, breaking_changes="fail", openapi_reference="api/openapi.yaml")
    .is_checked(
        "checks-failed",
        "breaking-change",
        failed=("removed-route GET /api/projects", "removed-route POST /api/projects"),
        files={"api/openapi.yaml": REFERENCE_YAML},
        places=(("api/openapi.yaml", 9), ("api/openapi.yaml", 11)),
    ),
    story(
        "reference-json",
        "A JSON file in the workspace has operations that the service lacks",
        "With `warn`, the run succeeds and the line is annotated.",
    )
    .plays(Scene(), DECLARED, openapi_reference="openapi.json")
    .is_checked(
        "deployed",
        says=("`DELETE /api/items/{id}`",),
        outputs={"removed-routes": '["DELETE /api/items/{id}"]'},
        files={"openapi.json": _REFERENCE_JSON},
        places=(("openapi.json", 7),),
    ),
    story(
        "change-by-contract",
        "Nothing is declared, and only the contract shows the change",
        "A service that does not name its build serves another document after the trigger.",
    )
    .plays(Scene(before=replace(V1, identity="hidden"), pushed=replace(V2, identity="hidden")), QUICK)
    .ends("deployed", proof="change", result="updated", outputs={"added-routes": '["GET /api/search"]'}),
)

SCENARIOS = (*_ROUTES, *_CHANGES)
