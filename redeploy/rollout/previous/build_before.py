"""The build that ran before the trigger, as far as known, and the image that would restore it."""

from collections.abc import Sequence
from dataclasses import replace

from redeploy.rollout.previous.candidates import references
from redeploy.rollout.previous.target import RestoreTarget
from redeploy.rollout.service_state import ServiceState
from redeploy.service.build_fields import names_nothing
from redeploy.service.declared import same_version
from redeploy.service.identity import version_of
from redeploy.service.sample import Sample


def version_before(state: ServiceState) -> str:
    """Return the version from before the trigger; empty if there was none, or only noise."""
    return _named(state, state.baseline)


def distinguishing_version(state: ServiceState, version: str) -> str:
    """Return a version if it distinguishes its build from the failed one; otherwise an empty text.

    The old build may still respond for a while after the trigger: only the responses since the first fault count or, if
    there was no fault, the last one.
    """
    faults = (place for place, sample in enumerate(state.samples) if not sample.healthy)
    since = state.samples[next(faults, len(state.samples) - 1) :] if state.samples else []
    named = {name for sample in since for name in sample.names.values()}
    return "" if any(same_version(version, name) for name in named) else version


def names_before(state: ServiceState) -> frozenset[str]:
    """Return every name that the build from before the trigger gave itself."""
    named = next((names for each in reversed(state.baseline) if (names := _distinguishing(state, each))), {})
    return frozenset(named.values())


def _distinguishing(state: ServiceState, sample: Sample) -> dict[str, str]:
    return {
        path: name
        for path, name in sample.names.items()
        if path not in state.record.learnt.noise and not names_nothing(name)
    }


def _named(state: ServiceState, samples: Sequence[Sample]) -> str:
    latest = samples[::-1]
    for sample in sorted(latest, key=lambda each: not each.names_itself):  # the version address comes first
        if names := _distinguishing(state, sample):
            return version_of(replace(sample, names=names), "", state.record.before.names)
    return ""


def target_of(state: ServiceState) -> RestoreTarget:
    """Return the image that a rollback of this deploy would restore, by what is known of the build before."""
    last = state.running.last
    running = state.running.before if state.triggered is not None else last.digest if last else ""
    tag = state.plan.image.tag if state.plan.image else ""
    found = references(state.plan, tag, running, version_before(state))
    return RestoreTarget(found, names_before(state), chosen=bool(state.plan.rollback_to))


def impossible(state: ServiceState) -> str:
    """Return a warning if a successful deploy could not have been rolled back."""
    missing = state.target.missing if state.target else "which image ran before was not seen in time"
    if not missing:
        return ""
    fix = state.target.trouble.fix if state.target and state.target.trouble else ""
    advice = fix or "Name an image that the registry has with `rollback-to`."
    return f"If this deploy had failed, it could not have been rolled back: {missing}. {advice}"
