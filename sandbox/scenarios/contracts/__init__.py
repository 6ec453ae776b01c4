"""Scenarios about what a live build offers: its OpenAPI document, its routes, what changed, smoke requests."""

from sandbox.scenarios.contracts import documents, operations, smoke, together

SCENARIOS = (*documents.SCENARIOS, *operations.SCENARIOS, *smoke.SCENARIOS, *together.SCENARIOS)
