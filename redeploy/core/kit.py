"""The server's side for one service: what the answers to a few questions make of the files of `deploy/`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from redeploy.core import image
from redeploy.core.dotenv import rendered, settings, with_setting
from redeploy.core.secret import Secret

TOKEN = "WATCHTOWER_HTTP_API_TOKEN"  # noqa: S105 - its name
COMPOSE = "deploy/docker-compose.portfolio-prod.yml"
TEMPLATE = "deploy/.env.production.example"
ENVIRONMENT = "deploy/.env.production"
IGNORED = "deploy/.gitignore"
WORKFLOW = ".github/workflows/redeploy-backend.yml"
DOCTOR = ".github/workflows/doctor.yml"
EXAMINES = "examples/doctor.yml"
"""What that one is made of."""
SNIPPETS = "deploy/nginx/snippets"
UPDATE = "/ops/watchtower/update"
HOME = "/opt/portfolio"
"""Where the files lie on the server."""

_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PATH = re.compile(r"/[A-Za-z0-9/_.~-]*")
_CHECKS = """\
          version-path: /api/status/uptime
          required-routes: |
            GET /api/ready
            GET /api/dev/status
          smoke: |
            GET /api/dev/status
"""
_LOOKS = """\
          version-path: /api/status/uptime
          version-field: build
          required-routes: |
            GET /api/ready
"""
_ACCESS = """\
          headers: |
            CF-Access-Client-Id: ${{ secrets.CF_ACCESS_CLIENT_ID }}
            CF-Access-Client-Secret: ${{ secrets.CF_ACCESS_CLIENT_SECRET }}
"""
_ALL_TO_THE_SERVICE = """\
location / {
    proxy_pass http://$backend;
}
"""
_PLAIN_NGINX = "nginx:1.28-alpine"


class Nginx(StrEnum):
    """Where nginx runs."""

    HOST = "host"
    COMPOSE = "compose"


class Tls(StrEnum):
    """What ends TLS."""

    TUNNEL = "tunnel"
    NGINX = "nginx"


@dataclass(frozen=True)
class Answers:
    """What there is to know of a service and its server."""

    domain: str
    image: image.Image
    port: int
    """Where the service listens in its container."""
    health_path: str
    nginx: Nginx
    tls: Tls
    access: bool
    """Whether Cloudflare Access stands before the domain."""
    pages: bool
    """Whether nginx serves pages of its own beside the service."""

    @property
    def variant(self) -> str:
        """The nginx file for this server."""
        place = "prod" if self.nginx is Nginx.HOST else "compose"
        return f"deploy/nginx/nginx.{place}{'-tls' if self.tls is Tls.NGINX else ''}.conf"

    @property
    def overlays(self) -> tuple[str, ...]:
        """The compose files beside the first."""
        return (f"deploy/docker-compose.{'tls' if self.tls is Tls.NGINX else 'tunnel'}.yml",) * (
            self.nginx is Nginx.COMPOSE
        )


def domain(text: str) -> str:
    """Return a host name in lower case.

    Raises:
        ValueError: with what is wrong; so do the others.
    """
    if not _DOMAIN.fullmatch(text.lower()):
        msg = "is no host name; write `api.example.com`, without `https://` and without a path"
        raise ValueError(msg)
    return text.lower()


def tagged(text: str) -> image.Image:
    """Return the image that a reference names by a tag."""
    named = image.parse(text)
    if named.digest:
        msg = "names a digest, which no new build will have; give the tag that is pushed"
        raise ValueError(msg)
    return named


def port(text: str) -> int:
    """Return a port."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        msg = "is no port; write a number from 1 to 65535"
        raise ValueError(msg)
    return int(text)


def health_path(text: str) -> str:
    """Return a path that nginx, Compose and YAML take as it is."""
    if not _PATH.fullmatch(text) or text.startswith("//"):
        msg = "is no path; write `/api/ready`, without a host and without a query"
        raise ValueError(msg)
    if text == "/healthz" or text.startswith("/ops/"):
        msg = "is nginx's own in this kit, and says nothing of the service; give the service another, such as `/api/ready`"
        raise ValueError(msg)
    return text


def yes(text: str) -> bool:
    """Return whether the answer is yes."""
    if text.lower() not in {"y", "yes", "n", "no"}:
        msg = "is neither `yes` nor `no`"
        raise ValueError(msg)
    return text.lower().startswith("y")


def files(answers: Answers, shipped: Callable[[str], str], token: Secret, before: str | None) -> Mapping[str, str]:
    """Return what belongs into the service's repository, by path.

    Args:
        answers: the answers.
        shipped: the text of a file of this project, by path.
        token: what Watchtower and GitHub are to share, where the environment file holds none yet.
        before: the environment file that is there; what nobody was asked about stays in it.
    """
    template = shipped(TEMPLATE)
    for name, value in _settings(answers).items():
        template = with_setting(template, name, value)
    environment = rendered(template, {TOKEN: token})
    if before is not None:
        environment = before
        for name, value in _settings(answers).items():
            environment = with_setting(environment, name, value)
        if not settings(before).get(TOKEN):
            environment = with_setting(environment, TOKEN, token.reveal())
    ends = ("tls", "to-https") if answers.tls is Tls.NGINX else ("tunnel",)
    snippets = {name: f"{SNIPPETS}/{name}.conf" for name in ("portfolio", "watchtower", "limit", *ends)}
    return {
        **{path: shipped(path) for path in (COMPOSE, *answers.overlays)},
        answers.variant: _server(shipped(answers.variant), answers),
        **{path: shipped(path) for path in snippets.values()},
        snippets["portfolio"]: _paths(shipped(snippets["portfolio"]), answers),
        TEMPLATE: template,
        ENVIRONMENT: environment,
        IGNORED: "/.env.production*\n!/.env.production.example\n",
        WORKFLOW: _workflow(shipped(WORKFLOW), answers, _CHECKS),
        DOCTOR: _workflow(shipped(EXAMINES), answers, _LOOKS),
    }


def asked_about(answers: Answers) -> set[str]:
    """Return the names of the settings that come from the answers; their values are no secrets."""
    return set(_settings(answers))


def _settings(answers: Answers) -> dict[str, str]:
    """Return the settings that differ from the kit's defaults."""
    found = {
        "BACKEND_IMAGE": str(answers.image),
        "SERVICE_PORT": str(answers.port),
        "HEALTH_PATH": answers.health_path,
        "ALLOWED_ORIGINS": f"https://{answers.domain}",
        "BACKEND_URL": f"https://{answers.domain}",
    }
    if answers.nginx is Nginx.COMPOSE and not answers.pages:
        found["NGINX_IMAGE"] = _PLAIN_NGINX
    if answers.nginx is Nginx.COMPOSE and answers.tls is Tls.NGINX:
        found["TLS_CERTS"] = f"{HOME}/certs"
    return found


def _server(text: str, answers: Answers) -> str:
    """Return an nginx file for this domain and port."""
    if answers.nginx is Nginx.COMPOSE:
        return _put(text, "set $backend backend:8000;", f"set $backend backend:{answers.port};")
    if answers.tls is Tls.NGINX:
        return _put(text, "server_name api.leoklemet.com www.leoklemet.com;", f"server_name {answers.domain};")
    return text


def _paths(text: str, answers: Answers) -> str:
    """Return the snippet that says what goes where."""
    if not answers.pages:
        return text[: text.index("location / {")] + _ALL_TO_THE_SERVICE
    if not answers.health_path.startswith("/api/"):
        return _put(text, "location = /ready {", f"location = {answers.health_path} {{")
    return text


def _workflow(text: str, answers: Answers, only_here: str) -> str:
    """Return a workflow for this image, without what only the portfolio's service has."""
    text = _put(text, "ghcr.io/leok974/leo-portfolio/backend", str(answers.image))
    text = _put(text, "health-path: /api/ready", f"health-path: {answers.health_path}")
    return _put(text, only_here, _ACCESS if answers.access else "")


def _put(text: str, old: str, new: str) -> str:
    if old not in text:
        msg = f"{old!r} is not in the file that is shipped"
        raise LookupError(msg)
    return text.replace(old, new)
