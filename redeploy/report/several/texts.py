"""Several services in words and as annotations; nothing is written here."""

from collections.abc import Mapping, Sequence

from redeploy.report import annotations, wording
from redeploy.report.annotations import MOST_ANNOTATIONS, Annotation
from redeploy.report.results import OneResult, SeveralResults
from redeploy.report.several.whole import is_green
from redeploy.verdicts import Reason, Verdict

MOST_NAMED = 5
"""Services that one headline names."""


def headline(result: SeveralResults) -> str:
    """Return the run in a few words: how many services are not green, and which."""
    services, verdict = result.services, result.conclusion.verdict
    bad = [key for key, each in services.items() if not is_green(each) and not waits(each)]
    if bad:
        are = "is" if len(bad) == 1 else "are"
        waiting = sum(map(waits, services.values()))
        more = f"; {waiting} not started" if waiting else ""
        return f"{verdict}: {len(bad)} of {len(services)} services {are} not green: {listed(bad)}{more}"
    weak = [key for key, each in services.items() if each.conclusion.verdict is Verdict.UNPROVEN]
    if weak:
        return f"{verdict}: All {len(services)} services are healthy; nothing proves the build of {listed(weak)}"
    return f"{verdict}: All {len(services)} services are green"


def waits(result: OneResult) -> bool:
    """Return whether a service was not reached because an earlier wave is not green."""
    return result.conclusion.reason is Reason.EARLIER_WAVE


def not_started(keys: Sequence[str]) -> str:
    """Say which services were not reached."""
    return f"An earlier wave is not green, so {len(keys)} services were not started: {', '.join(keys)}."


def listed(keys: Sequence[str]) -> str:
    """Return services by name, as many as fit into a line."""
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return f"{', '.join(keys[:MOST_NAMED])}{more}"


def annotations_of(services: Mapping[str, OneResult]) -> list[Annotation]:
    """Return one annotation for each service that is not green, and one for all other warnings."""
    found: dict[str, Annotation] = {}
    looks: list[str] = []
    for key, each in services.items():
        if waits(each):
            continue
        own = annotations.annotations(each)
        if own and (not is_green(each) or each.conclusion.verdict is Verdict.UNPROVEN):
            found[key] = Annotation(own[0].kind, f"{key}: {own[0].title}", own[0].message)
            own = own[1:]
        looks += [f"{key}: {other.message}" for other in own if not other.file]
    room = (
        MOST_ANNOTATIONS - 4
    )  # for what is worth a look, the rest of the services, later waves, and GitHub's Deployment
    ordered = sorted(found, key=lambda key: found[key].kind != "error")
    shown = [found[key] for key in ordered[:room]]
    if left := ordered[room:]:
        headlines = [f"{key}: {wording.headline(services[key])}" for key in left]
        shown.append(Annotation(found[left[0]].kind, f"{len(left)} more services", "\n".join(headlines)))
    if waiting := [key for key, each in services.items() if waits(each)]:
        shown.append(Annotation("error", "Services not started", not_started(waiting)))
    if looks:
        shown.append(Annotation("warning", "Worth a look", "\n".join(looks)))
    return shown
