"""The state of one rollback: takes in what the registry says, and tells what to do next. Times are monotonic seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from redeploy.core.assessment import Assessment
from redeploy.core.digests import Endpoint
from redeploy.core.hostile import code
from redeploy.core.image import Image
from redeploy.core.manifest import Manifest
from redeploy.core.plan import Plan
from redeploy.core.registry import Kind, Trouble
from redeploy.core.rollback import Tag, plan_back, references, refusal, telling_version, version_before
from redeploy.core.watch import Watch

if TYPE_CHECKING:
    from redeploy.core.outcome import Outcome

MOST_NAMED = 3
"""References that one message names."""

Found = Manifest | Trouble


@dataclass
class Target:
    """The image to put back, looked for by one reference after another: digests and tags of the one image."""

    references: Mapping[str, str]
    """Each with why it is one."""
    manifest: Manifest | None = None
    reference: str = ""
    """The one that the manifest was found by."""
    trouble: Trouble | None = None
    """Why there is none, or none yet."""
    _tried: int = 0

    @property
    def next(self) -> str | None:
        """The reference to ask for now; None where one was found, or none is left."""
        over = self.manifest is not None or (self.trouble is not None and self.trouble.kind is not Kind.ABSENT)
        return None if over else next(islice(self.references, self._tried, None), None)

    def take(self, reference: str, found: Found) -> None:
        """Take in what the registry has under a reference."""
        if reference != self.next:
            return
        if isinstance(found, Manifest):
            self.manifest, self.reference, self.trouble = found, reference, None
            return
        self.trouble = found
        if found.kind is Kind.ABSENT:
            self._tried += 1

    def retry(self) -> None:
        """Forget a trouble that may have passed."""
        if self.trouble is not None and self.trouble.kind is Kind.UNREACHABLE:
            self.trouble = None

    @property
    def missing(self) -> str:
        """Why there is nothing to put back: the end of a sentence; empty where there is."""
        if self.manifest is not None:
            return ""
        if not self.references:
            return "nothing tells which image ran before: neither a running digest nor a version was seen"
        if self.next is not None:
            return "the registry was not asked in time for the image that ran before"
        if self.trouble is not None and self.trouble.kind is not Kind.ABSENT:
            return self.trouble.told
        named = list(map(code, self.references))
        more = f" and {len(named) - MOST_NAMED} more names" if len(named) > MOST_NAMED else ""
        return f"the registry has no image under {', '.join(named[:MOST_NAMED])}{more}"

    @property
    def source(self) -> str:
        """What named it."""
        return self.references.get(self.reference, "")


def target_of(watch: Watch) -> Target:
    """Return the target of a deploy, by what is known of the build that runs before the trigger."""
    looks = watch.looks
    running = looks.before(watch.triggered) if watch.triggered is not None else looks.last.digest if looks.last else ""
    tag = watch.plan.image.tag if watch.plan.image else ""
    return Target(references(watch.plan, tag, running, version_before(watch)))


def impossible(watch: Watch) -> str:
    """Return a warning where a deploy went well that could not have been rolled back."""
    missing = watch.target.missing if watch.target else "which image ran before was not seen in time"
    if not missing:
        return ""
    fix = watch.target.trouble.fix if watch.target and watch.target.trouble else ""
    advice = fix or "Name an image that the registry has with `rollback-to`."
    return f"Had this deploy failed, it could not have been rolled back: {missing}. {advice}"


@dataclass
class Attempt:
    """Everything that is known of a rollback, also where it is cut short."""

    first: Watch
    """The deploy that is to be mended or, in mode rollback, the look at what runs."""
    deploy: "Outcome | None" = None
    """How it ended; None in mode rollback."""
    before: Found | None = None
    """What the tag pointed at before the trigger or, in mode rollback, at first."""
    target: Target = field(default_factory=lambda: Target({}))
    unfit: bool = False
    """Whether the image to put back is the one that failed."""
    stopped: str = ""
    """Why nothing is put back: the end of a sentence."""
    fix: str = ""
    began: float | None = None
    ended: float | None = None
    writing: bool = False
    """Whether the tag may have been moved, and this is not known yet."""
    moved: bool = False
    settled: bool = False
    """Whether the tag points at the target, moved or not."""
    watch: Watch | None = None
    """The proof."""

    @classmethod
    def after(cls, failed: Watch, deploy: "Outcome") -> "Attempt":
        """Return the attempt to mend a deploy."""
        target = failed.target or target_of(failed)
        target.retry()
        return cls(failed, deploy, before=failed.lookup.manifest if failed.lookup else None, target=target)

    @property
    def plan(self) -> Plan:
        """What the inputs say."""
        return self.first.plan

    @property
    def image(self) -> Image:
        """The image with the tag that is put back; the inputs are wrong where there is none."""
        if self.plan.image is None:
            msg = "no image is named that could be put back"
            raise ValueError(msg)
        return self.plan.image

    @property
    def mends(self) -> bool:
        """Whether this is about a deploy that failed, and not mode rollback."""
        return self.deploy is not None

    @property
    def digest(self) -> str:
        """The digest to put back; empty where none was found."""
        return self.target.manifest.digest if self.target.manifest else ""

    def begin(self, tag: Found) -> None:
        """Take in what the tag points at in mode rollback, and choose what to put back."""
        self.before = tag
        running = self.first.looks.last.digest if self.first.looks.last else ""
        if isinstance(tag, Trouble):
            self.stop(tag.told, tag.fix)
        elif self.plan.rollback_to:
            self.target = Target(references(self.plan, self.image.tag, "", ""))
        elif not running:
            self.stop("Watchtower does not tell which image runs, so `rollback-to` has to name the one to put back")
        elif tag.is_of(running):
            self.stop(
                "the image that runs is the one that the tag points at; name the one to put back with `rollback-to`"
            )
        else:
            self.target = Target({running: "the digest that runs"})

    def found(self) -> bool:
        """Tell whether there is an image to put back; else it stops here."""
        if self.target.manifest is None and not self.stopped:
            self.stop(self.target.missing, self.target.trouble.fix if self.target.trouble else "")
        return self.target.manifest is not None

    def compare(self, tag: Found) -> bool:
        """Take in what the tag points at just before the write, and tell whether it is to be written."""
        if isinstance(tag, Trouble):
            self.stop(tag.told, tag.fix)
            return False
        running = Assessment(self.first).digest_now if self.mends else ""
        seen = Tag(before=_family(self.before), running=running, now=_family(tag))
        failed: frozenset[str] = frozenset()
        if self.mends:
            # Watchtower may tell the digest of an index or of its platform
            families = map(_family, (self.before, tag, self.target.manifest))
            own = [family for family in families if running in family]
            failed = frozenset({running}).union(*own) if running else seen.before & seen.now
        self.unfit = self.digest in failed
        why = refusal(self.digest, seen, failed)
        if why:
            self.stop(why)
        self.settled = not why and tag.is_of(self.digest)
        self.writing = not why and not self.settled
        return self.writing

    def verify(self, answer: Found, tag: Found) -> bool:
        """Take in the registry's answer to the write, and what the tag points at since; tell whether that is final.

        Where the answer was lost, the tag alone tells.
        """
        if isinstance(tag, Manifest) and tag.digest == self.digest:
            self.writing, self.moved, self.settled = False, True, True
            self.stop("")
            return True
        if isinstance(answer, Trouble) and answer.kind is not Kind.UNREACHABLE:
            self.writing = False
            self.stop(answer.told, answer.fix)
            return True
        if isinstance(tag, Trouble):
            self.stop(f"whether the tag was moved is not known, since {tag.told}", tag.fix)
        elif isinstance(answer, Trouble):
            self.stop(f"{answer.told}, and the tag has not moved so far", answer.fix)
        else:
            self.stop("the tag points at another image than the one that was put there just now")
        return False

    def stop(self, why: str, fix: str = "") -> None:
        """Enter why nothing is put back."""
        self.stopped, self.fix = why, fix

    def prove(self, now: float) -> Watch:
        """Begin the watch that proves what was put back; it goes on with the bucket of the first."""
        looks, version = self.first.looks, self._version
        failing = looks.last is not None and looks.last.endpoint is not Endpoint.TOLD
        told = any(look.digest for look in looks.told) and not (looks.absent or (failing and version))
        plan = plan_back(self.plan, self.digest, version, told=told)
        self.watch = Watch(plan, began=now, redact=self.first.redact)
        self.watch.go_on_from(self.first)
        return self.watch

    @property
    def lines(self) -> list[str]:
        """What there is to say of it in the log before the proof."""
        ended = self.deploy.conclusion if self.deploy else None
        failed = [f"the deploy failed: {ended.verdict}, {ended.reason}"] if ended else []
        if self.stopped:
            return [*failed, f"nothing is put back: {self.stopped}"]
        did = "points there again" if self.moved else "points there already"
        return [*failed, f"to be live again: {self.digest}, {self.target.source}", f"the tag {self.image.tag} {did}"]

    @property
    def _version(self) -> str:
        """The version that must be live, where the target is the build that answered before."""
        if not self.mends:
            return ""
        before = self.digest == self.first.looks.before(self.first.triggered)
        named = self.target.reference != self.plan.rollback_to
        return telling_version(self.first) if before or named else ""


def _family(found: Found | None) -> frozenset[str]:
    """Return the digest of a manifest and those of its platforms."""
    return frozenset({found.digest, *found.children}) if isinstance(found, Manifest) else frozenset()
