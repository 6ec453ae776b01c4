"""What to do if a build did not come that another tool should have deployed: the cause is not Watchtower."""

from collections.abc import Mapping

from redeploy.remedies.remedy import Remedy
from redeploy.verdicts import Reason

PAGE = "https://github.com/leok974/redeploy-action/blob/main/docs/any-deployer.md"

_NOT_DONE = (
    "The deployer responded before it finished and is still working, skipped the request, or started the image that was "
    "already on the server: not every tool pulls a tag again after it has moved."
)
_LOOK = (
    "See how this deployment ended in the deployer's own log. On the server, see which image runs:\n\n```sh\n"
    "docker ps --format '{{.Names}} {{.Image}} {{.Status}}'\n"
    "docker inspect --format '{{.Created}} {{.Image}}' «container»\n```\n\n"
    f"[What each deployer can hide]({PAGE}) has a row for yours. If it only takes longer, raise `timeout`."
)

OF_OTHER_DEPLOYERS: Mapping[Reason, Remedy] = {
    Reason.OLD_BUILD: Remedy("The old build is still live", _NOT_DONE, _LOOK),
    Reason.WRONG_VERSION: Remedy(
        "A version other than the expected one is live",
        f"{_NOT_DONE} Or it deployed another build. With `baseline` the run can distinguish the old build from a third one.",
        _LOOK,
    ),
    Reason.WRONG_DIGEST: Remedy(
        "An image other than the expected one is running",
        f"{_NOT_DONE} Or it deployed another image.",
        _LOOK,
    ),
    Reason.NO_CHANGE: Remedy(
        "The service is healthy, but nothing changed since `baseline` was recorded",
        f"{_NOT_DONE} Or the image was built without its own version, so every build reports the same one.",
        f"{_LOOK} Declare what must be live with `expect-version`. If you cannot, `require-proof: change` makes this "
        "result red.",
    ),
    Reason.NO_REFERENCE: Remedy(
        "The service is healthy, but there is nothing to compare it with",
        "The step that recorded `baseline` before the deploy saw no build: the service was down then or named none, or that "
        "step used other addresses.",
        "Declare what must be live; that needs no `baseline`:\n\n```yaml\nwith:\n  wait-for-build: true\n"
        "  expect-version: ${{ github.sha }}\n```\n\nOr give both steps the same addresses, and record `baseline` while the "
        "service is up.",
    ),
    Reason.NO_IDENTITY: Remedy(
        "The service is healthy, but no longer reports what named its build before",
        "The step before the deploy saw a build name, a start time or a running digest. None of these was reported since.",
        "Let every build report its commit in the same place, or declare `expect-version` or `expect-digest`.",
    ),
}
"""They replace the reason's own remedy in mode verify with `wait-for-build` or `baseline`."""
