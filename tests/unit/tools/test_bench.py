"""The page on speed and the table in README, rendered from the figures of a run."""

import xml.etree.ElementTree as ET

from tools.bench.sections.figure import Chart, Figure, Section
from tools.bench.sections.page import chart, in_readme, page
from tools.bench.sections.polls import WAYS, measure

TIMES = Chart("Start & end", "ms", {"the action": 20.0, "import <x>": 40.0})
SECTION = Section(
    "Start",
    "From here to there.",
    (
        Figure("a / b", 1.5, 1.0, "1.0 is b."),
        Figure("a / c", 0.5, 1.0, "1.0 is c."),
        Figure("d", 3.0, None, "Only shown."),
    ),
    TIMES,
)


def test_a_figure_is_shown_beside_its_limit_and_marked_if_it_misses_it() -> None:
    lines = page([SECTION], "Measured today.").splitlines()
    assert "| a / b | 1.50 | 1 (missed) | 1.0 is b. |" in lines
    assert "| a / c | 0.50 | 1 | 1.0 is c. |" in lines
    assert "| d | 3.00 |  | Only shown. |" in lines
    assert "Measured today." in lines


def test_a_figure_that_misses_its_limit_fails_the_bench_unless_that_much_is_known() -> None:
    assert Figure("a / b", 1.5, 1.0).worse
    assert Figure("a / b", 1.5, 1.0, known=1.4).worse
    assert not Figure("a / b", 1.5, 1.0, known=2.0).worse
    assert not Figure("a / b", 0.5, 1.0).worse


def test_the_bars_of_a_chart_are_as_long_as_their_figures() -> None:
    drawn = ET.fromstring(chart([TIMES]))  # noqa: S314 - ours
    ours, other = (
        float(each.attrib["width"]) for each in drawn.iter() if each.attrib.get("class") in ("ours", "other")
    )
    assert other == 2 * ours


def test_the_readme_changes_only_between_its_marks() -> None:
    readme = "before\n<!-- speed: by `make bench` -->\nold\n<!-- end of speed -->\nafter\n"
    made = in_readme(readme, [SECTION])
    assert made.startswith("before\n<!-- speed: by `make bench` -->\n\n| | the action | others |")
    assert made.endswith("\n<!-- end of speed -->\nafter\n")
    assert "| Start & end | 20.00 ms | import <x>: 40.00 ms |" in made
    assert in_readme(made, [SECTION]) == made


def test_a_poll_every_second_sees_a_build_sooner_than_the_steps_of_the_guide() -> None:
    found = measure(40, 60.0)
    assert set(found) == set(WAYS)
    guide, second = found["guide: sleep 10, then every 5 s"], found["a poll every 1 s"]
    assert (second["mean"] < 1.0, guide["mean"] > 5.0, guide["refused"]) == (True, True, 0)
