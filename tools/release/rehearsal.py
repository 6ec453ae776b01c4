"""A release without its pushes: everything possible is done here, and the rest is reported.

Images go to a registry on loopback, the commit of the release is made without a tag, and the action is run from
that commit and that image as a runner would.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tools.image import check
from tools.release import changelog, engine, registry, sbom, smoke, steps
from tools.release.checkout import Checkout
from tools.release.version import RefusedError, Version

_BASE = re.compile(r"(?m)^ARG BASE_IMAGE=(\S+)$")
_NEVER_HERE = (
    "the push to GHCR, and the image for the other platform: a job on a runner of that platform builds it",
    "provenance and the attestation of the bill of materials: only GitHub signs them, for a job",
    "the tags and the release: only the workflow `Release` makes them",
)


class Rehearsal:
    """A rehearsal in a checkout. `skipped` has the steps that were left out."""

    def __init__(self, checkout: Checkout, version: Version, port: int, say: Callable[[str], object]) -> None:
        """Rehearse the release of `version`; the registry listens on `port` of loopback, and `say` gets lines."""
        self.skipped: list[str] = []
        self._checkout = checkout
        self._version = version
        self._port = port
        self._say = say

    def run(self, base: str, build_flags: str, *, checks: bool) -> None:
        """Run all steps.

        Args:
            base: the image to build on; empty for the one that the Dockerfile names.
            build_flags: for `docker build`.
            checks: whether `make lint` and `make test` run too.

        Raises:
            RefusedError: at the first step at which a release would fail.
        """
        self._heading("Check that this may be released")
        for line in steps.check(self._checkout, self._version, published=self._published()):
            self._say(line)
        if checks:
            self._heading("Lint and tests")
            self._make("lint")
            self._make("test")
        else:
            self.skipped.append("lint and tests, as CHECKS=off asks")
        self._heading("Release notes, from CHANGELOG.md")
        self._say(changelog.notes((self._checkout.folder / "CHANGELOG.md").read_text(encoding="utf-8"), self._version))
        self._heading("Image")
        self._image(base, build_flags)
        self.skipped += _NEVER_HERE
        self._heading("Left out here")
        for each in self.skipped:
            self._say(f"- {each}")

    def _published(self) -> list[str]:
        try:
            return self._checkout.published_tags()
        except RefusedError as refused:
            self.skipped.append(
                f"the tags of the published repository; those of this checkout were compared. {refused}"
            )
            return self._checkout.tags()

    def _image(self, base: str, build_flags: str) -> None:
        if not engine.runs():
            self.skipped.append("the image and all that is tried with it: no container engine responds (`docker info`)")
            return
        if not registry.obtainable():
            self.skipped.append("the image: no registry can be started (on Debian: apt-get install docker-registry)")
            return
        image = f"redeploy-action:rehearsal-{os.getpid()}"
        made = [image]
        with tempfile.TemporaryDirectory(prefix="release-") as work:
            try:
                base, build_flags = self._base(base, build_flags, Path(work), made)
                if not base:
                    return
                self._make(
                    "image", f"IMAGE={image}", f"BASE_IMAGE={base}", f"DOCKER_BUILD_FLAGS={build_flags} --quiet".strip()
                )
                with registry.standing(Path(work), self._port) as address:
                    self._publish(f"{address}/redeploy-action", image, Path(work), made)
            finally:
                engine.forget(*made)

    def _base(self, given: str, flags: str, work: Path, made: list[str]) -> tuple[str, str]:
        """Return the base image and the flags to build with; the image is empty if none is available."""
        [pinned] = _BASE.findall((self._checkout.folder / "Dockerfile").read_text(encoding="utf-8"))
        if given or engine.obtain(pinned):
            return given or pinned, flags
        here = pinned.partition("@")[0]
        if engine.here(here):
            self.skipped.append(f"{pinned}, which cannot be pulled here: the image is built on the {here} that is here")
            return here, f"{flags} --network host".strip()
        stand_in = f"redeploy-action-base:rehearsal-{os.getpid()}"
        if shutil.which("debootstrap") is None or os.geteuid() != 0:
            self.skipped.append(
                f"the image: its base {pinned} cannot be pulled. Name one that is here with BASE_IMAGE=..., or install "
                "debootstrap and run it as root, so that a stand-in can be made"
            )
            return "", flags
        self.skipped.append(f"{pinned}, which cannot be pulled here: a stand-in of Debian's packages takes its place")
        subprocess.run([str(self._checkout.folder / ".ci" / "base-image"), stand_in, str(work / "base")], check=True)
        made.append(stand_in)
        return stand_in, f"{flags} --network host".strip()

    def _publish(self, repository: str, image: str, work: Path, made: list[str]) -> None:
        """Push to the registry on loopback, and use the pushed images."""
        platform = engine.platform()
        tag = f"{repository}:{self._version}-{platform}"
        digest = engine.push(image, tag)
        index = engine.push_index(f"{repository}:{self._version}", [digest], insecure=True)
        reference = f"{repository}@{index}"
        made += [tag, reference]
        self._say(f"index {index} with {', '.join(sorted(engine.platforms(reference, insecure=True)))}")
        engine.pull(reference)
        held = steps.contents(repository, {f"linux/{platform}": digest})
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        bill = sbom.document(self._version, repository, index, held, now)
        self._say(f"bill of materials with {len(bill['packages']) - 1} packages")  # type: ignore[arg-type]
        self._heading("The commit of the release, and the action used from it")
        commit = steps.release_commit(self._checkout, self._version, reference)
        self._say(f"{commit} changes {', '.join(self._checkout.changed(commit))}")
        used = work / "used"
        used.mkdir()
        (used / "action.yml").write_text(self._checkout.show(commit, "action.yml"), encoding="utf-8")
        if wrong := check.problems(reference):
            raise RefusedError("\n".join(wrong))
        steps.move_tag(repository, self._version, index, [digest], insecure=True)
        smoke.play(used, smoke.GREEN_AND_RED, self._say)

    def _make(self, *arguments: str) -> None:
        made = subprocess.run(["make", "--no-print-directory", *arguments], cwd=self._checkout.folder, check=False)
        if made.returncode:
            raise RefusedError(f"`make {arguments[0]}` failed.")

    def _heading(self, text: str) -> None:
        self._say(f"\n==> {text}")
