"""The gates of the gauntlet, each in a real world: the scripts run, and the truth is observed."""

import pytest

from sandbox.server.process_pool import ProcessPool
from sandbox.worlds import World
from tools.gauntlet.choice import Setup
from tools.gauntlet.contestants import CONTESTANTS
from tools.gauntlet.kinds import KINDS
from tools.gauntlet.truth import watch

KIND = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("gate", CONTESTANTS)
def test_every_gate_passes_an_ordinary_rollout_and_the_build_is_live(gate: str, pool: ProcessPool) -> None:
    setup = Setup("nicholas-fedor")
    with World(pool, setup.scene) as world:
        inputs = {name: world.fill(text) for name, text in setup.inputs.items()}
        end = CONTESTANTS[gate].run(world, inputs)
        truth = watch(world, declared=True)
    assert (end.colour, end.hangs, end.leaks, end.breaches) == ("green", False, (), ())
    assert truth.at_the_end


@pytest.mark.parametrize("gate", ["the guide", "curl, sleep 30"])
def test_a_gate_without_a_commit_passes_the_old_build(gate: str, pool: ProcessPool) -> None:
    setup = Setup("containrrr", (KIND["old-build"],))
    with World(pool, setup.scene) as world:
        inputs = {name: world.fill(text) for name, text in setup.inputs.items()}
        end = CONTESTANTS[gate].run(world, inputs)
        truth = watch(world, declared=True)
    assert end.colour == "green"
    assert not truth.settled
