"""The rules of the gauntlet: which worlds exist, what is true of a random rollout, and what the page shows."""

from pathlib import Path

import pytest

from sandbox.worlds import Scene
from tools.gauntlet.choice import Setup, alone, one_of_each, pairs
from tools.gauntlet.contestants import ACTION, CONTESTANTS, End
from tools.gauntlet.kinds import AXES, KINDS, LINES, Kind
from tools.gauntlet.page import Findings, page, wrong
from tools.gauntlet.scripts import NEW, OLD, ROLLOUTS, Stretch, script
from tools.gauntlet.simulated import judge
from tools.gauntlet.trials import Trial

ROOT = Path(__file__).resolve().parents[3]
GREEN, RED = End("green", "deployed"), End("red", "stale/old-build")


def trial(setup: int = 0, end: End = GREEN, *, live: bool = True, later: bool | None = None) -> Trial:
    return Trial(setup, ACTION, end, live, live if later is None else later)


# the worlds


def test_every_kind_is_tried_alone_behind_every_line_that_has_it() -> None:
    setups = alone()
    assert len({setup.name for setup in setups}) == len(setups) == len(LINES) + sum(len(kind.lines) for kind in KINDS)
    assert {kind.axis for kind in KINDS} == set(AXES)
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len(setups) + len(pairs(66, 1)) >= 250


def test_one_of_each_has_every_kind_once() -> None:
    assert sorted(kind.name for setup in one_of_each() for kind in setup.kinds) == sorted(kind.name for kind in KINDS)


def test_pairs_are_the_same_for_the_same_seed_and_never_of_one_axis() -> None:
    assert [setup.name for setup in pairs(200, 5)] == [setup.name for setup in pairs(200, 5)]
    assert [setup.name for setup in pairs(200, 5)] != [setup.name for setup in pairs(200, 6)]
    assert all(len({kind.axis for kind in setup.kinds}) == 2 for setup in pairs(200, 5))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_changes_the_scene_or_the_inputs_but_not_the_line(kind: object) -> None:
    setup = next(each for each in alone() if each.kinds == (kind,))
    ordinary = Setup(setup.line)
    assert setup.scene.variant == setup.line
    assert (setup.scene, setup.inputs) != (ordinary.scene, ordinary.inputs)


def test_the_order_of_two_kinds_makes_no_difference() -> None:
    kinds = {kind.name: kind for kind in KINDS}
    one = Setup("containrrr", (kinds["never-ready"], kinds["hidden"])).scene
    other = Setup("containrrr", (kinds["hidden"], kinds["never-ready"])).scene
    assert one == other
    assert one.pushed is not None
    assert (one.pushed.readiness, one.pushed.identity, one.before.identity) == ("never", "hidden", "hidden")
    assert Scene() == Setup("nicholas-fedor").scene


# the random rollouts


def test_a_seed_is_one_rollout_and_another_seed_another() -> None:
    one, again, other = script(7), script(7), script(8)
    assert (one.stretches, one.answer, one.inputs) == (again.stretches, again.answer, again.inputs)
    assert one.stretches != other.stretches
    assert {script(seed).rollout for seed in range(200)} == set(ROLLOUTS)


def test_the_truth_about_a_rollout_follows_from_its_stretches() -> None:
    chosen = script(7)
    made = chosen.__class__(**{**vars(chosen), "stretches": (Stretch(-1e9, OLD), Stretch(5, ""), Stretch(8, NEW))})
    assert not made.is_live(7.0, 9.0)
    assert made.is_live(8.0, 100.0)
    assert made.lasts_from == 8
    crashes = chosen.__class__(
        **{**vars(made), "stretches": (*made.stretches, Stretch(20, ""), Stretch(21, NEW, healthy=False))}
    )
    assert crashes.is_live(8.0, 19.0)
    assert not crashes.is_live(15.0, 20.0)
    assert crashes.lasts_from == float("inf")


@pytest.mark.parametrize("seed", [121, 420, 516, 717])
def test_a_seed_that_once_ended_wrongly_now_ends_correctly(seed: int) -> None:
    assert not judge(seed).is_wrong


# the page


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (trial(live=False), "false green"),
        (trial(live=False, later=True), "green too early"),
        (trial(end=RED), "false red"),
        (trial(end=End("unproven", "unproven/no-change"), live=False), "not proven"),
        (trial(end=End("red", "", hangs=True)), "hang"),
        (trial(end=End("red", "", leaks=("secret 0 in the log, as it is",)), live=False), "leak"),
        (trial(), ""),
        (trial(end=RED, live=False), ""),
    ],
)
def test_a_table_cell_shows_the_fault(found: Trial, fault: str) -> None:
    kind = next(kind for kind in KINDS if kind.name == "slow-stop")
    made = page(Findings([Setup("containrrr", (kind,))], [found], [judge(1)]), "Made by hand.")
    [row] = [line for line in made.splitlines() if line.startswith("| `slow-stop` |")]
    assert row == f"| `slow-stop` | {kind.description} | {f'{fault} (1 of 1)' if fault else ''} |" + "  |" * (
        len(CONTESTANTS) - 1
    )


def test_a_wrong_result_of_the_action_fails_unless_it_is_explained() -> None:
    partial = next(kind for kind in KINDS if kind.name == "partial")
    undeclared = next(kind for kind in KINDS if kind.name == "undeclared")
    setups = [Setup("openserbia", (partial, undeclared)), Setup("openserbia", (partial,))]
    believed = End("red", "trigger-failed/update-failed")
    assert wrong(Findings(setups, [trial(0, believed)], [])) == []
    assert len(wrong(Findings(setups, [trial(1, believed), trial(1, live=False)], []))) == 2


PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_page_has_a_row_of_every_kind(kind: Kind) -> None:
    assert f"| `{kind.name}` | {kind.description} |" in PAGE, "run `make gauntlet`"


def test_readme_has_the_table_of_the_page() -> None:
    table = PAGE[PAGE.index("| gate |") : PAGE.index("\n\n", PAGE.index("| gate |"))]
    assert len(table.splitlines()) == 2 + len(CONTESTANTS)
    assert table in (ROOT / "README.md").read_text(encoding="utf-8")
