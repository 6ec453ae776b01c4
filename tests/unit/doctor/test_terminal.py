"""An examination at a terminal and in the summary: narrow or wide, with or without colours, but complete."""

import re

import pytest

from redeploy.doctor.terminal import line, screen
from redeploy.report.chain import TITLES, State
from redeploy.report.chain_table import checklist, headline, picture
from tests.unit.doctor_factories import FORK_BY_POST, Answers, Asked, chain_from
from tests.unit.factories import page, ready

BROKEN = {**dict.fromkeys((Asked.CONTAINERS, Asked.CHECK), FORK_BY_POST), Asked.HEALTH: page(502)}
WEAK = dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), ready("local"))
PAINT = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("answers", [{}, BROKEN, WEAK])
def test_no_line_is_wider_than_the_terminal_but_for_code_to_paste(columns: int, answers: Answers) -> None:
    shown = screen(chain_from(answers), columns, coloured=False).splitlines()
    assert [each for each in shown if len(each) > min(columns, 100) and not each.startswith("    ")] == []


def test_every_link_and_every_remedy_is_shown() -> None:
    chain = chain_from(BROKEN)
    shown = screen(chain, 80, coloured=False)
    assert all(f"  {TITLES[each.link]}" in shown for each in chain.links)
    for each in chain.those(State.BROKEN):
        assert f"docs/troubleshooting.md#{each.finding}" in shown
    assert "docker compose up -d --force-recreate watchtower" in shown
    assert "Not checked because of this: Containers, Next update." in shown
    assert "\nnot-ready: Token: " in shown


def test_colours_do_not_change_the_text() -> None:
    chain = chain_from(BROKEN)
    plain, coloured = (screen(chain, 80, coloured=each) for each in (False, True))
    assert "\x1b" not in plain
    assert PAINT.sub("", coloured).split() == plain.split()
    assert "\x1b[1;31mBROKEN" in coloured


def test_code_to_paste_is_left_as_it_is() -> None:
    shown = screen(chain_from(dict.fromkeys((Asked.HEALTH, Asked.HEALTH_AGAIN), ready())), 60, coloured=False)
    assert '    @app.get("/api/version")\n    def version() -> dict[str, str]:\n        return {' in shown


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, "A deploy would get through"),
        (WEAK, "A deploy would get through, with a warning"),
        (BROKEN, "Token: Watchtower, or a proxy in front of it, refused the token, and 1 more"),
    ],
)
def test_the_headline_sums_up_the_chain(answers: Answers, expected: str) -> None:
    assert headline(chain_from(answers)) == expected


def test_the_log_has_a_line_for_every_link() -> None:
    lines = [line(each) for each in chain_from(BROKEN).links]
    assert [each.split()[0] for each in lines].count("BROKEN") == 2
    assert all("\n" not in each for each in lines)


def test_the_diagram_shows_where_the_chain_broke_in_our_own_words() -> None:
    drawn = picture(chain_from(BROKEN))
    assert '  token["❌ Token"]:::broken' in drawn
    assert '  containers["⚪ Containers"]:::notreached' in drawn
    assert "  front --> location" in drawn
    assert "  front --> health" in drawn
    assert not [each for each in drawn if "github" in each]


def test_the_remedy_of_a_broken_link_is_above_the_diagram_and_that_of_a_warning_below() -> None:
    lines = checklist(chain_from(BROKEN))
    assert lines.index("### The chain") > next(
        place for place, each in enumerate(lines) if each.startswith("### ❌ Token")
    )
    lines = checklist(chain_from(WEAK))
    assert lines.index("### The chain") < next(
        place for place, each in enumerate(lines) if each.startswith("### ⚠️ Version")
    )
