"""A config file and the inputs next to it, as one run; every problem of both is found at once."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from redeploy.settings import parsers
from redeploy.settings.config import private
from redeploy.settings.config.faults import Faults
from redeploy.settings.config.hosts import Reading, selected
from redeploy.settings.config.plans import Plans
from redeploy.settings.config.shape import check
from redeploy.settings.config.source import CAP, tree
from redeploy.settings.config.tree import Mapping as Names
from redeploy.settings.config.values import Maker
from redeploy.settings.config.variables import Variables
from redeploy.settings.defaults import DEFAULTS, OF_HOST, OF_RUN, given, secrets_in
from redeploy.settings.plan import Plan, RunPlan
from redeploy.settings.reading import InvalidInputsError, Problem, Reader, Workspace
from redeploy.text.secret import Secret, redactor

BESIDE = (
    OF_RUN
    | set(OF_HOST)
    | {
        "service-headers",
        "registry-username",
        "registry-password",
        "openapi-path",
        "timeout",
        "request-timeout",
        "request-rate",
    }
)
"""Inputs that may be given together with a file."""

_OF_ONE_HOST = ("watchtower-url", "watchtower-token", "containers-url")
"""Those of them that a file with hosts gives for each host."""


@dataclass(frozen=True)
class Loaded:
    """The result of reading a file."""

    run: RunPlan | None
    """None if something is wrong."""
    problems: tuple[Problem, ...]
    secrets: tuple[Secret, ...]
    """What must be masked before anything of it is printed."""

    @property
    def whole(self) -> RunPlan:
        """The run of all services.

        Raises:
            InvalidInputsError: with every problem.
        """
        if self.run is None:
            raise InvalidInputsError(list(self.problems))
        return self.run

    @property
    def only(self) -> Plan:
        """The plan of the only service.

        Raises:
            InvalidInputsError: with every problem; also where there are several services.
        """
        if self.run is None:
            raise InvalidInputsError(list(self.problems))
        if len(self.run.services) > 1:
            keys = ", ".join(f"`{each.key}`" for each in self.run.services[:10])
            said = f"asks for {len(self.run.services)} services ({keys}), but this command examines one at a time"
            raise InvalidInputsError([Problem("config", f"{said}; choose it by `services`")])
        return replace(self.run.services[0], warnings=self.run.warnings)


def load(environment: Mapping[str, str], read: Callable[[str, int], bytes], workspace: Workspace) -> Loaded:
    """Return what the file of the input `config` and the other inputs make.

    Args:
        environment: the step's.
        read: the bytes of a file in the workspace that has at most so many; raises `ValueError` with what is wrong.
        workspace: what reading the inputs needs of the outside.
    """
    texts = given(environment)
    faults = Faults(_relative(texts["config"], environment.get("GITHUB_WORKSPACE", "")))
    of_inputs = secrets_in(environment)
    faults.redact = redactor(of_inputs)
    reader = Reader(texts, lambda: faults.redact)
    reader.refuse_expressions()
    for problem in (*reader.problems, *_besides(texts, faults.file)):
        faults.add(problem)
    try:
        content = read(texts["config"], CAP)
    except ValueError as error:
        faults.add(Problem("config", str(error)))
        return Loaded(None, faults.in_order, ())
    root = tree(content, faults)
    if root is None:
        return Loaded(None, faults.in_order, ())
    variables = Variables(environment)
    hidden = private.secrets(root, variables, texts["registry-username"])
    if len(hidden) > private.MOST:
        faults.at_line(1, 1, f"contains more than {private.MOST} secrets")
        return Loaded(None, faults.in_order, hidden)
    faults.redact = redactor((*of_inputs, *hidden))
    run = _run(root, texts, faults, variables, workspace)
    return Loaded(run, faults.in_order, hidden)


def _run(
    root: Names, texts: dict[str, str], faults: Faults, variables: Variables, workspace: Workspace
) -> RunPlan | None:
    root = check(root, faults)
    reading = Reading(root, faults)
    layout = reading.layout()
    names = parsers.listed(texts["services"])
    for name in names:
        if name not in reading.services:
            said = f"names {faults.shown(name)}, which is not a service of {faults.shown(faults.file)}"
            faults.add(Problem("services", f"{said}{faults.near(name, reading.services)}"))
    if "hosts" in root.names:
        for name in _OF_ONE_HOST:
            if texts[name]:
                said = (
                    f"is given with `hosts` of {faults.shown(faults.file)}, where each host has its own; leave it out"
                )
                faults.add(Problem(name, said))
                texts[name] = ""
    maker = Maker(faults, variables, private.refused)
    return Plans(texts, faults, maker, workspace).run(selected(layout, names))


def _besides(texts: dict[str, str], file: str) -> list[Problem]:
    """Return a problem for each input that the file gives for each service; from then on the input has its default."""
    found = []
    for name, text in texts.items():
        if name not in BESIDE and text != DEFAULTS[name]:
            found.append(
                Problem(
                    name,
                    f"is given with `config`; write it as the key `{name}` of a service, or of `defaults`, in {file}",
                )
            )
            texts[name] = DEFAULTS[name]
    return found


def _relative(path: str, workspace: str) -> str:
    """Return a path as annotations need it: relative to the workspace, without dots."""
    clean = posixpath.normpath(path)
    root = posixpath.normpath(workspace) if workspace else ""
    return clean.removeprefix(f"{root}/") if root else clean
