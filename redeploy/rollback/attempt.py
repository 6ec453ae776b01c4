"""The state of one rollback: takes in the registry's responses, and decides what comes next. Times are monotonic seconds."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redeploy.contract.settings import Checks
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import Image
from redeploy.registry.manifest import Manifest
from redeploy.rollback.policy import Tag, checks_again, checks_of_mode, plan_back, refusal
from redeploy.rollout.previous.build_before import distinguishing_version, target_of, version_before
from redeploy.rollout.previous.candidates import commit_of, number_of, references
from redeploy.rollout.previous.target import ManifestResult, RestoreTarget
from redeploy.rollout.requests import Probe
from redeploy.rollout.service_state import ServiceState
from redeploy.service.declared import same_version
from redeploy.settings.plan import Mode, Plan
from redeploy.text.untrusted import code
from redeploy.triggers.trigger_state import TriggerState
from redeploy.triggers.watchtower.containers import Endpoint
from redeploy.verdicts import Verdict

if TYPE_CHECKING:
    from redeploy.report.results import RunResult


@dataclass
class Attempt:
    """Everything that is known about a rollback, even if it is cut short."""

    first: ServiceState
    """The failed deploy or, in mode rollback, what runs now."""
    deploy: "RunResult | None" = None
    """How it ended; None in mode rollback."""
    before: ManifestResult | None = None
    """What the tag pointed to before the trigger or, in mode rollback, at the start."""
    target: RestoreTarget = field(default_factory=lambda: RestoreTarget({}))
    unfit: bool = False
    """Whether the image to put back is the one that failed."""
    stopped: str = ""
    """Why nothing is put back: the end of a sentence."""
    fix: str = ""
    began: float | None = None
    ended: float | None = None
    writing: bool = False
    """Whether it is not known yet if the tag was moved."""
    moved: bool = False
    settled: bool = False
    """Whether the tag points to the target, moved or not."""
    state: ServiceState | None = None
    """The state of the proof."""
    lost: str = ""
    """Why the proof does not count after all: the end of a sentence."""

    @classmethod
    def after(cls, failed: ServiceState, deploy: "RunResult") -> "Attempt":
        """Return the attempt to roll a failed deploy back."""
        target = failed.target or target_of(failed)
        target.retry()
        return cls(failed, deploy, before=failed.lookup.manifest if failed.lookup else None, target=target)

    @property
    def plan(self) -> Plan:
        """The plan of the inputs."""
        return self.first.plan

    @property
    def image(self) -> Image:
        """The image with the tag that is put back; without an image, the inputs are invalid."""
        if self.plan.image is None:
            msg = "the plan names no image to put back"
            raise ValueError(msg)
        return self.plan.image

    @property
    def undoes_deploy(self) -> bool:
        """Whether this rolls a failed deploy back; otherwise it is mode rollback."""
        return self.deploy is not None

    @property
    def digest(self) -> str:
        """The digest to put back; empty if none was found."""
        return self.target.manifest.digest if self.target.manifest else ""

    def begin(self, tag: ManifestResult) -> None:
        """Take in what the tag points to in mode rollback, and choose the image to put back."""
        self.before = tag
        running = self.first.running.last.digest if self.first.running.last else ""
        if isinstance(tag, Trouble):
            self.stop(tag.sentence, tag.fix)
        elif self.plan.rollback_to:
            self.target = RestoreTarget(references(self.plan, self.image.tag, "", ""), chosen=True)
        elif not running:
            self.stop("Watchtower does not report which image runs, so name the image to put back with `rollback-to`")
        elif tag.is_of(running):
            self.stop("the tag points to the running image already; name the image to put back with `rollback-to`")
        else:
            self.target = RestoreTarget({running: "the running digest"})

    def found(self) -> bool:
        """Return whether there is an image to put back; otherwise the attempt stops here."""
        target = self.target
        if target.manifest is None and not self.stopped:
            self.stop(target.missing, target.trouble.fix if target.trouble else "")
        elif (
            self.undoes_deploy
            and self._found_by_version
            and not distinguishing_version(self.first, version_before(self.first))
        ):
            self.stop(
                f"{code(target.reference)} names the previous version, but the failed build reports it too, so it does not "
                "show which image ran",
                "Name the image with `rollback-to`.",
            )
        return target.manifest is not None and not self.stopped

    def compare(self, tag: ManifestResult) -> bool:
        """Take in what the tag points to just before the write, and return whether to write it."""
        if isinstance(tag, Trouble):
            self.stop(tag.sentence, tag.fix)
            return False
        running = self.first.running.now if self.undoes_deploy else ""
        before = self.before.digest if isinstance(self.before, Manifest) else ""
        seen = Tag(before=before, running=running, now=tag.digest, holds=frozenset(tag.children))
        failed: frozenset[str] = frozenset()
        if self.undoes_deploy:
            # Watchtower may report the digest of an index or of its platform
            families = map(_family, (self.before, tag, self.target.manifest))
            own = [family for family in families if running in family]
            failed = frozenset({running}).union(*own) if running else _family(self.before) & _family(tag)
        self.unfit = self.digest in failed
        why = refusal(self.digest, seen, failed)
        if why:
            self.stop(why)
        self.settled = not why and tag.is_of(self.digest)
        self.writing = not why and not self.settled
        return self.writing

    def verify(self, answer: ManifestResult, tag: ManifestResult) -> bool:
        """Take in the registry's response to the write, and what the tag points to now; return whether that is final.

        If the response was lost, only the tag shows whether it moved.
        """
        if isinstance(tag, Manifest) and tag.digest == self.digest:
            self.writing, self.moved, self.settled = False, True, True
            self.stop("")
            return True
        if isinstance(answer, Trouble) and answer.kind is not Kind.UNREACHABLE:
            self.writing = False
            self.stop(answer.sentence, answer.fix)
            return True
        if isinstance(tag, Trouble):
            self.stop(f"it is not known whether the tag was moved, because {tag.sentence}", tag.fix)
        elif isinstance(answer, Trouble):
            self.stop(f"{answer.sentence}, and the tag has not moved so far", answer.fix)
        else:
            self.stop("the tag no longer points to the image that was just put back")
        return False

    def stop(self, why: str, fix: str = "") -> None:
        """Note why nothing is put back."""
        self.stopped, self.fix = why, fix

    @property
    def needs_a_look(self) -> Probe | None:
        """The look at the running build's version, if only a version can prove another build."""
        if (
            self.undoes_deploy
            or not self.first.addresses
            or self.plan.expect_version
            or self._digests_reported
            or self.first.baseline
        ):
            return None
        return Probe(*self.first.addresses[-1])

    def follow(self, other: "Attempt") -> None:
        """Take over what another service's attempt found and wrote: both use one image reference."""
        self.target, self.before, self.began, self.ended = other.target, other.before, other.began, other.ended
        self.moved, self.settled = other.moved, other.settled

    def prove(self, now: float, trigger: TriggerState | None = None) -> ServiceState:
        """Begin to prove the image that was put back; its state continues with the buckets of the first state.

        `trigger` is shared with other services that are put back with this one.
        """
        plan = plan_back(
            self.plan, self.digest, self._version, digests_reported=self._digests_reported, checks=self._checks
        )
        self.state = ServiceState(plan, began=now, redact=self.first.redact, shared_trigger=trigger)
        self.state.continue_from(self.first)
        return self.state

    def confirm(self, tag: ManifestResult) -> bool:
        """Take in what the tag points to after the build is proven live; return whether that is final.

        Watchtower follows the tag: at its next poll it replaces a build that the tag no longer points to.
        """
        if isinstance(tag, Trouble):
            self.lost = f"the build of that image is live, but the tag could not be read again: {tag.sentence}"
            return tag.kind is not Kind.UNREACHABLE
        self.lost = "" if tag.is_of(self.digest) else "another push has moved the tag since"
        return True

    @property
    def lines(self) -> list[str]:
        """The log lines before the proof."""
        ended = self.deploy.conclusion if self.deploy else None
        failed = [f"the deploy failed: {ended.verdict} ({ended.reason})"] if ended else []
        if self.stopped:
            return [*failed, f"nothing is put back: {self.stopped}"]
        did = "points there again" if self.moved else "points there already"
        return [*failed, f"putting back {self.digest}, {self.target.source}", f"the tag {self.image.tag} {did}"]

    @property
    def _digests_reported(self) -> bool:
        """Whether the containers endpoint reports running digests."""
        looks = self.first.running
        failing = looks.last is not None and looks.last.endpoint is not Endpoint.REPORTED
        by_version = (
            self.undoes_deploy
            and self._is_from_before
            and distinguishing_version(self.first, version_before(self.first))
        )
        return any(look.digest for look in looks.reported) and not (looks.absent or (failing and by_version))

    @property
    def _checks(self) -> Checks:
        """The checks that the build must pass: all in mode rollback, otherwise those that failed."""
        if self.deploy is None:
            return checks_of_mode(self.plan.checks)
        failed = self.deploy.conclusion.verdict is Verdict.CHECKS_FAILED
        return checks_again(self.first.checking) if failed else Checks()

    @property
    def _found_by_version(self) -> bool:
        """Whether only the previous version names the image."""
        return not self.target.chosen and self.target.reference not in ("", self.digest)

    @property
    def _is_from_before(self) -> bool:
        """Whether the target is the previous build."""
        return self._found_by_version or self.digest == self.first.running.before

    @property
    def _version(self) -> str:
        """The version that must be live; empty if none is known that distinguishes its build from the one before."""
        if self.plan.mode is Mode.ROLLBACK and self.plan.expect_version:
            return self.plan.expect_version
        if self.undoes_deploy and self._is_from_before:
            return distinguishing_version(self.first, version_before(self.first))
        return "" if self._digests_reported else self._version_of_target

    @property
    def _version_of_target(self) -> str:
        """The version in the target's label or tag, if the service reports builds like that."""
        named = {name for each in (*self.first.baseline, *self.first.samples) for name in each.names.values()}
        for version in (self.target.revision, self.target.reference):
            commit = bool(commit_of(version)) and any(map(commit_of, named))
            number = bool(number_of(version)) and any(map(number_of, named))
            if self.undoes_deploy:
                distinguishes = bool(distinguishing_version(self.first, version))
            else:  # a commit names one build, a number perhaps several
                distinguishes = commit or not any(same_version(version, each) for each in named)
            if (commit or number) and distinguishes:
                return version
        return ""


def _family(found: ManifestResult | None) -> frozenset[str]:
    """Return the digest of a manifest and those of its platforms."""
    return frozenset({found.digest, *found.children}) if isinstance(found, Manifest) else frozenset()
