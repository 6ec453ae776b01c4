"""What doctor can find besides the reasons, and what to do about it."""

from collections.abc import Mapping
from enum import StrEnum

from redeploy.remedies import recipes
from redeploy.remedies.remedy import WATCHTOWER_LOG, WATCHTOWERS, Remedy


class Finding(StrEnum):
    """What is wrong with a link, in one word; its heading in `docs/troubleshooting.md`."""

    INPUTS = "invalid-inputs"
    UNRESOLVED = "unresolved"
    NOTHING_LISTENS = "nothing-listens"
    PLAIN_HTTP = "plain-http"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NAME = "certificate-name"
    CERTIFICATE_UNTRUSTED = "certificate-untrusted"
    CERTIFICATE_ENDS_SOON = "certificate-ends-soon"
    FORBIDDEN = "forbidden"
    UNGUARDED = "unguarded"
    WATCHTOWER_STOPPED = "watchtower-stopped"
    WATCHTOWER_TOO_OLD = "watchtower-too-old"
    TOKEN_UNJUDGED = "token-unjudged"  # noqa: S105 - a finding's name
    NOT_WATCHED = "not-watched"
    MONITOR_ONLY = "monitor-only"
    NO_PULL = "no-pull"
    PINNED = "pinned-by-digest"
    ENGINE_SILENT = "engine-silent"
    NO_CONTAINERS = "no-containers"
    REGISTRY_SILENT = "registry-silent"
    VERSION_UNNAMED = "version-unnamed"
    VERSION_CONSTANT = "version-constant"
    DEPLOYMENTS_REFUSED = "deployments-refused"


_SERVICE_THAT_NAMES_ITS_COMMIT = (
    "```dockerfile\nARG GIT_SHA=local\nENV GIT_SHA=$GIT_SHA\n```\n\n"
    '```python\nimport os\n\n\n@app.get("/api/version")\ndef version() -> dict[str, str]:\n'
    '    return {"git_sha": os.environ.get("GIT_SHA", "local")}\n```\n\n'
    "```yaml\n# where the image is built, docker/build-push-action\nbuild-args: GIT_SHA=${{ github.sha }}\n"
    "# this action\nversion-path: /api/version\nversion-field: git_sha\nexpect-version: ${{ github.sha }}\n```"
)
"""For FastAPI, as the portfolio's backend is."""


_LABEL_OFF = (
    "\n\nOn the container (`your-service` is the service's name in the compose file):\n\n```yaml\nservices:\n"
    '  your-service:\n    labels:\n      com.centurylinklabs.watchtower.{flag}: "false"\n```\n\n'
    "```sh\ndocker compose up -d\n```"
)


FINDINGS: Mapping[Finding, Remedy] = {
    Finding.INPUTS: Remedy(
        "Some inputs are invalid",
        "A value is missing or has the wrong form. No request was sent.",
        "Each error names its input and the form that it takes. If a secret is empty, it is most often not set, or it is "
        "an environment secret and the job has no `environment:`. List those of the repository and of the environment:\n\n"
        "```sh\ngh secret list\ngh secret list --env your-environment\n```",
    ),
    Finding.UNRESOLVED: Remedy(
        "The host name has no address",
        "The name in the secret is misspelled, its DNS record is missing or only visible inside a private network, or "
        "the resolver did not respond.",
        "See what public DNS says, and correct the record or the secret:\n\n"
        "```sh\ndig +short «host» A «host» AAAA\n"
        "gh secret set WATCHTOWER_UPDATE_URL«env»\n```«env-note»",
    ),
    Finding.NOTHING_LISTENS: Remedy(
        "Nothing accepts the connection",
        "nginx or the tunnel does not run, a firewall drops the port, or the name points to another machine. Inside a "
        "container action `localhost` is the action's own container.",
        "On the server, see what listens, and start it:\n\n"
        "```sh\nss -ltnp '( sport = :443 or sport = :80 )'\nnginx -t && systemctl restart nginx\n"
        "docker ps --all --filter name=nginx --filter name=cloudflared\n```\n\nA private address (10.*, 172.16.*, "
        "192.168.*) cannot be reached from a GitHub-hosted runner: publish the service through a tunnel.",
    ),
    Finding.PLAIN_HTTP: Remedy(
        "The token is sent unencrypted",
        "The URL is plain http, which `allow-http` permits: everyone on the network path can read the token.",
        "Serve the URL over https, with a certificate or behind a tunnel, and remove `allow-http`.",
    ),
    Finding.CERTIFICATE_EXPIRED: Remedy(
        "The certificate is not valid at this time",
        "It has expired and was not renewed, nginx was not reloaded after the renewal, or it is not valid yet.",
        "On the server:\n\n```sh\ncertbot renew && nginx -s reload\n"
        "openssl s_client -connect «authority» -servername «host» </dev/null 2>/dev/null |\n"
        "  openssl x509 -noout -dates -subject\n```",
    ),
    Finding.CERTIFICATE_NAME: Remedy(
        "The certificate is for another host name",
        "The server has no certificate for this name and presents its default one, or the URL does not use the name that "
        "the certificate was issued for.",
        "Issue a certificate for this name, and use it in the `server` block:\n\n"
        "```sh\ncertbot --nginx -d «host»\n```\n\n```nginx\nserver_name «host»;\n"
        "ssl_certificate /etc/letsencrypt/live/«host»/fullchain.pem;\n"
        "ssl_certificate_key /etc/letsencrypt/live/«host»/privkey.pem;\n```",
    ),
    Finding.CERTIFICATE_UNTRUSTED: Remedy(
        "The certificate is not signed by a trusted authority",
        "It is self-signed or issued by a private authority, or the server does not send the intermediate certificate.",
        "Let nginx send the whole chain (`fullchain.pem`, not `cert.pem`). For a private authority, pass its "
        "certificate:\n\n```yaml\nwith:\n  ca-certificate: ${{ vars.CA_PEM }}\n```",
    ),
    Finding.CERTIFICATE_ENDS_SOON: Remedy(
        "The certificate expires soon",
        "It should have been renewed by now: the renewal fails or does not run, or nginx was not reloaded after it.",
        "On the server:\n\n```sh\nsystemctl list-timers | grep -i certbot\ncertbot renew --dry-run\n"
        "certbot renew --deploy-hook 'nginx -s reload'\n```",
    ),
    Finding.FORBIDDEN: Remedy(
        "A proxy forbids the update path",
        "The request had no token, so the token is not the cause. An address list, a WAF rule, a password in nginx or a "
        "method filter refused the request before it reached Watchtower.",
        "In the `server` block of `«host»`, let POST through to exactly the path of the update URL; Watchtower's own token "
        "guards that path. "
        + recipes.endpoint_in_both("update", "auth_basic off;", "allow all;")
        + "\n\nAt Cloudflare, look under Security > Events for the rule that blocked it.",
    ),
    Finding.UNGUARDED: Remedy(
        "Watchtower accepts a request without a token",
        "The proxy adds Watchtower's token to every request. Nothing was updated: the request named an image that "
        "cannot exist. Unless something else guards the URL (Cloudflare Access, a list of addresses), everyone who knows "
        "it can trigger updates.",
        "Let the proxy pass on the client's token, and nothing else:\n\n"
        "```nginx\nproxy_set_header Authorization $http_authorization;\n```",
    ),
    Finding.WATCHTOWER_STOPPED: Remedy(
        "The location exists, but Watchtower behind it does not respond",
        "Watchtower does not run or restarts over and over (an unknown argument, an empty token, an engine that refuses "
        "its API version). Or the proxy uses the wrong address: inside nginx's container `127.0.0.1` is nginx itself.",
        f"On the server, see why, and start it:\n\n```sh\n{WATCHTOWERS}\n{WATCHTOWER_LOG}\n"
        f"{WATCHTOWERS} -q | xargs -r docker start\n"
        "# 401 is right; `docker ps` shows the port before `->8080`:\n"
        "curl -sS -o /dev/null -w '%{http_code}\\n' -X POST \\\n  http://127.0.0.1:8083/v1/update\n```",
    ),
    Finding.WATCHTOWER_TOO_OLD: Remedy(
        "This Watchtower may be too old to refuse a wrong token",
        "containrrr/watchtower up to 1.3.0 responds to everything with an empty 200, even to a wrong token. So does a "
        "later one behind a proxy that adds the token to every request, and any other server with an empty body.",
        "Run the maintained fork, and pin it:\n\n" + recipes.watchtower(f"image: {recipes.WATCHTOWER_IMAGE}"),
    ),
    Finding.TOKEN_UNJUDGED: Remedy(
        "The token could not be checked",
        "No read-only endpoint is routed, and any other request to this Watchtower might start an update: 1.4 ignores "
        "`image`, and it looks the same as later versions.",
        "Turn on Watchtower's metrics, which need the token:\n\n"
        + recipes.watchtower("environment:", '  WATCHTOWER_HTTP_API_METRICS: "true"')
        + "\n\nIn the `server` block of `«host»`, route them next to the update, and run doctor again. "
        + recipes.endpoint_in_both("metrics"),
    ),
    Finding.NOT_WATCHED: Remedy(
        "Watchtower does not watch the container",
        "Its label is missing, `image` or `container` does not match what runs, or the container does not run: Watchtower "
        "lists only running containers.",
        "Set the label (`your-service` is the service's name in the compose file), recreate the container, and see what is "
        "watched:\n\n```yaml\nservices:\n  your-service:\n    labels:\n"
        '      com.centurylinklabs.watchtower.enable: "true"\n```\n\n```sh\ndocker compose up -d\n'
        "docker ps --format '{{.Names}} {{.Image}}' \\\n  --filter label=com.centurylinklabs.watchtower.enable=true\n```",
    ),
    Finding.MONITOR_ONLY: Remedy(
        "Watchtower only monitors the container",
        "Watchtower runs with `--monitor-only`, or the container has the label for it. Watchtower then reports a newer "
        "image and leaves the container as it is.",
        "Remove the flag or the label, and recreate the container that had it (`monitor_only` in the response of "
        "`/v1/containers/details` shows whether it still applies):\n\n"
        + recipes.watchtower("environment:", '  WATCHTOWER_MONITOR_ONLY: "false"')
        + _LABEL_OFF.format(flag="monitor-only"),
    ),
    Finding.NO_PULL: Remedy(
        "Watchtower pulls no image for the container",
        "Watchtower runs with `--no-pull`, or the container has the label for it. Watchtower then uses only images that "
        "are already on the server, and never sees a push.",
        "Remove the flag or the label, and recreate the container that had it:\n\n"
        + recipes.watchtower("environment:", '  WATCHTOWER_NO_PULL: "false"')
        + _LABEL_OFF.format(flag="no-pull"),
    ),
    Finding.PINNED: Remedy(
        "The container's image is pinned by its digest",
        "The container was created with `image: name@sha256:...`. No push changes what a digest means, so Watchtower skips "
        "the container.",
        "Name a tag that your workflow pushes (`your-service` is the service's name in the compose file), and recreate the "
        "container:\n\n```yaml\nservices:\n  your-service:\n    image: «tagged»\n```\n\n"
        "```sh\ndocker compose up -d\n```",
    ),
    Finding.ENGINE_SILENT: Remedy(
        "Watchtower cannot reach the Docker engine",
        "Docker's socket is not mounted or not allowed, or the engine hangs. An update would find nothing, without saying "
        "why.",
        "Mount the socket, and see whether the engine responds:\n\n"
        + recipes.watchtower("volumes:", "  - /var/run/docker.sock:/var/run/docker.sock")
        + f"\n\n```sh\ndocker info\n{WATCHTOWER_LOG}\n```",
    ),
    Finding.NO_CONTAINERS: Remedy(
        "This Watchtower could report the running digest, but does not",
        "The endpoint is not enabled, or the proxy has no location for it. Without it no digest can be proven.",
        "Enable it:\n\n"
        + recipes.watchtower("environment:", "  WATCHTOWER_HTTP_API_ENDPOINTS: update,containers,check,metrics")
        + "\n\nAnd in the `server` block of `«host»`, route it next to the update. "
        + recipes.endpoint_in_both("containers"),
    ),
    Finding.REGISTRY_SILENT: Remedy(
        "The registry did not say whether the image exists",
        "It refused the request, could not be reached from here, or its response is not that of a registry. Watchtower "
        "uses its own credentials, so a deploy may still succeed.",
        "For a private image, pass credentials that may read it:\n\n```yaml\npermissions:\n  packages: read\n"
        "# ...\nwith:\n  registry-username: ${{ github.actor }}\n  registry-password: ${{ github.token }}\n```",
    ),
    Finding.VERSION_UNNAMED: Remedy(
        "The service does not report its build",
        "Nothing in its responses distinguishes one build from another. A deploy ends as `unproven` at best, unless "
        "Watchtower reports the running digest.",
        "Let it report the commit that it was built from. Rails needs one line in `config/application.rb`, "
        '`config.action_dispatch.default_headers["X-Git-Sha"] = ENV.fetch("GIT_SHA", "local")`, and a front end a '
        "`<meta>` in its page: the README has both as recipes. If the service cannot report it, declare the image's digest, "
        "which Watchtower reports: `expect-digest: ${{ steps.push.outputs.digest }}`. With FastAPI, for example:\n\n"
        f"{_SERVICE_THAT_NAMES_ITS_COMMIT}",
    ),
    Finding.VERSION_CONSTANT: Remedy(
        "The service reports the same version for every build",
        "The field exists, but has the value of an image that was built without its build argument.",
        "Pass the commit when you build the image, and declare it:\n\n"
        "```yaml\n# docker/build-push-action\nbuild-args: GIT_SHA=${{ github.sha }}\n"
        "# this action\nexpect-version: ${{ github.sha }}\n```",
    ),
    Finding.DEPLOYMENTS_REFUSED: Remedy(
        "The token may not use the Deployments API",
        "The job lacks the permission that `deployment-environment` needs. A deploy keeps its verdict, with a warning.",
        "Give the job the permission:\n\n```yaml\npermissions:\n  deployments: write\n```",
    ),
}
"""What to do, for each finding."""
