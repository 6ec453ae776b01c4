"""What to do about each reason. `docs/troubleshooting.md` is rendered from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from redeploy.remedies import recipes
from redeploy.remedies.subject import Subject
from redeploy.verdicts import Reason

GUIDE = "https://github.com/leok974/redeploy-action/blob/main/docs/troubleshooting.md"


@dataclass(frozen=True)
class Remedy:
    """What a reason means and what mends it, in Markdown. `«host»` and the like leave open what a run has seen."""

    headline: str
    cause: str
    fix: str

    def about(self, subject: Subject) -> "Remedy":
        """Return it with what it speaks of."""
        return Remedy(*map(subject.filled, (self.headline, self.cause, self.fix)))


def guide(heading: StrEnum) -> str:
    """Return the address of the heading of a reason, or of a finding, in the troubleshooting guide."""
    return f"{GUIDE}#{heading}"


WATCHTOWERS = "docker ps -a --filter label=com.centurylinklabs.watchtower=true"
"""Lists Watchtower by the label that its images have, containrrr's and the fork's, whatever its container is called."""

WATCHTOWER_LOG = f"{WATCHTOWERS} -q | xargs -rn1 docker logs --tail 50"

_SEE_WATCHTOWERS_LOG = f"```sh\n{WATCHTOWER_LOG}\n```"

LOOPBACK = Remedy(
    "Nothing listens on this address, and it names the action's own container",
    "A container action has a network of its own: `localhost` and `127.0.0.1` are the container itself, not the "
    "runner and not a service started by an earlier step.",
    "Use the public address, or start the service under `services:` in the job and use its alias as host name.",
)
"""Takes the place of `unreachable` and `down` where the address is a loopback one."""


_THE_PATH = "exactly the path of the update URL (in these docs `/ops/watchtower/update`)"

REMEDIES: Mapping[Reason, Remedy] = {
    Reason.NOTHING_TO_DO: Remedy(
        "Watchtower found nothing to update",
        "The registry has no newer image under the tag that the container runs, or the push is not finished. Watchtower "
        "answers the same where the tag was deleted and where it only monitors.",
        "Run this after the job that pushes the image (`needs: publish`), and declare what must be live so that the run "
        "can be green for a reason:\n\n```yaml\nwith:\n  expect-version: ${{ github.sha }}\n```",
    ),
    Reason.NO_IDENTITY: Remedy(
        "The service is healthy, but nothing tells the new build from the old",
        "No build name, start time or running digest was seen both before and after the trigger.",
        "Let the service name its commit and declare it:\n\n```dockerfile\nARG GIT_SHA=local\nENV GIT_SHA=$GIT_SHA\n```\n\n"
        "```yaml\n# docker/build-push-action\nbuild-args: GIT_SHA=${{ github.sha }}\n# this action\n"
        "version-path: /api/status\nversion-field: git_sha\nexpect-version: ${{ github.sha }}\n```\n\nOr compare digests "
        "with `expect-digest`; it needs no change to the service, but nicholas-fedor/watchtower 1.18 or newer.",
    ),
    Reason.NO_CHANGE: Remedy(
        "The service is healthy, but names the same build as before",
        "Watchtower replaced nothing, replaced another container, or the image was built without its own version.",
        "Declare what must be live with `expect-version` or `expect-digest`. If every image names the same build, pass the "
        "commit when building: `build-args: GIT_SHA=${{ github.sha }}`.",
    ),
    Reason.WEAK_PROOF: Remedy(
        "The proof is weaker than the one that is required",
        "A weaker sign of the new build was found, but not the one that `require-proof` asks for. An image that was put "
        "back is only proven by the running digest, or by a version that the build before it does not have.",
        "Declare `expect-version` or `expect-digest`, or lower `require-proof`. For a rollback, let Watchtower tell running "
        "digests (`WATCHTOWER_HTTP_API_ENDPOINTS: update,containers,check`), or let the service name its commit.",
    ),
    Reason.IMAGE_MISSING: Remedy(
        "The image that should run is not in the registry",
        "The push has not finished or failed, or went to another tag or registry, or `image` is misspelled (without a tag "
        "it means `latest`). Or the tag points to another build by now. "
        "With `expect-version: image`, the registry may also refuse the look-up, or the image not name its commit.",
        "Run this after the job that pushes (`needs: publish`), with the tag that it pushes to and the digest that it "
        "returns; `timeout` is how long the image is waited for. Look for yourself:\n\n```sh\n"
        "docker buildx imagetools inspect «image»\n```",
    ),
    Reason.UNSUPPORTED: Remedy(
        "This Watchtower does not understand `container`",
        "Only nicholas-fedor/watchtower 1.20 and newer narrows an update to containers; any other would have updated "
        "everything, so nothing was triggered.",
        "Narrow by `image` instead, or run the maintained fork on the server:\n\n"
        + recipes.watchtower(f"image: {recipes.WATCHTOWER_IMAGE}"),
    ),
    Reason.DIGEST_UNAVAILABLE: Remedy(
        "Watchtower does not tell the running digest",
        "Its containers endpoint is not enabled, not routed, refuses the token, or lists no container that the digest "
        "could be compared with.",
        "Enable the endpoint (nicholas-fedor/watchtower 1.20 and newer; 1.18 and 1.19 take "
        '`WATCHTOWER_HTTP_API_CONTAINERS: "true"`):\n\n'
        + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_ENDPOINTS: update,containers,check,metrics")
        + "\n\nIn the `server` block of `«host»`, route it beside the update. "
        + recipes.endpoint_in_both("containers")
        + "\n\nName the container with `image` or `container` where several run.",
    ),
    Reason.ROLLBACK_IMPOSSIBLE: Remedy(
        "The image cannot be put back",
        "It is not known which image ran before, that image is no longer in the registry, or the registry does not let "
        "this job move the tag.",
        "Name an image that the registry still has with `rollback-to`, let the job write packages, and log in:\n\n"
        "```yaml\npermissions:\n  packages: write\n# ...\nwith:\n  image: «tagged»\n"
        "  rollback-to: sha256:...  # or a tag, such as sha-1a2b3c4\n  registry-username: ${{ github.actor }}\n"
        "  registry-password: ${{ github.token }}\n```",
    ),
    Reason.AUTH: Remedy(
        "Watchtower, or a proxy before it, refused the token",
        "The secret in GitHub and `WATCHTOWER_HTTP_API_TOKEN` on the server differ, Watchtower was not restarted since the "
        "token changed, or the proxy drops the `Authorization` header.",
        "Set both to the same new value. In the workflow's repository:\n\n```sh\nTOKEN=$(openssl rand -hex 32)\n"
        'printf %s "$TOKEN" | gh secret set WATCHTOWER_HTTP_API_TOKEN«env»\n'
        'echo "WATCHTOWER_HTTP_API_TOKEN=$TOKEN"  # the line for the server\n```«env-note»\n\n'
        "On the server, put that line into the file that Compose reads, and recreate Watchtower, with the options that "
        "you always give Compose (`restart` would keep the old token):\n\n```sh\n"
        "docker compose up -d --force-recreate watchtower\n```\n\nWhere nginx drops the header, its location needs "
        "`proxy_set_header Authorization $http_authorization;`.",
    ),
    Reason.MISROUTED: Remedy(
        "The update URL does not lead to Watchtower",
        "Something else answered: the backend's own 404, a single-page application's HTML, or a path that Watchtower does "
        "not serve. The location is missing in nginx, the tunnel sends this host elsewhere, or the path is misspelled.",
        f"In the `server` block of `«host»`, send {_THE_PATH} to Watchtower. "
        + recipes.endpoint_in_both("update")
        + "\n\nBehind a Cloudflare tunnel `«host»` must be routed to nginx, not straight to the backend.",
    ),
    Reason.METHOD: Remedy(
        "The update URL does not accept POST",
        "The location is missing, so that whoever serves the pages answered 405, or a proxy lets only GET through; "
        "Watchtower itself always accepts POST.",
        f"In the `server` block of `«host»`, have a location for {_THE_PATH} that lets POST through. "
        + recipes.endpoint_in_both("update"),
    ),
    Reason.BUSY: Remedy(
        "Another update is running",
        "Watchtower works on one update at a time, and the one under way did not end, or will not, before the deadline.",
        "Raise `timeout`, and let one deployment run at a time:\n\n```yaml\nconcurrency:\n  group: production\n"
        "  cancel-in-progress: false\n```",
    ),
    Reason.RATE_LIMITED: Remedy(
        "Watchtower, or a proxy before it, wants fewer requests",
        "The fork allows 60 requests a minute for each address, wrong tokens included; behind nginx all clients share one "
        "address unless it trusts the proxy.",
        "Wait a minute and run again; raise `WATCHTOWER_HTTP_API_RATE_LIMIT`, or set "
        "`WATCHTOWER_HTTP_API_TRUSTED_PROXIES` to nginx's address and `WATCHTOWER_HTTP_API_PROXY_HEADER` to `X-Real-IP`.",
    ),
    Reason.UNREACHABLE: Remedy(
        "Nothing answers at the update URL",
        "The host name does not resolve, nothing listens there, a firewall is in the way, or Cloudflare cannot reach the "
        "server.",
        "Check that `«host»` is the host name that you mean, and on the server that nginx and the tunnel run:\n\n```sh\n"
        "docker ps --all\n"
        "curl -sS -o /dev/null -w '%{http_code}\\n' -X POST http://127.0.0.1:8083/v1/update  # 401 is right\n```",
    ),
    Reason.TLS: Remedy(
        "The TLS connection could not be trusted",
        "The certificate has expired, is for another host name, or is signed by an authority that is not among the "
        "trusted ones. Cloudflare says 525 or 526 where the server behind it has such a certificate.",
        "Renew the certificate. For a private authority pass its certificate:\n\n```yaml\nwith:\n"
        "  ca-certificate: ${{ vars.CA_PEM }}\n```",
    ),
    Reason.REDIRECT: Remedy(
        "The URL redirects elsewhere",
        "The address is an old one, lacks `https://` or a slash, or belongs to a login page. Credentials are never "
        "carried to another place, so the redirect was not followed.",
        "Give the final address. Where `«host»` leads to:\n\n```sh\n"
        "curl -sS -o /dev/null -w '%{redirect_url}\\n' «asked»\n```",
    ),
    Reason.ACCESS_WALL: Remedy(
        "Cloudflare Access asks for a login",
        "`«host»` is protected by Access, and the request carried no service token, or one that no policy admits.",
        "Create a service token, add a policy with the action Service Auth for it, and pass it:\n\n```yaml\nwith:\n"
        "  headers: |\n    CF-Access-Client-Id: ${{ secrets.CF_ACCESS_CLIENT_ID }}\n"
        "    CF-Access-Client-Secret: ${{ secrets.CF_ACCESS_CLIENT_SECRET }}\n```",
    ),
    Reason.CHALLENGE: Remedy(
        "Cloudflare takes the runner for a bot",
        "A challenge page answered instead of the server; runners share addresses with all kinds of traffic.",
        "In Cloudflare's dashboard, Security > Events names the service that challenged `«host»`. If it is Bot Fight Mode "
        "(free plans), no WAF rule skips it and it has no exceptions for paths: turn it off under Security > Settings > "
        "Bot traffic. If it is Super Bot Fight Mode, a managed rule or a rule of your own, add a WAF custom rule with the "
        "action Skip for this path, or for requests that carry a secret header, which you pass through `headers`.",
    ),
    Reason.UPDATE_FAILED: Remedy(
        "Watchtower says that the update failed",
        "The new image could not be started, or was unhealthy and was taken back. The old container may be gone: "
        "Watchtower removes it before it creates the new one, and lists only what runs.",
        f"On the server, see why:\n\n```sh\n{WATCHTOWER_LOG}\ndocker ps --all\n```\n\n"
        "If the service is down, bring it back once its tag points at an image that starts (`your-service` is its name in "
        "the compose file):\n\n```sh\n"
        "docker compose pull your-service\ndocker compose up -d --force-recreate your-service\n```",
    ),
    Reason.UPDATE_BLOCKED: Remedy(
        "Watchtower skipped the container",
        "It could not ask the registry (no answer, wrong or missing credentials, a rate limit), the image is younger than "
        "the cooldown, or the container is left out.",
        f"On the server, Watchtower's log names the cause:\n\n{_SEE_WATCHTOWERS_LOG}\n\nFor a private image, mount the "
        "credentials that `docker login` wrote there:\n\n"
        + recipes.watchtower(
            "environment:", "  DOCKER_CONFIG: /registry", "volumes:", "  - /root/.docker:/registry:ro"
        ),
    ),
    Reason.NOTHING_SCANNED: Remedy(
        "Watchtower looked at no container",
        "No running container matches: the label is missing, `image` or `container` names something else, the container "
        "does not run, or Watchtower cannot reach the Docker engine, which it reports in the same words.",
        "Check the label and what runs (`your-service` is the service's name in the compose file):\n\n"
        '```yaml\nservices:\n  your-service:\n    labels:\n      com.centurylinklabs.watchtower.enable: "true"\n```\n\n'
        f"```sh\ndocker ps --filter label=com.centurylinklabs.watchtower.enable=true\n{WATCHTOWER_LOG}\n```",
    ),
    Reason.NO_ANSWER: Remedy(
        "Watchtower's answer was lost, and nothing changed",
        "The connection was cut, or a proxy gave up. With an unreachable Docker engine containrrr closes the connection "
        "without a word; a proxy that waits 60 s gives up on a slow pull.",
        f"On the server, see what Watchtower says:\n\n{_SEE_WATCHTOWERS_LOG}\n\nAnd let nginx wait in the location of the "
        "update URL: `proxy_read_timeout 31m;`.",
    ),
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
"""What to do, for each reason but the empty one."""
