"""The questions of `init`: how each answer is read, and its default."""

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
    """What the service is made with, as far as that decides defaults."""

    FASTAPI = "fastapi"
    RAILS = "rails"
    NEXTJS = "nextjs"
    OTHER = "other"

    @property
    def port(self) -> str:
        """Where its image listens unless told otherwise."""
        return {Framework.RAILS: "80", Framework.NEXTJS: "3000"}.get(self, "8000")

    @property
    def health_path(self) -> str:
        """Where it usually says that it is well: Rails from 7.1 on has `/up`, Next.js nothing but its pages."""
        return {Framework.RAILS: "/up", Framework.NEXTJS: "/"}.get(self, "/api/ready")

    @property
    def answers_with_a_page(self) -> bool:
        """Whether that answer is HTML."""
        return self in (Framework.RAILS, Framework.NEXTJS)

    @property
    def has_document(self) -> bool:
        """Whether it may serve an OpenAPI document."""
        return not self.answers_with_a_page


@dataclass(frozen=True)
class Answers:
    """What there is to know of a service and its server."""

    domain: str
    image: image.Image
    private: bool
    """Whether the registry gives the image only to those who log in."""
    framework: Framework
    port: int
    """Where the service listens in its container."""
    health_path: str
    version_path: str
    """Where the service names its build; empty where it does not, or at the health path."""
    version_field: str
    name: str
    """What folder, Compose project and containers are called."""
    environment: str
    """The GitHub environment that holds the secrets; empty where the repository does."""
    nginx: Nginx
    tls: Tls
    access: bool
    """Whether Cloudflare Access stands before the domain."""
    pages: bool
    """Whether nginx serves pages of its own beside the service."""


@dataclass(frozen=True)
class Question:
    """What is asked where the flag of this name is not given."""

    name: str
    text: str
    clean: Callable[[str], object]
    default: Callable[[Mapping[str, object]], str] = lambda _: ""
    """What is assumed, given the answers before."""
    choices: tuple[str, ...] = ()
    optional: bool = False
    """Whether an empty answer will do."""

    @property
    def field(self) -> str:
        """Its name among the answers."""
        return self.name.replace("-", "_")

    def answer(self, text: str) -> object:
        """Return the answer that a text means.

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
        msg = "is no host name; write `api.example.com`, without `https://` and without a path"
        raise ValueError(msg)
    return text.lower()


def tagged(text: str) -> image.Image:
    """Return the image that a reference names by a tag."""
    named = image.parse(text)
    if named.digest:
        msg = "names a digest, which no new build will have; give the tag that is pushed"
        raise ValueError(msg)
    if "/" not in named.name:
        msg = f"names no registry and no owner; write `ghcr.io/owner/{named.name}`, or `owner/{named.name}` for Docker Hub"
        raise ValueError(msg)
    return named


def port(text: str) -> int:
    """Return a port."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        msg = "is no port; write a number from 1 to 65535"
        raise ValueError(msg)
    return int(text)


def path(text: str) -> str:
    """Return a path that nginx, Compose and YAML take as it is."""
    if not _PATH.fullmatch(text) or text.startswith("//"):
        msg = "is no path; write `/api/ready`, without a host and without a query"
        raise ValueError(msg)
    if text == "/healthz" or text.startswith("/ops/"):
        msg = "is nginx's own in this kit, and says nothing of the service; give the service another, such as `/api/ready`"
        raise ValueError(msg)
    return text


def version_field(text: str) -> str:
    """Return what names the version in an answer; what the action makes of it, the action says."""
    if not text.isprintable() or "${{" in text:
        msg = "is no field; write `git_sha`, `build.sha` or `header:X-Version`"
        raise ValueError(msg)
    return text


def name(text: str) -> str:
    """Return a name that folders, containers and Compose take."""
    if not _NAME.fullmatch(text):
        msg = "is no name; write at most 30 lower-case letters, digits and single hyphens, such as `shop`"
        raise ValueError(msg)
    if text in _TAKEN:
        msg = f"is taken: nginx or the compose file calls something else so; `{text}-app` would do"
        raise ValueError(msg)
    return text


def environment(text: str) -> str:
    """Return the name of a GitHub environment; empty for `none`."""
    if text.lower() == REPOSITORY:
        return ""
    if not _ENVIRONMENT.fullmatch(text):
        msg = f"is no name of a GitHub environment; write `production`, or `{REPOSITORY}` for secrets of the repository"
        raise ValueError(msg)
    return text


def yes(text: str) -> bool:
    """Return whether the answer is yes."""
    if text.lower() not in {"y", "yes", "n", "no"}:
        msg = "is neither `yes` nor `no`"
        raise ValueError(msg)
    return text.lower().startswith("y")


def _named_after_the_image(before: Mapping[str, object]) -> str:
    """Return the name of the image without its owner, as far as it is one."""
    named = before.get("image")
    last = named.path.rpartition("/")[2] if isinstance(named, image.Image) else ""
    found = re.sub(r"[^a-z0-9]+", "-", last).strip("-0123456789")[:30].strip("-")
    return f"{found}-app" if found in _TAKEN else found or "app"


def _by_framework(wanted: Callable[[Framework], str]) -> Callable[[Mapping[str, object]], str]:
    return lambda before: wanted(found if isinstance(found := before.get("framework"), Framework) else Framework.OTHER)


def _usually(text: str) -> Callable[[Mapping[str, object]], str]:
    return lambda _: text


_EITHER = ("yes", "no")
QUESTIONS = (
    Question("domain", "host name of the service, such as api.example.com", domain),
    Question("image", "its image, such as ghcr.io/owner/app:latest", tagged),
    Question("private", "whether the image is private", yes, _usually("no"), _EITHER),
    Question(
        "framework",
        "what it is made with",
        lambda text: Framework(choice(text.lower(), Framework)),
        _usually(Framework.OTHER),
        tuple(Framework),
    ),
    Question("port", "port that it listens on in its container", port, _by_framework(lambda each: each.port)),
    Question("health-path", "path that says whether it is well", path, _by_framework(lambda each: each.health_path)),
    Question("version-path", "path that names its version or commit, if another one does", path, optional=True),
    Question("version-field", "field of that answer, such as git_sha", version_field, optional=True),
    Question("name", "name for folder, Compose project and containers", name, _named_after_the_image),
    Question(
        "environment",
        f"GitHub environment for the secrets, or `{REPOSITORY}` for secrets of the repository",
        environment,
        _usually("production"),
    ),
    Question("nginx", "where nginx runs", lambda text: Nginx(choice(text, Nginx)), _usually("host"), tuple(Nginx)),
    Question("tls", "what ends TLS", lambda text: Tls(choice(text, Tls)), _usually("tunnel"), tuple(Tls)),
    Question("access", "whether Cloudflare Access stands before it", yes, _usually("no"), _EITHER),
    Question("pages", "whether nginx serves pages of its own, too", yes, _usually("no"), _EITHER),
)
