"""The environment file: common parsers read exactly what was written, and no value is shown where it must not be."""

import io

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from redeploy.setup.dotenv import TemplateError, changes, quoted, rendered, settings, with_setting
from redeploy.text.secret import Secret
from tests.deploy_files import DEPLOY

EXAMPLE = (DEPLOY / ".env.production.example").read_text(encoding="utf-8")
TRICKY = st.text(st.sampled_from([*"aZ0 \\'\"$#{}\n\r\t=:!\u00e9\u2028"]), min_size=1, max_size=12)
VALUES = st.one_of(TRICKY, st.text(min_size=1, max_size=40))

FORMS = [
    ("Zk3_x9Qd-LmT7vB2", "Zk3_x9Qd-LmT7vB2"),
    ("postgres://u:p@db:5432/x", "postgres://u:p@db:5432/x"),
    ("two words", "'two words'"),
    ("a#b", "'a#b'"),
    ("pa$$word $HOME", "'pa$$word $HOME'"),
    ("it's", "it's"),
    ("it's #1", '"it\'s #1"'),
    ('say "no"', "'say \"no\"'"),
    ("'both\"", '"\'both\\""'),
    (r"C:\path", r"'C:\path'"),
    ("ends with \\", "ends with \\"),
    ("two \\\\ of them", "two \\\\ of them"),
    ("-----BEGIN-----\nAbC=\n-----END-----", "'-----BEGIN-----\nAbC=\n-----END-----'"),
    ("one\r\ntwo", '"one\\r\ntwo"'),
]
"""Values, and their written forms."""


def read_back(text: str) -> dict[str, str | None]:
    """The values that python-dotenv reads, as docker-compose 1.29 calls it."""
    return dict(dotenv_values(stream=io.StringIO(text, newline=None), interpolate=True))


@pytest.mark.parametrize(("value", "form"), FORMS)
def test_a_value_is_written_in_a_form_that_all_parsers_read_alike(value: str, form: str) -> None:
    assert quoted(value) == form
    assert read_back(f"X={form}\n") == {"X": value}


@given(VALUES)
def test_every_written_value_is_read_back_and_leaves_its_neighbours_alone(value: str) -> None:
    try:
        form = quoted(value)
    except ValueError:
        return
    assert read_back(f"BEFORE=1\nX={form}\nAFTER='\"2\"'\n") == {"BEFORE": "1", "X": value, "AFTER": '"2"'}


@given(st.text(st.characters(min_codepoint=32, codec="utf-8", exclude_characters="\\$"), min_size=1))
def test_every_value_without_backslashes_dollars_and_control_characters_can_be_written(value: str) -> None:
    assert read_back(f"X={quoted(value)}\n") == {"X": value}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty; the secret behind it is probably unset"),
        ("a\0b", "zero byte"),
        ("a\udce9b", "not valid UTF-8"),
        ("a ${HOME} b", "docker-compose 1.29 replaces"),
        ("$ and \\", "cannot be quoted"),
        ("$ and '", "cannot be quoted"),
        ('"\\', "cannot be quoted"),
    ],
)
def test_a_value_that_cannot_be_written_is_reported(value: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        quoted(value)


class TestTemplate:
    def test_missing_values_are_filled_in_and_everything_else_stays(self) -> None:
        template = "# a comment\n\nA=\nB='kept as it is'  # said why\nC=\nD=\"\"\n"
        text = rendered(template, {"A": Secret("x y"), "C": Secret("plain\n")})
        assert text == "# a comment\n\nA='x y'\nB='kept as it is'  # said why\nC=plain\nD=\"\"\n"

    def test_the_kits_example_is_a_template_for_the_token(self) -> None:
        text = rendered(EXAMPLE, {"WATCHTOWER_HTTP_API_TOKEN": Secret("t")})
        assert text == EXAMPLE.replace("\nWATCHTOWER_HTTP_API_TOKEN=\n", "\nWATCHTOWER_HTTP_API_TOKEN=t\n")

    def test_line_ends_of_another_system_are_not_part_of_a_setting(self) -> None:
        assert rendered("A=\r\nB=1\r\n", {"A": Secret("x\r\n")}) == "A=x\nB=1\n"

    @pytest.mark.parametrize(
        ("template", "secrets", "problem"),
        [
            ("A=\n", {}, "`A` has no value: the template has none, and `SECRET_A` is not set."),
            ("A=\n", {"A": ""}, "`SECRET_A` is empty"),
            ("A=\n", {"A": "\n"}, "`SECRET_A` is empty"),
            ("A=\n", {"A": "v", "B": "v"}, "`SECRET_B` is set, but the template has no line `B=`."),
            ("A=1\n", {"A": "v"}, "`SECRET_A` is set, but the template has no line `A=`."),
            ("A=\nA=\n", {"A": "v"}, "Line 2 of the template sets `A` a second time."),
            ("A=${A}\nB\n", {}, "Line 2 of the template is neither"),
            ("export A=\n", {}, "Line 1 of the template is neither"),
            ("A='one\ntwo'\n", {}, "Line 1 of the template is neither"),
            ("A= # for a secret\n", {}, "Line 1 of the template is neither"),
        ],
    )
    def test_a_template_that_does_not_match_its_secrets_is_reported(
        self, template: str, secrets: dict[str, str], problem: str
    ) -> None:
        with pytest.raises(TemplateError) as refused:
            rendered(template, {name: Secret(value) for name, value in secrets.items()})
        assert refused.value.problems[0].startswith(problem)

    def test_all_problems_are_reported_at_once_and_none_shows_a_value(self) -> None:
        hidden = "s3cret-${X}"
        with pytest.raises(TemplateError) as refused:
            rendered("A=\nB=\n!\n", {"A": Secret(hidden), "C": Secret(hidden)})
        problems = refused.value.problems
        assert len(problems) == 4
        assert not any("s3cret" in each for each in problems)

    @given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True), VALUES, min_size=1, max_size=4))
    def test_filled_in_values_are_read_back(self, values: dict[str, str]) -> None:
        values = {name: value for name, value in values.items() if _has_a_form(value.rstrip("\r\n"))}
        template = "".join(f"{name}=\n" for name in values)
        text = rendered(template, {name: Secret(value) for name, value in values.items()})
        assert read_back(text) == {name: value.rstrip("\r\n") for name, value in values.items()}
        assert settings(text).keys() == values.keys()


class TestChanges:
    def test_added_removed_and_changed_settings_are_named(self) -> None:
        assert changes("A=1\nB=2\nC='3\nD=4'\n", "A=1\nB=3\nE=5\n") == ["B", "C", "E"]

    def test_comments_and_order_are_not_a_change(self) -> None:
        assert changes("# old\nA=1\nB=2\n", "B=2\n\nA=1\n") == []

    @given(VALUES)
    def test_a_value_of_several_lines_is_one_setting(self, value: str) -> None:
        if _has_a_form(value):
            assert settings(f"A={quoted(value)}\nB=1\n") == {"A": quoted(value), "B": "1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=2\n", "A=x\nB=2\n"),
        ("#A=1\nB=2\n", "A=x\nB=2\n"),
        ("#A=1\nB=2\nA=3\n", "#A=1\nB=2\nA=x\n"),
        ("A='1\n2'\nB=2\n", "A=x\nB=2\n"),
        ("B=2\n", "B=2\nA=x\n"),
        ("B=2", "B=2\nA=x\n"),
        ("", "A=x\n"),
    ],
)
def test_a_setting_is_replaced_in_its_place(text: str, expected: str) -> None:
    assert with_setting(text, "A", "x") == expected
    assert with_setting(expected, "A", "x") == expected


def _has_a_form(value: str) -> bool:
    try:
        quoted(value)
    except ValueError:
        return False
    return True
