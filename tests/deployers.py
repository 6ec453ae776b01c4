"""Secrets, variables and programs for the jobs of the examples with other deployers."""

from collections.abc import Mapping

from sandbox.server.deployers import TOKEN
from sandbox.worlds import World

SECRETS: Mapping[str, str] = dict.fromkeys(
    (
        "COOLIFY_TOKEN",
        "DOKPLOY_API_KEY",
        "PORTAINER_API_KEY",
        "CAPROVER_APP_TOKEN",
        "DOCO_CD_SECRET",
        "HOOK_SECRET",
        "DEPLOY_SSH_KEY",
        "KAMAL_REGISTRY_PASSWORD",
    ),
    TOKEN,
)

_URLS = ("COOLIFY_URL", "DOKPLOY_URL", "PORTAINER_URL", "CAPROVER_URL", "DOCO_CD_URL")

_ASK = f'exec curl -fsS -X POST -H "Token: {TOKEN}"'

PROGRAMS: Mapping[str, str] = {
    "ssh": f'#!/bin/sh\n[ "$1" = deploy@server ] || exit 255\n{_ASK} "$DEPLOYER/ssh"\n',
    "sudo": "#!/bin/sh\n[ \"$1 $2 $3\" = 'gem install kamal' ]\n",
    "kamal": f'#!/bin/sh\n[ "$1" = deploy ] || exit 1\n{_ASK} "$DEPLOYER/kamal"\n',
}
"""Programs that reach a server by other ways than HTTP, and that install them; they call the stand-in at `$DEPLOYER`."""


def variables(world: World) -> dict[str, str]:
    """The repository's variables, for a world with a deployer."""
    assert world.deployer is not None
    return {
        "SERVICE_URL": world.front.origin,
        "DEPLOY_TARGET": "deploy@server",
        "COOLIFY_UUID": "vgsco4o7w0k8",
        "DOKPLOY_APPLICATION": "hdoihUG0FmYC8GdoFEc",
        "PORTAINER_STACK": "7",
        "PORTAINER_ENDPOINT": "1",
        "CAPROVER_APP": "api",
        "HOOK_URL": f"{world.deployer.origin}/hooks/redeploy",
        **dict.fromkeys(_URLS, world.deployer.origin),
    }
