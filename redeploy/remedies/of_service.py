"""What to do where the service answers with another build than it should, is not healthy, or fails its checks."""

from collections.abc import Mapping

from redeploy.remedies import recipes
from redeploy.remedies.remedy import WATCHTOWER_LOG, Remedy
from redeploy.verdicts import Reason

OF_SERVICE: Mapping[Reason, Remedy] = {
    Reason.OLD_BUILD: Remedy(
        "The old build still answers",
        "Watchtower did not replace the container: the image under its tag is not the new one yet, the container is not "
        "watched, or the pull failed, which containrrr reports as success.",
        "Check that the push ended before this run and to the tag that the container runs, then on the server:\n\n"
        f"```sh\n{WATCHTOWER_LOG}\ndocker inspect --format '{{{{.Config.Image}}}} {{{{.Image}}}}' «container»\n```",
    ),
    Reason.WRONG_VERSION: Remedy(
        "Another version than the declared one is live",
        "Someone else pushed to the same tag, the image was built from another commit, or it was built without its "
        "version.",
        "Compare the version named above with `expect-version`; pass the commit when building "
        "(`build-args: GIT_SHA=${{ github.sha }}`) and let one deployment run at a time (`concurrency:`).",
    ),
    Reason.WRONG_DIGEST: Remedy(
        "Another image than the declared one runs",
        "Someone else pushed to the same tag, or the digest is that of one platform where the container was pulled by the "
        "index.",
        "Take the digest from the step that pushed: `expect-digest: ${{ steps.push.outputs.digest }}`, and name the image "
        "with `image`, so that its registry can tell an index from its platforms.",
    ),
    Reason.VERSION_UNAVAILABLE: Remedy(
        "The service does not name its version",
        "`expect-version` is declared, but no version was found where it was looked for.",
        "Say where it is, for example `version-path: /api/status` with `version-field: build.sha`, or "
        "`version-field: header:X-Version`. Look for yourself:\n\n```sh\ncurl -sSi '«version»'\n```",
    ),
    Reason.NEVER_READY: Remedy(
        "The service answers, but never became healthy",
        "The new build starts but does not get ready: a missing setting, a migration, a dependency that is down. Or the "
        "health path is not the right one.",
        "On the server, see what the service says, and ask the health path:\n\n```sh\n"
        "docker logs --tail 100 «container»\ncurl -sSi '«health»'\n```\n\nRaise `timeout` if it only needs longer.",
    ),
    Reason.FLAPPING: Remedy(
        "The new build does not stay up",
        "It answers, fails and answers again: most often the container crashes and is restarted over and over.",
        "On the server:\n\n```sh\ndocker ps --format '{{.Names}} {{.Status}}'\ndocker logs --tail 100 «container»\n```",
    ),
    Reason.DOWN: Remedy(
        "Nothing answers at the service's address",
        "The container is gone or does not start, or the proxy cannot reach it any more: one that resolved the container's "
        "address once keeps the old one.",
        "On the server, see whether the container runs and what it says:\n\n```sh\ndocker ps --all\n"
        "docker logs --tail 100 «container»\n```\n\nIf it is well, nginx asks the wrong place. "
        + recipes.service_in_both("/", exact=False),
    ),
    Reason.HTML: Remedy(
        "A web page answers where the health check should",
        "A single-page application, a placeholder or a maintenance page answers 200 to every path.",
        "Send the health path to the backend, or give the right one with `health-path`. If a page is what healthy looks "
        "like, say `health-expect: any`.",
    ),
    Reason.CACHED: Remedy(
        "Only cached answers came",
        "A cache in front answers for the service, even to requests with a fresh query, so nothing is known of what runs.",
        "Take the path out of the cache: a Cloudflare cache rule with Bypass, or `Cache-Control: no-store` from the "
        "service.",
    ),
    Reason.THROTTLED: Remedy(
        "The service's proxy refuses more requests",
        "Answers were 429, or nginx's own 503, until the end; others use up the same limit.",
        "Lower `request-rate` (`10/m`), or take the health path out of nginx's `limit_req`.",
    ),
    Reason.OPENAPI: Remedy(
        "Live, but without an OpenAPI document to check it by",
        "Something was asked that only the document can answer, and it could not be read. Behind nginx a single-page "
        "application answers `/openapi.json` unless a location sends it to the backend; some frameworks do not serve the "
        "document in production.",
        "Say where it is with `openapi-path` (a path or a whole URL), or send the path to the service. "
        + recipes.service_in_both("«document-path»")
        + "\n\nLook for yourself:\n\n```sh\ncurl -sS '«document»' | head -c 300\n```\n\n`openapi-path: off` turns these "
        "checks off.",
    ),
    Reason.ROUTES: Remedy(
        "Live, but its routes are not the ones that were asked for",
        "A router is not included in this build, a path or a method was renamed, or a route that must not be public is in "
        "the document.",
        "Compare the routes named above with the code of this version, and correct `required-routes` or "
        "`forbidden-routes` where the change was meant. What the service really offers:\n\n```sh\n"
        "curl -sS '«document»' |\n"
        "  jq -r '.paths | to_entries[] | .key as $path | .value | keys[] | \"\\(.) \\($path)\"'\n```",
    ),
    Reason.BREAKING_CHANGE: Remedy(
        "Live, but operations are gone that were there before",
        "A path or a method was removed or renamed, so clients that still call it get 404 or 405.",
        "Bring the operation back, or keep the old path beside the new one until its clients have moved. Where the removal "
        "was meant, update the reference file, or set `breaking-changes: warn` for this run.",
    ),
    Reason.SMOKE: Remedy(
        "Live, but smoke requests failed",
        "The status is not the one that was asked for, or the body is not what the OpenAPI document promises: most often a "
        "missing setting, table or dependency of this build. Or a cache answered in its place.",
        "Repeat the request that failed (`curl -sSi`, at `«service»`), and on the server see what the service says:\n\n"
        "```sh\ndocker logs --tail 100 «container»\n```\n\nWhere another status is right, write it behind the path: "
        "`GET /api/private 401`. Where only a cache answered, take the path out of it.",
    ),
}
