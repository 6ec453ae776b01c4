"""What a scenario is: a world, the inputs of a step, and what must come out.

A row of a table reads `story(NAME, TITLE, WHAT IT SHOWS).plays(WORLD, INPUTS).ends(VERDICT, REASON, ...)`.
"""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.server.builds import V2
from sandbox.worlds import Scene, World

EXIT_CODES = {
    "deployed": 0,
    "already-current": 0,
    "verified": 0,
    "unproven": 0,
    "not-started": 1,
    "trigger-failed": 1,
    "stale": 1,
    "wrong-build": 1,
    "unhealthy": 1,
    "checks-failed": 1,
    "rolled-back": 1,
    "rollback-failed": 1,
    "ready": 0,
    "not-ready": 1,
    "invalid-config": 2,
    "cancelled": 130,
}
QUICK = {
    "watchtower-url": "{update}",
    "watchtower-token": "{token}",
    "timeout": "6s",
    "stable-for": "1s",
    "request-timeout": "2s",
}
NAMED = {**QUICK, "version-path": "/api/dev/status"}
DECLARED = {**NAMED, "expect-version": V2.git_sha}
VERIFY = {
    "mode": "verify",
    "base-url": "{origin}",
    "version-path": "/api/dev/status",
    "timeout": "3s",
    "stable-for": "1s",
    "request-timeout": "2s",
}


DOCTOR = {
    "mode": "doctor",
    "watchtower-url": "{update}",
    "watchtower-token": "{token}",
    "version-path": "/api/dev/status",
    "request-timeout": "2s",
}


@dataclass(frozen=True)
class Earlier:
    """A run before the one that a scenario is about, in the same world."""

    inputs: Mapping[str, str]
    then: Callable[[World], object] = lambda _: None
    """What happens in the world after it; a text is shown in the log."""


@dataclass(frozen=True)
class Scenario:
    """A named story with a known end."""

    name: str
    title: str
    shows: str
    """One sentence on what it shows."""
    scene: Scene
    inputs: Mapping[str, str]
    """May hold `{update}`, `{token}` and the like, which `World.fill` replaces."""
    verdict: str
    reason: str = ""
    proof: str | None = None
    """None: not part of the promise."""
    result: str | None = None
    """What `watchtower-result` must be."""
    exit_code: int | None = None
    """None: what the verdict says."""
    triggers: int = 1
    """How often a request with the token may reach the trigger's path: exactly so often."""
    or_else: tuple[tuple[str, str], ...] = ()
    """Further ends, verdict and reason, where chance decides which answer came last."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    """What the annotations' messages must name."""
    unremarked: bool = False
    """Nothing may be annotated, but that the sandbox's registry has a port, which some lines of Watchtower do not match."""
    shown: tuple[str, ...] = ()
    """What the summary must name."""
    failed: tuple[str, ...] | None = ()
    """The checks that must have failed, as the output `failed-checks` calls them; None: not part of the promise."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What the workspace holds."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The step's `env:`; may hold what inputs may."""
    places: tuple[tuple[str, int], ...] = ()
    """File and line of every annotation that stands at one."""
    asked: Mapping[str, int] = field(default_factory=dict)
    """How often `METHOD PATH` must have reached the service's origin."""
    interrupt: signal.Signals | None = None
    """Cancels after the trigger was seen."""
    interrupt_after: float = 0.5
    """So many seconds after it."""
    found: Mapping[str, str] = field(default_factory=dict)
    """What mode doctor must find of each link that is broken or could be better; of all others, nothing."""
    records: tuple[str, ...] = ()
    """The states of the one Deployment that GitHub has at the end, in their order; none: it has no Deployment."""
    earlier: tuple[Earlier, ...] = ()
    """Runs before this one."""
    issues: tuple[tuple[str, int], ...] = ()
    """The state of every issue that GitHub has at the end, and how many comments it has."""
    silent: bool = False
    """Nothing may be sent to anyone."""

    def endings(self) -> set[tuple[str, str]]:
        """Every verdict and reason that is right."""
        return {(self.verdict, self.reason), *self.or_else}

    def code(self) -> int:
        """The exit code that is right."""
        return EXIT_CODES[self.verdict] if self.exit_code is None else self.exit_code


@dataclass(frozen=True)
class Setting:
    """A story, its world and the inputs of the step; what is left to say is how it ends.

    `promises` are further fields of `Scenario`, by name.
    """

    story: "Story"
    scene: Scene
    inputs: Mapping[str, str]

    def ends(self, verdict: str, reason: str = "", **promises: object) -> Scenario:
        """It ends so."""
        return self._promising(verdict, reason, promises)

    def is_refused(self, reason: str, **promises: object) -> Scenario:
        """The trigger is refused at once."""
        return self._promising("trigger-failed", reason, {"result": "none", **promises})

    def is_checked(self, verdict: str, reason: str = "", **promises: object) -> Scenario:
        """The declared build goes live, and its checks decide about the end."""
        return self._promising(verdict, reason, {"proof": "version", "result": "updated", **promises})

    def is_ready(self, found: Mapping[str, str] | None = None, **promises: object) -> Scenario:
        """Doctor finds that a deploy would get through; `found` is what could be better, by link."""
        known = {"triggers": 0, "unremarked": not found, "found": found or {}}
        return self._promising("ready", "", {**known, **promises})

    def is_broken(self, found: Mapping[str, str], **promises: object) -> Scenario:
        """Doctor finds the first link of `found` broken; whatever else stands there could be better."""
        known = {"triggers": 0, "failed": (next(iter(found)),), "found": found}
        return self._promising("not-ready", "", {**known, **promises})

    def _promising(self, verdict: str, reason: str, promises: Mapping[str, object]) -> Scenario:
        told = (self.story.name, self.story.title, self.story.shows)
        # The dataclass itself refuses a name that it does not have.
        return Scenario(*told, self.scene, self.inputs, verdict, reason, **promises)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Story:
    """The name of a scenario, and what a person reads of it."""

    name: str
    title: str
    shows: str
    """One sentence on what it shows."""

    def plays(self, scene: Scene, inputs: Mapping[str, str], **more: str) -> Setting:
        """In this world, with these inputs of the step, and more of them: `stable_for` is the input `stable-for`."""
        return Setting(self, scene, {**inputs, **{name.replace("_", "-"): text for name, text in more.items()}})


def story(name: str, title: str, shows: str) -> Story:
    """Begins a row of a table."""
    return Story(name, title, shows)
