"""The parts of a release without git, engine or network: versions, notes, `action.yml`, the bill of materials."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from tools.release import changelog, metadata, sbom
from tools.release.consistency import NAMES_THE_ACTION, OWN, disagreements
from tools.release.version import RefusedError, Version, parse, refuse_unless_next, released

ROOT = Path(__file__).resolve().parents[2]
VERSION = Version(1, 2, 3)
DIGEST = "sha256:" + "0a" * 32
NOTES = """\
# Changelog

## [Unreleased]

- Something new.
- And more.

## [1.2.3] - 2026-01-31

### Added

- Words for a user.

## [1.2.2] - 2026-01-01

- Older words.

[1.2.3]: https://example.com/v1.2.3
"""
FILES = {
    "pyproject.toml": '[project]\nversion = "1.2.3"\n',
    "redeploy/__init__.py": '__version__ = "1.2.3"\n',
    "CHANGELOG.md": NOTES,
    "action.yml": "runs:\n  using: docker\n  image: Dockerfile\n",
    "README.md": "uses: leok974/redeploy-action@v1\ndocker run ghcr.io/leok974/redeploy-action:1\n",
}


@pytest.mark.parametrize("text", ["", "1", "1.2", "v1.2.3", "1.2.3-rc.1", "01.2.3", "1.2.3 ", "1.2.x"])
def test_a_version_has_exactly_three_numbers(text: str) -> None:
    with pytest.raises(RefusedError, match="write three numbers"):
        parse(text)


def test_a_version_with_a_v_before_it_gets_a_suggestion() -> None:
    with pytest.raises(RefusedError, match=r"Did you mean 1\.2\.3\?"):
        parse("v1.2.3")


def test_releases_are_found_by_their_exact_tags_and_ordered_as_numbers() -> None:
    tags = ["v1.10.0", "v1.9.0", "v1", "v2.0.0-rc.1", "nightly", "v1.9.0", "1.11.0"]
    assert [str(each) for each in released(dict.fromkeys(tags))] == ["1.9.0", "1.10.0"]


@pytest.mark.parametrize("text", ["1.10.1", "1.11.0", "2.0.0"])
def test_the_next_fix_feature_and_breaking_change_may_follow(text: str) -> None:
    refuse_unless_next(parse(text), (parse("1.9.0"), parse("1.10.0")))


def test_any_version_may_be_the_first() -> None:
    refuse_unless_next(VERSION, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.10.0", "1.10.0 is released already: the tag v1.10.0 exists, and a release never changes. Release 1.10.1"),
        ("1.9.0", "1.9.0 is released already"),
        ("1.9.1", "1.9.1 cannot follow 1.10.0, the newest release. Next is one of 1.10.1, 1.11.0, 2.0.0."),
        ("11.0.0", "11.0.0 cannot follow 1.10.0"),
    ],
)
def test_no_other_version_may_follow(text: str, said: str) -> None:
    with pytest.raises(RefusedError) as refused:
        refuse_unless_next(parse(text), (parse("1.9.0"), parse("1.10.0")))
    assert str(refused.value).startswith(said)


def test_the_notes_are_the_section_of_the_version_and_nothing_else() -> None:
    assert changelog.notes(NOTES, VERSION) == "### Added\n\n- Words for a user.\n"
    assert changelog.notes(NOTES, Version(1, 2, 2)) == "- Older words.\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NOTES.replace("[1.2.3] -", "[1.2.4] -"), "has 0 sections"),
        (NOTES + "\n## [1.2.3] - 2026-01-31\n", "has 2 sections"),
        (NOTES.replace(" - 2026-01-31", ""), "has no date"),
        (NOTES.replace(" - 2026-01-31", " - soon"), "has no date"),
        (NOTES.replace("- Words for a user.", ""), "is empty"),
    ],
)
def test_missing_or_empty_notes_are_rejected(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        changelog.notes(text, VERSION)


def test_links_in_the_notes_lead_to_the_files_of_the_release() -> None:
    text = NOTES.replace("Words", "[Words](docs/a.md#b), [more](https://example.com/c)")
    said = changelog.notes(text, VERSION)
    assert "[Words](https://github.com/leok974/redeploy-action/blob/v1.2.3/docs/a.md#b)" in said
    assert "[more](https://example.com/c)" in said


def test_unreleased_entries_are_counted() -> None:
    assert changelog.unreleased(NOTES) == 2
    assert changelog.unreleased("## [1.2.3] - 2026-01-31\n\n- One.\n") == 0


def test_the_action_of_a_release_runs_an_image_and_is_otherwise_the_same() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    reference = f"{metadata.IMAGE}@{DIGEST}"
    written = metadata.with_image(text, reference)
    assert metadata.image_of(written) == reference
    assert written.replace(f"docker://{reference}", "Dockerfile") == text
    assert (metadata.builds_tree(text), metadata.builds_tree(written)) == (True, False)


@pytest.mark.parametrize(
    "reference", ["", "ghcr.io/o/r:1.2.3", "ghcr.io/o/r", f"ghcr.io/o/r@{DIGEST[:-1]}", f"ghcr.io/o/r@{DIGEST}\n  x: y"]
)
def test_a_release_names_its_image_by_digest(reference: str) -> None:
    with pytest.raises(RefusedError, match="by its digest"):
        metadata.with_image(FILES["action.yml"], reference)


def test_an_action_that_runs_an_image_already_is_not_rewritten() -> None:
    once = metadata.with_image(FILES["action.yml"], f"ghcr.io/o/r@{DIGEST}")
    with pytest.raises(RefusedError, match="has 0 lines"):
        metadata.with_image(once, f"ghcr.io/o/r@{DIGEST}")
    with pytest.raises(RefusedError, match="not that of a release"):
        metadata.image_of(FILES["action.yml"])


def test_files_with_the_same_version_are_not_named() -> None:
    assert disagreements(VERSION, FILES) == []


@pytest.mark.parametrize(
    ("path", "before", "after", "said"),
    [
        ("pyproject.toml", "1.2.3", "1.2.2", 'pyproject.toml says version = "1.2.2"'),
        ("redeploy/__init__.py", "1.2.3", "1.2.2", "redeploy/__init__.py says"),
        ("CHANGELOG.md", "[1.2.3] -", "[1.3.0] -", "CHANGELOG.md has 0 sections"),
        ("action.yml", "Dockerfile", f"docker://o/r@{DIGEST}", "action.yml does not say `image: Dockerfile`"),
        ("README.md", "action@v1", "action@v2", "README.md names v2 of the action: write v1."),
        ("README.md", "action@v1", "action/slim@v2", "README.md names v2"),
        ("README.md", "action:1", "action:0", "README.md names 0"),
        ("README.md", "uses: ", "repository: leok974/redeploy-action\n  ref: v3\nuses: ", "README.md names v3"),
    ],
)
def test_each_file_with_another_version_is_named(path: str, before: str, after: str, said: str) -> None:
    assert before in FILES[path]
    [found] = disagreements(VERSION, FILES | {path: FILES[path].replace(before, after)})
    assert found.startswith(said)


def test_the_tree_agrees_on_its_version() -> None:
    paths = [path for pattern in (*OWN, *NAMES_THE_ACTION) for path in ROOT.glob(pattern) if path.is_file()]
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    [version] = [line.split('"')[1] for line in files["pyproject.toml"].splitlines() if line.startswith("version = ")]
    assert disagreements(parse(version), files) == []


STATUS = """\
Package: libc6
Status: install ok installed
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Version: 1
"""


def _files(**texts: str) -> tarfile.TarFile:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for path, text in texts.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    held.seek(0)
    return tarfile.open(fileobj=held)


def test_the_packages_of_an_image_are_those_installed_by_debian_and_python() -> None:
    place = "opt/redeploy/lib/python3.12/site-packages/google_re2-1.1.dist-info/METADATA"
    python = "Metadata-Version: 2.1\nName: google_re2\nVersion: 1.1\n\nName: not-a-header\n"
    environment = {"opt/redeploy/pyvenv.cfg": "home = /usr/local/bin\nversion = 3.12.9\n"}
    texts = {"./var/lib/dpkg/status": STATUS, place: python, "app/METADATA": "Name: x\n", **environment}
    assert sbom.packages(_files(**texts)) == {
        sbom.Package("deb", "libc6", "2.36-9"),
        sbom.Package("generic", "python", "3.12.9"),
        sbom.Package("pypi", "google-re2", "1.1"),
    }


def test_the_bill_of_materials_lists_the_image_contents_of_each_platform() -> None:
    held = {
        "linux/amd64": {sbom.Package("deb", "libc6", "2.36"), sbom.Package("pypi", "requests", "2.0")},
        "linux/arm64": {sbom.Package("deb", "libc6", "2.36"), sbom.Package("pypi", "requests", "2.0")},
    }
    document = json.loads(json.dumps(sbom.document(VERSION, "ghcr.io/o/r", DIGEST, held, "2026-01-31T12:00:00Z")))
    urls = [each["externalRefs"][0]["referenceLocator"] for each in document["packages"]]
    assert urls == [
        f"pkg:oci/redeploy-action@{DIGEST.replace(':', '%3A')}",
        "pkg:deb/debian/libc6@2.36?arch=amd64",
        "pkg:pypi/requests@2.0",
        "pkg:deb/debian/libc6@2.36?arch=arm64",
        "pkg:pypi/requests@2.0",
    ]
    identifiers = {each["SPDXID"] for each in document["packages"]}
    assert len(identifiers) == len(urls)
    assert {each["relatedSpdxElement"] for each in document["relationships"]} == identifiers
    assert document["spdxVersion"] == "SPDX-2.3"
    assert DIGEST in document["documentNamespace"]


@pytest.mark.parametrize("held", [{}, {"linux/amd64": set()}, {"linux/amd64": {sbom.Package("deb", "libc6", "2.36")}}])
def test_a_bill_of_materials_without_a_required_package_is_rejected(held: dict[str, set[sbom.Package]]) -> None:
    with pytest.raises(RefusedError, match="No package was found"):
        sbom.document(VERSION, "ghcr.io/o/r", DIGEST, held, "2026-01-31T12:00:00Z")
