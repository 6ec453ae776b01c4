"""What to do if another build than the expected one is live, the service is unhealthy, or its checks fail."""

from collections.abc import Mapping

from redeploy.remedies import recipes
from redeploy.remedies.remedy import WATCHTOWER_LOG, Remedy
from redeploy.verdicts import Reason

OF_SERVICE: Mapping[Reason, Remedy] = {
    Reason.OLD_BUILD: Remedy(
        "The old build is still live",
        "Watchtower did not replace the container: its tag does not point to the new image yet, Watchtower does not watch "
        "the container, or the pull failed (containrrr reports that as success).",
        "Check that the push finished before this run, and that it went to the tag that the container runs. Then on the "
        "server:\n\n"
        f"```sh\n{WATCHTOWER_LOG}\ndocker inspect --format '{{{{.Config.Image}}}} {{{{.Image}}}}' «container»\n```",
    ),
    Reason.BEHIND: Remedy(
        "Production is behind its branch",
        "A deploy of the branch failed, was never started, or put another build live, so commits that were pushed are not "
        "live. Or a deploy takes longer than `grace` allows.",
        "Look at the runs of the workflow that deploys, since the oldest commit that is missing, and start it again:\n\n"
        "```sh\ngh run list --limit 20\n```\n\nWhere production may lag behind for longer, raise `grace`; where it follows "
        "another branch, name that one: `expect-version: branch:release`.",
    ),
    Reason.NO_REFERENCE: Remedy(
        "There is nothing to compare the running build with",
        "GitHub did not report the head of the branch: the token may not read the repository, its rate limit is used up, or "
        "GitHub itself has a problem. The service is healthy, and nothing says that it is behind. Or, with `baseline`, "
        "the step before the deploy saw no build ([after any deployer]"
        "(https://github.com/leok974/redeploy-action/blob/main/docs/any-deployer.md)).",
        "Give the job the right to read the repository, besides what other steps need:\n\n"
        "```yaml\npermissions:\n  contents: read\n```\n\nIf it has that right already, run it again later; "
        "[githubstatus.com](https://www.githubstatus.com) shows the status of GitHub.",
    ),
    Reason.WRONG_VERSION: Remedy(
        "A version other than the expected one is live",
        "Another job pushed to the same tag, the image was built from another commit, or it was built without its "
        "version.",
        "Compare the version above with `expect-version`. Pass the commit when you build the image "
        "(`build-args: GIT_SHA=${{ github.sha }}`), and let one deployment run at a time (`concurrency:`).",
    ),
    Reason.WRONG_DIGEST: Remedy(
        "An image other than the expected one is running",
        "Another job pushed to the same tag. Or the expected digest is that of one platform, and the container was pulled "
        "by the digest of the index.",
        "Take the digest from the step that pushed: `expect-digest: ${{ steps.push.outputs.digest }}`. Name the image with "
        "`image` too: its registry then says which index a platform belongs to.",
    ),
    Reason.VERSION_UNAVAILABLE: Remedy(
        "The service does not report its version",
        "`expect-version` is set, but the response had no version at the expected place.",
        "Say where it is, for example `version-path: /api/status` with `version-field: build.sha`, or "
        "`version-field: header:X-Version`. Look for yourself:\n\n```sh\ncurl -sSi '«version»'\n```",
    ),
    Reason.NEVER_READY: Remedy(
        "The service responds, but did not become healthy",
        "The new build starts but does not become ready: a setting is missing, a migration runs, or a dependency is down. "
        "Or the health path is wrong.",
        "On the server, read the service's log and request the health path:\n\n```sh\n"
        "docker logs --tail 100 «container»\ncurl -sSi '«health»'\n```\n\nIf it only needs more time, raise `timeout`.",
    ),
    Reason.FLAPPING: Remedy(
        "The new build does not stay up",
        "It responds, fails and responds again. Most often the container crashes and is restarted over and over.",
        "On the server:\n\n```sh\ndocker ps --format '{{.Names}} {{.Status}}'\ndocker logs --tail 100 «container»\n```",
    ),
    Reason.DOWN: Remedy(
        "Nothing responds at the service's address",
        "The container is gone or does not start. Or the proxy cannot reach it any more: it looked up the container's "
        "address once, and keeps the old one.",
        "On the server, see whether the container runs, and read its log:\n\n```sh\ndocker ps --all\n"
        "docker logs --tail 100 «container»\n```\n\nIf it is healthy, nginx sends the requests to the wrong address. "
        + recipes.service_in_both("/", exact=False),
    ),
    Reason.HTML: Remedy(
        "A web page came back instead of the health check",
        "A single-page application, a placeholder or a maintenance page responds with 200 at every path.",
        "Route the health path to the backend, or set the right one with `health-path`. If the health check is meant to be "
        "a page, set `health-expect: any`.",
    ),
    Reason.CACHED: Remedy(
        "All responses came from a cache",
        "A cache in front of the service responds for it, even to requests with a new query. So the run could not see "
        "which build is live.",
        "Exclude the path from the cache: with a Cloudflare cache rule that says Bypass, or with `Cache-Control: no-store` "
        "from the service.",
    ),
    Reason.THROTTLED: Remedy(
        "The service's proxy limits the requests",
        "Every response until the end was 429, or nginx's own 503. Other clients use up the same limit. Or so many services "
        "share one address that `request-rate` left too few requests to watch this one.",
        "Lower `request-rate` (`10/m`), or exempt the health path from nginx's `limit_req`. Where `request-rate` itself is "
        "the limit, the message names one that would be enough.",
    ),
    Reason.OPENAPI: Remedy(
        "Live, but its OpenAPI document could not be read",
        "A check needs the document. Behind nginx a single-page application responds at `/openapi.json`, unless a location "
        "sends that path to the backend. Some frameworks do not serve the document in production.",
        "Say where it is with `openapi-path` (a path or a whole URL), or send the path to the service. "
        + recipes.service_in_both("«document-path»")
        + "\n\nLook for yourself:\n\n```sh\ncurl -sS '«document»' | head -c 300\n```\n\n`openapi-path: off` turns these "
        "checks off.",
    ),
    Reason.ROUTES: Remedy(
        "Live, but its routes are not as required",
        "This build does not include a router, a path or a method was renamed, or a route that must not be public is in "
        "the document.",
        "Compare the routes above with the code of this version. If the change was meant, correct `required-routes` or "
        "`forbidden-routes`. To list the routes that the service has:\n\n```sh\n"
        "curl -sS '«document»' |\n"
        "  jq -r '.paths | to_entries[] | .key as $path | .value | keys[] | \"\\(.) \\($path)\"'\n```",
    ),
    Reason.BREAKING_CHANGE: Remedy(
        "Live, but operations were removed",
        "A path or a method was removed or renamed. Clients that still call it get 404 or 405.",
        "Bring the operation back, or keep the old path beside the new one until its clients have moved. If the removal "
        "was meant, update the reference file, or set `breaking-changes: warn` for this run.",
    ),
    Reason.SMOKE: Remedy(
        "Live, but smoke requests failed",
        "The status is not the expected one, or the body does not match the OpenAPI document. Most often this build lacks a "
        "setting, a table or a dependency. Or the response came from a cache.",
        "Repeat the failed request (`curl -sSi`, at `«service»`), and on the server read the service's log:\n\n"
        "```sh\ndocker logs --tail 100 «container»\n```\n\nIf another status is right, write it after the path: "
        "`GET /api/private 401`. If a cache responded, exclude the path from the cache.",
    ),
    Reason.DOWNTIME: Remedy(
        "Live, but the service was down for longer than `max-downtime` allows",
        "Watchtower stops the old container before it starts the new one, so the service is gone for as long as the old "
        "one takes to stop and the new one to get ready: migrations, warming up, a shutdown that ignores SIGTERM.",
        "On the server, see where the time went:\n\n```sh\ndocker logs --timestamps --tail 100 «container»\n```\n\nMake the "
        "start shorter (migrations before the deploy, no downloads at the start), let the process end at SIGTERM, or put "
        "two containers behind the proxy. Where this is as fast as it gets, raise `max-downtime`.",
    ),
}
