"""Scenarios in which doctor examines a set-up link by link, with each link broken in turn; nothing is changed."""

from sandbox.scenarios.doctor import service, update, way_to_watchtower

SCENARIOS = (*way_to_watchtower.SCENARIOS, *update.SCENARIOS, *service.SCENARIOS)
