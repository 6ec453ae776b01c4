"""What was found about the registry that Watchtower pulls from."""

from collections.abc import Iterable

from redeploy.doctor.evidence import Evidence
from redeploy.doctor.questions import LookUp, Question, ReadCommit
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import Image, full_repository
from redeploy.registry.manifest import Manifest
from redeploy.remedies.findings import Finding
from redeploy.report.chain import WORST_FIRST, Check, LinkResult, broken, not_asked, ok, warning
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

SHOWN = 19
"""Characters of a digest that people compare by eye."""


def look_ups(known: Evidence) -> Iterable[Question]:
    """Yield the images to look up, and then the commit that one of them names."""
    yield from map(LookUp, (*known.meant, *known.compared))
    if known.commit_question:
        yield known.commit_question


def registry(known: Evidence) -> LinkResult:
    """Return whether the registry has the images that an update would pull."""
    found = [
        _of_image(known, each, answered.answer) for each in known.meant if (answered := known.answers.get(LookUp(each)))
    ]
    if not found:
        return not_asked(Check.REGISTRY, "`image` names none, and Watchtower tells of none that could be meant")
    worst = min(found, key=lambda each: WORST_FIRST.index(each.state))
    return LinkResult(Check.REGISTRY, worst.state, "; ".join(each.seen for each in found), worst.finding)


def image_is_absent(known: Evidence) -> bool:
    """Tell whether the image that the inputs name is not there."""
    image = known.plan.image
    looked = known.answers.get(LookUp(image)) if image is not None else None
    return looked is not None and isinstance(looked.answer, Trouble) and looked.answer.kind is Kind.ABSENT


def _of_image(known: Evidence, image: Image, answer: object) -> LinkResult:
    name = known.shown(str(image), 100)
    if isinstance(answer, Manifest):
        return _of_manifest(known, image, f"{name} is {code(answer.digest[:SHOWN])}", answer)
    told = known.redact(answer.told) if isinstance(answer, Trouble) else f"{name}: the registry did not answer in time"
    absent = isinstance(answer, Trouble) and answer.kind is Kind.ABSENT
    if absent or known.plan.version_of_image:  # without a look-up nobody knows which version must be live
        return broken(Check.REGISTRY, told, Reason.IMAGE_MISSING)
    checked = [each for each in known.checked if full_repository(each.row.image) == image.repository]
    if checked and not any(each.error for each in checked):
        return ok(Check.REGISTRY, f"{told}; Watchtower itself was let in")
    return warning(Check.REGISTRY, told, Finding.REGISTRY_SILENT)


def _of_manifest(known: Evidence, image: Image, told: str, manifest: Manifest) -> LinkResult:
    """Judge an image that is there by what the inputs declare of it."""
    plan = known.plan
    if plan.version_of_image and not known.expected_version:
        read = known.answers.get(ReadCommit(image, manifest))
        why = "without a commit that `expect-version: image` asks for"
        if read is None or read.answer != "":
            words = known.redact(read.answer.told) if read and isinstance(read.answer, Trouble) else "no answer in time"
            why = f"whose commit was not found out: {words}"
        return broken(Check.REGISTRY, f"{told}, {why}", Reason.IMAGE_MISSING)
    if plan.expect_digest and not manifest.is_of(plan.expect_digest):
        return broken(Check.REGISTRY, f"{told}; `expect-digest` is another, still to be pushed", Reason.IMAGE_MISSING)
    named = f", of the commit {known.shown(known.expected_version)}" if plan.version_of_image else ""
    return ok(Check.REGISTRY, f"{told}{named}")
