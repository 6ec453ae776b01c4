"""What to do where a build was waited for that another deployer was to bring: Watchtower is not to blame there."""

from collections.abc import Mapping

from redeploy.remedies.remedy import Remedy
from redeploy.verdicts import Reason

PAGE = "https://github.com/leok974/redeploy-action/blob/main/docs/any-deployer.md"

_NOT_DONE = (
    "The deployer answered before it was done and is not done yet, skipped the request, or started the image that the "
    "server had already: a tag that moved is not pulled again everywhere."
)
_LOOK = (
    "See in the deployer's own log how this deployment ended, and on the server which image runs:\n\n```sh\n"
    "docker ps --format '{{.Names}} {{.Image}} {{.Status}}'\n"
    "docker inspect --format '{{.Created}} {{.Image}}' «container»\n```\n\n"
    f"[What each deployer can hide]({PAGE}) has a row for yours. Raise `timeout` if it only takes longer."
)

OF_OTHER_DEPLOYERS: Mapping[Reason, Remedy] = {
    Reason.OLD_BUILD: Remedy("The old build still answers", _NOT_DONE, _LOOK),
    Reason.WRONG_VERSION: Remedy(
        "Another version than the declared one is live",
        f"{_NOT_DONE} Or it deployed another build than the declared one; with `baseline` the run can tell the build from "
        "before from a third one.",
        _LOOK,
    ),
    Reason.WRONG_DIGEST: Remedy(
        "Another image than the declared one runs",
        f"{_NOT_DONE} Or it deployed another image than the declared one.",
        _LOOK,
    ),
    Reason.NO_CHANGE: Remedy(
        "The service is healthy, but nothing changed since `baseline` was looked at",
        f"{_NOT_DONE} Or the image was built without its own version, so that every build names itself alike.",
        f"{_LOOK} Declare what must be live with `expect-version`; where nothing can be declared, `require-proof: change` "
        "makes this ending red.",
    ),
    Reason.NO_REFERENCE: Remedy(
        "The service is healthy, but there is nothing to compare it with",
        "The step that looked before the deploy saw no build: the service was down then, named none, or was asked at other "
        "addresses than now.",
        "Declare what must be live, which needs no look before:\n\n```yaml\nwith:\n  wait-for-build: true\n"
        "  expect-version: ${{ github.sha }}\n```\n\nOr give both steps the same addresses, and look while the service is "
        "up.",
    ),
    Reason.NO_IDENTITY: Remedy(
        "The service is healthy, but nothing that named its build before does so now",
        "The step before the deploy saw a build name, a start time or a running digest; none of these is there any more.",
        "Let the service name its commit in the same place in every build, or declare `expect-version` or `expect-digest`.",
    ),
}
"""They take the place of the reason's own remedy in mode verify with `wait-for-build` or `baseline`."""
