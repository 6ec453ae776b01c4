"""Whether a file has valid keys and kinds of values, judged by its schema."""

from collections.abc import Iterable, Iterator
from typing import Any

from redeploy.settings.config.faults import Faults, Words, kind_of
from redeploy.settings.config.keys import schema
from redeploy.settings.config.quotes import in_quotes
from redeploy.settings.config.tree import Mapping, Node, Scalar, Sequence, Unusable, instance, without
from redeploy.settings.defaults import DEFAULTS, LISTED, OF_HOST, OF_RUN
from redeploy.text.untrusted import code

Path = tuple[str | int, ...]


def check(root: Mapping, faults: Faults) -> Mapping:
    """Note what does not fit the schema; return the tree without the unusable parts."""
    from jsonschema import Draft202012Validator

    unfit: set[Path] = set()
    for error in Draft202012Validator(schema()).iter_errors(instance(root)):
        if faults.full:
            break
        path: Path = tuple(error.absolute_path)
        node = at(root, path)
        match error.validator:
            case "additionalProperties":
                known = error.schema.get("properties", {})
                _unknown(node, path, known, faults)
            case "type":
                unfit.add(path)
                faults.at(node, words(path, faults), _of_kind(node, error.validator_value, path, faults))
            case "pattern":
                _unnamed(node, error.instance, path, faults)
                unfit.add((*path, error.instance))
            case "required":
                _missing(node, path, error.validator_value[0], faults)
                unfit |= {path} if path else set()
            case _ if not (isinstance(node, Mapping) and node.entries):
                unfit.add(path)
                faults.at(node, words(path, faults), "is empty; name at least one, or leave it out")
    fit = without(root, unfit)
    return fit if isinstance(fit, Mapping) else root


def at(root: Node, path: Iterable[str | int]) -> Node:
    """Return the node at a path."""
    node = root
    for step in path:
        if isinstance(node, Mapping):
            node = node.names[str(step)][1]
        elif isinstance(node, Sequence) and isinstance(step, int):
            node = node.items[step]
    return node


def words(path: Path, faults: Faults) -> Words:
    """Return a path in words, from the innermost: `health-path` of service `api`."""
    return lambda: " of ".join(dict.fromkeys(_words(path, faults))) or "the file"


def _words(path: Path, faults: Faults) -> Iterator[str]:
    match path:
        case ("services", str(service), *rest):
            yield from (*_steps(rest, faults), f"service {faults.shown(service)}")
        case ("hosts", str(host), "services", str(service), *rest):
            yield from (*_steps(rest, faults), f"service {faults.shown(service)} on host {faults.shown(host)}")
        case ("hosts", str(host), *rest):
            yield from (*_steps(rest, faults), f"host {faults.shown(host)}")
        case _:
            yield from _steps(path, faults)


def _steps(path: Iterable[str | int], faults: Faults) -> list[str]:
    named = [f"item {each + 1}" if isinstance(each, int) else faults.shown(each) for each in path]
    return named[::-1]


def _unknown(node: Node, path: Path, known: dict[str, Any], faults: Faults) -> None:
    if not isinstance(node, Mapping):
        return
    for key, value in node.entries:
        if key.text in known or isinstance(value, Unusable):
            continue
        named = words((*path, key.text), faults)
        if why := _elsewhere(key.text, path):
            faults.at(key, named, f"is not a key here: {why}")
        elif " " in key.text.strip() or node.asked:
            text = f"{key.text}: {value.text}" if isinstance(value, Scalar) and value.text else key.text
            text = f"? {text}" if node.asked else text
            shown = "" if faults.redact(text) != text else f": {code(in_quotes(text), 80)}"
            cause = "begins with `? `" if node.asked else "contains `: `"
            faults.at(key, named, f"is text that {cause}, which YAML reads as a mapping; put it in quotes{shown}")
        else:
            faults.at(key, named, f"is not a key of {_owner(path, faults)}{faults.near(key.text, known)}")


def _owner(path: Path, faults: Faults) -> str:
    match path:
        case ():
            return "the file"
        case ("defaults",) | ("services", _) | ("hosts", _, "services", _):
            return "a service"
        case ("hosts", _):
            return "a host"
        case (*_, "smoke", int()):
            return "a smoke request"
        case _:
            return words(path, faults)()


def _elsewhere(name: str, path: Path) -> str:
    """Say where a key belongs that is not a key here; empty if it belongs nowhere."""
    of_host = path[:1] == ("hosts",) and len(path) == 2
    at_top = not path
    if name in OF_HOST and not of_host:
        instead = "; `service-headers` go to the service alone" if name == "headers" else ""
        return f"it belongs to a host, or is the input `{name}`{instead}"
    if name in OF_RUN and name not in ("services", "config"):
        return f"it is the input `{name}` of the action, next to `config`"
    if name in DEFAULTS and name not in OF_RUN and (at_top or of_host):
        return "it belongs to a service, or under `defaults`"
    return ""


def _of_kind(node: Node, wanted: list[str] | str, path: Path, faults: Faults) -> str:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    named = [word for kind, word in (("string", "text"), ("array", "a list"), ("object", "a mapping")) if kind in kinds]
    if isinstance(node, Mapping) and "object" not in kinds and (node.asked or _is_cut(node)):
        key, value = node.entries[0]
        text = f"{key.text}: {value.text}" if isinstance(value, Scalar) and value.text else key.text
        text = f"? {text}" if node.asked else text
        cause = "begins with `? `" if node.asked else "contains `: `"
        shown = "" if faults.redact(text) != text else f": {code(in_quotes(text), 80)}"
        return f"{cause}, which YAML reads as a mapping; put it in quotes{shown}"
    name = next((each for each in reversed(path) if isinstance(each, str)), "")
    example = f", such as `- {_EXAMPLES.get(name, '')}`" if name in LISTED and name in _EXAMPLES else ""
    example = ", such as `[[eu], [us]]`" if path[:1] == ("waves",) else example
    return f"is {kind_of(node)}, and must be {' or '.join(named)}{example}"


_EXAMPLES = {
    "smoke": "GET /api/status 200",
    "required-routes": "GET /api/ready",
    "forbidden-routes": "GET /api/debug",
    "health-expect": "status=UP",
}


def _is_cut(node: Mapping) -> bool:
    """Return whether a mapping is more likely one text with a `: ` in it."""
    return len(node.entries) == 1 and " " in node.entries[0][0].text.strip()


def _unnamed(node: Node, name: object, path: Path, faults: Faults) -> None:
    key = node.key(str(name)) if isinstance(node, Mapping) and str(name) in node.names else node
    what = "service" if path[:1] == ("services",) else "host"
    said = "is not a name that can be used; write 1 to 40 lower-case letters, digits and hyphens"
    instead = "".join(each if each.isascii() and each.isalnum() else "-" for each in str(name).lower())[:40].strip("-")
    said += f", such as {faults.shown(instead)}" if instead else ""
    faults.at(key, lambda: f"the {what} {faults.shown(str(name))}", said)


def _missing(node: Node, path: Path, name: str, faults: Faults) -> None:
    if isinstance(node, Mapping) and name in node.names:
        return  # the value is unusable, which is noted
    if not path and isinstance(node, Mapping) and any(faults.near(each, [name]) for each in node.names):
        return  # so is a name that is nearly right
    if path:
        said = f"has no `{name}`, which says what is sent, such as `{name}: GET /api/status`"
        if isinstance(node, Mapping) and (node.asked or _is_cut(node)):
            return  # an unknown key says it better
        faults.at(node, words(path, faults), said)
    else:
        said = f"has no `{name}`; it must name at least one service, such as `{name}: {{api: {{}}}}`"
        faults.at(node, words(path, faults), said)
