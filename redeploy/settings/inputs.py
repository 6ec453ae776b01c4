"""The inputs, from strings to a `Plan`; every problem of every input is found in one go."""

import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from redeploy.contract.reference import Reference
from redeploy.contract.settings import Breaking, Checks
from redeploy.contract.smoke import Smoke
from redeploy.http import urls
from redeploy.http.urls import origin_of
from redeploy.registry.access import Access
from redeploy.service.endpoint import Service
from redeploy.settings import parsers
from redeploy.settings.defaults import DEFAULTS, SECRET_INPUTS, given, secrets_in
from redeploy.settings.plan import Mode, OnFailure, Plan
from redeploy.text import choice
from redeploy.text.secret import SHORTEST_HEADER, Secret, redactor
from redeploy.triggers.watchtower.endpoints import Watchtower
from redeploy.verdicts import Proof

if TYPE_CHECKING:  # few runs name routes, or images
    from redeploy.contract.routes import Pattern
    from redeploy.registry.image import Image

CERTIFICATE_CAP = 1024 * 1024
"""Bytes of a PEM file."""


_UNSET = (
    "is empty: the secret `{secret}` is probably not set, or it is an environment secret and the job has no "
    "`environment:`. Set it with `gh secret set {secret}`, or `gh secret set {secret} --env your-environment`"
)

UNMATCHED = (
    "containrrr and openserbia match no image whose registry has a port, so they update nothing. Leave `image` out, or "
    "narrow the update by `container`, which nicholas-fedor 1.20 and newer understand."
)
"""Why an update that is narrowed to an image may leave it as it is."""


_CREDENTIAL = re.compile(r"auth|token|secret|passw|key|cookie|credential", re.IGNORECASE)

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Problem:
    """What is wrong with one input."""

    input: str
    message: str


class InvalidInputsError(Exception):
    """Some inputs are wrong; nothing was sent."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} invalid inputs")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Workspace:
    """What reading the inputs needs of the outside."""

    read: Callable[[str, int], str]
    """The text of a file in the workspace that has at most so many bytes; raises `ValueError` with what is wrong."""
    check_certificate: Callable[[str], None]
    """Raises `ValueError` where PEM text holds no usable certificate."""


def parse(environment: Mapping[str, str], workspace: Workspace) -> Plan:
    """Return the plan that the inputs make.

    Raises:
        InvalidInputsError: with every problem of every input.
    """
    return _Reader(given(environment), workspace, lambda: redactor(secrets_in(environment))).plan()


class _Reader:
    """Cleans input after input and gathers what is wrong."""

    def __init__(
        self, texts: dict[str, str], workspace: Workspace, redactor: Callable[[], Callable[[str], str]]
    ) -> None:
        self._texts = texts
        self._workspace = workspace
        self._redactor = redactor
        self._problems: list[Problem] = []
        self._warnings: list[str] = []

    def plan(self) -> Plan:
        self._refuse_expressions()
        mode = self._clean("mode", lambda text: Mode(choice.choice(text, Mode)), Mode.DEPLOY)
        self._allow_http = self._clean("allow-http", parsers.boolean, fallback=True)
        update_url = self._clean("watchtower-url", self._update_url, "")
        token = self._clean("watchtower-token", parsers.token, "")
        if mode is not Mode.VERIFY:
            for name, secret in (
                ("watchtower-url", "WATCHTOWER_UPDATE_URL"),
                ("watchtower-token", "WATCHTOWER_HTTP_API_TOKEN"),
            ):
                if not self._texts[name] and not self._has_problem(name):
                    self._wrong(name, _UNSET.format(secret=secret))
        images = self._images()
        watchtower = Watchtower(
            update_url=update_url or None,
            containers_url=self._containers_url(update_url, known=bool(token)),
            check_url=_beside(update_url, "check"),
            metrics_url=_beside(update_url, "metrics"),
            token=Secret(token),
            images=tuple(dict.fromkeys(each.name for each in images)),
            containers=self._clean(
                "container", lambda text: tuple(dict.fromkeys(map(parsers.container, parsers.listed(text)))), ()
            ),
        )
        service = self._service(update_url)
        headers = self._headers()
        of_image = self._texts["expect-version"] == "image"
        plan = Plan(
            mode=mode,
            watchtower=watchtower,
            service=service,
            checks=self._checks(service.base_url),
            expect_version="" if of_image else self._clean("expect-version", parsers.version, ""),
            expect_digest=self._clean("expect-digest", parsers.digest, ""),
            require_proof=self._clean("require-proof", _proof, Proof.NONE),
            timeout=self._clean("timeout", parsers.duration, 1.0),
            stable_for=self._clean("stable-for", lambda text: parsers.duration(text, zero=True), 1.0),
            request_timeout=self._clean("request-timeout", parsers.duration, 1.0),
            rate=self._clean("request-rate", parsers.rate, None),
            headers=headers,
            header_origins=frozenset(origin_of(url) for url in (update_url, service.base_url) if url),
            ca_certificate=self._clean("ca-certificate", self._certificate, ""),
            image=next(iter(images)) if len(images) == 1 else None,
            images=images,
            access=self._access(),
            version_of_image=of_image,
            on_failure=self._clean(
                "on-failure", lambda text: OnFailure(choice.choice(text, OnFailure)), OnFailure.KEEP
            ),
            rollback_to=self._clean("rollback-to", parsers.tag_or_digest, ""),
            deployment_environment=self._clean("deployment-environment", parsers.environment, ""),
            github_token=Secret(self._github_token()),
        )
        self._check_together(plan)
        if self._problems:
            raise InvalidInputsError(self._problems)
        self._doubt(plan, images)
        return replace(plan, warnings=tuple(self._warnings))

    def _refuse_expressions(self) -> None:
        """Refuse what GitHub would have expanded anywhere but where it was written."""
        for name, text in self._texts.items():
            if "${{" in text:
                self._wrong(
                    name,
                    "holds `${{`, an expression that was not expanded: GitHub expands it in a workflow's `with:`, and not "
                    "in a secret, a variable or a file",
                )
                self._texts[name] = DEFAULTS[name]

    def _doubt(self, plan: Plan, images: "Sequence[Image]") -> None:
        """Warn of what is valid and can hardly be meant."""
        if parsers.moves(plan.expect_version):
            self._warnings.append(
                f"`expect-version` is `{plan.expect_version}`, a word that moves from build to build: the service must name "
                "itself exactly so. Declare the commit, `${{ github.sha }}`, or the number of the version."
            )
        ports = [each.name for each in images if ":" in each.registry]
        if ports and plan.mode is Mode.DEPLOY:
            self._warnings.append(f"`image` names `{ports[0]}`, whose registry has a port. {UNMATCHED}")
        for name, value in plan.headers.items():
            if len(value.reveal()) < SHORTEST_HEADER and _CREDENTIAL.search(name):
                self._warnings.append(
                    f"The value of the header `{name}` has fewer than {SHORTEST_HEADER} characters, so it is neither masked "
                    "nor hidden in texts that repeat it."
                )

    def _check_together(self, plan: Plan) -> None:
        proof = plan.require_proof
        if plan.mode is Mode.VERIFY and proof in (Proof.CLAIM, Proof.CHANGE):
            self._wrong(
                "require-proof",
                f"`{proof.word}` cannot be had in mode `verify`, which has no before; use `version` or `digest`",
            )
        if proof is Proof.VERSION and not self._texts["expect-version"]:
            self._wrong("require-proof", "`version` needs `expect-version`, such as `${{ github.sha }}`")
        if proof is Proof.DIGEST and not self._texts["expect-digest"] and plan.mode is not Mode.ROLLBACK:
            self._wrong("require-proof", "`digest` needs `expect-digest`, an output of docker/build-push-action")
        self._check_rollback(plan)
        if plan.version_of_image and plan.image is None and not self._has_problem("image"):
            self._wrong("expect-version", "`image` needs `image` to name one image, whose registry tells its commit")
        for name, other in (("registry-username", "registry-password"), ("registry-password", "registry-username")):
            if self._texts[name] and not self._texts[other]:
                self._wrong(other, f"is empty, and `{name}` needs it; if it is a secret, it is probably not set")
        named = ("watchtower-url", "watchtower-token", "containers-url")
        if (
            self._texts["expect-digest"]
            and not plan.watchtower.containers_url
            and not any(map(self._has_problem, named))
        ):
            needs = (
                "`containers-url`, because `watchtower-url` does not end in `/update`"
                if self._texts["watchtower-token"]
                else "`watchtower-token` and a containers URL, which tell the running digest"
            )
            self._wrong("expect-digest", f"needs {needs}")

    def _check_rollback(self, plan: Plan) -> None:
        rolls_back = plan.on_failure is OnFailure.ROLLBACK
        if rolls_back and plan.mode is not Mode.DEPLOY:
            why = "is a rollback itself" if plan.mode is Mode.ROLLBACK else "puts nothing live that could fail"
            self._wrong("on-failure", f"`rollback` is for mode `deploy`; mode `{plan.mode}` {why}, so leave it out")
        if plan.may_roll_back and (plan.image is None or plan.image.digest) and not self._has_problem("image"):
            asked = "mode `rollback`" if plan.mode is Mode.ROLLBACK else "`on-failure: rollback`"
            self._wrong(
                "image",
                f"must name exactly one image for {asked}, by the tag that the container runs and not by digest, such as "
                "`ghcr.io/owner/app:latest`; that tag is what is put back",
            )
        if self._texts["rollback-to"] and not plan.may_roll_back:
            self._wrong("rollback-to", "says what to put back, but nothing does: add `on-failure: rollback`")
        if plan.image is not None and not plan.image.bare and plan.rollback_to == plan.image.tag:
            self._wrong("rollback-to", "names the very tag that is put back; give another tag, or a digest")
        if plan.mode is Mode.ROLLBACK and self._texts["expect-digest"]:
            self._wrong("expect-digest", "is for a deploy; in mode `rollback`, `rollback-to` says what must be live")

    def _images(self) -> "tuple[Image, ...]":
        """Return the images.

        Watchtower gets their repositories: containrrr and openserbia match nothing when a tag is given (`filters.go:105`);
        the fork matches either way.
        """

        def read(text: str) -> "tuple[Image, ...]":
            from redeploy.registry import image

            return tuple(dict.fromkeys(map(image.parse, parsers.listed(text))))

        return self._clean("image", read, ())

    def _access(self) -> Access:
        return Access(
            self._clean("registry-username", parsers.username, ""),
            Secret(self._clean("registry-password", parsers.password, "")),
            self._allow_http,
        )

    def _update_url(self, text: str) -> str:
        url = urls.url(text, allow_http=self._allow_http)
        path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
        if not path:
            msg = "has no path; give the full URL of the update endpoint, such as `https://api.example.com/ops/watchtower/update`"
            raise ValueError(msg)
        names = {name for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True)}
        if unfit := names & {"async", "timeout"}:
            msg = f"has `{min(unfit)}` in its query, which makes Watchtower's answer worthless; remove it"
            raise ValueError(msg)
        return url

    def _containers_url(self, update_url: str, *, known: bool) -> str | None:
        """Return where the containers are told; None where nothing says so, or the token is not `known`."""
        given = self._clean("containers-url", lambda text: urls.url(text, allow_http=self._allow_http), "")
        beside = None if self._texts["containers-url"] else _beside(update_url, "containers")
        return (given or beside) if known else None

    def _service(self, update_url: str) -> Service:
        base = self._clean("base-url", self._base_url, "") or (origin_of(update_url) if update_url else "")
        if (
            not base
            and not self._texts["base-url"]
            and not self._texts["watchtower-url"]
            and not self._has_problem("watchtower-url")
        ):
            self._wrong("base-url", "is empty, and there is no `watchtower-url` to take the origin from")
        health = self._clean("health-path", lambda text: self._address(text, base), base)
        version = self._clean("version-path", lambda text: self._address(text, base), "")
        return Service(
            base_url=base,
            health_url=health,
            version_url=version or health,
            names_itself=bool(version),
            health_expect=self._clean("health-expect", parsers.health_expectation, ""),
            version_field=self._clean("version-field", parsers.field, ""),
        )

    def _checks(self, base: str) -> Checks:
        off = self._texts["openapi-path"] == "off"
        document = None if off else self._clean("openapi-path", lambda text: self._address(text, base), None)
        checks = Checks(
            document_url=document,
            required=self._clean("required-routes", _patterns, ()),
            forbidden=self._clean("forbidden-routes", _patterns, ()),
            reference=self._clean("openapi-reference", self._reference, None),
            breaking=self._clean("breaking-changes", _breaking, Breaking.WARN),
            smoke=self._clean("smoke", lambda text: self._smoke(text, base), ()),
        )
        for name in ("required-routes", "forbidden-routes", "openapi-reference"):
            if off and self._texts[name]:
                self._wrong(name, "needs the service's OpenAPI document, and `openapi-path` is `off`")
        return checks

    def _smoke(self, text: str, base: str) -> tuple[Smoke, ...]:
        from redeploy.contract.smoke import parse_smoke

        def read(line: str) -> Smoke:
            method, target, status, marked = parse_smoke(line)
            return Smoke(method, target, status, self._address(target, base), marked)

        return _each(text, read)

    def _reference(self, path: str) -> Reference:
        from redeploy.contract import reference

        return reference.read(path, self._workspace.read(path, reference.CAP))

    def _address(self, text: str, base: str) -> str:
        return parsers.path_or_url(text, base, allow_http=self._allow_http)

    def _base_url(self, text: str) -> str:
        url = urls.url(text, allow_http=self._allow_http)
        if "?" in url:
            msg = "has a query; paths are appended to it, so give `https://host` or `https://host/prefix`"
            raise ValueError(msg)
        return url.rstrip("/")

    def _headers(self) -> dict[str, Secret]:
        headers: dict[str, Secret] = {}
        for number, line in enumerate(re.split(r"\r\n|\n|\r", self._texts["headers"]), 1):
            if not line.strip():
                continue
            try:
                name, value = parsers.header(line)
            except ValueError as error:
                self._wrong("headers", f"line {number} {error}")
                continue
            if name.lower() in map(str.lower, headers):
                self._wrong("headers", f"line {number} gives `{name}` a second time")
            headers[name] = Secret(value)
        return headers

    def _certificate(self, text: str) -> str:
        pem = text if "-----BEGIN" in text else self._workspace.read(text, CERTIFICATE_CAP)
        self._workspace.check_certificate(pem)
        return pem

    def _github_token(self) -> str:
        """Return the token, which is looked at only where something is to be written with it."""
        if not self._texts["deployment-environment"]:
            return ""
        if not self._texts["github-token"]:
            self._wrong(
                "github-token",
                "is empty, and `deployment-environment` needs it; leave it out, or pass `${{ github.token }}`",
            )
        return self._clean("github-token", parsers.token, "")

    def _clean(self, name: str, cleaner: Callable[[str], _Value], fallback: _Value) -> _Value:
        """Return the cleaned input, or `fallback` where it is empty or, once the problem is noted, wrong."""
        text = self._texts[name]
        if not text:
            return fallback
        try:
            return cleaner(text)
        except ValueError as error:
            self._wrong(name, str(error) if name in SECRET_INPUTS else self._said(cleaner, text, str(error)))
            return fallback

    def _said(self, cleaner: Callable[[str], _Value], text: str, message: str) -> str:
        """Return what is wrong with a text that may hold a secret: a message quotes it, and cuts what it quotes."""
        hidden = self._redactor()(text)
        if hidden == text:
            return message
        try:
            cleaner(hidden)
        except ValueError as error:
            return str(error)
        return "holds a secret"

    def _wrong(self, name: str, message: str) -> None:
        self._problems.append(Problem(name, message))

    def _has_problem(self, name: str) -> bool:
        return any(problem.input == name for problem in self._problems)


def _beside(update_url: str, endpoint: str) -> str | None:
    """Return the URL of another endpoint, where the update's path tells how these are routed."""
    path, _, _ = update_url.partition("?")
    return f"{path.removesuffix('update')}{endpoint}" if path.endswith("/update") else None


def _each(text: str, read: Callable[[str], _Value]) -> tuple[_Value, ...]:
    """Return what the lines of an input say, each once; raises `ValueError` with what is wrong in any of them."""
    found: dict[_Value, None] = {}
    wrong: list[str] = []
    for line in parsers.lines(text):
        try:
            found[read(line)] = None
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(found)


def _patterns(text: str) -> "tuple[Pattern, ...]":
    from redeploy.contract.routes import parse_pattern

    return _each(text, parse_pattern)


def _breaking(text: str) -> Breaking:
    return Breaking(choice.choice(text, Breaking))


def _proof(text: str) -> Proof:
    return Proof[choice.choice(text, (each.word for each in Proof)).upper()]
