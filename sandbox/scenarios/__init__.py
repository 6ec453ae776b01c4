"""Every scenario of the sandbox, by name."""

from sandbox.scenarios import (
    config_files,
    contracts,
    deployments,
    doctor,
    github,
    hostility,
    other_deployers,
    outcomes,
    proofs,
    refusals,
    registry,
    rollbacks,
    updates,
    watching,
)
from sandbox.scenarios.scenario import Scenario

CHAPTERS = (
    deployments,
    proofs,
    updates,
    refusals,
    outcomes,
    contracts,
    registry,
    rollbacks,
    hostility,
    github,
    watching,
    doctor,
    config_files,
    other_deployers,
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for chapter in CHAPTERS for scenario in chapter.SCENARIOS}

__all__ = ["CHAPTERS", "SCENARIOS", "Scenario"]
