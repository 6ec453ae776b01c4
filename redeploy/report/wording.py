"""The sentences that log, annotations and summary share."""

from dataclasses import replace

from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.remedy import LOOPBACK, Remedy
from redeploy.report.outcome import Outcome
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


def headline(outcome: Outcome) -> str:
    """Return the run in a few words."""
    verdict, remedy = outcome.conclusion.verdict, remedy_of(outcome)
    if outcome.chain is not None and not outcome.problems:
        from redeploy.report import chain_table

        return f"{verdict}: {chain_table.headline(outcome.chain)}"
    if outcome.branch is not None and verdict is Verdict.VERIFIED:
        from redeploy.branch import shown  # few runs name a branch

        return f"{verdict}: {shown.headline(outcome.branch)}"
    if verdict is Verdict.DEPLOYED and outcome.mode == Mode.ROLLBACK:
        return f"{verdict}: The image that was put back is live"
    if verdict in _GREEN:
        if verdict is Verdict.ALREADY_CURRENT and not (outcome.expected_version or outcome.expected_digest):
            return f"{verdict}: The build that the image's tag points to was live before the trigger, and still is"
        if verdict is Verdict.VERIFIED and outcome.conclusion.proof is Proof.CHANGE:
            return f"{verdict}: Another build than before is live and healthy"
        as_expected = verdict is Verdict.VERIFIED and (outcome.expected_version or outcome.expected_digest)
        return f"{verdict}: {_GREEN[verdict]}{', and is the expected one' if as_expected else ''}"
    if remedy and verdict in _BACK:
        return f"{verdict}: {_BACK[verdict]}; the deploy failed ({outcome.conclusion.reason})"
    if remedy:
        return f"{verdict}: {remedy.headline}"
    of_file = any(each.place for each in outcome.problems)
    fallback = {
        Verdict.INVALID_CONFIG: f"{'The config file is' if of_file else 'Some inputs are'} wrong; nothing was sent",
        Verdict.CANCELLED: "The run was cancelled",
        Verdict.INTERNAL_ERROR: "A defect of this action",
    }
    return f"{verdict}: {fallback.get(verdict, 'The run ended')}"


def happened(outcome: Outcome, *, brief: bool = False) -> str:
    """Return what was observed, in whole sentences; `brief` leaves out builds and a rollback, which are shown elsewhere."""
    rolled = outcome.rollback
    if rolled is not None:
        deploy = replace(rolled.deploy or outcome, rollback=None, detail=outcome.detail, service_now="")
        parts = (outcome.service_now, happened(deploy, brief=brief), "" if brief else rolled.told)
        return " ".join(filter(None, parts))
    said = [outcome.service_now] if outcome.service_now else []
    if outcome.detail:
        said.append(outcome.detail)
    said += [f"{each.told}." for each in outcome.checked.failed[:MOST_LISTED]]
    if (more := len(outcome.checked.failed) - MOST_LISTED) > 0:
        said.append(f"{more} more checks failed.")
    if outcome.checked.failed:
        return " ".join(said)  # the build is live, so the responses before it do not matter
    where, after = code(outcome.watchtower_origin), ""
    if outcome.answered_after is not None:
        after = f" after {outcome.answered_after:.1f} s"
    if outcome.watchtower_said and outcome.watchtower_replied:
        who = "Watchtower" if outcome.watchtower_itself else "The update URL"
        said.append(f"{who} at {where} responded{after}: {outcome.watchtower_said}.")
    elif outcome.watchtower_said:
        said.append(f"The request to Watchtower at {where} failed{after}: {outcome.watchtower_said}.")
    elif outcome.triggered:
        said.append(f"Watchtower at {where} has not responded.")
    said += [f"It says about {reason}." for reason in outcome.told_reasons]
    if outcome.in_turn:
        said.append("The old and the new build took turns.")
    elif outcome.broken > 1:
        said.append(f"The new build did not stay up: it was healthy and then failed {outcome.broken} times.")
    if outcome.last_seen and not outcome.service_now:
        said.append(f"The last response of the service at {code(outcome.url)} then was {outcome.last_seen}.")
    for what, expected, live, before in (
        ("The service's version", outcome.expected_version, outcome.version, outcome.previous_version),
        ("The running digest", outcome.expected_digest, outcome.digest, outcome.previous_digest),
    ):
        if (expected or live or before) and not brief:
            course = _course(expected, live, before, triggered=outcome.triggered)
            said.append(f"{what}{'' if outcome.service_now else ' then'}: {course}.")
    if outcome.named:
        said.append(outcome.named)
    return " ".join(said)


def _course(expected: str, live: str, before: str, *, triggered: bool) -> str:
    """Say what was reported before and after the trigger, or an earlier step, and what is expected."""
    parts = [f"expected {code(expected)}"] if expected else []
    if not live and before:
        return ", ".join([f"{code(before)} before the trigger, none reported since", *parts])
    if triggered or before:
        parts.insert(0, f"before: {code(before) if before else 'not reported'}")
    aside = f" ({', '.join(parts)})" if parts else ""
    return f"{code(live) if live else 'not reported'}{aside}"


def remedy_of(outcome: Outcome) -> Remedy | None:
    """Return what to do about a reason."""
    if outcome.loopback_refused:
        return LOOPBACK.about(outcome.subject)
    if outcome.conclusion.reason is Reason.NONE:
        return None
    return (outcome.remedy or REMEDIES[outcome.conclusion.reason]).about(outcome.subject)
