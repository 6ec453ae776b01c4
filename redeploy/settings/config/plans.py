"""The plans of all services of a file, each made as from inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from redeploy.contract.settings import Checks
from redeploy.http.urls import origin_of
from redeploy.service.endpoint import WORKER
from redeploy.settings import inputs
from redeploy.settings.config.faults import Faults, Words
from redeploy.settings.config.hosts import Host, Layout, Member
from redeploy.settings.config.reader import FileReader
from redeploy.settings.config.shape import Path, words
from redeploy.settings.config.tree import Mapping as Names
from redeploy.settings.config.tree import Node
from redeploy.settings.config.values import Maker, Value
from redeploy.settings.defaults import DEFAULTS, OF_HOST, of_service
from redeploy.settings.plan import HostPlan, Mode, Plan, RunPlan
from redeploy.settings.reading import Workspace

MOST_TEXT = 8_000_000
"""Characters of all values of all services together."""

OFF = "off"
"""The `base-url` of a worker."""

_BY_REQUEST = (
    "health-path",
    "health-expect",
    "version-path",
    "version-field",
    "expect-version",
    "grace",
    "instances",
    "max-downtime",
    "service-headers",
    "openapi-path",
    "required-routes",
    "forbidden-routes",
    "openapi-reference",
    "breaking-changes",
    "smoke",
)
"""Inputs that need requests to the service."""


@dataclass
class Plans:
    """Makes the plans of one file."""

    texts: Mapping[str, str]
    """The inputs next to the file."""
    faults: Faults
    maker: Maker
    workspace: Workspace

    def __post_init__(self) -> None:
        self._values: dict[Path, Value] = {}
        self._read = 0
        self._alone = False
        self._reports: Mapping[str, str] | None = None
        self._readable = self._read_reports()
        self._notes: list[str] = []

    def _read_reports(self) -> bool:
        """Take the reports of several services out of the input `baseline`; return whether it is one."""
        if not self.texts["baseline"]:
            return False
        from redeploy.settings.seen_before import reports_in  # few runs have one

        try:
            self._reports = reports_in(self.texts["baseline"])
        except ValueError:  # every service that reads it says what is wrong with it
            return False
        return True

    def run(self, layout: Layout) -> RunPlan | None:
        """Return the run of all hosts; None if something is wrong, which is noted."""
        self._alone = sum(len(host.members) for wave in layout.waves for host in wave) == 1
        waves = [[self._host(host) for host in wave] for wave in layout.waves]
        if self.faults.found or not any(map(any, waves)):
            return None
        hosts = tuple(tuple(host for host in wave if host) for wave in waves)
        run = RunPlan(waves=hosts, max_parallel=layout.max_parallel)
        warnings = [
            each if self._alone else f"Service `{plan.key}`: {each}" for plan in run.services for each in plan.warnings
        ]
        return replace(run, warnings=tuple(dict.fromkeys([*self._notes, *warnings])))

    def _host(self, host: Host) -> HostPlan | None:
        of_host = dict(self._given(host.own, ("hosts", host.name), OF_HOST)) if host.own else {}
        made = [(member, self._plan(host, member, of_host)) for member in host.members if not self.faults.full]
        plans = [(member, plan) for member, plan in made if plan]
        seen: dict[object, str] = {}
        for member, plan in plans:
            asked = frozenset(map(str, plan.images)), frozenset(plan.containers)
            if plan.images and asked in seen:
                other = self.faults.shown(seen[asked])
                said = (
                    f"has the same `image` and `container` as service {other}{self._at(host)}, so nothing distinguishes "
                    "them; give each its `container`"
                )
                self.faults.at(member.key, words(member.path, self.faults), said)
            seen.setdefault(asked, member.name)
        return HostPlan.of(host.name, [plan for _, plan in plans]) if plans else None

    def _at(self, host: Host) -> str:
        return f" on host {self.faults.shown(host.name)}" if host.name else ""

    def _given(self, mapping: Names, path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, Value]]:
        """Yield the values of some inputs in a mapping, as far as they can be used."""
        for key, node in mapping.entries:
            where = (*path, key.text)
            if key.text not in names:
                continue
            if where not in self._values:  # a service is read once, however many hosts have it
                self._values[where] = self.maker.value(key.text, node, words(where, self.faults))
            yield key.text, self._values[where]

    def _plan(self, host: Host, member: Member, of_host: Mapping[str, Value]) -> Plan | None:
        values: dict[str, Value] = dict(of_host)
        own: set[str] = set()
        for path, mapping in member.layers:
            for name, value in self._given(mapping, path, of_service()):
                if name not in values:
                    values[name] = value
                    own |= {name} if path != ("defaults",) else set()
        self._read += sum(len(value.text) for value in values.values())
        if self._read > MOST_TEXT:
            self.faults.at(
                member.key, words(member.path, self.faults), "comes after too much text for all services of all hosts"
            )
            return None
        worker = "base-url" in values and values["base-url"].text == OFF
        if worker:
            self._check_worker(host, member, values, own)
            values = {name: value for name, value in values.items() if name not in (*_BY_REQUEST, "base-url")}
        key = f"{host.name}/{member.name}" if host.name else member.name
        reader = FileReader(self._texts(key, worker=worker), values, partial(self._owner, host, member), self.faults)
        self._check_host(host, of_host, reader)
        plan = replace(inputs.made(reader, self.workspace), name=member.name)
        return _without_requests(plan) if worker else plan

    def _texts(self, key: str, *, worker: bool) -> dict[str, str]:
        texts = dict(self.texts)
        reports = {} if self._reports is None and not self._alone else self._reports
        if texts["baseline"] and self._readable and reports is not None:
            texts["baseline"] = reports.get(key, "")
            if not texts["baseline"]:
                self._notes.append(
                    f"The report in `baseline` has nothing about `{key}`, so no change of it can be proven."
                )
        if worker:
            texts |= {name: DEFAULTS[name] for name in _BY_REQUEST if name in DEFAULTS} | {"openapi-path": OFF}
        return texts

    def _owner(self, host: Host, member: Member, name: str) -> tuple[Node, Words] | None:
        if name in OF_HOST:
            return (host.key, words(("hosts", host.name), self.faults)) if host.own else None
        if self.texts[name] != DEFAULTS[name]:
            return None
        return member.key, words(member.path, self.faults)

    def _check_host(self, host: Host, of_host: Mapping[str, Value], reader: FileReader) -> None:
        if host.own is None:
            return
        named = words(("hosts", host.name), self.faults)
        variable = "".join(each if each.isalnum() else "_" for each in host.name.upper())
        verify = reader.texts["mode"] == Mode.VERIFY
        for name, end in (("watchtower-url", "URL"), ("watchtower-token", "TOKEN")):
            if (name in of_host and reader.texts[name]) or reader.has_problem(name) or verify:
                continue
            said = (
                f'has no `{name}`, which mode `{reader.texts["mode"]}` needs, such as `{name}: "${{{variable}_{end}}}"`'
            )
            self.faults.at(host.key, named, said)
            reader.known(name)

    def _check_worker(self, host: Host, member: Member, values: Mapping[str, Value], own: set[str]) -> None:
        for name in _BY_REQUEST:
            if name in own:
                value = values[name]
                said = "needs requests to the service, but `base-url: off` says that it has no address; leave one out"
                self.faults.at(value.node, value.words, said)
        if not any(values[name].text for name in ("image", "container") if name in values):
            said = (
                "is a worker (`base-url: off`), which is proven by its container; name its `image` or its `container`"
            )
            self.faults.at(member.key, words(member.path, self.faults), said)
        if host.own is None and not self.texts["watchtower-url"]:
            said = "is a worker (`base-url: off`), which Watchtower's containers endpoint proves; give `watchtower-url`"
            self.faults.at(member.key, words(member.path, self.faults), said)


def _without_requests(plan: Plan) -> Plan:
    """Return the plan of a worker, which gets no requests."""
    update_url = plan.watchtower.update_url
    origins = frozenset({origin_of(update_url)} if update_url else ())
    return replace(plan, service=WORKER, checks=Checks(), header_origins=origins)
