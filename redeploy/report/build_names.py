"""Sentences about the fields that name the build: which one was used, and which contradict each other."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from redeploy.decision.verdict import Conclusion
from redeploy.rollout.service_state import ServiceState
from redeploy.service.build_fields import names_nothing
from redeploy.service.declared import Standing, declared, same_version
from redeploy.service.identity import last_named, version_of
from redeploy.service.sample import Sample
from redeploy.text.untrusted import code, one_line
from redeploy.verdicts import Reason

MOST_LISTED = 6
"""Fields that one message lists."""

Redact = Callable[[str], str]

_A_COMMIT = "f" * 40
"""Stands for a commit that is not known yet."""

_OF_VERSION = (Reason.WRONG_VERSION, Reason.VERSION_UNAVAILABLE, Reason.OLD_BUILD)


def version_named(state: ServiceState, samples: Sequence[Sample]) -> str:
    """Return the version of the last sample that has one, as one harmless line."""
    named = last_named(samples)
    return one_line(version_of(named, state.plan.expect_version, state.record.before.names)) if named else ""


@dataclass(frozen=True)
class LiveCommit:
    """What the service says of the commit that it was built from."""

    version: str = ""
    unclear: str = ""
    """Why it is not clear which commit that is, in a whole sentence; empty if it is clear, or none is named."""


def live_commit(state: ServiceState) -> LiveCommit:
    """Return the version that the last look names, preferably by the fields that name a commit."""
    named = last_named(state.samples)
    if named is None:
        return LiveCommit()
    found = declared(_A_COMMIT, named.names, named.ranks).paths
    if len({named.names[path] for path in found}) > 1:
        listed = _listed(named, found, state.redact)
        unclear = f"Fields of equal rank name different builds: {listed}. Say which one counts with `version-field`."
        return LiveCommit(unclear=unclear)
    version = named.names[found[0]] if found else version_of(named, "", {})
    return LiveCommit(one_line(state.redact(version)))


def names_explained(state: ServiceState, conclusion: Conclusion) -> str:
    """Return what the fields that name the build say, if that explains how the run ended; otherwise empty."""
    named = last_named(state.samples)
    if named is None:
        return ""
    if conclusion.reason in (Reason.NO_CHANGE, Reason.NOTHING_TO_DO, Reason.WEAK_PROOF):
        return _outweighed(state, named)
    if conclusion.reason in _OF_VERSION and state.plan.expect_version and not state.plan.service.version_field:
        return _of_version(state, named)
    return ""


def _of_version(state: ServiceState, named: Sample) -> str:
    expected, redact = state.plan.expect_version, state.redact
    found = declared(expected, named.names, named.ranks)
    if found.standing is Standing.CONTRADICTORY:
        right = next(path for path in found.paths if same_version(expected, named.names[path]))
        return (
            "The response has several versions that contradict each other: "
            f"{_listed(named, found.paths, redact)}. Set which one counts, for example with {_setting(right, redact)}."
        )
    if found.standing is Standing.UNNAMED:
        words = [path for path, name in named.names.items() if names_nothing(name)]
        return f"{_listed(named, words, redact)}, which does not name a build." if words else ""
    read_from = f"The version was read from {_fields(found.paths, redact)}"
    others = [path for path, name in named.names.items() if same_version(expected, name)]
    if found.standing is Standing.UNMET and others:
        return (
            f"{read_from}. {_fields(others, redact)} has the expected version, but ranks lower. If that is the service's "
            f"own version, set {_setting(others[0], redact)}."
        )
    return f"{read_from}." if found.standing is Standing.UNMET else ""


def _outweighed(state: ServiceState, named: Sample) -> str:
    like = state.history.like
    if like.outweighed and like.same:
        stayed = [path for path in like.same if named.ranks.get(path) and named.ranks[path].kind is like.kind]
        moved, kept = _fields(like.outweighed, state.redact), _fields(stayed or like.same, state.redact)
        return f"{moved} changed, but {kept} did not: that is the same build."
    return ""


def _setting(path: str, redact: Redact) -> str:
    """Return the input that chooses a field, without the prefix of the health URL."""
    return code(redact(f"version-field: {path.removeprefix('health:')}"), 100)


def _listed(named: Sample, paths: Iterable[str], redact: Redact) -> str:
    each = [f"{code(redact(path), 80)} says {code(named.names[path], 80)}" for path in paths]
    return ", ".join(each[:MOST_LISTED]) + (f" and {len(each) - MOST_LISTED} more" if len(each) > MOST_LISTED else "")


def _fields(paths: Iterable[str], redact: Redact) -> str:
    each = [code(redact(path), 80) for path in paths]
    return ", ".join(each[:MOST_LISTED]) + (f" and {len(each) - MOST_LISTED} more" if len(each) > MOST_LISTED else "")
