"""Renders the page of decisions: the stop rules and the verdicts, as running them shows."""

from collections.abc import Iterable

from redeploy.decision.facts import Facts
from redeploy.decision.stop import GRACE, should_stop
from redeploy.decision.verdict import Conclusion, conclude
from redeploy.http.condition import Condition
from redeploy.service.identity import Build
from redeploy.triggers.trigger import Answer, Result
from tools.docs.build_names import NOTE
from tools.docs.decision_space import ANSWERS, RULES
from tools.docs.decision_walk import walk

_RESPONSE, _STABLE_FOR, _UNPROVEN, _DEADLINE = 100.0, 8.0, 10.0, 300.0

_MOMENTS = {
    _RESPONSE + _STABLE_FOR: "once healthy for `stable-for`",
    _RESPONSE + _UNPROVEN: "once healthy for `stable-for`, 10 s at least",
    _RESPONSE + _STABLE_FOR + GRACE: f"{GRACE:.0f} s and `stable-for` after the response",
    _DEADLINE: "at the deadline",
}


def decisions() -> str:
    """Return when a run stops for each response of Watchtower, how it can end, and what is excluded."""
    columns = ("declared, and the old build stays", "nothing declared, and nothing changes", "the same, after a gap")
    paragraphs = [
        NOTE,
        "# How a run is decided",
        (
            "All that is known at one moment is one value, `Facts`. `should_stop` says whether waiting can still "
            "change anything, and `conclude` says how the run ends. Both are pure functions in `redeploy/decision/`; what "
            "follows is what they return."
        ),
        "## When a run stops waiting",
        (
            "A run that is proven ends with its window, its checks and one more probe after Watchtower's response. This "
            "table is about the others: the service is always healthy, and the old build is the one that responds."
        ),
        _table(
            ("Watchtower's response", *columns),
            (
                (word, *(_ended(answer, column) for column in range(3)))
                for word, answer in ANSWERS.items()
                if _final(answer)
            ),
        ),
        "## How it can end",
        "Every verdict and reason that any combination of facts leads to, with the exit codes:",
        _table(("verdict", "exit code", "reasons"), _endings()),
        "## Which combinations there are",
        (
            "Tests walk all of them, and hold that green never comes with an unmet declaration, without a window that "
            "held, or where a failure that Watchtower reports stands; that the stop rules and the verdict agree; that "
            "every red has one reason; and that every run stops. "
            "What a run cannot come to is left out by these rules, and every run that a "
            "test plays is held against them:"
        ),
        "\n".join(f"- {why[0].upper()}{why[1:]}." for why in RULES),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _final(answer: Answer | None) -> bool:
    return answer is None or (answer.again is None and answer.result is not Result.NONE)


def _facts(answer: Answer | None, now: float, *, declared: bool, gap: bool) -> Facts:
    """Return the facts of a service on which only the old build responds, and is healthy."""
    healthy_for = now - _RESPONSE
    claim = answer is not None and answer.result is Result.UPDATED
    return Facts(
        now=now,
        deadline=_DEADLINE,
        stable_for=_STABLE_FOR,
        version_declared=declared,
        digest_declared=False,
        answer=answer,
        answered_at=None if answer is None else _RESPONSE,
        answer_final=answer is not None,
        condition=Condition.HEALTHY,
        build=Build.OLD if declared else Build.UNKNOWN,
        old_build_stayed=answer is not None and not gap and healthy_for >= _STABLE_FOR + GRACE,
        healthy_long_enough=healthy_for >= _UNPROVEN,
        claim_held=claim and not declared and healthy_for >= _STABLE_FOR,
        gap_seen=gap,
        held_after_gap=gap and healthy_for >= _STABLE_FOR,
    )


def _ended(answer: Answer | None, column: int) -> str:
    for moment, when in _MOMENTS.items():
        known = _facts(answer, moment, declared=column == 0, gap=column == 2)
        if should_stop(known):
            return f"{when}: {_named(conclude(known))}"
    return "never"


def _named(conclusion: Conclusion) -> str:
    reason = f", `{conclusion.reason}`" if conclusion.reason else ""
    return f"`{conclusion.verdict}`{reason}"


def _endings() -> Iterable[tuple[str, str, str]]:
    found: dict[str, tuple[set[int], set[str]]] = {}
    for conclusion, _ in walk(conclude):
        codes, reasons = found.setdefault(conclusion.verdict, (set(), set()))
        codes.add(conclusion.exit_code)
        if conclusion.reason:
            reasons.add(f"`{conclusion.reason}`")
    for verdict, (codes, reasons) in sorted(found.items(), key=lambda each: (max(each[1][0]), each[0])):
        yield f"`{verdict}`", ", ".join(map(str, sorted(codes))), ", ".join(sorted(reasons))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
