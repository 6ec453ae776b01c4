"""The image that a rollback restores: looked up by one reference after another until the registry has it."""

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
    """The image to put back, looked for by one reference after another: digests and tags of the one image."""

    references: Mapping[str, str]
    """Each with why it is one."""
    named: Collection[str] = ()
    """How the build that ran before named itself: the label of its image must not name another commit."""
    chosen: bool = False
    """Whether an input names the image, so that no name speaks against it."""
    manifest: Manifest | None = None
    reference: str = ""
    """The one that the manifest was found by."""
    trouble: Trouble | None = None
    """Why there is none, or none yet."""
    revision: str = ""
    """The commit that the image's label names; empty where it names none, or was not asked."""
    refused: dict[str, str] = field(default_factory=dict)
    """References of images whose label names another commit, each with that."""
    _labelled: bool = False
    _tried: int = 0

    @property
    def next(self) -> FetchManifest | FetchRevision | None:
        """What to ask for now; None where the image was found, or nothing is left to look for."""
        if self.manifest is not None:
            return FetchRevision(self.manifest) if self._wants_label else None
        over = self.trouble is not None and self.trouble.kind is not Kind.ABSENT
        reference = None if over else next(islice(self.references, self._tried, None), None)
        return FetchManifest(reference) if reference is not None else None

    def take(self, request: FetchManifest | FetchRevision, found: ManifestResult | str) -> None:
        """Take in what the registry has under a reference, or what the label of the image found there says."""
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
        """Why there is nothing to put back: the end of a sentence; empty where there is."""
        if self.manifest is not None and not self._wants_label:
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
        """What named it."""
        return self.references.get(self.reference, "")

    @property
    def _wants_label(self) -> bool:
        return not self._labelled and (self.chosen or any(map(commit_of, self.named)))

    def _take_label(self, label: str) -> None:
        self.revision, self._labelled = label, True
        if self.chosen or not contradicts(label, self.named):
            return
        self.refused[self.reference] = label
        self.manifest, self.reference, self.revision = None, "", ""
        self._tried += 1
