"""Image references."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from redeploy.registry.image import LONGEST_PATH, Image, full_repository, parse
from tests.unit.factories import D1


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("nginx:1.25", "docker.io/library/nginx"),
        ("o/app", "docker.io/o/app"),
        ("docker.io/o/app:1", "docker.io/o/app"),
        ("index.docker.io/o/app", "docker.io/o/app"),
        ("registry-1.docker.io/o/app", "docker.io/o/app"),
        ("ghcr.io/o/app:1@" + D1, "ghcr.io/o/app"),
        ("localhost/app", "localhost/app"),
        ("localhost:5000/app:1", "localhost:5000/app"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("library/nginx", "docker.io/library/nginx"),
    ],
)
def test_a_repository_is_completed_as_docker_does(reference: str, repository: str) -> None:
    assert full_repository(reference) == repository


@pytest.mark.parametrize(
    ("text", "registry", "path", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", "latest", ""),
        ("o/app:1.2", "docker.io", "o/app", "1.2", ""),
        ("index.docker.io/nginx", "docker.io", "library/nginx", "latest", ""),
        ("ghcr.io/o/app", "ghcr.io", "o/app", "latest", ""),
        (f"ghcr.io/o/app:v1@{D1}", "ghcr.io", "o/app", "v1", D1),
        ("localhost/app", "localhost", "app", "latest", ""),
        ("localhost:5000/app:1", "localhost:5000", "app", "1", ""),
        ("REGISTRY/app", "REGISTRY", "app", "latest", ""),
        ("[::1]:5000/app:1", "[::1]:5000", "app", "1", ""),
        ("a.b/c/d/e__f-g---h.i:_1", "a.b", "c/d/e__f-g---h.i", "_1", ""),
        ("a:80/b", "a:80", "b", "latest", ""),
    ],
)
def test_a_reference_is_completed(text: str, registry: str, path: str, tag: str, digest: str) -> None:
    read = parse(text)
    assert (read.registry, read.path, read.tag, read.digest) == (registry, path, tag, digest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/app",
        "app/",
        "App",
        "o/App",
        "a..b",
        "a___b",
        "-app",
        "app-",
        "o/_app",
        "a b",
        "app:",
        "app:.1",
        "app:" + "t" * 129,
        "app@",
        "app@sha256:" + "A" * 64,
        "app@sha512:" + "a" * 128,
        "-x.io/app",
        "x.io:/app",
        "x.io:port/app",
        "[::1/app",
        "f" * 64,
        "ghcr.io/" + "a" * (LONGEST_PATH + 1),
        "app\n",
        "\u0430pp",
    ],
)
def test_an_invalid_reference_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"reference|longer"):
        parse(text)


def test_the_longest_names_are_valid() -> None:
    assert parse("ghcr.io/" + "a" * LONGEST_PATH + ":" + "t" * 128).path == "a" * LONGEST_PATH
    assert parse("f" * 63).path == "library/" + "f" * 63


def test_a_repository_in_upper_case_is_reported_in_lower_case() -> None:
    with pytest.raises(ValueError, match=re.escape("`ghcr.io/leo/app`")):
        parse("ghcr.io/Leo/App:1")


def test_docker_hub_is_reached_at_a_host_of_another_name() -> None:
    assert (parse("nginx").host, parse("ghcr.io/o/app").host) == ("registry-1.docker.io", "ghcr.io")


COMPONENT = st.from_regex(r"[a-z0-9]{1,5}((_|__|\.|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
DOMAIN = st.from_regex(r"([a-z0-9]{1,5}\.[a-z]{2,3}|localhost|[A-Z]{3})(:[0-9]{1,5})?", fullmatch=True)
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@given(st.none() | DOMAIN, st.lists(COMPONENT, min_size=2, max_size=4), st.none() | TAG, st.booleans())
def test_parsing_a_reference_undoes_writing_it(
    domain: str | None, path: list[str], tag: str | None, pinned: bool
) -> None:
    assume(domain is not None or ("." not in path[0] and path[0] != "localhost"))
    name = "/".join([*([domain] if domain else []), *path])
    read = parse(name + (f":{tag}" if tag else "") + (f"@{D1}" if pinned else ""))
    assert (read.name, read.tag, read.digest) == (name, tag or "latest", D1 if pinned else "")
    assert read.repository == full_repository(name)
    assert read.repository == (name if domain else f"docker.io/{name}")
    assert parse(f"{read.repository}:{read.tag}").repository == read.repository, "what is complete stays as it is"


@given(st.text(max_size=60) | st.from_regex(r"[a-zA-Z0-9.:/@_\-\[\]]{1,60}", fullmatch=True))
def test_any_text_is_a_reference_or_an_error(text: str) -> None:
    try:
        read = parse(text)
    except ValueError:
        return
    assert isinstance(read, Image)
    assert re.fullmatch(r"[!-~]+", read.repository + read.tag)
