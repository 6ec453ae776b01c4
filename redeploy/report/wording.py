"""The sentences that log, annotations and summary share."""

from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.remedy import Remedy
from redeploy.report.facts import About
from redeploy.report.results import (
    NOT_REPORTED,
    Change,
    Examination,
    InvalidInputs,
    Result,
    RunResult,
    SeveralResults,
)
from redeploy.settings.plan import Mode
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof, Reason, Verdict

MOST_LISTED = 20
"""Failed checks that the message lists; all of them are in the summary and the outputs."""


_GREEN = {
    Verdict.DEPLOYED: "The new build is live",
    Verdict.ALREADY_CURRENT: "The expected build was live before the trigger, and still is",
    Verdict.VERIFIED: "The running build is healthy",
}

_BACK = {
    Verdict.ROLLED_BACK: "The previous build is live again",
    Verdict.ROLLBACK_FAILED: "The rollback failed",
}

_OTHERS = {Verdict.CANCELLED: "The run was cancelled", Verdict.INTERNAL_ERROR: "A defect of this action"}


def headline(result: Result) -> str:
    """Return a result in a few words; of several services, that of the one that stands for all."""
    match result:
        case InvalidInputs():
            of_file = any(each.place for each in result.problems)
            what = "The config file is" if of_file else "Some inputs are"
            return f"{result.conclusion.verdict}: {what} invalid; nothing was sent"
        case Examination():
            from redeploy.report import chain_table  # only doctor has a chain

            return f"{result.conclusion.verdict}: {chain_table.headline(result.chain)}"
        case SeveralResults():
            return headline(result.worst)
        case RunResult():
            return f"{result.conclusion.verdict}: {_in_few_words(result)}"


def _in_few_words(run: RunResult) -> str:
    verdict, remedy = run.conclusion.verdict, remedy_of(run)
    expected = bool(run.version.expected or run.digest.expected)
    if run.branch is not None and verdict is Verdict.VERIFIED:
        from redeploy.branch import shown  # few runs name a branch

        return shown.headline(run.branch)
    if verdict is Verdict.DEPLOYED and run.mode == Mode.ROLLBACK:
        return "The image that was put back is live"
    if verdict in _GREEN:
        if verdict is Verdict.ALREADY_CURRENT and not expected:
            return "The build that the image's tag points to was live before the trigger, and still is"
        if verdict is Verdict.VERIFIED and run.conclusion.proof is Proof.CHANGE:
            return "A different build is live and healthy"
        as_expected = verdict is Verdict.VERIFIED and expected
        return f"{_GREEN[verdict]}{', and is the expected one' if as_expected else ''}"
    if remedy and verdict in _BACK:
        return f"{_BACK[verdict]}; the deploy failed ({run.conclusion.reason})"
    return remedy.headline if remedy else _OTHERS.get(verdict, "The run ended")


def happened(run: RunResult, *, brief: bool = False) -> str:
    """Return what was observed, in whole sentences; `brief` leaves out builds and a rollback, which are shown elsewhere."""
    now, cause, rolled = run.facts.of(About.NOW), run.facts.of(About.CAUSE), run.rollback
    if rolled is None:
        return " ".join((*now, *cause, *_observed(run, brief=brief, past=not now)))
    earlier = _observed(rolled.deploy or run, brief=brief, past=True)
    return " ".join((*now, *cause, *earlier, *(() if brief else (rolled.sentence,))))


def _observed(run: RunResult, *, brief: bool, past: bool) -> list[str]:
    """Return what was observed of a run; `past` if it is not followed by what is up now."""
    if failed := run.checked.failed:
        more = len(failed) - MOST_LISTED
        listed = [f"{each.sentence}." for each in failed[:MOST_LISTED]]
        return [*listed, f"{more} more checks failed."] if more > 0 else listed  # what happened before does not matter
    said = [*run.facts.of(About.UPDATE), *(f"It says about {each}." for each in run.facts.of(About.REASON))]
    said += run.facts.of(About.UNSTABLE, About.LAST) if past else run.facts.of(About.UNSTABLE)
    for what, names in (("The service's version", run.version), ("The running digest", run.digest)):
        if names != NOT_REPORTED and not brief:
            said.append(f"{what}{' then' if past else ''}: {_course(names, triggered=run.update.triggered)}.")
    return [*said, *run.facts.of(About.NAMES)]


def _course(names: Change, *, triggered: bool) -> str:
    """Say what was reported before and after the trigger, or an earlier step, and what is expected."""
    parts = [f"expected {code(names.expected)}"] if names.expected else []
    if not names.live and names.before:
        return ", ".join([f"{code(names.before)} before the trigger, none reported since", *parts])
    if triggered or names.before:
        parts.insert(0, f"before: {code(names.before) if names.before else 'not reported'}")
    aside = f" ({', '.join(parts)})" if parts else ""
    return f"{code(names.live) if names.live else 'not reported'}{aside}"


def remedy_of(run: RunResult) -> Remedy | None:
    """Return what to do about a reason."""
    if run.conclusion.reason is Reason.NONE:
        return None
    return (run.remedy or REMEDIES[run.conclusion.reason]).about(run.subject)
