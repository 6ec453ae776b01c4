"""The bill of materials of a published image: the packages of each platform's image, as SPDX 2.3 in JSON.

Source of the format: the specification SPDX 2.3, clauses 6 (document), 7 (package) and 11 (relationships).
"""

import hashlib
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser

from tools.release.version import RefusedError, Version


@dataclass(frozen=True, order=True)
class Package:
    """A package in an image. `kind` is its type in a package URL: `deb`, `pypi` or `generic`."""

    kind: str
    name: str
    version: str

    def url(self, platform: str) -> str:
        """Return the package's URL, as in the specification package-url."""
        if self.kind == "deb":
            return f"pkg:deb/debian/{self.name}@{self.version}?arch={platform.rpartition('/')[2]}"
        return f"pkg:{self.kind}/{self.name}@{self.version}"


def packages(files: tarfile.TarFile) -> set[Package]:
    """Return the Debian and Python packages that the files of an image declare, and its Python."""
    found: set[Package] = set()
    for entry in files:
        kind = _kind(entry.name)
        content = files.extractfile(entry) if kind and entry.isfile() else None
        if content:
            text = content.read().decode("utf-8", "replace")
            found |= set(_READERS[kind](text))
    return found


def document(
    version: Version, name: str, digest: str, contents: Mapping[str, Iterable[Package]], created: str
) -> dict[str, object]:
    """Return the document.

    Args:
        version: the release.
        name: the image's repository.
        digest: the index's digest.
        contents: the packages by platform, such as `linux/amd64`.
        created: the time of the document, such as `2026-01-31T12:00:00Z`.

    Raises:
        RefusedError: if no package was found for a platform: a document that names none would claim too much.
    """
    empty = [platform for platform, held in contents.items() if not any(each.kind == "pypi" for each in held)]
    if empty or not contents:
        raise RefusedError(f"No package was found in the image for {', '.join(empty) or 'any platform'}.")
    whole = _described("image", name, str(version), f"pkg:oci/redeploy-action@{digest.replace(':', '%3A')}")
    listed, relations = [whole], [_relation("SPDXRef-DOCUMENT", "DESCRIBES", whole["SPDXID"])]
    for platform, held in sorted(contents.items()):
        for each in sorted(held):
            one = _described(platform, each.name, each.version, each.url(platform))
            listed.append(one)
            relations.append(_relation(whole["SPDXID"], "CONTAINS", one["SPDXID"]))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"redeploy-action {version}",
        "documentNamespace": f"https://github.com/leok974/redeploy-action/releases/tag/{version.tag}#{digest}",
        "creationInfo": {"created": created, "creators": ["Tool: redeploy-action tools.release.sbom"]},
        "packages": listed,
        "relationships": relations,
    }


def _kind(path: str) -> str:
    path = path.removeprefix("./")
    if path == "var/lib/dpkg/status":
        return "deb"
    if path.endswith("/pyvenv.cfg"):
        return "generic"
    return "pypi" if re.search(r"/site-packages/[^/]+\.dist-info/METADATA$", path) else ""


def _of_debian(status: str) -> Iterator[Package]:
    for paragraph in re.split(r"\n\n+", status.strip()):
        fields = dict(re.findall(r"(?m)^(Package|Version|Status): (.*)$", paragraph))
        if fields.get("Status", "").endswith(" installed"):
            yield Package("deb", fields["Package"], fields["Version"])


def _of_python(metadata: str) -> Iterator[Package]:
    headers = HeaderParser().parsestr(metadata)
    yield Package("pypi", re.sub(r"[-_.]+", "-", headers["Name"]).lower(), headers["Version"])


def _interpreter(environment: str) -> Iterator[Package]:
    for version in re.findall(r"(?m)^version *= *(\S+)$", environment):
        yield Package("generic", "python", version)


_READERS = {"deb": _of_debian, "pypi": _of_python, "generic": _interpreter}


def _described(where: str, name: str, version: str, url: str) -> dict[str, object]:
    key = hashlib.sha256(f"{where} {url}".encode()).hexdigest()[:16]
    return {
        "SPDXID": f"SPDXRef-Package-{key}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url}],
    }


def _relation(one: object, kind: str, other: object) -> dict[str, object]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
