"""How a run can end, and why, as outputs name it: verdicts, reasons, proofs and exit codes."""

from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """How a run ended."""

    DEPLOYED = "deployed"
    ALREADY_CURRENT = "already-current"
    VERIFIED = "verified"
    UNPROVEN = "unproven"
    NOT_STARTED = "not-started"
    TRIGGER_FAILED = "trigger-failed"
    STALE = "stale"
    WRONG_BUILD = "wrong-build"
    UNHEALTHY = "unhealthy"
    CHECKS_FAILED = "checks-failed"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"
    READY = "ready"
    NOT_READY = "not-ready"
    INVALID_CONFIG = "invalid-config"
    CANCELLED = "cancelled"
    INTERNAL_ERROR = "internal-error"


class Reason(StrEnum):
    """Why, in one word; the output `reason`."""

    NONE = ""
    NOTHING_TO_DO = "nothing-to-do"
    NO_IDENTITY = "no-identity"
    NO_CHANGE = "no-change"
    WEAK_PROOF = "weak-proof"
    NO_REFERENCE = "no-reference"
    IMAGE_MISSING = "image-missing"
    UNSUPPORTED = "unsupported"
    DIGEST_UNAVAILABLE = "digest-unavailable"
    ROLLBACK_IMPOSSIBLE = "rollback-impossible"
    EARLIER_WAVE = "earlier-wave"
    AUTH = "auth"
    MISROUTED = "misrouted"
    METHOD = "method"
    BUSY = "busy"
    RATE_LIMITED = "rate-limited"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    REDIRECT = "redirect"
    ACCESS_WALL = "access-wall"
    CHALLENGE = "challenge"
    UPDATE_FAILED = "update-failed"
    UPDATE_BLOCKED = "update-blocked"
    NOTHING_SCANNED = "nothing-scanned"
    NO_ANSWER = "no-answer"
    OLD_BUILD = "old-build"
    BEHIND = "behind"
    WRONG_VERSION = "wrong-version"
    WRONG_DIGEST = "wrong-digest"
    VERSION_UNAVAILABLE = "version-unavailable"
    NEVER_READY = "never-ready"
    FLAPPING = "flapping"
    DOWN = "down"
    HTML = "html"
    CACHED = "cached"
    THROTTLED = "throttled"
    OPENAPI = "openapi"
    ROUTES = "routes"
    BREAKING_CHANGE = "breaking-change"
    SMOKE = "smoke"
    DOWNTIME = "downtime"


def exit_code(verdict: Verdict, *, proof_suffices: bool = True, signal: int = 0) -> int:
    """Return the exit code of a verdict; `unproven` is green unless more proof was required."""
    match verdict:
        case Verdict.DEPLOYED | Verdict.ALREADY_CURRENT | Verdict.VERIFIED | Verdict.READY:
            return 0
        case Verdict.UNPROVEN:
            return 0 if proof_suffices else 1
        case Verdict.INVALID_CONFIG:
            return 2
        case Verdict.CANCELLED:
            return 128 + signal
        case Verdict.INTERNAL_ERROR:
            return 70
        case _:
            return 1


class Proof(IntEnum):
    """How it is known which build is live; a greater value is a stronger proof."""

    NONE = 0
    CLAIM = 1
    CHANGE = 2
    VERSION = 3
    DIGEST = 4

    @property
    def word(self) -> str:
        """The proof's name as inputs and outputs spell it."""
        return self.name.lower()
