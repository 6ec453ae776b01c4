"""Loads config files written by a test."""

import textwrap

from redeploy.settings.config.load import Loaded, load
from redeploy.settings.plan import Plan, RunPlan
from redeploy.settings.reading import Workspace
from sandbox.simulation import ENOUGH, any_certificate, environment, no_file

FILE = ".github/redeploy.yml"

ENVIRONMENT = {
    "EU_URL": "https://eu.example.com/ops/watchtower/update",
    "EU_TOKEN": "token-of-eu-1",
    "US_URL": "https://us.example.com/ops/watchtower/update",
    "US_TOKEN": "token-of-us-2",
    "API_SHA": "1a2b3c4d5e",
    "EMPTY": "",
    "UNEXPANDED": "${{ github.sha }}",
}
"""The environment of the step."""

HOSTS = """
hosts:
  eu: {watchtower-url: "${EU_URL}", watchtower-token: "${EU_TOKEN}"}
  us: {watchtower-url: "${US_URL}", watchtower-token: "${US_TOKEN}"}
"""


def load_text(text: str, **inputs: str) -> Loaded:
    """Load a file with exactly these inputs beside it."""
    content = textwrap.dedent(text).encode()
    given = ENVIRONMENT | environment(config=FILE, **inputs)
    return load(given, lambda _path, _cap: content, Workspace(no_file, any_certificate))


def run_of(text: str, **inputs: str) -> RunPlan:
    """The run of a valid file; without hosts, the inputs name the Watchtower."""
    found = load_text(text, **(inputs if "hosts:" in text or inputs.get("mode") == "verify" else ENOUGH | inputs))
    assert found.problems == ()
    assert found.run is not None
    return found.run


def plan_of(text: str, **inputs: str) -> Plan:
    """The plan of the only service of a file."""
    (plan,) = run_of(text, **inputs).services
    return plan


def messages(text: str, **inputs: str) -> list[str]:
    """The problems of a file and of the inputs beside it; without hosts, the inputs name the Watchtower."""
    found = load_text(text, **(inputs if "hosts:" in text or inputs.get("mode") == "verify" else ENOUGH | inputs))
    assert found.run is None
    return [each.described for each in found.problems]
