"""The link of the registry that Watchtower pulls from."""

from collections.abc import Iterable

from redeploy.doctor.known import Known
from redeploy.doctor.questions import Question
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import Image, full_repository
from redeploy.registry.manifest import Manifest
from redeploy.remedies.findings import Finding
from redeploy.report.chain import WORST_FIRST, Check, LinkResult, broken, not_asked, ok, warning
from redeploy.rollout.requests import FetchRevision, FetchTag
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

SHOWN = 19
"""Characters of a digest, enough to compare it by eye."""


def look_ups(known: Known) -> Iterable[Question]:
    """Yield the images to look up, and then the commit that one of them names."""
    yield from (FetchTag(image=each) for each in (*known.meant, *known.compared))
    if known.commit_question:
        yield known.commit_question


def registry(known: Known) -> LinkResult:
    """Return whether the registry has the images that an update would pull."""
    asked = [each for each in known.meant if FetchTag(image=each) in known.answers]
    found = [_of_image(known, each, known.from_registry(FetchTag(image=each))) for each in asked]
    if not found:
        return not_asked(Check.REGISTRY, "`image` is not set, and Watchtower reports no image that could be looked up")
    worst = min(found, key=lambda each: WORST_FIRST.index(each.state))
    return LinkResult(Check.REGISTRY, worst.state, "; ".join(each.seen for each in found), worst.finding)


def image_is_absent(known: Known) -> bool:
    """Return whether the registry does not have the image that the inputs name."""
    image = known.plan.image
    found = known.from_registry(FetchTag(image=image)) if image is not None else None
    return isinstance(found, Trouble) and found.kind is Kind.ABSENT


def _of_image(known: Known, image: Image, answer: object) -> LinkResult:
    name = known.shown(str(image), 100)
    if isinstance(answer, Manifest):
        return _of_manifest(known, f"{name} is {code(answer.digest[:SHOWN])}", answer)
    seen = (
        known.redact(answer.sentence)
        if isinstance(answer, Trouble)
        else f"{name}: no response from the registry in time"
    )
    absent = isinstance(answer, Trouble) and answer.kind is Kind.ABSENT
    if absent or known.plan.version_of_image:  # without a look-up the version that must be live is not known
        return broken(Check.REGISTRY, seen, Reason.IMAGE_MISSING)
    checked = [each for each in known.checked if full_repository(each.row.image) == image.repository]
    if checked and not any(each.error for each in checked):
        return ok(Check.REGISTRY, f"{seen}; Watchtower itself has access")
    return warning(Check.REGISTRY, seen, Finding.REGISTRY_SILENT)


def _of_manifest(known: Known, seen: str, manifest: Manifest) -> LinkResult:
    """Judge an image that exists by what the inputs declare about it."""
    plan = known.plan
    if plan.version_of_image and not known.expected_version:
        read = known.from_registry(FetchRevision(manifest))
        why = "but it does not name its commit, which `expect-version: image` needs"
        if read != "":
            words = known.redact(read.sentence) if isinstance(read, Trouble) else "no response in time"
            why = f"but its commit could not be read: {words}"
        return broken(Check.REGISTRY, f"{seen}, {why}", Reason.IMAGE_MISSING)
    if plan.expect_digest and not manifest.is_of(plan.expect_digest):
        return broken(
            Check.REGISTRY, f"{seen}; `expect-digest` is a different one, which is not pushed yet", Reason.IMAGE_MISSING
        )
    named = f", of the commit {known.shown(known.expected_version)}" if plan.version_of_image else ""
    return ok(Check.REGISTRY, f"{seen}{named}")
