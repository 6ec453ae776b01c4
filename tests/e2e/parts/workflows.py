"""Workflows that ship, and what a repository keeps for them."""

from sandbox.runner.masks import leaked
from tests.deploy_files import ROOT
from tests.e2e.parts.act import Ended
from tests.e2e.parts.stack import Stack

REDEPLOY = ROOT / ".github" / "workflows" / "redeploy-backend.yml"
EXAMPLES = ROOT / "examples"


def secrets(server: Stack) -> dict[str, str]:
    """What the repository keeps for its workflows."""
    return {"WATCHTOWER_UPDATE_URL": server.update_url, "WATCHTOWER_HTTP_API_TOKEN": server.token}


def tells_no_secret(ended: Ended, server: Stack, *others: str) -> None:
    """The token and others in no form; the URL not as it is, since its origin may be told."""
    assert server.update_url not in ended.log
    for secret in (server.token, *others):
        assert not leaked(ended.log, secret)
