"""The image that a rollback restores: looked up by one reference after another until the registry has one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice

from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.manifest import Manifest
from redeploy.rollout.previous.candidates import commit_of, contradicts
from redeploy.rollout.requests import FetchManifest, FetchRevision
from redeploy.text.untrusted import code

MOST_NAMED = 3
"""References that one message names."""

ManifestResult = Manifest | Trouble


@dataclass
class RestoreTarget:
    """The image to put back, looked up by one reference after another: digests and tags."""

    references: Mapping[str, str]
    """The references, each with the reason to try it."""
    named: Collection[str] = ()
    """The names of the build that ran before: the label of its image must not name another commit."""
    chosen: bool = False
    """Whether an input names the image, so that no name can contradict it."""
    manifest: Manifest | None = None
    reference: str = ""
    """The reference by which the manifest was found."""
    trouble: Trouble | None = None
    """Why the last request for the manifest failed."""
    revision: str = ""
    """The commit that the image's label names; empty if it names none, or was not read."""
    refused: dict[str, str] = field(default_factory=dict)
    """References whose image has a label with another commit, each with that commit."""
    _labelled: bool = False
    _tried: int = 0

    @property
    def next(self) -> FetchManifest | FetchRevision | None:
        """The next request; None if the image was found, or there is nothing left to try."""
        if self.manifest is not None:
            return FetchRevision(self.manifest) if self._needs_label else None
        over = self.trouble is not None and self.trouble.kind is not Kind.ABSENT
        reference = None if over else next(islice(self.references, self._tried, None), None)
        return FetchManifest(reference) if reference is not None else None

    def take(self, request: FetchManifest | FetchRevision, found: ManifestResult | str) -> None:
        """Take in the manifest under a reference, or the label of its image."""
        if request != self.next:
            return
        if isinstance(request, FetchRevision):
            self._take_label(found if isinstance(found, str) else "")
        elif isinstance(found, Manifest):
            self.manifest, self.reference, self.trouble, self._labelled = found, request.reference, None, False
        elif isinstance(found, Trouble):
            self.trouble = found
            if found.kind is Kind.ABSENT:
                self._tried += 1

    def retry(self) -> None:
        """Forget a trouble that may have passed."""
        if self.trouble is not None and self.trouble.kind is Kind.UNREACHABLE:
            self.trouble = None

    @property
    def missing(self) -> str:
        """Why there is nothing to put back: the end of a sentence; empty if there is."""
        if self.manifest is not None and not self._needs_label:
            return ""
        if not self.references:
            return (
                "it is not known which image ran before: there was no running digest, and no commit or full version number "
                "that a tag could have"
            )
        if self.next is not None:
            return "the registry was not asked in time for the image that ran before"
        if self.trouble is not None and self.trouble.kind is not Kind.ABSENT:
            return self.trouble.sentence
        if self.refused:
            reference, label = next(iter(self.refused.items()))
            ran = next(each for each in self.named if commit_of(each))
            return (
                f"the image under {code(reference)} is labelled with the commit {code(label, 64)}, and the build that ran "
                f"before named itself {code(ran, 64)}"
            )
        named = list(map(code, self.references))
        more = f" and {len(named) - MOST_NAMED} more names" if len(named) > MOST_NAMED else ""
        return f"the registry has no image under {', '.join(named[:MOST_NAMED])}{more}"

    @property
    def source(self) -> str:
        """Why this image: what named it."""
        return self.references.get(self.reference, "")

    @property
    def _needs_label(self) -> bool:
        return not self._labelled and (self.chosen or any(map(commit_of, self.named)))

    def _take_label(self, label: str) -> None:
        self.revision, self._labelled = label, True
        if self.chosen or not contradicts(label, self.named):
            return
        self.refused[self.reference] = label
        self.manifest, self.reference, self.revision = None, "", ""
        self._tried += 1
