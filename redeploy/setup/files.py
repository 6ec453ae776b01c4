"""The server's side for one service: the files of `deploy/`, filled in from a few answers.

Those files are a working set-up of a service called `portfolio`. What is written is theirs with another name, without what
only that service has.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from redeploy.setup.dotenv import rendered, settings, with_setting
from redeploy.setup.questionnaire import Answers, Framework, Nginx, Tls
from redeploy.text.secret import Secret

TOKEN = "WATCHTOWER_HTTP_API_TOKEN"  # noqa: S105 - its name
SHIPPED_NAME = "portfolio"
TEMPLATE = "deploy/.env.production.example"
ENVIRONMENT = "deploy/.env.production"
IGNORED = "deploy/.gitignore"
WORKFLOW = ".github/workflows/redeploy-backend.yml"
DOCTOR = ".github/workflows/doctor.yml"
EXAMINES = "examples/doctor.yml"
"""What that one is made of."""
UPDATE = "/ops/watchtower/update"
GHCR = "ghcr.io"
_SNIPPETS = "deploy/nginx/snippets"
_NGINX_IMAGE = "nginx:1.28-alpine"


@dataclass(frozen=True)
class Places:
    """Where everything is, in the repository and on the server."""

    answers: Answers

    @property
    def home(self) -> str:
        """The folder on the server that `deploy` is copied to."""
        return f"/opt/{self.answers.name}"

    @property
    def compose(self) -> str:
        """The compose file."""
        return f"deploy/docker-compose.{self.answers.name}-prod.yml"

    @property
    def overlays(self) -> tuple[str, ...]:
        """The compose files beside it."""
        if self.answers.nginx is Nginx.HOST:
            return ()
        return (f"deploy/docker-compose.{'tls' if self.answers.tls is Tls.NGINX else 'tunnel'}.yml",)

    @property
    def variant(self) -> str:
        """The nginx file for this server."""
        place = "prod" if self.answers.nginx is Nginx.HOST else "compose"
        return f"deploy/nginx/nginx.{place}{'-tls' if self.answers.tls is Tls.NGINX else ''}.conf"

    @property
    def includes(self) -> str:
        """The folder of what that includes."""
        return f"deploy/nginx/{self.answers.name}"

    @property
    def pages(self) -> str:
        """The folder that nginx finds its pages in."""
        return f"/var/www/{self.answers.name}" if self.answers.nginx is Nginx.HOST else "/usr/share/nginx/html"

    @property
    def certificates(self) -> str:
        """The server's folder of certificate and key, where nginx ends TLS."""
        on_the_host = self.answers.nginx is Nginx.HOST
        return f"/etc/nginx/{self.answers.name}/certs" if on_the_host else f"{self.home}/certs"


_KEPT_OUT = ("/.env.production*", "!/.env.production.example")
"""What `.gitignore` says. The last line that fits a file counts, so these stand last."""


def files(
    answers: Answers, shipped: Callable[[str], str], token: Secret, there: Callable[[str], str | None]
) -> Mapping[str, str]:
    """Return what belongs into the service's repository, by path.

    Args:
        answers: the answers.
        shipped: the text of a file of this project, by path.
        token: what Watchtower and GitHub are to share, where the environment file holds none yet.
        there: the text of a file of the repository, by path; None where there is none. Of its environment file stays what
            nobody was asked about, and of its `.gitignore` every line.
    """
    places = Places(answers)

    def own(path: str) -> str:
        return _renamed(shipped(path), answers.name)

    template = _environment(own(TEMPLATE), answers)
    environment, before = rendered(template, {TOKEN: token}), there(ENVIRONMENT)
    if before is not None:
        environment = before
        for name, value in _settings(answers).items():
            environment = with_setting(environment, name, value)
        if not settings(before).get(TOKEN):
            environment = with_setting(environment, TOKEN, token.reveal())
    ends = ("tls", "to-https") if answers.tls is Tls.NGINX else ("tunnel",)
    return {
        places.compose: _compose(own(f"deploy/docker-compose.{SHIPPED_NAME}-prod.yml"), answers),
        **{path: own(path) for path in places.overlays},
        places.variant: _server(own(places.variant), answers),
        f"{places.includes}/{answers.name}.conf": _paths(own(f"{_SNIPPETS}/{SHIPPED_NAME}.conf"), answers),
        **{f"{places.includes}/{each}.conf": own(f"{_SNIPPETS}/{each}.conf") for each in ("watchtower", "limit")},
        **{f"{places.includes}/{each}.conf": _ends(own(f"{_SNIPPETS}/{each}.conf"), answers) for each in ends},
        TEMPLATE: template,
        ENVIRONMENT: environment,
        IGNORED: _ignoring(there(IGNORED) or ""),
        WORKFLOW: _workflow(own(WORKFLOW), answers),
        DOCTOR: _workflow(own(EXAMINES), answers),
    }


def _ignoring(text: str) -> str:
    """Return a `.gitignore` that keeps the environment file out, whatever else it says."""
    lines = text.splitlines()
    if tuple(lines[-len(_KEPT_OUT) :]) == _KEPT_OUT:
        return text
    return "\n".join([*lines, *_KEPT_OUT, ""])


def asked_about(answers: Answers) -> set[str]:
    """Return the names of the settings that come from the answers; their values are no secrets."""
    return set(_settings(answers))


def _settings(answers: Answers) -> dict[str, str]:
    """Return the settings that differ from the kit's defaults."""
    found = {
        # Else Compose calls every project after its folder, which is `deploy` for each.
        "COMPOSE_PROJECT_NAME": answers.name,
        "BACKEND_IMAGE": str(answers.image),
        "SERVICE_PORT": str(answers.port),
    }
    if _check(answers.framework):
        found["HEALTH_PATH"] = answers.health_path
    if answers.nginx is Nginx.COMPOSE and answers.tls is Tls.NGINX:
        found["TLS_CERTS"] = Places(answers).certificates
    return found


_IMAGE = "(the image)"
"""Stands where the service's image will."""


def _renamed(text: str, name: str) -> str:
    """Return a file of this project in which everything has another name; what was answered is put in afterwards."""
    variable = name.replace("-", "_")
    for old, new in (
        ("ghcr.io/leok974/leo-portfolio/portfolio:latest", _NGINX_IMAGE),
        ("ghcr.io/leok974/leo-portfolio/backend:latest", _IMAGE),
        ("ghcr.io/leok974/leo-portfolio/backend", _IMAGE),
        ("docs/server.md", "docs/server.md of redeploy-action"),
        ("snippets", name),
        ("zone=watchtower", f"zone={variable}_watchtower"),
        ("`watchtower` of limit_req", f"`{variable}_watchtower` of limit_req"),
        ("$watchtower_client", f"${variable}_client"),
        ("The portfolio's production stack", f"The production stack of {name}"),
        (SHIPPED_NAME, name),
    ):
        text = text.replace(old, new)
    return text


def _compose(text: str, answers: Answers) -> str:
    """Return the compose file for this image, without what only the portfolio's service needs."""
    text = _cut(text, "    environment:\n      ALLOWED_ORIGINS", f"      - {answers.name}_rag_data:/data\n")
    text = _put(text, f"volumes:\n  {answers.name}_rag_data:\n\n", "")
    text = _put(text, _IMAGE, str(answers.image))
    text = _put(text, "      # For an image without python3 give another `test` in your own file.\n", "")
    program = _check(answers.framework)
    begin = text.index("    healthcheck:\n")
    end = text.index("    mem_limit: ${BACKEND_MEMORY")
    if not program:
        text = text[:begin] + text[end:]
    elif answers.framework is not Framework.FASTAPI:
        text = _put(text, text[text.index("        - CMD\n") : text.index("      interval:")], program)
    if answers.pages and answers.nginx is Nginx.COMPOSE:
        mount = f"      - ./nginx/{answers.name}:/etc/nginx/{answers.name}:ro\n"
        text = _put(text, mount, f"{mount}      - ./pages:/usr/share/nginx/html:ro\n")
    return text


def _check(framework: Framework) -> str:
    """Return the health check of the container: by what runs the service, so that it is surely there; else empty."""
    url = "http://127.0.0.1:${SERVICE_PORT:-8000}${HEALTH_PATH:-/api/ready}"
    match framework:
        case Framework.FASTAPI:
            return "python3"  # as the shipped file has it
        case Framework.RAILS:  # which may answer with a redirect to https, or refuse the host name: it is up then too
            code = f'exit Net::HTTP.get_response(URI("{url}")).code.to_i < 500'
            return f"        - CMD\n        - ruby\n        - -rnet/http\n        - -e\n        - '{code}'\n"
        case Framework.NEXTJS:
            ended = "r => process.exit(r.status < 500 ? 0 : 1), () => process.exit(1)"
            code = f'fetch("{url}", {{redirect: "manual"}}).then({ended})'
            return f"        - CMD\n        - node\n        - -e\n        - '{code}'\n"
        case Framework.OTHER:
            return ""


def _environment(text: str, answers: Answers) -> str:
    """Return the template of the environment file."""
    text = _cut(text, "# What the backend is told of its own address.\n", "#BACKEND_URL=https://api.leoklemet.com\n\n")
    if not _check(answers.framework):
        text = _put(text, "names the port, too), and where it says that it is well.\n", "names the port, too).\n")
        text = _put(text, "#HEALTH_PATH=/api/ready\n", "")
    text = _put(text, _IMAGE, str(answers.image))
    for name, value in _settings(answers).items():
        text = with_setting(text, name, value)
    return text


def _server(text: str, answers: Answers) -> str:
    """Return an nginx file for this domain and port; it limits nothing but requests to Watchtower."""
    text = re.sub(r"(?m)^limit_req_zone .* zone=api:.*\n", "", text)
    text = text.replace(" default_server;", ";")
    text = re.sub(r"server_name [^;]+;", f"server_name {answers.domain};", text)
    if answers.nginx is Nginx.COMPOSE:
        return _put(text, "set $backend backend:8000;", f"set $backend backend:{answers.port};")
    return text


def _ends(text: str, answers: Answers) -> str:
    """Return a snippet that says where TLS ends; nginx on the host has a folder of certificates for each service."""
    on_the_host = answers.nginx is Nginx.HOST
    return text.replace("certs/", f"{answers.name}/certs/") if on_the_host else text


def _paths(text: str, answers: Answers) -> str:
    """Return the snippet that says what goes where."""
    text = _put(text, "    limit_req zone=api burst=15 nodelay;\n", "")
    if not answers.pages:
        return text[: text.index("location /api/ {")] + _ALL_TO_THE_SERVICE
    apart = [each for each in (answers.health_path, answers.version_path) if each and not each.startswith("/api/")]
    exact = "".join(f"location = {each} {{\n    proxy_pass http://$backend;\n}}\n\n" for each in dict.fromkeys(apart))
    text = _put(text, "location = /ready {\n    proxy_pass http://$backend;\n}\n\n", exact)
    return text.replace("root /usr/share/nginx/html", f"root {Places(answers).pages}")


_ALL_TO_THE_SERVICE = """\
location / {
    proxy_buffering off; # answers are streamed
    proxy_read_timeout 300s;
    proxy_pass http://$backend;
}
"""


def _workflow(text: str, answers: Answers) -> str:
    """Return a workflow for this image, without what only the portfolio's service has."""
    text = text.replace("Redeploy Backend via Watchtower", f"Redeploy {answers.name} via Watchtower")
    text = text.replace("Redeploy the backend", f"Redeploy {answers.name}").replace("the backend", answers.name)
    text = _put(text, _IMAGE, str(answers.image))
    asked = [("health-path", answers.health_path)]
    asked += [("health-expect", "any")] if answers.framework.answers_with_a_page else []
    asked += [("version-path", answers.version_path)] if answers.version_path else []
    asked += [("version-field", answers.version_field)] if answers.version_field else []
    asked += [] if answers.framework.has_document else [("openapi-path", '"off"')]
    if answers.private:
        asked += [("registry-username", _LOGIN[answers.image.registry == GHCR][0])]
        asked += [("registry-password", _LOGIN[answers.image.registry == GHCR][1])]
    lines = "".join(f"          {name}: {_scalar(value)}\n" for name, value in asked)
    begin = text.index("          health-path: ")
    kept = "".join(re.findall(r"(?m)^          timeout: .*\n", text[begin:]))
    text = text[:begin] + lines + (_ACCESS if answers.access else "") + kept
    if answers.private and answers.image.registry == GHCR:
        text = text.replace("    timeout-minutes:", f"{_PACKAGES}    timeout-minutes:")
    return _in_environment(text, answers.environment)


def _in_environment(text: str, environment: str) -> str:
    """Return a workflow whose secrets are those of this environment, or of the repository."""
    if environment:
        text = text.replace("name: production #", f"name: {_scalar(environment)} #")
        return text.replace("environment: production\n", f"environment: {_scalar(environment)}\n")
    text = re.sub(r"(?m)^    environment:\n(?:      .*\n)+|^    environment: .*\n", "", text)
    return re.sub(r"required: false # .*", "required: true", text)


_LOGIN = {
    True: ("${{ github.actor }}", "${{ github.token }}"),
    False: ("${{ secrets.REGISTRY_USERNAME }}", "${{ secrets.REGISTRY_PASSWORD }}"),
}
"""Who asks the registry: GHCR knows the job's own token."""
_PACKAGES = """\
    permissions:
      packages: read # to look the private image up before the trigger
"""
_ACCESS = """\
          headers: |
            CF-Access-Client-Id: ${{ secrets.CF_ACCESS_CLIENT_ID }}
            CF-Access-Client-Secret: ${{ secrets.CF_ACCESS_CLIENT_SECRET }}
"""


def _scalar(value: str) -> str:
    """Return a text as YAML reads it back."""
    bare = re.fullmatch(r'"off"|\$\{\{ [\w.]+ \}\}|(?:/|[A-Za-z_])[\w./~-]*(?::[\w.-]+)?', value)
    return value if bare else json.dumps(value)


def _cut(text: str, first: str, last: str) -> str:
    """Return a text without what stands from `first` to the end of `last`."""
    begin = text.index(first)
    return text[:begin] + text[text.index(last, begin) + len(last) :]


def _put(text: str, old: str, new: str) -> str:
    if old not in text:
        msg = f"{old!r} is not in the file that is shipped"
        raise LookupError(msg)
    return text.replace(old, new)
