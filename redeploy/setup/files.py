"""The server's side for one service: the files of `deploy/`, filled in from a few answers.

Those files are a working set-up of a service called `portfolio`. The result is those files with another name, without the
parts that only that service needs.
"""

import re
from collections.abc import Callable, Mapping

from redeploy.setup.dotenv import rendered, settings, with_setting
from redeploy.setup.places import (
    DOCTOR,
    ENVIRONMENT,
    EXAMINES,
    IGNORED,
    SHIPPED_NAME,
    TEMPLATE,
    TOKEN,
    WORKFLOW,
    Places,
)
from redeploy.setup.questionnaire import Answers, Framework, Nginx, Tls
from redeploy.setup.shipped import IMAGE, cut, put, renamed
from redeploy.setup.workflows import workflow
from redeploy.text.secret import Secret

_SNIPPETS = "deploy/nginx/snippets"


_KEPT_OUT = ("/.env.production*", "!/.env.production.example")
"""What `.gitignore` says. The last line that fits a file counts, so these stand last."""


def files(
    answers: Answers, shipped: Callable[[str], str], token: Secret, there: Callable[[str], str | None]
) -> Mapping[str, str]:
    """Return what belongs into the service's repository, by path.

    Args:
        answers: the answers.
        shipped: the text of a file of this project, by path.
        token: the token for Watchtower and GitHub, if the environment file has none yet.
        there: the text of a file of the repository, by path; None if there is none. Its environment file keeps the settings
            that no question is about, and its `.gitignore` every line.
    """
    places = Places(answers)

    def own(path: str) -> str:
        return renamed(shipped(path), answers.name)

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
        **{
            f"{places.includes}/{each}.conf": own(f"{_SNIPPETS}/{each}.conf")
            for each in ("watchtower", "limit", "upgrade")
        },
        **{f"{places.includes}/{each}.conf": _ends(own(f"{_SNIPPETS}/{each}.conf"), answers) for each in ends},
        TEMPLATE: template,
        ENVIRONMENT: environment,
        IGNORED: _ignoring(there(IGNORED) or ""),
        WORKFLOW: workflow(own(WORKFLOW), answers),
        DOCTOR: workflow(own(EXAMINES), answers),
    }


def _ignoring(text: str) -> str:
    """Return a `.gitignore` that keeps the environment file out, whatever else it says."""
    lines = text.splitlines()
    if tuple(lines[-len(_KEPT_OUT) :]) == _KEPT_OUT:
        return text
    return "\n".join([*lines, *_KEPT_OUT, ""])


def asked_about(answers: Answers) -> set[str]:
    """Return the names of the settings that come from the answers; their values are not secret."""
    return set(_settings(answers))


def _settings(answers: Answers) -> dict[str, str]:
    """Return the settings that differ from the kit's defaults."""
    found = {
        # Otherwise Compose names every project after its folder, which is always `deploy`.
        "COMPOSE_PROJECT_NAME": answers.name,
        "BACKEND_IMAGE": str(answers.image),
        "SERVICE_PORT": str(answers.port),
    }
    if _check(answers.framework):
        found["HEALTH_PATH"] = answers.health_path
    if answers.nginx is Nginx.COMPOSE and answers.tls is Tls.NGINX:
        found["TLS_CERTS"] = Places(answers).certificates
    return found


def _compose(text: str, answers: Answers) -> str:
    """Return the compose file for this image, without what only the portfolio's service needs."""
    text = cut(text, "    environment:\n      ALLOWED_ORIGINS", f"      - {answers.name}_rag_data:/data\n")
    text = put(text, f"volumes:\n  {answers.name}_rag_data:\n\n", "")
    text = put(text, IMAGE, str(answers.image))
    text = put(text, "      # For an image without python3 give another `test` in your own file.\n", "")
    program = _check(answers.framework)
    begin = text.index("    healthcheck:\n")
    end = text.index("    mem_limit: ${BACKEND_MEMORY")
    if not program:
        text = text[:begin] + text[end:]
    elif answers.framework is not Framework.FASTAPI:
        text = put(text, text[text.index("        - CMD\n") : text.index("      interval:")], program)
    if answers.pages and answers.nginx is Nginx.COMPOSE:
        mount = f"      - ./nginx/{answers.name}:/etc/nginx/{answers.name}:ro\n"
        text = put(text, mount, f"{mount}      - ./pages:/usr/share/nginx/html:ro\n")
    return text


def _check(framework: Framework) -> str:
    """Return the health check of the container, run by its own runtime, which is certainly there; otherwise empty."""
    url = "http://127.0.0.1:${SERVICE_PORT:-8000}${HEALTH_PATH:-/api/ready}"
    match framework:
        case Framework.FASTAPI:
            return "python3"  # as the shipped file has it
        case Framework.RAILS:  # which may redirect to https, or reject the host name: it is up then, too
            code = f'exit Net::HTTP.get_response(URI("{url}")).code.to_i < 500'
            return f"        - CMD\n        - ruby\n        - -rnet/http\n        - -e\n        - '{code}'\n"
        case Framework.NEXTJS:
            ended = "r => process.exit(r.status < 500 ? 0 : 1), () => process.exit(1)"
            code = f'fetch("{url}", {{redirect: "manual"}}).then({ended})'
            return f"        - CMD\n        - node\n        - -e\n        - '{code}'\n"
        case Framework.STATIC | Framework.OTHER:  # any web server may be in the image, and any program beside it
            return ""


def _environment(text: str, answers: Answers) -> str:
    """Return the template of the environment file."""
    text = cut(text, "# What the backend knows about its own address.\n", "#BACKEND_URL=https://api.leoklemet.com\n\n")
    if not _check(answers.framework):
        text = put(text, "names the port, too), and where its health check is.\n", "names the port, too).\n")
        text = put(text, "#HEALTH_PATH=/api/ready\n", "")
    text = put(text, IMAGE, str(answers.image))
    for name, value in _settings(answers).items():
        text = with_setting(text, name, value)
    return text


def _server(text: str, answers: Answers) -> str:
    """Return an nginx file for this domain and port; it limits only requests to Watchtower."""
    text = re.sub(r"(?m)^limit_req_zone .* zone=api:.*\n", "", text)
    text = text.replace(" default_server;", ";")
    text = re.sub(r"server_name [^;]+;", f"server_name {answers.domain};", text)
    if answers.nginx is Nginx.COMPOSE:
        return put(text, "set $backend backend:8000;", f"set $backend backend:{answers.port};")
    return text


def _ends(text: str, answers: Answers) -> str:
    """Return a snippet that says where TLS ends; nginx on the host has a folder of certificates for each service."""
    on_the_host = answers.nginx is Nginx.HOST
    return text.replace("certs/", f"{answers.name}/certs/") if on_the_host else text


def _paths(text: str, answers: Answers) -> str:
    """Return the snippet with the locations."""
    text = put(text, "    limit_req zone=api burst=15 nodelay;\n", "")
    if not answers.pages:
        return text[: text.index("location /api/ {")] + _ALL_TO_THE_SERVICE
    apart = [each for each in (answers.health_path, answers.version_path) if each and not each.startswith("/api/")]
    exact = "".join(f"location = {each} {{\n    proxy_pass http://$backend;\n}}\n\n" for each in dict.fromkeys(apart))
    text = put(text, "location = /ready {\n    proxy_pass http://$backend;\n}\n\n", exact)
    return text.replace("root /usr/share/nginx/html", f"root {Places(answers).pages}")


_ALL_TO_THE_SERVICE = """\
location / {
    proxy_buffering off; # responses are streamed
    proxy_read_timeout 300s;
    proxy_pass http://$backend;
}
"""
