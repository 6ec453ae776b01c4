"""The shipped workflows, and a repository's secrets for them."""

from sandbox.runner.masks import leaked
from tests.deploy_files import ROOT
from tests.e2e.parts.act import Ended
from tests.e2e.parts.stack import Stack

REDEPLOY = ROOT / ".github" / "workflows" / "redeploy-backend.yml"
EXAMPLES = ROOT / "examples"


def secrets(server: Stack) -> dict[str, str]:
    """The secrets of the repository."""
    return {"WATCHTOWER_UPDATE_URL": server.update_url, "WATCHTOWER_HTTP_API_TOKEN": server.token}


def assert_no_secret(ended: Ended, server: Stack, *others: str) -> None:
    """Check that the log contains no form of the token and the others, and not the whole URL; its origin may appear."""
    assert server.update_url not in ended.log
    for secret in (server.token, *others):
        assert not leaked(ended.log, secret)
