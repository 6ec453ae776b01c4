"""A scenario: a world, the inputs of a step, and the expected result.

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
    """An earlier run in the same world."""

    inputs: Mapping[str, str]
    then: Callable[[World], object] = lambda _: None
    """Called with the world after it; a returned text is shown in the log."""


@dataclass(frozen=True)
class Scenario:
    """A named run with an expected result."""

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
    """None: the exit code of the verdict."""
    triggers: int = 1
    """The exact number of requests with the token to the trigger's path."""
    or_else: tuple[tuple[str, str], ...] = ()
    """Further results (verdict and reason), if timing decides which response comes last."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    """Texts that the annotations' messages must contain."""
    unremarked: bool = False
    """No annotations, except that the sandbox's registry has a port, which some variants of Watchtower do not match."""
    shown: tuple[str, ...] = ()
    """Texts that the summary must contain."""
    failed: tuple[str, ...] | None = ()
    """The checks that must have failed, as named in the output `failed-checks`; None: not checked."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The files of the workspace, by path."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The step's `env:`, with the same placeholders as inputs."""
    places: tuple[tuple[str, int], ...] = ()
    """File and line of every annotation that points to a file."""
    asked: Mapping[str, int] = field(default_factory=dict)
    """How many times `METHOD PATH` must have reached the service's origin."""
    interrupt: signal.Signals | None = None
    """The signal that cancels the run after the trigger; None: not cancelled."""
    interrupt_after: float = 0.5
    """Seconds between the trigger and that signal."""
    found: Mapping[str, str] = field(default_factory=dict)
    """The finding that mode doctor must report for each link with a warning or error; all other links are fine."""
    records: tuple[str, ...] = ()
    """The states of the one Deployment at GitHub, in order; empty: there is no Deployment."""
    earlier: tuple[Earlier, ...] = ()
    """Runs before this one, in order."""
    issues: tuple[tuple[str, int], ...] = ()
    """State and number of comments of every issue at GitHub at the end."""
    silent: bool = False
    """Whether the run must not send any request."""

    def endings(self) -> set[tuple[str, str]]:
        """Return all correct pairs of verdict and reason."""
        return {(self.verdict, self.reason), *self.or_else}

    def code(self) -> int:
        """Return the correct exit code."""
        return EXIT_CODES[self.verdict] if self.exit_code is None else self.exit_code


@dataclass(frozen=True)
class Setting:
    """A story, its world and the inputs of the step; only the result is missing.

    `promises` are further fields of `Scenario`, by name.
    """

    story: "Story"
    scene: Scene
    inputs: Mapping[str, str]

    def ends(self, verdict: str, reason: str = "", **promises: object) -> Scenario:
        """Return the scenario with this result."""
        return self._promising(verdict, reason, promises)

    def is_refused(self, reason: str, **promises: object) -> Scenario:
        """Return a scenario whose trigger is rejected at once."""
        return self._promising("trigger-failed", reason, {"result": "none", **promises})

    def is_checked(self, verdict: str, reason: str = "", **promises: object) -> Scenario:
        """Return a scenario in which the declared build goes live, and its checks decide the result."""
        return self._promising(verdict, reason, {"proof": "version", "result": "updated", **promises})

    def is_ready(self, found: Mapping[str, str] | None = None, **promises: object) -> Scenario:
        """Return a scenario in which doctor finds that a deploy would succeed; `found` has the warnings by link."""
        known = {"triggers": 0, "unremarked": not found, "found": found or {}}
        return self._promising("ready", "", {**known, **promises})

    def is_broken(self, found: Mapping[str, str], **promises: object) -> Scenario:
        """Return a scenario in which doctor finds the first link of `found` broken; the others are warnings."""
        known = {"triggers": 0, "failed": (next(iter(found)),), "found": found}
        return self._promising("not-ready", "", {**known, **promises})

    def _promising(self, verdict: str, reason: str, promises: Mapping[str, object]) -> Scenario:
        described = (self.story.name, self.story.title, self.story.shows)
        # The dataclass itself rejects unknown names.
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
