"""The config file for several services, from one flag each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.registry.image import Image
from redeploy.setup.questionnaire import QUESTIONS, Framework
from redeploy.setup.workflows import scalar
from redeploy.text.choice import choice

FILE = ".github/redeploy.yml"
"""Where it is written."""

FORM = "NAME,image=IMAGE,domain=DOMAIN"
"""The form of a service's flag; `domain=none` for one without an address."""

_NAME = re.compile(r"[a-z0-9-]{1,40}")
QUESTIONS_OF_EACH = {
    each.name: each
    for each in QUESTIONS
    if each.name in ("image", "domain", "framework", "health-path", "version-path", "version-field")
}
"""The questions that the flag of a service answers."""
_OF_ITS_ADDRESS = ("framework", "health-path", "version-path", "version-field")
NOWHERE = "none"
_OFF = '"off"'
"""In quotes, for readers that take it for a boolean."""


@dataclass(frozen=True)
class ServiceAnswers:
    """What is known of one of several services."""

    name: str
    image: Image
    domain: str
    """Empty for a worker, which has no address."""
    framework: Framework = Framework.OTHER
    health_path: str = ""
    version_path: str = ""
    version_field: str = ""


def read(text: str) -> ServiceAnswers:
    """Return the service that a flag describes.

    Raises:
        ValueError: with what is wrong.
    """
    name, *pairs = (part.strip() for part in text.split(","))
    if not _NAME.fullmatch(name):
        msg = f"{name!r:.80} is not a name; write 1 to 40 lower-case letters, digits and hyphens, as in `{FORM}`"
        raise ValueError(msg)
    given: dict[str, object] = {}
    for pair in pairs:
        key, sign, value = (part.strip() for part in pair.partition("="))
        if not sign:
            msg = (
                f"`{name}` has {pair!r:.80}, which is not of the form `KEY=VALUE`, such as `image=ghcr.io/owner/{name}`"
            )
            raise ValueError(msg)
        try:
            choice(key, QUESTIONS_OF_EACH)
            nowhere = key == "domain" and value == NOWHERE
            given[key] = "" if nowhere else QUESTIONS_OF_EACH[key].answer(value)
        except ValueError as error:
            msg = f"`{name}`: {key!r:.40} {error}"
            raise ValueError(msg) from error
    missing = [each for each in ("image", "domain") if each not in given]
    if missing:
        named = "` and `".join(missing)
        msg = f"`{name}` does not give its `{named}`; write `{FORM}`, with `domain={NOWHERE}` for a worker"
        raise ValueError(msg)
    needless = [each for each in _OF_ITS_ADDRESS if each in given]
    if not given["domain"] and needless:
        msg = f"`{name}` has no domain, so its `{needless[0]}` is never requested; leave one of the two out"
        raise ValueError(msg)
    return ServiceAnswers(name, **{key.replace("-", "_"): value for key, value in given.items()})  # type: ignore[arg-type] # each cleaner returns the type of its field


def unlike(services: Sequence[ServiceAnswers]) -> str:
    """Return why services cannot be in one file; empty if they can."""
    names = [each.name for each in services]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        return f"`{twice}` is given twice; each service needs its own name"
    images = [str(each.image) for each in services]
    same = next((image for image in images if images.count(image) > 1), "")
    if same:
        return f"several services have the image {same}; write the file by hand, and give each its `container`"
    return ""


def config_file(services: Sequence[ServiceAnswers], schema: str) -> str:
    """Return the file; `schema` is the URL of the JSON Schema that editors judge it by."""
    lines = [f"# yaml-language-server: $schema={schema}", "services:"]
    for each in services:
        lines += [f"  {each.name}:{'' if each.domain else ' # it has no address: its container proves it'}"]
        lines += [f"    {key}: {scalar(value)}" for key, value in _keys(each)]
    return "\n".join([*lines, ""])


def _keys(service: ServiceAnswers) -> list[tuple[str, str]]:
    image = ("image", str(service.image))
    if not service.domain:
        return [image, ("base-url", _OFF)]
    asked = [
        image,
        ("base-url", f"https://{service.domain}"),
        ("health-path", service.health_path or service.framework.health_path),
        ("health-expect", "any" if service.framework.answers_with_a_page else ""),
        ("version-path", service.version_path),
        ("version-field", service.version_field),
        ("openapi-path", "" if service.framework.has_document else _OFF),
    ]
    return [(key, value) for key, value in asked if value]


NEXT_STEP = f"""\
docs/existing-server.md of redeploy-action says what the server and GitHub need.
Then a job of a workflow redeploys all of the services by one trigger. Where an
image is private, it needs `packages: read` among its permissions, too, and
`registry-username: ${{{{ github.actor }}}}` and
`registry-password: ${{{{ github.token }}}}` in its last step.

  redeploy:
    runs-on: ubuntu-latest
    concurrency: redeploy
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@v7
      - uses: leok974/redeploy-action@v1
        with:
          config: {FILE}
          watchtower-url: ${{{{ secrets.WATCHTOWER_UPDATE_URL }}}}
          watchtower-token: ${{{{ secrets.WATCHTOWER_HTTP_API_TOKEN }}}}
"""
"""The job that does it, to be pasted into a workflow."""
