"""Every combination of facts that a run can reach: the values of each fact that matter, and the rules that exclude some.

The clock has fixed values: Watchtower responds at 10 s or, late, at 295 s, a window takes 5 s, the deadline is at 300 s,
and patience ends at 330 s.
"""

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any

from redeploy.branch.standing import Standing
from redeploy.decision.facts import Facts
from redeploy.decision.stop import GRACE
from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.triggers.trigger import Again, Answer, Counts, Result
from redeploy.verdicts import Proof, Reason

DEADLINE, PATIENCE_ENDS, STABLE_FOR = 300.0, 330.0, 5.0
EARLY, LATE = 10.0, 295.0
"""When Watchtower responds: with the whole grace period before the deadline, or with a part of it after."""

GRACE_ENDS = EARLY + STABLE_FOR + GRACE
MOMENTS = (GRACE_ENDS - 1, GRACE_ENDS, LATE + 1, DEADLINE, LATE + STABLE_FOR + GRACE, PATIENCE_ENDS)


def _answer(result: Result, again: Again | None = None, **counts: int) -> Answer:
    known = Counts(**{"scanned": 1, "skipped": 0} | counts) if counts else None
    return Answer(result=result, seen=str(result), counts=known, again=again)


ANSWERS: Mapping[str, Answer | None] = {
    "none": None,
    "updated": _answer(Result.UPDATED, updated=1),
    "accepted": _answer(Result.ACCEPTED),
    "nothing": _answer(Result.NOTHING, updated=0),
    "partial, none failed": _answer(Result.PARTIAL, scanned=2, updated=1, skipped=1),
    "partial, some failed": _answer(Result.PARTIAL, scanned=2, updated=1, failed=1),
    "failed": _answer(Result.FAILED, failed=1),
    "blocked": _answer(Result.BLOCKED, scanned=0, skipped=1),
    "unknown, nothing scanned": _answer(Result.UNKNOWN, scanned=0),
    "unknown, lost": _answer(Result.UNKNOWN),
    "busy": _answer(Result.BUSY, again=Again.BUSY),
    "rate-limited": _answer(Result.NONE, again=Again.RATE_LIMITED),
    "refused": _answer(Result.NONE),
}
"""One response of each kind: the rest of its content does not affect decisions."""

FLAGS = (False, True)

AXES: Mapping[str, tuple[Any, ...]] = {
    "verifying": FLAGS,
    "now": MOMENTS,
    "version_declared": FLAGS,
    "digest_declared": FLAGS,
    "require_proof": tuple(Proof),
    "not_started": (
        None,
        Reason.IMAGE_MISSING,
        Reason.UNSUPPORTED,
        Reason.DIGEST_UNAVAILABLE,
        Reason.ROLLBACK_IMPOSSIBLE,
    ),
    "refusal": (
        None,
        Reason.AUTH,
        Reason.MISROUTED,
        Reason.METHOD,
        Reason.BUSY,
        Reason.RATE_LIMITED,
        Reason.UNREACHABLE,
        Reason.TLS,
        Reason.REDIRECT,
        Reason.ACCESS_WALL,
        Reason.CHALLENGE,
    ),
    "answer": tuple(ANSWERS.values()),
    "answered_at": (None, EARLY, LATE),
    "check_failure": (None, Reason.OPENAPI, Reason.ROUTES, Reason.BREAKING_CHANGE, Reason.SMOKE, Reason.DOWNTIME),
    "condition": (None, *Condition),
    "build": (Build.UNKNOWN, Build.NEW, Build.OLD, Build.OTHER, Build.UNNAMED),
    "branch": (None, *Standing),
    "checked": (True, False),
    "window_open": FLAGS,
    **dict.fromkeys(
        (
            "awaiting",
            "referenced",
            "answer_final",
            "live_before",
            "right_build_under_way",
            "held",
            "confirmed",
            "window_in_time",
            "healthy_long_enough",
            "claim_held",
            "held_after_gap",
            "old_build_stayed",
            "wrong_build_held",
            "registry_unchanged",
            "unobservable",
            "blocked",
            "throttled_past_deadline",
            "starved",
            "gap_seen",
            "version_cached",
            "new_build_seen",
            "window_broke",
            "broke_late",
            "flapping",
            "builds_visible",
            "digest_reported",
            "digests_differ",
            "old_digest_runs",
            "reverted",
            "checking",
        ),
        FLAGS,
    ),
}
"""The values of each fact; besides the fields of `Facts`, whether a window of any build is open."""

FIXED: Mapping[str, Any] = {"deadline": DEADLINE, "patience_ends": PATIENCE_ENDS, "stable_for": STABLE_FOR}

Literal = tuple[str, frozenset[Any]]
Clause = tuple[Literal, ...]
"""At least one of these facts has one of these values."""


def _is(name: str, *values: object) -> Literal:
    return name, frozenset(each for each in AXES[name] if each in values)


def _not(name: str, *values: object) -> Literal:
    return name, frozenset(each for each in AXES[name] if each not in values)


def _no(name: str) -> Literal:
    return name, frozenset(FLAGS[:1])


def _yes(name: str) -> Literal:
    return name, frozenset(FLAGS[1:])


def _none_of(names: str, *unless: Literal) -> list[Clause]:
    """Unless one of these holds, each of the named facts has the first value of its axis: false, or none."""
    return [(*unless, _is(name, AXES[name][0])) for name in names.split()]


def _answers(*names: str) -> tuple[Answer | None, ...]:
    return tuple(ANSWERS[name] for name in names)


_BEFORE = tuple(moment for moment in MOMENTS if moment < DEADLINE)
_IN_A_WINDOW = ("held", "healthy_long_enough", "claim_held", "held_after_gap", "wrong_build_held", "checking")
_TELLS_NOTHING = (None, Condition.HEALTHY, *(each for each in Condition if each.is_inconclusive))
_WALLS = tuple(each for each in Condition if each.is_wall)

RULES: Mapping[str, list[Clause]] = {
    "mode verify triggers nothing, and knows no build before, unless an earlier step has reported it": [
        *_none_of(
            "refusal answer answered_at answer_final confirmed claim_held registry_unchanged old_build_stayed",
            _no("verifying"),
        ),
        *_none_of("live_before old_digest_runs reverted", _no("verifying"), _yes("awaiting")),
        (_no("verifying"), _yes("awaiting"), _not("build", Build.OLD)),
        (_no("verifying"), _not("not_started", Reason.UNSUPPORTED, Reason.ROLLBACK_IMPOSSIBLE)),
    ],
    "only mode verify waits for the build of another deployer": [
        (_no("awaiting"), _yes("verifying")),
        (_no("referenced"), _yes("awaiting")),
    ],
    "beside nothing that was seen before, no build is the old one, and none a new one unless it is declared": [
        (_no("awaiting"), _yes("referenced"), _not("build", Build.OLD)),
        *_none_of(
            "new_build_seen", _no("awaiting"), _yes("referenced"), _yes("version_declared"), _yes("digest_declared")
        ),
    ],
    "a moment belongs to every response, and is not in the future": [
        (_is("answer", None), _not("answered_at", None)),
        (_not("answer", None), _is("answered_at", None)),
        (_not("answered_at", LATE), _is("now", *(each for each in MOMENTS if each > LATE))),
    ],
    "only a response is final, confirms a window, refuses, claims, or leaves an old build alone": [
        *_none_of(
            "answer_final refusal confirmed claim_held registry_unchanged old_build_stayed", _not("answer", None)
        ),
        (_is("answer", *_answers("none", "busy", "rate-limited")), _yes("answer_final")),
        (_no("claim_held"), _is("answer", *_answers("updated"))),
    ],
    "a refusal is a response of its own, or one that was to be sent again": [
        (_not("answer", *_answers("refused")), _not("refusal", None)),
        (_is("refusal", None), _is("answer", *_answers("refused", "busy", "rate-limited"))),
    ],
    "every window that held is open, and a service with an open window is healthy": [
        *_none_of(" ".join(_IN_A_WINDOW), _yes("window_open")),
        (_no("window_open"), _is("condition", Condition.HEALTHY)),
        (_no("flapping"), _no("window_open")),
        (_no("old_build_stayed"), _is("condition", Condition.HEALTHY)),
    ],
    "a window of the right build that held is still under way": [(_no("held"), _yes("right_build_under_way"))],
    "a window of the wrong build is not one of the right build": [
        *_none_of("right_build_under_way", _no("wrong_build_held")),
        (_no("wrong_build_held"), _yes("verifying")),
        (_no("wrong_build_held"), _no("awaiting")),
        (_no("wrong_build_held"), _yes("version_declared"), _yes("digest_declared")),
    ],
    "only a declared build can have been live before": [
        (_no("live_before"), _yes("version_declared"), _yes("digest_declared"))
    ],
    "production is compared with a branch in mode verify, in the place of a version, once a window has held": [
        *_none_of("branch", _yes("verifying")),
        *_none_of("branch", _no("version_declared")),
        *_none_of("branch", _yes("held")),
        *_none_of("branch", _no("awaiting")),
    ],
    "a window of a declared version names it": [
        (_no("held"), _no("version_declared"), _is("build", Build.NEW)),
    ],
    "a window of a declared digest has that digest reported": [
        (_no("held"), _no("digest_declared"), _yes("digest_reported")),
        (_no("held"), _no("digest_declared"), _no("digests_differ")),
        (_no("held"), _no("digest_declared"), _no("old_digest_runs"), _yes("live_before")),
    ],
    "a window of the right build shows a new build, unless it was live before or nothing is triggered": [
        (_no("held"), _yes("new_build_seen"), _yes("live_before"), _yes("verifying")),
        (_no("held"), _yes("new_build_seen"), _yes("live_before"), _no("awaiting")),
    ],
    "a build that responded was seen": [(_not("build", Build.NEW), _yes("new_build_seen"))],
    "only beside a declared version is a build another one, or unnamed": [
        (_not("build", Build.OTHER, Build.UNNAMED), _yes("version_declared"))
    ],
    "a claim is none where what is visible stayed the same": [(_no("claim_held"), _not("build", Build.OLD))],
    "an old build that stayed saw no other, and no window of another": [
        (_no("old_build_stayed"), _no("window_broke")),
        (_no("old_build_stayed"), _no("digest_reported"), _yes("old_digest_runs")),
        (_no("old_build_stayed"), _no("new_build_seen")),
        (_no("old_build_stayed"), _no("version_cached")),
        (_no("old_build_stayed"), _not("build", Build.NEW, Build.OTHER)),
    ],
    "another contract counts where nothing is declared, and then a new build was seen": [
        (_no("reverted"), _no("version_declared")),
        (_no("reverted"), _no("digest_declared")),
        (_no("reverted"), _yes("new_build_seen")),
    ],
    "a tag is compared with what runs where nothing is declared": [
        (_no("registry_unchanged"), _no("version_declared")),
        (_no("registry_unchanged"), _no("digest_declared")),
    ],
    "a bad response is a gap, and follows one": [
        (_is("condition", *_TELLS_NOTHING), _yes("gap_seen")),
        (_no("held_after_gap"), _yes("gap_seen")),
    ],
    "only what stands in front of the service blocks it; in mode verify that does not wait, a web page too": [
        (_no("blocked"), _is("condition", *_WALLS, Condition.HTML)),
        (_no("blocked"), _not("condition", Condition.HTML), _yes("verifying")),
        (_no("blocked"), _not("condition", Condition.HTML), _no("awaiting")),
    ],
    "a window that broke late broke, and so did many": [
        (_no("broke_late"), _yes("window_broke")),
        (_no("broke_late"), _not("now", *_BEFORE)),
        (_no("flapping"), _yes("window_broke")),
    ],
    "a wait reaches beyond a deadline that has not passed": [(_no("throttled_past_deadline"), _is("now", *_BEFORE))],
    "that too few requests were left is said at the deadline": [
        (_no("starved"), _is("now", *(each for each in MOMENTS if each >= DEADLINE)))
    ],
    "of a worker that nothing shows, nothing was seen": [
        *_none_of(
            "window_open condition build blocked gap_seen new_build_seen window_broke throttled_past_deadline starved "
            "flapping builds_visible digest_reported digests_differ old_digest_runs reverted live_before "
            "registry_unchanged old_build_stayed right_build_under_way window_in_time confirmed check_failure checked",
            _no("unobservable"),
        ),
        (_no("unobservable"), _no("version_declared")),
        (_no("unobservable"), _no("digest_declared")),
    ],
    "checks that are still to be made are not made": [(_no("checking"), _no("checked"))],
}
"""The rules that exclude combinations, by their reason."""

CLAUSES: tuple[Clause, ...] = tuple(clause for clauses in RULES.values() for clause in clauses)


def broken_rules(facts: Facts) -> list[str]:
    """Return the rules that these facts of a real run break: none, if the rules are right.

    The clock and the responses of a real run are not those of the axes. Of the time, the rules use only whether the deadline
    has passed, and for a response only whether it came.
    """
    window_open = any(_windows(facts))
    return list(_broken_by((facts.late, facts.answered_at is None, window_open, *_plain(facts))))


_SPECIAL = ("now", "answered_at", "window_open")
_PLAIN = tuple(name for name in AXES if name not in _SPECIAL)
_plain = attrgetter(*_PLAIN)
_windows = attrgetter(*_IN_A_WINDOW)


@lru_cache(maxsize=4096)  # most steps of a run only change the clock
def _broken_by(classes: tuple[Any, ...]) -> tuple[str, ...]:
    known = dict(zip((*_SPECIAL, *_PLAIN), classes, strict=True))
    return tuple(why for why, clauses in RULES.items() if not all(_holds(known, clause) for clause in clauses))


def _holds(known: Mapping[str, Any], clause: Clause) -> bool:
    return any(_fits(known[name], name, values) for name, values in clause)


def _fits(value: Any, name: str, values: frozenset[Any]) -> bool:  # noqa: ANN401 - the value of any fact
    if name == "now":
        return any((moment >= DEADLINE) is value for moment in values)
    if name == "answered_at":
        return any((moment is None) is value for moment in values)
    if name == "answer":
        return value is None if values == {None} else any(_alike(each, value) for each in values)
    return value in values


def _alike(one: Answer | None, other: Answer | None) -> bool:
    if one is None or other is None:
        return one is other
    failed = [bool(each.counts and each.counts.failed) for each in (one, other)]
    known = one.counts is None, other.counts is None
    again = one.again is None, other.again is None
    return one.result is other.result and failed[0] == failed[1] and again[0] == again[1] and (known[0] or not known[1])
