"""What a message is about: host, URLs, container and image of this run, or placeholders for what is unknown."""

import re
import shlex
import urllib.parse
from dataclasses import dataclass, replace

from redeploy.settings.plan import Plan

_SLOT = re.compile("«([a-z-]+)»")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_NGINX_PATH = re.compile(r"/[A-Za-z0-9/_.~-]*")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is known; unknown texts are empty. Watchtower's URL is a secret, so only its host is here."""

    host: str = ""
    """The host that the message blames: Watchtower's, or the service's."""
    port: int = 443
    blames_service: bool = False
    """Whether that is the service's host."""
    service: str = ""
    """Its base URL; the next three are the whole URLs of its health, version and OpenAPI document."""
    health: str = ""
    version: str = ""
    document: str = ""
    container: str = ""
    """The service's container, as Docker names it."""
    image: str = ""
    environment: str = ""
    """The GitHub environment of the job, if an input names it: GitHub itself does not report it to a step."""

    def at(self, url: str) -> "Subject":
        """Return the subject with the host of a URL."""
        parts = urllib.parse.urlsplit(url)
        return replace(self, host=parts.hostname or "", port=parts.port or (80 if parts.scheme == "http" else 443))

    def filled(self, text: str) -> str:
        """Fill in the slots of a text; values inside shell commands are safe to paste."""
        if "«" not in text:
            return text
        return _SLOT.sub(lambda slot: self._value(slot[1]), text)

    def _value(self, slot: str) -> str:
        service = self.service or f"https://{self.host or 'your-host.example'}"
        match slot:
            case "host":
                return self.host or "your-host.example"
            case "authority":
                return f"{self.host or 'your-host.example'}:{self.port}"
            case "asked":
                health = _in_quotes(self.health or f"{service}/api/ready")
                return f"'{health}'" if self.blames_service else '-X POST "$WATCHTOWER_UPDATE_URL"'
            case "service":
                return _in_quotes(service)
            case "health":
                return _in_quotes(self.health or f"{service}/api/ready")
            case "version":
                return _in_quotes(self.version or self.health or f"{service}/api/version")
            case "document":
                return _in_quotes(self.document or f"{service}/openapi.json")
            case "document-path":
                path = urllib.parse.urlsplit(self.document).path
                return path if _NGINX_PATH.fullmatch(path) else "/openapi.json"
            case "container":
                return self.container if _CONTAINER.fullmatch(self.container) else "your-container"
            case "image":
                return self.image or "your-registry/your-image:tag"
            case "tagged":
                return self.image.partition("@")[0] or "your-registry/your-image:tag"
            case "env":
                return f" --env {shlex.quote(self.environment)}" if self.environment else ""
            case "env-note":
                return "" if self.environment else f"\n\n{_ENV_NOTE}"
        raise KeyError(slot)


NOTHING_KNOWN = Subject()
"""All placeholders."""


def subject_of(plan: Plan, *, blames_service: bool, container: str = "") -> Subject:
    """Return the subject of a run's messages; `container` is one that Watchtower has named."""
    service, update_url = plan.service, plan.watchtower.update_url or ""
    blames_service = blames_service or not update_url
    named = plan.containers
    return Subject(
        blames_service=blames_service,
        service=service.base_url,
        health=service.health_url,
        version=service.version_url,
        document=plan.checks.document_url or "",
        container=container.removeprefix("/") or (named[0] if len(named) == 1 else ""),
        image=str(plan.image) if plan.image else "",
        environment=plan.deployment_environment,
    ).at(service.base_url if blames_service else update_url)


_ENV_NOTE = (
    "If the job has an `environment:`, add `--env` and its name to `gh secret set`: the environment's secret wins over the "
    "repository's."
)


def _in_quotes(url: str) -> str:
    """Return a URL for use between single quotes in a shell; no input accepts white space in a URL."""
    return url.replace("'", "%27").replace("`", "%60")
