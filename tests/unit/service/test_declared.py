"""Whether what a response names is the declared version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.service.declared import Declared, Standing, declared, same_version
from tests.unit.factories import NEW, OLD, THIRD, ranked

SHA = "0123456789abcdef0123456789abcdef01234567"


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
def test_spellings_of_a_version_are_compared(expected: str, seen: str, same: bool) -> None:
    assert same_version(expected, seen) is same
    assert same_version(seen, expected) is same


@given(st.text(max_size=50))
def test_a_version_equals_itself_unless_it_is_empty(text: str) -> None:
    assert same_version(text, text) is (text.strip() not in ("", "sha-"))


@given(
    st.text(alphabet="0123456789abcdef", min_size=40, max_size=40), st.integers(7, 40), st.sampled_from(["", "sha-"])
)
def test_a_commit_is_recognised_by_seven_or_more_digits(sha: str, length: int, prefix: str) -> None:
    assert same_version(f"{prefix}{sha[:length]}", sha)


@given(
    st.text(alphabet="0123456789abcdef", min_size=7, max_size=40),
    st.text(alphabet="0123456789abcdef", min_size=7, max_size=40),
)
def test_commits_that_are_not_prefixes_of_each_other_differ(one: str, other: str) -> None:
    if not one.startswith(other) and not other.startswith(one):
        assert not same_version(one, other)


def judged(expected: str, **names: str) -> Declared:
    named = {path.replace("__", "."): name for path, name in names.items()}
    return declared(expected, named, {path: ranked(path, name) for path, name in named.items()})


@pytest.mark.parametrize(
    ("expected", "names", "standing", "paths"),
    [
        pytest.param(NEW, {"commit": NEW}, Standing.MET, {"commit"}, id="met"),
        pytest.param(NEW, {"commit": OLD}, Standing.UNMET, {"commit"}, id="unmet"),
        pytest.param(NEW, {}, Standing.UNNAMED, set[str](), id="nothing"),
        pytest.param(NEW, {"files": "2 files a"}, Standing.UNNAMED, set[str](), id="files are not a version"),
        pytest.param(NEW, {"commit": "unknown"}, Standing.UNNAMED, set[str](), id="a placeholder"),
        pytest.param("stable", {"version": "stable"}, Standing.MET, {"version"}, id="a word, if it is declared"),
        pytest.param(NEW, {"commit": NEW, "version": "1"}, Standing.MET, {"commit"}, id="a commit: commits first"),
        pytest.param(
            NEW,
            {"commit": THIRD, "version": NEW},
            Standing.UNMET,
            {"commit"},
            id="a commit that differs outweighs a version",
        ),
        pytest.param(NEW, {"version": NEW, "build": "7"}, Standing.MET, {"version"}, id="what looks like a commit"),
        pytest.param("1.4", {"commit": "1.4", "version": "1.3"}, Standing.UNMET, {"version"}, id="a version first"),
        pytest.param("1.4", {"version": NEW, "build": "1.4"}, Standing.MET, {"build"}, id="what looks like a version"),
        pytest.param("421", {"version": "1.2", "build": "421"}, Standing.MET, {"build"}, id="what looks like a number"),
        pytest.param("20260115", {"version": "20260115", "commit": "a1b2c3d"}, Standing.MET, {"version"}, id="a date"),
        pytest.param(
            "1234567", {"version": "20260115", "commit": "1234567"}, Standing.MET, {"commit"}, id="seven digits"
        ),
        pytest.param(
            "1.4", {"version": "1.3", "build__version": "1.4"}, Standing.UNMET, {"version"}, id="the outermost counts"
        ),
        pytest.param(
            "1.4",
            {"health:version": "1.4", "app__version": "1.3"},
            Standing.UNMET,
            {"app.version"},
            id="the version address",
        ),
        pytest.param(
            NEW,
            {"version": "1.3", "health:commit": NEW},
            Standing.MET,
            {"health:commit"},
            id="the kind before the address",
        ),
        pytest.param(
            "1.4",
            {"version": "1.3", "release": "1.4"},
            Standing.CONTRADICTORY,
            {"version", "release"},
            id="two fields differ",
        ),
        pytest.param(
            "1.4", {"version": "v1.4", "release": "1.4"}, Standing.MET, {"version", "release"}, id="two spellings agree"
        ),
        pytest.param(
            "1.4",
            {"version": "1.3", "release": "1.2"},
            Standing.UNMET,
            {"version", "release"},
            id="neither field matches",
        ),
        pytest.param("1.1", {"version": "1.10"}, Standing.UNMET, {"version"}, id="a version as written"),
    ],
)
def test_the_names_of_the_first_rank_decide(
    expected: str, names: dict[str, str], standing: Standing, paths: set[str]
) -> None:
    found = judged(expected, **names)
    assert (found.standing, set(found.paths)) == (standing, paths)
