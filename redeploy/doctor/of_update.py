"""What the next update would do to each container, as far as that is known without one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from redeploy.doctor.known import Known
from redeploy.doctor.questions import CHECK
from redeploy.http.response import TransportError
from redeploy.remedies.findings import Finding
from redeploy.report.chain import Check, LinkResult, broken, listed, not_asked, ok, warning
from redeploy.text.untrusted import code
from redeploy.triggers.watchtower.container_rows import Checked, is_pinned
from redeploy.triggers.watchtower.containers import RunningContainer
from redeploy.verdicts import Reason


class Fate(Enum):
    """What an update does to a container."""

    BLOCKED = auto()
    """Its image cannot be pulled."""
    PINNED = auto()
    MONITORED = auto()
    DOUBTFUL = auto()
    """The registry refused Watchtower, but not us."""
    UNPULLED = auto()
    """Only an image that the host already has can replace it."""
    REPLACED = auto()
    KEPT = auto()
    """It runs the registry's image already."""
    UNKNOWN = auto()


@dataclass(frozen=True)
class Outlook:
    """A container, and what an update does to it."""

    row: RunningContainer
    fate: Fate
    checked: Checked | None = None
    """The check endpoint's row about it."""

    @property
    def left_to_the_engine(self) -> bool:
        """Whether Watchtower could not ask the registry itself, and would let the engine pull (`image.go`)."""
        return (
            self.checked is not None
            and bool(self.checked.error)
            and self.fate in (Fate.REPLACED, Fate.KEPT, Fate.UNKNOWN)
        )


def of_update(known: Known) -> LinkResult:
    """Return what the next update would do."""
    outlooks = [each for each in _outlooks(known) if each.fate is not Fate.UNKNOWN or each.left_to_the_engine]
    if not outlooks:
        asked = known.http_result(CHECK)
        if isinstance(asked, TransportError):
            return not_asked(Check.UPDATE, f"not known: no response from Watchtower's check endpoint ({asked.seen})")
        return not_asked(Check.UPDATE, "not known: this Watchtower has no check endpoint, or it is not routed")
    seen = "; ".join(_sentences(known, outlooks))
    worst = min((each.fate for each in outlooks), key=lambda fate: fate.value)
    finding = _finding([each for each in outlooks if each.fate is worst])
    if finding is None:
        return ok(Check.UPDATE, seen)
    nothing = all(each.fate in (Fate.BLOCKED, Fate.PINNED, Fate.MONITORED) for each in outlooks)
    return (broken if nothing else warning)(Check.UPDATE, seen, finding)


def _outlooks(known: Known) -> list[Outlook]:
    """Return the outlook of the containers that count, or else of all that Watchtower may replace."""
    rows = known.counted or known.watched or []
    said = {each.row.name: each for each in known.checked}
    found = [Outlook(each, _fate(known, each, said.get(each.name)), said.get(each.name)) for each in rows]
    moving = [each for each in found if each.fate not in (Fate.PINNED, Fate.MONITORED, Fate.UNPULLED)]
    return found if known.counted or not moving else moving


def _fate(known: Known, row: RunningContainer, checked: Checked | None) -> Fate:
    if is_pinned(row.image):
        return Fate.PINNED
    if row.name in known.held.monitored:
        return Fate.MONITORED
    if row.name in known.held.unpulled:
        return Fate.UNPULLED
    manifest, digest = known.manifest(row), row.digest or (checked.row.digest if checked else "")
    if checked and checked.error and (manifest is None or checked.rate_limited):
        return Fate.BLOCKED
    if manifest is not None and digest and manifest.is_of(digest):
        return Fate.KEPT  # even if the check says otherwise: it mistakes every Docker manifest list for another image
    if checked and checked.refused:
        return Fate.DOUBTFUL
    if checked and not checked.error:
        return Fate.REPLACED if checked.available else Fate.KEPT
    return Fate.REPLACED if manifest is not None and digest else Fate.UNKNOWN


def _finding(worst: Sequence[Outlook]) -> Finding | Reason | None:
    match worst[0].fate:
        case Fate.BLOCKED | Fate.DOUBTFUL:
            absent = all(each.checked and each.checked.says_absent for each in worst)
            return Reason.IMAGE_MISSING if absent else Reason.UPDATE_BLOCKED
        case Fate.PINNED:
            return Finding.PINNED
        case Fate.MONITORED:
            return Finding.MONITOR_ONLY
        case Fate.UNPULLED:
            return Finding.NO_PULL
        case _:
            return None


def _sentences(known: Known, outlooks: Sequence[Outlook]) -> list[str]:
    """Return what an update would do to the containers, the worst first."""

    def names(fate: Fate) -> str:
        return listed([_name(known, each.row) for each in outlooks if each.fate is fate])

    failed = [each for each in outlooks if each.fate in (Fate.BLOCKED, Fate.DOUBTFUL)]
    found = [f"Watchtower says about {_name(known, each.row)}: {_error(each)}" for each in failed[:2]]
    if pinned := names(Fate.PINNED):
        found.append(f"would replace nothing: {pinned} was created with a digest, which no push changes")
    if monitored := names(Fate.MONITORED):
        found.append(f"would replace nothing: Watchtower only monitors {monitored}")
    if unpulled := names(Fate.UNPULLED):
        found.append(f"would pull nothing for {unpulled}")
    compared = not any(each.checked for each in outlooks)
    if replaced := names(Fate.REPLACED):
        found.append(
            "would replace it: the tag points to a different image" if compared else f"would replace {replaced}"
        )
    elif names(Fate.KEPT):
        found.append(
            "would find nothing newer: the image of the tag runs already"
            if compared
            else "would find nothing newer in the registry"
        )
    if left := [each for each in outlooks if each.left_to_the_engine]:
        found.append(f"Watchtower could not ask the registry itself, so the engine pulls ({_error(left[0])})")
    return found


def _error(outlook: Outlook) -> str:
    return code(outlook.checked.error if outlook.checked else "", 200)


def _name(known: Known, row: RunningContainer) -> str:
    return known.shown(row.name.removeprefix("/"), 64)
