"""The secrets in a file: they are masked before anything of it is printed, even those that must not be in a file."""

import re
from collections.abc import Iterator, Mapping

from redeploy.settings.config.tree import Mapping as Names
from redeploy.settings.config.tree import Node, Scalar, Sequence
from redeploy.settings.config.variables import Variables
from redeploy.settings.defaults import DEFAULTS, NAMED_VALUES, secrets_of
from redeploy.text.secret import Secret

MOST = 300
"""The most secrets of a file: hiding each of them in every text takes time."""

_PRIVATE = re.compile(r"cf-access-client-.*|.*(?:auth|cookie|token|secret|passw|key).*", re.IGNORECASE)
"""Names of headers whose value is a secret."""

_MUST_VARY = re.compile(
    r"authorization|cookie|proxy-authorization|cf-access-client-.*|.*(?:token|secret|password|key).*", re.IGNORECASE
)
"""Names of headers whose value must not be in a file."""

_VARIABLE = re.compile(r"(?<!\$)\$\{[A-Za-z_]")


def refused(header: str, value: str) -> str | None:
    """Return what is wrong with the value of a header as written in the file; empty if it may be there."""
    if not value or not _MUST_VARY.fullmatch(header) or _VARIABLE.search(value):
        return None
    variable = re.sub(r"[^A-Z0-9]+", "_", header.upper()).strip("_")[:40]
    return f"is a secret, which must not be in a file; read it from a variable of the step, such as `${{{variable}}}`"


def secrets(root: Node, variables: Variables, username: str) -> tuple[Secret, ...]:
    """Return the secrets of a file; `username` is the input, for a registry of which the file gives only the password."""
    found: dict[Secret, None] = {}
    for mapping in _mappings(root):
        for texts in _texts(mapping, variables, username):
            found.update(dict.fromkeys(secrets_of(texts)))
        if len(found) > MOST:
            break
    return tuple(found)


_FIRM = ("watchtower-token", "watchtower-url", "registry-username", "registry-password")


def _texts(mapping: Names, variables: Variables, username: str) -> Iterator[Mapping[str, str]]:
    """Yield the secret values of a mapping; first those that are always secret.

    Any other header may repeat what the service's address or its image says openly.
    """
    nothing = dict.fromkeys(DEFAULTS, "")
    said = {
        key.text: variables.expand(node.text).text.strip() or node.text.strip()
        for key, node in mapping.entries
        if isinstance(node, Scalar) and key.text in nothing and key.text not in NAMED_VALUES
    }
    firm, loose = _headers(mapping, variables)
    if firm or any(name in said for name in _FIRM):
        secret = {name: text for name, text in said.items() if name in _FIRM}
        yield nothing | {"registry-username": username} | secret | {"headers": firm}
    if loose:
        yield nothing | {name: text for name, text in said.items() if name not in _FIRM} | {"headers": loose}


def _headers(mapping: Names, variables: Variables) -> tuple[str, str]:
    """Return the lines of headers that are secret by their names, and of those that contain a variable."""
    firm: list[str] = []
    loose: list[str] = []
    for key, node in mapping.entries:
        for name, line in _lines(node, variables) if key.text in NAMED_VALUES else ():
            (firm if _PRIVATE.fullmatch(name) else loose).append(line)
    return "\n".join(firm), "\n".join(loose)


def _lines(node: Node, variables: Variables) -> Iterator[tuple[str, str]]:
    """Yield name and line of the secret headers; a value that any reader of the file can see is not a secret."""
    pairs = [line.partition(":")[::2] for line in re.split(r"[\r\n]+", node.text)] if isinstance(node, Scalar) else []
    if isinstance(node, Names):
        pairs = [(key.text, value.text) for key, value in node.entries if isinstance(value, Scalar)]
    for name, value in pairs:
        if _VARIABLE.search(value) or _PRIVATE.fullmatch(name.strip()):
            yield name.strip(), f"{name}: {variables.expand(value).text.strip() or value.strip()}".replace("\n", " ")


def _mappings(root: Node) -> Iterator[Names]:
    """Yield all mappings, each once, no matter how often an alias repeats it."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Names):
            yield node
            waiting += [each for _, each in reversed(node.entries)]
        elif isinstance(node, Sequence):
            waiting += reversed(node.items)
