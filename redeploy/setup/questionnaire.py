"""The questions of `init`: how each answer is read, and what the default is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from redeploy.registry import image
from redeploy.text.choice import choice

_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PATH = re.compile(r"/[A-Za-z0-9/_.~-]*")
_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,29}")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]{0,98}[A-Za-z0-9])?")
_TAKEN = frozenset({"conf.d", "nginx", "certs", "snippets", "modules", "backend", "watchtower"})
"""Names that nginx's folder, or the compose file, already gives to something else."""

REPOSITORY = "none"
"""In place of a GitHub environment: the secrets are the repository's."""


class Nginx(StrEnum):
    """Where nginx runs."""

    HOST = "host"
    COMPOSE = "compose"


class Tls(StrEnum):
    """What ends TLS."""

    TUNNEL = "tunnel"
    NGINX = "nginx"


class Framework(StrEnum):
    """The service's framework, which decides defaults."""

    FASTAPI = "fastapi"
    RAILS = "rails"
    NEXTJS = "nextjs"
    STATIC = "static"
    OTHER = "other"

    @property
    def port(self) -> str:
        """The port that its image listens on by default."""
        return {Framework.RAILS: "80", Framework.STATIC: "80", Framework.NEXTJS: "3000"}.get(self, "8000")

    @property
    def health_path(self) -> str:
        """Its usual health check: Rails from 7.1 on has `/up`; Next.js and a static site have only their pages."""
        return {Framework.RAILS: "/up", Framework.NEXTJS: "/", Framework.STATIC: "/"}.get(self, "/api/ready")

    @property
    def answers_with_a_page(self) -> bool:
        """Whether that response is HTML."""
        return self in (Framework.RAILS, Framework.NEXTJS, Framework.STATIC)

    @property
    def has_document(self) -> bool:
        """Whether it may serve an OpenAPI document."""
        return not self.answers_with_a_page


@dataclass(frozen=True)
class Answers:
    """What `init` knows about a service and its server."""

    domain: str
    image: image.Image
    private: bool
    """Whether the registry requires a login to pull the image."""
    framework: Framework
    port: int
    """The service's port in its container."""
    health_path: str
    version_path: str
    """The path where the service reports its build; empty if there is none, or if it is the health path."""
    version_field: str
    name: str
    """The name of folder, Compose project and containers."""
    environment: str
    """The GitHub environment with the secrets; empty if they are the repository's."""
    nginx: Nginx
    tls: Tls
    access: bool
    """Whether Cloudflare Access is in front of the domain."""
    pages: bool
    """Whether nginx serves its own pages beside the service."""


@dataclass(frozen=True)
class Question:
    """What `init` asks if the flag of this name is not given."""

    name: str
    text: str
    clean: Callable[[str], object]
    default: Callable[[Mapping[str, object]], str] = lambda _: ""
    """The default, from the answers before."""
    choices: tuple[str, ...] = ()
    optional: bool = False
    """Whether the answer may be empty."""

    @property
    def field(self) -> str:
        """Its field in the answers."""
        return self.name.replace("-", "_")

    def answer(self, text: str) -> object:
        """Return the answer in a text.

        Raises:
            ValueError: with what is wrong.
        """
        if text:
            return self.clean(text)
        if self.optional:
            return ""
        msg = "is missing"
        raise ValueError(msg)


def domain(text: str) -> str:
    """Return a host name in lower case.

    Raises:
        ValueError: with what is wrong; so do the others.
    """
    if not _DOMAIN.fullmatch(text.lower()):
        msg = "is not a host name; write `api.example.com`, without `https://` and without a path"
        raise ValueError(msg)
    return text.lower()


def tagged(text: str) -> image.Image:
    """Return the image of a reference, which must have a tag and not a digest."""
    named = image.parse(text)
    if named.digest:
        msg = "has a digest, which no new build will have; write the tag that you push"
        raise ValueError(msg)
    if "/" not in named.name:
        msg = (
            f"has no registry and no owner; write `ghcr.io/owner/{named.name}`, or `owner/{named.name}` for Docker Hub"
        )
        raise ValueError(msg)
    return named


def port(text: str) -> int:
    """Return a port."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        msg = "is not a port; write a number from 1 to 65535"
        raise ValueError(msg)
    return int(text)


def path(text: str) -> str:
    """Return a path that nginx, Compose and YAML accept unchanged."""
    if not _PATH.fullmatch(text) or text.startswith("//"):
        msg = "is not a path; write `/api/ready`, without a host and without a query"
        raise ValueError(msg)
    if text == "/healthz" or text.startswith("/ops/"):
        msg = "is nginx's own path here, and says nothing about the service; use another one, such as `/api/ready`"
        raise ValueError(msg)
    return text


def version_field(text: str) -> str:
    """Return the field of the version in a response; the action itself checks it further."""
    if not text.isprintable() or "${{" in text:
        msg = "is not a field; write `git_sha`, `build.sha` or `header:X-Version`"
        raise ValueError(msg)
    return text


def name(text: str) -> str:
    """Return a name that folders, containers and Compose accept."""
    if not _NAME.fullmatch(text):
        msg = "is not a name; write at most 30 lower-case letters, digits and single hyphens, such as `shop`"
        raise ValueError(msg)
    if text in _TAKEN:
        msg = f"is taken: nginx or the compose file uses it already; write, for example, `{text}-app`"
        raise ValueError(msg)
    return text


def environment(text: str) -> str:
    """Return the name of a GitHub environment; empty for `none`."""
    if text.lower() == REPOSITORY:
        return ""
    if not _ENVIRONMENT.fullmatch(text):
        msg = f"is not the name of a GitHub environment; write `production`, or `{REPOSITORY}` for the repository's secrets"
        raise ValueError(msg)
    return text


def yes(text: str) -> bool:
    """Return whether the answer is yes."""
    if text.lower() not in {"y", "yes", "n", "no"}:
        msg = "must be `yes` or `no`"
        raise ValueError(msg)
    return text.lower().startswith("y")


def _named_after_the_image(before: Mapping[str, object]) -> str:
    """Return a name made from the image's name without its owner."""
    named = before.get("image")
    last = named.path.rpartition("/")[2] if isinstance(named, image.Image) else ""
    found = re.sub(r"[^a-z0-9]+", "-", last).strip("-0123456789")[:30].strip("-")
    return f"{found}-app" if found in _TAKEN else found or "app"


def _by_framework(default: Callable[[Framework], str]) -> Callable[[Mapping[str, object]], str]:
    return lambda before: default(found if isinstance(found := before.get("framework"), Framework) else Framework.OTHER)


def _usually(text: str) -> Callable[[Mapping[str, object]], str]:
    return lambda _: text


_EITHER = ("yes", "no")
QUESTIONS = (
    Question("domain", "host name of the service, such as api.example.com", domain),
    Question("image", "its image, such as ghcr.io/owner/app:latest", tagged),
    Question("private", "whether the image is private", yes, _usually("no"), _EITHER),
    Question(
        "framework",
        "its framework",
        lambda text: Framework(choice(text.lower(), Framework)),
        _usually(Framework.OTHER),
        tuple(Framework),
    ),
    Question("port", "port that it listens on in its container", port, _by_framework(lambda each: each.port)),
    Question("health-path", "path of its health check", path, _by_framework(lambda each: each.health_path)),
    Question("version-path", "path that reports its version or commit, if it is another one", path, optional=True),
    Question(
        "version-field",
        "field of the version in that response, such as git_sha, header:X-Git-Sha or meta:git-sha",
        version_field,
        optional=True,
    ),
    Question("name", "name for folder, Compose project and containers", name, _named_after_the_image),
    Question(
        "environment",
        f"GitHub environment for the secrets, or `{REPOSITORY}` for secrets of the repository",
        environment,
        _usually("production"),
    ),
    Question("nginx", "where nginx runs", lambda text: Nginx(choice(text, Nginx)), _usually("host"), tuple(Nginx)),
    Question("tls", "what ends TLS", lambda text: Tls(choice(text, Tls)), _usually("tunnel"), tuple(Tls)),
    Question("access", "whether Cloudflare Access is in front of it", yes, _usually("no"), _EITHER),
    Question("pages", "whether nginx serves its own pages, too", yes, _usually("no"), _EITHER),
)
