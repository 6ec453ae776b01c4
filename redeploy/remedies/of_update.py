"""What to do if the update was not triggered, did not happen, or cannot be proven."""

from collections.abc import Mapping

from redeploy.remedies import recipes
from redeploy.remedies.remedy import ONE_AT_A_TIME, WATCHTOWER_LOG, Remedy
from redeploy.verdicts import Reason

_SEE_WATCHTOWERS_LOG = f"```sh\n{WATCHTOWER_LOG}\n```"

OF_UPDATE: Mapping[Reason, Remedy] = {
    Reason.NOTHING_TO_DO: Remedy(
        "Watchtower found nothing to update",
        "The registry has no newer image under the tag that the container runs, or the push is not finished. Watchtower "
        "also responds like this if the tag was deleted, or if it only monitors.",
        "Run this after the job that pushes the image (`needs: publish`), and declare the expected version, so that green "
        "means something:\n\n```yaml\nwith:\n  expect-version: ${{ github.sha }}\n```",
    ),
    Reason.NO_IDENTITY: Remedy(
        "The service is healthy, but nothing distinguishes the new build from the old one",
        "No build name, start time or running digest was seen both before and after the trigger.",
        "Let the service report its commit, and declare it:\n\n"
        "```dockerfile\nARG GIT_SHA=local\nENV GIT_SHA=$GIT_SHA\n```\n\n"
        "```yaml\n# docker/build-push-action\nbuild-args: GIT_SHA=${{ github.sha }}\n# this action\n"
        "version-path: /api/status\nversion-field: git_sha\nexpect-version: ${{ github.sha }}\n```\n\nOr compare digests "
        "with `expect-digest`. The service stays as it is, but you need nicholas-fedor/watchtower 1.18 or newer.",
    ),
    Reason.NO_CHANGE: Remedy(
        "The service is healthy, but reports the same build as before",
        "Watchtower replaced nothing, replaced another container, or the image was built without its own version.",
        "Declare what must be live with `expect-version` or `expect-digest`. If every image reports the same build, pass "
        "the commit when you build it: `build-args: GIT_SHA=${{ github.sha }}`.",
    ),
    Reason.WEAK_PROOF: Remedy(
        "The proof is weaker than `require-proof` asks for",
        "A weaker sign of the new build was found, but not the required one. Only the running digest proves that an image "
        "was put back, or a version that the failed build does not have.",
        "Declare `expect-version` or `expect-digest`, or lower `require-proof`. For a rollback, let Watchtower report "
        "running digests (`WATCHTOWER_HTTP_API_ENDPOINTS: update,containers,check,metrics`), or let the service report its "
        "commit.",
    ),
    Reason.IMAGE_MISSING: Remedy(
        "The expected image is not in the registry",
        "The push has not finished, failed, or went to another tag or registry. Or `image` is misspelled (without a tag, "
        "the container's tag counts, or `latest`), or the tag points to another build by now. "
        "With `expect-version: image`, the registry may also refuse the look-up, or the image may not name its commit.",
        "Run this after the job that pushes (`needs: publish`), with the tag that it pushes to and the digest that it "
        "returns. The run waits for the image for `timeout`. Look for yourself:\n\n```sh\n"
        "docker buildx imagetools inspect «image»\n```",
    ),
    Reason.UNSUPPORTED: Remedy(
        "This Watchtower does not support `container`",
        "Only nicholas-fedor/watchtower 1.20 and newer can limit an update to containers. Any other would have updated "
        "everything, so nothing was triggered.",
        "Limit the update by `image` instead, or run the maintained fork on the server:\n\n"
        + recipes.watchtower(f"image: {recipes.WATCHTOWER_IMAGE}"),
    ),
    Reason.DIGEST_UNAVAILABLE: Remedy(
        "Watchtower does not report the running digest",
        "Its containers endpoint is not enabled, is not routed or refuses the token. Or it lists no container to compare "
        "the digest with.",
        "Enable the endpoint (nicholas-fedor/watchtower 1.20 and newer; 1.18 and 1.19 take "
        '`WATCHTOWER_HTTP_API_CONTAINERS: "true"`):\n\n'
        + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_ENDPOINTS: update,containers,check,metrics")
        + "\n\nIn the `server` block of `«host»`, route it next to the update. "
        + recipes.endpoint_in_both("containers")
        + "\n\nIf several containers run, name yours with `image` or `container`.",
    ),
    Reason.ROLLBACK_IMPOSSIBLE: Remedy(
        "The image cannot be put back",
        "It is not known which image ran before, the registry no longer has that image, or the registry does not let "
        "this job move the tag.",
        "Name an image that the registry still has with `rollback-to`, let the job write packages, and log in:\n\n"
        "```yaml\npermissions:\n  packages: write\n# ...\nwith:\n  image: «tagged»\n"
        "  rollback-to: sha256:...  # or a tag, such as sha-1a2b3c4\n  registry-username: ${{ github.actor }}\n"
        "  registry-password: ${{ github.token }}\n```",
    ),
    Reason.EARLIER_WAVE: Remedy(
        "An earlier wave is not green",
        "A wave begins only once every service of the one before it is green, and one of them is not.",
        "Fix what the services of the earlier wave report, and run it again. Hosts that may be updated regardless of "
        "the others belong in the same wave: list them together under `waves`.",
    ),
    Reason.AUTH: Remedy(
        "Watchtower, or a proxy in front of it, refused the token",
        "The secret in GitHub and `WATCHTOWER_HTTP_API_TOKEN` on the server differ, Watchtower was not recreated after the "
        "token changed, or the proxy drops the `Authorization` header.",
        "Set both to the same new value. In the workflow's repository:\n\n```sh\nTOKEN=$(openssl rand -hex 32)\n"
        'printf %s "$TOKEN" | gh secret set WATCHTOWER_HTTP_API_TOKEN«env»\n'
        'echo "WATCHTOWER_HTTP_API_TOKEN=$TOKEN"  # the line for the server\n```«env-note»\n\n'
        "On the server, put that line into the file that Compose reads, and recreate Watchtower with the options that "
        "you always give Compose (`restart` would keep the old token):\n\n```sh\n"
        "docker compose up -d --force-recreate watchtower\n```\n\nIf nginx drops the header, its location needs "
        "`proxy_set_header Authorization $http_authorization;`.",
    ),
    Reason.MISROUTED: Remedy(
        "The update URL does not lead to Watchtower",
        "Something else responded: the backend with a 404, a single-page application with HTML, or Watchtower at a path "
        "that it does not serve. The location is missing in nginx, the tunnel sends this host elsewhere, or the path is "
        "misspelled.",
        "In the `server` block of `«host»`, send exactly the path of the update URL to Watchtower. "
        + recipes.endpoint_in_both("update")
        + "\n\nA Cloudflare tunnel must route `«host»` to nginx, not straight to the backend.",
    ),
    Reason.METHOD: Remedy(
        "The update URL does not accept POST",
        "Watchtower itself always accepts POST. The location is missing, so the web server for your pages responded with "
        "405, or a proxy lets only GET through.",
        "In the `server` block of `«host»`, add a location for exactly the path of the update URL that lets POST through. "
        + recipes.endpoint_in_both("update"),
    ),
    Reason.BUSY: Remedy(
        "Another update is running",
        "Watchtower runs one update at a time, and the one under way did not end, or will not end, before the deadline.",
        f"Raise `timeout`, and {ONE_AT_A_TIME}",
    ),
    Reason.RATE_LIMITED: Remedy(
        "Watchtower, or a proxy in front of it, limits the requests",
        "The fork allows 60 requests a minute for each address, wrong tokens included. Behind nginx all clients share one "
        "address, unless Watchtower trusts the proxy.",
        "Wait a minute and run again. Then raise `WATCHTOWER_HTTP_API_RATE_LIMIT`, or set "
        "`WATCHTOWER_HTTP_API_TRUSTED_PROXIES` to nginx's address and `WATCHTOWER_HTTP_API_PROXY_HEADER` to `X-Real-IP`.",
    ),
    Reason.UNREACHABLE: Remedy(
        "Nothing responds at the update URL",
        "The host name does not resolve, nothing listens there, a firewall is in the way, or Cloudflare cannot reach the "
        "server.",
        "Check that `«host»` is the right host name. On the server, check that nginx and the tunnel run:\n\n```sh\n"
        "docker ps --all\n"
        "curl -sS -o /dev/null -w '%{http_code}\\n' -X POST http://127.0.0.1:8083/v1/update  # 401 is right\n```",
    ),
    Reason.TLS: Remedy(
        "The TLS certificate is not trusted",
        "The certificate has expired, is for another host name, or is signed by an authority that is not trusted. "
        "Cloudflare responds with 525 or 526 if the server behind it has such a certificate.",
        "Renew the certificate. For a private authority, pass its certificate:\n\n```yaml\nwith:\n"
        "  ca-certificate: ${{ vars.CA_PEM }}\n```",
    ),
    Reason.REDIRECT: Remedy(
        "The URL redirects elsewhere",
        "The address is an old one, lacks `https://` or a slash, or belongs to a login page. The redirect was not "
        "followed, because credentials are never sent to another address.",
        "Use the final address. To see where `«host»` redirects:\n\n```sh\n"
        "curl -sS -o /dev/null -w '%{redirect_url}\\n' «asked»\n```",
    ),
    Reason.ACCESS_WALL: Remedy(
        "Cloudflare Access asks for a login",
        "Access protects `«host»`, and the request had no service token, or one that no policy allows.",
        "Create a service token, add a policy with the action Service Auth for it, and pass the token:\n\n```yaml\nwith:\n"
        "  headers: |\n    CF-Access-Client-Id: ${{ secrets.CF_ACCESS_CLIENT_ID }}\n"
        "    CF-Access-Client-Secret: ${{ secrets.CF_ACCESS_CLIENT_SECRET }}\n```",
    ),
    Reason.CHALLENGE: Remedy(
        "Cloudflare takes the runner for a bot",
        "A challenge page came back instead of the server's response. Runners share their addresses with all kinds of "
        "traffic.",
        "In Cloudflare's dashboard, Security > Events names the service that challenged `«host»`. If it is Bot Fight Mode "
        "(free plans), turn it off under Security > Settings > Bot traffic: no WAF rule skips it, and it has no exceptions "
        "for paths. If it is Super Bot Fight Mode, a managed rule or your own rule, add a WAF custom rule with the action "
        "Skip for this path, or for requests with a secret header, which you pass with `headers`.",
    ),
    Reason.UPDATE_FAILED: Remedy(
        "Watchtower reports that the update failed",
        "The new container did not start, or was unhealthy and was taken back. The old container may be gone: Watchtower "
        "removes it before it creates the new one.",
        f"On the server, see why:\n\n```sh\n{WATCHTOWER_LOG}\ndocker ps --all\n```\n\n"
        "If the service is down, push an image that starts, then bring the service back (`your-service` is its name in "
        "the compose file):\n\n```sh\n"
        "docker compose pull your-service\ndocker compose up -d --force-recreate your-service\n```",
    ),
    Reason.UPDATE_BLOCKED: Remedy(
        "Watchtower skipped the container",
        "It could not ask the registry (no response, wrong or missing credentials, a rate limit), the image is younger "
        "than the cooldown, or the container is excluded.",
        f"On the server, Watchtower's log names the cause:\n\n{_SEE_WATCHTOWERS_LOG}\n\nFor a private image, mount the "
        "credentials that `docker login` wrote on the server:\n\n"
        + recipes.watchtower(
            "environment:", "  DOCKER_CONFIG: /registry", "volumes:", "  - /root/.docker:/registry:ro"
        ),
    ),
    Reason.NOTHING_SCANNED: Remedy(
        "Watchtower found no container to check",
        "No running container matches: the label is missing, `image` or `container` names something else, or the "
        "container does not run. Watchtower says the same when it cannot reach the Docker engine.",
        "Check the label and what runs (`your-service` is the service's name in the compose file):\n\n"
        '```yaml\nservices:\n  your-service:\n    labels:\n      com.centurylinklabs.watchtower.enable: "true"\n```\n\n'
        f"```sh\ndocker ps --filter label=com.centurylinklabs.watchtower.enable=true\n{WATCHTOWER_LOG}\n```",
    ),
    Reason.NO_ANSWER: Remedy(
        "Watchtower's response was lost, and nothing changed",
        "The connection was cut, or a proxy timed out: one that waits 60 s gives up on a slow pull. containrrr closes the "
        "connection without a response when it cannot reach the Docker engine.",
        f"On the server, read Watchtower's log:\n\n{_SEE_WATCHTOWERS_LOG}\n\nIn the location of the update URL, let nginx "
        "wait longer: `proxy_read_timeout 31m;`.",
    ),
}
