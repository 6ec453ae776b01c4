"""Which services a file has, on which hosts, and in which waves: the names in it, and how they refer to each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redeploy.settings.config.faults import Faults
from redeploy.settings.config.shape import Path, words
from redeploy.settings.config.tree import Mapping, Node, Scalar, Unusable
from redeploy.settings.config.tree import Sequence as Items

MOST_SERVICES = 1000
"""Services of all hosts together."""

MOST_PARALLEL = 100
"""Hosts at once: each of them takes a few threads."""


@dataclass(frozen=True)
class Member:
    """A service of a host, with the mappings that give its keys; the first that has a key decides."""

    name: str
    key: Node
    """Where the file names it."""
    path: Path
    layers: tuple[tuple[Path, Mapping], ...]


@dataclass(frozen=True)
class Host:
    """A Watchtower and the services that one trigger of it updates."""

    name: str
    """Empty: the host that the inputs name."""
    key: Node
    own: Mapping | None
    """Its keys; None if the inputs give them."""
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Layout:
    """The hosts in their waves."""

    waves: tuple[tuple[Host, ...], ...]
    max_parallel: int


class Reading:
    """Reads the layout of one file."""

    def __init__(self, root: Mapping, faults: Faults) -> None:
        """Take a file; unusable parts are skipped."""
        self._root = root
        self._faults = faults
        self._is_unclear = False
        self._count = 0
        self.services = self._named(("services",))

    def layout(self) -> Layout:
        """Return the layout, and note what is wrong with it."""
        if "hosts" not in self._root.names:
            key = self._root.key("services") if "services" in self._root.names else self._root
            hosts = [Host("", key, None, tuple(self._member("", name) for name in self.services))]
            if "waves" in self._root.names:
                self._faults.at(
                    self._root.key("waves"), lambda: "`waves`", "puts hosts into an order, but there are no `hosts`"
                )
        else:
            hosts = [self._host(name, node) for name, node in self._named(("hosts",)).items()]
            if self._count <= MOST_SERVICES:
                self._idle(hosts)
        if (count := max(self._count, len(hosts[0].members) if hosts else 0)) > MOST_SERVICES:
            said = f"asks for {count:,} services on all hosts together; {MOST_SERVICES:,} are the most"
            self._faults.at_line(1, 1, said)
            return Layout((), 1)
        return Layout(self._waves(hosts), self._max_parallel())

    def _named(self, path: Path) -> dict[str, tuple[Scalar, Node]]:
        """Return the entries of a mapping that can be used, by name."""
        node: Node | None = self._root
        for step in path:
            node = node.get(str(step)) if isinstance(node, Mapping) else None
        if not isinstance(node, Mapping):
            return {}
        return {key.text: (key, value) for key, value in node.entries if isinstance(value, Mapping | Scalar)}

    def _member(self, host: str, name: str, own: Node | None = None) -> Member:
        key, service = self.services[name]
        path: Path = ("services", name)
        layers: list[tuple[Path, Mapping]] = []
        if isinstance(own, Mapping):
            layers.append((("hosts", host, "services", name), own))
        if isinstance(service, Mapping):
            layers.append((path, service))
        defaults = self._root.get("defaults")
        if isinstance(defaults, Mapping):
            layers.append((("defaults",), defaults))
        return Member(name, key, path, tuple(layers))

    def _host(self, name: str, entry: tuple[Scalar, Node]) -> Host:
        key, node = entry
        own = node if isinstance(node, Mapping) else None
        given = own.get("services") if own else None
        path: Path = ("hosts", name, "services")
        members: dict[str, Member] = {}
        if given is None:
            many = self._count + len(self.services) > MOST_SERVICES
            members = {each: self._member(name, each) for each in self.services} if not many else {}
            self._count += len(self.services)
        elif isinstance(given, Items):
            for item in given.items:
                if not isinstance(item, Scalar):
                    continue
                if item.text in members:
                    self._faults.at(
                        item, words(path, self._faults), f"names {self._faults.shown(item.text)} a second time"
                    )
                elif self._is_known(item, item.text, path):
                    members[item.text] = self._member(name, item.text)
        else:
            for each, (place, value) in self._named(path).items():
                if self._is_known(place, each, path):
                    members[each] = self._member(name, each, value)
        self._count += len(members) if given is not None else 0
        return Host(name, key, own, tuple(members.values()))

    def _is_known(self, place: Node, name: str, path: Path) -> bool:
        if name in self.services:
            return True
        stands = self._root.get("services")
        if isinstance(stands, Mapping) and name in stands.names:
            return False  # what is wrong with it is noted there
        self._is_unclear = True
        near = self._faults.near(name, self.services)
        said = f"names {self._faults.shown(name)}, which is not a service{near}"
        self._faults.at(place, words(path, self._faults), said)
        return False

    def _idle(self, hosts: Sequence[Host]) -> None:
        """Note services that are on no host, unless it is unclear what is on a host."""
        unclear = [self._root.get("hosts"), *(host.own.get("services") for host in hosts if host.own)]
        if self._is_unclear or any(
            isinstance(each, Unusable) or (isinstance(each, Mapping) and _is_unusable(each)) for each in unclear
        ):
            return
        used = {member.name for host in hosts for member in host.members}
        for name, (key, _) in self.services.items():
            if name not in used:
                said = "is on no host; name it under `services` of one, or leave it out"
                self._faults.at(key, words(("services", name), self._faults), said)

    def _waves(self, hosts: Sequence[Host]) -> tuple[tuple[Host, ...], ...]:
        given = self._root.get("waves")
        by_name = {host.name: host for host in hosts}
        if not isinstance(given, Items) or "hosts" not in self._root.names:
            return (tuple(hosts),)
        seen: dict[str, int] = {}
        waves: list[tuple[Host, ...]] = []
        for number, wave in enumerate(given.items, 1):
            named = wave.items if isinstance(wave, Items) else ()
            found = [self._of_wave(number, item, by_name, seen) for item in named if isinstance(item, Scalar)]
            waves.append(tuple(host for host in found if host))
        whole = all(isinstance(wave, Items) and not _is_unusable(wave) for wave in given.items)
        for name, host in by_name.items():
            if whole and name not in seen:
                said = "is in no wave, so it would never be updated; name it in `waves`"
                self._faults.at(host.key, words(("hosts", name), self._faults), said)
        return tuple(filter(None, waves))

    def _of_wave(self, number: int, item: Scalar, hosts: dict[str, Host], seen: dict[str, int]) -> Host | None:
        named = self._faults.shown(item.text)
        if item.text in seen:
            where = "in it" if seen[item.text] == number else f"in wave {seen[item.text]}"
            self._faults.at(
                item, lambda: f"wave {number}", f"names {named}, which is {where} already; a host is in one wave"
            )
        elif item.text in hosts:
            seen[item.text] = number
            return hosts[item.text]
        elif not self._stands("hosts", item.text):
            said = f"names {named}, which is not a host{self._faults.near(item.text, hosts)}"
            self._faults.at(item, lambda: f"wave {number}", said)
        else:
            seen[item.text] = number
        return None

    def _stands(self, where: str, name: str) -> bool:
        node = self._root.get(where)
        return isinstance(node, Mapping) and name in node.names

    def _max_parallel(self) -> int:
        node = self._root.get("max-parallel")
        if not isinstance(node, Scalar) or not node.text.strip():
            return 4
        text = node.text.strip()
        if text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MOST_PARALLEL:
            return int(text)
        self._faults.at(node, lambda: "`max-parallel`", f"must be a whole number from 1 to {MOST_PARALLEL}")
        return 4


def _is_unusable(node: Mapping | Items) -> bool:
    """Return whether a part of it is unusable, so that not all names in it are known."""
    parts = node.items if isinstance(node, Items) else tuple(each for _, each in node.entries)
    return any(isinstance(each, Unusable) for each in parts)


def selected(layout: Layout, names: Iterable[str]) -> Layout:
    """Return the layout with only the services of these names; all services if there are no names."""
    wanted = set(names)
    if not wanted:
        return layout
    waves = []
    for wave in layout.waves:
        hosts = [
            Host(host.name, host.key, host.own, tuple(each for each in host.members if each.name in wanted))
            for host in wave
        ]
        waves.append(tuple(host for host in hosts if host.members))
    return Layout(tuple(filter(None, waves)), layout.max_parallel)
