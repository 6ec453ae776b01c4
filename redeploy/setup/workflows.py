"""The workflows of a service, derived from this project's own."""

import json
import re

from redeploy.setup.places import GHCR
from redeploy.setup.questionnaire import Answers
from redeploy.setup.shipped import IMAGE, put


def workflow(text: str, answers: Answers) -> str:
    """Return a workflow for this image, without what only the portfolio's service has."""
    text = text.replace("Redeploy Backend via Watchtower", f"Redeploy {answers.name} via Watchtower")
    text = text.replace("Redeploy the backend", f"Redeploy {answers.name}").replace("the backend", answers.name)
    text = put(text, IMAGE, str(answers.image))
    asked = [("health-path", answers.health_path)]
    asked += [("health-expect", "any")] if answers.framework.answers_with_a_page else []
    asked += [("version-path", answers.version_path)] if answers.version_path else []
    asked += [("version-field", answers.version_field)] if answers.version_field else []
    asked += [] if answers.framework.has_document else [("openapi-path", '"off"')]
    if answers.private:
        asked += [("registry-username", _LOGIN[answers.image.registry == GHCR][0])]
        asked += [("registry-password", _LOGIN[answers.image.registry == GHCR][1])]
    lines = "".join(f"          {name}: {scalar(value)}\n" for name, value in asked)
    begin = text.index("          health-path: ")
    kept = "".join(re.findall(r"(?m)^          timeout: .*\n", text[begin:]))
    text = text[:begin] + lines + (_ACCESS if answers.access else "") + kept
    if answers.private and answers.image.registry == GHCR:
        text = text.replace("    timeout-minutes:", f"{_PACKAGES}    timeout-minutes:")
    return _in_environment(text, answers.environment)


def _in_environment(text: str, environment: str) -> str:
    """Return a workflow whose secrets are those of this environment, or of the repository."""
    if environment:
        text = text.replace("name: production #", f"name: {scalar(environment)} #")
        return text.replace("environment: production\n", f"environment: {scalar(environment)}\n")
    text = re.sub(r"(?m)^    environment:\n(?:      .*\n)+|^    environment: .*\n", "", text)
    return re.sub(r"required: false # .*", "required: true", text)


_LOGIN = {
    True: ("${{ github.actor }}", "${{ github.token }}"),
    False: ("${{ secrets.REGISTRY_USERNAME }}", "${{ secrets.REGISTRY_PASSWORD }}"),
}
"""Who logs in to the registry: GHCR accepts the job's own token."""


_PACKAGES = """\
    permissions:
      packages: read # to look the private image up before the trigger
"""


_ACCESS = """\
          headers: |
            CF-Access-Client-Id: ${{ secrets.CF_ACCESS_CLIENT_ID }}
            CF-Access-Client-Secret: ${{ secrets.CF_ACCESS_CLIENT_SECRET }}
"""


def scalar(value: str) -> str:
    """Return a text in a form that YAML reads back unchanged."""
    bare = re.fullmatch(r'"off"|\$\{\{ [\w.]+ \}\}|(?:/|[A-Za-z_])[\w./~-]*(?::[\w.-]+)?', value)
    return value if bare else json.dumps(value)
