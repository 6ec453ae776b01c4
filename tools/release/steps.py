"""The steps that a release's workflow and its rehearsal share."""

from collections.abc import Mapping, Sequence

from tools.image.files import files_of
from tools.release import changelog, consistency, engine, metadata, sbom
from tools.release.checkout import Checkout
from tools.release.version import RefusedError, Version, refuse_unless_next, released


def check(checkout: Checkout, version: Version, published: Sequence[str]) -> list[str]:
    """Return the passed checks, one sentence each.

    Args:
        checkout: the checkout to release.
        version: the version to release.
        published: the tags of the repository in which releases are published.

    Raises:
        RefusedError: with all reasons why this cannot be released.
    """
    checkout.refuse_changes()
    before = released([*published, *checkout.tags()])
    refuse_unless_next(version, before)
    files = checkout.read([*consistency.OWN, *consistency.NAMES_THE_ACTION])
    wrong = consistency.disagreements(version, files)
    if wrong:
        raise RefusedError(
            "\n".join([f"The tree does not fit a release of {version}:", *(f"- {each}" for each in wrong)])
        )
    passed = [
        f"{checkout.head()} is committed, and nothing else is in the tree.",
        f"{version} follows {before[-1]}." if before else f"{version} is the first release.",
        f"pyproject.toml, the code, CHANGELOG.md and {len(files) - len(consistency.OWN)} other files agree on it.",
    ]
    left = changelog.unreleased(files["CHANGELOG.md"])
    if left:
        passed.append(f"Note: CHANGELOG.md has {left} entries under Unreleased, which the notes will not have.")
    return passed


def contents(repository: str, digests: Mapping[str, str]) -> dict[str, set[sbom.Package]]:
    """Return the packages of a repository's images, by platform; `digests` are those of their manifests."""
    found = {}
    for platform, digest in digests.items():
        with files_of(f"{repository}@{digest}", "--platform", platform) as files:
            found[platform] = sbom.packages(files)
    return found


def release_commit(checkout: Checkout, version: Version, reference: str) -> str:
    """Make the commit of a release, whose `action.yml` runs the image `reference`, and return its hash."""
    text = metadata.with_image(checkout.show("HEAD", "action.yml"), reference)
    message = f"Release {version}\n\nThe action runs {reference}.\n"
    return checkout.commit("action.yml", text, message)


def move_tag(repository: str, version: Version, index: str, digests: Sequence[str], *, insecure: bool = False) -> None:
    """Point the image's tag of the major version to an index: the same images make the same index again.

    Raises:
        RefusedError: if they do not.
    """
    tag = f"{repository}:{version.major}"
    found = engine.push_index(tag, digests, insecure=insecure)
    if found != index:
        raise RefusedError(f"{tag} leads to {found}, and not to {index}: these are not the images of that index.")
