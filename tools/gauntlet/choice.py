"""The worlds of the gauntlet: the ordinary one and each kind alone for every product line, and random pairs of kinds."""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.scenarios.scenario import NAMED
from sandbox.server.builds import V2
from sandbox.watchtower.variants import Variant
from sandbox.worlds import Scene
from tools.gauntlet.kinds import KINDS, LINES, Kind

_ORDER = ("rollout", "answer", "proxy", "registry", "identity")
"""The order in which kinds change a world: how a build identifies itself applies to all builds, so it comes last."""
PATIENCE = 20
"""The action's time-out in each of these worlds, in seconds."""
_BOUNDS = {"timeout": f"{PATIENCE}s", "request-timeout": "5s"}
"""Many worlds share a machine, on which a response can take a second longer than in a world alone."""


@dataclass(frozen=True)
class Setup:
    """The settings of a world, which can be created any number of times."""

    line: Variant
    kinds: tuple[Kind, ...] = ()

    @property
    def name(self) -> str:
        """Its name: the product line and its kinds."""
        return " + ".join([self.line, *(kind.name for kind in self.kinds)])

    @property
    def scene(self) -> Scene:
        """Its scene."""
        scene = Scene(variant=self.line)
        for kind in sorted(self.kinds, key=lambda kind: _ORDER.index(kind.axis)):
            scene = kind.change(scene)
        return scene

    @property
    def declares(self) -> bool:
        """Whether the step declares which build must go live."""
        return all(kind.declares is not False for kind in self.kinds)

    @property
    def inputs(self) -> Mapping[str, str]:
        """The inputs of the step, with this world's placeholders."""
        own = {name: text for kind in self.kinds for name, text in kind.inputs.items()}
        by_digest = "expect-digest" in own
        named = {"expect-version": V2.git_sha} if self.declares and not by_digest else {}
        return {**NAMED, **named, "base-url": "{origin}", **_BOUNDS, **own}


def alone() -> list[Setup]:
    """Return the ordinary world and each kind alone, behind every product line that has it."""
    return [Setup(line) for line in LINES] + [Setup(line, (kind,)) for kind in KINDS for line in kind.lines]


def pairs(count: int, seed: int) -> list[Setup]:
    """Return this number of random worlds with two kinds each."""
    fitting = [
        Setup(line, (one, other))
        for one, other in itertools.combinations(KINDS, 2)
        if _fit(one, other)
        for line in one.lines
        if line in other.lines
    ]
    return random.Random(seed).sample(fitting, count)


def one_of_each() -> list[Setup]:
    """Return the ordinary worlds, and each kind behind one product line, which changes from kind to kind."""
    return [Setup(line) for line in LINES] + [
        Setup(kind.lines[number % len(kind.lines)], (kind,)) for number, kind in enumerate(KINDS)
    ]


def _fit(one: Kind, other: Kind) -> bool:
    """Whether two kinds can be combined without making the correct result ambiguous."""
    if one.axis == other.axis or {one.declares, other.declares} == {True, False}:
        return False
    names = {one.name, other.name}
    # If the declared build runs already, a failed update is both right and wrong.
    if "already-current" in names and not (one.deploys and other.deploys):
        return False
    # Two builds that nothing distinguishes cannot be distinguished by the observer either.
    return "two-builds-in-turn" not in names or {one.axis, other.axis} != {"proxy", "identity"}
