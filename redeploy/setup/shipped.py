"""The files of this project, adapted to another service: renamed, with parts inserted or cut out."""

from redeploy.setup.places import SHIPPED_NAME

_NGINX_IMAGE = "nginx:1.28-alpine"
IMAGE = "(the image)"
"""Placeholder for the service's image."""


def renamed(text: str, name: str) -> str:
    """Return a file of this project with another name everywhere; the answers are put in afterwards."""
    variable = name.replace("-", "_")
    for old, new in (
        ("ghcr.io/leok974/leo-portfolio/portfolio:latest", _NGINX_IMAGE),
        ("ghcr.io/leok974/leo-portfolio/backend:latest", IMAGE),
        ("ghcr.io/leok974/leo-portfolio/backend", IMAGE),
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


def cut(text: str, first: str, last: str) -> str:
    """Return a text without the part from `first` to the end of `last`."""
    begin = text.index(first)
    return text[:begin] + text[text.index(last, begin) + len(last) :]


def put(text: str, old: str, new: str) -> str:
    """Return a text with `new` in place of `old`.

    Raises:
        LookupError: if it does not contain `old`: the shipped file was changed without this module.
    """
    if old not in text:
        msg = f"{old!r} is not in the shipped file"
        raise LookupError(msg)
    return text.replace(old, new)
