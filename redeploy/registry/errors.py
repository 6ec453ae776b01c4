"""Errors of a registry, in our own words: one response becomes one error."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.http.condition import described
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import SenderKind, sender_of
from redeploy.registry.image import Image

GITHUB = "ghcr.io"


class Kind(StrEnum):
    """What kind of trouble it is."""

    ABSENT = "absent"
    """The registry has no such manifest."""
    REFUSED = "refused"
    """The registry does not allow it."""
    UNREACHABLE = "unreachable"
    """The registry gave no usable response; it may give one later."""
    HOSTILE = "hostile"
    """The response is not a registry's, or cannot be trusted."""


class Scope(StrEnum):
    """What a token permits (distribution, `spec/auth/scope.md`)."""

    PULL = "pull"
    PUSH = "pull,push"


@dataclass(frozen=True)
class Trouble:
    """Why there is no manifest: one line of what was observed, and how to fix it, in Markdown."""

    kind: Kind
    sentence: str
    fix: str = ""


def trouble_of(http_result: HttpResult, image: Image, scope: Scope, *, known: bool) -> Trouble:
    """Return the error in a result without a manifest; `known`: whether credentials were sent."""
    registry = f"the registry `{image.registry}`"
    if isinstance(http_result, TransportError):
        if http_result.error_kind is ErrorKind.TOO_LARGE:
            return Trouble(Kind.HOSTILE, f"{registry} sends more than any manifest has")
        return Trouble(Kind.UNREACHABLE, f"{registry} does not respond: {http_result.seen}")
    code = _code(http_result)
    if not code and http_result.status < 500 and sender_of(http_result).kind in _IN_FRONT:
        sentence = f"{registry} was not reached, something in front of it responded: {described(http_result)}"
        return Trouble(Kind.HOSTILE, sentence, "Let the runner's requests through there, or leave `image` out.")
    answers = f"{registry} responds with {http_result.status}{f' {code}' if code else ''}"
    match http_result.status:
        case 401 | 403:
            return refusal(image, scope, known=known, status=f"{http_result.status} {code}".strip())
        case 404 if code in _HIDDEN and not known:
            return refusal(image, scope, known=known, status=f"404 {code}")
        case 404 if code or (scope is Scope.PULL and _may_be_a_registry(http_result)):
            return Trouble(Kind.ABSENT, f"{registry} has no `{image.path}{_target(image)}` ({f'404 {code}'.strip()})")
        case 405 if scope is Scope.PUSH:
            return Trouble(Kind.REFUSED, f"{registry} is read-only ({http_result.status} {code})".replace(" )", ")"))
        case 400 if scope is Scope.PUSH and code in _NOT_THERE:
            return Trouble(
                Kind.ABSENT, f"{registry} no longer has the parts of `{image.path}{_target(image)}` ({code})"
            )
        case 400 | 409 | 412 if scope is Scope.PUSH:
            said = f"{http_result.status} {code}".strip()
            message = f"{registry} does not allow `{image.path}{_target(image)}` to be moved ({said})"
            return Trouble(Kind.REFUSED, message, "If its tags are immutable, exempt this one: a rollback moves it.")
        case 429:
            return Trouble(Kind.UNREACHABLE, f"{answers}: too many requests")
        case status if status >= 500:
            return Trouble(Kind.UNREACHABLE, answers)
        case status if 300 <= status < 400:
            return Trouble(
                Kind.HOSTILE, f"{registry} redirects elsewhere ({status}), which is not followed for a manifest"
            )
        case _:
            return Trouble(Kind.HOSTILE, f"{answers}, which is not a registry's response")


def refusal(image: Image, scope: Scope, *, known: bool, status: str) -> Trouble:
    """Return the error of a missing permission."""
    verb = "read" if scope is Scope.PULL else "write"
    with_what = "`registry-username` and `registry-password`" if known else "a client without credentials"
    sentence = f"the registry `{image.registry}` does not let {with_what} {verb} `{image.path}` ({status})"
    if image.registry == GITHUB:
        given = (
            "" if known else "`registry-username: ${{ github.actor }}`, `registry-password: ${{ github.token }}` and "
        )
        fix = (
            f"Give {given}the job `permissions: packages: {verb}`, and let this repository use the package (package "
            f"settings, Manage Actions access). A personal access token needs the scope `{verb}:packages`."
        )
    elif known:
        fix = f"Use a user or token that may {verb} `{image.path}`: the scope is `repository:{image.path}:{scope}`."
    else:
        fix = f"Set `registry-username` and `registry-password` of a user who may {verb} `{image.path}`."
    return Trouble(Kind.REFUSED, sentence, fix)


def _target(image: Image) -> str:
    return f"@{image.digest}" if image.digest else f":{image.tag}"


def _may_be_a_registry(reply: Response) -> bool:
    """Return whether a 404 without one of the protocol's codes may come from a registry.

    A registry names the protocol in a header (distribution, `registry/api/errcode` and `handlers/app.go`), lists errors in
    its own form (Artifactory: `status` and `message`), or sends no body. The 404 of an application says nothing about an
    image: if the registry's name leads to another service, every tag would seem to be missing.
    """
    if "docker-distribution-api-version" in reply.headers:
        return True
    if not reply.body:
        return sender_of(reply).kind is not SenderKind.APPLICATION
    errors = reply.json.get("errors") if isinstance(reply.json, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and ("code" in first or "message" in first)


_IN_FRONT = (SenderKind.CHALLENGE, SenderKind.ACCESS, SenderKind.CLOUDFLARE, SenderKind.PROXY)
"""Senders that are not a registry. One that asks for a login may be a registry behind nginx's `auth_basic`."""

_NOT_THERE = frozenset({"BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})
"""Codes for a manifest whose parts are gone."""

_HIDDEN = frozenset({"NAME_UNKNOWN", "NOT_FOUND"})
"""Codes that hide private repositories, too."""

_CODES = frozenset(
    {
        "BLOB_UNKNOWN",
        "DENIED",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "MANIFEST_UNVERIFIED",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "NOT_FOUND",
        "SIZE_INVALID",
        "TAG_EXPIRED",
        "TAG_INVALID",
        "TOOMANYREQUESTS",
        "UNAUTHORIZED",
        "UNKNOWN",
        "UNSUPPORTED",
    }
)
"""The error codes of the protocol (OCI distribution specification, "Error Codes"), and others that registries use."""


def _code(reply: Response) -> str:
    """Return the registry's error code; empty if the response has none."""
    errors = reply.json.get("errors") if isinstance(reply.json, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    return code if isinstance(code, str) and code in _CODES else ""
