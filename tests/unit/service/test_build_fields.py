"""Which fields of a response name the build, and how strongly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.service.build_fields import (
    BUILD_NAMES,
    FOREIGN,
    INSIDE,
    MOST_FIELDS,
    OWN,
    PLACEHOLDERS,
    Kind,
    build_names,
    kind_of_field,
    kind_of_value,
    names_nothing,
    plain,
)

SHA = "0123456789abcdef0123456789abcdef01234567"


def texts(document: Any, headers: dict[str, str] | None = None) -> dict[str, str]:  # noqa: ANN401 - a JSON value
    return {path: name.text for path, name in build_names(document, headers or {}).items()}


def kinds(document: Any) -> dict[str, Kind]:  # noqa: ANN401 - a JSON value
    return {path: name.kind for path, name in build_names(document, {}).items()}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        pytest.param({"version": "1.2"}, {"version": "1.2"}, id="version"),
        pytest.param({"Git-SHA": "a1"}, {"Git-SHA": "a1"}, id="case and hyphens do not matter"),
        pytest.param({"git_commit": "a1"}, {"git_commit": "a1"}, id="underscores do not matter either"),
        pytest.param({"git.commit.id": "a1"}, {"/git.commit.id": "a1"}, id="dots do not matter either"),
        pytest.param({"app": {"build": {"version": "3"}}}, {"app.build.version": "3"}, id="inside the service's own"),
        pytest.param({"redis": {"version": "7"}}, {}, id="not inside a dependency"),
        pytest.param(
            {"info": {"redis": {"version": "7"}}}, {}, id="not inside a dependency of the service's own object"
        ),
        pytest.param({"update": {"latest": {"version": "2"}}}, {}, id="not the newest release"),
        pytest.param({"data": [{"sha": "a1"}], "version": ["1"]}, {}, id="not inside arrays"),
        pytest.param({"git": {"hash": "a1", "short": "a"}}, {"git.hash": "a1", "git.short": "a"}, id="git's hash"),
        pytest.param({"git": {"commit": {"id": "a1"}}}, {"git.commit.id": "a1"}, id="Spring's commit"),
        pytest.param(
            {"git": {"commit": {"id": {"full": "a1", "abbrev": "a"}}}},
            {"git.commit.id.full": "a1"},
            id="Spring's full commit",
        ),
        pytest.param(
            {"commit": {"sha": "a", "hash": "b", "short": "c", "number": 4, "version": "5"}},
            {"commit.sha": "a", "commit.hash": "b", "commit.short": "c", "commit.number": "4", "commit.version": "5"},
            id="a commit inside it",
        ),
        pytest.param(
            {"build": {"name": "api", "time": "2026-01-01T00:00:00Z", "artifact": "x"}},
            {},
            id="a build's name and time are noise",
        ),
        pytest.param({"commit": {"message": "a1", "author": {"id": "7"}}}, {}, id="a commit's other fields are noise"),
        pytest.param({"id": "7", "number": 1, "hash": "x", "user": {"id": 1}}, {}, id="an id of something else"),
        pytest.param({"build": 421}, {"build": "421"}, id="a number"),
        pytest.param({"version": 1.5}, {"version": "1.5"}, id="a fraction"),
        pytest.param({"version": True, "build": None, "commit": "  ", "release": []}, {}, id="not a scalar, or empty"),
        pytest.param({"version": " 1.2 \n"}, {"version": "1.2"}, id="trimmed"),
        pytest.param(
            {"version": "x" * 300},
            {"version": "x" * 300},
            id="the whole text, because a secret is only recognised as a whole",
        ),
        pytest.param(
            {
                "status": "ok",
                "time": 1,
                "request_id": "x",
                "hostname": "h",
                "node_version": "20",
                "api_version": "v1",
                "conversion": "x",
                "prev": "1",
            },
            {},
            id="a field that is not on the list",
        ),
        pytest.param([{"version": "1"}], {}, id="an array"),
        pytest.param("1.2.3", {}, id="text alone"),
        pytest.param(None, {}, id="nothing"),
    ],
)
def test_build_names_are_found_in_a_document(document: object, found: dict[str, str]) -> None:
    assert texts(document) == found


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("x-version", True),
        ("x-git-sha", True),
        ("X-App-Version", True),
        ("version", True),
        ("x-commit", True),
        ("x-release", True),
        ("etag", False),
        ("server", False),
        ("x-request-id", False),
        ("x-build-time", False),
        ("x-runtime-version", False),
    ],
)
def test_build_names_are_found_in_headers(name: str, counts: bool) -> None:
    assert texts(None, {name: " 7 "}) == ({f"header:{name.lower()}": "7"} if counts else {})


@pytest.mark.parametrize("name", sorted(BUILD_NAMES))
def test_a_listed_field_name_counts_in_every_spelling(name: str) -> None:
    for spelling in (name, name.upper(), "-".join(name), "_".join(name)):
        assert texts({spelling: "1"}) == {spelling: "1"}


@pytest.mark.parametrize("name", sorted(INSIDE - BUILD_NAMES.keys()))
def test_a_field_name_that_counts_inside_a_listed_one_does_not_count_alone(name: str) -> None:
    assert texts({name: "1"}) == {}
    assert texts({"commit": {name: "1"}}) == {f"commit.{name}": "1"}


@pytest.mark.parametrize("listed", [frozenset(BUILD_NAMES), INSIDE, OWN, FOREIGN])
def test_the_lists_hold_names_as_they_are_compared(listed: frozenset[str]) -> None:
    assert {plain(name) for name in listed} == listed


@pytest.mark.parametrize("stem", ["version", "build", "commit", "sha", "revision", "release"])
def test_the_stems_that_the_interface_names_are_listed(stem: str) -> None:
    assert stem in BUILD_NAMES


@pytest.mark.parametrize(
    "noise",
    [
        "buildname",
        "buildtime",
        "time",
        "date",
        "apiversion",
        "pythonversion",
        "nodeversion",
        "schemaversion",
        "hostname",
        "id",
    ],
)
def test_fields_that_do_not_name_a_build_are_not_listed(noise: str) -> None:
    assert noise not in BUILD_NAMES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["version", "commit", "id", "start_time", "uptime", "x", ""]), inner, max_size=4
        )
    ),
    max_leaves=40,
)


@given(JSON, st.dictionaries(st.sampled_from(["x-version", "date"]), st.text(max_size=5)))
def test_the_search_for_names_never_raises_and_is_limited(document: Any, headers: dict[str, str]) -> None:  # noqa: ANN401
    names = build_names(document, headers)
    assert len(names) <= 64
    assert all(name.text.strip() for name in names.values())


def test_the_number_of_names_from_a_document_is_limited() -> None:
    assert (
        len(
            build_names(
                {f"{'-' * dashes}version": dashes for dashes in range(60)}
                | {"App": {f"{'_' * dashes}sha": 1 for dashes in range(60)}},
                {},
            )
        )
        == 64
    )


def test_the_number_of_searched_fields_is_limited() -> None:
    many = {str(number): number for number in range(MOST_FIELDS)}
    assert texts({"version": "1", **many, "commit": "a1"}) == {"version": "1"}


def test_a_deeply_nested_document_is_searched() -> None:
    document: object = {"version": "1"}
    for _ in range(190):
        document = {"data": document}
    assert list(texts(document).values()) == ["1"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        pytest.param({"litellm_version": "1.40"}, {"litellm_version": "1.40"}, id="a prefixed name"),
        pytest.param({"LiteLLMVersion": "1.40"}, {"LiteLLMVersion": "1.40"}, id="a prefixed name in camel case"),
        pytest.param({"netbox-version": "3.6"}, {"netbox-version": "3.6"}, id="a prefixed name with a hyphen"),
        pytest.param({"x_version": "1", "version": "2"}, {"version": "2"}, id="not beside a plain name"),
        pytest.param({"x_version": "1", "release": "2"}, {"release": "2"}, id="not beside a plain name of its kind"),
        pytest.param(
            {"x_version": "1", "sha": "2"}, {"x_version": "1", "sha": "2"}, id="beside a name of another kind"
        ),
        pytest.param(
            {"x_version": "1", "app": {"version": "2"}},
            {"x_version": "1", "app.version": "2"},
            id="beside a plain name in another object",
        ),
        pytest.param(
            {"x_version": "1", "version": "unknown"},
            {"x_version": "1", "version": "unknown"},
            id="beside a placeholder",
        ),
        pytest.param(
            {"foo_build_number": 7, "foo_git_sha": "a"}, {"foo_build_number": "7", "foo_git_sha": "a"}, id="all kinds"
        ),
        pytest.param(
            {"is_release": True, "subversion": "1", "appversionx": "1"}, {}, id="a field that only looks like it"
        ),
    ],
)
def test_a_prefixed_name_counts_if_there_is_no_plain_one(document: object, found: dict[str, str]) -> None:
    assert texts(document) == found


@pytest.mark.parametrize("word", sorted(FOREIGN))
def test_a_prefixed_name_of_something_else_does_not_count(word: str) -> None:
    assert texts({f"{word}_version": "1", f"my{word.title()}Version": "1", f"{word}_commit": "1"}) == {}


@pytest.mark.parametrize("place", sorted(OWN))
def test_a_name_counts_inside_the_objects_that_describe_the_service(place: str) -> None:
    assert texts({place: {"version": "1"}}) == {f"{place}.version": "1"}
    assert texts({place: {place.upper(): {"commit": "a"}}}) == {f"{place}.{place.upper()}.commit": "a"}
    assert texts({f"{place}s": {"version": "1"}, "checks": {place: {"version": "1"}}}) == {}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"commit": "1"}, Kind.COMMIT),
        ({"revision": "1"}, Kind.COMMIT),
        ({"build_sha": "1"}, Kind.COMMIT),
        ({"build": {"hash": "1"}}, Kind.COMMIT),
        ({"commit": {"id": "1"}}, Kind.COMMIT),
        ({"build": "1"}, Kind.BUILD),
        ({"build": {"number": 1}}, Kind.BUILD),
        ({"build": {"version": 1}}, Kind.VERSION),
        ({"version": {"number": 1}}, Kind.VERSION),
        ({"release": "1"}, Kind.VERSION),
        ({"releaseId": "1"}, Kind.VERSION),
        ({"x_commit": "1"}, Kind.COMMIT),
        ({"x_build": "1"}, Kind.BUILD),
    ],
)
def test_a_name_has_a_kind(document: object, kind: Kind) -> None:
    assert list(kinds(document).values()) == [kind]


def test_the_outermost_names_come_first() -> None:
    found = build_names({"app": {"build": {"version": "2"}, "sha": "1"}, "version": "0"}, {"x-version": "9"})
    assert [(name.text, name.depth) for name in found.values()][:3] == [("0", 0), ("1", 1), ("2", 2)]
    assert found["header:x-version"].depth > 200


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("git_sha", "x", Kind.COMMIT),
        ("/build/sha", "x", Kind.COMMIT),
        ("header:X-Build", "x", Kind.BUILD),
        ("anything", SHA, Kind.COMMIT),
        ("anything", f"sha-{SHA[:7]}", Kind.COMMIT),
        ("anything", "1.2.3", Kind.VERSION),
        ("anything", "20260115", Kind.VERSION),
    ],
)
def test_the_declared_field_has_the_kind_of_its_name_or_of_its_value(field: str, value: str, kind: Kind) -> None:
    assert kind_of_field(field, value) is kind


def test_a_long_number_of_forty_digits_is_a_commit() -> None:
    assert kind_of_value("1" * 40) is Kind.COMMIT


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        *((word, True) for word in ("unknown", "dev", "main", "latest", "HEAD", "none", "0.0.0", "(devel)")),
        *(
            (text, True)
            for text in ("0" * 40, "0000000", "v0.0", "00", "no-git", "Not available", "0+unknown", "0.0.0-PLACEHOLDER")
        ),
        *(
            (text, True)
            for text in ("${GIT_SHA}", "$GIT_SHA", "{{ .Version }}", "@project.version@", "%SHA%", "__SHA__")
        ),
        *(
            (text, False)
            for text in (
                "1.2.3",
                "0.1.0",
                SHA,
                "v0.0.1",
                "main-1a2b3c4",
                "dev-7",
                "latest-2",
                "$5",
                "v0.1",
                "10",
                "0.0.0-1",
            )
        ),
    ],
)
def test_placeholders_and_unexpanded_variables_name_no_build(text: str, nothing: bool) -> None:
    assert names_nothing(text) is nothing


def test_the_placeholders_are_listed_as_they_are_compared() -> None:
    assert {word.lower() for word in PLACEHOLDERS} == PLACEHOLDERS


def test_a_fraction_is_marked_because_its_digits_may_differ() -> None:
    assert [name.fraction for name in build_names({"version": 1.1, "build": 7}, {}).values()] == [True, False]


def test_names_survive_json() -> None:
    document = {"version": "1.2", "app": {"BUILD": "7"}, "é\n": 1}
    assert texts(json.loads(json.dumps(document))) == {"version": "1.2", "app.BUILD": "7"}
