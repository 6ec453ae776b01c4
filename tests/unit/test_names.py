"""Which fields name a build or time a process, and which are noise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.core.identity import same_version
from redeploy.core.names import BUILD_NAMES, INSIDE, START_TIMES, UPTIMES, build_names, moment_of, plain, process_times

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("document", "found"),
    [
        pytest.param({"version": "1.2"}, {"version": "1.2"}, id="version"),
        pytest.param({"Git-SHA": "a1"}, {"Git-SHA": "a1"}, id="case and hyphens do not matter"),
        pytest.param({"git_commit": "a1"}, {"git_commit": "a1"}, id="nor underscores"),
        pytest.param({"git.commit.id": "a1"}, {"git.commit.id": "a1"}, id="nor dots"),
        pytest.param({"app": {"build": {"version": "3"}}}, {"app.build.version": "3"}, id="at any depth"),
        pytest.param(
            {"replicas": [{"sha": "a1"}, {"sha": "b2"}]},
            {"replicas.0.sha": "a1", "replicas.1.sha": "b2"},
            id="inside arrays",
        ),
        pytest.param({"git": {"commit": {"id": "a1"}}}, {"git.commit.id": "a1"}, id="Spring's commit"),
        pytest.param(
            {"git": {"commit": {"id": {"full": "a1", "abbrev": "a"}}}},
            {"git.commit.id.full": "a1"},
            id="Spring's full commit",
        ),
        pytest.param(
            {"commit": {"sha": "a", "hash": "b", "short": "c", "number": 4, "version": "5"}},
            {"commit.sha": "a", "commit.hash": "b", "commit.short": "c", "commit.number": "4", "commit.version": "5"},
            id="what names a commit inside it",
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
        pytest.param({"version": True, "build": None, "commit": "  ", "release": []}, {}, id="no scalar, or nothing"),
        pytest.param({"version": " 1.2 \n"}, {"version": "1.2"}, id="trimmed"),
        pytest.param({"version": "x" * 300}, {"version": "x" * 256}, id="cut"),
        pytest.param(
            {"status": "ok", "time": 1, "request_id": "x", "hostname": "h", "node_version": "20", "api_version": "v1"},
            {},
            id="what is not on the list",
        ),
        pytest.param([{"version": "1"}], {"0.version": "1"}, id="an array"),
        pytest.param("1.2.3", {}, id="a bare text"),
        pytest.param(None, {}, id="nothing"),
    ],
)
def test_build_names_are_found_in_a_document(document: object, found: dict[str, str]) -> None:
    assert build_names(document, {}) == found


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
    assert build_names(None, {name: " 7 "}) == ({f"header:{name.lower()}": "7"} if counts else {})


@pytest.mark.parametrize("name", sorted(BUILD_NAMES))
def test_a_listed_name_counts_in_every_spelling(name: str) -> None:
    for spelling in (name, name.upper(), "-".join(name), "_".join(name)):
        assert build_names({spelling: "1"}, {}) == {spelling: "1"}


@pytest.mark.parametrize("name", sorted(INSIDE - BUILD_NAMES))
def test_a_name_that_counts_inside_a_listed_one_does_not_count_alone(name: str) -> None:
    assert build_names({name: "1"}, {}) == {}
    assert build_names({"commit": {name: "1"}}, {}) == {f"commit.{name}": "1"}


@pytest.mark.parametrize("listed", [BUILD_NAMES, INSIDE, START_TIMES, frozenset(UPTIMES)])
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
def test_what_tells_no_build_is_not_listed(noise: str) -> None:
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
def test_looking_for_names_is_total_and_bounded(document: Any, headers: dict[str, str]) -> None:  # noqa: ANN401
    names = build_names(document, headers)
    assert len(names) <= 64
    assert all(0 < len(name) <= 256 for name in names.values())
    starts, uptimes = process_times(document)
    assert all(1e9 <= start < 1e11 for start in starts.values())
    assert all(uptime >= 0 for uptime in uptimes.values())


def test_a_document_of_many_names_is_bounded() -> None:
    assert len(build_names({f"{number}": {"version": number} for number in range(1000)}, {})) == 64


def test_a_deeply_nested_document_is_looked_through() -> None:
    document: object = {"version": "1"}
    for _ in range(190):
        document = [document]
    assert list(build_names(document, {}).values()) == ["1"]


# processes


@pytest.mark.parametrize(
    ("document", "starts", "uptimes"),
    [
        pytest.param({"start_time": 1_800_000_000.5}, {"start_time": 1_800_000_000.5}, {}, id="seconds"),
        pytest.param({"startedAt": 1_800_000_000_500}, {"startedAt": 1_800_000_000.5}, {}, id="milliseconds"),
        pytest.param({"started_at": "2027-01-15T08:00:00Z"}, {"started_at": 1_800_000_000.0}, {}, id="ISO 8601"),
        pytest.param({"started": "2027-01-15T09:00:00+01:00"}, {"started": 1_800_000_000.0}, {}, id="with an offset"),
        pytest.param({"boot_time": "2027-01-15 08:00:00"}, {"boot_time": 1_800_000_000.0}, {}, id="without a zone"),
        pytest.param(
            {"process": {"start_time": "1800000000"}}, {"process.start_time": 1_800_000_000.0}, {}, id="digits, inside"
        ),
        pytest.param({"uptime": 12}, {}, {"uptime": 12.0}, id="an uptime"),
        pytest.param({"uptime_ms": 1500}, {}, {"uptime_ms": 1.5}, id="an uptime in milliseconds"),
        pytest.param({"uptime_seconds": "12.5"}, {}, {"uptime_seconds": 12.5}, id="an uptime in digits"),
        pytest.param({"uptime": -1, "start_time": 5, "started": True}, {}, {}, id="what cannot be"),
        pytest.param({"uptime": "3 days", "started_at": "yesterday"}, {}, {}, id="words"),
        pytest.param({"start_time": "2027-13-45T08:00:00Z"}, {}, {}, id="no such day"),
        pytest.param({"time": 1_800_000_000, "expires": 1_800_000_000}, {}, {}, id="other times"),
    ],
)
def test_start_times_and_uptimes_are_found(
    document: object, starts: dict[str, float], uptimes: dict[str, float]
) -> None:
    assert process_times(document) == (starts, uptimes)


@given(st.text(max_size=40) | st.text(alphabet="0123456789-T: .Z+", max_size=30) | st.integers() | st.floats())
def test_any_value_is_a_moment_or_none(value: object) -> None:
    moment = moment_of(value)
    assert moment is None or isinstance(moment, float)


# versions


@pytest.mark.parametrize(
    ("expected", "seen", "same"),
    [
        ("1.2.3", "1.2.3", True),
        ("1.2.3", " 1.2.3\n", True),
        ("v1.2.3", "1.2.3", True),
        ("1.2.3", "v1.2.3", True),
        ("v1.2.3", "v1.2.3", True),
        ("vnext", "next", False),
        ("vnext", "vnext", True),
        ("vv1", "v1", False),
        ("v1", "vv1", False),
        (f"sha-{SHA}", SHA, True),
        ("sha-0123456", SHA, True),
        ("sha-sha-0123456", "sha-0123456", False),
        (SHA, SHA[:7], True),
        (SHA[:7], SHA, True),
        (SHA, SHA[:6], False),
        (SHA[:12], SHA[:7], False),
        (SHA, SHA.upper(), True),
        (SHA[:7].upper(), SHA, True),
        (SHA + "0" * 24, SHA, True),
        (SHA + "0" * 24, SHA[:7], True),
        (SHA[:39], SHA[:7], False),
        (SHA + "0", SHA[:7], False),
        (SHA, "1" + SHA[:7], False),
        ("main-" + SHA[:7], SHA, False),
        ("1.2", "1.2.3", False),
        ("1.2.3-rc1", "1.2.3", False),
        ("1.2.3+b1", "1.2.3", False),
        ("Release", "release", False),
        ("", "", False),
        ("v", "", False),
        ("sha-", "", False),
    ],
)
def test_two_spellings_are_one_version_or_not(expected: str, seen: str, same: bool) -> None:
    assert same_version(expected, seen) is same
    assert same_version(seen, expected) is same


@given(st.text(max_size=50))
def test_a_version_is_itself_unless_nothing_is_left_of_it(text: str) -> None:
    assert same_version(text, text) is (text.strip() not in ("", "sha-"))


@given(
    st.text(alphabet="0123456789abcdef", min_size=40, max_size=40), st.integers(7, 40), st.sampled_from(["", "sha-"])
)
def test_a_commit_is_known_by_seven_digits_or_more(sha: str, length: int, prefix: str) -> None:
    assert same_version(f"{prefix}{sha[:length]}", sha)


@given(
    st.text(alphabet="0123456789abcdef", min_size=7, max_size=40),
    st.text(alphabet="0123456789abcdef", min_size=7, max_size=40),
)
def test_commits_that_are_no_prefix_of_each_other_are_two(one: str, other: str) -> None:
    if not one.startswith(other) and not other.startswith(one):
        assert not same_version(one, other)


def test_names_survive_json() -> None:
    document = {"version": "1.2", "é\n": {"build": "7"}}
    assert build_names(json.loads(json.dumps(document)), {}) == {"version": "1.2", "é\n.build": "7"}
