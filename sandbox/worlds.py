"""A world: a host with its service, a Watchtower, and the proxies in front of them, all on loopback."""

import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from sandbox.network.front import Fault, Front, passing
from sandbox.network.github import GitHub, Mishaps
from sandbox.server.builds import V1, V2, Build
from sandbox.server.deployers import StandIn
from sandbox.server.host import Host
from sandbox.server.process_pool import ProcessPool
from sandbox.server.registry import USER, RegistryServer, Ways
from sandbox.watchtower.variants import Variant, watchtower

UPDATE = "/ops/watchtower/update"
CONTAINERS = "/ops/watchtower/containers"
DETAILS = "/ops/watchtower/containers/details"
CHECK = "/ops/watchtower/check"
METRICS = "/ops/watchtower/metrics"
Certificate = Literal["private", "expired", "wrong-host", "ends-soon"]


@dataclass(frozen=True)
class Neighbour:
    """Another service of the host, which the same Watchtower updates."""

    before: Build = V1
    pushed: Build | None = V2
    image: str = "registry.test/o/web:latest"


@dataclass(frozen=True)
class Scene:
    """How a world is set up."""

    variant: Variant = "nicholas-fedor"
    before: Build = V1
    pushed: Build | None = V2
    """The build that the service's tag points to when the world begins; None: the running build."""
    flags: Mapping[str, object] = field(default_factory=dict)
    """Watchtower's settings, as in `sandbox.watchtower.updater.Settings`."""
    location: bool = True
    """Whether the front sends the update path to Watchtower; otherwise the service gets it."""
    details: bool = False
    """Whether the paths for containers and check exist too."""
    metrics: bool = False
    """Whether the path for metrics exists too."""
    front_listens: bool = True
    watchtower_listens: bool = True
    two_origins: bool = False
    """Whether the service has its own origin."""
    certificate: Certificate | None = None
    on_watchtower: Fault = passing
    on_service: Fault = passing
    image: str = "registry.test/o/api:latest"
    """With `{registry}` in it, the image is in the world's own registry."""
    registry: Ways = field(default_factory=Ways)
    deployer: str = ""
    """The other deployer, by its name in `sandbox.server.deployers`; empty: none."""
    deployer_works: bool = True
    """Whether that deployer really deploys."""
    neighbours: Mapping[str, Neighbour] = field(default_factory=dict)
    """By container name; each responds at its own origin, `{NAME:origin}`."""
    others: "Mapping[str, Scene]" = field(default_factory=dict)
    """Other hosts, each a world of its own: `{NAME:update}` and the like."""
    github: Mishaps = field(default_factory=dict)
    """The failures of GitHub."""
    finish: Callable[["World"], object] = lambda _: None
    """Final changes that need the world itself."""


class World:
    """A running world, with everything that a test checks."""

    def __init__(self, pool: ProcessPool, scene: Scene) -> None:
        # Characters that encodings and Markdown change, and hexadecimal digits, as `openssl rand -hex` prints them.
        self.token = f"wt_{secrets.token_urlsafe(9)}+{secrets.token_hex(8)}/="
        self.header_secret = f"cf {secrets.token_urlsafe(18)}"
        self.certificate_authority = ""
        tls = self._certify(scene.certificate) if scene.certificate else None
        self.registry = RegistryServer(scene.registry)
        self.host = Host(pool, scene.image.replace("{registry}", self.registry.name), build=scene.before)
        self.registry.content = self.host.registry
        self.pool = pool
        if scene.pushed is not None:
            self.host.push(scene.pushed)
        self.watchtower = watchtower(scene.variant, self.host, self.token, **scene.flags)
        port = self.watchtower.port
        locations = {UPDATE: (port, "/v1/update")} if scene.location else {}
        if scene.details:
            endpoints = {CONTAINERS: "/v1/containers", DETAILS: "/v1/containers/details", CHECK: "/v1/check"}
            locations |= {path: (port, inside) for path, inside in endpoints.items()}
        if scene.metrics:
            locations |= {METRICS: (port, "/v1/metrics")}
        self.front = Front(self.host.port, locations, tls=tls)
        self.service_front = Front(self.host.port, {}) if scene.two_origins else self.front
        self.neighbours = {name: self._settle(name, each) for name, each in scene.neighbours.items()}
        self.others = {name: World(pool, each) for name, each in scene.others.items()}
        self.foreign = Front(self.host.port, {}, host="127.0.0.2")
        self.front.on_watchtower = scene.on_watchtower
        self.service_front.on_service = scene.on_service
        self.github = GitHub(scene.github)
        self.deployer = StandIn(scene.deployer, self.host, works=scene.deployer_works) if scene.deployer else None
        self.baseline = ""
        """The report of the step before the deploy, if there was one."""
        scene.finish(self)
        if scene.watchtower_listens:
            self.watchtower.listen()
        for front in self._fronts():
            if scene.front_listens or front is self.foreign:
                front.listen()
        self.github.listen()
        self.registry.listen()
        if self.deployer:
            self.deployer.listen()

    @property
    def update_url(self) -> str:
        """The trigger URL."""
        return self.front.origin + UPDATE

    def fill(self, text: str) -> str:
        """Return an input's text with this world's values instead of `{...}`."""
        if text == "{baseline}":
            return self.baseline
        for name, other in self.others.items():
            parts = re.split(rf"\{{{name}:([\w:-]+)\}}", text)
            text = "".join(other.fill(f"{{{part}}}") if place % 2 else part for place, part in enumerate(parts))
        for name, front in self.neighbours.items():
            text = text.replace(f"{{{name}:origin}}", front.origin)
        return (
            text.replace("{update}", self.update_url)
            .replace("{watchtower}", f"http://127.0.0.1:{self.watchtower.port}/v1/update")
            .replace("{origin}", self.service_front.origin)
            .replace("{foreign}", self.foreign.origin)
            .replace("{token}", self.token)
            .replace("{header-secret}", self.header_secret)
            .replace("{image}", self.host.service.image)
            .replace("{registry}", self.registry.name)
            .replace("{registry-user}", USER)
            .replace("{registry-password}", self.registry.password)
            .replace("{ca}", self.certificate_authority)
        )

    @property
    def secrets(self) -> list[str]:
        """All secrets of the world, also of its other hosts."""
        own = [self.token, self.header_secret, self.update_url, self.registry.password, self.registry.basic]
        return own + [secret for other in self.others.values() for secret in other.secrets]

    def close(self) -> None:
        """Close everything, from back to front, so that nothing waits for a response that cannot come."""
        if self.deployer:
            self.deployer.close()
        for other in self.others.values():
            other.close()
        self.host.close()
        self.watchtower.close()
        for front in self._fronts():
            front.close()
        self.github.close()
        self.registry.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fronts(self) -> list[Front]:
        return list(dict.fromkeys([self.front, self.service_front, *self.neighbours.values(), self.foreign]))

    def _settle(self, name: str, neighbour: Neighbour) -> Front:
        image = neighbour.image.replace("{registry}", self.registry.name)
        container = self.host.add(name, image, neighbour.before, self.pool)
        container.wait_until_listening(10)
        if neighbour.pushed is not None:
            self.host.push(neighbour.pushed, image)
        return Front(container.port, {})

    def _certify(self, kind: Certificate) -> ssl.SSLContext:
        """A certificate of a private authority, with the given flaw."""
        import trustme  # takes a tenth of a second to import, and few worlds need it

        authority = trustme.CA()
        self.certificate_authority = authority.cert_pem.bytes().decode()
        names = ["api.elsewhere.test"] if kind == "wrong-host" else ["127.0.0.1"]
        ends = {
            "expired": datetime(2020, 1, 1, tzinfo=UTC),
            "ends-soon": datetime.now(UTC) + timedelta(days=5, hours=1),
        }
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, not_after=ends.get(kind)).configure_cert(context)
        return context
