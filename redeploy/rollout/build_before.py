"""What is known about the build that ran before the trigger, and the image that would restore it."""

from collections.abc import Sequence
from dataclasses import replace

from redeploy.rollout.candidates import references
from redeploy.rollout.service_state import Watch
from redeploy.rollout.target import Target
from redeploy.service.build_fields import names_nothing
from redeploy.service.declared import same_version
from redeploy.service.identity import version_of
from redeploy.service.sample import Sample


def version_before(watch: Watch) -> str:
    """Return the version that answered before the trigger; empty where nothing but noise was named."""
    return _named(watch, watch.baseline)


def telling_version(watch: Watch, version: str) -> str:
    """Return a version if it tells its build from the one that failed; else an empty text.

    The old build answers for a while after the trigger, too: what counts is what answered since the first fault or, where
    there was none, at the end.
    """
    faults = (place for place, sample in enumerate(watch.samples) if not sample.healthy)
    since = watch.samples[next(faults, len(watch.samples) - 1) :] if watch.samples else []
    named = {name for sample in since for name in sample.names.values()}
    return "" if any(same_version(version, name) for name in named) else version


def names_before(watch: Watch) -> frozenset[str]:
    """Return everything that the build named itself which answered before the trigger."""
    named = next((names for each in reversed(watch.baseline) if (names := _telling(watch, each))), {})
    return frozenset(named.values())


def _telling(watch: Watch, sample: Sample) -> dict[str, str]:
    return {
        path: name for path, name in sample.names.items() if path not in watch.learnt.noise and not names_nothing(name)
    }


def _named(watch: Watch, samples: Sequence[Sample]) -> str:
    latest = samples[::-1]
    for sample in sorted(latest, key=lambda each: not each.names_itself):  # the version address speaks first
        if names := _telling(watch, sample):
            return version_of(replace(sample, names=names), "", watch.before.names)
    return ""


def target_of(watch: Watch) -> Target:
    """Return the target of a deploy, by what is known of the build that runs before the trigger."""
    last = watch.running.last
    running = watch.running.before if watch.triggered is not None else last.digest if last else ""
    tag = watch.plan.image.tag if watch.plan.image else ""
    found = references(watch.plan, tag, running, version_before(watch))
    return Target(found, names_before(watch), chosen=bool(watch.plan.rollback_to))


def impossible(watch: Watch) -> str:
    """Return a warning where a deploy went well that could not have been rolled back."""
    missing = watch.target.missing if watch.target else "which image ran before was not seen in time"
    if not missing:
        return ""
    fix = watch.target.trouble.fix if watch.target and watch.target.trouble else ""
    advice = fix or "Name an image that the registry has with `rollback-to`."
    return f"Had this deploy failed, it could not have been rolled back: {missing}. {advice}"
