"""Every input with its default, and which of them are secrets."""

import re
from collections.abc import Mapping

from redeploy.text.secret import SHORTEST, SHORTEST_HEADER, Secret, basic, of_authorization, of_url

DEFAULTS: Mapping[str, str] = {
    "mode": "deploy",
    "watchtower-url": "",
    "watchtower-token": "",
    "image": "",
    "container": "",
    "headers": "",
    "service-headers": "",
    "ca-certificate": "",
    "allow-http": "false",
    "base-url": "",
    "health-path": "/api/ready",
    "health-expect": "",
    "version-path": "",
    "version-field": "",
    "expect-version": "",
    "grace": "0s",
    "expect-digest": "",
    "wait-for-build": "false",
    "baseline": "",
    "containers-url": "",
    "require-proof": "none",
    "openapi-path": "/openapi.json",
    "required-routes": "",
    "forbidden-routes": "",
    "openapi-reference": "",
    "breaking-changes": "warn",
    "smoke": "",
    "max-downtime": "",
    "timeout": "5m",
    "stable-for": "5s",
    "instances": "1",
    "request-timeout": "10s",
    "request-rate": "30/m",
    "registry-username": "",
    "registry-password": "",
    "on-failure": "keep",
    "rollback-to": "",
    "config": "",
    "services": "",
    "deployment-environment": "",
    "issue-on-failure": "",
    "github-token": "",
}
"""Every input that the action reads, with the value that an empty one means. GitHub fills in the job's own token."""


SECRET_INPUTS = frozenset(
    {"watchtower-url", "watchtower-token", "github-token", "registry-password", "headers", "service-headers"}
)
"""Inputs that no message quotes."""


OF_RUN = frozenset(
    {
        "mode",
        "config",
        "services",
        "baseline",
        "wait-for-build",
        "deployment-environment",
        "issue-on-failure",
        "github-token",
    }
)
"""Inputs about the run as a whole: a config file has none of them."""

OF_HOST = ("watchtower-url", "watchtower-token", "containers-url", "headers", "ca-certificate", "allow-http")
"""Inputs about a Watchtower and the way to it: in a config file they are keys of a host."""

LISTED = frozenset({"image", "container", "health-expect", "required-routes", "forbidden-routes", "smoke"})
"""Inputs that a config file may give as a list."""

NAMED_VALUES = frozenset({"headers", "service-headers"})
"""Inputs that a config file may give as a mapping."""


def of_service() -> tuple[str, ...]:
    """Return the inputs about one service, its image or its checks: in a config file they are its keys."""
    return tuple(name for name in DEFAULTS if name not in OF_RUN and name not in OF_HOST)


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """Return every input, trimmed; an empty one becomes its default (reusable workflows pass `""` for "not given")."""
    texts = {name: environment.get(f"INPUT_{name.upper()}", "").strip() for name in DEFAULTS}
    return {name: text or DEFAULTS[name] for name, text in texts.items()}


def secrets_in(environment: Mapping[str, str]) -> tuple[Secret, ...]:
    """Return what must be masked before anything is printed, valid or not.

    The value of a header is not a secret if it is short, or if another input gives it openly.
    """
    return secrets_of(given(environment))


def secrets_of(texts: Mapping[str, str]) -> tuple[Secret, ...]:
    """Return the secrets in the texts of all inputs; as `secrets_in`."""
    firm = [
        _unquoted(texts[name]) for name in ("watchtower-token", "github-token", "watchtower-url", "registry-password")
    ]
    firm += [texts["watchtower-token"], texts["watchtower-token"].partition("=")[2], texts["registry-password"]]
    if texts["registry-password"]:
        firm.append(basic(texts["registry-username"], texts["registry-password"]))
    loose = [*of_url(_unquoted(texts["watchtower-url"]))]
    for line in re.split(r"[\r\n]+", f"{texts['headers']}\n{texts['service-headers']}"):
        name, colon, value = line.partition(":")
        loose.append((value if colon else line).strip())
        if colon and name.strip().lower() == "authorization":
            loose += of_authorization(value.strip())
    openly = [texts[name] for name in ("base-url", "image", "container", "expect-version", "expect-digest")]
    found = [each for each in firm if len(each) >= SHORTEST]
    found += [each for each in loose if len(each) >= SHORTEST_HEADER and not any(each in text for text in openly)]
    return tuple(dict.fromkeys(map(Secret, found)))


def _unquoted(text: str) -> str:
    """Return a text without the quotes that it may have been pasted with."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
