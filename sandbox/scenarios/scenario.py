"""What a scenario is: a world, the inputs of a step, and the expected result.

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
    """Called with the world after it; a returned text is shown in the log."""


@dataclass(frozen=True)
class Scenario:
    """A named run with a known ending."""

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
    """None: not checked."""
    result: str | None = None
    """What `watchtower-result` must be."""
    exit_code: int | None = None
    """None: the one that belongs to the verdict."""
    triggers: int = 1
    """How many requests with the token reach the trigger's path, exactly."""
    or_else: tuple[tuple[str, str], ...] = ()
    """Further endings, verdict and reason, where chance decides which response comes last."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    """What the annotations' messages must name."""
    unremarked: bool = False
    """No annotations, except that the sandbox's registry has a port, which some variants of Watchtower do not match."""
    shown: tuple[str, ...] = ()
    """What the summary must name."""
    failed: tuple[str, ...] | None = ()
    """The checks that must have failed, as named in the output `failed-checks`; None: not checked."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What the workspace holds."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The step's `env:`; may hold what inputs may."""
    places: tuple[tuple[str, int], ...] = ()
    """File and line of every annotation that has one."""
    asked: Mapping[str, int] = field(default_factory=dict)
    """How many times `METHOD PATH` must have reached the service's origin."""
    interrupt: signal.Signals | None = None
    """The signal that cancels the run once the trigger was seen; None: not cancelled."""
    interrupt_after: float = 0.5
    """Seconds between the trigger and that signal."""
    found: Mapping[str, str] = field(default_factory=dict)
    """The finding that mode doctor must report for each link that is broken or could be better; all other links are fine."""
    records: tuple[str, ...] = ()
    """The states of the one Deployment at GitHub, in order; empty: there is no Deployment."""
    earlier: tuple[Earlier, ...] = ()
    """Runs before this one, in order."""
    issues: tuple[tuple[str, int], ...] = ()
    """State and number of comments of every issue at GitHub in the end."""
    silent: bool = False
    """Whether no request may be sent at all."""

    def endings(self) -> set[tuple[str, str]]:
        """Return every verdict and reason that is correct."""
        return {(self.verdict, self.reason), *self.or_else}

    def code(self) -> int:
        """Return the correct exit code."""
        return EXIT_CODES[self.verdict] if self.exit_code is None else self.exit_code


@dataclass(frozen=True)
class Setting:
    """A story, its world and the inputs of the step; only the ending is missing.

    `promises` are further fields of `Scenario`, by name.
    """

    story: "Story"
    scene: Scene
    inputs: Mapping[str, str]

    def ends(self, verdict: str, reason: str = "", **promises: object) -> Scenario:
        """Return the scenario with this ending."""
        return self._promising(verdict, reason, promises)

    def is_refused(self, reason: str, **promises: object) -> Scenario:
        """Return a scenario whose trigger is rejected at once."""
        return self._promising("trigger-failed", reason, {"result": "none", **promises})

    def is_checked(self, verdict: str, reason: str = "", **promises: object) -> Scenario:
        """Return a scenario in which the declared build goes live, and its checks decide the ending."""
        return self._promising(verdict, reason, {"proof": "version", "result": "updated", **promises})

    def is_ready(self, found: Mapping[str, str] | None = None, **promises: object) -> Scenario:
        """Return a scenario in which doctor finds that a deploy would succeed; `found` is what could be better, by link."""
        known = {"triggers": 0, "unremarked": not found, "found": found or {}}
        return self._promising("ready", "", {**known, **promises})

    def is_broken(self, found: Mapping[str, str], **promises: object) -> Scenario:
        """Return a scenario in which doctor finds the first link of `found` broken; the others there could be better."""
        known = {"triggers": 0, "failed": (next(iter(found)),), "found": found}
        return self._promising("not-ready", "", {**known, **promises})

    def _promising(self, verdict: str, reason: str, promises: Mapping[str, object]) -> Scenario:
        described = (self.story.name, self.story.title, self.story.shows)
        # The dataclass itself refuses a name that it does not have.
        return Scenario(*described, self.scene, self.inputs, verdict, reason, **promises)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Story:
    """The name of a scenario, and its texts for people."""

    name: str
    title: str
    shows: str
    """One sentence on what it shows."""

    def plays(self, scene: Scene, inputs: Mapping[str, str], **more: str) -> Setting:
        """Set the world and the inputs of the step; keywords are further inputs: `stable_for` is the input `stable-for`."""
        return Setting(self, scene, {**inputs, **{name.replace("_", "-"): text for name, text in more.items()}})


def story(name: str, title: str, shows: str) -> Story:
    """Begin a row of a table."""
    return Story(name, title, shows)
