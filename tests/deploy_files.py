"""The server's configuration files: compose files with variables filled in, nginx files with includes resolved."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
NGINX = DEPLOY / "nginx"
PROD = DEPLOY / "docker-compose.portfolio-prod.yml"
OVERLAYS = tuple(sorted(set(DEPLOY.glob("docker-compose.*.yml")) - {PROD}))
VARIANTS = ("nginx.prod.conf", "nginx.prod-tls.conf", "nginx.compose.conf", "nginx.compose-tls.conf")
NEEDED = {"WATCHTOWER_HTTP_API_TOKEN": "a-token", "TLS_CERTS": "/certs"}
"""The variables that have no default."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_TOKEN = re.compile(r"""\s*(?:#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([{};])|((?:\$\{|[^\s{};])+))""")


class UnsetError(Exception):
    """A variable that must be set is not; the message is the file's own."""


def compose(path: Path, variables: Mapping[str, str] = NEEDED) -> dict[str, Any]:
    """A compose file with its variables filled in, as `docker compose` does."""

    def value(match: re.Match[str]) -> str:
        name, kind, text = match.groups()
        if variables.get(name):
            return variables[name]
        if kind == "?":
            raise UnsetError(text)
        return text or ""

    def filled_in(node: object) -> object:
        match node:
            case str():
                return _VARIABLE.sub(value, node)
            case dict():
                return {key: filled_in(each) for key, each in node.items()}
            case list():
                return [filled_in(each) for each in node]
        return node

    loaded = filled_in(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert isinstance(loaded, dict)
    return loaded


def seconds(duration: str) -> int:
    """The seconds of a duration as compose, Watchtower and nginx write it."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert parts, duration
    hours, minutes, rest = (int(each or 0) for each in parts.groups())
    return hours * 3600 + minutes * 60 + rest


@dataclass(frozen=True)
class Directive:
    """A line of an nginx configuration, or a block."""

    name: str
    arguments: tuple[str, ...]
    block: "Block"


class Block(tuple[Directive, ...]):
    """The directives between two braces."""

    __slots__ = ()

    def all(self, name: str) -> list[Directive]:
        """The directives of this name, in this block alone."""
        return [each for each in self if each.name == name]

    def arguments(self, name: str) -> list[tuple[str, ...]]:
        """The arguments of these directives."""
        return [each.arguments for each in self.all(name)]

    def one(self, name: str) -> str:
        """The only argument of the only directive of this name."""
        [(argument,)] = self.arguments(name)
        return argument

    def location(self, *arguments: str) -> "Block":
        """The block of a location in this block."""
        [found] = [each.block for each in self.all("location") if each.arguments == arguments]
        return found


def nginx(name: str) -> Block:
    """A file of `deploy/nginx` with its includes."""
    return _block(_tokens((NGINX / name).read_text(encoding="utf-8")))


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        if match.lastindex:  # else it is a comment
            yield match[match.lastindex]


def _block(tokens: Iterator[str]) -> Block:
    found: list[Directive] = []
    words: list[str] = []
    for token in tokens:
        if token == "}":
            break
        if token not in {"{", ";"}:
            words.append(token)
            continue
        name, *arguments = words
        words = []
        if name == "include":
            found += nginx(arguments[0])
        else:
            found.append(Directive(name, tuple(arguments), _block(tokens) if token == "{" else Block()))
    return Block(found)
